"""An order as the invoice it would become: every fact copied, every amount computed, nothing saved."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import override

from invoices import wording
from invoices.models import Invoice, InvoiceLine, InvoiceVatGroup, SellerProfile
from invoices.services.reducing import Reduced, TakenOff, amount_to_invoice, reduced, with_cents
from invoices.services.seller import seller_facts
from invoices.wording import clean
from orders.choices import DeliveryKind
from orders.models import Order, OrderAddress, OrderLine, OrderSurcharge, Shop
from orders.money import exponent, format_money, format_percent, quantum, round_money
from orders.tax import Share, UnusableTaxes, VatResult, is_eu, vat_of_import, vat_of_order

TEMPLATE_VERSION = 1
SNAPSHOT_VERSION = 1
KEPT_YEARS = 10  # C. com. L123-22


@dataclass
class DocumentDraft:
    """A document without number, date of issue or hash. `tax_problem` says why the VAT of an order can't be told."""

    invoice: Invoice
    lines: list[InvoiceLine] = field(default_factory=list)
    groups: list[InvoiceVatGroup] = field(default_factory=list)
    tax_problem: str = ""
    expected: Decimal = Decimal(0)  # the gross as the order says it, less what refunds took off


@dataclass
class OrderParts:
    """What the draft reads of an order, in a constant number of queries."""

    lines: list[OrderLine]
    addresses: dict[str, OrderAddress]
    surcharges: list[OrderSurcharge]

    @classmethod
    def of(cls, order: Order) -> "OrderParts":
        return cls(
            lines=list(order.lines.filter(is_removed=False).order_by("position", "id")),
            addresses={address.kind: address for address in order.addresses.all()},
            surcharges=list(order.surcharges.order_by("id")),
        )

    @property
    def billing(self) -> OrderAddress | None:
        return self.addresses.get("billing") or self.addresses.get("shipping")


def today_in(shop: Shop, now: datetime) -> date:
    """The day of issue: in the shop's time zone, so that New Year's Eve falls into the right year."""
    return now.astimezone(ZoneInfo(shop.time_zone)).date()


def vat_of(order: Order, parts: OrderParts) -> VatResult:
    """VAT of an order for its invoice. Raises UnusableTaxes for imported orders whose data can't carry one."""
    if order.source != Order.OWN:
        return vat_of_import(order, parts.lines, parts.surcharges)
    try:
        return vat_of_order(order, parts.lines, parts.surcharges)
    except ValueError as error:
        raise UnusableTaxes(_("The discounts of this order are higher than its items.")) from error


def draft_invoice(order: Order, *, shop: Shop, seller: SellerProfile, now: datetime) -> DocumentDraft:
    """The invoice that `order` would get today. Reads only."""
    parts = OrderParts.of(order)
    language = wording.document_language(order.language, shop)
    invoice = _header(order, parts, shop=shop, seller=seller, language=language, day=today_in(shop, now))
    taken = TakenOff.of(order)
    draft = DocumentDraft(invoice, expected=amount_to_invoice(order, taken.amount))
    with override(language):
        less = reduced(order, parts.lines, parts.surcharges, taken)
    if parts.lines and not less.lines:
        draft.tax_problem = _("Refunds took every item off this order: nothing is left to invoice.")
        return draft
    parts = OrderParts(less.lines, parts.addresses, less.surcharges)
    try:
        vat = with_cents(vat_of(less.order, parts), less.cents)
    except UnusableTaxes as error:
        draft.tax_problem = str(error)
        return draft
    invoice.lines_net, invoice.allowance_net, invoice.charge_net = vat.lines_net, vat.allowance_net, vat.charge_net
    invoice.net, invoice.vat, invoice.gross = vat.net, vat.vat, vat.gross
    invoice.due = min(max(round_money(order.balance_due, order.currency), Decimal(0)), vat.gross)
    invoice.paid = vat.gross - invoice.due
    with override(language):
        draft.lines = _lines(less, parts, vat, seller=seller, language=language)
        draft.groups = [
            InvoiceVatGroup(
                tax_country=group.country,
                category=group.category,
                rate=group.rate,
                base=group.base,
                vat=group.vat,
                exemption_code=wording.exemption_code(group.category, seller),
                exemption_text=wording.exemption_text(group.category, seller, language),
            )
            for group in vat.groups
        ]
        _say_how_to_pay(invoice, order, seller=seller, language=language, shop=shop)
        invoice.notes = _notes(draft, seller=seller, language=language)
    nature = _nature(parts.lines)
    invoice.process = nature + ("2" if not invoice.due else "1")
    return draft


