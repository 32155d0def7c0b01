"""The orders list as a page: tabs, search and filters in the address, one keyset page, a bounded number of queries."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from orders.admin.bulk import offered
from orders.admin.list_columns import COLUMNS, Column, chosen_columns, rows_of, write_rows
from orders.admin.list_result import ALL, DEFAULT_SORT, Result, result_of
from orders.admin.list_tabs import ListTab, canonical, first_view, tabs_of
from orders.explaining import explain
from orders.known import profile_of, shop_of, statuses_of
from orders.listing import MOST_COUNTED, Page, bounded_counts, counted_text, estimated_total, keyset_page

MOST_EXPLAINED = 3


def order_list_view(request: HttpRequest, site: AdminSite, context: dict[str, Any]) -> HttpResponse:
    """The list as a page, or as a fragment for the search box. The caller has checked the right to see orders."""
    query = request.GET
    if not query and (address := first_view(request.user)):
        return redirect(reverse("admin:orders_order_changelist") + address)
    is_fragment = bool(getattr(request, "htmx", False)) and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    clean = address_without_empty(query)
    if clean and not is_fragment:
        return redirect(clean)
    profile = profile_of(request)
    result = result_of(request.user, query, default_sort=profile.list_sort, statuses=statuses_of(request))
    columns = chosen_columns(profile.list_columns)
    page = keyset_page(result.orders, query, result.sort)
    tabs, matches = counted_tabs(tabs_of(request.user, profile, result, query), result)
    current = next((tab for tab in tabs if tab.is_current), tabs[0])
    within = canonical(query)
    is_whole = not within
    is_changed = current.view is not None and current.view.query != within
    template = "admin/orders/order/results.html" if is_fragment else "admin/orders/order/change_list.html"
    frame = {"shop": shop_of(request)} if is_fragment else site.each_context(request)
    response = TemplateResponse(
        request,
        template,
        frame
        | {
            "title": _("Orders"),
            "tabs": [tab for tab in tabs if not tab.is_hidden or tab.is_current],
            "current_tab": current,
            "chips": result.chips,
            "wrong": result.wrong,
            "page": page,
            "rows": written_rows(request, result, page, columns, within),
            "columns": columns,
            "heads": _heads(query, result.sort, columns),
            "matches": matches,
            "matches_text": counted_text(matches, estimated_total() if is_whole and matches > MOST_COUNTED else 0),
            "text": query.get("q", "").strip(),
            "bulk_statuses": offered(result.statuses, local_delivery=frame["shop"].local_delivery),
            "may_tick": may_tick(request.user),
            "kept_filters": kept_filters(query),
            "filters_url": f"{reverse('admin:orders_order_filters')}?{query.urlencode()}",
            "within": within,
            "is_changed_view": is_changed,
            "view_keeps": kept_words(current.view.query, request.user, result) if is_changed and current.view else "",
            "seen_keeps": kept_words(within, request.user, result) if is_changed else "",
            "may_overwrite": current.view is not None and may_change_view(request.user, current.view),
            "fresh_from": max((order.pk for order in page.orders), default=0) if _is_first_page(query, result.sort) else None,
            "all_columns": [(column, column in columns) for column in [*columns, *(c for c in COLUMNS if c not in columns)]],
            "sorts": _sorts(result.sort),
            "query": query,
        }
        | context,
    )
    if clean:
        response["HX-Push-Url"] = clean
    patch_vary_headers(response, ["HX-Request"])
    return response


def filters_view(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """The fields of all filters, filled with those in use: a fragment for the menu, else a page of its own."""
    query = request.GET
    result = result_of(request.user, query, with_menu=True)
    is_fragment = bool(getattr(request, "htmx", False))
    template = "admin/orders/order/filter_menu.html" if is_fragment else "admin/orders/order/filters.html"
    response = TemplateResponse(
        request,
        template,
        ({} if is_fragment else site.each_context(request))
        | {
            "title": _("Filter the orders"),
            "filterset": result.filterset,
            "text": query.get("q", "").strip(),
            "kept_filters": kept_filters(query),
            "plain_url": f"{reverse('admin:orders_order_changelist')}?{urlencode({'view': result.tab.key})}",
        },
    )
    patch_vary_headers(response, ["HX-Request"])
    return response


def written_rows(request: HttpRequest, result: Result, page: Page, columns: list[Column], within: str, *, is_new: bool = False) -> Any:
    """The rows of a page as HTML, each match of the search explained where the row does not show it by itself."""
    text = request.GET.get("q", "").strip()
    rows = rows_of(page.orders, result.statuses, columns)
    if text and rows:
        found = explain(page.orders, text)
        for row in rows:
            row.matches = list(found.get(row.order.pk, []))[:MOST_EXPLAINED]
    return write_rows(rows, columns, text=text, may_tick=may_tick(request.user), within=within, is_new=is_new)


def address_without_empty(query: QueryDict) -> str:
    """The address without the fields that a form sent empty; nothing where there are none. To show all is asked for by name."""
    pairs = [(name, value) for name, values in query.lists() for value in values]
    full = [(name, value) for name, value in pairs if value]
    if full == pairs:
        return ""
    return f"{reverse('admin:orders_order_changelist')}?{urlencode(full or [('view', ALL)])}"


def may_tick(user: Any) -> bool:
    """Whether there is anything to do with ticked orders."""
    return any(
        user.has_perm(f"orders.{right}")
        for right in ("change_order_status", "change_payment_status", "change_order", "print_order", "export_order")
    )


def kept_words(address: str, user: Any, known: Result) -> str:
    """What a view that keeps this address opens with, in a line."""
    query = QueryDict(address)
    result = result_of(user, query, known=known)
    words = [result.tab.label] if result.tab.key != ALL else []
    words += [pgettext("before a value", "{label}: {value}").format(label=chip.label, value=chip.value) for chip in result.chips]
    words += [f"“{query['q']}”"] if query.get("q") else []
    words += [name for key, name, is_used in _sorts(result.sort) if is_used and query.get("sort")]
    return ", ".join(words) or _("all orders, newest first")


def may_change_view(user: Any, view: Any) -> bool:
    """A person's own views, and shared ones for those who may share."""
    return view.owner_id == user.pk or (view.is_shared and user.has_perm("orders.share_savedview"))


