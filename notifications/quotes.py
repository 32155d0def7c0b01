"""Mails a quote to the customer: at once, because a clerk asks for it by button, with the printed quote attached."""

import hashlib
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from invoices.errors import PdfUnavailable, RenderFailed
from invoices.quotes import priced_quote, print_quote, quote_file_name
from notifications.composing import Composed, Composer
from notifications.doorbell import ring
from notifications.kinds import Kind, Text
from notifications.models import MailSwitch, OutgoingEmail
from notifications.outbox import derived_message_id
from notifications.telling.offer import quote_facts
from notifications.wording import Choice, choose_language
from orders.errors import DraftPlaced, InvalidWish, NotAllowed, OrderError
from orders.models import Draft, Shop
from orders.services.plan import Actor

RIGHT = "orders.add_order"


@dataclass(frozen=True)
class QuoteMail:
    """The mail as it would leave now."""

    recipient: str
    recipient_name: str
    choice: Choice
    composed: Composed


def look_at_quote(row: Draft, *, personal_word: str = "") -> QuoteMail:
    """The mail that `mail_quote` would send. Raises OrderError saying what stands against it; reads only."""
    if row.order_id:
        raise DraftPlaced(_("This draft was placed already."))
    if Kind.QUOTE not in MailSwitch.on():
        raise OrderError(_("This mail is switched off in the settings."))
    try:
        validate_email(row.email)
    except ValidationError:
        raise InvalidWish(_("The quote has no usable e-mail address."), field="email") from None
    priced = priced_quote(row)
    assert row.expires_at is not None
    shop = Shop.current()
    choice = choose_language(row.language, shop)
    facts = quote_facts(priced.order, priced.lines, until=row.expires_at, shop=shop, language=choice.language, message=personal_word)
    composed = Composer.load(shop).compose(Text.QUOTE, choice.language, lambda _wanted: facts)
    return QuoteMail(row.email, priced.order.customer_name, choice, composed)


def mail_quote(row: Draft, *, actor: Actor, personal_word: str = "") -> OutgoingEmail:
    """Print the quote, keep it, and mail it now. The same quote with the same word to the same address goes once.

    Raises NotAllowed without orders.add_order, OrderError as `look_at_quote` does and where no file can be made.
    """
    if not actor.may(RIGHT):
        raise NotAllowed(_("You may not create orders."))
    mail = look_at_quote(row, personal_word=personal_word)
    try:
        quote = print_quote(row, language=mail.choice.language, actor=actor)
    except (PdfUnavailable, RenderFailed) as error:
        raise OrderError(_("The quote could not be printed, so nothing was sent: %(reason)s") % {"reason": error}) from error
    word = hashlib.sha256(personal_word.strip().encode()).hexdigest()[:16]
    key = f"quote:{quote.pk}:{word}:{mail.recipient}"[:300]
    now = timezone.now()
    facts = {
        "kind": Kind.QUOTE,
        "text_name": Text.QUOTE,
        "template_version": mail.composed.version,
        "draft": row,
        "audience": OutgoingEmail.Audience.CUSTOMER,
        "recipient": mail.recipient,
        "recipient_name": mail.recipient_name,
        "language": mail.choice.language,
        "message_id": derived_message_id(key),
        "subject": mail.composed.subject,
        "html": mail.composed.html,
        "text": mail.composed.text,
        "attachments": [{"quote": quote.pk, "sha256": quote.pdf_sha256, "name": quote_file_name(quote)}],
        "personal_word": personal_word.strip(),
        "state": OutgoingEmail.State.QUEUED,
        "release_at": now,
        "next_at": now,
        "created_at": now,
    }
    with transaction.atomic():
        written, is_new = OutgoingEmail.objects.get_or_create(dedupe_key=key, defaults=facts)
        if is_new:
            transaction.on_commit(lambda: ring())
    return written
