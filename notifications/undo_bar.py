"""What the clerk did a moment ago and can still take back or send at once: the bar at the foot of every page."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from invoices.models import PendingDocument
from notifications.models import OutgoingEmail
from orders.bulk.asking import CHANGES
from orders.bulk.jobs import ENDED
from orders.choices import ChangeSource
from orders.models import BulkJob, OrderEvent, Shop
from orders.services.undo import TRANSPARENT, UNDOABLE

LATE = timedelta(minutes=10)  # how long the bar stays while a silent worker leaves its mails unsent
MOST = 100
State = OutgoingEmail.State


@dataclass(frozen=True)
class UndoBar:
    """One click of the clerk: a change of one order, or of several at once."""

    event_id: int
    number: str
    order_url: str
    text: str
    waits: str
    held: int
    release_at: datetime
    undo_url: str
    send_url: str


def undo_bars(request: HttpRequest) -> list[UndoBar]:
    """The clerk's own changes that wait or can be undone, newest first. One query while there are none.

    A bulk action is one bar however many orders it changed, and costs four queries more.
    """
    user = request.user
    if not user.is_authenticated:
        return []
    now = timezone.now()
    clicks = [click for click in _recent_clicks(user, now) if click.ends + LATE > now]
    if not clicks:
        return []
    several = [click.batch for click in clicks if click.count > 1]
    jobs = {job.public_id: job for job in BulkJob.objects.filter(public_id__in=several).select_related("undone_by")} if several else {}
    bars = _bars_of_jobs([click for click in clicks if click.batch in jobs], jobs, now)
    bars += _bars_of_events([click for click in clicks if click.batch not in jobs], now)
    return sorted(bars, key=lambda bar: -bar.event_id)


@dataclass(frozen=True)
class _Click:
    """The events of one click: how many, the newest of them, and until when they can be undone."""

    batch: UUID
    newest: int
    count: int
    ends: datetime


def _recent_clicks(user: Any, now: datetime) -> list[_Click]:
    window = Subquery(Shop.objects.filter(pk=1).values("undo_seconds")[:1])
    recent = OrderEvent.objects.filter(actor=user, source=ChangeSource.CLERK, at__gt=now - timedelta(days=1)).order_by()
    rows = recent.values("batch").annotate(newest=Max("pk"), count=Count("pk"), last=Max("at"), window=window).order_by("-newest")[:MOST]
    return [
        _Click(row["batch"], row["newest"], row["count"], row["last"] + timedelta(seconds=row["window"] or 0))  # one bar, one clock
        for row in rows
    ]


def _bars_of_events(clicks: list[_Click], now: datetime) -> list[UndoBar]:
    if not clicks:
        return []
    ends = {click.batch: click.ends for click in clicks}
    batches: dict[Any, list[Any]] = {}
    for event in _looked_up(ends):
        if _can_undo(event, ends[event.batch] > now) or event.held or event.documents:
            batches.setdefault(event.batch, []).append(event)
    return [_bar_of(events, ends[batch], now) for batch, events in batches.items()]


def _bars_of_jobs(clicks: list[_Click], jobs: dict[UUID, BulkJob], now: datetime) -> list[UndoBar]:
    """Counted in the database: nobody reads thousands of events to draw one bar."""
    if not clicks:
        return []
    batches = [click.batch for click in clicks]
    held = OutgoingEmail.objects.filter(event__batch__in=batches, state=State.HELD).order_by().values_list("event__batch")
    mails = {batch: (count, at) for batch, count, at in held.annotate(n=Count("pk"), at=Min("release_at"))}
    waiting = PendingDocument.objects.filter(event__batch__in=batches, state=PendingDocument.State.WAITING).order_by()
    documents = dict(waiting.values_list("event__batch").annotate(n=Count("pk")))
    newest = OrderEvent.objects.select_related("order__payment_status", "order__fulfilment_status")
    events = newest.in_bulk([click.newest for click in clicks])
    bars = []
    for click in clicks:
        job, event = jobs[click.batch], events[click.newest]
        count, release_at = mails.get(click.batch, (0, None))
        papers = documents.get(click.batch, 0)
        can_undo = click.ends > now and job.kind in CHANGES and job.state in ENDED and not hasattr(job, "undone_by")
        if not (can_undo or count or papers):
            continue
        bars.append(
            UndoBar(
                event_id=event.pk,
                number=ngettext("%(count)d order", "%(count)d orders", click.count) % {"count": click.count},
                order_url=reverse("admin:orders_order_bulk_job", args=[job.public_id]),
                text=_text(event),
                waits=_waits(count, papers),
                held=count + papers,
                release_at=release_at or click.ends,
                undo_url=reverse("admin:orders_order_bulk_undo", args=[job.public_id]) if can_undo else "",
                send_url=reverse("mail:send_now", args=[event.pk]) if count or papers else "",
            )
        )
    return bars


def events_of(event_id: int, user: Any) -> list[OrderEvent]:
    """The events of the clerk's click that `event_id` belongs to."""
    batch = OrderEvent.objects.filter(pk=event_id, actor=user).values("batch")
    return list(OrderEvent.objects.filter(batch__in=batch, actor=user).order_by("id"))


