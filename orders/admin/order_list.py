"""The orders list: tabs, search and filters in the address, one keyset page, a bounded number of queries."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin import AdminSite
from django.db.models import IntegerField, QuerySet, Subquery, Sum, Value
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from orders.admin.bulk import offered
from orders.choices import DeliveryKind
from orders.filters import OrderFilterSet
from orders.models import Order, OrderAddress, OrderLine, PaymentMethod, ShippingMethod, Shop, Status

PAGE = 50
MOST_COUNTED = 1000


class BoundedCount(Subquery):
    """How many rows a query gives, counted up to its slice: cheap on any table."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


@dataclass(frozen=True)
class Tab:
    key: str
    label: str
    orders: QuerySet[Order]
    count: int = 0

    @property
    def count_text(self) -> str:
        return counted_text(self.count)


@dataclass(frozen=True)
class Row:
    """An order of the list with what the table shows beyond its columns."""

    order: Order
    city: str
    pieces: int
    tags: list[str]


@dataclass
class Page:
    """One page of orders, newest first, and the addresses of its neighbours."""

    orders: list[Order]
    newer: str = ""
    older: str = ""


def counted_text(count: int) -> str:
    """A bounded count as the reader sees it: "14", "1000+"."""
    return f"{MOST_COUNTED}+" if count > MOST_COUNTED else str(count)


def order_list_view(request: HttpRequest, site: AdminSite, context: dict[str, Any]) -> HttpResponse:
    """The list as a page, or as a fragment for the search box. The caller has checked the right to see orders."""
    statuses = list(Status.objects.select_related("base"))
    tabs = list_tabs(statuses)
    current = next((tab for tab in tabs if tab.key == request.GET.get("view", "")), tabs[0])
    filterset = OrderFilterSet(request.GET, current.orders, statuses=statuses)
    found = filterset.found()
    page = keyset_page(found, request.GET)
    *counts, matches = bounded_counts([*(tab.orders for tab in tabs), found])
    methods = payment_and_shipping_methods()
    is_fragment = bool(getattr(request, "htmx", False)) and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    template = "admin/orders/order/results.html" if is_fragment else "admin/orders/order/change_list.html"
    response = TemplateResponse(
        request,
        template,
        ({} if is_fragment else site.each_context(request))
        | {
            "title": _("Orders"),
            "tabs": [Tab(tab.key, tab.label, tab.orders, count) for tab, count in zip(tabs, counts, strict=True)],
            "current_tab": current,
            "filterset": filterset,
            "chips": filterset.chips(),
            "page": page,
            "rows": rows_of(page.orders, statuses),
            "matches": matches,
            "matches_text": counted_text(matches),
            "text": request.GET.get("q", "").strip(),
            "bulk_statuses": offered(statuses, local_delivery=Shop.current().local_delivery)
            if request.user.has_perm("orders.change_order_status")
            else {},
            "payment_methods": [name for kind, name in methods if kind == "payment"],
            "shipping_methods": [name for kind, name in methods if kind == "shipping"],
            "kept_filters": kept_filters(request.GET),
            "query": request.GET,
        }
        | context,
    )
    patch_vary_headers(response, ["HX-Request"])
    return response


def list_tabs(statuses: Iterable[Status]) -> list[Tab]:
    """The saved views that every shop has. Conditions read the statuses' columns."""
    present = Order.objects.present()
    waiting = [s.pk for s in statuses if s.waits_for_staff and not s.goods_left]
    pickup = [s.pk for s in statuses if s.own_mail == Status.OwnMail.READY_FOR_PICKUP]
    paid = [s.pk for s in statuses if s.counts_as_paid]
    unpaid = [s.pk for s in statuses if s.axis == "payment" and s.waits_for_staff]
    returned = [s.pk for s in statuses if s.asks == Status.Asks.RETURNED_PIECES]
    to_ship = present.filter(is_held=False, payment_status__in=paid, fulfilment_status__in=[s for s in waiting if s not in pickup])
    return [
        Tab("", pgettext("orders", "All"), present),
        Tab("to-process", _("To process"), Order.objects.to_process()),
        Tab("to-ship", _("To ship"), to_ship.exclude(delivery_kind=DeliveryKind.PICKUP)),
        Tab("to-collect", pgettext("orders", "Ready for pickup"), present.filter(fulfilment_status__in=pickup)),
        Tab("unpaid", pgettext("orders", "Awaiting payment"), present.filter(payment_status__in=unpaid)),
        Tab("returned", _("Returned"), present.filter(fulfilment_status__in=returned)),
        Tab("held", pgettext("orders", "On hold"), present.filter(is_held=True)),
    ]


