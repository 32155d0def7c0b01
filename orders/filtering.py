"""Kinds of filters that the orders list offers, for this app and for those that add filters of their own (settings.ORDER_FILTERS)."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.forms import DateInput, NumberInput, TextInput
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.bulk.asking import title_of
from orders.models import BulkItem, BulkJob, Order
from orders.money import format_number
from orders.templatetags.orders import day as short_day

YES_NO = [("yes", gettext_lazy("yes")), ("no", gettext_lazy("no"))]
ANY = gettext_lazy("any")
LONGEST_WRONG = 40
PERIODS = [
    ("today", gettext_lazy("today")),
    ("yesterday", gettext_lazy("yesterday")),
    ("7-days", gettext_lazy("last 7 days")),
    ("30-days", gettext_lazy("last 30 days")),
    ("month", gettext_lazy("this month")),
    ("last-month", gettext_lazy("last month")),
    ("year", gettext_lazy("this year")),
]


def days_of(period: str) -> tuple[date, date]:
    """First and last day of a period by its name, seen from today."""
    today = timezone.localdate()
    month = today.replace(day=1)
    return {
        "today": (today, today),
        "yesterday": (today - timedelta(days=1), today - timedelta(days=1)),
        "7-days": (today - timedelta(days=6), today),
        "30-days": (today - timedelta(days=29), today),
        "month": (month, today),
        "last-month": ((month - timedelta(days=1)).replace(day=1), month - timedelta(days=1)),
        "year": (today.replace(month=1, day=1), today),
    }[period]


def midnight(day: date) -> datetime:
    """The moment a day begins in the shop's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))


def wrong_value(field: forms.Field, text: str) -> str:
    """Why a filter can do nothing with `text`, in words that follow the filter's name."""
    text = text if len(text) <= LONGEST_WRONG else f"{text[:LONGEST_WRONG]}…"
    if isinstance(field, forms.DateField):
        return _("%(text)s is no date") % {"text": text}
    if isinstance(field, forms.DecimalField):
        return _("%(text)s is no number") % {"text": text}
    return _("%(text)s is unknown") % {"text": text}


class WordFilter(django_filters.CharFilter):
    """A text typed in full, such as a tag or a coupon code. `hint` names the list of suggestions it takes."""

    def __init__(self, *args: Any, suggestions: str = "", **options: Any) -> None:
        attrs = {"class": "input", "autocomplete": "off"} | ({"list": f"known-{suggestions}"} if suggestions else {})
        super().__init__(*args, widget=TextInput(attrs=attrs), **options)

    def in_words(self, value: Any) -> str:
        return str(value)


class YesNoFilter(django_filters.ChoiceFilter):
    """Orders for which something holds, or those for which it does not. `condition()` is asked when the filter is used."""

    def __init__(self, *, condition: Callable[[], Any], **options: Any) -> None:
        super().__init__(choices=YES_NO, empty_label=ANY, **options)
        self.condition = condition

    def filter(self, qs: QuerySet[Order], value: str) -> QuerySet[Order]:
        if not value:
            return qs
        return qs.filter(self.condition() if value == "yes" else ~self.condition())

    def in_words(self, value: Any) -> str:
        return str(dict(YES_NO)[value])


class LeftOutFilter(django_filters.UUIDFilter):
    """Orders that a bulk action left out, by the name of its receipt."""

    def filter(self, qs: QuerySet[Order], value: Any) -> QuerySet[Order]:
        if not value:
            return qs
        return qs.filter(pk__in=BulkItem.objects.filter(job__public_id=value, state=BulkItem.State.REFUSED).values("order"))

    def in_words(self, value: Any) -> str:
        job = BulkJob.objects.filter(public_id=value).first()
        return title_of(job) if job else str(value)


class OneOfFilter(django_filters.ChoiceFilter):
    """One of a few answers; each names the condition it stands for."""

    def __init__(self, *, answers: dict[str, tuple[Any, Callable[[], Any]]], **options: Any) -> None:
        super().__init__(choices=[(key, label) for key, (label, _condition) in answers.items()], empty_label=ANY, **options)
        self.answers = answers

    def filter(self, qs: QuerySet[Order], value: str) -> QuerySet[Order]:
        return qs.filter(self.answers[value][1]()) if value else qs

    def in_words(self, value: Any) -> str:
        return str(self.answers[value][0])


class PeriodFilter(django_filters.ChoiceFilter):
    """A moment within a period that is counted from today, so that a saved view stays true tomorrow."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, choices=PERIODS, empty_label=ANY, **options)

    def filter(self, qs: QuerySet[Order], value: str) -> QuerySet[Order]:
        if not value:
            return qs
        first, last = days_of(value)
        return qs.filter(**{f"{self.field_name}__gte": midnight(first), f"{self.field_name}__lt": midnight(last + timedelta(days=1))})

    def in_words(self, value: Any) -> str:
        return str(dict(PERIODS)[value])


class DayFilter(django_filters.DateFilter):
    """A moment from a day on (`edge` "from"), or until the end of a day ("to"), in the shop's time zone."""

    def __init__(self, *, edge: str, **options: Any) -> None:
        super().__init__(widget=DateInput(attrs={"type": "date", "class": "input"}, format="%Y-%m-%d"), **options)
        self.edge = edge

    def filter(self, qs: QuerySet[Order], value: date | None) -> QuerySet[Order]:
        if value is None:
            return qs
        if self.edge == "from":
            return qs.filter(**{f"{self.field_name}__gte": midnight(value)})
        return qs.filter(**{f"{self.field_name}__lt": midnight(value + timedelta(days=1))})

    def in_words(self, value: Any) -> str:
        return short_day(value)


class AmountFilter(django_filters.NumberFilter):
    """An amount in each order's own currency."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=NumberInput(attrs={"class": "input", "step": "any", "inputmode": "decimal"}), **options)

    def in_words(self, value: Any) -> str:
        return format_number(value)
