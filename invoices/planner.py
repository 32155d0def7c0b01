"""Which documents a change sets off (domain, section 5): rules of the shop, credit notes, and what an undo takes back.

Pure: reads a constant number of rows for the whole plan and writes nothing. Statuses are asked by their columns, never by name.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from invoices.consequences import KIND, STATE, CancelDocument, IssueDocument, RestoreDocument
from invoices.models import Invoice, PendingDocument, SellerProfile
from invoices.replacing import is_printed, plan_replacement
from invoices.services.issuing import preconditions, uncredited_invoices
from invoices.services.preconditions import blocking
from invoices.services.previewing import preview_credit
from invoices.services.reducing import amount_to_invoice
from orders.errors import CannotUndo, InvalidWish
from orders.models import ExternalDocument, OrderEvent, Refund, RefundLine, Status
from orders.money import round_money
from orders.services.plan import NotGoing, Plan, PlannedChange

ZERO = Decimal(0)
ADDRESSEE = frozenset({"customer_name", "tax_id"})  # what an invoice copies of the order, with the addresses
UNTOUCHED = frozenset({OrderEvent.Kind.NOTE, OrderEvent.Kind.HOLD, OrderEvent.Kind.DETAILS})
TRIGGER = PendingDocument.Trigger


@dataclass
class _Papers:
    """What the orders of a plan have already."""

    seller: SellerProfile
    waiting: dict[int, list[PendingDocument]]
    invoices: dict[int, Invoice]
    external: set[int]
    undone: dict[int, list[PendingDocument]]  # by event
    stopped: dict[int, list[PendingDocument]]  # by the event that stopped them


def plan_documents(plan: Plan, *, render: bool) -> None:
    """Add what every change of `plan` does to documents; refuse to undo what was issued."""
    _plan_kept_addresses([c for c in plan.changes if c.kind != OrderEvent.Kind.EDIT and (ADDRESSEE & set(c.fields) or c.address_fields)])
    changes = [change for change in plan.changes if change.kind not in UNTOUCHED]
    if not changes:
        return
    papers = _papers_of(changes)
    for change in changes:
        if change.kind == OrderEvent.Kind.UNDO:
            _plan_undo(plan, change, papers)
        elif change.kind == OrderEvent.Kind.DELETED:
            _plan_deletion(plan, change, papers)
        elif change.kind == OrderEvent.Kind.RESTORED:
            _restore(plan, change, papers)
        elif change.kind == OrderEvent.Kind.EDIT and (is_printed(change) or not change.refunds):
            waiting = papers.waiting.get(change.order.pk or 0, [])
            invoice = papers.invoices.get(change.order.pk or 0)
            _cancel(change, plan_replacement(plan, change, invoice, waiting, is_external=change.order.pk in papers.external))
        else:
            _plan_change(plan, change, papers, explain=render and len(plan.changes) == 1)


def _plan_kept_addresses(changes: Sequence[PlannedChange]) -> None:
    """An invoice that is issued is never edited: whoever corrects a name or an address is told."""
    if not changes:
        return
    invoices = uncredited_invoices([change.order.pk for change in changes if change.order.pk])
    for change in changes:
        if invoice := invoices.get(change.order.pk or 0):
            title = _("Invoice %(number)s keeps the name and address it was issued with") % {"number": invoice.number}
            reason = _("To correct it, choose Edit instead: a credit note and a new invoice follow.")
            change.add(NotGoing(key="document:kept", icon="file-text", title=title, reason=reason))


def _papers_of(changes: Sequence[PlannedChange]) -> _Papers:
    ids = [change.order.pk for change in changes if change.order.pk]
    undone = [change.undoes.pk for change in changes if change.undoes]
    papers = _Papers(SellerProfile.current(), defaultdict(list), {}, set(), defaultdict(list), defaultdict(list))
    if not ids:
        return papers
    open_ones = Q(order__in=ids, state__in=(STATE.WAITING, STATE.NEEDS_STAFF))
    for document in (
        PendingDocument.objects.filter(open_ones | Q(event__in=undone) | Q(cancelled_by__in=undone))
        .select_related("invoice")
        .order_by("id")
    ):
        if document.state in (STATE.WAITING, STATE.NEEDS_STAFF):
            papers.waiting[document.order_id].append(document)
        if document.event_id in undone:
            papers.undone[document.event_id].append(document)
        if document.cancelled_by_id in undone:
            papers.stopped[document.cancelled_by_id].append(document)
    papers.invoices = uncredited_invoices(ids)
    papers.external = set(ExternalDocument.objects.filter(order__in=ids).values_list("order", flat=True))
    return papers


def _plan_undo(plan: Plan, change: PlannedChange, papers: _Papers) -> None:
    assert change.undoes is not None
    documents = papers.undone.get(change.undoes.pk, [])
    if issued := next((document for document in documents if document.state == STATE.ISSUED), None):
        number = issued.invoice.number if issued.invoice else ""
        plan.refuse(change, CannotUndo(_("%(number)s is issued already; correct it with a credit note.") % {"number": number}))
        return
    invoice = papers.invoices.get(change.order.pk or 0)
    if change.refunds and invoice and invoice.issued_at > change.undoes.at and not documents:
        words = _("Invoice %(number)s was issued since, without what was given back.")
        plan.refuse(change, CannotUndo(words % {"number": invoice.number}))
        return
    is_told = change.undoes.kind == OrderEvent.Kind.EDIT and is_printed(change) and not documents
    if is_told and invoice and invoice.issued_at > change.undoes.at:
        words = _("%(number)s is issued already; correct it with a credit note.")
        plan.refuse(change, CannotUndo(words % {"number": invoice.number}))
        return
    _cancel(change, [document for document in documents if document.state in (STATE.WAITING, STATE.NEEDS_STAFF)])
    _restore(plan, change, papers)


def _restore(plan: Plan, change: PlannedChange, papers: _Papers) -> None:
    """What the change that is taken back had stopped waits again."""
    for document in papers.stopped.get(change.undoes.pk, []) if change.undoes else ():
        change.add(
            RestoreDocument(
                key=f"document:restore:{document.pk}",
                pending_id=document.pk,
                kind=document.kind,
                release_at=max(document.release_at, plan.release_at),
            )
        )


def _plan_deletion(plan: Plan, change: PlannedChange, papers: _Papers) -> None:
    """What is issued stays in the books, and its order with it; what only waits is not issued."""
    standing = papers.invoices.get(change.order.pk or 0)
    issued = standing or Invoice.objects.filter(order=change.order).order_by("id").first()
    if standing:
        words = _("Invoice %(number)s was issued for this order: it can't be deleted. Cancel it instead, that proposes the credit note.")
        plan.refuse(change, InvalidWish(words % {"number": standing.number}))
    elif issued:
        words = _("Invoice %(number)s and its credit note stay in your books, and this order with them: it can't be deleted.")
        plan.refuse(change, InvalidWish(words % {"number": issued.number}))
    else:
        _cancel(change, papers.waiting.get(change.order.pk or 0, []))


def _plan_change(plan: Plan, change: PlannedChange, papers: _Papers, *, explain: bool) -> None:
    waiting = papers.waiting.get(change.order.pk or 0, [])
    credit = change.payment.proposes_credit if change.payment_changes else Status.Credit.NONE
    stopped = [document for document in waiting if _is_overtaken(change, document, releases=bool(credit))]
    _cancel(change, stopped)
    waiting = [document for document in waiting if document not in stopped]
    invoice = papers.invoices.get(change.order.pk or 0)
    if credit and invoice:
        _add(plan, change, KIND.CREDIT_NOTE, TRIGGER.RELEASED, invoice.remaining, _rest_of(change))
    elif change.refunds and (invoice or any(document.kind == KIND.INVOICE for document in waiting)):
        _plan_refund(plan, change)
    if explain and invoice:
        _show_papers(change, invoice)
    if invoice and not credit and change.payment_changes and not change.payment.counts_as_paid:
        title = _("Invoice %(number)s stands") % {"number": invoice.number}
        reason = _("It may say that it is paid. Where it should not stand, take it back with a credit note.")
        change.add(NotGoing(key="document:stands", icon="file-text", title=title, reason=reason))
    trigger = _trigger_of(change, papers.seller)
    if trigger and not credit:
        _plan_invoice(plan, change, papers, trigger, is_waiting=any(d.kind == KIND.INVOICE for d in waiting), explain=explain)


def _show_papers(change: PlannedChange, invoice: Invoice) -> None:
    for item in change.consequences:
        if isinstance(item, IssueDocument) and item.kind == KIND.CREDIT_NOTE:
            item.paper = preview_credit(invoice, item.details)


def _is_overtaken(change: PlannedChange, document: PendingDocument, *, releases: bool) -> bool:
    """Whether the change makes a waiting document pointless: the order left the status that asked for it."""
    if document.kind == KIND.INVOICE:
        if releases:
            return True
        if document.trigger == TRIGGER.PAID:
            return change.payment_changes and not change.payment.counts_as_paid
        return document.trigger == TRIGGER.SHIPPED and change.fulfilment_changes and not change.fulfilment.goods_left
    return document.trigger == TRIGGER.RELEASED and change.payment_changes and not change.payment.releases


def _trigger_of(change: PlannedChange, seller: SellerProfile) -> str:
    rule = seller.auto_issue
    if rule == SellerProfile.AutoIssue.PLACED:
        return TRIGGER.PLACED if change.kind == OrderEvent.Kind.PLACED else ""
    for moved, status in ((change.payment_changes, change.payment), (change.fulfilment_changes, change.fulfilment)):
        if (moved or change.is_new) and status.document_trigger == rule:
            return TRIGGER(rule)
    return ""


def _plan_invoice(plan: Plan, change: PlannedChange, papers: _Papers, trigger: str, *, is_waiting: bool, explain: bool) -> None:
    order = change.order
    waiting = sum((d.amount for d in papers.waiting.get(order.pk or 0, ()) if d.kind == KIND.CREDIT_NOTE), ZERO)
    gross = amount_to_invoice(order, order.credited_total - waiting)
    standing = papers.invoices.get(order.pk or 0)
    if not papers.seller.is_set_up:
        _no_invoice(change, _("The invoice settings are still empty."))
    elif order.pk in papers.external:
        _no_invoice(change, _("Another system issued a document for this order. You can issue one by hand."))
    elif standing:
        _no_invoice(change, _("Invoice %(number)s stands for this order already.") % {"number": standing.number})
    elif is_waiting:
        _no_invoice(change, _("One waits to be issued already."))
    elif gross <= 0 and not papers.seller.invoice_zero_total:
        _no_invoice(change, _("There is nothing to pay."))
    else:
        obstacles = _obstacles(change) if explain else ()
        _add(plan, change, KIND.INVOICE, trigger, gross, {}, obstacles)


def _obstacles(change: PlannedChange) -> tuple[str, ...]:
    """What will make the document wait for staff, as far as the saved order shows it."""
    if change.is_new or change.quantities:
        return ()
    return tuple(problem.text for problem in blocking(preconditions(change.order)))


def _no_invoice(change: PlannedChange, reason: str) -> None:
    change.add(NotGoing(key="document:invoice:none", icon="file-x", title=_("No invoice is issued"), reason=reason))


def _rest_of(change: PlannedChange) -> dict[str, Any]:
    reason = Invoice.Reason.REFUND if change.refunds and "cancelled" not in change.facts else Invoice.Reason.CANCEL
    return {"mode": "rest", "reason": reason, "reason_text": change.reason_to_tell}


def _plan_refund(plan: Plan, change: PlannedChange) -> None:
    """The credit note of what a refund takes off the order: its pieces and shipping, or its amount."""
    refund, rows = change.refunds[-1]
    amount = round_money(sum((r.credited for r, _rows in change.refunds), ZERO), change.order.currency)
    if amount > 0:
        _add(plan, change, KIND.CREDIT_NOTE, TRIGGER.REFUND, amount, _details_of(refund, rows, amount))


def _details_of(refund: Refund, rows: Sequence[RefundLine], amount: Decimal) -> dict[str, Any]:
    details: dict[str, Any] = {"amount": str(amount), "reason": Invoice.Reason.REFUND, "reason_text": refund.reason, "mode": "amount"}
    if rows or refund.shipping:
        details |= {"mode": "pieces", "pieces": {str(row.line_id): row.quantity for row in rows}, "shipping": str(refund.shipping)}
    return details


def _add(
    plan: Plan,
    change: PlannedChange,
    kind: str,
    trigger: str,
    amount: Decimal,
    details: dict[str, Any],
    obstacles: tuple[str, ...] = (),
) -> None:
    change.add(
        IssueDocument(
            key=f"document:{kind}",
            kind=kind,
            trigger=trigger,
            amount=amount,
            currency=change.order.currency,
            release_at=plan.release_at,
            is_held=plan.is_held,
            details=details,
            obstacles=obstacles,
        )
    )


def _cancel(change: PlannedChange, documents: Sequence[PendingDocument]) -> None:
    for document in documents:
        change.add(CancelDocument(key=f"document:cancel:{document.pk}", pending_id=document.pk, kind=document.kind))
