"""Amounts: how many decimals a currency has, one way to round, and how a language writes them."""

import re
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, lru_cache

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency, format_decimal
from babel.numbers import format_percent as babel_percent
from django.utils.translation import get_language

# ISO 4217; every other currency has two decimals.
_EXPONENTS = dict.fromkeys(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0
)
_EXPONENTS |= dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)

_MINUS = "\u2212"
# Marks that babel adds around Arabic and Hebrew amounts; documents isolate amounts themselves.
_DROPPED = dict.fromkeys(map(ord, "\u200e\u200f\u061c"))


def exponent(currency: str) -> int:
    """Decimals of `currency`: 2 for EUR, 0 for JPY, 3 for KWD."""
    return _EXPONENTS.get(currency.upper(), 2)


def quantum(digits: int) -> Decimal:
    """The smallest step with `digits` decimals: 0.01 for 2."""
    return Decimal(1).scaleb(-digits)


def round_money(amount: Decimal, currency: str) -> Decimal:
    """`amount` in the decimals of `currency`, halves away from zero."""
    return amount.quantize(quantum(exponent(currency)), rounding=ROUND_HALF_UP)


def format_money(amount: Decimal, currency: str, language: str | None = None, *, symbol: bool = True) -> str:
    """`amount` as `language` (the reader's where None) writes it, with the symbol of `currency` or as a bare figure.

    French groups with U+202F and joins the symbol with U+00A0; the minus is U+2212, before the symbol in English.
    """
    rounded = round_money(amount, currency)
    if not symbol:
        return format_number(rounded, language, decimals=exponent(currency))
    return _money_in(language or get_language() or "en", rounded, currency)


@lru_cache(maxsize=16384)
def _money_in(language: str, rounded: Decimal, currency: str) -> str:
    """The same amounts are written again and again: on the list, in the counts of Home, on each page of an order."""
    locale = _parsed(language)
    pattern = _with_decimals(locale.currency_formats["standard"].pattern.split(";")[0], exponent(currency))
    return _signed(rounded, format_currency(abs(rounded), currency, format=pattern, locale=locale, currency_digits=False))


def format_number(amount: Decimal, language: str | None = None, *, decimals: int | None = None) -> str:
    """A plain figure, with exactly `decimals` decimals or as many as `amount` needs."""
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "") if decimals is not None else "#,##0.######"
    if decimals is not None:
        amount = amount.quantize(quantum(decimals), rounding=ROUND_HALF_UP)
    return _signed(amount, format_decimal(abs(amount), format=pattern, locale=_locale(language)))


def format_percent(rate: Decimal, language: str | None = None) -> str:
    """A rate in percent (5.5 for 5.5 %), without needless zeros: "5,5 %" with U+00A0 in French, "5.5%" in English."""
    locale = _locale(language)
    sign = babel_percent(0, locale=locale).translate(_DROPPED)
    before, _zero, after = sign.partition("0")
    figure = format_number(abs(rate), language)
    return _signed(rate, f"{before}{figure}{after}".replace("\u202f%", "\u00a0%"))


def _with_decimals(pattern: str, digits: int) -> str:
    """A locale's pattern with as many decimals as the currency has in ISO 4217; babel's own count differs for some."""
    return re.sub(r"0(\.0+)?(?=[^0.]*$)", "0" + ("." + "0" * digits if digits else ""), pattern)


def _signed(amount: Decimal, text: str) -> str:
    text = text.translate(_DROPPED)
    return f"{_MINUS}{text}" if amount < 0 else text


@cache
def _parsed(language: str) -> Locale:
    for name in (language, language.split("-")[0]):
        try:
            return Locale.parse(name, sep="-")
        except (ValueError, UnknownLocaleError):
            continue
    return Locale.parse("en")


def _locale(language: str | None) -> Locale:
    return _parsed(language or get_language() or "en")
