"""Filters of the orders list: each is a part of the address, so every view can be kept and shared."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.forms import CheckboxSelectMultiple, DateInput, NumberInput, TextInput
from django.http import QueryDict
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy
from django_countries import countries

from orders.choices import Axis
from orders.models import Customer, Order, Status
from orders.money import format_number
from orders.search import find_orders, fold

YES_NO = [("yes", gettext_lazy("yes")), ("no", gettext_lazy("no"))]


@dataclass(frozen=True)
class Chip:
    """A filter in use: what it says, and the address without it."""

    label: str
    value: str
    without: str


class OrderFilterSet(django_filters.FilterSet):
    """Search and filters of orders. `statuses` are read by the caller once and serve as choices and as conditions."""

    q = django_filters.CharFilter(label=gettext_lazy("Search"), method="search")
    payment = django_filters.MultipleChoiceFilter(label=gettext_lazy("Payment"), method="with_payment", widget=CheckboxSelectMultiple)
    fulfilment = django_filters.MultipleChoiceFilter(
        label=gettext_lazy("Fulfilment"), method="with_fulfilment", widget=CheckboxSelectMultiple
    )
    placed_from = django_filters.DateFilter(
        label=gettext_lazy("Placed from"),
        method="since",
        widget=DateInput(attrs={"type": "date", "class": "input"}, format="%Y-%m-%d"),
    )
    placed_to = django_filters.DateFilter(
        label=gettext_lazy("Placed until"),
        method="until",
        widget=DateInput(attrs={"type": "date", "class": "input"}, format="%Y-%m-%d"),
    )
    total_from = django_filters.NumberFilter(
        label=gettext_lazy("Total from"),
        field_name="total",
        lookup_expr="gte",
        widget=NumberInput(attrs={"class": "input", "step": "any"}),
    )
    total_to = django_filters.NumberFilter(
        label=gettext_lazy("Total up to"),
        field_name="total",
        lookup_expr="lte",
        widget=NumberInput(attrs={"class": "input", "step": "any"}),
    )
    payment_method = django_filters.CharFilter(
        label=gettext_lazy("Payment method"), lookup_expr="icontains", widget=TextInput(attrs={"class": "input"})
    )
    shipping_method = django_filters.CharFilter(
        label=gettext_lazy("Shipping method"), lookup_expr="icontains", widget=TextInput(attrs={"class": "input"})
    )
    country = django_filters.CharFilter(
        label=gettext_lazy("Delivery country"), method="in_country", widget=TextInput(attrs={"class": "input"})
    )
    tag = django_filters.CharFilter(
        label=gettext_lazy("Tag"), field_name="tags__name", lookup_expr="iexact", widget=TextInput(attrs={"class": "input"})
    )
    sku = django_filters.CharFilter(label=gettext_lazy("SKU"), method="with_sku", widget=TextInput(attrs={"class": "input"}))
    held = django_filters.ChoiceFilter(
        label=gettext_lazy("On hold"), field_name="is_held", method="marked", choices=YES_NO, empty_label=gettext_lazy("any")
    )
    oversold = django_filters.ChoiceFilter(
        label=gettext_lazy("Oversold"), field_name="is_oversold", method="marked", choices=YES_NO, empty_label=gettext_lazy("any")
    )
    customer = django_filters.NumberFilter(label=gettext_lazy("Customer"), field_name="customer_id")

    class Meta:
        model = Order
        fields: tuple[str, ...] = ()

    def __init__(self, data: QueryDict, queryset: QuerySet[Order], *, statuses: Iterable[Status], user: Any = None) -> None:
        super().__init__(data, queryset)
        self.user = user
        self.statuses = list(statuses)
        for axis in Axis:
            field = self.form.fields[axis.value]
            field.choices = [(status.code, str(status)) for status in self.statuses if status.axis == axis]
        for name in ("held", "oversold"):
            self.form.fields[name].widget.attrs["class"] = "select"

    def search(self, queryset: QuerySet[Order], name: str, text: str) -> QuerySet[Order]:
        return find_orders(queryset, text)

    def with_payment(self, queryset: QuerySet[Order], name: str, codes: list[str]) -> QuerySet[Order]:
        return queryset.filter(payment_status__in=self._ids(Axis.PAYMENT, codes)) if codes else queryset

    def with_fulfilment(self, queryset: QuerySet[Order], name: str, codes: list[str]) -> QuerySet[Order]:
        return queryset.filter(fulfilment_status__in=self._ids(Axis.FULFILMENT, codes)) if codes else queryset

    def since(self, queryset: QuerySet[Order], name: str, day: date) -> QuerySet[Order]:
        return queryset.filter(placed_at__gte=_midnight(day))

    def until(self, queryset: QuerySet[Order], name: str, day: date) -> QuerySet[Order]:
        return queryset.filter(placed_at__lt=_midnight(day + timedelta(days=1)))

    def in_country(self, queryset: QuerySet[Order], name: str, text: str) -> QuerySet[Order]:
        return queryset.filter(addresses__kind="shipping", addresses__country=country_code(text))

    def marked(self, queryset: QuerySet[Order], name: str, answer: str) -> QuerySet[Order]:
        return queryset.filter(**{name: answer == "yes"})

    def with_sku(self, queryset: QuerySet[Order], name: str, sku: str) -> QuerySet[Order]:
        return queryset.filter(pk__in=Order.objects.filter(lines__sku__iexact=sku.strip()).values("pk"))

    def _ids(self, axis: Axis, codes: list[str]) -> list[int]:
        return [status.pk for status in self.statuses if status.axis == axis and status.code in codes]

    def found(self) -> QuerySet[Order]:
        """The orders that match; a wrong value (an address edited by hand) is left out, the others still count."""
        self.form.is_valid()
        queryset = self.queryset
        for name, value in self.form.cleaned_data.items():
            queryset = self.filters[name].filter(queryset, value)
        return queryset

    def chips(self) -> list[Chip]:
        """The filters in use, the search text excepted: it stands in its box."""
        self.form.is_valid()
        chips = []
        for name, value in self.form.cleaned_data.items():
            if name == "q" or value in (None, "", []):
                continue
            query = self.data.copy()
            for gone in (name, "after", "before"):
                query.pop(gone, None)
            chips.append(Chip(str(self.filters[name].label), self._in_words(name, value), "?" + query.urlencode()))
        return chips

    def _in_words(self, name: str, value: Any) -> str:
        if name in ("payment", "fulfilment"):
            names = {status.code: str(status) for status in self.statuses if status.axis == name}
            return ", ".join(names.get(code, code) for code in value)
        if name in ("placed_from", "placed_to"):
            return date_format(value, "DATE_FORMAT")
        if name in ("total_from", "total_to"):
            return format_number(value)
        if name == "country":
            return str(countries.name(country_code(value)) or value)
        if name == "customer":
            customer = Customer.objects.filter(pk=value).first()
            return str(customer) if customer else str(value)
        if name in ("held", "oversold"):
            return str(dict(YES_NO)[value])
        return str(value)


def country_code(text: str) -> str:
    """The code of a country given by its code or its name in the reader's language; an impossible one where there is none."""
    text = text.strip()
    if len(text) == 2:
        return text.upper()
    return next((country.code for country in countries if fold(str(country.name)) == fold(text)), "??")


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
