"""What needs somebody: each rule is one bounded query and gives a line with a reason and one way to settle it."""

from collections.abc import Iterable, Iterator, Sequence
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
from orders.balances import overpaid
from orders.choices import Axis, StockEffect
from orders.listing import BULKY, few_of
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
        found += [_late_parcels(statuses, now), *_money(statuses, now), *_reminders(now, request.user)]
    if may("notifications.view_outgoingemail"):
        found.append(_failed_mails())
    if may("orders.view_variant"):
        found += _stock()
    if may("invoices.view_invoice"):
        found.append(_stuck_documents())
    ranks = {DANGER: 0, WARNING: 1, REMINDER: 2}
    return sorted((matter for matter in found if matter), key=lambda matter: ranks[matter.severity])


def _late_parcels(statuses: list[Status], now: datetime) -> Matter | None:
    paid = [status.pk for status in statuses if status.counts_as_paid]
    open_ = [status.pk for status in statuses if _waits_for_goods(status) and status.own_mail != Status.OwnMail.READY_FOR_PICKUP]
    late = Q(is_held=False, payment_status__in=paid, fulfilment_status__in=open_, placed_at__lt=now - LATE_SHIPPING)
    rows = list(few_of(Order.objects.present(), late).defer(*BULKY).order_by("placed_at", "id")[: MOST + 1])
    if not rows:
        return None
    title = ngettext(
        "{number} paid order is not shipped after {days} days", "{number} paid orders are not shipped after {days} days", len(rows)
    )
    reasons = [_order_reason(order, _days(now - order.placed_at)) for order in rows]
    return _matter(DANGER, "clock", title.format(number=_counted(rows), days=LATE_SHIPPING.days), reasons, _OPEN, _orders("?view=to-ship"))


def _money(statuses: list[Status], now: datetime) -> Iterator[Matter | None]:
    """Refunds that are due, and payments that do not come: one query for both."""
    releasing = {status.pk for status in statuses if status.stock_effect == StockEffect.RELEASE}
    unpaid = [status.pk for status in statuses if status.axis == Axis.PAYMENT and status.waits_for_staff]
    live = [status.pk for status in statuses if status.axis == Axis.PAYMENT and status.pk not in releasing]
    owed = Q(payment_status__in=releasing, paid_total__gt=F("refunded_total"))
    waiting = Q(payment_status__in=unpaid, placed_at__lt=now - LATE_PAYMENT)
    found = few_of(Order.objects.present(), owed, overpaid(live), waiting).select_related("payment_status")
    rows = list(found.defer(*BULKY).order_by("-placed_at", "-id")[: MOST + 1])
    due = [order for order in rows if order.refund_due]
    late = [order for order in rows if not order.refund_due]
    if due:
        title = ngettext("{number} refund is due", "{number} refunds are due", len(due)).format(number=_counted(due))
        reasons = [_order_reason(order, _owed(order)) for order in due]
        yield _matter(WARNING, "undo-2", title, reasons, _OPEN, _orders("?balance=refund"))
    if late:
        title = ngettext(
            "{number} payment is awaited for {days} days or more", "{number} payments are awaited for {days} days or more", len(late)
        )
        reasons = [_order_reason(order, f"{order.customer_name} {_amount(order.balance, order)}".strip()) for order in late]
        yield _matter(
            REMINDER, "calendar-clock", title.format(number=_counted(late), days=LATE_PAYMENT.days), reasons, _OPEN, _orders("?view=unpaid")
        )


