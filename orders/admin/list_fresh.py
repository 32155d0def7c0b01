"""What changed in the orders list while it is open: new orders that belong to it, and the counts of its tabs."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.cache import never_cache

from orders.admin.list_columns import chosen_columns
from orders.admin.list_result import result_of
from orders.admin.list_tabs import canonical, tabs_of
from orders.admin.order_list import counted_tabs, written_rows
from orders.known import profile_of
from orders.listing import PAGE, Page, counted_text
from orders.models import Order


@never_cache
def fresh_view(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Orders of the result that came after `since` (an id), as rows that slide in; the counts of the tabs and of the result.

    One indexed look when nothing came. The caller has checked the right to see orders.
    """
    query = request.GET.copy()
    since = query.pop("since", ["0"])[-1]
    seen = int(since) if since.isdecimal() and len(since) < 18 else 0
    newest = Order.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    profile = profile_of(request)
    result = result_of(request.user, query, default_sort=profile.list_sort)
    tabs, matches = counted_tabs(tabs_of(request.user, profile, result, query), result)
    facts: dict[str, Any] = {
        "tabs": [tab for tab in tabs if not tab.is_hidden or tab.is_current],
        "matches": matches,
        "matches_text": counted_text(matches),
        "fresh_from": max(newest, seen),
        "within": canonical(query),
        "count": 0,
    }
    if newest > seen:
        orders = list(result.orders.filter(pk__gt=seen).order_by("-placed_at", "-pk").defer("search")[:PAGE])
        columns = chosen_columns(profile.list_columns)
        facts |= {"rows": written_rows(request, result, Page(orders), columns, facts["within"], is_new=True), "count": len(orders)}
    return TemplateResponse(request, "admin/orders/order/fresh.html", facts)
