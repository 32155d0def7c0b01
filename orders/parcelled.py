"""How far an order is shipped, derived from its lines: no status and no column says it."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from orders.choices import Axis
from orders.models import Order, OrderLine, Status
from orders.services.stock import Pieces


@dataclass(frozen=True)
class Parcelled:
    """Of `total` pieces that need a parcel, `shipped` are in one."""

    shipped: int = 0
    total: int = 0

    @property
    def is_partly(self) -> bool:
        return 0 < self.shipped < self.total


def parcelled_of(order: Order, lines: Iterable[OrderLine]) -> Parcelled:
    """The pieces of an order that are in parcels. Whole where the status says that the goods left, whatever parcels name."""
    pieces = [Pieces.of(line) for line in lines if not line.is_digital]
    total = sum(piece.open for piece in pieces)
    shipped = total if order.fulfilment_status.goods_left else sum(piece.shipped_open for piece in pieces)
    return Parcelled(shipped, total)


def partly_shipped(statuses: Iterable[Status]) -> Q:
    """The condition of an order whose pieces are in parcels in part: something left, something is still to be shipped.

    The statuses that let an order wait keep the question to the few orders that do: the others are never asked for their lines.
    """
    statuses = list(statuses)
    waiting = [s.pk for s in statuses if s.axis == Axis.FULFILMENT and not s.goods_left and not s.releases_unshipped]
    live = [s.pk for s in statuses if s.axis == Axis.PAYMENT and not s.releases]
    gone = lines_of_orders().filter(pieces_shipped__gt=F("pieces_back"))
    left = lines_of_orders().filter(
        quantity__gt=F("pieces_shelf") + F("pieces_lost") + F("pieces_shipped") - F("pieces_back"),
    )
    return Q(Exists(gone), Exists(left), fulfilment_status__in=waiting, payment_status__in=live)


def lines_of_orders() -> QuerySet[OrderLine]:
    """Lines that need a parcel, of the order of an outer query."""
    return OrderLine.objects.filter(order=OuterRef("pk"), is_removed=False, is_digital=False)
