"""Contact data and addresses of an order, as one form under three headings."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_countries import countries

from orders.admin.wishes.base import Ticks, WishForm, text_input
from orders.models import Order, OrderAddress
from orders.services.contact import PROMISED, ContactWish

MOMENT = "%Y-%m-%dT%H:%M"
CUSTOMER = ("customer_name", "email", "phone", "language", "tax_id", "po_number", "customer_comment")
PERSON = (*CUSTOMER, *PROMISED)
PLACE = ("name", "company", "street", "street2", "postcode", "city", "region", "country", "phone")


class ContactForm(WishForm):
    """Who the customer is and where the parcel goes. Nothing here moves money or stock."""

    icon = "users"
    button = gettext_lazy("Save")
    has_word = False
    merges = True

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.light = frozenset(self.fields)  # type: ignore[misc]

    def title(self) -> str:
        return _("Contact and addresses of #%(number)s") % {"number": self.order.number}

    def build(self) -> None:
        for name in PERSON:
            self.fields[name] = self._field_of(name)
        self.groups += [(_("Customer"), list(CUSTOMER)), (_("Delivery and pickup"), list(PROMISED))]
        addresses = {address.kind: address for address in self.order.addresses.all()}
        for kind in (OrderAddress.Kind.SHIPPING, OrderAddress.Kind.BILLING):
            address = addresses.get(kind) or OrderAddress(kind=kind)
            for column in PLACE:
                self.fields[f"{kind.value}-{column}"] = _place_field(column, address)
            self.groups.append((kind.label, [f"{kind.value}-{column}" for column in PLACE]))

    def _field_of(self, name: str) -> forms.Field:
        column, value = Order._meta.get_field(name), getattr(self.order, name)
        label = str(column.verbose_name)  # type: ignore[union-attr]
        label = label[:1].upper() + label[1:]
        if name == "language":
            names = dict(settings.LANGUAGES)
            choices = [("", _("not known")), *names.items(), *([(value, value)] if value and value not in names else [])]
            return forms.ChoiceField(label=label, required=False, choices=choices, initial=value, widget=_select())
        if name == "delivery_on":
            widget: forms.Widget = forms.DateInput(attrs={"class": "input", "type": "date"}, format="%Y-%m-%d")
            return forms.DateField(label=label, required=False, initial=value.isoformat() if value else None, widget=widget)
        if name in ("pickup_at", "pickup_until"):
            widget = forms.DateTimeInput(attrs={"class": "input", "type": "datetime-local"}, format=MOMENT)
            initial = timezone.localtime(value).strftime(MOMENT) if value else None
            return forms.DateTimeField(label=label, required=False, input_formats=[MOMENT], initial=initial, widget=widget)
        most = getattr(column, "max_length", None) or 5000
        if name in ("customer_comment", "delivery_instructions"):
            widget = forms.Textarea(attrs={"class": "textarea", "rows": 2})
            return forms.CharField(label=label, required=False, max_length=most, initial=value, widget=widget)
        kinds = {"email": {"type": "email"}, "phone": {"type": "tel"}}
        return forms.CharField(
            label=label, required=False, max_length=most, initial=value, widget=text_input(autocomplete="off", **kinds.get(name, {}))
        )

    def wish(self, ticks: Ticks) -> ContactWish:
        wanted = self.texts_of(self.data)
        touched = {name for name, text in wanted.items() if text != self.opened[name]}
        addresses: dict[str, str] = {}
        for name in touched - set(PERSON):
            kind, _dash, column = name.partition("-")
            if column == "region":
                # The code of a state is no longer that of the region as it is written now.
                addresses |= {f"{kind}.state_name": self.cleaned_data[name], f"{kind}.state": ""}
            else:
                addresses[f"{kind}.{column}"] = self.cleaned_data[name]
        return ContactWish(
            order_id=self.order.pk,
            actor=self.subject.actor,
            versions={self.order.pk: self.order.version},
            values={name: self.cleaned_data[name] for name in PERSON if name in touched},
            addresses=dict(sorted(addresses.items())),
            skip=ticks.skip,
        )


def _place_field(column: str, address: OrderAddress) -> forms.Field:
    if column == "country":
        choices = [("", _("none")), *countries]
        label, value = _("Country"), str(address.country or "")
        return forms.ChoiceField(label=label, required=False, choices=choices, initial=value, widget=_select())
    if column == "region":
        most, value = 120, address.state_name or address.state
        return forms.CharField(
            label=_("State or region"), required=False, max_length=most, initial=value, widget=text_input(autocomplete="off")
        )
    model_field = OrderAddress._meta.get_field(column)
    label = str(model_field.verbose_name)  # type: ignore[union-attr]
    return forms.CharField(
        label=label[:1].upper() + label[1:],
        required=False,
        max_length=model_field.max_length,  # type: ignore[union-attr]
        initial=getattr(address, column),
        widget=text_input(autocomplete="off"),
    )


def _select() -> forms.Select:
    return forms.Select(attrs={"class": "select"})
