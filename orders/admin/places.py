"""Where the reader came from: the list whose result the page of an order steps through, kept through panels and redirects."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from django.http import HttpRequest, QueryDict
from django.urls import reverse

from orders.admin.list_result import result_of
from orders.listing import neighbours
from orders.models import Order

LONGEST = 2000


@dataclass(frozen=True)
class Steps:
    """The neighbours of an order within a result, and the way back to it."""

    back_url: str
    previous_url: str
    next_url: str


def within(request: HttpRequest) -> str:
    """The query of the list that the reader came from: of this address, of the form, or of the page that sent the request."""
    for query in (request.GET, request.POST):
        if "in" in query:
            return _short(query["in"])
    page = request.headers.get("HX-Current-URL") or request.headers.get("Referer") or ""
    try:
        found = parse_qs(urlsplit(page).query).get("in", [""])
    except ValueError:
        return ""
    return _short(found[0])


def order_url(request: HttpRequest, order: Order) -> str:
    """The page of an order within the reader's list."""
    return page_of(order.pk, within(request))


def page_of(pk: int, query: str) -> str:
    """The page of an order within the list that `query` gives."""
    return reverse("admin:orders_order_change", args=[pk]) + (f"?{_in(query)}" if query else "")


def steps(request: HttpRequest, order: Order) -> Steps:
    """Which orders stand before and after this one in the reader's result. A constant number of queries, none of them counts."""
    query = within(request)
    result = result_of(request.user, QueryDict(query))
    before, after = neighbours(result.orders, order, result.sort)
    back = reverse("admin:orders_order_changelist") + (f"?{query}" if query else "")
    return Steps(back, page_of(before, query) if before else "", page_of(after, query) if after else "")


def _in(query: str) -> str:
    wanted = QueryDict(mutable=True)
    wanted["in"] = query
    return wanted.urlencode()


def _short(query: str) -> str:
    return query if len(query) <= LONGEST else ""
