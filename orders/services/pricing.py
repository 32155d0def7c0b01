"""From a draft to an order with prices, VAT and totals."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from django.utils.translation import gettext as _

from orders.choices import VatCategory
from orders.drafts import DraftLine, DraftSurcharge, OrderDraft, Person
from orders.errors import InvalidWish
from orders.models import (
    Order,
    OrderAddress,
    OrderDiscount,
    OrderLine,
    OrderSurcharge,
    ShippingMethod,
    TaxClass,
    TaxRate,
    Variant,
)
from orders.money import exponent, round_money
from orders.services.world import World
from orders.tax import Charge, TaxedLine, TaxRule, VatResult, compute_vat, split_by_largest_remainder, tax_rule

MOST_LINES = 1_000
MOST_MONEY = Decimal("999999999")


@dataclass
class PricedDraft:
    """The order of a draft, unsaved, with its parts and VAT."""

    order: Order
    lines: list[OrderLine]
    addresses: list[OrderAddress]
    discounts: list[OrderDiscount]
    surcharges: list[OrderSurcharge]
    vat: VatResult
    warnings: list[str] = field(default_factory=list)


@dataclass
class TaxTable:
    """Rates per tax class and country, read once."""

    shop_country: str

    @cached_property
    def rates(self) -> dict[tuple[int, str], Decimal]:
        return {(row.tax_class_id, str(row.country)): row.rate for row in TaxRate.objects.all()}

    @cached_property
    def default_class(self) -> TaxClass | None:
        return TaxClass.objects.first()

    def rule(self, tax_class: TaxClass | None, draft: OrderDraft, destination: str) -> TaxRule:
        return tax_rule(
            tax_class=tax_class or self.default_class,
            rates=self.rates,
            shop_country=self.shop_country,
            destination=destination or self.shop_country,
            business_vat_id=draft.tax_id if draft.tax_id_valid else "",
            exempt=draft.tax_exempt,
            reverse_charge=draft.reverse_charge,
        )

    def domestic_rate(self, tax_class: TaxClass | None) -> Decimal:
        chosen = tax_class or self.default_class
        return self.rates.get((chosen.pk, self.shop_country), Decimal(0)) if chosen else Decimal(0)


def price_draft(draft: OrderDraft, world: World, variants: Mapping[int, Variant], by_sku: Mapping[str, Variant]) -> PricedDraft:
    """Work out prices, VAT and totals. Raises InvalidWish naming the field; refuses a total below zero."""
    shop = world.shop
    currency = draft.currency or shop.currency
    includes_tax = shop.prices_include_tax if draft.prices_include_tax is None else draft.prices_include_tax
    if not draft.lines:
        raise InvalidWish(_("An order needs at least one item."), field="items")
    if len(draft.lines) > MOST_LINES:
        raise InvalidWish(_("An order holds at most %(most)d items.") % {"most": MOST_LINES}, field="items")
    destination = destination_of(draft, str(shop.country))
    taxes = TaxTable(str(shop.country))
    order = _order_of(draft, world, currency=currency, includes_tax=includes_tax)
    lines = [
        line_of(row, position, order=order, draft=draft, taxes=taxes, destination=destination, variants=variants, by_sku=by_sku)
        for position, row in enumerate(draft.lines)
    ]
    order.subtotal = sum((line.amount for line in lines), Decimal(0))
    discounts, coupon, other = _discounts(draft, lines, currency)
    line_discounts = sum((line.line_discount for line in lines), Decimal(0))
    order.coupon_discount, order.discount = coupon, other + line_discounts
    _price_delivery(order, draft)
    surcharges = [_surcharge(row, index) for index, row in enumerate(draft.surcharges)]
    order.surcharges_total = sum((s.amount for s in surcharges if s.kind == OrderSurcharge.Kind.SURCHARGE), Decimal(0))
    order.tips_total = sum((s.amount for s in surcharges if s.kind == OrderSurcharge.Kind.TIP), Decimal(0))
    if coupon + other > order.subtotal - line_discounts:
        raise InvalidWish(_("The discounts are higher than the items."), field="discounts")
    vat = _vat(order, lines, surcharges, coupon + other)
    _share(lines, vat, coupon=coupon, other=other, currency=currency)
    order.tax = vat.vat
    priced = PricedDraft(order, lines, _addresses(draft), discounts, surcharges, vat)
    _total(priced, draft)
    return priced


def expected_total(order: Order) -> Decimal:
    """What the parts of an order add up to (domain, section 3, Arithmetic)."""
    tax = Decimal(0) if order.prices_include_tax else order.tax
    added = order.subtotal + order.shipping_cost + order.handling_fee + order.surcharges_total + order.tips_total + tax
    return added - order.discount - order.coupon_discount - order.gift_card_amount


def destination_of(draft: OrderDraft, shop_country: str) -> str:
    """The country whose VAT may apply: where the goods go, the shop's own for what is picked up."""
    if draft.delivery_kind == "PICKUP":
        return shop_country
    person = draft.shipping or draft.billing
    return (person.country if person else "") or (draft.billing.country if draft.billing else "") or shop_country


