"""The fields of the manual order form, and the draft that their content means."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_countries import countries

from orders.admin.amounts import AmountField, DiscountField
from orders.admin.country_select import country_field
from orders.admin.form_rows import amount_text, row_count, row_fields, rows_texts
from orders.drafts import DraftDiscount, DraftLine, DraftSurcharge, OrderDraft, Person
from orders.models import Customer, PaymentMethod, ShippingMethod, Shop, Variant
from orders.money import format_money, format_number

PERSON_FIELDS = ("name", "company", "street", "street2", "postcode", "city", "state", "country", "phone")
PERCENT = "PERCENT"
MOMENT = "%Y-%m-%dT%H:%M"
MOST_ID = 2**63 - 1


class OrderForm(forms.Form):
    """Everything of a manual order but its items. Nothing is required here: placing says what is missing."""

    customer_id = forms.IntegerField(required=False, min_value=1, max_value=MOST_ID, widget=forms.HiddenInput)
    customer_name = forms.CharField(label=gettext_lazy("Name"), max_length=200, required=False)
    email = forms.EmailField(label=gettext_lazy("E-mail"), max_length=254, required=False)
    phone = forms.CharField(label=gettext_lazy("Phone"), max_length=60, required=False)
    language = forms.ChoiceField(label=gettext_lazy("Language of mails"), required=False)
    tax_id = forms.CharField(label=gettext_lazy("VAT id"), max_length=60, required=False)
    tax_id_valid = forms.BooleanField(label=gettext_lazy("VAT id was checked"), required=False)
    tax_exempt = forms.BooleanField(label=gettext_lazy("Tax exempt"), required=False)
    no_customer_mail = forms.BooleanField(label=gettext_lazy("No customer mail"), required=False)
    same_address = forms.BooleanField(label=gettext_lazy("Ship to the billing address"), required=False)

    shipping_method = forms.ChoiceField(label=gettext_lazy("Method"), required=False)
    shipping_label = forms.CharField(label=gettext_lazy("Name of the free rate"), max_length=120, required=False)
    shipping_cost = AmountField(label=gettext_lazy("Rate"), help_text=gettext_lazy("Empty: the rate of the method."))
    delivery_on = forms.DateField(
        label=gettext_lazy("Wanted delivery date"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    pickup_at = forms.DateTimeField(
        label=gettext_lazy("Pickup from"), required=False, widget=forms.DateTimeInput({"type": "datetime-local"}, format=MOMENT)
    )
    pickup_until = forms.DateTimeField(
        label=gettext_lazy("Pickup until"), required=False, widget=forms.DateTimeInput({"type": "datetime-local"}, format=MOMENT)
    )

    discount_kind = forms.ChoiceField(
        label=gettext_lazy("Kind of discount"), choices=[("ABS", gettext_lazy("Amount")), (PERCENT, "%")], required=False
    )
    discount_value = AmountField(label=gettext_lazy("Discount"))
    discount_label = forms.CharField(label=gettext_lazy("Reason of the discount"), max_length=200, required=False)

    payment_method = forms.ChoiceField(label=gettext_lazy("Payment"), required=False)
    paid_now = forms.BooleanField(label=gettext_lazy("Paid now"), required=False)
    paid_amount = AmountField(label=gettext_lazy("Amount received"))
    payment_reference = forms.CharField(label=gettext_lazy("Reference"), max_length=200, required=False)
    paid_on = forms.DateField(
        label=gettext_lazy("Received on"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    placed_at = forms.DateTimeField(
        label=gettext_lazy("Placed on"),
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=gettext_lazy("Empty: now."),
    )
    po_number = forms.CharField(label=gettext_lazy("Purchase order"), max_length=120, required=False)
    customer_comment = forms.CharField(
        label=gettext_lazy("Comment of the customer"), required=False, widget=forms.Textarea({"rows": 2}), max_length=5000
    )
    staff_note = forms.CharField(label=gettext_lazy("Private note"), required=False, widget=forms.Textarea({"rows": 2}), max_length=10_000)
    oversell = forms.BooleanField(label=gettext_lazy("Sell below zero knowingly"), required=False)

    def __init__(self, data: Mapping[str, Any], *, shop: Shop, methods: list[ShippingMethod], payments: list[PaymentMethod]) -> None:
        super().__init__(data)
        self.fields["language"].choices = [(code, str(name)) for code, name in settings.LANGUAGES]  # type: ignore[attr-defined]
        self.fields["shipping_method"].choices = _with_present(  # type: ignore[attr-defined]
            [("", _("No shipping, or a free rate")), *((m.name, _rate_label(m, shop)) for m in methods)], data.get("shipping_method")
        )
        self.fields["payment_method"].choices = _with_present(  # type: ignore[attr-defined]
            [("", _("Not known yet")), *((p.name, p.name) for p in payments)], data.get("payment_method")
        )
        for index in range(row_count(data, "surcharge")):
            for name, field in row_fields("surcharge").items():
                self.fields[f"surcharge-{index}-{name}"] = field
        home = countries.name(str(shop.country))
        for kind in ("billing", "shipping"):
            for name, field in _person_fields(home).items():
                self.fields[f"{kind}_{name}"] = field

    def clean_placed_at(self) -> Any:
        """An order may be written down later, never before it was placed."""
        placed = self.cleaned_data["placed_at"]
        if placed and placed > timezone.now():
            raise forms.ValidationError(_("This moment is still to come. Leave it empty for now."))
        return placed

    def clean_paid_on(self) -> Any:
        paid = self.cleaned_data["paid_on"]
        if paid and paid > timezone.localdate():
            raise forms.ValidationError(_("This day is still to come."))
        return paid

    def person(self, kind: str) -> Person | None:
        values = {name: str(self.value(f"{kind}_{name}") or "") for name in PERSON_FIELDS}
        return Person(**values) if any(values.values()) else None

    def value(self, name: str) -> Any:
        """The cleaned value; for a field with an error the text as typed, so that a draft loses nothing readable."""
        if name in self.cleaned_data:
            return self.cleaned_data[name]
        if not isinstance(self.fields[name], forms.EmailField):
            return None
        return str(self[name].data or "").replace("\x00", "")


class LineForm(forms.Form):
    """One item: of the catalogue with `variant`, else free text with price and VAT."""

    variant = forms.IntegerField(required=False, min_value=1, max_value=MOST_ID, widget=forms.HiddenInput)
    name = forms.CharField(label=gettext_lazy("Item"), max_length=500, required=False)
    quantity = forms.IntegerField(
        label=gettext_lazy("Quantity"),
        min_value=1,
        max_value=1_000_000,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={
            "invalid": gettext_lazy("Enter a whole number above 0."),
            "min_value": gettext_lazy("Enter a whole number above 0."),
        },
    )
    price = AmountField(label=gettext_lazy("Price"))
    vat_rate = AmountField(label=gettext_lazy("VAT in percent"), most=Decimal(100))
    discount = DiscountField(label=gettext_lazy("Discount on this item"))
    options = forms.CharField(label=gettext_lazy("Options"), max_length=1000, required=False)


LineFormSet = forms.formset_factory(LineForm, extra=0, max_num=1000, absolute_max=1100)


def draft_of(form: OrderForm, lines: Any, *, base: OrderDraft, paid_code: str, variants: Mapping[int, Variant]) -> OrderDraft:
    """The draft that the form means. What the form doesn't show (a cart's provenance, coupon, ...) stays as in `base`."""
    value = form.value
    billing = form.person("billing")
    shipping = billing if value("same_address") else form.person("shipping")
    method = value("shipping_method") or value("shipping_label") or ""
    return replace(
        base,
        lines=tuple(_line_of(row, index, base, variants) for index, row in enumerate(lines.forms)),
        customer_id=value("customer_id"),
        customer_name=value("customer_name") or "",
        email=value("email") or "",
        phone=value("phone") or "",
        language=value("language") or "",
        tax_id=value("tax_id") or "",
        tax_id_valid=bool(value("tax_id_valid")),
        tax_exempt=bool(value("tax_exempt")),
        no_customer_mail=bool(value("no_customer_mail")),
        billing=billing,
        shipping=shipping,
        shipping_method=method,
        shipping_cost=value("shipping_cost"),
        delivery_kind=base.delivery_kind if method == base.shipping_method else "",
        delivery_on=value("delivery_on"),
        pickup_at=value("pickup_at"),
        pickup_until=value("pickup_until"),
        discounts=_discounts(form, base),
        surcharges=_surcharges(form, base),
        payment_method=value("payment_method") or "",
        payment_status=paid_code if value("paid_now") else "",
        paid_amount=value("paid_amount") if value("paid_now") else None,
        payment_reference=value("payment_reference") or "",
        paid_at=_midnight(value("paid_on")),
        placed_at=value("placed_at"),
        po_number=value("po_number") or "",
        customer_comment=value("customer_comment") or "",
        staff_note=value("staff_note") or "",
        totals=None,
    )


def data_of(
    draft: OrderDraft, *, shop: Shop, paid_codes: frozenset[str], methods: list[ShippingMethod], variants: Mapping[int, Variant]
) -> QueryDict:
    """What the form's fields hold for `draft`: the reverse of `draft_of`."""
    currency = draft.currency or shop.currency
    known = any(method.name == draft.shipping_method for method in methods)
    discount = next((row for row in draft.discounts if not row.is_coupon), None)
    same = draft.shipping is None or draft.shipping == draft.billing
    values: dict[str, Any] = {
        "customer_id": draft.customer_id or "",
        **{name: getattr(draft, name) for name in ("customer_name", "email", "phone", "tax_id", "payment_method", "payment_reference")},
        **{name: getattr(draft, name) for name in ("po_number", "customer_comment", "staff_note")},
        "language": draft.language or shop.language,
        "shipping_method": draft.shipping_method if known else "",
        "shipping_label": "" if known else draft.shipping_method,
        "shipping_cost": _typed(draft.shipping_cost, currency),
        "delivery_on": draft.delivery_on.isoformat() if draft.delivery_on else "",
        "pickup_at": _moment_text(draft.pickup_at),
        "pickup_until": _moment_text(draft.pickup_until),
        "paid_amount": _typed(draft.paid_amount, currency),
        "paid_on": timezone.localdate(draft.paid_at).isoformat() if draft.paid_at else "",
        "placed_at": _moment_text(draft.placed_at),
        "discount_kind": discount.kind if discount else "ABS",
        "discount_value": _typed(discount.value, currency) if discount else "",
        "discount_label": discount.label if discount else "",
        **rows_texts("surcharge", draft.surcharges, currency),
        "items-TOTAL_FORMS": len(draft.lines),
        "items-INITIAL_FORMS": 0,
    }
    ticks = {name: getattr(draft, name) for name in ("tax_id_valid", "tax_exempt", "no_customer_mail")}
    ticks |= {"same_address": same, "paid_now": draft.payment_status in paid_codes}
    values |= {name: "on" for name, ticked in ticks.items() if ticked}
    for kind, person in (("billing", draft.billing), ("shipping", draft.shipping if not same else None)):
        values |= {f"{kind}_{name}": getattr(person, name) if person else "" for name in PERSON_FIELDS}
    for index, line in enumerate(draft.lines):
        values |= {f"items-{index}-{name}": text for name, text in line_data(line, currency, variants).items()}
    data = QueryDict(mutable=True)
    data.update({name: str(text) for name, text in values.items()})
    return data


