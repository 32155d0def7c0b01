"""One text per order that finds it: everything staff remember about an order, folded, a line per fact (domain, section 6).

A line is a letter for the kind of fact, a space and the folded words: "N 1042", "E lea@example.com". The words are lower case, so the
letters never match them. Facts that come later are added at the end; what an order once said of its customer stays findable.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

import phonenumbers
from django.db.models import QuerySet, Value
from django.db.models.functions import Concat

from orders.models import Note, Order, OrderAddress, OrderLine, Shipment
from orders.searching import Holds, Wanted

SEARCH_LENGTH = 20_000
MOST_WORDS = 8
NUMBER, INVOICE, CUSTOMER, EMAIL, PHONE, EXTERNAL, TRANSACTION, PURCHASE = "N", "I", "C", "E", "P", "K", "X", "R"
COUPON, TAX_ID, TRACKING, SKU, POSTCODE, CITY, ITEM, OPTION, ADDRESS, COMMENT, NOTE = "U", "V", "T", "S", "Z", "B", "L", "O", "A", "M", "D"
HOLD = "H"
# Items are told anew by each rebuild; every other fact of an earlier text stays.
_OF_ITEMS = (SKU, ITEM, OPTION)
_PHONE = re.compile(r"^\+?[\d(][\d\s().\-/]*$")
# One spelling of the marks that keyboards, phones and word processors write in several ways.
SPELLINGS = {
    "'": "\u2018\u2019\u201a\u201b\u02b9\u02bb\u02bc\u02bd\u02c8\u2032\u00b4`",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212",
    '"': "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb",
}
ONE_SPELLING = str.maketrans({form: mark for mark, forms in SPELLINGS.items() for form in forms})
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def fold(text: str) -> str:
    """Lower case without accents, apostrophes and dashes in one spelling: "Léa" becomes "lea", "N’Guessan" "n'guessan"."""
    if text.isascii():
        return text.lower().replace("`", "'")
    decomposed = unicodedata.normalize("NFKD", text.translate(ONE_SPELLING))
    return "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()


def digits_of(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def fact(kind: str, *words: str) -> str:
    """One line of a search text; empty where there is nothing to say."""
    folded = fold(" ".join(" ".join(words).split()))
    if not folded:
        return ""
    if _UNSPACED.search(folded):
        # Scripts without spaces: two characters from the middle are words of their own.
        folded += " " + " ".join(_UNSPACED.sub(lambda char: f"{char[0]} ", folded).split())
    return f"{kind} {folded}\n"


def phone_fact(phone: str, country: str = "") -> str:
    """A phone number as bare digits, as dialled at home and from abroad: any spelling of it is a part of one of them."""
    return fact(PHONE, *_phone_forms(phone, country or ""))


def build_search(
    order: Order,
    lines: Iterable[OrderLine],
    addresses: Iterable[OrderAddress],
    shipments: Iterable[Shipment] = (),
    notes: Iterable[Note] = (),
    *,
    numbers: Iterable[str] = (),
) -> str:
    """The search text of an order; `numbers` are those of its documents. Facts that only the text it has knows are kept.

    Short facts stand first: where a text is cut, the end of long notes is lost and nothing else.
    """
    addresses = list(addresses)
    facts = [
        fact(NUMBER, order.number),
        *(fact(INVOICE, number) for number in numbers),
        fact(CUSTOMER, order.customer_name),
        fact(EMAIL, order.email),
        *_phone_facts(order, addresses),
        fact(EXTERNAL, order.external_id),
        fact(TRANSACTION, order.transaction_id),
        fact(PURCHASE, order.po_number),
        fact(COUPON, order.coupon_code),
        fact(TAX_ID, order.tax_id),
        *(fact(TRACKING, shipment.tracking_number) for shipment in shipments),
    ]
    for address in addresses:
        facts += [fact(POSTCODE, address.postcode), fact(CITY, address.city)]
        facts += [fact(ADDRESS, text) for text in (address.name, address.company, address.street, address.street2)]
    for line in lines:
        values = (str(option.get("value") or "") for option in line.options)
        facts += [fact(SKU, line.sku), fact(ITEM, line.name), *(fact(OPTION, value) for value in values)]
    facts += [fact(HOLD, order.hold_reason), fact(COMMENT, order.customer_comment), *(fact(NOTE, note.text) for note in notes)]
    return together(facts, kept=order.search, dropped=_OF_ITEMS)


def together(facts: Iterable[str], *, kept: str = "", dropped: Iterable[str] = ()) -> str:
    """A search text of these facts and of those of an earlier text, each said once; kinds in `dropped` are not taken over."""
    found: dict[str, str] = {}
    old = (f"{line}\n" for line in kept.split("\n") if line[1:2] == " " and line[0].isupper() and line[0] not in dropped)
    for line in (*facts, *old):
        found.setdefault(line[2:], line)
    found.pop("", None)
    text = "\n" + "".join(found.values())
    return text if len(text) <= SEARCH_LENGTH else text[: SEARCH_LENGTH - 1] + "\n"


def add_fact(order_id: int, kind: str, words: str) -> None:
    """Let an order be found by something that was written down now: a document's number. In the caller's transaction."""
    if line := fact(kind, words):
        Order.objects.filter(pk=order_id).update(search=Concat("search", Value(line)))


def find_orders(orders: QuerySet[Order], text: str) -> QuerySet[Order]:
    """Orders that hold every word of `text`; "#1042" is the number 1042, a phone number matches in any spelling."""
    question = wanted(text)
    return orders.filter(Holds.of(question)) if question else orders


def wanted(text: str) -> Wanted:
    """What a search text must hold: one of several sets of parts, every part of the set, each in one of its forms."""
    text = fold(" ".join(text.replace("\x00", " ").split())[:200])
    words = text.split()[:MOST_WORDS]
    if not words:
        return ()
    ways = [tuple(forms for word in words if (forms := _forms(word)))]
    digits = phone_digits(text)
    if len(digits) > 2 and (len(words) > 1 or digits != words[0]):
        ways.append(((digits,),))
    return tuple(way for way in ways if way)


def phone_digits(text: str) -> str:
    """The digits of a text that may be a phone number or a part of one, without what stands for "abroad"; else nothing."""
    if not _PHONE.match(text):
        return ""
    digits = digits_of(text.replace("(0)", ""))
    # The zero of a call at home is no part of the number seen from abroad; that of a postcode alone stays.
    return digits.lstrip("0") if len(digits) > 7 or not text.isdecimal() else digits


def exact_order_ids(orders: QuerySet[Order], text: str) -> list[int]:
    """Orders whose own number, or a document's, is exactly `text`: a handful, to stand first."""
    text = text.replace("\x00", "").strip().removeprefix("#")
    if not text or len(text) > 80 or " " in text:
        return []
    found = list(orders.order_by("-id").filter(number=text).values_list("pk", flat=True)[:3])
    if not found and len(text) > 3 and any(char.isdigit() for char in text):
        line = f"\n{fact(INVOICE, text)}"
        found = list(orders.order_by("-id").filter(Holds.of((((line,),),))).values_list("pk", flat=True)[:3])
    return found


