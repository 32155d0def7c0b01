"""The fields of the page that edits an order: texts of the order, of an edit on top of it, and the edit that typed fields mean.

A field says something only where it differs from what the order said when the page was opened; so two people who change different
things never undo each other, and what the form does not show stays as the stored edit has it.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.admin.amounts import AmountField, read_amount
from orders.admin.country_select import country_field
from orders.admin.edit_texts import COLUMN_FIELDS, LINE, PLACE, TAX_FIELDS
from orders.admin.form_rows import BLANK, ROW, amount_name, row_count, row_fields
from orders.admin.manual_order_form import LineFormSet, read_options
from orders.drafts import DraftLine
from orders.edits import FOLLOWING, KEEP, NET, RECOMPUTE, DiscountEdit, LineEdit, OrderEdit, SurchargeEdit
from orders.models import OrderAddress, OrderLine, PaymentMethod, ShippingMethod, Variant


class EditForm(forms.Form):
    """All fields of an order's edit but the added items."""

    shipping_cost = AmountField(label=gettext_lazy("Shipping"))
    handling_fee = AmountField(label=gettext_lazy("Handling fee"))
    gift_card_amount = AmountField(label=gettext_lazy("Paid by gift card"))
    gift_card_code = forms.CharField(label=gettext_lazy("Gift card code"), max_length=120, required=False)
    coupon_code = forms.CharField(label=gettext_lazy("Coupon code"), max_length=120, required=False)
    tax_id = forms.CharField(label=gettext_lazy("VAT id"), max_length=60, required=False)
    tax_id_valid = forms.BooleanField(label=gettext_lazy("VAT id was checked"), required=False)
    tax_exempt = forms.BooleanField(label=gettext_lazy("Tax exempt"), required=False)
    reverse_charge = forms.BooleanField(label=gettext_lazy("Reverse charge"), required=False)
    reason = forms.CharField(
        label=gettext_lazy("Reason, for the history"), max_length=400, required=False, widget=forms.Textarea({"rows": 3})
    )
    oversell = forms.BooleanField(label=gettext_lazy("Sell below zero knowingly"), required=False)

    def __init__(self, data: QueryDict, lines: list[OrderLine], more: Mapping[str, forms.Field]) -> None:
        super().__init__(data)
        self.fields |= more
        self.rows_of_lines = lines
        for name, label, names in (
            ("payment_method", _("Payment method"), PaymentMethod.objects.filter(is_active=True)),
            ("shipping_method", _("Shipping method"), ShippingMethod.objects.filter(is_active=True)),
        ):
            self.fields[name] = forms.CharField(label=label, max_length=400, required=False, widget=forms.TextInput({"list": f"{name}s"}))
            setattr(self, f"{name}s", list(names))
        for name, (keep, again) in _mode_words().items():
            choices = [(KEEP, keep), (RECOMPUTE, again)]
            if name == "prices":
                choices.insert(1, (NET, _("as sold, with VAT taken off or added")))
            self.fields[name] = forms.ChoiceField(label=_MODE_LABELS[name], choices=choices, required=False)
        for line in lines:
            for name, field in _line_fields(line).items():
                self.fields[f"line-{line.pk}-{name}"] = field
        for kind in ROW:
            for index in range(row_count(data, kind)):
                for name, field in row_fields(kind).items():
                    self.fields[f"{kind}-{index}-{name}"] = field
        for kind in OrderAddress.Kind.values:
            for name in PLACE:
                self.fields[f"{kind}-{name}"] = _place_field(name)
        for field in self.fields.values():
            field.widget.attrs.setdefault("autocomplete", "off")


def edit_of(
    form: EditForm, items: Any, *, base: OrderEdit, shown: Mapping[str, str], opened: Mapping[str, str], variants: Mapping[int, Variant]
) -> OrderEdit:
    """The edit that the fields mean. `base` is the stored edit, `shown` its texts, `opened` those of the order on opening.

    A field that still says what `base` says keeps what `base` has, also what no field shows; one that is wrong is left out.
    """
    reader = _Reader(form, shown, opened)
    address = reader.addresses(base)
    tax_moved = any(reader.moved(name) for name in (*TAX_FIELDS, "shipping-country", "billing-country"))
    value = form.cleaned_data
    return replace(
        base,
        lines=tuple(line for row in form.rows_of_lines if (line := reader.line(row.pk, base, tax_moved=tax_moved)).names),
        added=tuple(_added(row, index, base, variants) for index, row in enumerate(items.forms)),
        columns=reader.columns(base),
        addresses=address,
        discounts=reader.rows("discount", base.discounts, _discount),
        surcharges=reader.rows("surcharge", base.surcharges, _surcharge),
        prices=value.get("prices") or base.prices,
        discounts_by=value.get("discounts_by") or base.discounts_by,
        shipping=value.get("shipping") or base.shipping,
        difference=value.get("difference") or base.difference,
        reason=value.get("reason", base.reason).strip(),
    )