def _order_of(draft: OrderDraft, world: World, *, currency: str, includes_tax: bool) -> Order:
    person = draft.billing or draft.shipping or Person()
    return Order(
        source=Order.OWN,
        external_id=draft.external_id,
        placed_at=draft.placed_at or world.now,
        customer_name=draft.customer_name or person.name or person.company,
        email=draft.email.strip(),
        phone=draft.phone or person.phone or (draft.shipping.phone if draft.shipping else ""),
        customer_group=draft.customer_group,
        language=draft.language,
        tax_id=draft.tax_id,
        tax_id_valid=draft.tax_id_valid,
        tax_exempt=draft.tax_exempt,
        reverse_charge=draft.reverse_charge,
        accepts_marketing=draft.accepts_marketing,
        no_customer_mail=draft.no_customer_mail,
        ip_address=draft.ip_address,
        currency=currency,
        prices_include_tax=includes_tax,
        handling_fee=draft.handling_fee,
        gift_card_amount=draft.gift_card_amount,
        gift_card_code=draft.gift_card_code,
        coupon_code=draft.coupon_code,
        payment_method=draft.payment_method,
        payment_module=draft.payment_module,
        payment_message=draft.payment_message,
        transaction_id=draft.transaction_id or draft.payment_reference,
        po_number=draft.po_number,
        shipping_method=draft.shipping_method,
        shipping_carrier=draft.shipping_carrier,
        delivery_kind=draft.delivery_kind,
        delivery_instructions=draft.delivery_instructions,
        delivery_on=draft.delivery_on,
        pickup_at=draft.pickup_at,
        pickup_until=draft.pickup_until,
        customer_comment=draft.customer_comment,
        provenance=draft.provenance,
        extra_fields=list(draft.extra_fields),
        additional=draft.additional,
        is_test=draft.is_test or world.shop.is_demo,
    )


