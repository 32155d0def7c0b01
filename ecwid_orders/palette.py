"""The search over everything: orders, customers, articles and pages, a few of each."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from ecwid_orders.navigation import SHOP, WORK, Place, open_places
from orders.finding import find_customers, find_variants
from orders.listing import newest
from orders.models import Customer, Order, Variant
from orders.money import format_money
from orders.search import find_orders, fold

MOST_ORDERS = 6
MOST_OTHERS = 4

ACTIONS = (Place(_("New order"), "plus", "admin:orders_order_add", "orders.add_order"),)


@dataclass(frozen=True)
class Found:
    """One line of the palette."""

    label: str | Promise
    icon: str
    url: str
    hint: str = ""


@dataclass(frozen=True)
class FoundGroup:
    title: str | Promise
    lines: list[Found]


def find_everything(request: HttpRequest, text: str) -> list[FoundGroup]:
    """What matches `text`, in groups; without a text the pages alone. Only what the person may see, in four queries at most."""
    groups = [
        FoundGroup(_("Orders"), list(_orders(request.user, text))),
        FoundGroup(_("Customers"), list(_customers(request.user, text))),
        FoundGroup(_("Articles"), list(_articles(request.user, text))),
        FoundGroup(_("Pages and actions"), list(_pages(request, text))),
    ]
    return [group for group in groups if group.lines]


def _orders(user: Any, text: str) -> Iterable[Found]:
    if not text or not user.has_perm("orders.view_order"):
        return
    for order in newest(find_orders(Order.objects.present().with_statuses(), text), MOST_ORDERS):
        amount = format_money(order.total, order.currency, get_language() or "en")
        hint = f"{order.payment_status} · {order.fulfilment_status} · {amount}"
        yield Found(f"#{order.number} {order.customer_name or order.email}", "shopping-bag", _change_url(order), hint)


def _customers(user: Any, text: str) -> Iterable[Found]:
    if not text or not user.has_perm("orders.view_customer"):
        return
    for customer in find_customers(Customer.objects.all(), text)[:MOST_OTHERS]:
        yield Found(str(customer), "users", _change_url(customer), customer.email)


def _articles(user: Any, text: str) -> Iterable[Found]:
    if not text or not user.has_perm("orders.view_variant"):
        return
    for variant in find_variants(Variant.objects.select_related("product"), text)[:MOST_OTHERS]:
        left = gettext("{number} available").format(number=variant.available) if variant.is_tracked else ""
        yield Found(f"{variant} ({variant.sku})", "box", _change_url(variant), left)


def _pages(request: HttpRequest, text: str) -> Iterable[Found]:
    wanted = fold(text)
    for item in open_places(request, (*ACTIONS, *WORK, *SHOP)):
        if wanted in fold(str(item.label)):
            yield Found(item.label, item.icon, item.url)


def _change_url(row: Order | Customer | Variant) -> str:
    return reverse(f"admin:orders_{row._meta.model_name}_change", args=[row.pk])
