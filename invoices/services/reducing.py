"""An order less what its refunds took off: what an invoice says that is issued after pieces came back or money was given back.

A refund whose own credit note still waits is left out: that credit note will take it off the invoice.
"""

import copy
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.utils.translation import gettext as _

from invoices.models import PendingDocument
from orders.models import Order, OrderLine, OrderSurcharge, Refund, RefundLine
from orders.money import exponent, quantum, round_money
from orders.tax import VatResult, split_by_largest_remainder, vat_of_order

ZERO = Decimal(0)
STATE = PendingDocument.State
SHARES = ("line_discount", "discount_share", "coupon_share", "tax")  # amounts of a line that go with its pieces
ROUNDS = 4  # a discount on net prices takes its VAT along: the amount is found in a few steps


@dataclass
class TakenOff:
    """What refunds took off an order and no credit note is waiting for."""

    amount: Decimal = ZERO
    shipping: Decimal = ZERO
    pieces: dict[int, int] = field(default_factory=dict)  # by line id

    @classmethod
    def of(cls, order: Order) -> "TakenOff":
        """Two queries, one where nothing was refunded."""
        waiting = PendingDocument.objects.filter(
            order=order, kind=PendingDocument.Kind.CREDIT_NOTE, state__in=(STATE.WAITING, STATE.NEEDS_STAFF)
        )
        refunds = Refund.objects.filter(order=order, reverses=None, reversed_by=None).exclude(event__in=waiting.values("event"))
        sums = refunds.order_by().aggregate(amount=Sum("credited"), shipping=Sum("shipping"))
        if not sums["amount"]:
            return cls()
        rows = RefundLine.objects.filter(refund__in=refunds).order_by().values_list("line_id").annotate(pieces=Sum("quantity"))
        return cls(sums["amount"], sums["shipping"], dict(rows))


@dataclass
class Reduced:
    """Copies of an order and its parts less what was taken off. `is_loose`: an amount without pieces stands in its discount."""

    order: Order
    lines: list[OrderLine]
    surcharges: list[OrderSurcharge]
    kept: Decimal = ZERO  # what was kept of pieces that came back; the last of the surcharges
    is_loose: bool = False
    cents: Decimal = ZERO  # by which VAT on net prices, worked out anew, would miss the money that was given back


def amount_to_invoice(order: Order, taken_off: Decimal) -> Decimal:
    """The gross of an invoice of `order`: gift cards are payments, tips lie outside of VAT."""
    return max(round_money(order.total + order.gift_card_amount - order.tips_total - taken_off, order.currency), ZERO)


def reduced(order: Order, lines: list[OrderLine], surcharges: list[OrderSurcharge], taken: TakenOff) -> Reduced:
    """The order that an invoice issued now is about. What pieces leave over, in cents or as an amount, stands in the discount;
    what was kept of pieces that came back is a charge."""
    if not taken.amount:
        return Reduced(order, lines, surcharges)
    less = copy.copy(order)
    expected = amount_to_invoice(order, taken.amount)
    less.total = expected - order.gift_card_amount + order.tips_total
    kept_lines = [_with_fewer_pieces(line, taken.pieces.get(line.pk, 0), less) for line in lines]
    result = Reduced(less, [line for line in kept_lines if line.quantity], list(surcharges))
    _take_shipping(less, min(taken.shipping, order.shipping_cost))
    if order.source == Order.OWN:
        _meet(result, expected)
    else:
        _meet_stored(result, expected)
    return result


def with_cents(vat: VatResult, cents: Decimal) -> VatResult:
    """The money decides: the cents by which net prices miss what was given back are taken off the VAT of the largest group."""
    if not cents:
        return vat
    largest = max(vat.groups, key=lambda group: group.base)
    groups = tuple(replace(group, vat=group.vat - cents) if group is largest else group for group in vat.groups)
    return replace(vat, groups=groups, vat=vat.vat - cents, gross=vat.gross - cents)


def _with_fewer_pieces(line: OrderLine, gone: int, order: Order) -> OrderLine:
    """The line without `gone` pieces; what its discounts were is taken from those of `order`."""
    if not gone:
        return line
    less = copy.copy(line)
    less.quantity = line.quantity - gone
    for name in SHARES:
        setattr(less, name, getattr(line, name) - round_money(getattr(line, name) * gone / line.quantity, order.currency))
    order.coupon_discount -= line.coupon_share - less.coupon_share
    order.discount -= line.line_discount - less.line_discount + line.discount_share - less.discount_share
    less.other_taxes = [_scaled(row, Decimal(less.quantity) / line.quantity, order) for row in line.other_taxes]
    return less


