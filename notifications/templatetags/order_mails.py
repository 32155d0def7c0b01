"""Mails of an order for its page: what went, what waits, what failed."""

from dataclasses import dataclass
from datetime import datetime

from django import template
from django.utils.translation import gettext as _

from notifications.models import OutgoingEmail
from notifications.services import mails_of
from orders.models import Order

register = template.Library()

State = OutgoingEmail.State
# Tone and glyph of the look per state; a settled one is plain text.
LOOKS = {
    State.HELD: ("info", "s-clock", False),
    State.QUEUED: ("info", "s-clock", False),
    State.SENDING: ("info", "send", False),
    State.SENT: ("success", "s-delivered", True),
    State.FAILED: ("warning", "mail-x", False),
    State.DEAD: ("danger", "mail-x", False),
    State.CANCELLED: ("neutral", "s-none", True),
    State.SUPPRESSED: ("neutral", "s-none", True),
}


@dataclass(frozen=True)
class MailRow:
    """One mail as a list shows it."""

    mail: OutgoingEmail
    label: str
    tone: str
    glyph: str
    is_settled: bool
    detail: str
    when: datetime | None

    @property
    def counts_down(self) -> bool:
        return self.mail.state == State.HELD and not self.mail.waits_for_document


@register.simple_tag
def order_mails(order: Order) -> list[MailRow]:
    """The order's mails, newest first: `{% order_mails order as mails %}`. One query."""
    return [row_of(mail) for mail in mails_of(order)[:100]]


@register.filter
def stopped_because(mail: OutgoingEmail) -> str:
    """Why a mail does not go, in the reader's language."""
    reason = mail.cancelled_reason
    if reason.startswith("staff:"):
        return _("Stopped by %(name)s") % {"name": reason.removeprefix("staff:")}
    return {
        "undone": _("The change was taken back"),
        "replaced": _("A later mail says more"),
        "taken_back": _("The status was set back before it went"),
        "deleted": _("The order was deleted"),
        "silenced": _("The order wants no mail to the customer"),
        "no_document": _("The document was not issued"),
    }.get(reason, reason)


def row_of(mail: OutgoingEmail) -> MailRow:
    """A mail with the tone, glyph and words of its state."""
    tone, glyph, is_settled = LOOKS[State(mail.state)]
    label, detail, when = str(mail.get_state_display()), "", mail.sent_at or mail.created_at
    if mail.state == State.HELD and mail.waits_for_document:
        detail = _("waits for the document")
    elif mail.state == State.HELD:
        when = mail.release_at
    elif mail.state == State.SENT and mail.is_kept:
        label, detail = _("kept here"), _("not sent out")
    elif mail.state in (State.FAILED, State.DEAD):
        detail = mail.last_error
        when = mail.next_at if mail.state == State.FAILED else when
    elif mail.state in (State.CANCELLED, State.SUPPRESSED):
        detail = stopped_because(mail)
    if mail.ambiguous and mail.state != State.SENT:
        detail = " · ".join(part for part in (detail, _("may have arrived already")) if part)
    return MailRow(mail, label, tone, glyph, is_settled, detail, when)
