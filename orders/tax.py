"""Which VAT applies, and the VAT of an order: its own from the rules, an imported one from what the document stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from orders.choices import VatCategory
from orders.errors import OrderError
from orders.models import Order, OrderLine, OrderSurcharge, TaxClass
from orders.money import exponent, round_money
from orders.vat import (
    HUNDRED,
    ZERO,
    Charge,
    Share,
    TaxedLine,
    VatGroup,
    VatResult,
    compute_vat,
    split_by_largest_remainder,
)

__all__ = [
    "Charge",
    "Share",
    "TaxRule",
    "TaxedLine",
    "UnusableTaxes",
    "VatGroup",
    "VatResult",
    "compute_vat",
    "groups_of_import",
    "is_eu",
    "split_by_largest_remainder",
    "tax_rule",
    "vat_of_import",
    "vat_of_order",
]

_EU = frozenset(
    ("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL")
) | frozenset(("PT", "RO", "SE", "SI", "SK"))
_TOLERANCE = Decimal(1)  # EN 16931, BR-CO-17: how far a stored tax may lie from base × rate


class UnusableTaxes(OrderError):
    """The stored taxes of an imported order can't carry an invoice; the text says why."""

    code = "import_taxes"


@dataclass(frozen=True)
class TaxRule:
    """Category, rate in percent and country of the VAT on one line. Where no rate is known: no category, no rate, never 0 %."""

    category: str
    rate: Decimal | None
    country: str


def is_eu(country: str) -> bool:
    """Whether goods sent to `country` stay in the EU's VAT territory (Monaco counts as France)."""
    return _vat_country(country) in _EU


def tax_rule(
    *,
    tax_class: TaxClass | None,
    rates: Mapping[tuple[int, str], Decimal],
    shop_country: str,
    destination: str,
    business_vat_id: str,
    exempt: bool,
    reverse_charge: bool,
) -> TaxRule:
    """The VAT of goods of `tax_class` going to `destination`; `business_vat_id` only where it was found valid.

    Domestic: the rate of the class. Consumers elsewhere in the EU: their country's rate where the shop has one, else its own
    (below the distance-selling threshold). Businesses elsewhere in the EU: exempt. Outside the EU: export, unless the shop has a
    rate for that country. An exempt customer or reverse charge wins over all of it.
    """
    home = _vat_country(shop_country)
    there = _vat_country(destination) or home
    if exempt:
        return TaxRule(VatCategory.EXEMPT, ZERO, home)
    if reverse_charge:
        return TaxRule(VatCategory.REVERSE_CHARGE, ZERO, home)
    if tax_class and tax_class.category != VatCategory.STANDARD:
        return TaxRule(tax_class.category, ZERO, home)
    if there != home:
        if is_eu(home) and is_eu(there) and _is_foreign(business_vat_id, home):
            return TaxRule(VatCategory.INTRA_EU, ZERO, home)
        if tax_class and (tax_class.pk, there) in rates:
            return _taxed(rates[tax_class.pk, there], there)
        if not (is_eu(home) and is_eu(there)):
            return TaxRule(VatCategory.EXPORT, ZERO, home)
    rate = rates.get((tax_class.pk, home)) if tax_class else None
    return TaxRule("", None, home) if rate is None else _taxed(rate, home)


def vat_of_order(order: Order, lines: Sequence[OrderLine], surcharges: Sequence[OrderSurcharge]) -> VatResult:
    """VAT of an order of our own, from its stored prices, discounts and charges; tips lie outside the scope of VAT.

    `order.discount` holds the discounts of the lines too (the subtotal is price × quantity). Lines without a rate form a group
    without a category, which no invoice accepts. Raises ValueError when discounts exceed the lines.
    """
    taxed = [
        TaxedLine(line.amount - line.line_discount, line.vat_category, line.vat_rate or ZERO, line.vat_country, line.price_includes_tax)
        for line in lines
    ]
    discount = order.discount + order.coupon_discount - sum((line.line_discount for line in lines), ZERO)
    country = next((line.vat_country for line in lines if line.vat_country), "")
    return compute_vat(taxed, discount=discount, charges=_charges_of(order, surcharges, country), currency=order.currency)


