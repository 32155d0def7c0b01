"""The tabs of the orders list: the views every shop has and those that people saved, in each person's own order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict

from orders.admin.list_result import ALL, DEFAULT_SORT, Result, result_of
from orders.models import Order, Role, SavedView, StaffProfile

MOST_VIEWS = 30  # saved views that a person sees: each counts its orders on every page
PLACES = ("after", "before", "saved")  # parts of an address that are no part of a view


@dataclass(frozen=True)
class ListTab:
    """A tab as the page shows it."""

    key: str
    label: str
    url: str
    orders: QuerySet[Order] | None = None
    view: SavedView | None = None
    count: int = 0
    count_text: str = ""
    is_current: bool = False
    is_hidden: bool = False


def canonical(query: QueryDict) -> str:
    """The filters, search and sort of an address in one spelling: what a saved view keeps."""
    pairs = sorted((name, value) for name, values in query.lists() if name not in PLACES for value in sorted(set(values)) if value)
    return urlencode([(name, value) for name, value in pairs if (name, value) not in (("view", ALL), ("sort", DEFAULT_SORT))])


def views_of(user: Any) -> list[SavedView]:
    """The person's own views and the shared ones."""
    return list(SavedView.objects.filter(Q(owner=user) | Q(is_shared=True)).select_related("owner")[:MOST_VIEWS])


def tabs_of(user: Any, profile: StaffProfile, result: Result, query: QueryDict) -> list[ListTab]:
    """Every tab of the person, in their order; `orders` of a saved view are found by the same filters as the list."""
    current = current_key(query, result)
    tabs = [
        ListTab(tab.key, tab.label, f"?{urlencode({'view': tab.key})}", tab.orders, is_current=tab.key == current) for tab in result.tabs
    ]
    for view in views_of(user):
        found = result_of(user, QueryDict(view.query), known=result)
        tabs.append(ListTab(view.key, view.name, _address(view), found.orders, view, is_current=view.key == current))
    hidden = set(profile.hidden_tabs)
    shown = [tab if tab.key not in hidden else _hidden(tab) for tab in tabs]
    return arranged(shown, profile.tab_order)


def arranged(tabs: Sequence[ListTab], order: Iterable[str]) -> list[ListTab]:
    """Tabs in the order of `order`; those it does not name keep their place behind."""
    places = {key: place for place, key in enumerate(order)}
    return sorted(tabs, key=lambda tab: places.get(tab.key, len(places)))


def current_key(query: QueryDict, result: Result) -> str:
    """Which tab an address belongs to: the saved view it names, else the shop's view it begins with."""
    saved = query.get("saved", "")
    return f"v{int(saved)}" if saved.isdecimal() and len(saved) < 18 else result.tab.key


def first_view(user: Any) -> str:
    """The address that the list opens with for the roles of `user`; empty where none says."""
    for key in Role.objects.filter(group__user=user).exclude(default_view="").values_list("default_view", flat=True)[:1]:
        if key.startswith("v") and key[1:].isdecimal():
            view = SavedView.objects.filter(pk=int(key[1:]), is_shared=True).first()
            return _address(view) if view else ""
        return f"?{urlencode({'view': key})}"
    return ""


def _address(view: SavedView) -> str:
    return f"?saved={view.pk}" + (f"&{view.query}" if view.query else "")


def _hidden(tab: ListTab) -> ListTab:
    return ListTab(tab.key, tab.label, tab.url, None, tab.view, is_current=tab.is_current, is_hidden=True)