def _header(order: Order, parts: OrderParts, *, shop: Shop, seller: SellerProfile, language: str, day: date) -> Invoice:
    billing = parts.billing
    is_business = bool(order.tax_id or (billing and billing.company))
    buyer = _person(billing, order.customer_name) | {
        "vat_id": clean(order.tax_id),
        "vat_id_valid": order.tax_id_valid,
        "siren": _siren_of(order.tax_id, str(billing.country) if billing else ""),
        "email": clean(order.email),
        "phone": clean(order.phone),
        "reference": clean(order.po_number),
    }
    supply = _supply_date(order, parts, shop, day)
    return Invoice(
        kind=Invoice.Kind.INVOICE,
        is_test=order.is_test,
        order=order,
        order_number=order.number,
        order_version=order.version,
        locale=language,
        currency=order.currency,
        exponent=exponent(order.currency),
        process="B1",
        tax_point_code="5" if seller.vat_on_debits else "",
        issue_date=day,
        supply_date=supply,
        due_date=day + timedelta(days=seller.payment_terms_days),
        buyer_kind=Invoice.BuyerKind.BUSINESS if is_business else Invoice.BuyerKind.CONSUMER,
        buyer_name=buyer["company"] or buyer["name"],
        buyer_country=buyer["country"],
        seller=seller_facts(seller, shop),
        buyer=buyer,
        ship_to=_ship_to(order, parts),
        tax_id_check={"vat_id": clean(order.tax_id), "valid": order.tax_id_valid} if order.tax_id else {},
        snapshot_version=SNAPSHOT_VERSION,
        template_version=TEMPLATE_VERSION,
        retain_until=retain_until(day, seller.fiscal_year_start_month),
        payment={},
        notes=[],
    )


def retain_until(day: date, first_month: int) -> date:
    """Last day of the business year of `day`, ten years on."""
    end_year = day.year if day.month >= first_month else day.year - 1
    start_next = date(end_year + 1, first_month, 1)
    return start_next.replace(year=start_next.year + KEPT_YEARS) - timedelta(days=1)


def _person(address: OrderAddress | None, name: str) -> dict[str, Any]:
    fields = ("company", "street", "street2", "postcode", "city", "state_name")
    person = {key: clean(getattr(address, key)) if address else "" for key in fields}
    person["name"] = clean((address.name if address else "") or name)
    person["country"] = str(address.country) if address else ""
    person["phone"] = clean(address.phone) if address else ""
    return person


def _siren_of(tax_id: str, country: str) -> str:
    """A French VAT id ends with the SIREN of its holder."""
    compact = "".join(tax_id.split()).upper()
    return compact[-9:] if compact.startswith("FR") and len(compact) == 13 and compact[-9:].isdigit() else ""


def _ship_to(order: Order, parts: OrderParts) -> dict[str, Any]:
    shipping, billing = parts.addresses.get("shipping"), parts.addresses.get("billing")
    needs = any(line.requires_shipping and not line.is_digital for line in parts.lines)
    place: dict[str, Any] = {
        "kind": order.delivery_kind or (DeliveryKind.SHIPPING if needs else ""),
        "method": clean(order.shipping_method),
    }
    if order.delivery_kind == DeliveryKind.PICKUP:
        return place | {"same": False, "pickup": clean(order.delivery_instructions), "country": ""}
    person = _person(shipping or billing, order.customer_name)
    same = shipping is None or billing is None or shipping.as_lines() == billing.as_lines()
    return place | person | {"same": same}


