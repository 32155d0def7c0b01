"""The words of documents: languages, dates, legal mentions. What is issued keeps these texts as they were."""

import re
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.numbers import get_currency_name
from django.conf import settings
from django.utils.translation import get_language_info, override
from django.utils.translation import gettext as _

from invoices.models.seller import SellerProfile
from orders.choices import VatCategory
from orders.models import Shop
from orders.models.store import name_in_language
from orders.money import format_money

# Characters that XML 1.0 forbids, and lone surrogates: no document can hold them.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
NBSP = "\u00a0"
RECOVERY_FEE = Decimal(40)  # C. com. D441-5


def clean(text: object) -> str:
    """Text that may stand in a document: without control characters."""
    return _FORBIDDEN.sub("", str(text or "")).strip()


def document_language(wanted: str, shop: Shop) -> str:
    """The language of a document: the customer's where there is a catalogue, else the shop's, else English."""
    known = {code for code, _name in settings.LANGUAGES}
    for language in (wanted, shop.language, "en"):
        code = (language or "").lower().split("-")[0].split("_")[0]
        if code in known:
            return code
    return "en"


def is_right_to_left(language: str) -> bool:
    try:
        return bool(get_language_info(language)["bidi"])
    except KeyError:
        return False


def long_date(day: date | None, language: str) -> str:
    """A date in words, joined by U+00A0: 1er décembre 2026, 24 November 2026."""
    if day is None:
        return ""
    locale = _locale(language)
    pattern = "d MMMM y" if locale.language == "en" else "long"
    text = format_date(day, format=pattern, locale=locale)
    if locale.language == "fr" and day.day == 1:
        text = text.replace("1 ", "1er ", 1)
    return text.replace(" ", NBSP)


def long_moment(moment: datetime, language: str, time_zone: str) -> str:
    """Date and time in the shop's time zone: 20 novembre 2026, 18:42."""
    local = moment.astimezone(ZoneInfo(time_zone))
    locale = _locale(language)
    clock = format_time(local, "HH:mm", locale=locale)
    return f"{long_date(local.date(), language)}, {clock}"


def country_name(code: str, language: str) -> str:
    return _locale(language).territories.get(code, code) if code else ""


def currency_name(code: str, language: str) -> str:
    """Plural name of a currency: euros, US dollars."""
    return get_currency_name(code, count=2, locale=_locale(language))


def spaced(number: str, groups: tuple[int, ...]) -> str:
    """Digits in groups: 812 345 676."""
    compact = number.replace(" ", "").replace(NBSP, "")
    parts, rest = [], compact
    for size in groups:
        parts.append(rest[:size])
        rest = rest[size:]
    return NBSP.join(part for part in (*parts, rest) if part)


def spaced_vat_id(number: str) -> str:
    """A VAT id as it is usually written: FR 19 812 345 676, DE 123456788."""
    compact = number.replace(" ", "").replace(NBSP, "")
    groups = (2, 2, 3, 3) if compact.startswith("FR") and len(compact) == 13 else (2,)
    return spaced(compact, groups) if compact[:2].isalpha() else compact


def exemption_code(category: str, seller: SellerProfile) -> str:
    """VATEX code of a category that bears no VAT (EN 16931, BT-121)."""
    if category == VatCategory.EXEMPT and seller.vat_regime == SellerProfile.VatRegime.FRANCHISE:
        return "VATEX-FR-FRANCHISE" if str(seller.country) == "FR" else ""
    codes = {
        VatCategory.REVERSE_CHARGE: "VATEX-EU-AE",
        VatCategory.INTRA_EU: "VATEX-EU-IC",
        VatCategory.EXPORT: "VATEX-EU-G",
        VatCategory.OUT_OF_SCOPE: "VATEX-EU-O",
    }
    return codes.get(VatCategory(category), "") if category else ""


def exemption_text(category: str, seller: SellerProfile, language: str) -> str:
    """Why no VAT is charged, in the buyer's language and, for a French seller, in French (CGI ann. II, 242 nonies A)."""
    french = str(seller.country) == "FR"
    with override(language):
        if category == VatCategory.EXEMPT and seller.vat_regime == SellerProfile.VatRegime.FRANCHISE and french:
            own = "TVA non applicable, art. 293 B du CGI"
            translated = _("No VAT: small business, Article 293 B of the French tax code.")
            return own if language == "fr" else f"{translated} {own}."
        texts = {
            VatCategory.EXEMPT: (_("Exempt from VAT."), ""),
            VatCategory.REVERSE_CHARGE: (
                _("Reverse charge: VAT due by the customer, Articles 44 and 196 of Directive 2006/112/EC."),
                "Autoliquidation.",
            ),
            VatCategory.INTRA_EU: (
                _("VAT exempt intra-Community supply of goods, Article 138 of Directive 2006/112/EC."),
                "Exonération de TVA, art. 262 ter I du CGI.",
            ),
            VatCategory.EXPORT: (
                _("Exempt from VAT: export of goods, Article 146 of Directive 2006/112/EC."),
                "Exonération de TVA, art. 262 I du CGI.",
            ),
            VatCategory.OUT_OF_SCOPE: (_("Outside the scope of VAT."), ""),
        }
        text, in_french = texts.get(VatCategory(category), ("", "")) if category else ("", "")
    return f"{text} {in_french}".strip() if french else text


def note_texts(seller: SellerProfile, *, language: str, to_business: bool) -> list[str]:
    """Notes at the foot of an invoice. The three notes on payment stand on business invoices only, once each (BR-FR-05)."""
    with override(language):
        if not to_business:
            consumer = name_in_language(seller.consumer_text, language, "")
            return [clean(consumer)] if consumer else []
        notes = [name_in_language(seller.discount_text, language, "") or _("No discount for early payment.")]
        penalty = name_in_language(seller.penalty_text, language, "")
        fee = name_in_language(seller.recovery_fee_text, language, "")
        if str(seller.country) == "FR":
            penalty = penalty or _(
                "Late payment: penalty at three times the French legal interest rate, due from the day after the due date "
                "(Article L. 441-10 of the French commercial code)."
            )
            amount = format_money(RECOVERY_FEE, "EUR", language).replace(",00", "").replace(".00", "")
            fee = fee or _("Fixed recovery fee for late payment: %(amount)s (Article D. 441-5).") % {"amount": amount}
        notes += [text for text in (penalty, fee) if text]
        if seller.vat_on_debits:
            notes.append(_("Option for the payment of VAT on invoicing (« Option pour le paiement de la taxe d’après les débits »)."))
        return [clean(note) for note in notes]


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (ValueError, UnknownLocaleError):
        return Locale.parse("en")
