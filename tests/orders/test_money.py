"""Amounts as each language writes them, with the real characters."""

from decimal import Decimal

import pytest
from django.template import Context, Template
from django.utils.translation import override

from orders.money import exponent, format_money, format_number, format_percent, round_money


@pytest.mark.parametrize(
    ("currency", "language", "written"),
    [
        ("EUR", "fr", "1\u202f234,56\u00a0€"),
        ("EUR", "de", "1.234,56\u00a0€"),
        ("EUR", "en", "€1,234.56"),
        ("EUR", "ar", "1,234.56\u00a0€"),
        ("JPY", "en", "¥1,235"),
        ("KWD", "fr", "1\u202f234,560\u00a0KWD"),
    ],
)
def test_each_language_writes_an_amount_its_own_way(currency, language, written):
    assert format_money(Decimal("1234.56"), currency, language) == written


def test_the_minus_is_a_minus_and_stands_before_the_symbol():
    assert format_money(Decimal("-27.24"), "EUR", "fr") == "\u221227,24\u00a0€"
    assert format_money(Decimal("-27.24"), "EUR", "en") == "\u2212€27.24"


def test_table_cells_carry_no_symbol():
    assert format_money(Decimal("145"), "EUR", "fr", symbol=False) == "145,00"


def test_percentages_lose_needless_zeros():
    assert [format_percent(Decimal(rate), "fr") for rate in ("5.50", "20.000", "2.1")] == ["5,5\u00a0%", "20\u00a0%", "2,1\u00a0%"]
    assert format_percent(Decimal("5.5"), "en") == "5.5%"


def test_a_unit_price_keeps_the_decimals_it_needs():
    assert format_number(Decimal("24.166700"), "fr", decimals=4) == "24,1667"
    assert format_number(Decimal("6.0000"), "fr") == "6"


def test_halves_round_away_from_zero_to_the_coin_of_the_currency():
    assert [exponent(code) for code in ("EUR", "JPY", "KWD", "XYZ")] == [2, 0, 3, 2]
    assert round_money(Decimal("0.125"), "EUR") == Decimal("0.13")
    assert round_money(Decimal("-0.125"), "EUR") == Decimal("-0.13")
    assert round_money(Decimal("90.5"), "JPY") == Decimal(91)


def test_templates_write_amounts_in_the_readers_language():
    template = Template("{% load money %}{{ amount|money:'EUR' }} {{ rate|percent }} {{ none|money:'EUR' }}|")
    with override("fr"):
        written = template.render(Context({"amount": Decimal(5), "rate": Decimal("5.5"), "none": None}))
    assert written == "5,00\u00a0€ 5,5\u00a0% |"
