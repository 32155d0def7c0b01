"""The facts of a mail: plain values and blocks in the mail's language. A text may use these names and no others."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from invoices.wording import long_date
from notifications.blocks import Block
from notifications.telling import places, tables
from notifications.telling.story import Story
from notifications.telling.voice import Voice, count_of, office_url, options_of, rows_of, safe_url
from notifications.templating import MOST_ROWS
from notifications.wording import WORDS
from orders.choices import DeliveryKind
from orders.drafts import OrderDraft
from orders.models import Draft, Note, Order, Shop, Variant
from orders.money import format_money

NOTE_ANCHOR = "#note-of-this-mail"

Makers = Mapping[str, Callable[[], Any]]


@dataclass(frozen=True)
class Crossing:
    """A variant whose available pieces fell to or below its limit."""

    variant: Variant
    before: int
    available: int
    on_hand: int
    committed: int


def facts_of(story: Story, language: str, wanted: Collection[str] | None = None) -> dict[str, Any]:
    """The facts of a mail about an order; with `wanted` (names such as "order.totals") only those are worked out."""
    voice = Voice(story, language)
    order = story.order
    groups: dict[str, Makers] = {
        "shop": _shop(story.shop),
        "customer": _constants({"name": order.customer_name.strip(), "email": order.email, "phone": order.phone}),
        "order": _order(voice),
        "amounts": _constants({"total": story.total, "paid": story.paid, "balance": story.balance, "refunded": story.refunded}),
        "change": _change(voice),
        "pickup": _whole(places.pickup_facts, voice),
        "shipment": _whole(places.shipment_facts, voice),
        "refund": _whole(tables.refund_facts, voice),
        "downloads": _whole(places.download_facts, voice),
        "document": _whole(tables.document_facts, voice),
        "bank": {"facts": lambda: places.bank_block(voice)},
        "staff": _constants({"addresses": ", ".join(story.shop.staff_address_list)}),
    }
    facts = _made(groups, wanted)
    facts["message"] = story.message.strip()
    facts["items"] = [
        {"name": line.name, "sku": line.sku, "quantity": voice.pieces(line), "options": options_of(line, language)}
        for line in (story.lines[:MOST_ROWS] if wanted is None or "items" in wanted else ())
    ]
    facts["taxes"] = [{"name": voice.words["tax"], "amount": voice.money(story.tax)}] if story.tax else []
    facts["shipments"] = [
        {"carrier": parcel.carrier, "tracking": parcel.tracking_number, "url": safe_url(parcel.tracking_url)}
        for parcel, _rows in list(story.parcels)[:MOST_ROWS]
    ]
    return facts


def cart_facts(draft: Draft, body: OrderDraft, shop: Shop, language: str) -> dict[str, Any]:
    """The facts of a reminder of an unfinished cart."""
    words = WORDS[language]

    def money(amount: Decimal) -> str:
        return format_money(amount, draft.currency, language)

    rows = [
        {
            "name": line.name or line.sku,
            "option": options_of(line, language),
            "quantity": line.quantity,
            "amount": money(line.price * line.quantity) if line.price is not None else "",
        }
        for line in body.lines[: tables.MOST_LINES]
    ]
    table = {
        "title": words["in_cart"],
        "head_item": words["in_cart"],
        "head_quantity": words["quantity"],
        "head_amount": words["amount"],
        "rows": rows,
        "totals_follow": bool(draft.total),
    }
    totals = {"rows": [], "total_label": words["total"], "total": money(draft.total), "note": words["without_shipping"]}
    until = long_date(draft.expires_at.astimezone(ZoneInfo(shop.time_zone)).date(), language) if draft.expires_at else ""
    cart = {
        "count": count_of(words, "item", sum(line.quantity for line in body.lines), language),
        "total": money(draft.total) if draft.total else "",
        "until": until,
        "url": safe_url(shop.website),
        "lines_table": Block("lines", table, shows=bool(rows)),
        "totals": Block("totals", totals, shows=bool(draft.total)),
    }
    name = draft.customer_name or body.customer_name
    return _made({"shop": _shop(shop)}, None) | {"customer": {"name": name, "email": draft.email}, "cart": cart} | _no_lists()


def stock_facts(crossing: Crossing, order_number: str, shop: Shop, language: str) -> dict[str, Any]:
    """The facts of the mail that tells staff about low stock."""
    words, variant = WORDS[language], crossing.variant
    rows = rows_of(
        (words["sku"], variant.sku),
        (words["variant"], variant.label),
        (words["on_hand"], str(crossing.on_hand)),
        (words["committed"], str(crossing.committed)),
        (words["available_label"], str(crossing.available)),
        (words["limit"], str(variant.low_stock_limit)),
        (words["at_zero"], words["sale_allowed" if variant.allows_oversell else "sale_refused"]),
    )
    stock = {
        "product": str(variant),
        "sku": variant.sku,
        "before": crossing.before,
        "available": crossing.available,
        "on_hand": crossing.on_hand,
        "committed": crossing.committed,
        "limit": variant.low_stock_limit,
        "url": office_url("admin:orders_variant_change", variant.pk),
        "facts": Block("facts", {"rows": rows}),
    }
    staff = {"addresses": ", ".join(shop.staff_address_list)}
    return _made({"shop": _shop(shop)}, None) | {"stock": stock, "order": {"number": order_number}, "staff": staff} | _no_lists()


def note_facts(note: Note, order: Order, shop: Shop, language: str) -> dict[str, Any]:
    """The facts of the mail that tells a colleague that a note names them. The address ends in `NOTE_ANCHOR` until the note is saved."""
    page = office_url("admin:orders_order_change", order.pk) if order.pk else _by_number(order.number)
    facts = {"author": note.author_name or shop.name, "text": note.text, "url": f"{page}{NOTE_ANCHOR}"}
    about = {"number": order.number, "customer": order.customer_name or order.email or order.phone}
    return _made({"shop": _shop(shop)}, None) | {"note": facts, "order": about} | _no_lists()


def account_facts(person: Any, *, link: str, sender: str, days: int, shop: Shop) -> dict[str, Any]:
    """The facts of a mail about the account of one of the staff."""
    facts = {
        "name": person.get_full_name(),
        "username": person.get_username(),
        "email": person.email,
        "url": link,
        "sender": sender or shop.name,
        "days": days,
    }
    return _made({"shop": _shop(shop)}, None) | {"account": facts} | _no_lists()


def _made(groups: Mapping[str, Makers], wanted: Collection[str] | None) -> dict[str, Any]:
    """Values of the groups; a maker that gives a whole group is asked once."""
    facts: dict[str, Any] = {}
    for group, makers in groups.items():
        names = [name for name in makers if wanted is None or name == "*" or f"{group}.{name}" in wanted]
        if "*" in makers:
            used = wanted is None or any(name.startswith(f"{group}.") for name in wanted)
            facts[group] = makers["*"]() if used else {}
        else:
            facts[group] = {name: makers[name]() for name in names}
    return facts


def _constants(values: Mapping[str, Any]) -> Makers:
    return {name: partial(_same, value) for name, value in values.items()}


def _same(value: Any) -> Any:
    return value


def _whole(make: Callable[[Voice], Any], voice: Voice) -> Makers:
    return {"*": lambda: make(voice)}


def _no_lists() -> dict[str, list]:
    return {"items": [], "taxes": [], "shipments": []}


def _shop(shop: Shop) -> Makers:
    address, website = places.shop_address(shop), safe_url(shop.website)
    return _constants({"name": shop.name, "phone": shop.phone, "email": shop.email, "website": website, "address": address})


def _order(voice: Voice) -> Makers:
    story, order, words, language = voice.story, voice.order, voice.words, voice.language
    place = story.address("shipping") or story.address("billing")
    shipped = any(line.requires_shipping for line in story.lines) and order.delivery_kind != DeliveryKind.PICKUP
    return _constants(
        {
            "number": order.number,
            "method": voice.pays_by,
            "shipping": order.shipping_method.strip(),
            "city": place.city if place else "",
            "currency": order.currency,
            "payment": story.payment.name_in(language),
            "fulfilment": story.fulfilment.name_in(language),
            "comment": order.customer_comment.strip(),
            "is_shipped": shipped,
            "is_collected": order.delivery_kind == DeliveryKind.PICKUP,
        }
    ) | {  # type: ignore[operator]
        "date": lambda: voice.day(order.placed_at),
        "time": lambda: voice.clock(order.placed_at),
        "placed_at": lambda: order.placed_at.astimezone(voice.zone),
        "total": lambda: voice.money(story.total),
        "balance": lambda: voice.money(story.balance) if story.balance else "",
        "paid": lambda: voice.money(story.paid) if story.paid > 0 else "",
        "count": lambda: voice.count,
        "admin_url": lambda: office_url("admin:orders_order_change", order.pk) if order.pk else _by_number(order.number),
        "status_line": lambda: _status_block(voice, "status", ""),
        "status_change": lambda: _status_block(voice, "status-main", _before(voice)),
        "lines_table": lambda: tables.lines_table(voice, words["your_order"], with_amounts=True),
        "items_table": lambda: tables.lines_table(voice, words["items"], with_amounts=True, with_sku=True),
        "totals": lambda: tables.totals_block(voice),
        "addresses": lambda: places.addresses_block(voice),
        "summary": lambda: places.summary_block(voice),
        "customer_facts": lambda: places.customer_block(voice),
        "stock": lambda: tables.stock_block(voice),
        "files": lambda: tables.files_block(voice),
    }


def _by_number(number: str) -> str:
    """An order that is not saved yet has no page; searching for its number leads to it once it is."""
    return f"{office_url('admin:orders_order_changelist')}?q={number}"


def _change(voice: Voice) -> Makers:
    story = voice.story
    changed = story.fulfilment if story.fulfilment_before is not None else story.payment
    return _constants({"status": changed.name_in(voice.language), "reason": story.reason.strip()}) | {  # type: ignore[operator]
        "date": lambda: voice.day(story.now),
        "time": lambda: voice.clock(story.now),
    }


def _before(voice: Voice) -> str:
    told, day = [], voice.day(voice.story.now)
    for axis, before in (("payment", voice.story.payment_before), ("fulfilment", voice.story.fulfilment_before)):
        if before is not None:
            told.append(voice.words[f"{axis}_was"].format(status=before.name_in(voice.language), date=day))
    return " ".join(told)


def _status_block(voice: Voice, size: str, was: str) -> Block:
    values = {
        "size": size,
        "payment_word": voice.words["payment"],
        "fulfilment_word": voice.words["fulfilment"],
        "payment": voice.story.payment.name_in(voice.language),
        "fulfilment": voice.story.fulfilment.name_in(voice.language),
        "was": was,
    }
    return Block("status", values)
