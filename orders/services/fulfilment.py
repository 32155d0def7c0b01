"""Goods on their way: parcels, tracking numbers, pieces that come back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from orders.choices import Axis
from orders.errors import InvalidWish
from orders.models import Order, OrderEvent, Shipment, ShipmentLine
from orders.services.plan import OneOrderWish, PlannedChange, World
from orders.services.status import add_shipment, carry_consequences, decide_returned
from orders.services.stock import Pieces


@dataclass(kw_only=True)
class ShipmentWish(OneOrderWish):
    """Record a parcel with `quantities` per line id (None: all that is left). A complete shipment sets Shipped if asked.

    `status` is what a complete shipment sets instead: Out for delivery, where the shop brings it itself.
    """

    quantities: Mapping[int, int] | None = None
    carrier: str = ""
    tracking_number: str = ""
    set_shipped: bool = True
    status: str = "SHIPPED"

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """Raises StaleOrder, NotAllowed without orders.ship_order, InvalidWish where nothing or too much is to be shipped."""
        self.check_version(order)
        self.require("orders.ship_order", _("You may not record shipments."))
        change = world.change_of(order, OrderEvent.Kind.SHIPMENT)
        change.personal_word = self.personal_word
        if change.payment.releases:
            raise InvalidWish(_("The order is %(status)s: nothing is to be shipped.") % {"status": change.payment})
        add_shipment(change, world, carrier=self.carrier, tracking_number=self.tracking_number.strip(), quantities=self.quantities)
        if not change.new_shipments[0][1]:
            raise InvalidWish(_("Nothing is left to ship."))
        complete = all(line.is_digital or not Pieces.of(line, change).unshipped for line in change.lines)
        if self.set_shipped and complete and not change.fulfilment.goods_left:
            change.fulfilment = world.status(Axis.FULFILMENT, self.status)
            carry_consequences(change, world, record=False)
        return change


@dataclass(kw_only=True)
class TrackingWish(OneOrderWish):
    """Give a parcel another tracking number or carrier: the old parcel becomes void, a new one names the same pieces."""

    shipment_id: int
    carrier: str = ""
    tracking_number: str = ""

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """Raises StaleOrder, NotAllowed without orders.ship_order, InvalidWish for a parcel that is void or of another order."""
        self.check_version(order)
        self.require("orders.ship_order", _("You may not record shipments."))
        change = world.change_of(order, OrderEvent.Kind.SHIPMENT)
        change.personal_word = self.personal_word
        old = next((s for s in change.shipments if s.pk == self.shipment_id), None)
        if old is None:
            raise InvalidWish(_("This parcel is not on the order."), field="shipment")
        number = self.tracking_number.strip()
        if (number, self.carrier) == (old.tracking_number, old.carrier):
            return change
        replace_parcel(change, world, old, carrier=self.carrier, tracking_number=number)
        return change


def replace_parcel(change: PlannedChange, world: World, old: Shipment, *, carrier: str, tracking_number: str) -> None:
    """Plan that `old` becomes void and a new parcel names its pieces, under another number or with another carrier."""
    change.voided_shipments.append(old)
    add_shipment(change, world, carrier=carrier or old.carrier, tracking_number=tracking_number, quantities={})
    new, rows = change.new_shipments[-1]
    new.shipped_at = old.shipped_at
    by_pk = {line.pk: line for line in change.lines}
    rows += [ShipmentLine(line=by_pk[row.line_id], quantity=row.quantity) for row in old.lines.all() if row.line_id in by_pk]


def bring_back(change: PlannedChange, parcels: Iterable[Shipment]) -> None:
    """Plan parcels like those that a change made void, with the pieces they named: its undo."""
    by_pk = {line.pk: line for line in change.lines}
    for old in parcels:
        copied = ("carrier", "tracking_number", "tracking_url", "shipped_at")
        rows = [ShipmentLine(line=by_pk[row.line_id], quantity=row.quantity) for row in old.lines.all() if row.line_id in by_pk]
        change.new_shipments.append((Shipment(**{name: getattr(old, name) for name in copied}), rows))


@dataclass(kw_only=True)
class ReturnWish(OneOrderWish):
    """Record pieces that came back, per line id as (shelf, lost). Money is a refund's business."""

    pieces: Mapping[int, tuple[int, int]]
    reason: str = ""
    set_returned: bool = False

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """Raises StaleOrder, NotAllowed without orders.ship_order, InvalidWish where more comes back than is out."""
        self.check_version(order)
        self.require("orders.ship_order", _("You may not record returns."))
        change = world.change_of(order, OrderEvent.Kind.RETURN)
        change.reason, change.personal_word = self.reason, self.personal_word
        if change.payment.releases:
            raise InvalidWish(_("The order is %(status)s: its pieces are back already.") % {"status": change.payment})
        decide_returned(change, self.pieces)
        if not change.decisions:
            raise InvalidWish(_("Say how many pieces came back."))
        if self.set_returned:
            change.fulfilment = world.status(Axis.FULFILMENT, "RETURNED")
        return change
