"""From the row of a bulk job to wishes of the one door, and to the digests of what its panel showed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from orders.bulk.asking import Kind
from orders.bulk.jobs import changed_events
from orders.choices import Axis
from orders.models import BulkItem, BulkJob
from orders.services.change import PlannedChange
from orders.services.editing import DetailsWish, HoldWish
from orders.services.plan import Actor, OrdersWish, plan
from orders.services.status import StatusWish
from orders.services.tracking import Given, TrackingNumbersWish
from orders.services.undo import UndoManyWish


def wish_of(job: BulkJob, ids: Sequence[int], actor: Actor) -> OrdersWish:
    """What the job wants of these orders, without the ticks of its panel."""
    wish = job.wish
    match job.kind:
        case Kind.STATUS:
            is_payment = wish["axis"] == Axis.PAYMENT
            return StatusWish(
                ids=ids, actor=actor, payment=wish["code"] if is_payment else "", fulfilment="" if is_payment else wish["code"]
            )
        case Kind.TAG:
            return DetailsWish(ids=ids, actor=actor, add_tags=wish.get("add", ()), remove_tags=wish.get("remove", ()))
        case Kind.ASSIGN:
            return DetailsWish(ids=ids, actor=actor, values={"assignee_id": wish["assignee"]})
        case Kind.HOLD:
            return HoldWish(ids=ids, actor=actor, held=wish["held"], reason=wish.get("reason", ""))
        case Kind.TRACKING:
            given = {pk: Given(*wish["numbers"][str(pk)]) for pk in ids if str(pk) in wish["numbers"]}
            return TrackingNumbersWish(ids=ids, actor=actor, numbers=given)
        case Kind.UNDO if job.undoes:
            return UndoManyWish(ids=ids, actor=actor, events=changed_events(job.undoes, ids))
    raise TypeError(f"{job.kind} changes no order")


def wish_with_seen(job: BulkJob, items: Iterable[BulkItem], actor: Actor) -> tuple[OrdersWish, Mapping[int, str]]:
    """The wish with the ticks of the panel, and per order the digest that must still hold.

    The panel's digests stand for what it showed before anything was unticked. Where something was, the orders are planned both
    ways: those that are still as shown get the digest of what is left of them.
    """
    items = list(items)
    ids = [item.order_id for item in items]
    wish = wish_of(job, ids, actor)
    shown = {item.order_id: item.seen for item in items if item.seen}
    off, record = set(job.wish.get("off", ())), job.wish.get("record")
    if not isinstance(wish, (StatusWish, TrackingNumbersWish)) or (not off and record is None):
        return wish, shown
    bare = plan(wish, render=False)
    ticked: OrdersWish = replace(wish, skip=keys_of(bare.changes, off))
    if isinstance(ticked, StatusWish):
        ticked = replace(ticked, record=record)
    as_shown, wanted = bare.digests(), plan(ticked, render=False).digests()
    return ticked, {pk: wanted.get(pk, "") if as_shown.get(pk) == digest else "other" for pk, digest in shown.items()}


def group_of(consequence: object, icon: str, reason: str = "") -> str:
    """The name under which consequences of many orders share a tick: the same in every language."""
    return f"{type(consequence).__name__}:{icon}:{reason}"


def keys_of(changes: Iterable[PlannedChange], groups: set[str]) -> frozenset[str]:
    """Keys of the optional consequences in these groups."""
    return frozenset(
        consequence.key
        for change in changes
        for consequence in change.consequences
        if consequence.optional and group_of(consequence, consequence.describe().icon) in groups
    )