def kept_filters(query: QueryDict) -> list[tuple[str, str]]:
    """Parameters that the search box carries along as hidden fields."""
    return [(name, value) for name, values in query.lists() if name not in ("q", "after", "before") for value in values]


def newest_first(sort: str) -> bool:
    return sort == DEFAULT_SORT


def _is_first_page(query: QueryDict, sort: str) -> bool:
    return newest_first(sort) and not query.get("after") and not query.get("before")


def counted_tabs(tabs: list[ListTab], result: Result) -> tuple[list[ListTab], int]:
    """The tabs with their counts, and the count of the result: one query for all."""
    shown = [tab for tab in tabs if tab.orders is not None]
    *counts, matches = bounded_counts([*(tab.orders for tab in shown if tab.orders is not None), result.orders])
    by_key = dict(zip((tab.key for tab in shown), counts, strict=True))
    return [
        replace(tab, count=by_key[tab.key], count_text=counted_text(by_key[tab.key])) if tab.key in by_key else tab for tab in tabs
    ], matches


def _heads(query: QueryDict, sort: str, columns: list[Column]) -> list[tuple[Column, str, str]]:
    """The heads of the table: column, address that sorts by it, and how it is sorted now ("ascending", "descending" or nothing)."""
    heads = []
    for column in columns:
        address, state = "", ""
        if column.sort:
            is_sorted = sort.removeprefix("-") == column.sort
            state = ("descending" if sort.startswith("-") else "ascending") if is_sorted else ""
            # Dates and amounts begin with the largest, words with A.
            first = column.sort if column.sort == "customer_name" else f"-{column.sort}"
            other = column.sort if sort.startswith("-") else f"-{column.sort}"
            linked = query.copy()
            for gone in ("after", "before"):
                linked.pop(gone, None)
            linked["sort"] = other if is_sorted else first
            address = "?" + linked.urlencode()
        heads.append((column, address, state))
    return heads


def _sorts(sort: str) -> list[tuple[str, str, bool]]:
    """What a person can choose as the sort the list opens with."""
    names = {
        "-placed_at": _("newest first"),
        "placed_at": _("oldest first"),
        "-updated_at": _("last changed first"),
        "-total": _("largest total first"),
        "customer_name": _("customer, A to Z"),
        "-number": _("highest number first"),
    }
    return [(key, name, key == sort) for key, name in names.items()]
