"""Taking a change back: new entries that reverse, never a deletion (domain, section 4)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from orders.choices import Axis
from orders.errors import CannotUndo
from orders.models import LineDecision, Order, OrderEvent, Payment, Refund, RefundLine, Shipment
from orders.services.fulfilment import bring_back
from orders.services.line_writing import JSON_COLUMNS, ROWS, take_back, variants_of_removed
from orders.services.plan import OneOrderWish, OrdersWish, PlannedChange, Wish, World
from orders.services.return_rows import take_back_step
from orders.services.status import STATUS_RIGHTS, reverse_decisions

UNDOABLE = (
    OrderEvent.Kind.STATUS,
    OrderEvent.Kind.PAYMENT,
    OrderEvent.Kind.REFUND,
    OrderEvent.Kind.SHIPMENT,
    OrderEvent.Kind.RETURN,
    OrderEvent.Kind.EDIT,
    OrderEvent.Kind.HOLD,
    OrderEvent.Kind.DETAILS,
)
RIGHTS: dict[str, str] = {
    OrderEvent.Kind.SHIPMENT: "orders.ship_order",
    OrderEvent.Kind.RETURN: "orders.ship_order",
    OrderEvent.Kind.EDIT: "orders.change_order",
    OrderEvent.Kind.HOLD: "orders.change_order",
    OrderEvent.Kind.DETAILS: "orders.change_order",
    OrderEvent.Kind.PAYMENT: "orders.record_payment",
    OrderEvent.Kind.REFUND: "orders.refund_order",
}
EDITED_PARTS = JSON_COLUMNS | set(ROWS) | {"lines"}  # `take_back` knows them
TRANSPARENT = (OrderEvent.Kind.NOTE,)  # a note after a change does not stand in the way of undoing it


def latest_change(order_id: int) -> OrderEvent | None:
    """The order's latest event that is not a note: the only one that can be undone."""
    return OrderEvent.objects.filter(order=order_id).exclude(kind__in=TRANSPARENT).order_by("-id").first()


@dataclass
class Past:
    """What the latest changes of some orders left behind and nobody has reversed yet; parts by event id."""

    latest: dict[int, OrderEvent] = field(default_factory=dict)  # by order id
    decisions: dict[int, list[LineDecision]] = field(default_factory=dict)
    payments: dict[int, list[Payment]] = field(default_factory=dict)
    refunds: dict[int, list[Refund]] = field(default_factory=dict)
    shipments: dict[int, list[Shipment]] = field(default_factory=dict)
    replaced: dict[int, list[Shipment]] = field(default_factory=dict)  # parcels that the change made void
    with_payments: set[int] = field(default_factory=set)
    with_refunds: set[int] = field(default_factory=set)


def load_past(order_ids: Iterable[int]) -> Past:
    """Read the latest change of each order with its parts, in a constant number of queries."""
    newest = OrderEvent.objects.filter(order=OuterRef("pk")).exclude(kind__in=TRANSPARENT).order_by("-id").values("pk")[:1]
    ids = list(Order.objects.filter(pk__in=list(order_ids)).order_by().annotate(newest=Subquery(newest)).values_list("newest", flat=True))
    past = Past({event.order_id: event for event in OrderEvent.objects.filter(pk__in=ids)})
    events = list({event.pk for event in past.latest.values()})
    past.decisions = _by_event(LineDecision.objects.filter(event__in=events, reversed_by=None).order_by("id"))
    payments = list(Payment.objects.filter(event__in=events).select_related("reversed_by"))
    refunds = list(Refund.objects.filter(event__in=events).select_related("reversed_by"))
    past.with_payments, past.with_refunds = {row.event_id for row in payments}, {row.event_id for row in refunds}
    past.payments = _by_event(row for row in payments if not hasattr(row, "reversed_by"))
    past.refunds = _by_event(row for row in refunds if not hasattr(row, "reversed_by"))
    past.shipments = _by_event(Shipment.objects.filter(event__in=events, voided_by=None).prefetch_related("lines"))
    for parcel in Shipment.objects.filter(voided_by__in=events).prefetch_related("lines").order_by("id"):
        past.replaced.setdefault(parcel.voided_by_id or 0, []).append(parcel)
    return past


def _by_event(rows: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.event_id].append(row)
    return dict(found)