def line_data(line: DraftLine, currency: str, variants: Mapping[int, Variant]) -> dict[str, Any]:
    """What the fields of one item hold."""
    price = line.price if line.price is not None else catalogue_price(line, variants.get(line.variant_id or 0))
    return {
        "variant": line.variant_id or "",
        "name": line.name,
        "quantity": line.quantity,
        "price": _typed(price, currency),
        "vat_rate": format_number(line.vat_rate) if line.vat_rate is not None else "",
        "discount": _typed_discount(line, currency),
        "options": "; ".join(f"{o['name']}: {o.get('value')}" if o.get("name") else str(o.get("value") or "") for o in line.options),
    }


def catalogue_price(line: DraftLine, variant: Variant | None) -> Decimal | None:
    """What the catalogue asks for a piece, or asked when the quote was made."""
    if variant is None:
        return None
    return variant.price if line.catalogue_price is None else line.catalogue_price


def person_of(customer: Customer) -> dict[str, str]:
    """The address that a customer's record holds, as the fields of the billing address."""
    country = str(customer.country or "")
    return {
        "billing_name": customer.name,
        "billing_company": customer.company,
        "billing_street": customer.street,
        "billing_street2": "",
        "billing_postcode": customer.postcode,
        "billing_city": customer.city,
        "billing_state": customer.state,
        "billing_country": country,
        "billing_phone": customer.phone,
    }


