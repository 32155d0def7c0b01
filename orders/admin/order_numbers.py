"""The number that the next order will most likely get, for pages that show an order before it is made."""

from orders.models import NumberCounter, Shop
from orders.services.intake import COUNTER, format_number


def upcoming_number(shop: Shop) -> str:
    """A look ahead, not a promise: numbers are drawn when an order is placed."""
    last = NumberCounter.objects.filter(name=COUNTER).values_list("last", flat=True).first() or 0
    return format_number(shop, last + 1)
