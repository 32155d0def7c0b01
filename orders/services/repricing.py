"""What a placed order costs once it is edited: prices, VAT, discounts, shipping and sums, each kept or worked out anew.

What was sold is a copy: nothing here reads the catalogue again unless the edit says "recompute". The sums of an order that adds up
are worked out; those of an import, or of an order that never added up, move by what the edit moves and keep their difference.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from orders.choices import VatCategory
from orders.drafts import OrderDraft, Person
from orders.edits import COLUMNS, NET, RECOMPUTE, DiscountEdit, LineEdit, OrderEdit, SurchargeEdit
from orders.errors import InvalidWish
from orders.models import Order, OrderAddress, OrderDiscount, OrderLine, OrderSurcharge, ShippingMethod, Variant
from orders.money import exponent, round_money
from orders.services.pricing import MOST_LINES, MOST_MONEY, TaxTable, destination_of, expected_total, line_of
from orders.services.world import World
from orders.tax import TaxRule, VatResult, split_by_largest_remainder, vat_of_order

ZERO = Decimal(0)
TAXED = (VatCategory.STANDARD, VatCategory.ZERO)


@dataclass
class Content:
    """What is sold with an order and under which circumstances: all that its sums follow from."""

    order: Order
    lines: list[OrderLine]
    discounts: list[OrderDiscount]
    surcharges: list[OrderSurcharge]
    countries: dict[str, str] = field(default_factory=dict)  # by kind of address

    @classmethod
    def of(cls, order: Order, lines: Sequence[OrderLine], addresses: Sequence[OrderAddress]) -> "Content":
        return cls(
            order,
            list(lines),
            list(order.discounts.order_by("id")),
            list(order.surcharges.order_by("id")),
            {address.kind: str(address.country) for address in addresses},
        )

    def circumstances(self) -> OrderDraft:
        """What decides which VAT applies, in the words of a draft."""
        order = self.order
        billing, shipping = (self.countries.get(kind) for kind in ("billing", "shipping"))
        return OrderDraft(
            tax_id=order.tax_id,
            tax_id_valid=order.tax_id_valid,
            tax_exempt=order.tax_exempt,
            reverse_charge=order.reverse_charge,
            delivery_kind=order.delivery_kind,
            billing=Person(country=billing) if billing else None,
            shipping=Person(country=shipping) if shipping else None,
        )

    def decides_vat(self, shop_country: str) -> tuple[Any, ...]:
        facts = self.circumstances()
        valid = facts.tax_id if facts.tax_id_valid else ""
        return (facts.tax_exempt, facts.reverse_charge, valid, destination_of(facts, shop_country))

    def vat(self) -> VatResult:
        """Raises InvalidWish where the discounts exceed the items."""
        try:
            return vat_of_order(self.order, [_with_rate(line) for line in self.lines], self.surcharges)
        except ValueError:
            raise InvalidWish(_("The discounts would be higher than the items."), field="discounts") from None

    def coupons(self) -> Decimal:
        return sum((row.amount for row in self.discounts if row.base == "COUPON"), ZERO)

    def other_discounts(self) -> Decimal:
        own = sum((line.line_discount for line in self.lines), ZERO)
        return own + sum((row.amount for row in self.discounts if row.base != "COUPON"), ZERO)

    def charged(self, kind: str) -> Decimal:
        return sum((row.amount for row in self.surcharges if row.kind == kind), ZERO)


def edited(before: Content, edit: OrderEdit, world: World, restored: Sequence[OrderLine] = ()) -> Content:
    """`before` as `edit` wants it, priced. Copies; `before` stays. Raises InvalidWish naming the field."""
    after = Content(copy.copy(before.order), [], [], [], dict(before.countries))
    taxes = TaxTable(str(world.shop.country))
    _set_columns(before, after, edit)
    moved = before.decides_vat(taxes.shop_country) != after.decides_vat(taxes.shop_country)
    for line in (*before.lines, *restored):
        wanted = edit.line(line.pk)
        if not wanted.is_removed:
            after.lines.append(_edited_line(line, wanted, after, edit, world, taxes, tax_moved=moved))
    after.lines += _added_lines(after, edit, world, taxes)
    if not after.lines:
        raise InvalidWish(_("An order keeps at least one item. To give everything up, cancel the order."), field="items")
    if len(after.lines) > MOST_LINES:
        raise InvalidWish(_("An order holds at most %(most)d items.") % {"most": MOST_LINES}, field="items")
    _set_discounts(before, after, edit)
    _set_charges(before, after, edit, taxes, tax_moved=moved)
    _set_sums(before, after, edit, tax_moved=moved)
    return after


def follows_its_rows(content: Content) -> bool:
    """Whether every discount in percent takes off what its percentage says today: then it can be worked out anew."""
    base = _discount_base(content.lines)
    return all(
        row.amount == round_money(base * row.value / 100, content.order.currency) for row in content.discounts if row.kind == "PERCENT"
    )


def keeps_a_difference(order: Order) -> bool:
    """Whether the order's total is not the sum of its parts, so that an edit has to say what becomes of the difference."""
    return bool(order.totals_warning) or expected_total(order) != order.total


