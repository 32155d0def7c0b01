"""Writes a mail: a text and the facts of an order become subject, HTML and plain text in one language.

Built-in texts are files under templates/emails; where staff changed one the newest saved version counts. A saved text that can't
be filled never stops a mail: the built-in one is used and the mistake is told.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import css_inline
from django.conf import settings
from django.template.loader import render_to_string

from invoices.models import SellerProfile
from invoices.wording import spaced
from notifications.blocks import Frame, fill_plain, read_blocks, wrap, write_html, write_text
from notifications.colours import palette_of
from notifications.kinds import ACCOUNT_KINDS, KIND_OF_TEXT, STAFF_KINDS, Kind, Text
from notifications.models import EmailTemplate
from notifications.templating import BadText, Skeleton, compile_text, names_used, render_text
from notifications.wording import WORDS
from orders.models import Shop

TEXTS = settings.BASE_DIR / "templates" / "emails"
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
_BLANKS = re.compile(r"[ \t\r\n]+")  # not the no-break spaces of French amounts
WHY = {Kind.ABANDONED_CART: "why_cart", Kind.QUOTE: "why_quote"}
FILLER = range(90)  # keeps the first words of the mail out of the inbox's second line

FactsOf = Callable[[Collection[str]], Mapping[str, Any]]


@dataclass(frozen=True)
class Source:
    """A text as it is written: built in (version 0) or saved by staff."""

    subject: str
    preheader: str
    body: str
    version: int = 0


@dataclass(frozen=True)
class Composed:
    """A mail as it will arrive."""

    subject: str
    html: str
    text: str
    version: int = 0
    problem: str = ""


@dataclass
class Composer:
    """Writes mails of one shop; texts and settings are read once."""

    shop: Shop
    seller: SellerProfile
    saved: Mapping[tuple[str, str], EmailTemplate] = field(default_factory=dict)

    @classmethod
    def load(cls, shop: Shop) -> "Composer":
        """One query for the texts that staff changed, one for the legal line."""
        saved = {(row.name, row.language): row for row in EmailTemplate.objects.filter(is_active=True)}
        return cls(shop, SellerProfile.current(), saved)

    def version(self, name: Text, language: str) -> int:
        """Version of the text that counts now; 0 for the built-in one."""
        row = self.saved.get((name, language))
        return row.version if row else 0

    def compose(self, name: Text, language: str, facts_of: FactsOf, *, to: str = "", optout_url: str = "") -> Composed:
        """The mail `name` in `language`. Facts are asked for by the names that the text uses."""
        row = self.saved.get((name, language))
        if row is not None:
            try:
                return self.write(name, language, Source(row.subject, row.preheader, row.body, row.version), facts_of, to, optout_url)
            except BadText as error:
                built_in = self.write(name, language, built_in_text(name, language), facts_of, to, optout_url)
                return Composed(built_in.subject, built_in.html, built_in.text, row.version, str(error))
        return self.write(name, language, built_in_text(name, language), facts_of, to, optout_url)

    def write(self, name: Text, language: str, source: Source, facts_of: FactsOf, to: str = "", optout_url: str = "") -> Composed:
        """The mail that `source` makes. Raises BadText."""
        templates = [compile_text(part, language) for part in (source.subject, source.preheader, source.body)]
        facts = facts_of(names_in(source, language))
        subject_of, preheader_of, body = (render_text(template, facts) for template in templates)
        subject = _one_line(subject_of)[:500]
        blocks = read_blocks(body)
        words = WORDS[language]
        is_rtl = language in RIGHT_TO_LEFT
        palette = palette_of(self.shop.accent_color)
        frame = Frame(is_rtl, words["colon"], palette.accent)
        foot = self._foot(name, words, facts, to)
        reference = _reference(name, words, facts)
        values = (
            frame.values
            | vars(palette)
            | {
                "lang": language,
                "subject": subject,
                "preheader": _one_line(preheader_of) or _status_words(facts) or subject,
                "filler": FILLER,
                "tracking": "0" if is_rtl else "-.015em",
                "shop_name": self.shop.name,
                "reference": reference,
                "word_email": words["word_email"],
                "content": write_html(blocks, body, frame),
                "optout_url": optout_url,
                "optout": words["optout"],
            }
        )
        html = _inliner().inline(render_to_string("emails/base.html", values | foot))
        optout = f"\n{words['optout']}{words['colon'].rstrip(' ')}\n{optout_url}" if optout_url else ""
        parts = [foot["help"], foot["why"], foot["legal"]]
        footer = "\n\n".join(wrap(part) + (optout if part == foot["why"] else "") for part in parts if part)
        text = f"{self.shop.name} · {reference}\n\n{write_text(blocks, body, frame)}\n\n-- \n{footer}\n"
        return Composed(subject, html, text, source.version)

    def _foot(self, name: Text, words: Mapping[str, str], facts: Mapping[str, Any], to: str) -> dict[str, str]:
        kind = KIND_OF_TEXT[name]
        if kind in STAFF_KINDS:
            customer = facts.get("customer", {}).get("email", "") if kind == Kind.NEW_ORDER else ""
            return {
                "help": words[f"help_{kind.value}"],
                "why": words["why_staff"].format(shop=self.shop.name, addresses=to),
                "legal": words["reply_goes_to"].format(address=customer) if customer else "",
            }
        phone = self.shop.phone
        asks = ("help_phone" if phone else "help") if self.shop.email else ("help_only_phone" if phone else "")
        return {
            "help": words[asks].format(phone=phone) if asks else "",
            "why": words[WHY.get(kind, "why_customer")].format(shop=self.shop.name),
            "legal": self._legal_line(),
        }

    def _legal_line(self) -> str:
        seller, shop = self.seller, self.shop
        holder: Any = seller if seller.legal_name else shop
        form = "" if seller.legal_name.endswith(f" {seller.legal_form}") else seller.legal_form
        name = " ".join(part for part in (seller.legal_name, form) if part) or shop.name
        place = " ".join(part for part in (holder.postcode, holder.city) if part)
        address = ", ".join(part for part in (holder.street, place) if part)
        siren = f"SIREN {spaced(seller.siren, (3, 3, 3))}" if seller.legal_name and seller.siren else ""
        return " · ".join(part for part in (name, address, siren) if part)


def built_in_text(name: Text, language: str) -> Source:
    """The text that comes with the product."""
    return _read(str(name.value if isinstance(name, Text) else name), language)


def names_in(source: Source, language: str) -> frozenset[str]:
    """Names of facts that a text uses."""
    return _names(source, language)


@cache
def _read(name: str, language: str) -> Source:
    head, body = (TEXTS / language / f"{name}.txt").read_text(encoding="utf-8").split("\n\n", 1)
    lines = dict(line.split(": ", 1) for line in head.splitlines())
    return Source(lines["subject"], lines["preheader"], body)


@cache
def _names(source: Source, language: str) -> frozenset[str]:
    found: set[str] = set()
    for part in (source.subject, source.preheader, source.body):
        found |= names_used(compile_text(part, language))
    return frozenset(found | {"customer.email", "order.number", "order.payment", "order.fulfilment"})


@cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


def _one_line(skeleton: Skeleton) -> str:
    return _BLANKS.sub(" ", fill_plain(skeleton.text, skeleton)).strip()


def _reference(name: Text, words: Mapping[str, str], facts: Mapping[str, Any]) -> str:
    if name == Text.ABANDONED_CART:
        return words["cart_reference"]
    if name == Text.QUOTE:
        return words["quote_reference"]
    if name == Text.LOW_STOCK:
        return words["stock_reference"]
    if KIND_OF_TEXT[name] in ACCOUNT_KINDS:
        return words["account_reference"]
    return words["order_reference"].format(number=facts["order"]["number"])


def _status_words(facts: Mapping[str, Any]) -> str:
    order = facts.get("order", {})
    return " · ".join(order[name] for name in ("payment", "fulfilment") if name in order)
