"""Tracking numbers for many orders at once: which parcel of an order a number of a carrier's file belongs to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _

from orders.choices import Axis
from orders.errors import InvalidWish
from orders.models import Order, OrderEvent, Shipment
from orders.services.fulfilment import replace_parcel
from orders.services.plan import OrdersWish, PlannedChange, World
from orders.services.status import add_shipment, carry_consequences
from orders.services.stock import Pieces


@dataclass(frozen=True)
class Given:
    """A number as a file gives it; without a carrier, the order's own counts."""

    number: str
    carrier: str = ""


@dataclass(kw_only=True)
class TrackingNumbersWish(OrdersWish):
    """Give each order its number: a parcel for all that is left, else the number of the one parcel it has. Complete sets Shipped."""

    numbers: Mapping[int, Given]
    _prefetched: World | None = field(default=None, init=False, repr=False)

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """Raises StaleOrder, NotAllowed without orders.ship_order, InvalidWish for an order that takes no (other) number."""
        self.check_version(order)
        self.require("orders.ship_order", _("You may not record shipments."))
        self._prefetch(world)
        given = self.numbers[order.pk]
        change = world.change_of(order, OrderEvent.Kind.SHIPMENT)
        if any(same_number(parcel.tracking_number, given.number) for parcel in change.shipments):
            return change
        if change.payment.releases:
            raise InvalidWish(_("The order is %(status)s: nothing is to be shipped.") % {"status": change.payment})
        if any(not line.is_digital and Pieces.of(line).unshipped for line in change.lines):
            add_shipment(change, world, carrier=given.carrier, tracking_number=given.number)
            if not change.fulfilment.goods_left:
                change.fulfilment = world.status(Axis.FULFILMENT, "SHIPPED")
                carry_consequences(change, world, record=False)
            return change
        replace_parcel(change, world, self._parcel_of(change), carrier=given.carrier, tracking_number=given.number)
        return change

    def _parcel_of(self, change: PlannedChange) -> Shipment:
        """The parcel that the number is for, where nothing is left to ship."""
        without = [parcel for parcel in change.shipments if not parcel.tracking_number]
        if len(without) == 1 or len(change.shipments) == 1:
            return (without or change.shipments)[0]
        if not change.shipments:
            raise InvalidWish(_("Nothing is left to ship."))
        count = len(change.shipments)
        raise InvalidWish(_("The order has %(count)d parcels: change the number of the right one on its page.") % {"count": count})

    def _prefetch(self, world: World) -> None:
        """The contents of all parcels in one query, once per look."""
        if self._prefetched is not world:
            prefetch_related_objects([parcel for parcels in world.shipments.values() for parcel in parcels], "lines")
            self._prefetched = world


def same_number(one: str, other: str) -> bool:
    """Whether two tracking numbers are one: files and people write them with blanks, in either case."""
    return plain_number(one) == plain_number(other)


def plain_number(number: str) -> str:
    """A tracking number without blanks, in capitals: to compare, never to keep."""
    return "".join(number.split()).upper()
