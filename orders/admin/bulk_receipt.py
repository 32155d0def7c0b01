"""The receipt of a bulk job in words and numbers: how far it is, what became of the orders, what an undo would take back."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.bulk.asking import CHANGES, PAPER, right_for, statuses_by_code, title_of
from orders.bulk.jobs import ENDED, FILE_LIFE, changed_events, counts_of
from orders.choices import Axis
from orders.errors import OrderError
from orders.models import BulkItem, BulkJob, OrderEvent, Status
from orders.services.plan import Actor, plan
from orders.services.undo import UndoManyWish

PAGE = 50
REASONS = 5
QUICK = 1_000  # changes whose undo is looked at while the receipt opens: under a second; more when somebody asks
Kind, State, ItemState = BulkJob.Kind, BulkJob.State, BulkItem.State
SIGNS = {"done": "circle-check", "unchanged": "minus", "refused": "circle-alert", "waiting": "clock"}


@dataclass
class Tab:
    """Results of one kind, with how many there are."""

    key: str
    label: str
    count: int
    is_current: bool = False


@dataclass
class Listed:
    """A line of the list of recent bulk actions."""

    job: BulkJob
    title: str
    counts: dict[str, int]
    url: str

    @property
    def left_out(self) -> int:
        return self.counts.get(ItemState.REFUSED, 0)


@dataclass
class Receipt:
    """A job as its page shows it."""

    job: BulkJob
    user: Any
    query: QueryDict = field(default_factory=QueryDict)

    def __post_init__(self) -> None:
        self.statuses = statuses_by_code()
        self.title = title_of(self.job, self.statuses)
        self.counts = counts_of(self.job) if self.has_items else {}

    @property
    def has_items(self) -> bool:
        return self.job.kind != Kind.EXPORT

    def progress(self) -> dict[str, Any]:
        """What moves while it runs."""
        job = self.job
        done = min(job.done, job.total)
        return {
            "job": job,
            "receipt": self,
            "done": done,
            "percent": 100 * done // job.total if job.total else 0,
            "runs": job.state not in ENDED,
            "state_words": _state_words(job, done),
            "progress_url": self.url("bulk_progress"),
            "stop_url": self.url("bulk_stop"),
            "job_url": self.url("bulk_job"),
        }

    def url(self, name: str) -> str:
        return reverse(f"admin:orders_order_{name}", args=[self.job.public_id])

    def context(self) -> dict[str, Any]:
        job, user = self.job, self.user
        wanted = self.query.get("show", "")
        tabs = self._tabs(wanted)
        items = self._items(wanted if wanted in ItemState.values else "")
        more = len(items) > PAGE
        items = items[:PAGE]
        is_over, size = job.state in ENDED, _size_of(job)
        return self.progress() | {
            "title": self.title,
            "tabs": tabs,
            "items": items,
            "signs": SIGNS,
            "more_url": f"?show={wanted}&after={items[-1].position}" if more else "",
            "first_url": f"?show={wanted}" if self.query.get("after") else "",
            "waiting": self.counts.get(ItemState.WAITING, 0),
            "reasons": self._reasons() if is_over else [],
            "results_url": self.url("bulk_results") if self.has_items else "",
            "left_out_url": _left_out_url(job) if self.counts.get(ItemState.REFUSED) else "",
            "file_url": self.url("bulk_file") if size else "",
            "file_size": size,
            "file_until": job.finished_at + FILE_LIFE if job.finished_at else None,
            "file_gone": bool(job.file_name and not size),
            "can_go_on": job.state == State.STOPPED
            and not _undone_by(job)
            and user.has_perm(right_for(job.kind, job.wish))
            and self._has_rest(),
            "go_on_url": self.url("bulk_go_on"),
            "undo_url": self.url("bulk_undo") if is_over and job.kind in CHANGES and self.counts.get(ItemState.DONE) else "",
            "undo_is_quick": self.counts.get(ItemState.DONE, 0) <= QUICK,
            "undone_by": _undone_by(job),
            "jobs_url": reverse("admin:orders_order_bulk_jobs"),
            "list_url": _list_url(job.undoes or job),
            "is_paper": job.kind in PAPER,
            "is_own": job.actor_id == user.pk,
        }

    def _has_rest(self) -> bool:
        return not self.has_items or bool(self.counts.get(ItemState.WAITING))

    def _tabs(self, wanted: str) -> list[Tab]:
        labels = {
            ItemState.DONE: _("Made") if self.job.kind == Kind.PRINT else _("Changed"),
            ItemState.UNCHANGED: _("Were so already"),
            ItemState.REFUSED: _("Left out"),
            ItemState.WAITING: _("Waiting"),
        }
        tabs = [Tab("", _("All"), sum(self.counts.values()), wanted not in labels)]
        tabs += [Tab(state.value, label, self.counts[state], wanted == state) for state, label in labels.items() if self.counts.get(state)]
        return tabs

    def _items(self, state: str) -> list[BulkItem]:
        if not self.has_items:
            return []
        needed = ("job", "order", "state", "message", "position", "order__number", "order__customer_name")
        items = self.job.items.select_related("order", "event").only(*needed, "event__changes", "event__facts")
        after = self.query.get("after", "")
        if after.isdecimal() and len(after) < 10:
            items = items.filter(position__gt=int(after))
        found = list((items.filter(state=state) if state else items).order_by("position")[: PAGE + 1])
        for item in found:
            item.moves = moves_of(item.event, self.statuses) if item.event else []  # type: ignore[attr-defined]
        return found

    def _reasons(self) -> list[tuple[str, int]]:
        """Why orders were left out, the commonest reason first."""
        rows = self.job.items.filter(state=ItemState.REFUSED).order_by().values_list("message").annotate(n=Count("pk"))
        return list(rows.order_by("-n", "message")[:REASONS])


def receipt_of(job: BulkJob, user: Any, query: QueryDict) -> Receipt:
    """The receipt of `job` for this reader; `query` says which results and from where."""
    return Receipt(job, user, query)


def undo_offer(job: BulkJob, user: Any) -> dict[str, Any]:
    """What an undo of the job would take back now, and what it could not, with the reasons counted. Reads only."""
    url = reverse("admin:orders_order_bulk_undo", args=[job.public_id])
    events = changed_events(job) if job.kind in CHANGES and job.state in ENDED and not _undone_by(job) else {}
    wish = UndoManyWish(ids=list(events), events=events, actor=Actor.clerk(user))
    planned = plan(wish, render=False) if events else None
    reasons: dict[str, int] = defaultdict(int)
    error: OrderError
    for error in planned.refusals.values() if planned else ():
        reasons[str(error)] += 1
    stopped = sum(1 for change in planned.changes for c in change.consequences if c.describe().icon == "mail-x") if planned else 0
    return {
        "title": _("Undo: %(what)s") % {"what": title_of(job)},
        "job": job,
        "undo_url": url,
        "can_undo": len(planned.changes) if planned else 0,
        "cannot_undo": sum(reasons.values()),
        "reasons": sorted(reasons.items(), key=lambda item: -item[1])[:REASONS],
        "moves_goods": (job.undoes or job).kind in (Kind.STATUS, Kind.TRACKING),
        "mails_stopped": ngettext("%(count)d waiting e-mail does not go.", "%(count)d waiting e-mails do not go.", stopped)
        % {"count": stopped}
        if stopped
        else "",
        "job_url": reverse("admin:orders_order_bulk_job", args=[job.public_id]),
    }


def moves_of(event: OrderEvent, statuses: Mapping[tuple[str, str], Status]) -> list[tuple[str, str]]:
    """What the change of one order was, as pairs of before and after: statuses and tags."""
    moves = []
    for axis in Axis:
        pair = event.changes.get(f"{axis.value}_status")
        if isinstance(pair, dict) and pair.get("to"):
            old, new = (pair.get(side) or "" for side in ("from", "to"))
            moves.append((str(statuses.get((axis.value, old), old)), str(statuses.get((axis.value, new), new))))
    moves += [("", str(name)) for name in event.facts.get("add_tags", ())]
    moves += [(str(name), "") for name in event.facts.get("remove_tags", ())]
    return moves


def listed_jobs(jobs: list[BulkJob]) -> list[Listed]:
    """Lines of the list, in a constant number of queries."""
    statuses = statuses_by_code()
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    rows = BulkItem.objects.filter(job__in=[job.pk for job in jobs], state=ItemState.REFUSED).order_by().values_list("job", "state")
    for pk, state, count in rows.annotate(n=Count("pk")):
        counts[pk][state] = count
    return [
        Listed(job, title_of(job, statuses), counts[job.pk], reverse("admin:orders_order_bulk_job", args=[job.public_id])) for job in jobs
    ]


def _state_words(job: BulkJob, done: int) -> str:
    count = {"done": done, "total": job.total}
    if job.state == State.QUEUED or (job.state == State.RUNNING and not done):
        return _("It begins in a moment.")
    if job.state == State.RUNNING:
        return (_("Stopping after %(done)d of %(total)d.") if job.stop_requested else _("%(done)d of %(total)d")) % count
    if job.state == State.STOPPED:
        return _("Stopped after %(done)d of %(total)d. What is done stays done.") % count
    if job.state == State.FAILED:
        return _("Not done: %(reason)s") % {"reason": job.error}
    return _("Done.")


def _size_of(job: BulkJob) -> int:
    """Bytes of the file; none where there is no file, or somebody took it from the disk."""
    try:
        return int(job.file.size) if job.file else 0
    except OSError:
        return 0


def _list_url(job: BulkJob) -> str:
    place = job.wish.get("from", "")
    return reverse("admin:orders_order_changelist") + (f"?{place}" if place else "")


def _left_out_url(job: BulkJob) -> str:
    return f"{reverse('admin:orders_order_changelist')}?view=all&left_out={job.public_id}"


def _undone_by(job: BulkJob) -> BulkJob | None:
    return getattr(job, "undone_by", None)