def check_credited(order: Order, total: Decimal) -> None:
    """Raises InvalidWish where `total` would be less than refunds took off, and less than it is now."""
    if total < order.credited_total and total < order.total:
        raise InvalidWish(_("The total would fall below what refunds took off already."), field="items")


def _set_columns(before: Content, after: Content, edit: OrderEdit) -> None:
    order = after.order
    for name, value in edit.columns.items():
        if name not in COLUMNS:
            raise InvalidWish(_("This can't be changed here."), field=name)
        setattr(order, name, value)
    if "tax_id" in edit.columns and "tax_id_valid" not in edit.columns and order.tax_id != before.order.tax_id:
        order.tax_id_valid = False  # it was another number that was checked
    changed = order.shipping_method != before.order.shipping_method
    method = ShippingMethod.objects.select_related("carrier").filter(name=order.shipping_method).first() if order.shipping_method else None
    if changed and method is not None:
        order.delivery_kind = edit.columns.get("delivery_kind", method.kind)
        order.shipping_carrier = edit.columns.get("shipping_carrier", method.carrier.name if method.carrier else "")
        order.delivery_instructions = edit.columns.get("delivery_instructions", method.instructions)
    if edit.shipping == RECOMPUTE and "shipping_cost" not in edit.columns and method is not None:
        order.shipping_cost = round_money(method.rate, order.currency)
    for kind in ("billing", "shipping"):
        if f"{kind}.country" in edit.addresses:
            after.countries[kind] = edit.addresses[f"{kind}.country"]
    for name in ("shipping_cost", "handling_fee", "gift_card_amount"):
        amount = getattr(order, name)
        if not amount.is_finite() or not ZERO <= amount <= MOST_MONEY:
            raise InvalidWish(_("Enter an amount of 0 or more."), field=name)


def _edited_line(
    line: OrderLine, wanted: LineEdit, after: Content, edit: OrderEdit, world: World, taxes: TaxTable, *, tax_moved: bool
) -> OrderLine:
    changed = copy.copy(line)
    changed.is_removed = False
    variant = line.variant
    again = edit.prices == RECOMPUTE and variant is not None
    if again or tax_moved:
        _tax_again(changed, taxes.rule(variant.product.tax_class if variant else None, after.circumstances(), _goes_to(after, taxes)))
    if edit.prices == RECOMPUTE:
        _price_again(changed, line, world, taxes, after.order)
    elif edit.prices == NET:
        _move_vat(changed, line, after.order)
    for name, column in (("quantity", "quantity"), ("price", "price"), ("discount", "line_discount"), ("name", "name"), ("sku", "sku")):
        if (value := getattr(wanted, name)) is not None:
            setattr(changed, column, value)
    if wanted.options is not None:
        changed.options = list(wanted.options)
    if wanted.vat_rate is not None:
        changed.vat_rate = wanted.vat_rate
        changed.vat_category = VatCategory.STANDARD if wanted.vat_rate else VatCategory.ZERO
        changed.vat_country = changed.vat_country or taxes.shop_country
    for name in ("vat_category", "vat_country"):
        if (value := getattr(wanted, name)) is not None:
            setattr(changed, name, value)
    _check_line(changed)
    return changed


