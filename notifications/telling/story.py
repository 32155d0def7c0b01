"""What happened to an order, as far as a mail may tell it: from a planned change or a saved order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from orders.models import (
    Order,
    OrderAddress,
    OrderDiscount,
    OrderLine,
    OrderSurcharge,
    Refund,
    RefundLine,
    Shipment,
    ShipmentLine,
    Shop,
    Status,
)
from orders.parcelled import more_to_ship, parcelled_of
from orders.services.plan import PlannedChange


@dataclass(frozen=True)
class Download:
    """A file that the customer of an order may fetch."""

    name: str
    url: str
    size: int = 0


@dataclass
class Story:
    """Everything a mail about an order may tell, as it is after the change."""

    shop: Shop
    now: datetime
    order: Order
    payment: Status
    fulfilment: Status
    lines: Sequence[OrderLine]
    addresses: Sequence[OrderAddress]
    payment_before: Status | None = None
    fulfilment_before: Status | None = None
    discounts: Sequence[OrderDiscount] = ()
    surcharges: Sequence[OrderSurcharge] = ()
    quantities: Mapping[int, int] = field(default_factory=dict)
    parcels: Sequence[tuple[Shipment, Sequence[ShipmentLine] | None]] = ()
    parcel_numbers: Sequence[Shipment] = ()  # all parcels that count, in the order they left
    more_follows: bool = False  # pieces that no parcel names are still to come
    refund: tuple[Refund, Sequence[RefundLine]] | None = None
    available: Sequence[tuple[str, int, int | None]] = ()
    paid: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)
    balance: Decimal = Decimal(0)
    total: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    message: str = ""
    reason: str = ""
    files: Sequence[Download] = ()
    attached: tuple[str, ...] = ()  # kinds of documents that come with the mail
    instructions: str = ""

    @classmethod
    def of_change(cls, change: PlannedChange, shop: Shop, now: datetime) -> "Story":
        """The order as it will be; nothing is read from the database."""
        refund = next(((r, rows) for r, rows in change.refunds if r.amount > 0), None)
        return cls(
            shop=shop,
            now=now,
            order=change.order,
            payment=change.payment,
            fulfilment=change.fulfilment,
            payment_before=change.payment_before if change.payment_changes else None,
            fulfilment_before=change.fulfilment_before if change.fulfilment_changes else None,
            lines=change.lines,
            parcel_numbers=sorted(change.current_shipments(), key=lambda parcel: parcel.shipped_at),
            more_follows=more_to_ship(change),
            addresses=change.addresses,
            discounts=change.discounts,
            surcharges=change.surcharges,
            quantities=change.quantities,
            refund=refund,
            available=[(m.variant.sku, m.available_after, m.variant.low_stock_limit) for m in change.movements],
            paid=change.paid_after,
            refunded=change.refunded_after,
            balance=Decimal(0) if change.payment.releases else max(change.balance_after, Decimal(0)),
            total=change.total_after,
            tax=change.after("tax"),
            message=change.personal_word,
            reason=change.reason_to_tell,
        )

    @classmethod
    def of_order(cls, order: Order, shop: Shop, now: datetime) -> "Story":
        """A saved order as it is, with its newest parcel and refund."""
        lines = list(order.lines.filter(is_removed=False))
        shipments = list(order.shipments.filter(voided_by=None).order_by("shipped_at", "id").prefetch_related("lines__line"))
        refunds = list(order.refunds.filter(amount__gt=0).prefetch_related("lines__line").order_by("-id")[:1])
        return cls(
            shop=shop,
            now=now,
            order=order,
            payment=order.payment_status,
            fulfilment=order.fulfilment_status,
            lines=lines,
            addresses=list(order.addresses.all()),
            discounts=list(order.discounts.all()),
            surcharges=list(order.surcharges.all()),
            parcels=[(shipment, list(shipment.lines.all())) for shipment in shipments[-1:]],
            parcel_numbers=shipments,
            more_follows=parcelled_of(order, lines).is_partly,
            refund=(refunds[0], list(refunds[0].lines.all())) if refunds else None,
            paid=order.paid_total,
            refunded=order.refunded_total,
            balance=order.balance_due,
            total=order.total,
            tax=order.tax,
        )

    def address(self, kind: str) -> OrderAddress | None:
        return next((address for address in self.addresses if address.kind == kind), None)
