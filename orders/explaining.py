"""Why a search found an order: the fact that holds the words, as it was written, where the row of the list does not show it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from orders import search
from orders.models import ExternalDocument, Note, Order, OrderAddress, OrderLine, Payment, Shipment
from orders.search import fact, fold, phone_fact, wanted
from orders.searching import Wanted

AROUND = 32  # characters of a long text that are shown before and after the words
LONGEST = 90
COLUMNS = {
    search.NUMBER: "number",
    search.CUSTOMER: "customer_name",
    search.EMAIL: "email",
    search.PHONE: "phone",
    search.EXTERNAL: "external_id",
    search.TRANSACTION: "transaction_id",
    search.PURCHASE: "po_number",
    search.COUPON: "coupon_code",
    search.TAX_ID: "tax_id",
    search.COMMENT: "customer_comment",
}


class Reason(NamedTuple):
    """A label such as Tracking, the text as it was written, and the part of it that was searched."""

    label: str
    text: str
    marked: str


class Hit(NamedTuple):
    """A line of a search text and the part of it that was searched."""

    kind: str
    line: str
    part: str


def explain(orders: Iterable[Order], text: str) -> dict[int, list[tuple[str, str, str]]]:
    """For each of `orders` that `text` found, the facts that hold its words and do not stand in the row (number, name, city).

    One query for the texts of the page and one per kind of fact that is to be shown, whatever the number of orders.
    """
    question = wanted(text)
    by_pk = {order.pk: order for order in orders}
    if not question or not by_pk:
        return {}
    facts = {row["pk"]: row for row in Order.objects.filter(pk__in=by_pk).values("pk", "search", *COLUMNS.values())}
    hits = {pk: _hits(question, row["search"]) for pk, row in facts.items()}
    hits = {pk: [hit for hit in found if not _is_shown(hit, facts[pk])] for pk, found in hits.items()}
    originals = _originals(hits, facts)
    reasons: dict[int, list[tuple[str, str, str]]] = {}
    for pk, found in hits.items():
        cities = originals.get((pk, "shown city"), [])
        shown: dict[tuple[str, str], tuple[str, str, str]] = {}
        for hit in found:
            if not _is_shown_city(hit, cities):
                reason = _reason(hit, originals[pk, hit.kind])
                shown.setdefault(reason[:2], reason)  # two words of one fact: said once
        if shown:
            reasons[pk] = [*shown.values()]
    return reasons


def _hits(question: Wanted, text: str) -> list[Hit]:
    """The first line that holds each part, of the first set of parts that the text holds whole."""
    lines = [f"{line}\n" for line in text.split("\n") if line]
    for way in question:
        found = []
        for forms in way:
            hit = next((Hit(line[0], line, form) for line in lines for form in forms if form.strip("\n") in line), None)
            if hit is None:
                break
            found.append(hit)
        else:
            return found
    return []


def _is_shown(hit: Hit, row: dict[str, Any]) -> bool:
    return hit.kind in (search.NUMBER, search.CUSTOMER) and fact(hit.kind, row[COLUMNS[hit.kind]]) == hit.line


def _is_shown_city(hit: Hit, cities: Sequence[str]) -> bool:
    return hit.kind == search.CITY and any(fact(search.CITY, city) == hit.line for city in cities)


def _originals(hits: dict[int, list[Hit]], facts: dict[int, dict[str, Any]]) -> dict[tuple[int, str], list[str]]:
    """What may be written on the order, by order and kind, from the tables that the hits need."""
    found: dict[tuple[int, str], list[str]] = defaultdict(list)
    wanted_of: dict[str, list[int]] = defaultdict(list)
    for pk, rows in hits.items():
        for hit in rows:
            wanted_of[hit.kind].append(pk)
            if hit.kind in COLUMNS:
                found[pk, hit.kind].append(facts[pk][COLUMNS[hit.kind]])
    for kinds, read in _TABLES:
        if ids := {pk for kind in kinds for pk in wanted_of.get(kind, ())}:
            for pk, kind, text in read(ids):
                found[pk, kind].append(text)
    return found


def _of_lines(ids: Iterable[int]) -> Iterable[tuple[int, str, str]]:
    for pk, sku, name, options in OrderLine.objects.filter(order__in=ids).values_list("order_id", "sku", "name", "options"):
        yield from ((pk, search.SKU, sku), (pk, search.ITEM, name))
        yield from ((pk, search.OPTION, str(option.get("value") or "")) for option in options)


def _of_addresses(ids: Iterable[int]) -> Iterable[tuple[int, str, str]]:
    # "shipping" sorts after "billing": where the parcel goes is the city that the row shows.
    cities: dict[int, str] = {}
    for address in OrderAddress.objects.filter(order__in=ids).order_by("kind"):
        pk = address.order_id
        yield from ((pk, search.POSTCODE, address.postcode), (pk, search.CITY, address.city), (pk, search.PHONE, address.phone))
        yield from ((pk, search.ADDRESS, text) for text in (address.name, address.company, address.street, address.street2))
        cities[pk] = address.city or cities.get(pk, "")
    yield from ((pk, "shown city", city) for pk, city in cities.items())


def _of_documents(ids: Iterable[int]) -> Iterable[tuple[int, str, str]]:
    rows: list[tuple[int, str]] = list(ExternalDocument.objects.filter(order__in=ids).values_list("order_id", "number"))
    for path in settings.SEARCH_SOURCES:
        rows += import_string(path)(ids)
    return [(pk, search.INVOICE, number) for pk, number in rows]


def _of(kind: str, model: Any, column: str) -> Callable[[Iterable[int]], Iterable[tuple[int, str, str]]]:
    return lambda ids: [(pk, kind, text) for pk, text in model.objects.filter(order__in=ids).values_list("order_id", column)]


_TABLES: tuple[tuple[tuple[str, ...], Callable[[Iterable[int]], Iterable[tuple[int, str, str]]]], ...] = (
    ((search.SKU, search.ITEM, search.OPTION), _of_lines),
    ((search.POSTCODE, search.CITY, search.ADDRESS, search.PHONE), _of_addresses),
    ((search.TRACKING,), _of(search.TRACKING, Shipment, "tracking_number")),
    ((search.TRANSACTION,), _of(search.TRANSACTION, Payment, "reference")),
    ((search.NOTE,), _of(search.NOTE, Note, "text")),
    ((search.INVOICE,), _of_documents),
)


def _reason(hit: Hit, originals: Sequence[str]) -> Reason:
    part = hit.part.strip("\n")
    part = part[2:] if part[:1].isupper() else part.strip()
    if hit.kind == search.PHONE:
        text = next((text for text in originals if text and _same_phone(text, part)), hit.line[2:].split()[0])
        return Reason(_label(hit.kind), text, _digits_within(text, part))
    told = hit.line[2:-1]
    text = next((text for text in originals if text and fact(hit.kind, text) == hit.line), told)
    text = " ".join(text.split())
    marked = _within(text, part)
    return Reason(_label(hit.kind), _shortened(text, marked), marked)


def _label(kind: str) -> str:
    return {
        search.NUMBER: _("Number"),
        search.INVOICE: _("Invoice"),
        search.CUSTOMER: _("Name"),
        search.EMAIL: _("E-mail"),
        search.PHONE: _("Phone"),
        search.EXTERNAL: _("External id"),
        search.TRANSACTION: _("Transaction"),
        search.PURCHASE: _("Purchase order"),
        search.COUPON: _("Coupon"),
        search.TAX_ID: _("VAT id"),
        search.TRACKING: _("Tracking"),
        search.SKU: _("SKU"),
        search.POSTCODE: _("Postcode"),
        search.CITY: _("City"),
        search.ITEM: _("Item"),
        search.OPTION: _("Option"),
        search.ADDRESS: _("Address"),
        search.COMMENT: _("Customer comment"),
        search.NOTE: _("Note"),
    }[kind]


def _within(text: str, part: str) -> str:
    """The letters of `text` that fold to `part`: "Dubré" of "Dubréuil" for "dubre"."""
    folded, places = "", []
    for place, char in enumerate(text):
        piece = fold(char)
        folded += piece
        places += [place] * len(piece)
    start = folded.find(part)
    return text[places[start] : places[start + len(part) - 1] + 1] if start >= 0 and part else ""


def _same_phone(text: str, part: str) -> bool:
    digits = search.digits_of(text)
    return part in digits or part.lstrip("0") in digits or part in phone_fact(text)


def _digits_within(text: str, part: str) -> str:
    """The stretch of a phone number that holds the digits searched; all of it where it was searched as dialled elsewhere."""
    places = [place for place, char in enumerate(text) if char.isdigit()]
    digits = search.digits_of(text)
    for wished in (part, part.lstrip("0")):
        start = digits.find(wished)
        if start >= 0 and wished:
            return text[places[start] : places[start + len(wished) - 1] + 1]
    return text


def _shortened(text: str, marked: str) -> str:
    """A long text as the words around what was searched."""
    if len(text) <= LONGEST:
        return text
    start = max(text.find(marked) - AROUND, 0) if marked else 0
    end = min(start + LONGEST, len(text))
    return ("…" if start else "") + text[start:end].strip() + ("…" if end < len(text) else "")