def _check_line(line: OrderLine) -> None:
    place = f"line:{line.pk}"
    if not line.name.strip():
        raise InvalidWish(_("An item needs a name."), field=f"{place}:name")
    if not 0 < line.quantity <= 1_000_000:
        raise InvalidWish(_("Enter a whole number above 0."), field=f"{place}:quantity")
    if not line.price.is_finite() or not ZERO <= line.price <= MOST_MONEY:
        raise InvalidWish(_("Enter a price of 0 or more."), field=f"{place}:price")
    if not ZERO <= line.line_discount <= line.amount:
        raise InvalidWish(_("The discount is higher than the item."), field=f"{place}:discount")


def _goes_to(content: Content, taxes: TaxTable) -> str:
    return destination_of(content.circumstances(), taxes.shop_country)


def _tax_again(line: OrderLine, rule: TaxRule) -> None:
    """The VAT that applies now. What no rule knows keeps its own: VAT is never lost with an article of the catalogue."""
    if rule.rate is None:
        return
    own = line.variant is None and line.vat_category in TAXED and line.vat_rate is not None
    if own and rule.category in TAXED and rule.country == line.vat_country:
        return
    line.vat_category, line.vat_rate, line.vat_country = rule.category, rule.rate, rule.country


def _price_again(line: OrderLine, sold: OrderLine, world: World, taxes: TaxTable, order: Order) -> None:
    """The catalogue's price of today; a free item only loses or gains the VAT that its price holds, once."""
    variant = line.variant
    if variant is not None:
        if order.currency == world.shop.currency:
            line.price = line.product_price = variant.price
            domestic = taxes.domestic_rate(variant.product.tax_class)
            if line.price_includes_tax and line.vat_category not in TAXED and domestic:
                line.price = round_money(variant.price / (1 + domestic / 100), order.currency)
        return
    _move_vat(line, sold, order)


def _move_vat(line: OrderLine, sold: OrderLine, order: Order) -> None:
    """A price that holds VAT loses the one that no longer applies, or gains the one that does now; once."""
    untaxed, was_untaxed = line.vat_category not in TAXED, sold.vat_category not in TAXED
    if line.price_includes_tax and untaxed and not was_untaxed and sold.vat_rate:
        line.price = round_money(sold.price / (1 + sold.vat_rate / 100), order.currency)
    elif line.price_includes_tax and was_untaxed and not untaxed and line.vat_rate and sold.vat_category:
        line.price = round_money(sold.price * (1 + line.vat_rate / 100), order.currency)


def _added_lines(after: Content, edit: OrderEdit, world: World, taxes: TaxTable) -> list[OrderLine]:
    draft, destination = after.circumstances(), _goes_to(after, taxes)
    position = max((line.position for line in after.lines), default=-1) + 1
    found = []
    for index, row in enumerate(edit.added):
        if row.variant_id and row.price is None and after.order.currency != world.shop.currency:
            text = _("The catalogue has no price in %(currency)s: enter one.") % {"currency": after.order.currency}
            raise InvalidWish(text, field=f"items[{index}].price")
        variants: Mapping[int, Variant] = world.variants
        line = line_of(row, index, order=after.order, draft=draft, taxes=taxes, destination=destination, variants=variants, by_sku={})
        line.position = position + index
        found.append(line)
    return found


