"""One text per order that finds it: everything staff remember about an order, folded (domain, section 6)."""

import re
import unicodedata
from collections.abc import Iterable

from django.db.models import Q, QuerySet

from orders.models import Note, Order, OrderAddress, OrderLine, Shipment

SEARCH_LENGTH = 20_000
_PHONE = re.compile(r"^[+()\d][\d\s().\-/]{5,}$")


def fold(text: str) -> str:
    """Lower case without accents: "Léa" and "LEA" become "lea"."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()


def digits_of(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def build_search(
    order: Order,
    lines: Iterable[OrderLine],
    addresses: Iterable[OrderAddress],
    shipments: Iterable[Shipment] = (),
    notes: Iterable[Note] = (),
) -> str:
    """The folded search text of an order. Phone numbers stand there as written and as bare digits."""
    phones = {order.phone, *(address.phone for address in addresses)} - {""}
    parts: list[str] = [order.number, order.external_id, order.customer_name, order.email, order.transaction_id, order.po_number]
    parts += [order.coupon_code, order.customer_comment, order.tax_id]
    for phone in phones:
        parts += [phone, digits_of(phone)]
    for line in lines:
        parts += [line.sku, line.name, *(str(option.get("value") or "") for option in line.options)]
    for a in addresses:
        parts += [a.name, a.company, a.street, a.street2, a.city, a.postcode]
    parts += [shipment.tracking_number for shipment in shipments]
    parts += [note.text for note in notes]
    seen = dict.fromkeys(fold(part.strip()) for part in parts if part and part.strip())
    return "\n".join(seen)[:SEARCH_LENGTH]


def find_orders(orders: QuerySet[Order], text: str) -> QuerySet[Order]:
    """Orders that hold every word of `text`; "#1042" is the number 1042, a phone number matches in any spelling."""
    text = text.strip().replace("\x00", "")[:200]
    if not text:
        return orders
    if _PHONE.match(text):
        number = digits_of(text)
        # 06 12 34 and +33 6 12 34 are the same phone: compare without the national prefix.
        return orders.filter(Q(search__contains=number.lstrip("0")) | Q(search__contains=fold(text)))
    for word in fold(text).split():
        orders = orders.filter(search__contains=word.removeprefix("#"))
    return orders
