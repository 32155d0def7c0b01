"""What needs somebody: each rule is one bounded query and gives a line with a reason and one way to settle it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import F, Q
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from invoices.models import PendingDocument
from notifications.models import OutgoingEmail
from orders.balances import money_kept, overpaid
from orders.choices import Axis, StockEffect
from orders.listing import BULKY, MOST_FEW
from orders.models import Order, Status, Variant
from orders.money import format_money

SHOWN = 4
MOST = 60
LATE_SHIPPING = timedelta(days=3)
LATE_PAYMENT = timedelta(days=7)

DANGER, WARNING, REMINDER = "danger", "warning", ""


@dataclass(frozen=True)
class Reason:
    """A row behind a line: where it is, and why it is here."""

    label: str
    url: str
    why: str = ""


@dataclass(frozen=True)
class Matter:
    """A line of "To settle". It leaves by itself when its cause is gone."""

    severity: str
    icon: str
    title: str
    reasons: list[Reason]
    more: int
    verb: str | Promise
    url: str


def matters(request: HttpRequest, statuses: Iterable[Status]) -> list[Matter]:
    """Everything to settle that the person of `request` may see: what hurts a customer first, then money, then reminders."""
    may, now, statuses = request.user.has_perm, timezone.now(), list(statuses)
    found: list[Matter | None] = []
    if may("orders.view_order"):
        found += _order_matters(statuses, now, request.user)
    if may("notifications.view_outgoingemail"):
        found.append(_failed_mails())
    if may("orders.view_variant"):
        found += _stock()
    if may("invoices.view_invoice"):
        found.append(_stuck_documents())
    ranks = {DANGER: 0, WARNING: 1, REMINDER: 2}
    return sorted((matter for matter in found if matter), key=lambda matter: ranks[matter.severity])


def _order_matters(statuses: list[Status], now: datetime, user: Any) -> Iterator[Matter]:
    """Parcels that are late, money on the wrong side, orders to look at again: a bounded query each, and one for all orders named."""
    today = timezone.localdate(now)
    releasing = {status.pk for status in statuses if status.stock_effect == StockEffect.RELEASE}
    payments = [status for status in statuses if status.axis == Axis.PAYMENT]
    unpaid = [status.pk for status in payments if status.waits_for_staff]
    paid = [status.pk for status in payments if status.counts_as_paid]
    open_ = [status.pk for status in statuses if _waits_for_goods(status) and status.own_mail != Status.OwnMail.READY_FOR_PICKUP]

    unshipped = _oldest(Q(is_held=False, payment_status__in=paid, fulfilment_status__in=open_, placed_at__lt=now - LATE_SHIPPING))
    owed = _oldest(money_kept(releasing), overpaid([status.pk for status in payments if status.pk not in releasing]))[::-1]
    awaited = _oldest(Q(payment_status__in=unpaid, placed_at__lt=now - LATE_PAYMENT), but=owed)[::-1]
    follow = _oldest(Q(follow_up_on__lte=today) & (Q(assignee=None) | Q(assignee=user)))
    held = _oldest(Q(is_held=True), but=follow)
    # Who touches no money is not sent after it.
    if not any(user.has_perm(f"orders.{right}") for right in ("view_sales", "record_payment", "refund_order")):
        owed, awaited = [], []
    named = {pk for found in (unshipped, owed, awaited, follow, held) for pk in found[:SHOWN]}
    by_id = {order.pk: order for order in Order.objects.filter(pk__in=named).defer(*BULKY).select_related("payment_status")}

    def line(severity: str, icon: str, title: str, found: list[int], why: Callable[[Order], str], url: str = "") -> Matter:
        orders = [by_id[pk] for pk in found[:SHOWN] if pk in by_id]  # one may have been deleted just now
        reasons = [Reason(str(order), _address("admin:orders_order_change", order.pk), why(order)) for order in orders]
        return _matter(severity, icon, title, found, reasons, _OPEN, url or reasons[0].url)

    if unshipped:
        title = ngettext(
            "{number} paid order is not shipped after {days} days", "{number} paid orders are not shipped after {days} days", len(unshipped)
        )
        title = title.format(number=_counted(unshipped), days=LATE_SHIPPING.days)
        yield line(DANGER, "clock", title, unshipped, lambda order: _days(now - order.placed_at), _orders("?view=to-ship"))
    if owed:
        title = ngettext("{number} refund is due", "{number} refunds are due", len(owed)).format(number=_counted(owed))
        yield line(WARNING, "undo-2", title, owed, _owed, _orders("?balance=refund"))
    if awaited:
        title = ngettext(
            "{number} payment is awaited for {days} days or more", "{number} payments are awaited for {days} days or more", len(awaited)
        )
        title = title.format(number=_counted(awaited), days=LATE_PAYMENT.days)
        yield line(REMINDER, "calendar-clock", title, awaited, _awaited, _orders("?view=unpaid"))
    if follow:
        title = ngettext("{number} order to follow up", "{number} orders to follow up", len(follow)).format(number=_counted(follow))
        yield line(REMINDER, "calendar-clock", title, follow, lambda order: _follow_up(order, today, user))
    if held:
        title = ngettext("{number} order is on hold", "{number} orders are on hold", len(held)).format(number=_counted(held))
        yield line(REMINDER, "lock", title, held, lambda order: order.hold_reason, _orders("?view=held"))


def _oldest(*conditions: Q, but: Iterable[int] = ()) -> list[int]:
    """The ids of orders that meet one of the conditions, oldest first, without those of `but`.

    Few orders meet them: read by the index of the condition (at most `MOST_FEW` for each) and sorted here. A sort with a limit would
    let the database walk all orders until it has met enough.
    """
    found: set[tuple[datetime, int]] = set()
    for condition in conditions:
        found.update(Order.objects.present().filter(condition).order_by().values_list("placed_at", "pk")[:MOST_FEW])
    left_out = set(but)
    return [pk for _placed, pk in sorted(found) if pk not in left_out]


def _awaited(order: Order) -> str:
    return f"{order.customer_name} {_amount(order.balance, order)}".strip()


def _owed(order: Order) -> str:
    amount = _amount(order.refund_due, order)
    return (_("{amount} kept") if order.payment_status.releases else _("{amount} paid too much")).format(amount=amount)


def _follow_up(order: Order, today: date, user: Any) -> str:
    due = order.follow_up_on or today
    day = _("today") if due == today else date_format(due, "SHORT_DATE_FORMAT")
    if order.assignee_id == user.pk:
        return _("due {day}, in your hands").format(day=day)
    return _("due {day}, in nobody’s hands").format(day=day)


def _failed_mails() -> Matter | None:
    failed = (OutgoingEmail.State.FAILED, OutgoingEmail.State.DEAD)
    rows = list(OutgoingEmail.objects.filter(state__in=failed).only("recipient", "subject", "last_error").order_by("-id")[: MOST + 1])
    if not rows:
        return None
    title = ngettext("{number} mail did not arrive", "{number} mails did not arrive", len(rows)).format(number=_counted(rows))
    reasons = [
        Reason(mail.recipient, _address("admin:notifications_outgoingemail_change", mail.pk), f"{mail.subject} {mail.last_error}".strip())
        for mail in rows[:SHOWN]
    ]
    mails = _address("admin:notifications_outgoingemail_changelist")
    return _matter(DANGER, "mail-x", title, rows, reasons, gettext_lazy("See the mails"), mails)


def _stock() -> Iterator[Matter]:
    """Sold below zero, and running low: one query for both."""
    counted = Variant.objects.filter(is_tracked=True, is_active=True).annotate(left=F("on_hand") - F("committed"))
    low_or_below = counted.filter(Q(left__lt=0) | Q(low_stock_limit__isnull=False, left__lte=F("low_stock_limit")))
    rows = list(low_or_below.select_related("product").order_by("left", "sku")[: MOST + 1])
    below, low = [v for v in rows if v.available < 0], [v for v in rows if v.available >= 0]
    if below:
        title = ngettext("{number} article is sold below zero", "{number} articles are sold below zero", len(below))
        reasons = _variants(below)
        yield _matter(DANGER, "boxes", title.format(number=_counted(below)), below, reasons, _SEE_STOCK, reasons[0].url)
    if low:
        title = ngettext("{number} article is running low", "{number} articles are running low", len(low))
        stock = _address("admin:orders_variant_changelist")
        yield _matter(REMINDER, "boxes", title.format(number=_counted(low)), low, _variants(low), _SEE_STOCK, stock)


def _stuck_documents() -> Matter | None:
    stuck = PendingDocument.objects.filter(state=PendingDocument.State.NEEDS_STAFF).select_related("order").order_by("-id")
    rows = list(stuck.only("kind", "order__number")[: MOST + 1])
    if not rows:
        return None
    title = ngettext("{number} document needs you", "{number} documents need you", len(rows)).format(number=_counted(rows))
    reasons = [
        Reason(str(document.order), _address("admin:orders_order_change", document.order_id), str(document.get_kind_display()))
        for document in rows[:SHOWN]
    ]
    return _matter(WARNING, "file-x", title, rows, reasons, _OPEN, reasons[0].url)


_OPEN = gettext_lazy("Open")
_SEE_STOCK = gettext_lazy("See the stock")


def _matter(severity: str, icon: str, title: str, rows: Sequence[Any], reasons: list[Reason], verb: str | Promise, url: str) -> Matter:
    return Matter(severity, icon, title, reasons, len(rows) - len(reasons), verb, url)


def _waits_for_goods(status: Status) -> bool:
    return status.axis == Axis.FULFILMENT and status.waits_for_staff and not status.goods_left


def _variants(rows: Sequence[Variant]) -> list[Reason]:
    reasons = []
    for row in rows[:SHOWN]:
        number = str(row.available).replace("-", "\u2212")
        reasons.append(Reason(str(row), _address("admin:orders_variant_change", row.pk), _("{number} available").format(number=number)))
    return reasons


def _orders(query: str) -> str:
    return _address("admin:orders_order_changelist") + query


def _address(name: str, *args: Any) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return reverse("admin:index")


def _counted(rows: list[Any]) -> str:
    return f"{MOST}+" if len(rows) > MOST else str(len(rows))


def _days(age: timedelta) -> str:
    return ngettext("{number} day", "{number} days", age.days).format(number=age.days)


def _amount(amount: Any, order: Order) -> str:
    return format_money(amount, order.currency)
