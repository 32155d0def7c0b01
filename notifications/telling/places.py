"""Where an order goes and how it is paid: addresses, parcels, pickup, bank details."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote_plus

from invoices.wording import country_name, long_date
from notifications.blocks import Block
from notifications.telling.tables import MOST_LINES, lines_table, table
from notifications.telling.voice import Voice, count_of, options_of, rows_of, safe_url
from orders.choices import DeliveryKind
from orders.models import OrderAddress, Shop
from orders.money import format_number


def addresses_block(voice: Voice) -> Block:
    """Where the order goes, and how it is paid."""
    order, words, story = voice.order, voice.words, voice.story
    place = story.address("shipping") or story.address("billing")
    pickup = order.delivery_kind == DeliveryKind.PICKUP
    lines = voice.shop.pickup_address.splitlines() if pickup else address_lines(voice, place) if place else []
    where = [*lines, order.shipping_method.strip()] if goes_somewhere(voice) else []
    if story.paid > 0:
        paying = words["paid_on"].format(amount=voice.money(story.paid), date=voice.day(order.placed_at))
    elif story.balance:
        paying = words["left_to_pay"].format(amount=voice.money(story.balance))
    else:
        paying = words["nothing_to_pay"]
    where = [line for line in where if line]
    values = {
        "a_title": words["collect_at" if pickup else "deliver_to"] if where else "",
        "a_lines": where,
        "b_title": words["paying"],
        "b_lines": [line for line in (voice.pays_by, paying) if line],
    }
    if not where:
        values = {"a_title": values["b_title"], "a_lines": values["b_lines"], "b_title": "", "b_lines": []}
    return Block("columns", values)


def goes_somewhere(voice: Voice) -> bool:
    """Whether anything of the order is sent or collected: files go nowhere, whatever address the customer left."""
    return any(not line.is_digital for line in voice.story.lines)


def address_lines(voice: Voice, address: OrderAddress) -> list[str]:
    """An address as lines, its country in the mail's language."""
    place = " ".join(part for part in (address.postcode, address.city) if part)
    parts = [
        address.name,
        address.company,
        address.street,
        address.street2,
        place,
        address.state_name or address.state,
        country_name(str(address.country), voice.language),
    ]
    return [part for part in parts if part]


def place_line(voice: Voice) -> str:
    """The address as one line, without the name."""
    address = voice.story.address("shipping") or voice.story.address("billing")
    return ", ".join(address_lines(voice, address)[1 if address.name else 0 :]) if address else ""


def summary_block(voice: Voice) -> Block:
    """The order in two lines: pieces and total, delivery."""
    order, words, story = voice.order, voice.words, voice.story
    pickup = order.delivery_kind == DeliveryKind.PICKUP
    place = story.address("shipping")
    town = " ".join((place.postcode, place.city)).strip() if place and not pickup else ""
    delivery = ", ".join(part for part in (order.shipping_method.strip(), town) if part) if goes_somewhere(voice) else ""
    pieces = sum(voice.pieces(line) for line in story.lines)
    values = {
        "a_title": words["items"],
        "a_lines": [f"{count_of(words, 'item', pieces, voice.language)}, {voice.money(story.total)}"],
        "b_title": words["collect_at" if pickup else "delivery"] if delivery else "",
        "b_lines": [delivery] if delivery else [],
    }
    return Block("columns", values)


def customer_block(voice: Voice) -> Block:
    """Who bought, for staff."""
    order, words = voice.order, voice.words
    rows = rows_of(
        (words["customer"], order.customer_name),
        (words["email"], order.email),
        (words["phone"], order.phone),
        (
            words["delivery"],
            ", ".join(part for part in (order.shipping_method.strip(), place_line(voice)) if part and goes_somewhere(voice)),
        ),
        (words["payment_method"], voice.pays_by),
    )
    return Block("facts", {"title": words["customer_and_delivery"], "rows": rows}, shows=bool(rows))


