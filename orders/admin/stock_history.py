"""A figure's past and its proof: the plot of an article's stock, and whether its counters equal what they count."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.db.models import Max, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import gettext as _

from orders.models import OrderLine, Variant

DAYS = 90
WIDTH, HEIGHT, EDGE = 900, 120, 6


@dataclass(frozen=True)
class Day:
    """What was there when a day ended."""

    day: date
    on_hand: int
    committed: int

    @property
    def available(self) -> int:
        return self.on_hand - self.committed


@dataclass(frozen=True)
class History:
    """Every day of the plot, the days on which something moved, and the plot as lines of steps."""

    days: list[Day]
    moved: list[Day] = field(default_factory=list)

    @property
    def highest(self) -> int:
        return max(0, *(max(day.on_hand, day.available) for day in self.days))

    @property
    def lowest(self) -> int:
        return min(0, *(min(day.on_hand, day.available) for day in self.days))

    @property
    def zero(self) -> str:
        return f"{self._height_of(0):.1f}"

    @property
    def on_hand_line(self) -> str:
        return self._steps([day.on_hand for day in self.days])

    @property
    def available_line(self) -> str:
        return self._steps([day.available for day in self.days])

    def _height_of(self, value: int) -> float:
        return EDGE + (self.highest - value) * (HEIGHT - 2 * EDGE) / (self.highest - self.lowest or 1)

    def _steps(self, values: list[int]) -> str:
        step = WIDTH / len(values)
        path = f"M0 {self._height_of(values[0]):.1f}H{step:.1f}"
        for place, value in enumerate(values[1:], start=2):
            path += f"V{self._height_of(value):.1f}H{step * place:.1f}"
        return path


def history_of(variant: Variant, *, days: int = DAYS) -> History:
    """The figures at the end of each of the last days. Three queries, however much moved."""
    today = timezone.localdate()
    first = today - timedelta(days=days - 1)
    start = timezone.make_aware(datetime.combine(first, time.min))
    movements = variant.movements.order_by()
    last_before = movements.filter(at__lt=start).aggregate(last=Max("id"))["last"] or 0
    grouped = movements.filter(at__gte=start).annotate(day=TruncDate("at")).values_list("day").annotate(last=Max("id"))
    last_of = dict(grouped)
    wanted = movements.filter(pk__in=[last_before, *last_of.values()]).values_list("pk", "on_hand_after", "committed_after")
    balances = {pk: (on_hand, committed) for pk, on_hand, committed in wanted}
    found, newest = [], last_before
    for number in range(days):
        day = first + timedelta(days=number)
        newest = max(newest, last_of.get(day, 0))
        found.append(Day(day, *balances.get(newest, (0, 0))))
    return History(found, [day for day in reversed(found) if day.day in last_of])


def what_differs(variant: Variant) -> list[str]:
    """Each way in which an article's counters are not what they count, as a sentence; nothing when all adds up."""
    sums = variant.movements.aggregate(on_hand=Sum("delta_on_hand"), committed=Sum("delta_committed"))
    counted = (sums["on_hand"] or 0, sums["committed"] or 0)
    last = variant.movements.order_by("-id").values_list("on_hand_after", "committed_after").first() or (0, 0)
    lines = OrderLine.objects.filter(variant=variant, committed__gt=0).aggregate(n=Sum("committed"))["n"] or 0
    held = lines + (variant.reservations.aggregate(n=Sum("pieces"))["n"] or 0)
    sentences = [
        (_("On hand is %(stored)d, its movements add up to %(counted)d."), variant.on_hand, counted[0]),
        (_("Committed is %(stored)d, its movements add up to %(counted)d."), variant.committed, counted[1]),
        (_("On hand is %(stored)d, the last movement left %(counted)d."), variant.on_hand, last[0]),
        (_("Committed is %(stored)d, the last movement left %(counted)d."), variant.committed, last[1]),
        (_("Committed is %(stored)d, orders and drafts hold %(counted)d."), variant.committed, held),
    ]
    return [text % {"stored": stored, "counted": count} for text, stored, count in sentences if stored != count]
