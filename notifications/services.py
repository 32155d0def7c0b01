"""What staff do with mails: send now, stop, send again. Each names who, refuses without the right, and tells why not."""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications.doorbell import ring
from notifications.kinds import ACCOUNT_KINDS
from notifications.models import OutgoingEmail
from notifications.outbox import derived_message_id, new_row
from notifications.releasing import release_due
from orders.errors import InvalidWish, NotAllowed, OrderError
from orders.models import Order
from orders.services.plan import Actor

State = OutgoingEmail.State
RIGHT = "notifications.send_outgoingemail"
RELEASED = ("orders.change_order_status", "orders.change_payment_status")


def release_now(event_ids: Iterable[int], actor: Actor) -> int:
    """Let the held mails of these events go without waiting out the undo time; those that attach a document go when it is there.

    Returns how many were waiting. Raises NotAllowed for staff who may not change the status of orders.
    """
    if not any(actor.may(right) for right in (*RELEASED, RIGHT)):
        raise NotAllowed(_("You may not send mails."))
    now = timezone.now()
    count = OutgoingEmail.objects.filter(event__in=list(event_ids), state=State.HELD).update(release_at=now, next_at=now)
    if count:
        release_due(now)
        transaction.on_commit(lambda: ring())
    return count


def release_mail(mail_id: int, actor: Actor, *, without_documents: bool = False) -> OutgoingEmail:
    """Let one held mail go now; with `without_documents` also when its document is not there. Raises NotAllowed, OrderError."""
    _require(actor)
    now = timezone.now()
    values = {"release_at": now, "next_at": now}
    held = OutgoingEmail.objects.filter(pk=mail_id, state=State.HELD)
    changed = held.update(**values, attachments=[]) if without_documents else held.update(**values)
    if not changed:
        raise OrderError(_("This mail is no longer waiting."))
    release_due(now)
    transaction.on_commit(lambda: ring())
    return OutgoingEmail.objects.get(pk=mail_id)


def resend(mail_id: int, actor: Actor, to: str | None = None) -> OutgoingEmail:
    """Send the exact body again, to the same or another address, as a row of its own, at once.

    Raises NotAllowed without the right, InvalidWish for a wrong address, OrderError while the first one is still on its way.
    """
    _require(actor)
    mail = OutgoingEmail.objects.get(pk=mail_id)
    if mail.kind in ACCOUNT_KINDS:
        raise OrderError(_("This mail holds a secret link. Send a new one from the person's page, under Staff."))
    if mail.state in (State.HELD, State.QUEUED, State.SENDING):
        raise OrderError(_("This mail is still on its way."))
    if mail.draft is not None and mail.draft.unsubscribed:
        raise OrderError(_("The recipient wants no reminders."))
    address = (to or mail.recipient).strip()
    try:
        validate_email(address)
    except ValidationError:
        raise InvalidWish(_("%(address)s is no e-mail address.") % {"address": address}, field="to") from None
    first = mail.resend_of or mail
    now = timezone.now()
    with transaction.atomic():
        # The first row is locked, so that two clicks count one after the other.
        OutgoingEmail.objects.select_for_update(of=("self",)).get(pk=first.pk)
        waiting = first.resends.filter(recipient=address, state__in=(State.QUEUED, State.SENDING)).first()
        if waiting is not None:
            return waiting
        key = f"resend:{first.pk}:{first.resends.count() + 1}:{address}"
        names = ("kind", "text_name", "template_version", "order", "draft", "event", "audience", "language", "reply_to")
        copied = {name: getattr(mail, name) for name in (*names, "subject", "html", "text", "unsubscribe_url", "personal_word", "about")}
        row = new_row(
            **copied,
            recipient=address,
            recipient_name=mail.recipient_name if address == mail.recipient else "",
            attachments=[part for part in mail.attachments if "document" in part or "quote" in part],
            dedupe_key=key[:300],
            message_id=derived_message_id(key),
            in_reply_to=mail.in_reply_to or mail.message_id,
            state=State.QUEUED,
            release_at=now,
            created_at=now,
            resend_of=first,
        )
        row.save(force_insert=True)
        transaction.on_commit(lambda: ring())
    return row


def cancel(mail_id: int, actor: Actor) -> OutgoingEmail:
    """Stop a mail that has not left. Raises NotAllowed, or OrderError where it has, or is leaving now."""
    _require(actor)
    stoppable = OutgoingEmail.objects.filter(pk=mail_id, state__in=(State.HELD, State.QUEUED, State.FAILED))
    if not stoppable.update(state=State.CANCELLED, cancelled_reason=f"staff:{actor.name}"[:300]):
        raise OrderError(_("This mail can no longer be stopped."))
    return OutgoingEmail.objects.get(pk=mail_id)


def mails_of(order: Order) -> QuerySet[OutgoingEmail]:
    """The order's mails, newest first, without their bodies."""
    return OutgoingEmail.objects.filter(order=order).defer("html", "text").order_by(F("id").desc())


def _require(actor: Actor) -> None:
    if not actor.may(RIGHT):
        raise NotAllowed(_("You may not send mails."))
