"""The message of an outbox row, byte for byte the same at every attempt: headers, text, HTML, attachments."""

import hashlib
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from django.conf import settings

from invoices.models import Invoice, Quote
from invoices.quotes import stored_quote
from invoices.rendering import stored_file
from notifications.kinds import Kind
from notifications.models import OutgoingEmail
from notifications.outbox import thread_of
from orders.models import Shop

POLICY = SMTP.clone(cte_type="7bit", max_line_length=76)


def message_of(mail: OutgoingEmail, shop: Shop) -> EmailMessage:
    """The message to send. Raises FileChanged where an attached document is not the one that was issued."""
    message = EmailMessage(policy=POLICY)
    message["Message-ID"] = mail.message_id
    message["Date"] = format_datetime(mail.created_at)
    message["From"] = Address(_clean(shop.name), addr_spec=sender_address())
    message["To"] = Address(_clean(mail.recipient_name), addr_spec=ascii_address(mail.recipient))
    if reply := mail.reply_to or shop.email:
        message["Reply-To"] = reply
    message["Subject"] = _clean(mail.subject)
    message["Auto-Submitted"] = "auto-generated"
    if mail.in_reply_to:
        message["In-Reply-To"] = message["References"] = mail.in_reply_to
    elif mail.order and mail.kind == Kind.NEW_ORDER:
        message["References"] = thread_of(mail.order)
    if mail.unsubscribe_url:
        message["List-Unsubscribe"] = f"<{mail.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    for row in mail.attachments:
        if document := row.get("document"):
            content = stored_file(Invoice.objects.get(pk=document))
        elif quote := row.get("quote"):
            content = stored_quote(Quote.objects.get(pk=quote))
        else:
            continue
        message.add_attachment(content, maintype="application", subtype="pdf", filename=row["name"])
    message["Content-Language"] = mail.language  # after the content: setting that drops the headers that describe it
    _fix_boundaries(message, mail.message_id)
    return message


def ascii_address(address: str) -> str:
    """An address as mail servers of any age take it: the domain in its ASCII form. Raises ValueError where there is none."""
    name, _at, domain = address.rpartition("@")
    return f"{name}@{domain.encode('idna').decode()}" if not domain.isascii() else address


def sender_address() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1] or settings.DEFAULT_FROM_EMAIL


def _fix_boundaries(message: EmailMessage, key: str) -> None:
    """Boundaries from the key, not by chance: a second attempt is the same message."""
    for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
        part.set_boundary(f"=_{number}_{hashlib.sha256(key.encode()).hexdigest()[:32]}")


def _clean(text: str) -> str:
    return " ".join("".join(c if c.isprintable() or c in "\u00a0\u202f" else " " for c in text).split(" ")).strip()
