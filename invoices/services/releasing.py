"""Releases documents that wait: one transaction each, so that one that can't be issued stops no other."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import DatabaseError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from invoices.consequences import credit_key
from invoices.errors import CannotIssue, Problem
from invoices.models import Invoice, PendingDocument
from invoices.services.crediting import credit_invoice
from invoices.services.issuing import credited_by_hand, issue_invoice, uncredited_invoices
from orders.models import Order
from orders.services.plan import Actor

logger = logging.getLogger(__name__)

BATCH = 200
MOST_ATTEMPTS = 5


def release_documents(event_ids: Iterable[int] | None = None, now: datetime | None = None) -> list[PendingDocument]:
    """Issue every waiting document that is due, or those of `event_ids` at once ("Send now"), oldest first.

    Returns the documents with their new state: issued, needs_staff (with reasons), cancelled (nothing to credit), or still waiting
    after a passing error. Repeating it issues nothing twice.
    """
    now = now or timezone.now()
    waiting = PendingDocument.objects.filter(state=PendingDocument.State.WAITING)
    waiting = waiting.filter(release_at__lte=now) if event_ids is None else waiting.filter(event__in=list(event_ids))
    ids = list(waiting.order_by("id").values_list("pk", flat=True)[:BATCH])
    return [document for pk in ids if (document := release_document(pk, now=now))]


def release_document(pk: int, *, now: datetime | None = None, actor: Actor | None = None) -> PendingDocument | None:
    """Issue one waiting document, or one that needed staff; None where somebody else did meanwhile."""
    now = now or timezone.now()
    actor = actor or Actor.task()
    try:
        with transaction.atomic():
            order_id = PendingDocument.objects.values_list("order", flat=True).get(pk=pk)
            Order.objects.select_for_update(of=("self",)).get(pk=order_id)
            document = PendingDocument.objects.select_for_update(of=("self",)).get(pk=pk)
            if document.state not in (PendingDocument.State.WAITING, PendingDocument.State.NEEDS_STAFF):
                return None
            _issue(document, actor)
            document.save(update_fields=["state", "reasons", "invoice"])
            return document
    except CannotIssue as error:
        reasons = [{"code": p.code, "text": p.text, "link": p.link} for p in error.problems]
        PendingDocument.objects.filter(pk=pk).exclude(state=PendingDocument.State.ISSUED).update(
            state=PendingDocument.State.NEEDS_STAFF, reasons=reasons
        )
    except DatabaseError as error:
        logger.warning("document %s could not be issued: %s", pk, type(error).__name__)
        _try_again(pk, now)
    except Exception:
        logger.exception("document %s could not be issued", pk)
        _try_again(pk, now)
    return PendingDocument.objects.get(pk=pk)


def _issue(document: PendingDocument, actor: Actor) -> None:
    """Fill in what becomes of `document`; raises CannotIssue."""
    if document.kind == PendingDocument.Kind.INVOICE:
        if document.details.get("replaces") and not _take_back(document, actor):
            return
        document.invoice = issue_invoice(document.order_id, actor=actor, issue_key=document.issue_key)
        document.state, document.reasons = PendingDocument.State.ISSUED, []
        return
    invoice = uncredited_invoices([document.order_id]).get(document.order_id)
    if invoice is None:
        document.state = PendingDocument.State.CANCELLED
        document.reasons = [{"code": "nothing_to_credit", "text": _("There is no invoice to credit."), "link": ""}]
        return
    document.invoice = _credit(document, invoice, actor)
    document.state, document.reasons = PendingDocument.State.ISSUED, []


def _take_back(document: PendingDocument, actor: Actor) -> bool:
    """Credit the invoice that `document` replaces; False where somebody has issued another one since. Raises CannotIssue."""
    invoice = uncredited_invoices([document.order_id]).get(document.order_id)
    if invoice is None:
        return True
    if invoice.pk != document.details["replaces"]:
        document.state = PendingDocument.State.CANCELLED
        text = _("Invoice %(number)s was issued for this order meanwhile.") % {"number": invoice.number}
        document.reasons = [{"code": "already_invoiced", "text": text, "link": ""}]
        return False
    if credited_by_hand(invoice):
        text = _("Part of invoice %(number)s was credited by hand meanwhile: look what is left, then correct it by hand.")
        raise CannotIssue([Problem("partly_credited", "order", text % {"number": invoice.number})])
    credit_invoice(
        invoice.pk,
        actor=actor,
        reason=Invoice.Reason.EDIT,
        reason_text=document.details.get("reason_text", ""),
        issue_key=credit_key(document.event_id),
    )
    return True


def _credit(document: PendingDocument, invoice: Invoice, actor: Actor) -> Invoice:
    details = document.details
    reason = details.get("reason", Invoice.Reason.CANCEL)
    facts = {"actor": actor, "reason": reason, "reason_text": details.get("reason_text", ""), "issue_key": document.issue_key}
    if details.get("mode") == "rest":
        return credit_invoice(invoice.pk, **facts)
    amount = Decimal(details["amount"])
    if details.get("mode") == "pieces":
        pieces = {int(pk): quantity for pk, quantity in details["pieces"].items()}
        try:
            with transaction.atomic():
                note = credit_invoice(invoice.pk, lines=pieces, shipping=Decimal(details["shipping"]), **facts)
                if note.gross != amount:
                    raise _OtherAmount
                return note
        except (_OtherAmount, CannotIssue):
            pass  # the money given back is not what the pieces cost: the money decides
    return credit_invoice(invoice.pk, amount=min(amount, invoice.remaining), **facts)


class _OtherAmount(Exception):
    """The pieces come to another amount than the refund; the attempt is rolled back with its number."""


def _try_again(pk: int, now: datetime) -> None:
    document = PendingDocument.objects.get(pk=pk)
    document.attempts += 1
    if document.attempts >= MOST_ATTEMPTS:
        document.state = PendingDocument.State.NEEDS_STAFF
        document.reasons = [{"code": "error", "text": _("Issuing failed several times; the log says why."), "link": ""}]
    document.release_at = now + timedelta(seconds=15 * 2**document.attempts)
    document.save(update_fields=["attempts", "state", "reasons", "release_at"])