def _forms(word: str) -> tuple[str, ...]:
    """How a word stands in a text. Short ones begin a word, or a number or a name: an index of three letters finds no less."""
    if word.startswith("#"):
        word = word[1:]
        return (f"{NUMBER} {word}", f"{INVOICE} {word}") if word else ()
    if _UNSPACED.match(word) and len(word) < 3:
        word = " ".join(word)
    if len(word) > 2:
        return (word,)
    return (f" {word}",) if len(word) == 2 else (f"{NUMBER} {word}", f"{CUSTOMER} {word}")


def _phone_facts(order: Order, addresses: Iterable[OrderAddress]) -> Iterator[str]:
    home = ""
    for address in addresses:
        home = str(address.country or "") or home
        yield phone_fact(address.phone, str(address.country or ""))
    yield phone_fact(order.phone, home)


@lru_cache(maxsize=4096)
def _phone_forms(phone: str, country: str) -> tuple[str, ...]:
    digits = digits_of(phone)
    if not digits:
        return ()
    try:
        parsed = phonenumbers.parse(phone, country.upper() or None)
    except phonenumbers.NumberParseException:
        return (digits, digits[2:]) if digits.startswith("00") else (digits,)
    home = digits_of(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL))
    abroad = f"{parsed.country_code}{phonenumbers.national_significant_number(parsed)}"
    return tuple(dict.fromkeys((home, abroad)))
