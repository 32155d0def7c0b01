"""What the sidebar shows to whom: one list of places, filtered by rights."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orders.known import statuses_of
from orders.listing import bounded_counts
from orders.models import Order

MOST_COUNTED = 100


@dataclass(frozen=True)
class Place:
    """A page of the sidebar. `right` is the permission that opens it; `phone` places stand in the bottom bar, by their `short` name."""

    label: str | Promise
    icon: str
    url_name: str
    right: str = ""
    phone: bool = False
    key: str = ""
    short: str | Promise = ""


@dataclass
class NavItem:
    label: str | Promise
    icon: str
    url: str
    phone: bool
    key: str
    short: str | Promise = ""
    count: str = ""
    alert: bool = False
    current: bool = False


@dataclass
class NavGroup:
    title: str | Promise
    items: list[NavItem] = field(default_factory=list)


WORK = (
    Place(_("Home"), "house", "admin:index", phone=True, key="h"),
    Place(_("Orders"), "shopping-bag", "admin:orders_order_changelist", "orders.view_order", phone=True, key="o"),
    Place(_("Packing"), "package", "admin:orders_order_packing", "orders.ship_order"),
    Place(_("Drafts and carts"), "shopping-cart", "admin:orders_draft_changelist", "orders.view_draft"),
    Place(_("Stock"), "boxes", "admin:orders_variant_changelist", "orders.view_variant", phone=True, key="s"),
    Place(_("Products"), "box", "admin:orders_product_changelist", "orders.view_product"),
    Place(_("Customers"), "users", "admin:orders_customer_changelist", "orders.view_customer"),
    Place(_("Invoices"), "file-text", "admin:invoices_invoice_changelist", "invoices.view_invoice"),
    Place(
        _("Outgoing mail"),
        "send",
        "admin:notifications_outgoingemail_changelist",
        "notifications.view_outgoingemail",
        phone=True,
        key="e",
        short=pgettext_lazy("bottom bar", "Mails"),
    ),
)
SHOP = (
    Place(_("Mail templates"), "layout-template", "admin:notifications_emailtemplate_changelist", "notifications.view_emailtemplate"),
    Place(_("Statuses"), "tag", "admin:orders_status_changelist", "orders.view_status"),
    Place(_("Settings"), "settings", "admin:orders_shop_changelist", "orders.view_shop"),
    Place(_("Staff"), "circle-user", "admin:staff", "orders.manage_staff"),
    Place(_("Import"), "upload", "admin:orders_import", "orders.import_order"),
    Place(_("All data"), "database", "admin:all_data"),
)


def navigation(request: HttpRequest) -> list[NavGroup]:
    """The sidebar for the person of `request`: only what exists and what that person may see."""
    groups = [NavGroup("", list(open_places(request, WORK))), NavGroup(_("Shop"), list(open_places(request, SHOP)))]
    items = [item for group in groups for item in group.items]
    _mark_current(request.path, items)
    _count_work(request, items)
    return [group for group in groups if group.items]


def open_places(request: HttpRequest, places: Iterable[Place]) -> Iterable[NavItem]:
    """Those of `places` that exist and that the person of `request` may see."""
    for place in places:
        if place.right and not request.user.has_perm(place.right):
            continue
        try:
            url = reverse(place.url_name)
        except NoReverseMatch:
            continue
        yield NavItem(place.label, place.icon, url, place.phone, place.key, place.short)


def _mark_current(path: str, items: list[NavItem]) -> None:
    """The place with the longest address that begins `path`; Home stands for itself only."""
    home = reverse("admin:index")
    inside = [item for item in items if path == item.url or (item.url != home and path.startswith(item.url))]
    if inside:
        max(inside, key=lambda item: len(item.url)).current = True


def _count_work(request: HttpRequest, items: list[NavItem]) -> None:
    """Orders to process and mails that failed, in one query; counting stops at a hundred, so a large shop costs no more."""
    outgoing: Any = apps.get_model("notifications", "OutgoingEmail")
    counted: dict[str, QuerySet[Any]] = {
        "shopping-bag": Order.objects.to_process(statuses_of(request)),
        "send": outgoing.objects.filter(state__in=["failed", "dead"]),
    }
    shown = [item for item in items if item.icon in counted]
    counts = bounded_counts([counted[item.icon] for item in shown], most=MOST_COUNTED) if shown else []
    for item, number in zip(shown, counts, strict=True):
        item.count, item.alert = _written(number), item.icon == "send"


def _written(number: int) -> str:
    if number == MOST_COUNTED:
        return "99+"
    return str(number) if number else ""
