"""What an edit of an order does to its invoice. An issued one is never changed: a credit note and a new invoice replace it."""

from collections.abc import Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from invoices.consequences import KIND, IssueDocument, ReplaceInvoice
from invoices.models import Invoice, PendingDocument
from invoices.services.issuing import credited_by_hand
from orders.money import round_money
from orders.services.plan import NotGoing, Plan, PlannedChange

ZERO = Decimal(0)
# Columns of an order that its invoice prints; sums that only follow from what is paid otherwise are not among them.
PRINTED = frozenset(
    {
        "subtotal",
        "discount",
        "coupon_discount",
        "coupon_code",
        "shipping_cost",
        "handling_fee",
        "surcharges_total",
        "tax",
        "tax_id",
        "tax_id_valid",
        "tax_exempt",
        "reverse_charge",
        "shipping_method",
    }
)


def plan_replacement(
    plan: Plan, change: PlannedChange, invoice: Invoice | None, waiting: Sequence[PendingDocument], *, is_external: bool
) -> list[PendingDocument]:
    """Add what becomes of the order's invoice, or why nothing does; returns the waiting replacements that are overtaken.

    An edit of an invoiced order asks for a reason.
    """
    overtaken = [document for document in waiting if document.trigger == PendingDocument.Trigger.EDITED]
    left = [document for document in waiting if document not in overtaken and document.kind == KIND.INVOICE]
    credits = sum((document.amount for document in waiting if document.kind == KIND.CREDIT_NOTE), ZERO)
    if invoice is not None:
        change.needs_reason = _("Say why: invoice %(number)s is issued already.") % {"number": invoice.number}
        _plan_new_invoice(plan, change, invoice, overtaken, credits)
    elif is_external:
        change.needs_reason = _("Say why: another system issued a document for this order.")
        _tell(change, _("Another system issued a document for this order"), _("Correct it there; nothing is issued here."))
    elif left:
        _tell(
            change, _("The invoice that waits is issued with the order as edited"), _("It has no number yet: nothing is to be corrected.")
        )
    elif credited := _credited_entirely(change):
        change.needs_reason = _("Say why: invoice %(number)s is issued already.") % {"number": credited.number}
        _plan_another(plan, change, credited)
    else:
        _tell(change, _("No document changes"), _("No invoice is issued yet: nothing is to be corrected."))
    return overtaken


def _plan_new_invoice(plan: Plan, change: PlannedChange, invoice: Invoice, overtaken: Sequence[PendingDocument], credits: Decimal) -> None:
    if _is_right_again(change, overtaken) and _gross_after(change) == invoice.remaining - credits:
        _tell(change, _("Invoice %(number)s stands") % {"number": invoice.number}, _("The order says again what the invoice says."))
    elif not is_printed(change):
        _tell(change, _("Invoice %(number)s stands") % {"number": invoice.number}, _("Nothing that it says changes."))
    elif credited_by_hand(invoice):
        reason = _("Part of it was credited by hand: issue the credit note for the rest and the new invoice by hand.")
        _tell(change, _("Invoice %(number)s is not replaced by itself") % {"number": invoice.number}, reason)
    else:
        change.add(
            ReplaceInvoice(
                key="document:replace",
                kind=KIND.INVOICE,
                trigger=PendingDocument.Trigger.EDITED,
                amount=_gross_after(change),
                currency=change.order.currency,
                release_at=plan.release_at,
                is_held=plan.is_held,
                details={"replaces": invoice.pk, "reason_text": change.reason},
                number=invoice.number,
                before=invoice.remaining - credits,
                credited=invoice.gross - invoice.remaining + credits,
            )
        )


def _is_right_again(change: PlannedChange, overtaken: Sequence[PendingDocument]) -> bool:
    """Whether an edit is taken back before its new invoice was issued, and no earlier edit's new invoice had made room for that one.

    The amounts must agree, too: an exchange that is taken back leaves what it took off.
    """
    reverted = change.facts.get("reverts")
    if not any(document.event_id == reverted for document in overtaken):
        return False
    return not PendingDocument.objects.filter(cancelled_by=reverted, trigger=PendingDocument.Trigger.EDITED).exists()


def _plan_another(plan: Plan, change: PlannedChange, credited: Invoice) -> None:
    """Everything invoiced so far was credited; what the edit adds is invoiced anew."""
    gross = _gross_after(change)
    if gross <= 0 or not is_printed(change):
        _tell(change, _("No document changes"), _("Invoice %(number)s is credited entirely.") % {"number": credited.number})
        return
    change.add(
        IssueDocument(
            key="document:another",
            kind=KIND.INVOICE,
            trigger=PendingDocument.Trigger.EDITED,
            amount=gross,
            currency=change.order.currency,
            release_at=plan.release_at,
            is_held=plan.is_held,
        )
    )


def _credited_entirely(change: PlannedChange) -> Invoice | None:
    """The last invoice of an order whose refunds took all of it back, while the order itself goes on."""
    if change.payment.releases or not change.order.credited_total:
        return None
    return Invoice.objects.invoices().filter(order=change.order).order_by("-id").first()


def _gross_after(change: PlannedChange) -> Decimal:
    gross = change.total_after + change.after("gift_card_amount") - change.after("tips_total") - change.credited_after
    return max(round_money(gross, change.order.currency), ZERO)


def is_printed(change: PlannedChange) -> bool:
    """Whether an edit changes what an invoice says."""
    items = change.quantities or change.line_values or change.added_lines or change.rows
    return bool(items or change.address_fields or PRINTED & set(change.fields))


def _tell(change: PlannedChange, title: str, reason: str) -> None:
    change.add(NotGoing(key="document:edit", icon="file-text", title=title, reason=reason))
