"""Lets stock follow imported lines, where the import was asked to; what was sold elsewhere is sold, even below zero."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orders.models import Order, OrderEvent, OrderLine
from orders.services.change import PlannedChange, PlannedMovement
from orders.services.stock import settle, write_movements
from orders.services.wishes import Actor, OrdersWish, Plan
from orders.services.world import World, load_world
from orders.services.writing import LINE_CACHES, update_rows


@dataclass
class StockWork:
    """An order whose followed lines are to be settled; `quantities` are new ones per line id."""

    order: Order
    event: OrderEvent
    quantities: Mapping[int, int] = field(default_factory=dict)
    removed: Sequence[OrderLine] = ()


@dataclass(kw_only=True)
class ImportedPieces(OrdersWish):
    """The wish that an import carries: orders as they are, sold below zero where they must be."""

    oversell: bool = True

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        return world.change_of(order, OrderEvent.Kind.UPDATED)


def settle_imported(work: Sequence[StockWork], actor: Actor) -> None:
    """Bring stock to what the imported statuses and quantities ask. The rows of the orders are saved and locked by the caller."""
    if not work:
        return
    # A program imports: selling below zero needs no right of the person who started it.
    unbound = Actor(actor.source, None, actor.name)
    wish = ImportedPieces(ids=sorted(row.order.pk for row in work), actor=unbound)
    gone = [line for row in work for line in row.removed if line.variant_id and (line.committed or line.consumed)]
    world = load_world(wish.ids, variant_ids=[line.variant_id for line in gone if line.variant_id], lock=True)
    plan = Plan(wish, world)
    for row in sorted(work, key=lambda row: row.order.pk):
        change = wish.plan_order(world.orders[row.order.pk], world)
        change.event, change.quantities = row.event, dict(row.quantities)
        plan.changes.append(change)
        _give_back(row, change, world, actor)
    settle(plan)
    write_movements(plan.changes, actor)
    touched = {movement.line.pk: movement.line for change in plan.changes for movement in change.movements}
    for change in plan.changes:
        for line in change.lines:
            if line.pk in change.quantities:
                line.quantity = change.quantities[line.pk]
                touched[line.pk] = line
    update_rows(OrderLine, LINE_CACHES, touched.values())
    for oversold in (True, False):
        ids = [change.order.pk for change in plan.changes if change.fields.get("is_oversold", (None, None))[1] is oversold]
        if ids:
            Order.objects.filter(pk__in=ids).update(is_oversold=oversold)


def _give_back(row: StockWork, change: PlannedChange, world: World, actor: Actor) -> None:
    """Lines that are no longer on the order give back what they hold, before anything else is settled."""
    freed = PlannedChange(
        order=change.order,
        kind=change.kind,
        payment=change.payment,
        fulfilment=change.fulfilment,
        payment_before=change.payment,
        fulfilment_before=change.fulfilment,
        lines=[],
        addresses=[],
        event=row.event,
    )
    for line in row.removed:
        if line.variant_id and line.stock_followed and (line.committed or line.consumed):
            variant = world.variants[line.variant_id]
            movement = PlannedMovement(line, variant, line.consumed, -line.committed, variant.on_hand, variant.committed)
            freed.movements.append(movement)
            variant.on_hand += movement.delta_on_hand
            variant.committed += movement.delta_committed
    if freed.movements:
        write_movements([freed], actor)
        update_rows(OrderLine, LINE_CACHES, [movement.line for movement in freed.movements])