def _charges_of(order: Order, surcharges: Sequence[OrderSurcharge], country: str) -> list[Charge]:
    def charge(amount: Decimal, category: str, rate: Decimal | None, kind: str) -> Charge:
        own = bool(category) and rate is not None
        return Charge(
            amount,
            category if own else None,
            rate if own else None,
            country if own else "",
            includes_tax=order.prices_include_tax,
            kind=kind,
        )

    charges = [charge(order.shipping_cost, order.shipping_vat_category, order.shipping_vat_rate, "shipping")] if order.shipping_cost else []
    if order.handling_fee:
        charges.append(charge(order.handling_fee, "", None, "handling"))
    charges += [
        charge(row.amount, row.vat_category, row.vat_rate, "surcharge") for row in surcharges if row.kind != OrderSurcharge.Kind.TIP
    ]
    return charges


def groups_of_import(order: Order, lines: Sequence[OrderLine], surcharges: Sequence[OrderSurcharge] = ()) -> tuple[VatGroup, ...]:
    """VAT groups of an imported order as the document stored them; raises UnusableTaxes with the reason."""
    return vat_of_import(order, lines, surcharges).groups


def vat_of_import(order: Order, lines: Sequence[OrderLine], surcharges: Sequence[OrderSurcharge] = ()) -> VatResult:
    """VAT of an imported order from its stored bases and taxes, shipping with its own.

    Raises UnusableTaxes for a totals warning, two taxes on one line, missing tax data (which is never 0 %), a tax 1.00 or more
    away from base × rate, or groups that do not sum to what was to pay.
    """
    if order.totals_warning:
        raise UnusableTaxes(_("The totals of this order do not add up as they came; an invoice would repeat the error."))
    discount = order.discount + order.coupon_discount
    shares = [line.line_discount + line.discount_share + line.coupon_share for line in lines]
    rest = discount - sum(shares, ZERO)
    if rest:
        left = [max(line.amount - share, ZERO) for line, share in zip(lines, shares, strict=True)]
        spread = split_by_largest_remainder(rest, left, exponent=exponent(order.currency))
        shares = [share + part for share, part in zip(shares, spread, strict=True)]
    stored = _Stored(order.currency)
    for line, share in zip(lines, shares, strict=True):
        rate, tax = _tax_of_line(line)
        stored.add_line(line, share, rate, tax)
    for index, part in enumerate(_stored_charges(order, surcharges)):
        stored.add_charge(index, *part)
    result = stored.result()
    expected = order.total + order.gift_card_amount - order.tips_total
    if result.gross != round_money(expected, order.currency):
        raise UnusableTaxes(_("The stored taxes give %(gross)s, the order says %(total)s.") % {"gross": result.gross, "total": expected})
    return result


class _Stored:
    """Collects stored bases and taxes into a VatResult whose sums hold by construction."""

    def __init__(self, currency: str) -> None:
        self.currency = currency
        self.groups: dict[tuple[str, str, Decimal], list[Decimal]] = {}
        self.line_nets: list[Decimal] = []
        self.line_vats: list[Decimal] = []
        self.shares: list[Decimal] = []
        self.allowances: dict[tuple[str, str, Decimal, bool], list[Decimal]] = {}
        self.charges: list[Share] = []
        self.charge_vats: list[Decimal] = []

    def _book(self, key: tuple[str, str, Decimal], base: Decimal, tax: Decimal, rate: Decimal) -> None:
        if abs(tax - base * rate / HUNDRED) >= _TOLERANCE:
            raise UnusableTaxes(
                _("A stored tax of %(tax)s does not fit %(base)s at %(rate)s %%.") % {"tax": tax, "base": base, "rate": rate}
            )
        sums = self.groups.setdefault(key, [ZERO, ZERO])
        sums[0] += base
        sums[1] += tax

    def add_line(self, line: OrderLine, share: Decimal, rate: Decimal, tax: Decimal) -> None:
        amount, tax, share = (round_money(value, self.currency) for value in (line.amount - share, tax, share))
        base = amount - tax if line.price_includes_tax else amount
        key = (line.vat_country, line.vat_category or _category_of(rate), rate.normalize() + 0)
        self._book(key, base, tax, rate)
        net_share = round_money(share / (1 + rate / HUNDRED), self.currency) if line.price_includes_tax else share
        if share:
            sums = self.allowances.setdefault((*key, line.price_includes_tax), [ZERO, ZERO])
            sums[0] += share
            sums[1] += net_share
        self.line_nets.append(base + net_share)
        self.line_vats.append(tax)
        self.shares.append(share)

    def add_charge(self, index: int, amount: Decimal, rate: Decimal, category: str, tax: Decimal, includes_tax: bool) -> None:
        amount, tax = round_money(amount, self.currency), round_money(tax, self.currency)
        base = amount - tax if includes_tax else amount
        country = next(iter(self.groups))[0] if self.groups else ""
        key = (country, category or _category_of(rate), rate.normalize() + 0)
        self._book(key, base, tax, rate)
        self.charges.append(Share(index, *key, includes_tax, amount, base))
        self.charge_vats.append(tax)

    def result(self) -> VatResult:
        groups = tuple(VatGroup(*key, base=base, vat=vat) for key, (base, vat) in self.groups.items())
        allowances = tuple(Share(0, *key, amount=amount, net=net) for key, (amount, net) in self.allowances.items())
        net = sum((group.base for group in groups), ZERO)
        vat = sum((group.vat for group in groups), ZERO)
        return VatResult(
            groups=groups,
            line_nets=tuple(self.line_nets),
            line_vats=tuple(self.line_vats),
            discount_shares=tuple(self.shares),
            allowances=allowances,
            charges=tuple(self.charges),
            charge_nets=tuple(charge.net for charge in self.charges),
            charge_vats=tuple(self.charge_vats),
            lines_net=sum(self.line_nets, ZERO),
            allowance_net=sum((share.net for share in allowances), ZERO),
            charge_net=sum((charge.net for charge in self.charges), ZERO),
            net=net,
            vat=vat,
            gross=net + vat,
        )


