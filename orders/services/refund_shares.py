"""How much VAT of each rate a refund gives back: proposed to the cent, so that all refunds of an order together give back its VAT."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from orders.errors import OrderError
from orders.models import Order, OrderLine, OrderSurcharge, Refund, RefundLine
from orders.money import exponent, round_money
from orders.services.change import TaxShare
from orders.tax import VatGroup, VatResult, split_by_largest_remainder, vat_of_import, vat_of_order
from orders.vat import GroupKey

ZERO = Decimal(0)


def tax_shares(
    order: Order,
    lines: Sequence[OrderLine],
    surcharges: Sequence[OrderSurcharge],
    earlier: Iterable[tuple[Refund, Sequence[RefundLine]]],
    refund: tuple[Refund, Sequence[RefundLine]],
) -> list[TaxShare]:
    """The VAT in `refund` per rate, after the `earlier` refunds of the order (undone ones left out).

    Pieces count at the rate they were sold at, shipping as it was taxed, any other amount in proportion to what is left of each
    rate. Cumulative: a refund has what all refunds so far come to, less what those before came to. Nothing where the VAT of the
    order is not known.
    """
    try:
        result = (vat_of_order if order.source == Order.OWN else vat_of_import)(order, lines, surcharges)
    except (OrderError, ValueError):
        return []
    ledger = _Shares(order, {line.pk: line for line in lines}, result)
    for past in earlier:
        ledger.book(*past)
    return ledger.book(*refund)


class _Shares:
    """What was given back of each VAT group so far."""

    def __init__(self, order: Order, lines: dict[int, OrderLine], result: VatResult) -> None:
        self.order, self.lines = order, lines
        self.groups: dict[GroupKey, VatGroup] = {(g.country, g.category, g.rate.normalize() + 0): g for g in result.groups}
        self.taken: dict[GroupKey, Decimal] = dict.fromkeys(self.groups, ZERO)
        self.shipping_taken = ZERO
        self.shipping_parts = [((s.country, s.category, s.rate.normalize() + 0), s.amount) for s in result.charges if s.index == 0]
        if not order.shipping_cost:
            self.shipping_parts = []

    def book(self, refund: Refund, rows: Sequence[RefundLine]) -> list[TaxShare]:
        """Add a refund; what it takes of each group."""
        parts = dict.fromkeys(self.groups, ZERO)
        left = refund.credited  # money that was received by mistake pays for nothing: no VAT is in it
        for key, amount in [*self._of_lines(rows), *self._of_shipping(refund.shipping)]:
            if key in parts:
                part = max(min(amount, left, self._left(key) - parts[key]), ZERO)
                parts[key] += part
                left -= part
        for key, amount in self._of_rest(left, parts):
            parts[key] += amount
        found = []
        for key, amount in parts.items():
            if amount:
                vat = self._vat_upto(key, self.taken[key] + amount) - self._vat_upto(key, self.taken[key])
                found.append(TaxShare(key[2], amount, vat))
                self.taken[key] += amount
        return found

    def _left(self, key: GroupKey) -> Decimal:
        return self.groups[key].gross - self.taken[key]

    def _vat_upto(self, key: GroupKey, amount: Decimal) -> Decimal:
        group = self.groups[key]
        return round_money(group.vat * amount / group.gross, self.order.currency) if group.gross else ZERO

    def _of_lines(self, rows: Sequence[RefundLine]) -> list[tuple[GroupKey, Decimal]]:
        found = []
        for row in rows:
            line = self.lines.get(row.line_id)
            if line is not None:
                found.append((self._key_of(line), row.amount))
        return found

    def _key_of(self, line: OrderLine) -> GroupKey:
        rate = (line.vat_rate or ZERO).normalize() + 0
        exact = (line.vat_country, str(line.vat_category), rate)
        return exact if exact in self.groups else next((key for key in self.groups if key[2] == rate), exact)

    def _of_shipping(self, shipping: Decimal) -> list[tuple[GroupKey, Decimal]]:
        if not shipping or not self.shipping_parts:
            return []
        places = exponent(self.order.currency)
        weights = [amount for _key, amount in self.shipping_parts]
        before = split_by_largest_remainder(self.shipping_taken, weights, exponent=places)
        self.shipping_taken += shipping
        after = split_by_largest_remainder(self.shipping_taken, weights, exponent=places)
        return [(key, new - old) for (key, _amount), new, old in zip(self.shipping_parts, after, before, strict=True)]

    def _of_rest(self, rest: Decimal, parts: dict[GroupKey, Decimal]) -> list[tuple[GroupKey, Decimal]]:
        """An amount without a line: over what is left of each rate. More than that (a tip) has no VAT in it."""
        left = {key: max(self._left(key) - parts[key], ZERO) for key in self.groups}
        rest = min(rest, sum(left.values(), ZERO))
        if rest <= 0:
            return []
        split = split_by_largest_remainder(rest, list(left.values()), exponent=exponent(self.order.currency))
        return list(zip(left, split, strict=True))
