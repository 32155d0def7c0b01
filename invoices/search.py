"""Numbers by which the search box finds an order; named by settings.SEARCH_SOURCES."""

from collections.abc import Iterable

from invoices.models import Invoice


def document_numbers(order_ids: Iterable[int]) -> list[tuple[int, str]]:
    """The numbers of the documents of these orders, as printed. One query."""
    return list(Invoice.objects.filter(order__in=order_ids).order_by("id").values_list("order", "number"))