def _discount_base(lines: Sequence[OrderLine]) -> Decimal:
    return sum((line.amount - line.line_discount for line in lines), ZERO)


def _set_discounts(before: Content, after: Content, edit: OrderEdit) -> None:
    rows = [DiscountEdit.of(row) for row in before.discounts] if edit.discounts is None else edit.discounts
    base, currency, order = _discount_base(after.lines), after.order.currency, after.order
    for index, row in enumerate(rows):
        if not row.value.is_finite() or row.value < 0 or (row.kind == "PERCENT" and row.value > 100):
            raise InvalidWish(_("Enter a discount of 0 or more, at most 100 %."), field=f"discounts[{index}].value")
        amount = row.amount
        if row.kind == "PERCENT" and (amount is None or edit.discounts_by == RECOMPUTE):
            amount = round_money(base * row.value / 100, currency)
        if amount is None:
            amount = round_money(row.value, currency)
        after.discounts.append(OrderDiscount(label=row.label, kind=row.kind, base=row.base, value=row.value, amount=amount))
    order.coupon_discount += after.coupons() - before.coupons()
    order.discount += after.other_discounts() - before.other_discounts()
    if after.coupons() + after.other_discounts() > sum((line.amount for line in after.lines), ZERO):
        raise InvalidWish(_("The discounts would be higher than the items."), field="discounts")


def _set_charges(before: Content, after: Content, edit: OrderEdit, taxes: TaxTable, *, tax_moved: bool) -> None:
    rows = [SurchargeEdit.of(row) for row in before.surcharges] if edit.surcharges is None else edit.surcharges
    order = after.order
    rule = taxes.rule(None, after.circumstances(), _goes_to(after, taxes)) if tax_moved else None
    for index, row in enumerate(rows):
        if not row.amount.is_finite() or not ZERO <= row.amount <= MOST_MONEY:
            raise InvalidWish(_("Enter an amount of 0 or more."), field=f"surcharges[{index}].amount")
        category, rate = row.vat_category, row.vat_rate
        if rule and rule.rate is not None and rate is not None:
            category, rate = rule.category, rule.rate
        after.surcharges.append(OrderSurcharge(kind=row.kind, label=row.label, amount=row.amount, vat_category=category, vat_rate=rate))
    if rule and rule.rate is not None and order.shipping_vat_rate is not None:
        order.shipping_vat_category, order.shipping_vat_rate = rule.category, rule.rate
    order.surcharges_total += after.charged(OrderSurcharge.Kind.SURCHARGE) - before.charged(OrderSurcharge.Kind.SURCHARGE)
    order.tips_total += after.charged(OrderSurcharge.Kind.TIP) - before.charged(OrderSurcharge.Kind.TIP)


def _set_sums(before: Content, after: Content, edit: OrderEdit, *, tax_moved: bool) -> None:
    """Subtotal, VAT, shares of the lines, total."""
    old, order = before.order, after.order
    vat, was = after.vat(), before.vat()
    settle = edit.difference == RECOMPUTE and keeps_a_difference(old)
    if settle or _is_worked_out(before, was):
        order.subtotal = sum((line.amount for line in after.lines), ZERO)
        order.tax = vat.vat
        _share_anew(after, vat)
        order.total = expected_total(order)
        order.totals_warning = []
    else:
        order.subtotal += sum((line.amount for line in after.lines), ZERO) - sum((line.amount for line in before.lines), ZERO)
        order.tax = max(order.tax + vat.vat - was.vat, ZERO)
        _share_moved(before, after, was, vat, tax_moved=tax_moved)
        order.total = old.total + expected_total(order) - expected_total(old)
    if order.source != Order.OWN and (tax_moved or settle):
        order.shipping_taxes = []
        for line in after.lines:
            line.other_taxes = []
    _check_sums(before, after)


