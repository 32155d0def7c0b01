"""Finds customers and articles by any fragment, whatever the accents, for lists and for fields that suggest."""

import re
import unicodedata
from collections import defaultdict
from functools import cache
from typing import Any

from django.db.models import Q, QuerySet

from orders.models import Customer, Variant
from orders.search import SPELLINGS, digits_of, fold

MOST_WORDS = 6
MOST_SUGGESTIONS = 8
_LATIN = (range(0x41, 0x5B), range(0x61, 0x7B), range(0xC0, 0x250), range(0x1E00, 0x1F00))
_COUNTED = re.compile(r"(\d{1,6})\s*[x×*]\s*(.+)", re.IGNORECASE)
_MARKS = "[\u0300-\u036f]*"


@cache
def _spellings() -> dict[str, str]:
    """Every accented form of a letter: "e" stands for e, é, è, ê, Ë, ..."""
    found: dict[str, list[str]] = defaultdict(list)
    for letter in (chr(code) for part in _LATIN for code in part):
        found[fold(letter)].append(letter)
    return {letter: "".join(forms) for letter, forms in found.items() if len(letter) == 1 and letter.isalpha()}


def folded_pattern(word: str) -> str:
    """A regular expression that finds `word` whatever its accents: "lea" finds "Léa"."""
    parts = []
    for letter in fold(unicodedata.normalize("NFC", word)):
        forms = _spellings().get(letter)
        if mark := SPELLINGS.get(letter):
            parts.append(f"[{mark}{letter}]")
        else:
            parts.append(f"[{forms}]{_MARKS}" if forms else re.escape(letter))
    return "".join(parts)


def _holds_words(text: str, *columns: str) -> Q:
    wanted = Q()
    for word in text.replace("\x00", "").split()[:MOST_WORDS]:
        pattern, any_column = folded_pattern(word), Q()
        for column in columns:
            any_column |= Q(**{f"{column}__iregex": pattern})
        wanted &= any_column
    return wanted


def find_customers(customers: QuerySet[Customer], text: str) -> QuerySet[Customer]:
    """Customers that hold every word of `text` in name, company, e-mail, place or VAT id; or the digits of a phone number."""
    text = text.strip()[:200]
    if not text:
        return customers
    wanted = _holds_words(text, "name", "company", "email", "city", "postcode", "tax_id")
    digits = digits_of(text).lstrip("0")
    if len(digits) >= 4 and not re.search(r"[^\d\s+().\-/]", text):
        wanted |= Q(phone_digits__contains=digits)
    return customers.filter(wanted)


def find_variants(variants: QuerySet[Variant], text: str) -> QuerySet[Variant]:
    """Variants that hold every word of `text` in product, label, SKU or barcode."""
    text = text.strip()[:200]
    return variants.filter(_holds_words(text, "product__name", "label", "sku", "barcode")) if text else variants


def on_sale() -> QuerySet[Variant]:
    """What can be put on a new order."""
    return Variant.objects.filter(is_active=True, product__is_active=True).select_related("product", "product__tax_class")


def scanned_variant(text: str) -> Variant | None:
    """The article whose SKU or barcode is exactly `text`, in any case."""
    text = text.replace("\x00", "").strip()[:120]
    if not text:
        return None
    exact = list(on_sale().filter(Q(sku__iexact=text) | Q(barcode=text))[:5])
    return next((v for v in exact if v.sku == text), exact[0] if exact else None)


def split_count(text: str) -> tuple[int, str]:
    """Pieces and the rest of "3 x MUG", "3*MUG" or "3 × MUG"; one piece where no number is said."""
    said = _COUNTED.fullmatch(text.strip())
    return (int(said[1]), said[2].strip()) if said else (1, text)


def kind_of_contact(text: str) -> dict[str, Any]:
    """Which field of a new customer `text` belongs to: an e-mail address, a phone number, else a name."""
    text = text.strip()
    if "@" in text:
        return {"email": text}
    if len(digits_of(text)) >= 6 and not re.search(r"[^\d\s+().\-/]", text):
        return {"phone": text}
    return {"customer_name": text}
