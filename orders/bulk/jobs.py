"""The life of a bulk job: proposed by a panel, queued once, stopped, continued, undone, cleaned away. The row is the record.

The broker is only a doorbell: whatever it loses, `due_jobs` finds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from orders.bulk.asking import CHANGES, PAPER
from orders.bulk.doorbell import ring
from orders.errors import CannotUndo
from orders.models import BulkItem, BulkJob

State, ItemState = BulkJob.State, BulkItem.State
PROPOSAL_LIFE = timedelta(days=1)
FILE_LIFE = timedelta(hours=24)
ENDED = (State.DONE, State.STOPPED, State.FAILED)


@dataclass(frozen=True)
class Answer:
    """What is known of an order before the work begins: what the reader saw of it, or why it is left out."""

    seen: str = ""
    refusal: str = ""
    is_unchanged: bool = False


def propose(
    kind: str,
    wish: dict[str, Any],
    ids: Iterable[int],
    *,
    user: Any,
    answers: Mapping[int, Answer] | None = None,
    total: int | None = None,
) -> BulkJob:
    """Keep what a panel shows, so that the button needs to send no more than the job's name. Nothing is asked yet.

    `answers` per order id say what the panel shows of it; an order that it leaves out stays left out. `total` where `ids` is not
    the whole selection (an export reads it while it writes).
    """
    ids = list(ids)
    known = answers or {}
    with transaction.atomic():
        job = BulkJob.objects.create(
            kind=kind,
            wish=wish,
            actor=user,
            actor_name=(user.get_full_name() or user.get_username())[:160],
            language=get_language() or "",
            created_at=timezone.now(),
            total=len(ids) if total is None else total,
            done=sum(1 for pk in ids if pk in known and (known[pk].refusal or known[pk].is_unchanged)),
        )
        _write_items(job, ids, known)
    return job


def propose_again(job: BulkJob, wish: dict[str, Any], ids: Iterable[int], *, answers: Mapping[int, Answer]) -> None:
    """Keep what the panel of a proposed job shows now, with other ticks. One that was started meanwhile stays as it is."""
    ids = list(ids)
    done = sum(1 for pk in ids if pk in answers and (answers[pk].refusal or answers[pk].is_unchanged))
    with transaction.atomic():
        if BulkJob.objects.filter(pk=job.pk, state=State.PROPOSED).update(wish=wish, done=done):
            job.wish, job.done = wish, done
            job.items.all().delete()
            _write_items(job, ids, answers)


def _write_items(job: BulkJob, ids: list[int], answers: Mapping[int, Answer]) -> None:
    BulkItem.objects.bulk_create((_item(job, position, pk, answers.get(pk)) for position, pk in enumerate(ids)), batch_size=1000)


def _item(job: BulkJob, position: int, order_id: int, answer: Answer | None) -> BulkItem:
    item = BulkItem(job=job, order_id=order_id, position=position)
    if answer is not None:
        item.seen = answer.seen
        if answer.refusal:
            item.state, item.message = ItemState.REFUSED, answer.refusal[:400]
        elif answer.is_unchanged:
            item.state = ItemState.UNCHANGED
    return item


def start(job: BulkJob, choices: Mapping[str, Any] | None = None) -> bool:
    """Queue a proposed job with what was chosen in its panel. A second click finds it queued and changes nothing."""
    with transaction.atomic():
        won = BulkJob.objects.filter(pk=job.pk, state=State.PROPOSED).update(
            state=State.QUEUED, wish=job.wish | dict(choices or {}), created_at=timezone.now()
        )
        if won:
            transaction.on_commit(lambda: ring(job.pk, is_paper=job.kind in PAPER))
    return bool(won)


def stop(job: BulkJob) -> None:
    """Ask a job to stop: what is done stays done, the rest waits. One that has not begun stops at once."""
    now = timezone.now()
    if not BulkJob.objects.filter(pk=job.pk, state=State.QUEUED).update(state=State.STOPPED, finished_at=now):
        BulkJob.objects.filter(pk=job.pk, state=State.RUNNING).update(stop_requested=True)


def go_on(job: BulkJob) -> bool:
    """Let a stopped job take up the orders that wait, unless it was undone meanwhile."""
    with transaction.atomic():
        won = BulkJob.objects.filter(pk=job.pk, state=State.STOPPED, undone_by=None).update(
            state=State.QUEUED, stop_requested=False, finished_at=None, file="", file_name=""
        )
        if won:
            if job.file:  # the part that a stop left; the whole one will hold it too
                transaction.on_commit(lambda: default_storage.delete(str(job.file.name)))
            transaction.on_commit(lambda: ring(job.pk, is_paper=job.kind in PAPER))
    return bool(won)


def undo(job: BulkJob, *, user: Any) -> BulkJob:
    """Queue a job that takes back what `job` changed; the same one again for a second click.

    Raises CannotUndo while the job runs, and where there is nothing that could be taken back.
    """
    if job.kind not in CHANGES:
        raise CannotUndo(_("This can't be undone."))
    if job.state not in ENDED:
        raise CannotUndo(_("It still runs. Stop it first, then undo what is done."))
    if known := BulkJob.objects.filter(undoes=job).first():
        return known
    ids = changed_events(job)
    if not ids:
        raise CannotUndo(_("Nothing was changed, so there is nothing to undo."))
    try:
        with transaction.atomic():
            undoing = propose(BulkJob.Kind.UNDO, {}, ids, user=user)
            BulkJob.objects.filter(pk=undoing.pk).update(undoes=job, state=State.QUEUED)
            transaction.on_commit(lambda: ring(undoing.pk, is_paper=False))
    except IntegrityError:
        return BulkJob.objects.get(undoes=job)  # the other click of two was first
    return BulkJob.objects.get(pk=undoing.pk)


def changed_events(job: BulkJob, order_ids: Iterable[int] | None = None) -> dict[int, int]:
    """Event by order id, of the orders that the job changed (among `order_ids`, where given), in the job's order."""
    items = job.items.filter(state=ItemState.DONE, event__isnull=False)
    if order_ids is not None:
        items = items.filter(order__in=list(order_ids))
    return dict(items.order_by("position").values_list("order_id", "event_id"))


