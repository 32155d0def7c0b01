"""Which orders owe, are owed, or are settled: conditions of a filter that the database answers from an index."""

from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import F, Q
from django.db.models.lookups import Exact, In
from django.utils.translation import gettext_lazy, pgettext_lazy

from orders.choices import Axis, StockEffect
from orders.listing import MOST_FEW
from orders.models import Order, Status
from orders.models.balance import balance_sign, status_with_money


def to_pay() -> Q:
    """The customer still owes something; a cancelled order is owed nothing."""
    return Q(Exact(balance_sign(), 1)) & Q(payment_status__in=_payment_statuses(releases=False))


def overpaid(live: Iterable[int] | None = None) -> Q:
    """More was received than the order comes to. `live`: the payment statuses that give nothing back, where they are read already."""
    statuses = _payment_statuses(releases=False) if live is None else list(live)
    return Q(Exact(balance_sign(), -1)) & Q(payment_status__in=statuses)


def money_kept(releasing: Iterable[int] | None = None) -> Q:
    """Cancelled or refunded, and some of the money is still here. `releasing`: the payment statuses that give back, where read already."""
    statuses = _payment_statuses(releases=True) if releasing is None else list(releasing)
    return Q(In(status_with_money(), statuses))


def refund_due() -> Q:
    """Overpaid, or cancelled with money kept. Few orders are, so both are read by their own index and named by id."""
    parts = [Order.objects.present().filter(condition).order_by().values_list("pk", flat=True) for condition in (overpaid(), money_kept())]
    return Q(pk__in=list(parts[0].union(parts[1])[:MOST_FEW]))


def settled() -> Q:
    """Nothing is owed on either side."""
    live = Q(Exact(balance_sign(), 0)) & Q(payment_status__in=_payment_statuses(releases=False))
    return live | Q(payment_status__in=_payment_statuses(releases=True), paid_total__lte=F("refunded_total"))


BALANCES: dict[str, tuple[Any, Callable[[], Q]]] = {
    "due": (pgettext_lazy("balance", "something is left to pay"), to_pay),
    "refund": (pgettext_lazy("balance", "a refund is due"), refund_due),
    "overpaid": (pgettext_lazy("balance", "paid too much"), overpaid),
    "settled": (gettext_lazy("settled"), settled),
}


def _payment_statuses(*, releases: bool) -> list[int]:
    rows = Status.objects.filter(axis=Axis.PAYMENT)
    rows = rows.filter(stock_effect=StockEffect.RELEASE) if releases else rows.exclude(stock_effect=StockEffect.RELEASE)
    return list(rows.order_by().values_list("pk", flat=True))