def _reminders(now: datetime, user: Any) -> Iterator[Matter | None]:
    """Orders to look at again, those of nobody and of the reader, and orders on hold: one query for both."""
    today = timezone.localdate(now)
    mine = Q(assignee=None) | Q(assignee=user)
    due = few_of(Order.objects.present(), Q(is_held=True), Q(follow_up_on__lte=today) & mine)
    rows = list(due.defer(*BULKY).order_by("placed_at", "id")[: MOST + 1])
    follow = [order for order in rows if order.follow_up_on and order.follow_up_on <= today and order.assignee_id in (None, user.pk)]
    held = [order for order in rows if order.is_held and order not in follow]
    if follow:
        title = ngettext("{number} order to follow up", "{number} orders to follow up", len(follow)).format(number=_counted(follow))
        reasons = [_order_reason(order, _follow_up(order, today, user)) for order in follow]
        yield _matter(REMINDER, "calendar-clock", title, reasons, _OPEN, reasons[0].url)
    if held:
        title = ngettext("{number} order is on hold", "{number} orders are on hold", len(held)).format(number=_counted(held))
        reasons = [_order_reason(order, order.hold_reason) for order in held]
        yield _matter(REMINDER, "lock", title, reasons, _OPEN, _orders("?view=held"))


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
    rows = list(OutgoingEmail.objects.filter(state__in=failed).select_related("order").order_by("-id")[: MOST + 1])
    if not rows:
        return None
    title = ngettext("{number} mail did not arrive", "{number} mails did not arrive", len(rows)).format(number=_counted(rows))
    reasons = [
        Reason(mail.recipient, _address("admin:notifications_outgoingemail_change", mail.pk), f"{mail.subject} {mail.last_error}".strip())
        for mail in rows
    ]
    return _matter(
        DANGER, "mail-x", title, reasons, gettext_lazy("See the mails"), _address("admin:notifications_outgoingemail_changelist")
    )


def _stock() -> Iterator[Matter]:
    """Sold below zero, and running low: one query for both."""
    counted = Variant.objects.filter(is_tracked=True, is_active=True).annotate(left=F("on_hand") - F("committed"))
    low_or_below = counted.filter(Q(left__lt=0) | Q(low_stock_limit__isnull=False, left__lte=F("low_stock_limit")))
    rows = list(low_or_below.select_related("product").order_by("left", "sku")[: MOST + 1])
    below, low = [v for v in rows if v.available < 0], [v for v in rows if v.available >= 0]
    if below:
        title = ngettext("{number} article is sold below zero", "{number} articles are sold below zero", len(below))
        yield _matter(DANGER, "boxes", title.format(number=_counted(below)), _variants(below), _SEE_STOCK, _variants(below)[0].url)
    if low:
        title = ngettext("{number} article is running low", "{number} articles are running low", len(low))
        stock = _address("admin:orders_variant_changelist")
        yield _matter(REMINDER, "boxes", title.format(number=_counted(low)), _variants(low), _SEE_STOCK, stock)


def _stuck_documents() -> Matter | None:
    stuck = PendingDocument.objects.filter(state=PendingDocument.State.NEEDS_STAFF).select_related("order").order_by("-id")
    rows = list(stuck[: MOST + 1])
    if not rows:
        return None
    title = ngettext("{number} document needs you", "{number} documents need you", len(rows)).format(number=_counted(rows))
    reasons = [_order_reason(document.order, str(document.get_kind_display())) for document in rows]
    return _matter(WARNING, "file-x", title, reasons, _OPEN, reasons[0].url)


_OPEN = gettext_lazy("Open")
_SEE_STOCK = gettext_lazy("See the stock")


def _matter(severity: str, icon: str, title: str, reasons: list[Reason], verb: str | Promise, url: str) -> Matter:
    return Matter(severity, icon, title, reasons[:SHOWN], max(len(reasons) - SHOWN, 0), verb, url)


def _waits_for_goods(status: Status) -> bool:
    return status.axis == Axis.FULFILMENT and status.waits_for_staff and not status.goods_left


def _order_reason(order: Order, why: str) -> Reason:
    return Reason(str(order), _address("admin:orders_order_change", order.pk), why)


def _variants(rows: Sequence[Variant]) -> list[Reason]:
    reasons = []
    for row in rows:
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