def _supply_date(order: Order, parts: OrderParts, shop: Shop, day: date) -> date | None:
    """Day of supply (CGI ann. II 242 nonies A, 10°): the last parcel's, else a delivery date agreed for the past, else today.

    None before goods leave: that day is not determined yet, and the article asks for none then.
    """
    parcels = list(order.shipments.filter(voided_by=None).values_list("shipped_at", flat=True))
    moments = [moment.astimezone(ZoneInfo(shop.time_zone)).date() for moment in parcels if moment]
    if moments:
        return min(max(moments), day)
    if order.delivery_on and order.delivery_on <= day:
        return order.delivery_on
    has_goods = any(line.requires_shipping and not line.is_digital for line in parts.lines)
    return None if has_goods and not order.fulfilment_status.goods_left else day


def _nature(lines: Sequence[OrderLine]) -> str:
    """B goods, S services (what is delivered by electronic means is one), M both."""
    digital = {line.is_digital for line in lines}
    return "M" if len(digital) > 1 else "S" if digital == {True} else "B"


def _lines(less: Reduced, parts: OrderParts, vat: VatResult, *, seller: SellerProfile, language: str) -> list[InvoiceLine]:
    rows, order = [], less.order
    places = exponent(order.currency)
    for line, net, share in zip(parts.lines, vat.line_nets, vat.discount_shares, strict=True):
        rate = line.vat_rate if line.vat_rate is not None else Decimal(0)
        factor = 1 + rate / 100 if line.price_includes_tax else Decimal(1)
        imported = order.source != Order.OWN
        own_discount = Decimal(0) if imported else line.line_discount
        discount_net = round_money(own_discount / factor, order.currency)
        rows.append(
            InvoiceLine(
                kind=InvoiceLine.Kind.LINE,
                order_line_id=line.pk,
                sku=clean(line.sku),
                name=clean(line.name),
                options=clean(option_text(line)),
                quantity=Decimal(line.quantity),
                unit_price=line.price,
                unit_net=unit_net(net + discount_net, Decimal(line.quantity), places),
                price_includes_tax=line.price_includes_tax,
                discount=own_discount,
                discount_net=discount_net,
                amount_input=round_money(line.amount - own_discount, order.currency),
                allowance_share=share,
                net=net,
                vat_category=line.vat_category or ("S" if rate else "Z" if line.vat_rate is not None else ""),
                vat_rate=rate,
                tax_country=line.vat_country,
                exemption_code=wording.exemption_code(line.vat_category, seller),
                exemption_text=wording.exemption_text(line.vat_category, seller, language),
                is_digital=line.is_digital,
            )
        )
    rows += [_share_row(share, InvoiceLine.Kind.ALLOWANCE, _discount_name(less, language), "95") for share in vat.allowances]
    names = _charge_names(order, parts.surcharges)
    rows += [_share_row(share, InvoiceLine.Kind.CHARGE, names[share.index], "FC") for share in vat.charges]
    for position, row in enumerate(rows, 1):
        row.position = position
    return rows


def _share_row(share: Share, kind: str, name: str, reason_code: str) -> InvoiceLine:
    return InvoiceLine(
        kind=kind,
        name=name,
        price_includes_tax=share.includes_tax,
        amount_input=share.amount,
        net=share.net,
        vat_category=share.category,
        vat_rate=share.rate,
        tax_country=share.country,
        reason_code=reason_code,
    )


def option_text(line: OrderLine) -> str:
    """Options as one line: "Colour: mist blue · Finish: matt"; French puts a no-break space before the colon."""
    joint = _("%(name)s: %(value)s")
    return " · ".join(joint % {"name": option.get("name", ""), "value": option["value"]} for option in line.options if option.get("value"))


def _discount_name(less: Reduced, language: str) -> str:
    """What the discount was: "Discount WELCOME, 5%"."""
    order = less.order
    rows = list(order.discounts.all())
    if less.is_loose:
        return _("Discounts and refunds") if rows or order.coupon_code else _("Refunded before")
    rate = rows[0].value if len(rows) == 1 and rows[0].kind == "PERCENT" else None
    name = clean(order.coupon_code) if order.coupon_code else clean(rows[0].label) if len(rows) == 1 else ""
    label = _("Discount %(name)s") % {"name": name} if name else _("Discount")
    return f"{label}, {format_percent(rate, language)}" if rate else label


