"""Home: the figures of the day, what is under way and what happened last, in a fixed number of queries."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, F, IntegerField, Q, Sum, Value, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from ecwid_orders.attention import LATE_SHIPPING, Matter, matters
from orders.admin.timeline import ICONS
from orders.bulk.asking import title_of
from orders.choices import Axis, DeliveryKind, StockEffect
from orders.known import statuses_of
from orders.models import BulkJob, Order, OrderEvent, Shop, Status
from orders.money import exponent, quantum

CHART_DAYS = 14
COMPARED_DAYS = 30
LAST_ACTIONS = 7
LOOKED_AT = 100  # events read at once
BAR_STEP, BAR_WIDTH, CHART_HEIGHT, BASE_LINE = 20, 16, 60, 64


@dataclass(frozen=True)
class Bar:
    """A day of the chart, as attributes of a rectangle."""

    day: date
    sales: Decimal
    x: int
    y: str
    height: str
    is_today: bool


@dataclass
class Sales:
    """What was sold, per day, in the shop's currency: totals less what refunds took off; cancelled orders count nowhere."""

    currency: str
    today: date
    by_day: dict[date, Decimal] = field(default_factory=dict)
    orders_by_day: Counter[date] = field(default_factory=Counter)
    paid_today: Decimal = Decimal(0)
    unpaid_today: Decimal = Decimal(0)
    paid_orders_today: int = 0

    @property
    def of_today(self) -> Decimal:
        return self.by_day.get(self.today, Decimal(0))

    @property
    def orders_today(self) -> int:
        return self.orders_by_day[self.today]

    @property
    def unpaid_orders_today(self) -> int:
        return self.orders_today - self.paid_orders_today

    @property
    def week_ago(self) -> date:
        return self.today - timedelta(days=7)

    @property
    def versus_week_ago(self) -> Decimal | None:
        """Today against the same weekday, in percent; None where nothing was sold then."""
        before = self.by_day.get(self.week_ago, Decimal(0))
        return ((self.of_today - before) * 100 / before).quantize(Decimal(1)) if before else None

    @property
    def basket(self) -> Decimal | None:
        """The mean order of the last thirty days."""
        orders = self.orders_of_month
        return (self.of_month / orders).quantize(quantum(exponent(self.currency))) if orders else None

    @property
    def of_month(self) -> Decimal:
        """What was sold in the last thirty days."""
        return sum(self.by_day.values(), Decimal(0))

    @property
    def orders_of_month(self) -> int:
        return sum(self.orders_by_day.values())

    @property
    def days(self) -> list[date]:
        return [self.today - timedelta(days=back) for back in reversed(range(CHART_DAYS))]

    @property
    def of_chart(self) -> Decimal:
        return sum((self.by_day.get(day, Decimal(0)) for day in self.days), Decimal(0))

    @property
    def highest(self) -> Decimal:
        return max((self.by_day.get(day, Decimal(0)) for day in self.days), default=Decimal(0))

    @property
    def bars(self) -> list[Bar]:
        highest = self.highest or Decimal(1)
        bars = []
        for place, day in enumerate(self.days):
            sold = self.by_day.get(day, Decimal(0))
            height = max(sold, Decimal(0)) / highest * CHART_HEIGHT
            bars.append(Bar(day, sold, 2 + place * BAR_STEP, f"{BASE_LINE - height:.1f}", f"{height:.1f}", day == self.today))
        return bars


@dataclass(frozen=True)
class Step:
    """A status that waits for somebody and how many orders stand there."""

    status: Status
    orders: int


@dataclass
class Work:
    to_process: int = 0
    to_ship: int = 0
    late: int = 0
    unpaid: int = 0
    to_collect: int = 0
    held: int = 0
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True)
class Action:
    """An event as one line: which order, what, by whom; for a bulk action, the newest of its events and what was asked of all."""

    event: OrderEvent
    icon: str
    moves: list[Status]
    title: str = ""
    receipt: str = ""  # for who may look at it


@dataclass(frozen=True)
class Home:
    at: datetime
    sales: Sales | None  # for who may see money
    work: Work
    matters: list[Matter]
    actions: list[Action]


def home_of(request: HttpRequest, shop: Shop) -> Home | None:
    """Everything on Home for the person of `request`. Without the right to see orders there are no figures: None."""
    if not request.user.has_perm("orders.view_order"):
        return None
    statuses = statuses_of(request)
    sales = sales_of(shop) if request.user.has_perm("orders.view_sales") else None
    return Home(timezone.localtime(), sales, work_of(statuses), matters(request, statuses), last_actions(statuses, request.user))


def sales_of(shop: Shop) -> Sales:
    """Sales of the last thirty days in the currency of the shop. One query."""
    sales = Sales(shop.currency, timezone.localdate())
    days = [sales.today - timedelta(days=back) for back in range(COMPARED_DAYS)]
    begins = [timezone.make_aware(datetime.combine(day, time.min)) for day in days]
    rows = (
        Order.objects.present()
        .filter(placed_at__gte=begins[-1], currency=shop.currency)
        .exclude(payment_status__stock_effect=StockEffect.RELEASE)
        .order_by()
        .values(back=_day_of(begins), is_paid=F("payment_status__counts_as_paid"))
        .annotate(orders=Count("pk"), sold=Sum(F("total") - F("credited_total")))
    )
    for row in rows:
        day = days[row["back"]]
        sales.by_day[day] = sales.by_day.get(day, Decimal(0)) + row["sold"]
        sales.orders_by_day[day] += row["orders"]
        if day == sales.today and row["is_paid"]:
            sales.paid_today, sales.paid_orders_today = row["sold"], row["orders"]
    sales.unpaid_today = sales.of_today - sales.paid_today
    return sales