def _looked_up(batches: Iterable[UUID]) -> Iterable[Any]:
    mails = OutgoingEmail.objects.filter(event=OuterRef("pk"))
    held = mails.filter(state=State.HELD).order_by().values("event")
    documents = PendingDocument.objects.filter(event=OuterRef("pk"))
    waiting = documents.filter(state=PendingDocument.State.WAITING).order_by().values("event")
    left = mails.filter(audience=OutgoingEmail.Audience.CUSTOMER).exclude(state__in=(State.HELD, State.CANCELLED, State.SUPPRESSED))
    later = OrderEvent.objects.filter(order=OuterRef("order"), pk__gt=OuterRef("pk")).exclude(kind__in=TRANSPARENT)
    return (
        OrderEvent.objects.filter(batch__in=list(batches))
        .select_related("order__payment_status", "order__fulfilment_status", "undone_by")
        .annotate(
            held=Subquery(held.annotate(n=Count("pk")).values("n")),
            mail_at=Subquery(held.annotate(at=Min("release_at")).values("at")),
            documents=Subquery(waiting.annotate(n=Count("pk")).values("n")),
            has_left=Exists(left),
            is_issued=Exists(documents.filter(state=PendingDocument.State.ISSUED)),
            is_past=Exists(later),
            deleted=F("order__deleted_at"),
        )
        .order_by("-id")
    )


def _can_undo(event: Any, in_time: bool) -> bool:
    undone = hasattr(event, "undone_by")
    return in_time and event.kind in UNDOABLE and not (undone or event.has_left or event.is_issued or event.is_past)


def _bar_of(events: list[Any], ends: datetime, now: datetime) -> UndoBar:
    event = events[0]
    order = event.order
    held, documents = sum(e.held or 0 for e in events), sum(e.documents or 0 for e in events)
    can_undo = all(_can_undo(e, ends > now) for e in events)
    is_single = len(events) == 1
    several = ngettext("%(count)d order", "%(count)d orders", len(events)) % {"count": len(events)}
    return UndoBar(
        event_id=event.pk,
        number=f"#{order.number}" if is_single else several,
        order_url=reverse("admin:orders_order_change", args=[order.pk]) if is_single else "",
        text=_text(event),
        waits=_waits(held, documents),
        held=held + documents,
        release_at=min([e.mail_at for e in events if e.mail_at] or [ends]),
        undo_url=reverse("mail:undo", args=[event.pk]) if can_undo else "",
        send_url=reverse("mail:send_now", args=[event.pk]) if held or documents else "",
    )


def _waits(mails: int, documents: int) -> str:
    waits = []
    if mails:
        waits.append(ngettext("%(count)d e-mail waits", "%(count)d e-mails wait", mails) % {"count": mails})
    if documents:
        waits.append(ngettext("%(count)d document waits", "%(count)d documents wait", documents) % {"count": documents})
    return ", ".join(waits)


def _text(event: Any) -> str:
    axes = [("payment_status", event.order.payment_status), ("fulfilment_status", event.order.fulfilment_status)]
    names = [str(status) for key, status in axes if key in event.changes]
    if event.kind == OrderEvent.Kind.PLACED or not names:
        return str(event.get_kind_display())
    return _("now %(status)s") % {"status": " · ".join(names)}
