"""The figures of an order being made, each with its sum, and in words which VAT applies and why."""

from collections.abc import Iterator
from dataclasses import replace

from django.utils.translation import gettext as _
from django_countries import countries

from orders.admin.why import Figures, Why
from orders.choices import VatCategory
from orders.drafts import OrderDraft
from orders.models import Shop
from orders.services.pricing import PricedDraft, destination_of
from orders.tax import is_eu


def sums_of(priced: PricedDraft, draft: OrderDraft, shop: Shop) -> dict[str, Why]:
    """The sum behind each figure, by its name; nothing of it is saved yet, so that no term leads to a row."""
    whys = Figures(priced.order, priced.lines, priced.discounts, priced.surcharges, payments=[], refunds=[]).before_placing()
    reasons = list(tax_reasons(priced, draft, shop))
    found = {}
    for key, why in whys.items():
        remarks = [*why.remarks, *reasons] if key == "tax" else why.remarks
        found[key] = replace(why, terms=[replace(term, href="") for term in why.terms], remarks=remarks)
    return found


def tax_reasons(priced: PricedDraft, draft: OrderDraft, shop: Shop) -> Iterator[str]:
    """Which VAT the items get and why: where they go, who buys, what was typed by hand."""
    home, there = str(shop.country), destination_of(draft, str(shop.country))
    words = {"country": countries.name(there) or there, "home": countries.name(home) or home}
    if draft.tax_exempt:
        yield _("The customer is tax exempt: no VAT.")
        return
    if draft.reverse_charge:
        yield _("The customer owes the VAT (reverse charge).")
        return
    if draft.delivery_kind == "PICKUP":
        yield _("Picked up in the shop: the VAT of %(home)s applies.") % words
    elif there == home:
        yield _("Goes to %(country)s: the VAT of the shop's own country applies.") % words
    else:
        yield from _abroad(priced, words, there=there, is_within=is_eu(home) and is_eu(there))
    if any(line.vat_rate is not None for line in draft.lines):
        yield _("A rate was typed by hand on an item.")


def _abroad(priced: PricedDraft, words: dict[str, str], *, there: str, is_within: bool) -> Iterator[str]:
    categories = {line.vat_category for line in priced.lines}
    if VatCategory.INTRA_EU in categories:
        yield _("Goes to a business in %(country)s with a checked VAT id: no VAT (intra-EU supply).") % words
    elif VatCategory.EXPORT in categories:
        yield _("Goes to %(country)s, outside the EU: no VAT (export).") % words
    elif any(line.vat_country == there for line in priced.lines):
        yield _("Goes to %(country)s: the VAT of %(country)s applies.") % words
    elif is_within:
        yield _("Goes to %(country)s: the shop has no rate for it, so the VAT of %(home)s applies.") % words