def _tax_of_line(line: OrderLine) -> tuple[Decimal, Decimal]:
    """Rate and tax on the goods of a line, without the tax that a document books on it for shipping."""
    taxes = [tax for tax in line.other_taxes if isinstance(tax, dict)]
    if len(taxes) > 1:
        raise UnusableTaxes(_("“%(name)s” carries two taxes.") % {"name": line.name})
    row = taxes[0] if taxes else {}
    rate = line.vat_rate if line.vat_rate is not None else _number(row.get("value"))
    if rate is None:
        raise UnusableTaxes(_("“%(name)s” came without tax data.") % {"name": line.name})
    goods = _number(row.get("taxOnDiscountedSubtotal"))
    if goods is None:
        goods = line.tax - (_number(row.get("taxOnShipping")) or ZERO)
    return rate, goods


def _stored_charges(order: Order, surcharges: Sequence[OrderSurcharge]) -> list[tuple[Decimal, Decimal, str, Decimal, bool]]:
    parts = []
    if order.shipping_cost:
        taxes = [tax for tax in order.shipping_taxes if isinstance(tax, dict)]
        if len(taxes) > 1:
            raise UnusableTaxes(_("Shipping carries two taxes."))
        tax = taxes[0] if taxes else {}
        rate = order.shipping_vat_rate if order.shipping_vat_rate is not None else _number(tax.get("value"))
        parts.append(
            _stored_charge(order, order.shipping_cost, rate, order.shipping_vat_category, _number(tax.get("total")), _("Shipping"))
        )
    if order.handling_fee:
        parts.append(_stored_charge(order, order.handling_fee, None, "", None, _("Handling")))
    for row in surcharges:
        if row.kind != OrderSurcharge.Kind.TIP:
            parts.append(_stored_charge(order, row.amount, row.vat_rate, row.vat_category, None, row.label or _("Surcharge")))
    return parts


def _stored_charge(
    order: Order, amount: Decimal, rate: Decimal | None, category: str, tax: Decimal | None, name: str
) -> tuple[Decimal, Decimal, str, Decimal, bool]:
    if rate is None:
        raise UnusableTaxes(_("“%(name)s” came without tax data.") % {"name": name})
    if tax is None:
        tax = amount - amount / (1 + rate / HUNDRED) if order.prices_include_tax else amount * rate / HUNDRED
    return amount, rate, category, tax, order.prices_include_tax


def _category_of(rate: Decimal) -> str:
    """A stored rate of 0 says zero rated; whatever else frees of tax would have been named."""
    return VatCategory.STANDARD if rate else VatCategory.ZERO


def _taxed(rate: Decimal, country: str) -> TaxRule:
    return TaxRule(VatCategory.STANDARD if rate else VatCategory.ZERO, Decimal(rate), country)


def _vat_country(country: str) -> str:
    code = str(country or "").upper()
    return {"MC": "FR", "EL": "GR"}.get(code, code)


def _is_foreign(vat_id: str, home: str) -> bool:
    """Whether a valid VAT id is of another country than the shop's: at home a business pays VAT like everybody."""
    return bool(vat_id) and _vat_country(vat_id[:2]) != home


def _number(value: Any) -> Decimal | None:
    return None if value in (None, "") else Decimal(str(value))
