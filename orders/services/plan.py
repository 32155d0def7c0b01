"""The one door: a wish is planned (reads only), shown, then applied under locks exactly as planned, or refused.

A wish names orders and what should become of them. `plan(wish)` tells everything that would happen; `apply(wish)` makes it
happen in chunks of one transaction each. What else a change sets off (documents, mails) is added by the planners that
`settings.CONSEQUENCE_PLANNERS` names; orders knows neither.
"""

from collections.abc import Callable, Iterator, Mapping

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from orders.errors import InvalidWish, OrderError, StaleOrder
from orders.services.change import Consequence, NotGoing, PanelItem, PlannedChange, PlannedDecision, PlannedMovement
from orders.services.stock import settle
from orders.services.wishes import Actor, OneOrderWish, OrdersWish, Outcome, Plan, Wish
from orders.services.world import World, load_world
from orders.services.writing import save_changes

__all__ = [
    "Actor",
    "Consequence",
    "NotGoing",
    "OneOrderWish",
    "OrdersWish",
    "Outcome",
    "PanelItem",
    "Plan",
    "PlannedChange",
    "PlannedDecision",
    "PlannedMovement",
    "Wish",
    "World",
    "apply",
    "plan",
]

CHUNK = 200  # orders per transaction: long enough to be set-based, short enough not to hold locks for seconds


def plan(wish: Wish, *, render: bool = True) -> Plan:
    """Tell what `wish` would do. Reads only."""
    return _plan(wish, list(wish.order_ids()), lock=False, render=render)


def apply(wish: Wish, *, seen: Mapping[int, str] | None = None, on_chunk: Callable[[Outcome], None] | None = None) -> Outcome:
    """Do what the plan says, in chunks of one transaction each, or refuse the orders that can't have it.

    Mails are rendered in the plan, before the locks. Under the locks only facts are planned again: where their digest differs
    from what the clerk saw (`seen`: digest per order id, 0 for a new order), that order is refused with `StaleOrder`.
    Asking for what is already so changes nothing: a double click costs nothing.
    """
    outcome = Outcome()
    ids = list(wish.order_ids())
    for chunk in _chunked(ids) if ids else [[]]:
        part = _apply_chunk(wish, chunk, seen)
        outcome.events += part.events
        outcome.refusals |= part.refusals
        outcome.unchanged += part.unchanged
        if on_chunk:
            on_chunk(part)
    return outcome


def _apply_chunk(wish: Wish, ids: list[int], seen: Mapping[int, str] | None) -> Outcome:
    looked = _plan(wish, ids, lock=False, render=True)
    prepared = {c.order.pk or 0: c for c in looked.changes}
    with transaction.atomic():
        locked = _plan(wish, ids, known=looked.world, lock=True, render=False)
        for change in list(locked.changes):
            key = change.order.pk or 0
            digest = change.digest()
            if change.needs_reason and not change.reason.strip():
                locked.refuse(change, InvalidWish(change.needs_reason, field="reason"))
            elif seen is not None and key in seen and seen[key] != digest:
                locked.refuse(change, StaleOrder(_("This order changed meanwhile. Nothing was saved; look at it again.")))
            elif key not in prepared or prepared[key].digest() != digest:
                _render_again(wish, locked, change)
            else:
                change.consequences = prepared[key].consequences
        save_changes(locked)
        if locked.changes:
            wish.saved(locked.changes)
    return Outcome(
        events=[change.event for change in locked.changes if change.event],
        refusals=locked.refusals,
        unchanged=locked.unchanged,
    )


def _render_again(wish: Wish, locked: Plan, change: PlannedChange) -> None:
    """The order moved between preparing and locking, and nobody had seen a plan: make its consequences anew, from locked facts."""
    change.consequences = []
    alone = Plan(wish, locked.world, [change])
    _ask_planners(alone, render=True)
    if not alone.changes:
        locked.refuse(change, alone.refusals[change.order.pk or 0])


def _plan(wish: Wish, ids: list[int], *, known: World | None = None, lock: bool, render: bool) -> Plan:
    world = load_world(ids, variant_ids=wish.variant_ids(), lock=lock, known=known)
    planned = Plan(wish, world, is_locked=lock)
    for key in ids or [0]:
        try:
            if not key:
                planned.changes.append(wish.plan_new(world))
            elif key in world.orders:
                planned.changes.append(wish.plan_order(world.orders[key], world))
            else:
                raise StaleOrder(_("This order no longer exists."))
        except OrderError as error:
            planned.refusals[key] = error
    settle(planned)
    for change in list(planned.changes):
        if not change.changes_anything:
            planned.unchanged.append(change.order.pk)
            planned.changes.remove(change)
    _ask_planners(planned, render=render)
    return planned


def _ask_planners(planned: Plan, *, render: bool) -> None:
    for path in settings.CONSEQUENCE_PLANNERS:
        if planned.changes:
            import_string(path)(planned, render=render)
    for change in planned.changes:
        for consequence in change.consequences:
            if consequence.optional and consequence.key in planned.wish.skip:
                consequence.is_on = False


def _chunked(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]
