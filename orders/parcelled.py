"""How far an order is shipped, derived from its lines: no status and no column says it."""

from collections.abc import Iterable
from dataclasses import dataclass

from orders.models import Order, OrderLine
from orders.services.plan import PlannedChange
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


def more_to_ship(change: PlannedChange) -> bool:
    """Whether pieces of the order stay behind that a later parcel will bring."""
    ends = change.payment.releases or change.fulfilment.goods_left or change.fulfilment.releases_unshipped
    return not ends and any(not line.is_digital and Pieces.of(line, change).unshipped for line in change.lines)
