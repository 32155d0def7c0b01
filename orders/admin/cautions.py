"""What speaks against a status: a hold, a cancellation, a way back, money that is missing. Among many orders each group has its tick.

Where a status would undo what somebody decided (a hold, a cancellation) or take an order back, the group stays out until ticked.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.choices import Axis, DeliveryKind
from orders.models import Order, Shipment, Status

HELD, RELEASED, BACK, UNPAID, NO_METHOD = "held", "released", "back", "unpaid", "no-method"
OUT = frozenset({HELD, RELEASED, BACK})  # left out until somebody ticks them
NAMED = 6


@dataclass
class Caution:
    """A group of the chosen orders with what speaks against the change. `is_in`: they change all the same."""

    name: str
    icon: str
    title: str
    why: str
    orders: list[Order] = field(default_factory=list)
    is_in: bool = True

    @property
    def named(self) -> list[tuple[Order, str]]:
        """The first orders with the reason of a hold."""
        return [(order, order.hold_reason if self.name == HELD else "") for order in self.orders[:NAMED]]

    @property
    def more(self) -> int:
        return max(len(self.orders) - NAMED, 0)


@dataclass
class Present:
    """The chosen orders as they are now, for the panel of `target`."""

    target: Status
    statuses: list[tuple[Status, int]]  # on the axis that changes, most orders first
    cautions: list[Caution]
    untracked: frozenset[int]  # orders of which no parcel has a number

    @property
    def out(self) -> list[str]:
        return sorted(caution.name for caution in self.cautions if not caution.is_in)

    def left_out(self) -> dict[int, str]:
        """Why an order is left out, by order id."""
        return {order.pk: said(caution.name) for caution in self.cautions if not caution.is_in for order in caution.orders}


def look_at(ids: Iterable[int], target: Status, out: Iterable[str] = OUT) -> Present:
    """Sort the orders `ids` by what speaks against `target`; the groups named in `out` are left out."""
    statuses = {status.pk: status for status in Status.objects.select_related("base")}
    parcels = Shipment.objects.filter(order=OuterRef("pk"), voided_by=None).exclude(tracking_number="")
    needed = (
        "number",
        "customer_name",
        "is_held",
        "hold_reason",
        "payment_status",
        "fulfilment_status",
        "shipping_method",
        "delivery_kind",
    )
    found = Order.objects.filter(pk__in=list(ids)).only(*needed).select_related("payment_status", "fulfilment_status")
    orders = list(found.annotate(is_tracked=Exists(parcels)).order_by("-placed_at", "-pk"))
    counted: Counter[int] = Counter()
    groups: dict[str, list[Order]] = {}
    for order in orders:
        now = order.payment_status if target.axis == Axis.PAYMENT else order.fulfilment_status
        counted[now.pk] += 1
        if now.pk != target.pk:
            for name in against(order, target):
                groups.setdefault(name, []).append(order)
    out = frozenset(out)
    cautions = [_caution(name, groups[name], target, is_in=name not in out) for name in SPEAKS if name in groups]
    untracked = frozenset(order.pk for order in orders if not order.is_tracked)
    return Present(target, [(statuses[pk], count) for pk, count in counted.most_common()], cautions, untracked)


def against(order: Order, target: Status) -> list[str]:
    """Names of what speaks against `target` for this order, whose statuses are loaded."""
    return [name for name, speaks in SPEAKS.items() if speaks(order, target)]


def warnings(order: Order, target: Status) -> list[str]:
    """What the panel of one order says beside its button."""
    words = {
        HELD: _("This order is on hold (%(reason)s). It changes all the same if you apply; the hold stays.")
        % {"reason": order.hold_reason or _("no reason given")},
        RELEASED: _("This order is cancelled or refunded: nothing more is expected of it."),
        BACK: _("This takes the order back: it is further along than “%(status)s”.") % {"status": target},
        UNPAID: _("This order is not paid: the goods would leave before the money is there."),
    }
    return [words[name] for name in against(order, target) if name in words]


def said(name: str) -> str:
    """Why an order of this group was left out, for the receipt."""
    return {
        HELD: _("Left out in the panel: it is on hold."),
        RELEASED: _("Left out in the panel: it is cancelled or refunded."),
        BACK: _("Left out in the panel: it is further along already."),
        UNPAID: _("Left out in the panel: it is not paid."),
        NO_METHOD: _("Left out in the panel: it has no shipping method."),
    }[name]


def _is_held(order: Order, target: Status) -> bool:
    return order.is_held and target.axis == Axis.FULFILMENT and not target.releases_unshipped


def _is_released(order: Order, target: Status) -> bool:
    return order.payment_status.releases and not target.releases and not target.releases_unshipped


def _goes_back(order: Order, target: Status) -> bool:
    if target.axis == Axis.PAYMENT:
        return order.payment_status.counts_as_paid and not target.counts_as_paid and not target.releases
    return _place(order.fulfilment_status) > _place(target)


def _is_unpaid(order: Order, target: Status) -> bool:
    payment = order.payment_status
    return target.axis == Axis.FULFILMENT and target.goods_left and not payment.counts_as_paid and not payment.releases


def _has_no_method(order: Order, target: Status) -> bool:
    return target.asks == Status.Asks.TRACKING and not order.shipping_method and order.delivery_kind != DeliveryKind.PICKUP


SPEAKS: dict[str, Callable[[Order, Status], bool]] = {
    HELD: _is_held,
    RELEASED: _is_released,
    BACK: _goes_back,
    UNPAID: _is_unpaid,
    NO_METHOD: _has_no_method,
}


def _place(status: Status) -> int:
    """How far along the way to the customer: a shop's own status stands where the one it is based on does."""
    return (status.base if status.base_id and status.base else status).position


def _caution(name: str, orders: list[Order], target: Status, *, is_in: bool) -> Caution:
    count = len(orders)
    titles = {
        HELD: ngettext("Also %(count)d order on hold", "Also %(count)d orders on hold", count),
        RELEASED: ngettext("Also %(count)d cancelled or refunded order", "Also %(count)d cancelled or refunded orders", count),
        BACK: ngettext("Also %(count)d order that goes back", "Also %(count)d orders that go back", count),
        UNPAID: ngettext("Also %(count)d order that is not paid", "Also %(count)d orders that are not paid", count),
        NO_METHOD: ngettext("Also %(count)d order without a shipping method", "Also %(count)d orders without a shipping method", count),
    }
    whys = {
        HELD: _("Somebody wants them to wait."),
        RELEASED: _("Nothing more is expected of them."),
        BACK: _("They are further along than “%(status)s”; what a status mails would be mailed again.") % {"status": target},
        UNPAID: _("The goods would leave before the money is there."),
        NO_METHOD: _("Nothing says how they travel."),
    }
    icon = {HELD: "circle-pause", RELEASED: "circle-alert", BACK: "undo-2", UNPAID: "credit-card"}.get(name, "truck")
    return Caution(name, icon, titles[name] % {"count": count}, whys[name], orders, is_in)