def _is_worked_out(content: Content, vat: VatResult) -> bool:
    """Whether the sums are ours, to the cent: an order of this shop whose parts give exactly what it says."""
    order = content.order
    return (
        order.source == Order.OWN
        and not keeps_a_difference(order)
        and order.subtotal == sum((line.amount for line in content.lines), ZERO)
        and (order.discount, order.coupon_discount, order.tax) == (content.other_discounts(), content.coupons(), vat.vat)
    )


def _check_sums(before: Content, after: Content) -> None:
    order = after.order
    if order.gift_card_amount and order.total < 0:
        raise InvalidWish(_("The gift card pays at most the total."), field="gift_card_amount")
    if order.total < 0:
        raise InvalidWish(_("The discounts would be higher than the items."), field="discounts")
    check_credited(before.order, order.total)
    if order.total > MOST_MONEY:
        raise InvalidWish(_("The total would be too high."), field="items")


def _share_anew(after: Content, vat: VatResult) -> None:
    coupon, places = after.order.coupon_discount, exponent(after.order.currency)
    coupons = split_by_largest_remainder(coupon, [abs(share) for share in vat.discount_shares], exponent=places) if coupon else None
    for index, line in enumerate(after.lines):
        line.tax = vat.line_vats[index]
        line.coupon_share = coupons[index] if coupons else ZERO
        line.discount_share = vat.discount_shares[index] - line.coupon_share


def _share_moved(before: Content, after: Content, was: VatResult, now: VatResult, *, tax_moved: bool) -> None:
    """Stored taxes and shares move by what the edit moves; of new lines they are worked out."""
    at = {line.pk: index for index, line in enumerate(before.lines)}
    for index, line in enumerate(after.lines):
        old = at.get(line.pk) if line.pk else None
        if old is None or tax_moved:
            line.tax = now.line_vats[index]
        else:
            moved = now.line_vats[index] - was.line_vats[old]
            line.tax = max(line.tax + moved, ZERO)
            if moved:
                line.other_taxes = [_moved_tax(row, moved) for row in line.other_taxes]
        share = now.discount_shares[index] - (was.discount_shares[old] if old is not None else ZERO)
        if share:
            line.discount_share = max(line.discount_share + share, ZERO)


def _moved_tax(row: Any, moved: Decimal) -> Any:
    """A tax of an imported document after the amount that it is taken of moved."""
    if not isinstance(row, dict):
        return row
    names = [name for name in ("total", "taxOnDiscountedSubtotal") if row.get(name) is not None]
    return row | {name: str(Decimal(str(row[name])) + moved) for name in names}


def _with_rate(line: OrderLine) -> OrderLine:
    """A line whose rate an imported document names among its taxes only."""
    rows = [row for row in line.other_taxes if isinstance(row, dict) and row.get("value") is not None]
    if line.vat_rate is not None or not rows:
        return line
    known = copy.copy(line)
    known.vat_rate = Decimal(str(rows[0]["value"]))
    return known


def as_rows(content: Content) -> dict[str, list[dict[str, Any]]]:
    """Discounts and surcharges as plain values, to be compared, kept in the event and written again."""
    discounts = [
        {"label": row.label, "kind": row.kind, "base": row.base, "value": _text(row.value), "amount": _text(row.amount)}
        for row in content.discounts
    ]
    surcharges = [
        {
            "label": row.label,
            "kind": str(row.kind),
            "amount": _text(row.amount),
            "vat_category": row.vat_category,
            "vat_rate": None if row.vat_rate is None else _text(row.vat_rate),
        }
        for row in content.surcharges
    ]
    return {"discounts": discounts, "surcharges": surcharges}


def without_reason(edit: OrderEdit) -> OrderEdit:
    """The edit apart from what it says about itself, to compare two."""
    return replace(edit, reason="", reverts=0)


def _text(amount: Decimal) -> str:
    return format(Decimal(amount).normalize() + 0, "f")