def shipment_facts(voice: Voice) -> dict[str, Any]:
    """The parcels of the mail, with their tracking."""
    story, words = voice.story, voice.words
    parcel = story.parcels[-1][0] if story.parcels else None
    rows: list[dict[str, Any]] = []
    for shipment, _rows in story.parcels:
        rows += rows_of((words["carrier"], shipment.carrier), (words["tracking"], shipment.tracking_number))
    for row in rows:
        row["code"] = row["label"] == words["tracking"]
    rows += rows_of((words["destination"], place_line(voice)))
    return {
        "carrier": parcel.carrier if parcel else "",
        "tracking": parcel.tracking_number if parcel else "",
        "url": safe_url(parcel.tracking_url) if parcel else "",
        "date": voice.day(parcel.shipped_at if parcel else story.now),
        "is_part": story.more_follows,
        "facts": Block("facts", {"title": _parcel_title(voice), "rows": rows}, shows=bool(rows)),
        "lines_table": parcel_lines(voice),
        "left_out": left_out_line(voice),
    }


def _parcel_title(voice: Voice) -> str:
    """Which parcel of the order it is; of how many only once they are all on their way."""
    story, words = voice.story, voice.words
    if len(story.parcels) != 1 or not story.parcel_numbers:
        return words["parcel"]
    number = story.parcel_numbers.index(story.parcels[0][0]) + 1
    if story.more_follows:
        return words["parcel_number"].format(number=number)
    return words["parcel_of"].format(number=number, count=len(story.parcel_numbers))


def parcel_lines(voice: Voice) -> Block:
    """What is in the parcels: what they name, else everything that is shipped."""
    named = [row for _shipment, rows in voice.story.parcels for row in rows or ()]
    pairs = [(row.line, row.quantity) for row in named]
    pairs = pairs or [(line, voice.pieces(line)) for line in voice.story.lines if line.requires_shipping and not line.is_digital]
    rows = [{"name": line.name, "option": options_of(line, voice.language), "quantity": quantity} for line, quantity in pairs[:MOST_LINES]]
    return table(voice, voice.words["in_parcel"], rows, left_out=len(pairs) - len(rows), with_amounts=False, totals_follow=False)


def left_out_line(voice: Voice) -> str:
    """What is not in the parcel because it is not shipped."""
    names = [line.name for line in voice.story.lines if line.is_digital or not line.requires_shipping]
    return voice.words["left_out"].format(names=", ".join(names[:MOST_LINES])) if names else ""


def pickup_facts(voice: Voice) -> dict[str, Any]:
    """Where and when the order is collected."""
    words, shop, story = voice.words, voice.shop, voice.story
    address = ", ".join(line.strip() for line in (shop.pickup_address or shop_address(shop)).splitlines() if line.strip())
    rows = rows_of(
        (words["address"], address),
        (words["slot"], voice.slot(voice.order.pickup_at, voice.order.pickup_until)),
        (words["hours"], shop.pickup_hours),
        (words["bring"], words["bring_what"].format(number=voice.order.number)),
        (words["pay_there"], voice.money(story.balance) if story.balance else words["pay_nothing"]),
    )
    return {
        "address": address,
        "hours": shop.pickup_hours,
        "instructions": voice.order.delivery_instructions.strip(),
        "url": f"https://www.openstreetmap.org/search?query={quote_plus(address)}" if address else "",
        "facts": Block("facts", {"title": words["pickup_place"], "rows": rows}),
        "lines_table": lines_table(voice, words["to_collect"], with_amounts=False),
    }


def bank_block(voice: Voice) -> Block:
    """How to pay."""
    words, story = voice.words, voice.story
    how = " · ".join(line.strip() for line in (story.instructions or voice.shop.bank_details).splitlines() if line.strip())
    rows = rows_of(
        (words["to_pay"], voice.money(story.balance)),
        (words["method"], voice.pays_by),
        (words["how"], how),
        (words["reference"], voice.order.number),
    )
    return Block("facts", {"title": words["how_to_pay"], "rows": rows})


def download_facts(voice: Voice) -> dict[str, Any]:
    """How many files, until when, how often."""
    shop, story = voice.shop, voice.story
    until = story.now.astimezone(voice.zone) + timedelta(days=shop.download_days)
    return {
        "count": count_of(voice.words, "file", len(story.files), voice.language),
        "until": long_date(until.date(), voice.language),
        "limit": format_number(Decimal(shop.download_limit), voice.language),
    }


def shop_address(shop: Shop) -> str:
    """The shop's address as one line."""
    place = " ".join(part for part in (shop.postcode, shop.city) if part)
    return ", ".join(part for part in (shop.street, place) if part)
