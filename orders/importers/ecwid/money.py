"""Money that a document tells of: the opening payment of a paid order, refunds; append-only, nothing twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from orders.importers.ecwid.document import EcwidDocument
from orders.importers.ecwid.rows import missing_refunds
from orders.models import Order, OrderEvent, Payment, Refund, Status


@dataclass
class MoneyRows:
    payments: list[Payment] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)


def plan_money(
    document: EcwidDocument, order: Order, payment: Status, *, refunds: Mapping[str, Decimal], is_inferred: bool, now: datetime
) -> MoneyRows:
    """Rows that bring the money of `order` to what the document says, with the order's sums set accordingly.

    `refunds`: amounts stored by client key. `is_inferred`: all payments so far come from imports, so that a lower total takes the
    difference back by a row of its own; money that staff recorded is never touched.
    """
    rows = MoneyRows(refunds=missing_refunds(document, refunds, now=now))
    for refund in rows.refunds:
        refund.credited = min(refund.amount, max(order.total - order.credited_total, Decimal(0)))
        refund.method = order.payment_method
        order.refunded_total += refund.amount
        order.credited_total += refund.credited
    needed = order.paid_total
    if payment.counts_as_paid:
        needed = max(order.total, order.refunded_total)
    elif rows.refunds:
        needed = max(order.total, order.refunded_total, order.paid_total)
    difference = needed - order.paid_total
    if difference > 0 or (difference < 0 and is_inferred):
        rows.payments.append(
            Payment(
                amount=difference,
                method=order.payment_method,
                reference=order.transaction_id,
                received_at=order.placed_at if not order.paid_total else document.updated_at or now,
            )
        )
        order.paid_total = needed
    return rows


def save_money(orders: Sequence[tuple[Order, OrderEvent, MoneyRows]]) -> None:
    payments, refunds = [], []
    row: Any
    for order, event, rows in orders:
        for row in (*rows.payments, *rows.refunds):
            row.order, row.event = order, event
        payments += rows.payments
        refunds += rows.refunds
    Payment.objects.bulk_create(payments)
    Refund.objects.bulk_create(refunds)