class _Reader:
    """Compares what was typed with what the stored edit shows and what the order said."""

    def __init__(self, form: EditForm, shown: Mapping[str, str], opened: Mapping[str, str]) -> None:
        self.form, self.shown, self.opened = form, shown, opened

    def typed(self, name: str) -> str:
        return str(self.form.data.get(name) or "").replace("\r\n", "\n").strip()

    def moved(self, name: str) -> bool:
        """Whether the field says something else than the stored edit."""
        return self.typed(name) != self.shown.get(name, "")

    def differs(self, name: str) -> bool:
        """Whether the field says something else than the order, and something that can be read."""
        return self.typed(name) != self.opened.get(name, "") and name in self.form.cleaned_data

    def line(self, pk: int, base: OrderEdit, *, tax_moved: bool) -> LineEdit:
        before = base.line(pk)
        if self.typed(f"line-{pk}-removed"):
            return LineEdit(pk, is_removed=True)
        values = {} if tax_moved else {name: getattr(before, name) for name in ("vat_category", "vat_country", "vat_rate")}
        for name in LINE:
            key = f"line-{pk}-{name}"
            if key not in self.form.fields:
                continue
            if not self.moved(key):
                values[name] = getattr(before, name)
            elif self.differs(key):
                values[name] = self._line_value(key, name)
        return LineEdit(pk, **values)

    def _line_value(self, key: str, name: str) -> Any:
        value = self.form.cleaned_data[key]
        if name == "options":
            line = next(line for line in self.form.rows_of_lines if f"line-{line.pk}-options" == key)
            return _options_of(line, value)
        return Decimal(0) if value is None and name == "discount" else value

    def columns(self, base: OrderEdit) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in (*COLUMN_FIELDS, *TAX_FIELDS):
            if not self.moved(name):
                found |= {name: base.columns[name]} if name in base.columns else {}
            elif self.differs(name):
                value = self.form.cleaned_data[name]
                found[name] = Decimal(0) if value is None else value
        if not self.moved("shipping_method"):
            found |= {name: base.columns[name] for name in FOLLOWING if name in base.columns}
        return found

    def addresses(self, base: OrderEdit) -> dict[str, str]:
        found: dict[str, str] = {}
        for kind in OrderAddress.Kind.values:
            for name in PLACE:
                key, columns = f"{kind}-{name}", ("state", "state_name") if name == "region" else (name,)
                if not self.moved(key):
                    found |= {f"{kind}.{c}": base.addresses[f"{kind}.{c}"] for c in columns if f"{kind}.{c}" in base.addresses}
                elif self.differs(key):
                    # The code of a state is no longer that of the region as it is written now.
                    text = self.form.cleaned_data[key]
                    found |= {f"{kind}.state_name": text, f"{kind}.state": ""} if name == "region" else {f"{kind}.{name}": text}
        return found

    def rows(self, kind: str, before: Any, make: Any) -> Any:
        texts = self._row_texts(kind, self.form.data)
        if texts == self._row_texts(kind, self.shown):
            return before
        if texts == self._row_texts(kind, self.opened):
            return None
        stored = list(before or ())
        known = dict(zip(self._row_texts(kind, self.shown), stored, strict=False)) if stored else {}
        return tuple(known.get(row) or made for row in texts if (made := make(dict(zip(ROW[kind], row, strict=True)))) is not None)

    def _row_texts(self, kind: str, data: Mapping[str, Any]) -> list[tuple[str, ...]]:
        amount, rows = amount_name(kind), []
        for index in range(row_count(data, kind)):
            texts = {name: str(data.get(f"{kind}-{index}-{name}") or BLANK[kind][name]).strip() for name in ROW[kind]}
            if texts[amount]:
                rows.append(tuple(texts[name] for name in ROW[kind]))
        return rows


