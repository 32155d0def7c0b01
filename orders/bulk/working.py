"""The work on a bulk job: chunk by chunk through the one door, each order's result written in the transaction of its change.

So a worker may be killed anywhere: the next one finds every order either changed with its line on the receipt, or waiting.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from orders.bulk.asking import Kind, right_for
from orders.bulk.claiming import Claim, LeaseLost, Refused, claim_job
from orders.bulk.exporting import export_orders
from orders.bulk.printing import print_orders
from orders.bulk.wishing import wish_with_seen
from orders.models import BulkItem, BulkJob, Order
from orders.services.plan import Actor, PlannedChange, Wish, World, apply
from orders.services.writing import update_rows

logger = logging.getLogger(__name__)

CHUNK = 100  # orders per transaction: the bar moves about every second, a stop waits no longer
TURN = 20.0  # seconds: then others of the queue have their turn
State, ItemState = BulkJob.State, BulkItem.State


def work(job_id: int, *, seconds: float = TURN) -> bool:
    """Work on the job for about `seconds`, if nobody else does. Returns whether it waits for another turn."""
    claim = claim_job(job_id)
    if claim is None:
        return False
    deadline = time.monotonic() + seconds
    try:
        with override(claim.job.language or None):
            return _take_turn(claim, deadline)
    except LeaseLost:
        logger.info("bulk job %s went to another worker", job_id)
    return False


def _take_turn(claim: Claim, deadline: float) -> bool:
    try:
        return WORKERS.get(claim.job.kind, change_orders)(claim, deadline)
    except Refused as refusal:
        claim.refuse(str(refusal))
    return False


def change_orders(claim: Claim, deadline: float) -> bool:
    """Change the orders that wait, a chunk at a time, until none does, somebody stops it, or the turn is over."""
    while True:
        job = claim.look()
        items = list(job.items.filter(state=ItemState.WAITING).order_by("position")[:CHUNK])
        if not items:  # a stop that comes after the last order stops nothing
            claim.end(State.DONE)
            return False
        if job.stop_requested:
            claim.end(State.STOPPED)
            return False
        change_chunk(claim, items, actor_of(job))
        if time.monotonic() > deadline:
            claim.give_back()
            return True


def change_chunk(claim: Claim, items: Sequence[BulkItem], actor: Actor) -> None:
    """Change the orders of `items` and write what became of each. Raises LeaseLost, with nothing written."""
    by_order = {item.order_id: item for item in items}

    def record(changes: Sequence[PlannedChange]) -> None:
        done = [by_order[change.order.pk] for change in changes]
        for item, change in zip(done, changes, strict=True):
            item.event = change.event
        BulkItem.objects.filter(pk__in=[item.pk for item in done]).update(state=ItemState.DONE, message="")
        update_rows(BulkItem, ["event_id"], done)
        claim.extend(len(done))

    wish, seen = wish_with_seen(claim.job, items, actor)
    outcome = apply(RecordedWish(actor=actor, skip=wish.skip, batch=claim.job.public_id, inner=wish, record=record), seen=seen)
    rest = [by_order[pk] for pk in outcome.unchanged]
    for item in rest:
        item.state = ItemState.UNCHANGED
    for pk, error in outcome.refusals.items():
        item = by_order[pk]
        item.state, item.message = ItemState.REFUSED, str(error)[:400]
        rest.append(item)
    if rest:
        with transaction.atomic():
            BulkItem.objects.bulk_update(rest, ["state", "message"])
            claim.extend(len(rest))


@dataclass(kw_only=True)
class RecordedWish(Wish):
    """A wish whose results are written where it is saved: both stand or fall together."""

    inner: Wish
    record: Callable[[Sequence[PlannedChange]], None]

    def order_ids(self) -> Sequence[int]:
        return self.inner.order_ids()

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """As the wish within plans it."""
        return self.inner.plan_order(order, world)

    def saved(self, changes: Sequence[PlannedChange]) -> None:
        self.inner.saved(changes)
        self.record(changes)


def actor_of(job: BulkJob) -> Actor:
    """The person who asked, with the rights of this moment. Raises Refused where they may no longer."""
    user = job.actor
    if user is None or not user.is_active or not user.is_staff:
        raise Refused(_("%(name)s no longer works here.") % {"name": job.actor_name})
    if not user.has_perm(right_for(job.kind, job.wish)):
        raise Refused(_("%(name)s may no longer do this.") % {"name": job.actor_name})
    return Actor.clerk(user)


def _print(claim: Claim, deadline: float) -> bool:
    actor_of(claim.job)
    return print_orders(claim, deadline)


def _export(claim: Claim, deadline: float) -> bool:
    return export_orders(claim, actor_of(claim.job).user)


WORKERS: dict[str, Callable[[Claim, float], bool]] = {Kind.PRINT: _print, Kind.EXPORT: _export}