def line_of(
    row: DraftLine,
    position: int,
    *,
    order: Order,
    draft: OrderDraft,
    taxes: TaxTable,
    destination: str,
    variants: Mapping[int, Variant],
    by_sku: Mapping[str, Variant],
) -> OrderLine:
    """The unsaved line of a draft's item, with price and VAT. Raises InvalidWish naming the field."""
    place = f"items[{position}]"
    variant = variants.get(row.variant_id or 0) or by_sku.get(row.sku)
    if row.variant_id and variant is None:
        raise InvalidWish(_("This article no longer exists."), field=f"{place}.variant")
    name = row.name.strip() or (str(variant) if variant else "")
    if not name:
        raise InvalidWish(_("An item needs a name or a known SKU."), field=f"{place}.name")
    if not 0 < row.quantity <= 1_000_000:
        raise InvalidWish(_("Enter a whole number above 0."), field=f"{place}.quantity")
    if row.price is None and variant is None:
        raise InvalidWish(_("An item without a known SKU needs a price."), field=f"{place}.price")
    tax_class = variant.product.tax_class if variant else None
    rule = taxes.rule(tax_class, draft, destination)
    includes_tax = order.prices_include_tax if row.price_includes_tax is None else row.price_includes_tax
    category, rate = rule.category, rule.rate
    if row.vat_rate is not None and rule.category == VatCategory.STANDARD:
        category, rate = (VatCategory.STANDARD if row.vat_rate else VatCategory.ZERO), row.vat_rate
    if row.vat_category:
        category, rate = row.vat_category, row.vat_rate or Decimal(0)
    price = row.price
    if price is None and variant is not None:
        price = variant.price if row.catalogue_price is None else row.catalogue_price
        domestic = taxes.domestic_rate(tax_class)
        if includes_tax and category != VatCategory.STANDARD and domestic:
            # The catalogue price holds the shop's own VAT; a buyer who owes none pays the net price.
            price = round_money(price / (1 + domestic / 100), order.currency)
    assert price is not None
    if not price.is_finite() or not 0 <= price <= MOST_MONEY:
        raise InvalidWish(_("Enter a price of 0 or more."), field=f"{place}.price")
    line = OrderLine(
        position=position,
        variant=variant,
        external_id=row.external_id,
        product_external_id=row.product_external_id,
        sku=row.sku or (variant.sku if variant else ""),
        name=name,
        quantity=row.quantity,
        price=price,
        product_price=variant.price if variant else None,
        cost=variant.cost if variant else None,
        weight=row.weight if row.weight is not None else (variant.weight if variant else None),
        is_digital=row.is_digital if row.is_digital is not None else bool(variant and variant.product.is_digital),
        price_includes_tax=includes_tax,
        vat_category=category,
        vat_rate=rate,
        vat_country=rule.country,
        line_discount=row.discount,
        options=list(row.options),
        attributes=list(row.attributes),
        image_url=row.image_url,
        additional=row.additional,
        stock_followed=variant is not None,
    )
    line.requires_shipping = not line.is_digital if row.requires_shipping is None else row.requires_shipping
    _take_line_discount(row, line, place, order.currency)
    return line


def _take_line_discount(row: DraftLine, line: OrderLine, place: str, currency: str) -> None:
    if row.discount_percent is None:
        if not 0 <= row.discount <= line.amount:
            raise InvalidWish(_("The discount is higher than the item."), field=f"{place}.discount")
        return
    if not 0 <= row.discount_percent <= 100:
        raise InvalidWish(_("Enter a discount of 0 or more, at most 100 %."), field=f"{place}.discount")
    line.line_discount = round_money(line.amount * row.discount_percent / 100, currency)


def _discounts(draft: OrderDraft, lines: Sequence[OrderLine], currency: str) -> tuple[list[OrderDiscount], Decimal, Decimal]:
    base = sum((line.amount - line.line_discount for line in lines), Decimal(0))
    rows, coupon, other = [], Decimal(0), Decimal(0)
    for index, row in enumerate(draft.discounts):
        if not row.value.is_finite() or row.value < 0 or (row.kind == "PERCENT" and row.value > 100):
            raise InvalidWish(_("Enter a discount of 0 or more, at most 100 %."), field=f"discounts[{index}].value")
        amount = round_money(base * row.value / 100 if row.kind == "PERCENT" else row.value, currency)
        rows.append(
            OrderDiscount(label=row.label, kind=row.kind, base="COUPON" if row.is_coupon else row.base, value=row.value, amount=amount)
        )
        coupon, other = (coupon + amount, other) if row.is_coupon else (coupon, other + amount)
    return rows, coupon, other


