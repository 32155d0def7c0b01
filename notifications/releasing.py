"""Lets held mails go: when their time has come, and when the documents they attach are there."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from invoices.models import Invoice, PendingDocument
from notifications.models import OutgoingEmail

State = OutgoingEmail.State
BATCH = 500
LOOK_AGAIN = timedelta(seconds=30)


def release_due(now: datetime | None = None) -> int:
    """Make held mails whose time has come ready to go; those that wait for a document wait on. Returns how many were released."""
    now = now or timezone.now()
    with transaction.atomic():
        held = OutgoingEmail.objects.filter(state=State.HELD, release_at__lte=now).order_by("id")
        if connection.features.has_select_for_update_skip_locked:
            # A mail that somebody is undoing right now is not ours.
            held = held.select_for_update(skip_locked=True, of=("self",))
        mails = list(held.defer("html", "text")[:BATCH])
        plain = [mail.pk for mail in mails if not mail.waits_for_document]
        released = _queue(plain, now)
        waiting = [mail for mail in mails if mail.waits_for_document]
        papers = Papers.of(waiting)
        for mail in waiting:
            released += _release_with_documents(mail, papers, now)
    return released


def _queue(ids: Iterable[int], now: datetime) -> int:
    return OutgoingEmail.objects.filter(pk__in=list(ids), state=State.HELD).update(state=State.QUEUED, next_at=now)


@dataclass
class Papers:
    """What mails wait for, by issue key."""

    pending: dict[str, PendingDocument]
    credits: dict[str, Invoice]  # credit notes that were issued together with the invoice which replaces another

    @classmethod
    def of(cls, mails: Iterable[OutgoingEmail]) -> "Papers":
        """Two queries, in this order: a credit note is there when the invoice that came with it is."""
        keys = [row["issue_key"] for mail in mails for row in mail.attachments if "issue_key" in row]
        rows = PendingDocument.objects.filter(issue_key__in=keys).select_related("invoice")
        pending = {document.issue_key: document for document in rows}
        left = [key for key in keys if key not in pending]
        return cls(pending, {note.issue_key: note for note in Invoice.objects.filter(issue_key__in=left)} if left else {})


def _release_with_documents(mail: OutgoingEmail, papers: Papers, now: datetime) -> int:
    attachments: list[dict[str, Any]] = []
    for row in mail.attachments:
        if "document" in row:
            attachments.append(row)
            continue
        document = papers.pending.get(row["issue_key"])
        invoice = document.invoice if document else papers.credits.get(row["issue_key"])
        if invoice is not None and invoice.render_state == Invoice.RenderState.READY:
            attachments.append(row | _resolved(invoice))
        elif (document is None and invoice is None) or (document is not None and document.state == PendingDocument.State.CANCELLED):
            continue  # nothing will be issued: the mail goes without
        else:
            # Looked at again soon, behind the others, so that stuck mails never crowd out those that can go.
            is_stuck = (document is not None and document.state == PendingDocument.State.NEEDS_STAFF) or _has_failed(invoice)
            OutgoingEmail.objects.filter(pk=mail.pk, state=State.HELD).update(release_at=now + LOOK_AGAIN if is_stuck else now)
            return 0
    if mail.attachments and not attachments and mail.kind == "invoice":
        return _stop(mail)
    return OutgoingEmail.objects.filter(pk=mail.pk, state=State.HELD).update(state=State.QUEUED, next_at=now, attachments=attachments)


def _has_failed(invoice: Invoice | None) -> bool:
    return invoice is not None and invoice.render_state == Invoice.RenderState.FAILED


def _resolved(invoice: Invoice) -> dict[str, Any]:
    return {"document": invoice.pk, "number": invoice.number, "sha256": invoice.pdf_sha256, "name": f"{invoice.number}.pdf"}


def _stop(mail: OutgoingEmail) -> int:
    """A mail that only carries a document that is not issued has nothing to say."""
    OutgoingEmail.objects.filter(pk=mail.pk, state=State.HELD).update(state=State.CANCELLED, cancelled_reason="no_document")
    return 0