def _take_shipping(order: Order, amount: Decimal) -> None:
    if amount:
        left = order.shipping_cost - amount
        order.shipping_taxes = [_scaled(row, left / order.shipping_cost, order) for row in order.shipping_taxes]
        order.shipping_cost = left


def _scaled(row: Any, factor: Decimal, order: Order) -> Any:
    """A stored tax of an imported order after the amount that it is taken of shrank."""
    if not isinstance(row, dict):
        return row
    names = [name for name in ("total", "taxOnDiscountedSubtotal", "taxOnShipping") if row.get(name) is not None]
    return row | {name: str(round_money(Decimal(str(row[name])) * factor, order.currency)) for name in names}


def _meet(result: Reduced, expected: Decimal) -> None:
    """Lower or raise what remains until its gross is `expected`."""
    order = result.order
    for _round in range(ROUNDS):
        try:
            vat = vat_of_order(order, result.lines, result.surcharges)
        except ValueError:
            return
        miss = vat.gross - expected
        if not miss or not vat.gross or not result.lines:
            return
        cents = abs(miss) <= len(result.lines) * quantum(exponent(order.currency))
        if cents and not order.prices_include_tax:
            result.cents = miss
            return
        if not order.prices_include_tax:
            miss = round_money(miss * vat.net / vat.gross, order.currency)
        if miss > 0:
            _lower(result, miss, is_loose=not cents)
        elif cents and order.discount >= -miss:
            order.discount += miss
        else:
            _raise(result, -miss)


def _lower(result: Reduced, amount: Decimal, *, is_loose: bool) -> None:
    """Take `amount` off the items, then off shipping."""
    order = result.order
    goods = sum((line.amount for line in result.lines), ZERO) - order.discount - order.coupon_discount
    part = min(amount, goods)
    order.discount += part
    result.is_loose = result.is_loose or is_loose
    _take_shipping(order, min(amount - part, order.shipping_cost))


def _raise(result: Reduced, amount: Decimal) -> None:
    """Charge what was kept of pieces that came back."""
    if result.kept:
        result.surcharges.pop()
    result.kept += amount
    result.surcharges.append(OrderSurcharge(kind=OrderSurcharge.Kind.SURCHARGE, amount=result.kept, label=_("Kept of returned items")))


def _meet_stored(result: Reduced, expected: Decimal) -> None:
    """An imported order keeps its stored taxes: an amount without pieces takes its part of each along."""
    currency = result.order.currency
    values = [_gross(line) for line in result.lines]
    surplus = sum(values, ZERO) + _gross_of_charges(result) - expected
    if surplus <= 0 or surplus > sum(values, ZERO):
        return
    result.is_loose = surplus > len(values) * Decimal("0.01")
    parts = split_by_largest_remainder(surplus, values, exponent=exponent(currency))
    for index, (line, value, part) in enumerate(zip(result.lines, values, parts, strict=True)):
        if not part:
            continue
        less = result.lines[index] = copy.copy(line)
        tax = round_money(line.tax * part / value, currency)
        off = part if line.price_includes_tax else part - tax
        less.tax, less.discount_share = line.tax - tax, line.discount_share + off
        less.other_taxes = [_scaled(row, 1 - part / value, result.order) for row in line.other_taxes]
        for row in less.other_taxes:
            if isinstance(row, dict) and row.get("taxOnDiscountedSubtotal") is not None:
                row["taxOnDiscountedSubtotal"] = str(less.tax)
        result.order.discount += off


def _gross(line: OrderLine) -> Decimal:
    whole = line.amount - line.line_discount - line.discount_share - line.coupon_share
    return whole if line.price_includes_tax else whole + line.tax


def _gross_of_charges(result: Reduced) -> Decimal:
    """Shipping and other charges of an imported order, with their stored taxes where those come on top."""
    order = result.order
    charged = [row.amount for row in result.surcharges if row.kind != OrderSurcharge.Kind.TIP]
    plain = order.shipping_cost + order.handling_fee + sum(charged, ZERO)
    if order.prices_include_tax:
        return plain
    taxes = [Decimal(str(row.get("total") or 0)) for row in order.shipping_taxes if isinstance(row, dict)]
    return plain + sum(taxes, ZERO)
