"""What the clerk did a moment ago and can still take back or send at once: the bar at the foot of every page."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, Min, OuterRef, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from invoices.models import PendingDocument
from notifications.models import OutgoingEmail
from orders.choices import ChangeSource
from orders.models import OrderEvent, Shop
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
    """The clerk's own changes that wait or can be undone, newest first. One query while there are none, two otherwise."""
    user = request.user
    if not user.is_authenticated:
        return []
    now = timezone.now()
    window = Subquery(Shop.objects.filter(pk=1).values("undo_seconds")[:1])
    recent = OrderEvent.objects.filter(actor=user, source=ChangeSource.CLERK, at__gt=now - timedelta(days=1))
    rows = recent.order_by("-id").annotate(window=window).values_list("pk", "at", "window", "batch")[:MOST]
    ends = {pk: at + timedelta(seconds=seconds or 0) for pk, at, seconds, _batch in rows}
    ids = [pk for pk, end in ends.items() if end + LATE > now]
    if not ids:
        return []
    batches: dict[Any, list[Any]] = {}
    for event in _looked_up(ids):
        if _can_undo(event, ends[event.pk] > now) or event.held or event.documents:
            batches.setdefault(event.batch, []).append(event)
    return [_bar_of(events, ends, now) for events in batches.values()]


def events_of(event_id: int, user: Any) -> list[OrderEvent]:
    """The events of the clerk's click that `event_id` belongs to."""
    batch = OrderEvent.objects.filter(pk=event_id, actor=user).values("batch")
    return list(OrderEvent.objects.filter(batch__in=batch, actor=user).order_by("id"))


def _looked_up(ids: Iterable[int]) -> Iterable[Any]:
    mails = OutgoingEmail.objects.filter(event=OuterRef("pk"))
    held = mails.filter(state=State.HELD).order_by().values("event")
    documents = PendingDocument.objects.filter(event=OuterRef("pk"))
    waiting = documents.filter(state=PendingDocument.State.WAITING).order_by().values("event")
    left = mails.filter(audience=OutgoingEmail.Audience.CUSTOMER).exclude(state__in=(State.HELD, State.CANCELLED, State.SUPPRESSED))
    later = OrderEvent.objects.filter(order=OuterRef("order"), pk__gt=OuterRef("pk")).exclude(kind__in=TRANSPARENT)
    return (
        OrderEvent.objects.filter(pk__in=ids)
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


def _bar_of(events: list[Any], ends: dict[int, datetime], now: datetime) -> UndoBar:
    event = events[0]
    order = event.order
    held, documents = sum(e.held or 0 for e in events), sum(e.documents or 0 for e in events)
    can_undo = all(_can_undo(e, ends[e.pk] > now) for e in events)
    waits = []
    if held:
        waits.append(ngettext("%(count)d e-mail waits", "%(count)d e-mails wait", held) % {"count": held})
    if documents:
        waits.append(ngettext("%(count)d document waits", "%(count)d documents wait", documents) % {"count": documents})
    is_single = len(events) == 1
    several = ngettext("%(count)d order", "%(count)d orders", len(events)) % {"count": len(events)}
    return UndoBar(
        event_id=event.pk,
        number=f"#{order.number}" if is_single else several,
        order_url=reverse("admin:orders_order_change", args=[order.pk]) if is_single else "",
        text=_text(event),
        waits=", ".join(waits),
        held=held + documents,
        release_at=min([e.mail_at for e in events if e.mail_at] or [ends[event.pk]]),
        undo_url=reverse("mail:undo", args=[event.pk]) if can_undo else "",
        send_url=reverse("mail:send_now", args=[event.pk]) if held or documents else "",
    )


def _text(event: Any) -> str:
    axes = [("payment_status", event.order.payment_status), ("fulfilment_status", event.order.fulfilment_status)]
    names = [str(status) for key, status in axes if key in event.changes]
    if event.kind == OrderEvent.Kind.PLACED or not names:
        return str(event.get_kind_display())
    return _("now %(status)s") % {"status": " · ".join(names)}
