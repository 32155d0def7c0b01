"""Delivers the outbox: the state machine of one row, over one kept connection to the mail server.

claim (a lease with a token) → MAIL, RCPT → mark the hand-off → DATA → sent. A crash before the mark is certainly not sent; after it
the row is ambiguous, shown as such, and repeated with the same Message-ID and bytes. A row is written only where the token matches.
"""

import random
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from invoices.errors import FileChanged
from notifications.line import AccountDown, Answer, KeepingBackend, Line, told
from notifications.messages import message_of
from notifications.models import DeliveryAccount, DeliveryAttempt, OutgoingEmail
from notifications.releasing import release_due
from orders.models import Shop

__all__ = ["KeepingBackend", "claim", "deliver", "due", "pause_after", "requeue_lost", "sweep"]

State, Result = OutgoingEmail.State, DeliveryAttempt.Result
LEASE = timedelta(seconds=300)
MOST_ATTEMPTS = 8
BATCH = 20
LONGEST_PAUSE = timedelta(hours=4)
LONGEST_BREAK = timedelta(minutes=15)
UNSENT = (State.QUEUED, State.FAILED, State.SENDING)


@dataclass
class Delivered:
    """What one round did."""

    sent: int = 0
    failed: int = 0
    more: bool = False


def deliver(*, limit: int = BATCH, seconds: float = 5.0) -> Delivered:
    """Deliver mails that are due, oldest first, for at most `seconds` and the mail in hand.

    Several workers may do this at once. Nothing goes while mail is paused or the breaker is open.
    """
    done = Delivered()
    shop = Shop.current()
    if shop.mail_paused or _is_broken():
        return done
    started = time.monotonic()
    line = Line.of(shop)
    try:
        while time.monotonic() - started < seconds:
            token = str(uuid.uuid4())
            claimed = claim(token, limit=limit)
            if not claimed:
                return done
            try:
                while claimed and time.monotonic() - started < seconds:
                    _deliver_one(claimed.pop(0), token, line, shop, done)
            finally:
                _give_back(claimed, token)
        done.more = due().exists()
    except AccountDown as error:
        _open_breaker(str(error))
    finally:
        line.close()
    return done


def due(now: datetime | None = None) -> Any:
    """Mails that may be sent now: at most one per order and recipient in flight, oldest first."""
    now = now or timezone.now()
    earlier = OutgoingEmail.objects.filter(
        order=OuterRef("order"), recipient=OuterRef("recipient"), pk__lt=OuterRef("pk"), state__in=UNSENT
    )
    ready = OutgoingEmail.objects.filter(Q(state=State.QUEUED) | Q(state=State.FAILED), next_at__lte=now)
    return ready.filter(~Exists(earlier)).order_by("next_at", "id")


def claim(token: str, *, limit: int = BATCH) -> list[OutgoingEmail]:
    """Take up to `limit` mails under a lease. Two workers never take the same one."""
    with transaction.atomic():
        ready = due()
        if connection.features.has_select_for_update_skip_locked:
            ready = ready.select_for_update(skip_locked=True, of=("self",))
        ids = list(ready.values_list("pk", flat=True)[:limit])
        taken = OutgoingEmail.objects.filter(pk__in=ids, state__in=(State.QUEUED, State.FAILED))
        taken.update(state=State.SENDING, lease_token=token, lease_until=timezone.now() + LEASE, handoff_at=None)
    mails = OutgoingEmail.objects.filter(pk__in=ids, lease_token=token, state=State.SENDING)
    return list(mails.select_related("order", "draft").order_by("id"))


def requeue_lost() -> int:
    """Give mails of dead workers back: their lease is over. Handed-off ones are marked ambiguous."""
    now = timezone.now()
    lost = OutgoingEmail.objects.filter(state=State.SENDING, lease_until__lt=now)
    count = 0
    for mail in lost.only("pk", "lease_token", "handoff_at", "attempts")[:500]:
        attempts = mail.attempts + 1
        values: dict[str, Any] = {
            "state": State.DEAD if attempts >= MOST_ATTEMPTS else State.FAILED,
            "attempts": attempts,
            "next_at": now,
            "lease_token": "",
            "lease_until": None,
        }
        if mail.handoff_at:
            values["ambiguous"] = True
        if _write(mail, mail.lease_token, **values):
            count += 1
            DeliveryAttempt.objects.create(mail_id=mail.pk, at=now, result=Result.LOST)
    return count