@dataclass(kw_only=True)
class _TakesBack(Wish):
    """What undoing one change and undoing many have in common."""

    _read: tuple[World, Past] | None = field(default=None, init=False, repr=False)

    def event_of(self, order: Order) -> int:
        """The change of `order` that is to be taken back."""
        raise TypeError(f"{type(self).__name__} does not say which change")

    def variant_ids(self) -> Iterable[int]:
        """Items that an edit removed may come back."""
        return variants_of_removed(self.order_ids())

    def _past(self, world: World) -> Past:
        if self._read is None or self._read[0] is not world:  # a world of its own per look: read again under the locks
            self._read = (world, load_past(world.orders))
        return self._read[1]

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """Raises CannotUndo where the change is not the latest or is undone already, NotAllowed without the right to change."""
        past, wanted = self._past(world), self.event_of(order)
        event = past.latest.get(order.pk)
        change = world.change_of(order, OrderEvent.Kind.UNDO)
        if event is not None and event.undoes_id == wanted:
            return change  # undone already: a double click costs nothing
        if event is None or event.pk != wanted:
            raise CannotUndo(_("The order changed again since; this change can no longer be undone."))
        if event.kind not in UNDOABLE:
            raise CannotUndo(_("This can't be undone."))
        change.undoes = event
        self._check_rights(event, world, past)
        self._restore_values(change, event, world)
        reverse_decisions(change, past.decisions.get(event.pk, ()))
        self._reverse_money(change, past.payments.get(event.pk, ()), past.refunds.get(event.pk, ()))
        change.voided_shipments = past.shipments.get(event.pk, [])
        bring_back(change, past.replaced.get(event.pk, ()))
        take_back_step(change, event)
        return change

    def _check_rights(self, event: OrderEvent, world: World, past: Past) -> None:
        """Taking a change back needs the rights that making it needed, and those of what comes back."""
        rights = {RIGHTS[event.kind]} if event.kind in RIGHTS else set()
        rights |= {right for axis, right in STATUS_RIGHTS.items() if event.kind not in RIGHTS and f"{axis}_status" in event.changes}
        if event.pk in past.with_payments:
            rights.add("orders.record_payment")
        if event.pk in past.with_refunds:
            rights.add("orders.refund_order")
        before = event.changes.get("payment_status", {}).get("from")
        if before and world.status(Axis.PAYMENT, before).releases:
            rights.add("orders.cancel_order")
        for right in sorted(rights):
            self.require(right, _("You may not undo this change."))

    def _restore_values(self, change: PlannedChange, event: OrderEvent, world: World) -> None:
        order = change.order
        for name, pair in event.changes.items():
            if name == "quantities":
                change.quantities = {int(pk): row["from"] for pk, row in pair.items()}
            elif name == "payment_status":
                change.payment = world.status(Axis.PAYMENT, pair["from"])
            elif name == "fulfilment_status":
                change.fulfilment = world.status(Axis.FULFILMENT, pair["from"])
            elif "." in name:
                self._restore_address(change, name, pair["from"])
            elif name not in EDITED_PARTS and name != "is_oversold":
                old = _python(order, name, pair["from"])
                if getattr(order, name) != old:
                    change.fields[name] = (getattr(order, name), old)
        take_back(change, event, world.variants)
        for name, opposite in (("add_tags", "remove_tags"), ("remove_tags", "add_tags")):
            if event.facts.get(name):
                change.facts[opposite] = event.facts[name]

    def _restore_address(self, change: PlannedChange, name: str, old: str) -> None:
        kind, _dot, column = name.partition(".")
        address = change.address(kind)
        now = str(getattr(address, column)) if address else ""
        if now != old:
            change.address_fields[name] = (now, old)

    def _reverse_money(self, change: PlannedChange, payments: Iterable[Payment], refunds: Iterable[Refund]) -> None:
        now = timezone.now()
        for payment in payments:
            change.payments.append(
                Payment(amount=-payment.amount, method=payment.method, reference=payment.reference, received_at=now, reverses=payment)
            )
        for refund in refunds:
            rows: list[RefundLine] = []
            counter = Refund(
                amount=-refund.amount,
                credited=-refund.credited,
                shipping=-refund.shipping,
                method=refund.method,
                reason=refund.reason,
                refunded_at=now,
                reverses=refund,
            )
            change.refunds.append((counter, rows))


@dataclass(kw_only=True)
class UndoWish(_TakesBack, OneOrderWish):
    """Take back the order's latest change (`event_id` must still be it)."""

    event_id: int

    def event_of(self, order: Order) -> int:
        return self.event_id


@dataclass(kw_only=True)
class UndoManyWish(_TakesBack, OrdersWish):
    """Take back the latest change of each order; `events` names it per order id."""

    events: Mapping[int, int]

    def event_of(self, order: Order) -> int:
        return self.events.get(order.pk, 0)


def _python(order: Order, name: str, value: Any) -> Any:
    """A value of an event's JSON as the column's type."""
    column: Any = order._meta.get_field(name.removesuffix("_id")) if name.endswith("_id") else order._meta.get_field(name)
    if value is None or column.is_relation:
        return value
    return column.to_python(value)