def _price_delivery(order: Order, draft: OrderDraft) -> None:
    method = ShippingMethod.objects.select_related("carrier").filter(name=draft.shipping_method).first() if draft.shipping_method else None
    cost = draft.shipping_cost
    if method is not None:
        order.delivery_kind = draft.delivery_kind or method.kind
        order.shipping_carrier = draft.shipping_carrier or (method.carrier.name if method.carrier else "")
        order.delivery_instructions = draft.delivery_instructions or method.instructions
        cost = method.rate if cost is None else cost
    order.shipping_cost = round_money(cost or Decimal(0), order.currency)
    if not 0 <= order.shipping_cost <= MOST_MONEY or not 0 <= draft.handling_fee <= MOST_MONEY:
        raise InvalidWish(_("Enter a shipping cost of 0 or more."), field="shipping_cost")


def _surcharge(row: DraftSurcharge, index: int) -> OrderSurcharge:
    surcharge = OrderSurcharge(
        kind=row.kind,
        label=row.label,
        amount=row.amount,
        vat_category=row.vat_category,
        vat_rate=row.vat_rate,
    )
    if not surcharge.amount.is_finite() or not 0 <= surcharge.amount <= MOST_MONEY:
        raise InvalidWish(_("Enter an amount of 0 or more."), field=f"surcharges[{index}].amount")
    return surcharge


def _vat(order: Order, lines: Iterable[OrderLine], surcharges: Iterable[OrderSurcharge], discount: Decimal) -> VatResult:
    includes = order.prices_include_tax
    taxed = [
        TaxedLine(
            amount=line.amount - line.line_discount,
            category=line.vat_category,
            rate=line.vat_rate or Decimal(0),
            country=line.vat_country,
            includes_tax=line.price_includes_tax,
        )
        for line in lines
    ]
    charges = [Charge(amount=order.shipping_cost, includes_tax=includes, kind="shipping")] if order.shipping_cost else []
    if order.handling_fee:
        charges.append(Charge(amount=order.handling_fee, includes_tax=includes, kind="handling"))
    for row in surcharges:
        if row.kind == OrderSurcharge.Kind.SURCHARGE and row.amount:
            charges.append(
                Charge(amount=row.amount, category=row.vat_category or None, rate=row.vat_rate, includes_tax=includes, kind="surcharge")
            )
    return compute_vat(taxed, discount=discount, charges=charges, currency=order.currency)


def _share(lines: Sequence[OrderLine], vat: VatResult, *, coupon: Decimal, other: Decimal, currency: str) -> None:
    shares = vat.discount_shares
    coupons = split_by_largest_remainder(coupon, [abs(share) for share in shares], exponent=exponent(currency)) if coupon else None
    for index, line in enumerate(lines):
        line.tax = vat.line_vats[index]
        line.coupon_share = coupons[index] if coupons else Decimal(0)
        line.discount_share = shares[index] - line.coupon_share


def _total(priced: PricedDraft, draft: OrderDraft) -> None:
    order = priced.order
    if draft.totals is not None:
        stored = draft.totals
        order.subtotal, order.total, order.tax = stored.subtotal, stored.total, stored.tax
        order.discount, order.coupon_discount = stored.discount, stored.coupon_discount
        computed = sum((line.amount for line in priced.lines), Decimal(0))
        if computed != order.subtotal:
            priced.warnings.append(f"subtotal: {order.subtotal} ≠ {computed}")
        if expected_total(order) != order.total:
            priced.warnings.append(f"total: {order.total} ≠ {expected_total(order)}")
        order.totals_warning = priced.warnings
        return
    before = expected_total(order) + order.gift_card_amount
    if not 0 <= draft.gift_card_amount <= before:
        raise InvalidWish(_("The gift card pays at most the total."), field="gift_card_amount")
    order.total = before - order.gift_card_amount


def _addresses(draft: OrderDraft) -> list[OrderAddress]:
    rows = []
    for kind, person in ((OrderAddress.Kind.BILLING, draft.billing), (OrderAddress.Kind.SHIPPING, draft.shipping)):
        if person is not None and person != Person():
            rows.append(OrderAddress(kind=kind, **{name: getattr(person, name) for name in Person.__dataclass_fields__}))
    return rows
