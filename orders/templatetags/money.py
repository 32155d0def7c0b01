"""`{{ amount|money:currency }}`, `{{ rate|percent }}`, `{{ quantity|figure }}` in the reader's language."""

from decimal import Decimal

from django import template

from orders.money import format_money, format_number, format_percent

register = template.Library()


@register.filter
def money(amount: Decimal | None, currency: str) -> str:
    """An amount with its symbol; nothing where there is no amount."""
    return "" if amount is None else format_money(Decimal(amount), currency)


@register.filter
def bare_money(amount: Decimal | None, currency: str) -> str:
    """An amount without its symbol, for table cells."""
    return "" if amount is None else format_money(Decimal(amount), currency, symbol=False)


@register.filter
def percent(rate: Decimal | None) -> str:
    """A rate in percent."""
    return "" if rate is None else format_percent(Decimal(rate))


@register.filter
def figure(number: Decimal | int | None) -> str:
    """A number without needless decimals."""
    return "" if number is None else format_number(Decimal(number))
