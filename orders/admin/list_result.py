"""Which orders a list address means: its view, its filters and its sort, for the list, bulk actions, exports and the page's neighbours."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.forms import Field
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from orders.choices import DeliveryKind
from orders.filtering import wrong_value
from orders.filters import Chip, OrderFilterSet
from orders.models import Order, Status

DEFAULT_SORT = "-placed_at"
SORTS = ("placed_at", "number", "customer_name", "total", "updated_at")
ALL = "all"


@dataclass(frozen=True)
class Tab:
    """A view that every shop has: its key in addresses, its name, the orders it begins with."""

    key: str
    label: str
    orders: QuerySet[Order]


@dataclass(frozen=True)
class Result:
    """The orders that an address means (unsorted) and how they are sorted: a column of `SORTS`, with "-" for the largest first."""

    orders: QuerySet[Order]
    sort: str
    tab: Tab
    tabs: list[Tab]
    filterset: OrderFilterSet
    statuses: list[Status]
    unknown_view: str = ""

    @property
    def wrong(self) -> list[Chip]:
        """What the address names and makes no sense: then nothing is found, and nothing may be done with "all of it"."""
        view = [Chip(_("View"), wrong_value(Field(), self.unknown_view), "?view=all", is_wrong=True)] if self.unknown_view else []
        return [*view, *self.filterset.wrong()]

    @property
    def chips(self) -> list[Chip]:
        """The filters in use, those that make no sense first."""
        return [*self.wrong[: bool(self.unknown_view)], *self.filterset.chips()]


def result_of(
    user: Any,
    query: QueryDict,
    *,
    default_sort: str = "",
    known: Result | None = None,
    statuses: list[Status] | None = None,
    with_menu: bool = False,
) -> Result:
    """What the list shows for `query`; nothing where a view or a value makes no sense. `user` is who looks ("me" means them).

    `known` is another result of the same request, `statuses` are those it read: neither is read again. `with_menu` makes every
    filter, for a menu that offers them; else only those that the address names.
    """
    if statuses is None:
        statuses = known.statuses if known else list(Status.objects.select_related("base"))
    tabs = known.tabs if known else [*builtin_tabs(statuses), *deleted_tabs(user)]
    wanted = query.get("view", "")
    tab = next((tab for tab in tabs if tab.key == wanted), tabs[0])
    unknown = wanted if wanted and tab.key != wanted else ""
    filterset = OrderFilterSet(query, tab.orders, statuses=statuses, user=user, only_given=not with_menu)
    found = Order.objects.none() if unknown else filterset.found()
    return Result(found, sort_of(query, default_sort), tab, tabs, filterset, statuses, unknown)


def deleted_tabs(user: Any) -> list[Tab]:
    """The deleted orders, for those who may bring them back."""
    if user is None or not user.has_perm("orders.delete_order"):
        return []
    return [Tab("deleted", pgettext("orders", "Deleted"), Order.objects.filter(deleted_at__isnull=False))]


def sort_of(query: QueryDict, default: str = "") -> str:
    """The sort that an address asks for, else the person's, else newest first."""
    for wanted in (query.get("sort", ""), default):
        if wanted.removeprefix("-") in SORTS and not wanted.startswith("--"):
            return wanted
    return DEFAULT_SORT


def builtin_tabs(statuses: Iterable[Status]) -> list[Tab]:
    """The views that every shop has. Conditions read the statuses' columns."""
    statuses = list(statuses)
    present = Order.objects.present()
    waiting = [s.pk for s in statuses if s.waits_for_staff and not s.goods_left]
    pickup = [s.pk for s in statuses if s.own_mail == Status.OwnMail.READY_FOR_PICKUP]
    paid = [s.pk for s in statuses if s.counts_as_paid]
    unpaid = [s.pk for s in statuses if s.axis == "payment" and s.waits_for_staff]
    returned = [s.pk for s in statuses if s.asks == Status.Asks.RETURNED_PIECES]
    to_ship = present.filter(is_held=False, payment_status__in=paid, fulfilment_status__in=[s for s in waiting if s not in pickup])
    return [
        Tab(ALL, pgettext("orders", "All"), present),
        Tab("to-process", _("To process"), Order.objects.to_process(statuses)),
        Tab("to-ship", _("To ship"), to_ship.exclude(delivery_kind=DeliveryKind.PICKUP)),
        Tab("to-collect", pgettext("orders", "Ready for pickup"), present.filter(fulfilment_status__in=pickup)),
        Tab("unpaid", pgettext("orders", "Awaiting payment"), present.filter(payment_status__in=unpaid)),
        Tab("returned", _("Returned"), present.filter(fulfilment_status__in=returned)),
        Tab("held", pgettext("orders", "On hold"), present.filter(is_held=True)),
    ]