def _options_of(line: OrderLine, typed: str) -> tuple[dict[str, Any], ...]:
    """Options as typed; what a stored option holds beyond its value (uploaded files, modifiers) stays with it."""
    stored = {str(option.get("name")): option for option in line.options if isinstance(option, dict)}
    rows = [stored.get(str(row["name"]), {}) | row for row in read_options(typed)]
    unseen = [option for option in line.options if isinstance(option, dict) and not option.get("value")]
    return (*rows, *unseen)


def _discount(texts: Mapping[str, str]) -> DiscountEdit | None:
    amount = _amount_or_none(texts["value"])
    if amount is None or amount < 0:
        return None
    kind = texts["kind"] if texts["kind"] in ("ABS", "PERCENT") else "ABS"
    return DiscountEdit(texts["label"][:200], kind, min(amount, Decimal(100)) if kind == "PERCENT" else amount, texts["base"][:40])


def _surcharge(texts: Mapping[str, str]) -> SurchargeEdit | None:
    amount = _amount_or_none(texts["amount"])
    if amount is None or amount < 0:
        return None
    return SurchargeEdit(texts["label"][:200], amount, texts["kind"] if texts["kind"] in ("surcharge", "tip") else "surcharge")


def _amount_or_none(text: str) -> Decimal | None:
    try:
        return read_amount(text)
    except ValueError:
        return None


def _added(form: Any, index: int, base: OrderEdit, variants: Mapping[int, Variant]) -> DraftLine:
    values = form.cleaned_data
    variant = variants.get(values.get("variant") or 0)
    before = base.added[index] if index < len(base.added) else DraftLine()
    price = values.get("price")
    amount, percent = values.get("discount") or (None, None)
    return replace(
        before if before.variant_id == values.get("variant") else DraftLine(),
        variant_id=values.get("variant"),
        name=values.get("name") or ("" if variant else before.name),
        quantity=values.get("quantity") or before.quantity,
        price=None if variant is not None and price == variant.price else price,
        vat_rate=values.get("vat_rate"),
        discount=amount or Decimal(0),
        discount_percent=percent or None,
        options=read_options(values.get("options") or ""),
    )


def added_forms(data: QueryDict) -> Any:
    """The forms of the items that the edit adds."""
    return LineFormSet(data, prefix="items")


def _line_fields(line: OrderLine) -> dict[str, forms.Field]:
    whole = _("Enter a whole number above 0.")
    fields: dict[str, forms.Field] = {
        "quantity": forms.IntegerField(
            label=_("Quantity"),
            min_value=1,
            max_value=1_000_000,
            widget=forms.TextInput({"inputmode": "numeric"}),
            error_messages={"invalid": whole, "min_value": whole, "required": whole},
        ),
        "price": AmountField(label=_("Price"), required=True),
        "discount": AmountField(label=_("Discount on this item")),
        "name": forms.CharField(label=_("Name"), max_length=500),
        "sku": forms.CharField(label=_("SKU"), max_length=200, required=False),
        "options": forms.CharField(label=_("Options"), max_length=2000, required=False),
        "removed": forms.BooleanField(required=False, widget=forms.HiddenInput),
    }
    if line.variant_id is None:
        fields["vat_rate"] = AmountField(label=_("VAT in percent"), most=Decimal(100))
    return fields


def _place_field(name: str) -> forms.Field:
    if name == "country":
        return country_field(label=_("Country"))
    if name == "region":
        return forms.CharField(label=_("State or region"), max_length=120, required=False)
    column: Any = OrderAddress._meta.get_field(name)
    label = str(column.verbose_name)
    return forms.CharField(label=label[:1].upper() + label[1:], max_length=column.max_length, required=False)


def _mode_words() -> dict[str, tuple[str, str]]:
    return {
        "prices": (_("as sold"), _("of the catalogue today")),
        "discounts_by": (_("keep their amounts"), _("follow the items")),
        "shipping": (_("keep its cost"), _("cost of the method today")),
        "difference": (_("keep the difference as an adjustment"), _("work the total out anew")),
    }


_MODE_LABELS = {
    "prices": gettext_lazy("Prices"),
    "discounts_by": gettext_lazy("Discounts in percent"),
    "shipping": gettext_lazy("Shipping cost"),
    "difference": gettext_lazy("The total did not add up"),
}