def sweep() -> Delivered:
    """What the doorbell missed: release what is due, give back what is lost, deliver."""
    release_due()
    requeue_lost()
    return deliver()


def _deliver_one(mail: OutgoingEmail, token: str, line: Line, shop: Shop, done: Delivered) -> None:
    if mail.draft is not None and mail.draft.unsubscribed:
        _write(mail, token, state=State.SUPPRESSED, lease_token="", lease_until=None)
        return
    try:
        message = message_of(mail, shop)
    except (FileChanged, ValueError, LookupError) as error:
        _record(mail, token, Answer(Result.FAILED, text=told(error), is_final=isinstance(error, ValueError)))
        done.failed += 1
        return
    try:
        line.open()
        answer = line.hand_over(mail, message, lambda: _mark_handoff(mail, token))
    except AccountDown:
        _give_back([mail], token)
        raise
    if answer is None:
        return  # the lease was over; whoever holds it now sends it
    _record(mail, token, answer)
    if answer.result in (Result.SENT, Result.KEPT):
        done.sent += 1
        _close_breaker()
    else:
        done.failed += 1


def _mark_handoff(mail: OutgoingEmail, token: str) -> bool:
    """The lease is still ours, and lasts for what follows."""
    now = timezone.now()
    rows = OutgoingEmail.objects.filter(pk=mail.pk, state=State.SENDING, lease_token=token, lease_until__gt=now)
    return bool(rows.update(handoff_at=now, lease_until=now + LEASE))


def _record(mail: OutgoingEmail, token: str, answer: Answer) -> None:
    now = timezone.now()
    values: dict[str, Any] = {
        "attempts": mail.attempts + 1,
        "lease_token": "",
        "lease_until": None,
        "last_code": answer.code,
        "last_error": "" if answer.result in (Result.SENT, Result.KEPT) else answer.text[:500],
    }
    if answer.result in (Result.SENT, Result.KEPT):
        values |= {"state": State.SENT, "sent_at": now, "is_kept": answer.result == Result.KEPT}
    elif answer.is_final or mail.attempts + 1 >= MOST_ATTEMPTS:
        values["state"] = State.DEAD
    else:
        values |= {"state": State.FAILED, "next_at": now + pause_after(mail.attempts + 1)}
    if answer.is_ambiguous:
        values["ambiguous"] = True
    if _write(mail, token, **values):
        DeliveryAttempt.objects.create(mail=mail, at=now, result=answer.result, code=answer.code, answer=answer.text[:500])


def pause_after(attempts: int) -> timedelta:
    """Time until the next attempt: 1, 2, 4 ... minutes, 4 hours at most, spread by a fifth."""
    pause = min(timedelta(minutes=1) * 2 ** (attempts - 1), LONGEST_PAUSE)
    return pause * random.uniform(0.8, 1.2)  # noqa: S311 (spreads load)


def _write(mail: OutgoingEmail, token: str, **values: Any) -> bool:
    return bool(OutgoingEmail.objects.filter(pk=mail.pk, state=State.SENDING, lease_token=token).update(**values))


def _give_back(mails: Sequence[OutgoingEmail], token: str) -> None:
    """Mails that were not tried lose nothing."""
    rows = OutgoingEmail.objects.filter(pk__in=[mail.pk for mail in mails], state=State.SENDING, lease_token=token)
    rows.filter(attempts=0).update(state=State.QUEUED, lease_token="", lease_until=None)
    rows.filter(attempts__gt=0).update(state=State.FAILED, lease_token="", lease_until=None)


def _is_broken() -> bool:
    return DeliveryAccount.objects.filter(open_until__gt=timezone.now()).exists()


def _open_breaker(reason: str) -> None:
    account = DeliveryAccount.current()
    now = timezone.now()
    pause = min(timedelta(seconds=15) * 2**account.failures, LONGEST_BREAK)
    DeliveryAccount.objects.filter(pk=account.pk).update(
        open_until=now + pause, failures=F("failures") + 1, last_error=reason[:500], last_error_at=now
    )


def _close_breaker() -> None:
    now = timezone.now()
    closed = DeliveryAccount.objects.filter(Q(failures__gt=0) | Q(last_ok_at=None) | Q(last_ok_at__lt=now - timedelta(minutes=1)))
    closed.update(open_until=None, failures=0, last_ok_at=now)