def bounded_counts(querysets: Iterable[QuerySet[Order]]) -> list[int]:
    """How many orders each query gives, up to one more than `MOST_COUNTED`, in one query."""
    columns = {
        f"count_{position}": BoundedCount(queryset.order_by().values("pk")[: MOST_COUNTED + 1])
        for position, queryset in enumerate(querysets)
    }
    row = Status.objects.order_by().values_list(*columns.values())[:1]
    return list(row[0]) if row else [0] * len(columns)


def keyset_page(orders: QuerySet[Order], query: QueryDict) -> Page:
    """Fifty orders, newest first, from where `after` or `before` says; no page costs more than the first."""
    after, before = _keyset(query.get("after", "")), _keyset(query.get("before", ""))
    if before:
        at, pk = before
        found = orders.filter(placed_at__gte=at).exclude(placed_at=at, pk__lte=pk).order_by("placed_at", "id")
        rows = list(found.defer("search")[: PAGE + 1])
        more, rows = len(rows) > PAGE, rows[:PAGE][::-1]
        return Page(rows, newer=_link(query, "before", rows[0]) if more else "", older=_link(query, "after", rows[-1]) if rows else "")
    if after:
        at, pk = after
        orders = orders.filter(placed_at__lte=at).exclude(placed_at=at, pk__gte=pk)
    rows = list(orders.order_by("-placed_at", "-id").defer("search")[: PAGE + 1])
    more, rows = len(rows) > PAGE, rows[:PAGE]
    newer = _link(query, "before", rows[0]) if after and rows else ""
    return Page(rows, newer=newer, older=_link(query, "after", rows[-1]) if more else "")


def _keyset(value: str) -> tuple[datetime, int] | None:
    at, _separator, pk = value.rpartition("_")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (moment, int(pk)) if pk.isdecimal() and moment.tzinfo else None


def _link(query: QueryDict, name: str, order: Order) -> str:
    linked = query.copy()
    for gone in ("after", "before"):
        linked.pop(gone, None)
    linked[name] = f"{order.placed_at.isoformat()}_{order.pk}"
    return "?" + linked.urlencode()


def rows_of(orders: list[Order], statuses: Iterable[Status]) -> list[Row]:
    """The rows of a page: city, pieces and tags in three queries for all of them; statuses are those given."""
    by_pk = {status.pk: status for status in statuses}
    ids = [order.pk for order in orders]
    if not ids:
        return []
    cities: dict[int, str] = {}
    for pk, kind, city in OrderAddress.objects.filter(order__in=ids).values_list("order_id", "kind", "city").order_by("kind"):
        # "billing" sorts before "shipping": where the parcel goes wins.
        cities[pk] = city if kind == OrderAddress.Kind.SHIPPING and city else cities.get(pk) or city
    pieces = dict(
        OrderLine.objects.filter(order__in=ids, is_removed=False).order_by().values_list("order_id").annotate(pieces=Sum("quantity"))
    )
    tags: dict[int, list[str]] = defaultdict(list)
    for pk, name in Order.tags.through.objects.filter(order__in=ids).order_by("tag__name").values_list("order_id", "tag__name"):
        tags[pk].append(name)
    for order in orders:
        order.payment_status, order.fulfilment_status = by_pk[order.payment_status_id], by_pk[order.fulfilment_status_id]
    return [Row(order, cities.get(order.pk, ""), pieces.get(order.pk, 0), tags.get(order.pk, [])) for order in orders]


def payment_and_shipping_methods() -> list[tuple[str, str]]:
    """The shop's methods as (what of, name), in one query: suggestions of the filter form."""
    payment = PaymentMethod.objects.order_by().annotate(of=Value("payment")).values_list("of", "name")
    shipping = ShippingMethod.objects.order_by().annotate(of=Value("shipping")).values_list("of", "name")
    return sorted(payment.union(shipping))


def kept_filters(query: QueryDict) -> list[tuple[str, str]]:
    """Parameters that the search box carries along as hidden fields."""
    return [(name, value) for name, values in query.lists() if name not in ("q", "after", "before") for value in values]
