"""Who works on an order and when: tags, assignee, follow-up and hold, with what one click offers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from orders.admin.wishes.editing import assignees
from orders.models import Order, Tag

MOST_TAGS = 100


@dataclass(frozen=True)
class Work:
    """What the rail of the order page shows and offers."""

    tags: list[str]
    known_tags: list[str]
    people: list[tuple[str, str]]
    me: str
    is_mine: bool
    days: list[tuple[str, str]]
    is_due: bool


def work_of(order: Order, people: Sequence[Any], user: Any) -> Work:
    """Tags of the order and of the shop in one query; the people are given."""
    today = timezone.localdate()
    here = Exists(Order.tags.through.objects.filter(order=order.pk, tag=OuterRef("pk")))
    rows = list(Tag.objects.order_by().annotate(here=here).order_by("-here", "name").values_list("name", "here")[:MOST_TAGS])
    tags, known = ([name for name, is_here in rows if is_here == wanted] for wanted in (True, False))
    return Work(
        tags=tags,
        known_tags=known,
        people=assignees(order, list(people)),
        me=str(user.pk) if user in people else "",
        is_mine=order.assignee_id == user.pk,
        days=[(day.isoformat(), name) for name, day in _days(today) if day != order.follow_up_on],
        is_due=order.follow_up_on is not None and order.follow_up_on <= today,
    )


def _days(today: date) -> list[tuple[str, date]]:
    monday = today + timedelta(days=7 - today.weekday())
    return [(_("Tomorrow"), today + timedelta(days=1)), (_("Next Monday"), monday)]
