"""Lets stock follow imported lines, where the import was asked to; what was sold elsewhere is sold, even below zero."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orders.models import LineDecision, Order, OrderEvent, OrderLine
from orders.services.change import PlannedChange, PlannedMovement
from orders.services.status import reverse_release
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
    wish = ImportedPieces(ids=sorted(row.order.pk for row in work), actor=Actor(actor.source, None, actor.name))
    gone = {line.variant_id for row in work for line in row.removed if line.variant_id}
    world = load_world(wish.ids, variant_ids=gone, lock=True)
    if _give_back(work, world, actor):
        world = load_world(wish.ids, lock=True)
    plan = Plan(wish, world)
    for row in sorted(work, key=lambda row: row.order.pk):
        change = wish.plan_order(world.orders[row.order.pk], world)
        change.event, change.quantities = row.event, dict(row.quantities)
        if not change.payment.releases:
            reverse_release(change, world)  # a newer document reopened what staff had cancelled
        plan.changes.append(change)
    settle(plan)
    write_movements(plan.changes, actor)
    touched = {movement.line.pk: movement.line for change in plan.changes for movement in change.movements}
    touched |= _write_reversals(plan.changes)
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


def _write_reversals(changes: Sequence[PlannedChange]) -> dict[int, OrderLine]:
    """Write the planned decisions with the counts on their lines; give back the lines to save."""
    decisions = [(change, decision) for change in changes for decision in change.decisions]
    for _change, d in decisions:
        d.line.pieces_shelf, d.line.pieces_lost = d.line.pieces_shelf + d.shelf, d.line.pieces_lost + d.lost
        d.line.pieces_back += d.back
    LineDecision.objects.bulk_create(
        [
            LineDecision(
                line=d.line, event=change.event, source=d.source, shelf=d.shelf, lost=d.lost, back=d.back, reverses_id=d.reverses_id
            )
            for change, d in decisions
        ]
    )
    return {d.line.pk: d.line for _change, d in decisions}


def _give_back(work: Sequence[StockWork], world: World, actor: Actor) -> bool:
    """Lines that are no longer on their order give back what they hold, before anything else is settled."""
    counters = {pk: (variant.on_hand, variant.committed) for pk, variant in world.variants.items()}
    freed = []
    for row in work:
        change = world.change_of(world.orders[row.order.pk], OrderEvent.Kind.UPDATED)
        change.event = row.event
        for line in row.removed:
            if line.variant_id and line.stock_followed and (line.committed or line.consumed):
                on_hand, committed = counters[line.variant_id]
                change.movements.append(
                    PlannedMovement(line, world.variants[line.variant_id], line.consumed, -line.committed, on_hand, committed)
                )
                counters[line.variant_id] = (on_hand + line.consumed, committed - line.committed)
        if change.movements:
            freed.append(change)
    write_movements(freed, actor)
    update_rows(OrderLine, LINE_CACHES, [movement.line for change in freed for movement in change.movements])
    return bool(freed)
