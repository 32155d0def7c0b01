"""The order sheet and the packing slip: printed from the order as it is now, never stored, never numbered."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override, pgettext

from invoices import wording
from invoices.documents import Block, Fact, Page, Row, address_lines, job_of, letterhead
from invoices.images import bar_code
from invoices.models import SellerProfile
from invoices.pdf import Job
from invoices.services.drafting import OrderParts, option_text
from invoices.services.seller import seller_facts
from invoices.wording import clean, long_date
from orders.choices import DeliveryKind
from orders.models import Order, OrderAddress, OrderLine, OrderSurcharge, Shipment, Shop
from orders.money import format_money, format_number

GIFT_WORDS = ("gift", "cadeau")


def order_sheet(order: Order, *, language: str, with_notes: bool = True) -> Job:
    """Everything a shop needs to work on an order, on paper. It is not an invoice and says so."""
    facts = letter_facts()
    with override(language):
        page = _order_page(order, facts, language, with_notes=with_notes)
    return job_of(page, "documents/order_sheet.html", logo=facts["logo"], identifier="")


def packing_slip(order: Order, *, language: str, shipment: Shipment | None = None) -> Job:
    """What goes into the parcel: pieces without prices; with `shipment` only its pieces."""
    facts = letter_facts()
    with override(language):
        page = _packing_page(order, facts, language, shipment)
    return job_of(page, "documents/packing_slip.html", logo=facts["logo"], identifier="")


def letter_facts() -> dict:
    """The seller's facts, the shop's own address where the invoice settings are empty."""
    shop = Shop.current()
    facts = seller_facts(SellerProfile.current(), shop)
    if not facts["street"] and not facts["city"]:
        facts |= {name: clean(getattr(shop, name)) for name in ("street", "postcode", "city")} | {"country": str(shop.country)}
    return facts


def _order_page(order: Order, facts: dict, language: str, *, with_notes: bool) -> Page:
    shop = Shop.current()
    parts = OrderParts.of(order)
    money = _writer(order, language)
    base = letterhead(facts, language)
    placed = wording.long_moment(order.placed_at, language, shop.time_zone)
    title = _("Order %(number)s") % {"number": order.number}
    untaxed = not order.tax and all(line.vat_rate == 0 for line in parts.lines)
    includes_vat = order.prices_include_tax and not untaxed
    unit = _("amounts in %(currency)s, VAT included") if includes_vat else _("amounts in %(currency)s, excluding VAT")
    comment = clean(order.customer_comment)
    return Page(
        **(base | {"window": "none", "thanks": "", "intro": ""}),
        title=title,
        heading=title,
        running_right=long_date(order.placed_at.astimezone(ZoneInfo(shop.time_zone)).date(), language),
        is_test=order.is_test,
        statuses=(
            Fact(_("Placed on"), placed),
            Fact(_("Payment"), order.payment_status.name_in(language)),
            Fact(_("Fulfilment"), order.fulfilment_status.name_in(language)),
        ),
        blocks=_order_blocks(order, parts, language, facts["country"]),
        caption=pgettext("document", "Items"),
        unit=unit % {"currency": wording.currency_name(order.currency, language)},
        unit_label=_("Unit price"),
        amount_label=_("Amount"),
        rows=priced_rows(parts.lines, order.currency, language),
        sums=order_sums(order, parts.surcharges, money),
        comment=comment,
        staff_notes=_staff_notes(order, language, shop) if with_notes else (),
    )


def _order_blocks(order: Order, parts: OrderParts, language: str, home: str) -> tuple[Block, ...]:
    contact = [clean(order.email), clean(order.phone)]
    billing = address_of(parts.addresses.get("billing"), language, home) or ((clean(order.customer_name),) if order.customer_name else ())
    blocks = [Block(_("Customer"), tuple(line for line in (*billing, *contact) if line))]
    if order.delivery_kind == DeliveryKind.PICKUP:
        blocks.append(Block(_("Pickup"), tuple(filter(None, [clean(order.shipping_method), clean(order.delivery_instructions)]))))
    elif any(line.requires_shipping for line in parts.lines):
        shipping = address_of(parts.addresses.get("shipping"), language, home) or (_("To the billing address"),)
        blocks.append(Block(_("Deliver to"), shipping))
    else:
        blocks.append(Block(_("Delivery"), (_("By electronic means"),)))
    payment = [clean(order.payment_method)]
    if order.gift_card_amount:
        payment.append(_("Gift card %(code)s") % {"code": clean(order.gift_card_code)})
    blocks.append(Block(pgettext("document", "Payment"), tuple(line for line in payment if line) or ("–",)))
    method = ", ".join(filter(None, [clean(order.shipping_method), clean(order.shipping_carrier)]))
    if method and order.delivery_kind != DeliveryKind.PICKUP:
        blocks.append(Block(_("Delivery method"), (method,)))
    return tuple(blocks)


def priced_rows(lines: Iterable[OrderLine], currency: str, language: str) -> tuple[Row, ...]:
    """The items with their prices, as sheets and quotes list them."""
    return tuple(
        Row(
            sku=clean(line.sku),
            name=clean(line.name),
            options=clean(option_text(line)),
            quantity=str(line.quantity),
            unit=format_money(line.price, currency, language, symbol=False),
            amount=format_money(line.amount, currency, language, symbol=False),
        )
        for line in lines
    )


def order_sums(order: Order, surcharges: Iterable[OrderSurcharge], money: Callable[[Decimal], str]) -> tuple[Fact, ...]:
    """The sums under the items, in the active language; amounts of zero leave no trace."""
    sums = [Fact(_("Items subtotal"), money(order.subtotal))]
    coupon = _("Discount %(name)s") % {"name": clean(order.coupon_code)} if order.coupon_code else _("Coupon")
    optional = [
        (coupon, -order.coupon_discount),
        (_("Discount"), -order.discount),
        (
            _("Shipping, %(method)s") % {"method": clean(order.shipping_method)} if order.shipping_method else _("Shipping"),
            order.shipping_cost,
        ),
        (_("Handling"), order.handling_fee),
    ]
    optional += [
        (clean(row.label) or (_("Tip") if row.kind == OrderSurcharge.Kind.TIP else _("Surcharge")), row.amount) for row in surcharges
    ]
    if not order.prices_include_tax:
        optional.append((_("VAT"), order.tax))
    optional.append((_("Gift card"), -order.gift_card_amount))
    sums += [Fact(name, money(amount)) for name, amount in optional if amount]
    sums[-1] = replace(sums[-1], style="gap")
    sums.append(Fact(_("Total"), money(order.total), "due"))
    if order.prices_include_tax and order.tax:
        sums.append(Fact(_("including VAT"), money(order.tax)))
    if order.paid_total and order.balance_due:
        sums += [Fact(_("Already paid"), money(-order.paid_total)), Fact(_("Amount due"), money(order.balance_due))]
    if order.refunded_total:
        sums.append(Fact(_("Refunded"), money(-order.refunded_total)))
    return tuple(sums)


def _staff_notes(order: Order, language: str, shop: Shop) -> tuple[str, ...]:
    zone = ZoneInfo(shop.time_zone)
    return tuple(
        _("%(day)s, %(author)s: %(text)s")
        % {"day": long_date(note.at.astimezone(zone).date(), language), "author": note.author_name or "–", "text": clean(note.text)}
        for note in order.notes.order_by("-id")[:20]
    )


def _packing_page(order: Order, facts: dict, language: str, shipment: Shipment | None) -> Page:
    shop = Shop.current()
    parts = OrderParts.of(order)
    zone = ZoneInfo(shop.time_zone)
    pieces = _pieces(parts.lines, shipment)
    rows = [(line, pieces[line.pk]) for line in parts.lines if pieces.get(line.pk)]
    count = sum(quantity for _line, quantity in rows)
    parcels = [shipment] if shipment else list(order.shipments.filter(voided_by=None).order_by("-id")[:1])
    facts_shown = [Fact(_("Placed on"), long_date(order.placed_at.astimezone(zone).date(), language))]
    if order.shipping_method:
        facts_shown.append(Fact(_("Delivery method"), clean(order.shipping_method)))
    if parcels and parcels[0].tracking_number:
        facts_shown.append(Fact(_("Tracking"), clean(parcels[0].tracking_number)))
    address = parts.addresses.get("shipping") or parts.addresses.get("billing")
    items = ngettext("%(count)d item", "%(count)d items", count) % {"count": count}
    kinds = ngettext("%(count)d line", "%(count)d lines", len(rows)) % {"count": len(rows)}
    return Page(
        **(letterhead(facts, language) | {"thanks": "", "intro": ""}),
        title=_("Packing slip %(number)s") % {"number": order.number},
        heading=_("Packing slip"),
        number=_("Order %(number)s") % {"number": order.number},
        is_test=order.is_test,
        running_right=long_date(timezone.now().astimezone(zone).date(), language),
        recipient=address_of(address, language, facts["country"]) or ((clean(order.customer_name),) if order.customer_name else ()),
        facts=tuple(facts_shown),
        caption=pgettext("document", "Items"),
        unit=f"{items}, {kinds}",
        rows=tuple(
            Row(sku=clean(line.sku), name=clean(line.name), options=clean(option_text(line)), quantity=str(quantity))
            for line, quantity in rows
        ),
        barcode=bar_code(order.number),
        comment=_gift_message(order),
        not_here=_not_here(parts.lines, pieces, language),
    )


def _pieces(lines: list[OrderLine], shipment: Shipment | None) -> dict[int, int]:
    """Pieces per line: of the parcel, or of all that is shipped or still to be shipped."""
    if shipment:
        return dict(shipment.lines.values_list("line", "quantity"))
    return {line.pk: max(line.open_pieces, 0) for line in lines if line.requires_shipping and not line.is_digital}


def _not_here(lines: list[OrderLine], pieces: dict[int, int], language: str) -> str:
    """What was ordered and is not in this parcel."""
    missing = [(line, line.open_pieces - pieces.get(line.pk, 0)) for line in lines]
    names = [f"{format_number(Decimal(count), language)} × {clean(line.name)}" for line, count in missing if count > 0]
    return _("Not in this parcel: %(items)s.") % {"items": ", ".join(names)} if names else ""


def _gift_message(order: Order) -> str:
    """The extra field that the shop uses for a gift message."""
    for row in order.extra_fields:
        title = str(row.get("title", "")).lower() if isinstance(row, dict) else ""
        if any(word in title for word in GIFT_WORDS) and row.get("value"):
            return clean(row["value"])
    return ""


def address_of(address: OrderAddress | None, language: str, home: str) -> tuple[str, ...]:
    """An address of an order as on an envelope; nothing without one."""
    if address is None:
        return ()
    person = {name: clean(getattr(address, name)) for name in ("name", "company", "street", "street2", "postcode", "city", "state_name")}
    return address_lines(person | {"country": str(address.country)}, language=language, home=home)


def _writer(order: Order, language: str) -> Callable[[Decimal], str]:
    return lambda amount: format_money(amount, order.currency, language)