def _charge_names(order: Order, surcharges: Sequence[OrderSurcharge]) -> list[str]:
    """Names of the charges in the order in which orders/tax.py numbers them."""
    names = []
    if order.shipping_cost:
        method = clean(order.shipping_method)
        names.append(_("Shipping, %(method)s") % {"method": method} if method else _("Shipping"))
    if order.handling_fee:
        names.append(_("Handling"))
    names += [clean(row.label) or _("Surcharge") for row in surcharges if row.kind != OrderSurcharge.Kind.TIP]
    return names


def unit_net(amount: Decimal, quantity: Decimal, places: int) -> Decimal:
    """Net price of a piece with the fewest of 2, 4 or 6 decimals that gives the amount again (BR-FR-DEC-03)."""
    exact = amount / quantity
    for decimals in (max(places, 2), 4, 6):
        price = exact.quantize(quantum(decimals))
        if abs(price * quantity - amount) <= Decimal("0.005"):
            return price
    return exact.quantize(quantum(6))


def _say_how_to_pay(invoice: Invoice, order: Order, *, seller: SellerProfile, language: str, shop: Shop) -> None:
    payments = list(order.payments.filter(reverses=None, reversed_by=None).order_by("-received_at")[:2])
    last = payments[0] if payments else None
    paid_on = last.received_at.astimezone(ZoneInfo(shop.time_zone)).date() if last else None
    method = clean((last.method if last else "") or order.payment_method)
    if not invoice.gross:
        text = _("Nothing to pay.")
        invoice.due_date = None
    elif not invoice.due:
        invoice.due_date = None
        day = wording.long_date(paid_on, language)
        if method and paid_on:
            words = _("Paid. The last payment came by %(method)s on %(day)s.") if payments[1:] else _("Paid by %(method)s on %(day)s.")
            text = words % {"method": method, "day": day}
        elif payments[1:]:
            text = _("Paid. The last payment came on %(day)s.") % {"day": day}
        else:
            text = _("Paid on %(day)s.") % {"day": day} if paid_on else _("Paid.")
    else:
        text = _("To be paid by %(day)s.") % {"day": wording.long_date(invoice.due_date, language)}
        if invoice.paid:
            text += " " + _("%(amount)s received.") % {"amount": format_money(invoice.paid, order.currency, language)}
    transfer = bool(invoice.due and seller.iban)
    invoice.payment = {
        "method": method,
        "paid_on": paid_on.isoformat() if paid_on else "",
        "text": text,
        "gift_card": f"{order.gift_card_amount.normalize():f}" if order.gift_card_amount else "",
        "iban": "".join(seller.iban.split()) if transfer else "",
        "bic": seller.bic if transfer else "",
        "holder": seller.legal_name if transfer else "",
    }


def _notes(draft: DocumentDraft, *, seller: SellerProfile, language: str) -> list[str]:
    invoice = draft.invoice
    to_business = invoice.buyer_kind != Invoice.BuyerKind.CONSUMER
    notes = []
    taxed = [line for line in draft.lines if line.kind == InvoiceLine.Kind.LINE and line.vat_rate]
    if any(line.price_includes_tax for line in taxed):
        notes.append(_("Prices were converted from the order's prices including VAT; the totals are those of the order."))
    home = str(seller.country)
    abroad = invoice.buyer_country not in ("", home) and is_eu(invoice.buyer_country) and is_eu(home)
    if abroad and not to_business and any(group.category == "S" and group.tax_country == home for group in draft.groups):
        notes.append(
            _(
                "VAT of the seller's country applies: distance sales within the EU below the yearly threshold of €10,000 "
                "(Article 59c of Directive 2006/112/EC)."
            )
        )
    return notes + wording.note_texts(seller, language=language, to_business=to_business)
