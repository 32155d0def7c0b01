"""The refund assistant: what comes back and for how much, beside everything the refund sets off, worked out by the server."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from orders.admin.wishes.base import LineRow, WishForm
from orders.models import Order, OrderSurcharge, Refund, RefundLine
from orders.services.change import Paper, TaxShare
from orders.services.payments import refunded_pieces, share_of_pieces
from orders.services.plan import Plan, PlannedChange
from orders.services.refund_shares import tax_shares

ZERO = Decimal(0)


@dataclass(frozen=True)
class RefundRow:
    """An item with what is given back for it."""

    row: LineRow
    amount: Decimal
    is_chosen: bool


def refund_facts(form: WishForm, plan: Plan | None, change: PlannedChange | None) -> dict[str, Any]:
    """What the page shows beyond the panel: amounts per item, the VAT in it, what stays and what could still be refunded."""
    order = form.order
    refund, lines = change.refunds[0] if change and change.refunds else (None, [])
    amounts = {row.line_id: row.amount for row in lines} if refund else _asked(form)
    shipping = refund.shipping if refund else form.cleaned_data.get("shipping") or ZERO
    items = sum(amounts.values(), ZERO)
    asked = form.cleaned_data.get("amount")  # a refusal takes no figure away that was on the page
    value = refund.amount if refund else items + shipping if asked is None else asked
    papers = [item.describe().paper for item in change.consequences if item.is_on] if change else []
    paper = next((paper for paper in papers if paper), None)
    too_much = refund.amount - refund.credited if refund else ZERO
    return {
        "refund": refund,
        "refund_rows": [RefundRow(row, amounts.get(row.line.pk, ZERO), row.line.pk in amounts) for row in form.line_rows()],
        "items_amount": items,
        "shipping_amount": shipping,
        "value": value,
        "difference": value - items - shipping,
        "too_much": too_much,
        "only_too_much": bool(refund and not refund.credited),
        "stays": change.payment if change and refund and not change.payment_changes else None,
        "taxes": _taxes(order, form, refund, lines, paper) if refund else [],
        "left_after": order.refundable - (refund.amount if refund else ZERO),
        "paper": paper,
        "stock_words": _("No piece moves.") if change and not change.movements else "",
        "paper_apart": True,
    }


def _asked(form: WishForm) -> dict[int, Decimal]:
    """What the pieces on the page come to where the shop refuses the refund as a whole."""
    refunded, amounts = refunded_pieces(form.order.pk), {}
    for line, _remark, _names in form.rows:
        before = refunded.get(line.pk, 0)
        if 0 < (count := form.number("quantity", line)) <= line.quantity - before:
            amounts[line.pk] = share_of_pieces(form.order, line, before, count)
    return amounts


def _taxes(order: Order, form: WishForm, refund: Refund, rows: list[RefundLine], paper: Paper | None) -> Sequence[TaxShare]:
    """Of the credit note where one follows, so that the page says nothing else than it."""
    if paper and sum((share.amount for share in paper.taxes), ZERO) == refund.credited:
        return paper.taxes
    earlier = Refund.objects.filter(order=order, reverses=None, reversed_by=None).prefetch_related("lines").order_by("id")
    surcharges = list(OrderSurcharge.objects.filter(order=order).order_by("id"))
    return tax_shares(order, form.lines, surcharges, [(past, list(past.lines.all())) for past in earlier], (refund, rows))
