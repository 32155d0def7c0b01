"""Lets the demo shop live: every order and every later change through the services, in the order of time."""

import heapq
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from random import Random

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from orders.errors import NotEnoughStock, OrderError
from orders.models import Draft, Order, Product, Shop, StockMovement, Variant
from orders.seeding.carts import draft_rows
from orders.seeding.catalogue import fill_catalogue
from orders.seeding.clock import set_clock
from orders.seeding.multitude import plant_many
from orders.seeding.shop import fill_shop
from orders.seeding.stories import ODD_CASES, PAUL, Step, Story, by_transfer, ordinary
from orders.services.intake import place_order
from orders.services.plan import apply
from orders.services.stock import adjust_stock
from orders.statistics import count_rows

DAYS = 60
MOST_TOLD = 1_000  # more than these are not lived through one by one
RECENT = (25, 165, 310, 540, 1230, 1700)  # how many minutes ago the newest orders came


class ShopNotEmpty(OrderError):
    """The demo fills an empty shop only: it would mark a real one as a demo whose mails never leave."""

    code = "not_empty"


@dataclass(frozen=True)
class Planted:
    orders: int
    changes: int
    drafts: int


def seed_demo(*, orders: int = 60, seed: int = 1, now: datetime | None = None) -> Planted:
    """Fill an empty shop with articles, customers, `orders` orders of the last 60 days, carts and drafts.

    Of more than `MOST_TOLD` orders the first sixty are told so; the others, of three years, are written set by set.
    The same seed and moment give the same shop. Raises ShopNotEmpty where orders or articles exist; then, as after any error,
    nothing is kept.
    """
    if Order.objects.exists() or Product.objects.exists() or Draft.objects.exists():
        raise ShopNotEmpty(_("The shop is not empty: the demo can't be added to orders or articles that exist."))
    now = now or timezone.now()
    told = orders if orders <= MOST_TOLD else 60
    rng = Random(seed)  # noqa: S311 (a believable shop, no secret)
    with transaction.atomic():
        with set_clock(now - timedelta(days=DAYS + 1)):
            fill_shop()
            for path in settings.DEMO_SEEDERS:
                import_string(path)()
            fill_catalogue(PAUL)
        agenda = _Agenda(now)
        for moment, story in zip(_moments(told, now, rng), _stories(told, rng), strict=True):
            agenda.add(moment, story)
        changes = agenda.live()
        rows = draft_rows(rng, now)
        Draft.objects.bulk_create(rows)
        if orders > told:
            plant_many(orders - told, seed=seed, now=now)
    count_rows(connection)
    return Planted(orders, changes, len(rows))


def _moments(orders: int, now: datetime, rng: Random) -> list[datetime]:
    """When orders arrive: spread over the days, the last ones within the last hours."""
    span = timedelta(days=DAYS)
    found = [now - span + span * ((index + rng.random()) / orders) for index in range(orders)]
    for index, minutes in enumerate(RECENT[:orders]):
        found[-1 - index] = now - timedelta(minutes=minutes + rng.randint(0, 9))
    return sorted(found)


def _stories(orders: int, rng: Random) -> list[Story]:
    """Every odd case once, the rest ordinary, shuffled; of the newest orders one awaits its transfer, the others are to be packed."""
    odd = [make(rng) for make in ODD_CASES[: max(orders - len(RECENT), 0)]]
    newest = [by_transfer(rng) if index == 1 else ordinary(rng) for index in range(min(len(RECENT), orders))]
    mixed = odd + [ordinary(rng) for _index in range(orders - len(odd) - len(newest))]
    rng.shuffle(mixed)
    return mixed + newest


def _in_opening_hours(moment: datetime, minute: int) -> datetime:
    """The moment where somebody is at work, else the next opening."""
    local = timezone.localtime(moment)
    if 9 <= local.hour < 19:
        return moment
    opening = local.replace(hour=9, minute=minute, second=0)
    return opening if local.hour < 9 else opening + timedelta(days=1)


class _Agenda:
    """What is still to happen, earliest first."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.heap: list[tuple[datetime, int, Story | None, Step | None, int]] = []
        self.ticket = count()

    def add(self, moment: datetime, story: Story) -> None:
        heapq.heappush(self.heap, (moment, next(self.ticket), story, None, 0))

    def live(self) -> int:
        """Let everything happen that is due; the number of changes to orders."""
        changes = 0
        undo_window = timedelta(seconds=Shop.current().undo_seconds + 1)
        while self.heap:
            moment, _ticket, story, step, order_id = heapq.heappop(self.heap)
            if moment >= self.now:
                continue
            with set_clock(moment):
                if story is not None:
                    self._place(moment, story)
                elif step is not None:
                    apply(step.wish(Order.objects.get(pk=order_id))).or_raise()
                    changes += 1
            if self.heap and timezone.localdate(self.heap[0][0]) > timezone.localdate(moment):
                with set_clock(min(moment + undo_window, self.now)):
                    _let_go()
        with set_clock(self.now):
            _let_go()
        return changes

    def _place(self, moment: datetime, story: Story) -> None:
        order = _place_with_deliveries(story, moment)
        for index, step in enumerate(story.steps):
            due = _in_opening_hours(moment + step.after, minute=5 + index)
            heapq.heappush(self.heap, (due, next(self.ticket), None, step, order.pk))


def _let_go() -> None:
    """What the background worker does, here at the end of each day. A demo shop only keeps its mails."""
    for path in settings.DEMO_SWEEPS:
        import_string(path)()


def _place_with_deliveries(story: Story, moment: datetime) -> Order:
    """Place the order; what has run out is delivered by the supplier just before."""
    while True:
        try:
            return place_order(replace(story.draft, placed_at=moment), actor=story.actor)
        except NotEnoughStock as error:
            variant = Variant.objects.get(sku=error.sku)
            adjust_stock(variant.pk, error.asked + 20, reason="Livraison du fournisseur", actor=PAUL, kind=StockMovement.Kind.RECEIVE)