def read_options(text: str) -> tuple[dict[str, Any], ...]:
    """Options typed as "Colour: blue; Engraving: Léa"."""
    rows = []
    for part in re.split(r"[;\n]", text):
        name, colon, value = part.partition(":")
        if colon and value.strip():
            rows.append({"name": name.strip(), "value": value.strip()})
        elif part.strip():
            rows.append({"name": _("Option"), "value": part.strip().rstrip(":")})
    return tuple(rows)


def _line_of(form: LineForm, index: int, base: OrderDraft, variants: Mapping[int, Variant]) -> DraftLine:
    values = form.cleaned_data
    variant = variants.get(values.get("variant") or 0)
    stored = base.lines[index] if index < len(base.lines) else DraftLine()
    before = stored if stored.variant_id == values.get("variant") and (variant or stored.name == values.get("name")) else DraftLine()
    price = values.get("price")
    if variant is not None and price == catalogue_price(before, variant):
        price = None  # the catalogue's price: VAT of the destination applies to it
    amount, percent = values.get("discount") or (None, None)
    options = read_options(values.get("options") or "")
    return replace(
        before,
        variant_id=values.get("variant"),
        sku=before.sku if variant is None else "",
        name=values.get("name") or "",
        quantity=values.get("quantity") or before.quantity,
        price=price,
        vat_rate=values.get("vat_rate"),
        discount=amount or Decimal(0),
        discount_percent=percent or None,
        options=before.options if _same_options(before.options, options) else options,
    )


