"""The refund assistant: what comes back and for how much, beside everything the refund sets off, worked out by the server."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from orders.admin.wishes.base import LineRow, WishForm
from orders.models import Order, OrderSurcharge, Refund, RefundLine
from orders.services.plan import Plan, PlannedChange
from orders.services.refund_shares import TaxShare, tax_shares

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
    value = refund.amount if refund else ZERO
    amounts = {row.line_id: row.amount for row in lines}
    papers = [item.describe().paper for item in change.consequences if item.is_on] if change else []
    return {
        "refund": refund,
        "refund_rows": [RefundRow(row, amounts.get(row.line.pk, ZERO), row.line.pk in amounts) for row in form.line_rows()],
        "items_amount": sum(amounts.values(), ZERO),
        "value": value,
        "difference": value - sum(amounts.values(), ZERO) - refund.shipping if refund else ZERO,
        "taxes": _taxes(order, form, refund, lines) if refund else [],
        "left_after": order.refundable - (refund.amount if refund else ZERO),
        "paper": next((paper for paper in papers if paper), None),
        "stock_words": _("No piece moves.") if change and not change.movements else "",
        "paper_apart": True,
    }


def _taxes(order: Order, form: WishForm, refund: Refund, rows: list[RefundLine]) -> list[TaxShare]:
    earlier = Refund.objects.filter(order=order, reverses=None, reversed_by=None).prefetch_related("lines").order_by("id")
    surcharges = list(OrderSurcharge.objects.filter(order=order).order_by("id"))
    return tax_shares(order, form.lines, surcharges, [(past, list(past.lines.all())) for past in earlier], (refund, rows))
