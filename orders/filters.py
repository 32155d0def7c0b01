"""Filters of orders: one set for the list, saved views, bulk actions, exports and the API; each is a part of the address."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import django_filters
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.forms import BoundField, CheckboxSelectMultiple
from django.http import QueryDict
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_countries import countries

from orders.balances import BALANCES
from orders.choices import Axis, DeliveryKind
from orders.filtering import ANY, AmountFilter, DayFilter, LeftOutFilter, OneOfFilter, PeriodFilter, WordFilter, YesNoFilter, wrong_value
from orders.finding import find_variants
from orders.listing import having, only_few
from orders.models import Customer, Order, OrderAddress, OrderLine, PaymentMethod, ShippingMethod, Status, Tag, Variant
from orders.money import format_money, format_number
from orders.search import find_orders, fold
from orders.unshipped import partly_shipped

MOST_SUGGESTIONS = 200
MOST_VARIANTS = 100
MOST_RECENT = 2000  # orders whose methods are known though the shop's settings no longer name them
# How the menu groups the filters; those that other apps add stand in the last group.
GROUPS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (gettext_lazy("Status"), ("payment", "fulfilment", "held", "oversold")),
    (gettext_lazy("Dates"), ("placed", "placed_from", "placed_to", "updated", "pickup_from", "pickup_to")),
    (gettext_lazy("Money"), ("balance", "total_from", "total_to", "payment_method", "coupon")),
    (gettext_lazy("Items and delivery"), ("product", "delivery", "shipping_method", "country", "shipped")),
    (gettext_lazy("Work"), ("assignee", "tag", "follow_up", "source")),
)
MORE = gettext_lazy("Documents and mails")


@dataclass(frozen=True)
class Chip:
    """A filter in use: what it says, and the address without it."""

    label: str
    value: str
    without: str
    is_wrong: bool = False


@dataclass(frozen=True)
class FilterGroup:
    """Filters that belong together, as the menu shows them."""

    label: str
    fields: list[BoundField]
    in_use: int
    opens: bool = False


class OrderFilterSet(django_filters.FilterSet):
    """Search and filters of orders. `statuses` are read by the caller once and serve as choices and as conditions."""

    q = django_filters.CharFilter(label=gettext_lazy("Search"), method="search")
    payment = django_filters.MultipleChoiceFilter(label=gettext_lazy("Payment"), method="with_status", widget=CheckboxSelectMultiple)
    fulfilment = django_filters.MultipleChoiceFilter(label=gettext_lazy("Fulfilment"), method="with_status", widget=CheckboxSelectMultiple)
    held = YesNoFilter(label=gettext_lazy("On hold"), condition=lambda: Q(is_held=True))
    oversold = YesNoFilter(label=gettext_lazy("Oversold"), condition=lambda: Q(is_oversold=True))
    balance = OneOfFilter(label=gettext_lazy("Balance"), answers=BALANCES)
    placed = PeriodFilter(label=gettext_lazy("Placed"), field_name="placed_at")
    placed_from = DayFilter(label=gettext_lazy("Placed from"), field_name="placed_at", edge="from")
    placed_to = DayFilter(label=gettext_lazy("Placed until"), field_name="placed_at", edge="to")
    updated = PeriodFilter(label=gettext_lazy("Last change"), field_name="updated_at")
    pickup_from = DayFilter(label=gettext_lazy("Pickup from"), field_name="pickup_at", edge="from")
    pickup_to = DayFilter(label=gettext_lazy("Pickup until"), field_name="pickup_at", edge="to")
    total_from = AmountFilter(label=gettext_lazy("Total from"), field_name="total", lookup_expr="gte")
    total_to = AmountFilter(label=gettext_lazy("Total up to"), field_name="total", lookup_expr="lte")
    payment_method = WordFilter(label=gettext_lazy("Payment method"), method="with_method", suggestions="payment_method")
    coupon = WordFilter(label=gettext_lazy("Coupon"), method="with_coupon")
    product = WordFilter(label=gettext_lazy("Product or SKU"), method="with_product")
    sku = WordFilter(label=gettext_lazy("SKU"), method="with_sku")
    delivery = django_filters.ChoiceFilter(
        label=gettext_lazy("Delivery"), field_name="delivery_kind", choices=DeliveryKind.choices, empty_label=ANY
    )
    shipping_method = WordFilter(label=gettext_lazy("Shipping method"), method="with_method", suggestions="shipping_method")
    shipped = django_filters.ChoiceFilter(
        label=gettext_lazy("Parcels sent"), method="shipped_in_part", choices=[("partly", gettext_lazy("in part"))], empty_label=ANY
    )
    country = WordFilter(label=gettext_lazy("Delivery country"), method="in_country", suggestions="country")
    assignee = django_filters.ChoiceFilter(label=gettext_lazy("Assignee"), method="assigned", empty_label=ANY)
    tag = WordFilter(label=gettext_lazy("Tag"), method="tagged", suggestions="tag")
    follow_up = OneOfFilter(
        label=gettext_lazy("Follow-up"),
        answers={
            "due": (gettext_lazy("due"), lambda: Q(follow_up_on__lte=timezone.localdate())),
            "planned": (gettext_lazy("planned"), lambda: Q(follow_up_on__isnull=False)),
            "none": (gettext_lazy("none"), lambda: Q(follow_up_on=None)),
        },
    )
    source = OneOfFilter(
        label=gettext_lazy("Source"),
        answers={
            Order.OWN: (gettext_lazy("This shop"), lambda: Q(source=Order.OWN)),
            Order.ECWID: ("Ecwid", lambda: Q(source=Order.ECWID)),
        },
    )
    customer = django_filters.NumberFilter(label=gettext_lazy("Customer"), field_name="customer_id")
    left_out = LeftOutFilter(label=gettext_lazy("Left out of a bulk action"))

    class Meta:
        model = Order
        fields: tuple[str, ...] = ()

    def __init__(
        self, data: QueryDict, queryset: QuerySet[Order], *, statuses: Iterable[Status], user: Any = None, only_given: bool = False
    ) -> None:
        """`only_given` makes nothing but the filters that `data` names: all that counting a saved view takes."""
        data = _without_empty(data)
        if only_given:
            declared: Any = self
            declared.base_filters = {name: known for name, known in declared.base_filters.items() if name in data}
        super().__init__(data, queryset)
        self.user = user
        self.statuses = list(statuses)
        for path in settings.ORDER_FILTERS:
            for name, added in import_string(path)().items():
                if only_given and name not in data:
                    continue
                added.parent, added.model, added.field_name = self, Order, added.field_name or name
                self.filters[name] = added
        fields = self.form.fields
        for axis in Axis:
            if axis.value in fields:
                fields[axis.value].choices = [(status.code, str(status)) for status in self.statuses if status.axis == axis]
        if "assignee" in fields:
            fields["assignee"].choices = self._people  # read only where they are shown or checked
        for field in fields.values():
            if field.widget.__class__.__name__ == "Select":
                field.widget.attrs["class"] = "select"

    def search(self, queryset: QuerySet[Order], name: str, text: str) -> QuerySet[Order]:
        return find_orders(queryset, text)

    def with_status(self, queryset: QuerySet[Order], name: str, codes: list[str]) -> QuerySet[Order]:
        wanted = [status.pk for status in self.statuses if status.axis == name and status.code in codes]
        return queryset.filter(**{f"{name}_status__in": wanted}) if codes else queryset

    def with_method(self, queryset: QuerySet[Order], name: str, text: str) -> QuerySet[Order]:
        """The method of that name; those of the shop and of the newest orders whose names hold the text."""
        wanted = fold(text.strip())
        recent = Order.objects.order_by("-pk").values_list(name, flat=True)[:MOST_RECENT]
        known = {text.strip(), *(method for method in {*self.known(name), *recent} if wanted in fold(method))}
        return queryset.filter(**{f"{name}__in": sorted(known)})

    def with_coupon(self, queryset: QuerySet[Order], name: str, text: str) -> QuerySet[Order]:
        code = text.strip()
        return only_few(queryset, Q(coupon_code__in={code, code.upper(), code.lower()}))

    def with_product(self, queryset: QuerySet[Order], name: str, text: str) -> QuerySet[Order]:
        """Orders with an article whose product, label, SKU or barcode holds the text; else with an item sold under that SKU."""
        variants = list(find_variants(Variant.objects.order_by(), text).values_list("pk", flat=True)[:MOST_VARIANTS])
        # One or the other: an OR of both would read every item there is.
        return _with_lines(queryset, Q(variant__in=variants) if variants else Q(sku=text.strip()))

    def with_sku(self, queryset: QuerySet[Order], name: str, sku: str) -> QuerySet[Order]:
        code = sku.strip()
        # Of the spellings only those there are, mostly one: then the index gives the orders in order, and a count can stop early.
        spellings = dict.fromkeys((code, code.upper(), code.lower()))
        return _with_lines(queryset, Q(sku__in=[found for found in spellings if OrderLine.objects.filter(sku=found).exists()]))

    def in_country(self, queryset: QuerySet[Order], name: str, text: str) -> QuerySet[Order]:
        codes = country_codes(text)
        to = OrderAddress.objects.filter(kind=OrderAddress.Kind.SHIPPING)
        return queryset.filter(having(to.filter(country=codes[0]) if len(codes) == 1 else to.filter(country__in=codes)))

    def shipped_in_part(self, queryset: QuerySet[Order], name: str, how_far: str) -> QuerySet[Order]:
        return only_few(queryset, partly_shipped(self.statuses)) if how_far == "partly" else queryset

    def assigned(self, queryset: QuerySet[Order], name: str, who: str) -> QuerySet[Order]:
        if who == "nobody":
            return queryset.filter(assignee=None)
        if who == "me":
            return queryset.filter(assignee=getattr(self.user, "pk", None) or 0)
        return queryset.filter(assignee=int(who))

    def tagged(self, queryset: QuerySet[Order], name: str, text: str) -> QuerySet[Order]:
        tags = list(Tag.objects.filter(name__iexact=text.strip()).values_list("pk", flat=True)[:20])
        return queryset.filter(having(Order.tags.through.objects.filter(tag__in=tags)))

    def found(self) -> QuerySet[Order]:
        """The orders that match; none where a value makes no sense: to leave it out would show more orders than were meant."""
        queryset = self.queryset
        if not self.form.is_valid():
            return queryset.none()
        for name, value in self.form.cleaned_data.items():
            queryset = self.filters[name].filter(queryset, value)
        return queryset

    def chips(self) -> list[Chip]:
        """The filters in use, those with a value that makes no sense first; the search text excepted: it stands in its box."""
        chips = self.wrong()
        for name, value in self.form.cleaned_data.items():
            if name == "q" or value in (None, "", []):
                continue
            chips.append(Chip(str(self.filters[name].label), self._in_words(name, value), self._without(name)))
        return chips

    def wrong(self) -> list[Chip]:
        """The filters whose value makes no sense: an address edited by hand, a status that is gone."""
        self.form.is_valid()
        found = []
        for name in self.form.errors:
            field, given = self.form.fields[name], self.data.getlist(name)
            known = {str(key) for key, _label in getattr(field, "choices", ())}
            wrong = [value for value in given if value not in known]
            found.append(Chip(str(self.filters[name].label), wrong_value(field, ", ".join(wrong)), self._without(name), is_wrong=True))
        return found

    def _without(self, name: str) -> str:
        query = self.data.copy()
        for gone in (name, "after", "before"):
            query.pop(gone, None)
        return "?" + query.urlencode()

    def groups(self) -> list[FilterGroup]:
        """The fields of the menu, grouped; how many of each group are in use."""
        self.form.is_valid()
        named = {name for _label, names in GROUPS for name in names}
        added = tuple(name for name in self.form.fields if name not in named | {"q", "customer", "sku", "left_out"})
        groups = []
        for label, names in (*GROUPS, (MORE, added)):
            in_use = sum(name in self.form.errors or self.form.cleaned_data.get(name) not in (None, "", []) for name in names)
            if names:
                groups.append(FilterGroup(str(label), [self.form[name] for name in names], in_use))
        first = next((group for group in groups if group.in_use), groups[0])
        return [replace(group, opens=group is first) for group in groups]

    def known(self, name: str) -> list[str]:
        """Words that a field suggests."""
        if name == "country":
            recent = OrderAddress.objects.filter(kind=OrderAddress.Kind.SHIPPING).order_by("-pk").values_list("country", flat=True)
            return sorted((str(countries.name(code)) for code in set(recent[:MOST_RECENT]) if code), key=fold)
        models: dict[str, Any] = {"payment_method": PaymentMethod, "shipping_method": ShippingMethod, "tag": Tag}
        return list(models[name].objects.order_by("name").values_list("name", flat=True)[:MOST_SUGGESTIONS])

    def suggestions(self) -> dict[str, list[str]]:
        """The lists that fields of the menu suggest from, by name."""
        return {name: self.known(name) for name in ("payment_method", "shipping_method", "tag", "country")}

    def _people(self) -> list[tuple[str, Any]]:
        everybody = get_user_model()._default_manager.order_by("first_name", "username")
        people = {person.pk: person for person in everybody.filter(is_active=True, is_staff=True)[:MOST_SUGGESTIONS]}
        # Who has left still has orders.
        given = [int(pk) for pk in self.data.getlist("assignee") if pk.isdecimal() and len(pk) < 18 and int(pk) not in people]
        people |= everybody.in_bulk(given) if given else {}
        names = [(str(person.pk), person.get_full_name() or person.get_username()) for person in people.values()]
        return [("me", gettext_lazy("me")), ("nobody", gettext_lazy("nobody")), *names]

    def _in_words(self, name: str, value: Any) -> str:
        if name == "country":
            return ", ".join(str(countries.name(code)) for code in country_codes(value)) or str(value)
        if name in ("total_from", "total_to"):
            return _amount(value)
        if name == "customer":
            customer = Customer.objects.filter(pk=value).first()
            return str(customer) if customer else str(value)
        in_words = getattr(self.filters[name], "in_words", None)
        if in_words is not None:
            return str(in_words(value))
        names = {key: str(label) for key, label in self.form.fields[name].choices}
        return ", ".join(str(names.get(key, key)) for key in (value if isinstance(value, list) else [value]))


def _without_empty(data: QueryDict) -> QueryDict:
    """An address without parameters that say nothing, as forms send them."""
    full: Any = QueryDict(mutable=True)
    for name, values in data.lists():
        if said := [value for value in values if value]:
            full.setlist(name, said)
    return full


def country_codes(text: str) -> list[str]:
    """The countries meant by a code or a name in the reader's language; by the beginning of a name, all that begin so."""
    wanted = fold(text.strip())
    if len(wanted) == 2 and countries.name(wanted.upper()):
        return [wanted.upper()]
    names = {country.code: fold(str(country.name)) for country in countries}
    exact = [code for code, name in names.items() if name == wanted]
    return exact or [code for code, name in names.items() if wanted and name.startswith(wanted)]


def _amount(value: Decimal) -> str:
    """An amount with the currency of the newest orders; where there are several, it counts in each order's own."""
    currencies = set(Order.objects.order_by("-pk").values_list("currency", flat=True)[:MOST_RECENT])
    if len(currencies) == 1:
        return format_money(value, currencies.pop())
    return _("%(amount)s in the order's currency") % {"amount": format_number(value)}


def _with_lines(queryset: QuerySet[Order], wanted: Q) -> QuerySet[Order]:
    return queryset.filter(having(OrderLine.objects.filter(wanted, is_removed=False)))
