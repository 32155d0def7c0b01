"""Lets held mails go: when their time has come, and when the documents they attach are there."""

from collections.abc import Iterable
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
        documents = _documents(waiting)
        for mail in waiting:
            released += _release_with_documents(mail, documents, now)
    return released


def _queue(ids: Iterable[int], now: datetime) -> int:
    return OutgoingEmail.objects.filter(pk__in=list(ids), state=State.HELD).update(state=State.QUEUED, next_at=now)


def _documents(mails: Iterable[OutgoingEmail]) -> dict[str, PendingDocument]:
    keys = [row["issue_key"] for mail in mails for row in mail.attachments]
    return {document.issue_key: document for document in PendingDocument.objects.filter(issue_key__in=keys).select_related("invoice")}


def _release_with_documents(mail: OutgoingEmail, documents: dict[str, PendingDocument], now: datetime) -> int:
    attachments: list[dict[str, Any]] = []
    for row in mail.attachments:
        document = documents.get(row["issue_key"])
        if "document" in row:
            attachments.append(row)
        elif document is None or document.state == PendingDocument.State.CANCELLED:
            continue  # nothing will be issued: the mail goes without
        elif document.invoice is not None and document.invoice.render_state == Invoice.RenderState.READY:
            attachments.append(row | _resolved(document.invoice))
        else:
            # Looked at again soon, behind the others, so that stuck mails never crowd out those that can go.
            OutgoingEmail.objects.filter(pk=mail.pk, state=State.HELD).update(release_at=now + LOOK_AGAIN if _is_stuck(document) else now)
            return 0
    if mail.attachments and not attachments and mail.kind == "invoice":
        return _stop(mail)
    return OutgoingEmail.objects.filter(pk=mail.pk, state=State.HELD).update(state=State.QUEUED, next_at=now, attachments=attachments)


def _is_stuck(document: PendingDocument) -> bool:
    failed = document.invoice is not None and document.invoice.render_state == Invoice.RenderState.FAILED
    return failed or document.state == PendingDocument.State.NEEDS_STAFF


def _resolved(invoice: Invoice) -> dict[str, Any]:
    return {"document": invoice.pk, "number": invoice.number, "sha256": invoice.pdf_sha256, "name": f"{invoice.number}.pdf"}


def _stop(mail: OutgoingEmail) -> int:
    """A mail that only carries a document that is not issued has nothing to say."""
    OutgoingEmail.objects.filter(pk=mail.pk, state=State.HELD).update(state=State.CANCELLED, cancelled_reason="no_document")
    return 0