def counts_of(job: BulkJob) -> dict[str, int]:
    """How many orders of the job are in each state."""
    found = dict(job.items.order_by().values_list("state").annotate(n=Count("pk")))
    return {state: found.get(state, 0) for state in ItemState.values}


def due_jobs(*, is_paper: bool, now: datetime | None = None) -> list[int]:
    """Jobs that nobody works on though they wait: queued, or left by a worker whose lease ran out. Oldest first."""
    now = now or timezone.now()
    wanted: QuerySet[BulkJob] = BulkJob.objects.filter(Q(state=State.QUEUED) | Q(state=State.RUNNING, lease_until__lt=now))
    wanted = wanted.filter(kind__in=PAPER) if is_paper else wanted.exclude(kind__in=PAPER)
    return list(wanted.order_by("id").values_list("pk", flat=True))


def clean_away(now: datetime | None = None) -> None:
    """Remove panels that nobody confirmed for a day, and files a day after they were made."""
    now = now or timezone.now()
    BulkJob.objects.filter(state=State.PROPOSED, created_at__lt=now - PROPOSAL_LIFE).delete()
    for job in BulkJob.objects.filter(finished_at__lt=now - FILE_LIFE).exclude(file="").defer("wish"):
        name = str(job.file.name)
        if BulkJob.objects.filter(pk=job.pk, file=name).update(file=""):
            default_storage.delete(name)
            remove_parts(job)
    failed = BulkJob.objects.filter(kind=BulkJob.Kind.PRINT, state=State.FAILED)
    for job in failed.filter(finished_at__range=(now - 2 * FILE_LIFE, now - FILE_LIFE)).defer("wish"):
        remove_parts(job)


def parts_folder(job: BulkJob) -> str:
    """Where pieces of a file wait until it is whole."""
    return f"bulk/parts-{job.public_id}"


def parts_of(job: BulkJob) -> list[str]:
    """The pieces that are there, in order."""
    folder = parts_folder(job)
    if not default_storage.exists(folder):
        return []
    _folders, names = default_storage.listdir(folder)
    return [str(PurePosixPath(folder) / name) for name in sorted(names)]


def remove_parts(job: BulkJob) -> None:
    """Throw the pieces away: the file is whole, or nobody wants it any more."""
    for name in parts_of(job):
        default_storage.delete(name)
    if default_storage.exists(parts_folder(job)):
        default_storage.delete(parts_folder(job))