def _same_options(before: tuple[dict[str, Any], ...], typed: tuple[dict[str, Any], ...]) -> bool:
    return [(o.get("name"), str(o.get("value"))) for o in before] == [(o["name"], o["value"]) for o in typed]


def _discounts(form: OrderForm, base: OrderDraft) -> tuple[DraftDiscount, ...]:
    edited = next((row for row in base.discounts if not row.is_coupon), None)
    kept = tuple(row for row in base.discounts if row is not edited)
    amount = form.value("discount_value")
    if not amount:
        return kept
    kind = form.value("discount_kind") or "ABS"
    return (*kept, DraftDiscount(label=form.value("discount_label") or "", kind=kind, value=amount))


def _surcharges(form: OrderForm, base: OrderDraft) -> tuple[DraftSurcharge, ...]:
    """Those with an amount; a row that stands where it stood keeps its VAT."""
    rows = []
    for index in range(row_count(form.data, "surcharge")):
        amount = form.value(f"surcharge-{index}-amount")
        if amount:
            before = base.surcharges[index] if index < len(base.surcharges) else DraftSurcharge()
            label, kind = form.value(f"surcharge-{index}-label") or "", form.value(f"surcharge-{index}-kind") or "surcharge"
            stands = (before.label, before.kind) == (label, kind)
            rows.append(replace(before if stands else DraftSurcharge(), label=label, kind=kind, amount=amount))
    return tuple(rows)


def _typed(amount: Decimal | None, currency: str) -> str:
    return "" if amount is None else amount_text(amount, currency)


def _typed_discount(line: DraftLine, currency: str) -> str:
    if line.discount_percent is not None:
        return f"{format_number(line.discount_percent)}\u00a0%"
    return _typed(line.discount, currency) if line.discount else ""


def _moment_text(moment: datetime | None) -> str:
    return timezone.localtime(moment).strftime(MOMENT) if moment else ""


def _midnight(day: date | None) -> datetime | None:
    return timezone.make_aware(datetime.combine(day, time())) if day else None


def _rate_label(method: ShippingMethod, shop: Shop) -> str:
    rate = format_money(method.rate, shop.currency) if method.rate else _("free")
    return f"{method.name}, {rate}"


def _with_present(choices: list[tuple[str, str]], present: str | None) -> list[tuple[str, str]]:
    """A value that is no longer offered stays choosable where it stands already."""
    return choices if not present or any(value == present for value, _label in choices) else [*choices, (present, present)]


def _person_fields(home: str) -> dict[str, forms.Field]:
    fields: dict[str, forms.Field] = {
        "name": forms.CharField(label=_("Name"), max_length=200, required=False),
        "company": forms.CharField(label=_("Company"), max_length=200, required=False),
        "street": forms.CharField(label=_("Street"), max_length=400, required=False),
        "street2": forms.CharField(label=_("Street, second line"), max_length=400, required=False),
        "postcode": forms.CharField(label=_("Postcode"), max_length=40, required=False),
        "city": forms.CharField(label=_("City"), max_length=120, required=False),
        "state": forms.CharField(label=_("State"), max_length=120, required=False),
        "country": country_field(label=_("Country"), empty=_("As the shop (%(country)s)") % {"country": home}),
        "phone": forms.CharField(label=_("Phone"), max_length=60, required=False),
    }
    for field in fields.values():
        field.widget.attrs["autocomplete"] = "off"
    return fields