def _day_of(begins: Sequence[datetime], first: int = 0) -> Case | Value:
    """Which of the days an order was placed on, compared with their midnights (the last begins first), halving them each time.

    Asking the database for each order's local day costs a call of Python per row on SQLite.
    """
    if len(begins) == 1:
        return Value(first)
    half = len(begins) // 2
    later, earlier = _day_of(begins[:half], first), _day_of(begins[half:], first + half)
    return Case(When(placed_at__gte=begins[half - 1], then=later), default=earlier, output_field=IntegerField())


def work_of(statuses: Iterable[Status]) -> Work:
    """Where open orders stand. One query over the orders that wait for somebody, told by the index of both statuses alone."""
    by_id = {status.pk: status for status in statuses}
    waiting = [status.pk for status in by_id.values() if status.waits_for_staff]
    goods = [pk for pk in waiting if by_id[pk].axis == Axis.FULFILMENT]
    done = [status.pk for status in by_id.values() if status.axis == Axis.FULFILMENT and status.pk not in goods]
    money = [pk for pk in waiting if by_id[pk].axis == Axis.PAYMENT]
    late = Count("pk", filter=Q(placed_at__lt=timezone.now() - LATE_SHIPPING))
    parts = [
        Order.objects.present()
        .filter(condition)
        .order_by()
        .values("fulfilment_status_id", "payment_status_id", "delivery_kind", "is_held")
        .annotate(orders=Count("pk"), late=late)
        for condition in (Q(fulfilment_status__in=goods), Q(fulfilment_status__in=done, payment_status__in=money))
    ]
    groups = parts[0].union(parts[1], all=True)
    work, standing = Work(), Counter[int]()
    for group in groups:
        payment, fulfilment = by_id[group["payment_status_id"]], by_id[group["fulfilment_status_id"]]
        if payment.releases:
            continue
        _count_group(work, standing, group, payment, fulfilment)
    work.steps = [Step(by_id[pk], standing[pk]) for pk in waiting if standing[pk]]
    return work


def _count_group(work: Work, standing: Counter[int], group: Mapping[str, Any], payment: Status, fulfilment: Status) -> None:
    orders = group["orders"]
    for status in (payment, fulfilment):
        standing[status.pk] += orders
    if payment.waits_for_staff:
        work.unpaid += orders
    if fulfilment.is_initial and not group["is_held"]:
        work.to_process += orders
    if not payment.counts_as_paid or not fulfilment.waits_for_staff or fulfilment.goods_left:
        return
    if group["is_held"]:
        work.held += orders
    elif fulfilment.own_mail == Status.OwnMail.READY_FOR_PICKUP or group["delivery_kind"] == DeliveryKind.PICKUP:
        work.to_collect += orders
    else:
        work.to_ship += orders
        work.late += group["late"]


def last_actions(statuses: Iterable[Status], user: Any) -> list[Action]:
    """What happened last to any order; a bulk action is one line. At most five queries."""
    by_code = {(status.axis, status.code): status for status in statuses}
    events, jobs = _last_events()
    actions = []
    for event in events:
        moved = [(axis.value, event.changes.get(f"{axis.value}_status", {}).get("to")) for axis in Axis]
        moves = [by_code[key] for key in moved if key in by_code]
        kind = OrderEvent.Kind(event.kind)
        icon = moves[-1].glyph if moves and kind == OrderEvent.Kind.STATUS else ICONS.get(kind, "info")
        job = jobs.get(event.batch)
        if job is None:
            actions.append(Action(event, icon, moves))
            continue
        may_look = job.actor_id == user.pk or user.has_perm("orders.view_bulkjob")
        receipt = reverse("admin:orders_order_bulk_job", args=[job.public_id]) if may_look else ""
        actions.append(Action(event, icon, moves, title_of(job, by_code), receipt))
    return actions


def _last_events() -> tuple[list[OrderEvent], dict[UUID, BulkJob]]:
    """The newest events, of each bulk action only its newest, and those bulk actions by the batch of their events."""
    chosen: list[int] = []
    jobs: dict[UUID, BulkJob] = {}
    # Twice is enough: where several bulk actions fill both looks, they are what happened last.
    for _look in range(2):
        rows = OrderEvent.objects.exclude(batch__in=list(jobs)).order_by("-id")
        rows = rows.filter(pk__lt=chosen[-1]) if chosen else rows
        newest = list(rows.values_list("pk", "batch")[:LOOKED_AT])
        batches = {batch for _pk, batch in newest}
        jobs |= {job.public_id: job for job in BulkJob.objects.select_related("undoes").filter(public_id__in=batches)}
        said: set[UUID] = set()
        for pk, batch in newest:
            if batch not in jobs or batch not in said:
                chosen.append(pk)
                said.add(batch)
        if len(chosen) >= LAST_ACTIONS or len(newest) < LOOKED_AT:
            break
    events = OrderEvent.objects.select_related("order", "actor").defer("order__search").in_bulk(chosen[:LAST_ACTIONS])
    return [events[pk] for pk in chosen if pk in events], jobs
