"""What a printed page shows, as frozen values ready for the template: every text in the page's language, every amount written out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import override

from invoices import wording
from invoices.glyphs import REPLACEMENT, missing_characters, printable
from invoices.pdf import Job
from invoices.services.seller import logo_type, read_logo
from invoices.wording import NBSP
from orders.models.store import name_in_language

INK = "#161616"
LEAST_CONTRAST = 4.5
MOST_ADDRESS_LINES = 6
CITY_BEFORE_POSTCODE = frozenset(("GB", "US", "CA", "AU", "IE", "NZ", "IN"))


@dataclass(frozen=True)
class Fact:
    """A label with its value."""

    label: str
    value: str
    style: str = ""


@dataclass(frozen=True)
class Block:
    """A titled block of lines."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """A line of the table of items."""

    name: str
    quantity: str
    sku: str = ""
    options: str = ""
    unit: str = ""
    vat: str = ""
    amount: str = ""


@dataclass(frozen=True)
class Transfer:
    """How to pay by bank transfer; `code` is the image of the EPC code where there is one."""

    lines: tuple[str, ...]
    code: str = ""


@dataclass(frozen=True)
class Page:
    """Everything common to printed pages; a template adds nothing but its layout."""

    language: str
    title: str
    heading: str
    running_right: str
    trade_name: str
    seller: tuple[str, ...]
    foot: str
    accent: str
    has_logo: bool
    window: str = "right"
    is_letter: bool = False
    number: str = ""
    corrects: tuple[str, ...] = ()
    is_test: bool = False
    return_line: str = ""
    recipient: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    blocks: tuple[Block, ...] = ()
    intro: str = ""
    caption: str = ""
    unit: str = ""
    unit_label: str = ""
    amount_label: str = ""
    shows_sku: bool = True
    shows_vat: bool = False
    rows: tuple[Row, ...] = ()
    sums: tuple[Fact, ...] = ()
    vat_rows: tuple[tuple[str, str, str], ...] = ()
    exemptions: tuple[str, ...] = ()
    transfer: Transfer | None = None
    notes: tuple[str, ...] = ()
    thanks: str = ""
    statuses: tuple[Fact, ...] = ()
    comment: str = ""
    staff_notes: tuple[str, ...] = ()
    barcode: str = ""
    not_here: str = ""
    created: str = ""
    replaces_characters: bool = False

    @property
    def direction(self) -> str:
        return "rtl" if wording.is_right_to_left(self.language) else "ltr"

    @property
    def running_left(self) -> str:
        return f"{self.trade_name} – {self.title}"

    @property
    def first_rows(self) -> tuple[Row, ...]:
        return self.rows[:-2]

    @property
    def last_rows(self) -> tuple[Row, ...]:
        """The last two lines never leave the totals."""
        return self.rows[-2:]


def job_of(page: Page, template: str, *, logo: str, identifier: str) -> Job:
    """The page as a print job. Characters that no font holds are replaced visibly, and the page says so."""
    with override(page.language):
        html = str(render_to_string(template, {"page": page}))
        if missing_characters(html):
            html = printable(render_to_string(template, {"page": replace(page, replaces_characters=True), "sign": REPLACEMENT}))
    content = read_logo(logo)
    kind = {"png": "image/png", "jpg": "image/jpeg"}.get(logo_type(content), "")
    return Job(html, is_letter=page.is_letter, identifier=identifier, assets={"logo": (kind, content)} if kind else {})


def letterhead(facts: dict[str, Any], language: str) -> dict[str, Any]:
    """Parts of a page that the seller's facts give: block, foot, return line, accent, window, paper."""
    place = " ".join(part for part in (facts["postcode"], facts["city"]) if part)
    country = wording.country_name(facts["country"], language)
    name = facts["legal_name"] or facts["trade_name"]
    form = facts["legal_form"]
    if form and facts["capital"]:
        form = _("%(form)s with a capital of %(capital)s") % {"form": form, "capital": facts["capital"]}
    registration = _registration(facts)
    vat = _("VAT no. %(number)s") % {"number": wording.spaced_vat_id(facts["vat_id"])} if facts["vat_id"] else ""
    address = ", ".join(part for part in (facts["street"], place) if part)
    numbers = " · ".join(number for number in (_siren(facts), _siret(facts)) if number)
    contact = " · ".join(part for part in (facts["email"], facts["phone"]) if part)
    seller = [name, form, ", ".join(part for part in (address, country) if part), numbers, registration, vat, contact]
    foot = name_in_language(facts["foot"], language, "") or " · ".join(
        part for part in (name, address, registration or _siren(facts), vat) if part
    )
    return {
        "language": language,
        "trade_name": facts["trade_name"],
        "seller": tuple(line for line in seller if line),
        "foot": foot,
        "accent": readable_accent(facts["accent"]),
        "has_logo": bool(read_logo(facts["logo"])),
        "window": "left" if wording.is_right_to_left(language) else facts["window"],
        "is_letter": facts["paper"] == "letter",
        "return_line": " · ".join(part for part in (facts["trade_name"], facts["street"], place) if part),
        "shows_sku": facts["show_sku"],
        "thanks": name_in_language(facts["thanks"], language, ""),
        "intro": name_in_language(facts["intro"], language, ""),
    }


def _siren(facts: dict[str, Any]) -> str:
    return f"SIREN{NBSP}{wording.spaced(facts['siren'], (3, 3))}" if facts["siren"] else ""


def _siret(facts: dict[str, Any]) -> str:
    return f"SIRET{NBSP}{wording.spaced(facts['siret'], (3, 3, 3))}" if facts["siret"] else ""


def _registration(facts: dict[str, Any]) -> str:
    if not facts["rcs_city"]:
        return ""
    number = wording.spaced(facts["siren"], (3, 3))
    return f"RCS {facts['rcs_city']} {number}".strip().replace(" ", NBSP)


def address_lines(person: dict[str, Any], *, language: str, home: str) -> tuple[str, ...]:
    """An address as it is written on an envelope, at most six lines; the country only where it is another one."""
    if person["country"] in CITY_BEFORE_POSTCODE:
        parts = [person["city"], person.get("state_name", ""), person["postcode"]]
    else:
        parts = [person["postcode"], person["city"]]
    country = wording.country_name(person["country"], language).upper() if person["country"] not in ("", home) else ""
    lines = [person["company"], person["name"], person["street"], person["street2"], " ".join(p for p in parts if p), country]
    return tuple(dict.fromkeys(line for line in lines if line))[:MOST_ADDRESS_LINES]


def readable_accent(color: str) -> str:
    """The shop's colour where it stands 4.5:1 on white, else ink."""

    def channel(value: int) -> float:
        share = value / 255
        return share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4

    try:
        red, green, blue = (channel(int(color[i : i + 2], 16)) for i in (1, 3, 5))
    except (ValueError, IndexError):
        return INK
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return color if 1.05 / (luminance + 0.05) >= LEAST_CONTRAST and len(color) == 7 else INK


def sum_by_name(parts: Sequence[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """Amounts with the same name added up, in the order they first appear."""
    found: dict[str, Decimal] = {}
    for name, amount in parts:
        found[name] = found.get(name, Decimal(0)) + amount
    return found
