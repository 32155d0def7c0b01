"""What all forms of a change share: bound to what was sent or to defaults, a table of items, and the wish they add up to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.admin.amounts import AmountField
from orders.admin.effects import in_words
from orders.models import Carrier, Order, OrderLine, PaymentMethod, Status
from orders.money import exponent, quantum, round_money
from orders.services.plan import Actor, Wish


@dataclass(frozen=True)
class Ticks:
    """What was unticked or allowed beside the form's own fields."""

    skip: frozenset[str] = frozenset()
    oversell: bool = False


@dataclass
class Subject:
    """The order a form is about, with its items."""

    order: Order
    lines: list[OrderLine]
    actor: Actor
    part: int = 0  # the item or parcel that the address names
    statuses: dict[tuple[str, str], Status] = field(default_factory=dict)


@dataclass(frozen=True)
class LineRow:
    """A row of a form's table: an item, a remark, and its fields."""

    line: OrderLine
    remark: str
    fields: list[forms.BoundField]


def as_text(value: Any) -> str:
    """A value as a browser sends it, without what browsers add to line ends."""
    if value is True:
        return "on"
    return "" if value in (None, False) else str(value).replace("\r\n", "\n").strip()


def text_input(**attrs: str) -> forms.TextInput:
    return forms.TextInput(attrs={"class": "input"} | attrs)


class WishForm(forms.Form):
    """Base of all: bound to what was sent, or to defaults where nothing was sent yet.

    `light` names fields whose change needs no new look at the consequences: they only end up in texts.
    """

    light: ClassVar[frozenset[str]] = frozenset()
    own_business: ClassVar[frozenset[str]] = frozenset({"personal_word"})  # fields that nobody else can have changed
    button: ClassVar[Any] = gettext_lazy("Apply")
    columns: tuple[Any, ...] = ()
    icon: str = "pencil"
    ticks_first: ClassVar[bool] = False
    has_word: ClassVar[bool] = True
    page_template: ClassVar[str] = ""  # of an assistant that has a page of its own beside the panel
    merges: ClassVar[bool] = False  # whether the changes of two people can be put together field by field

    def __init__(self, data: QueryDict, subject: Subject) -> None:
        super().__init__(auto_id="panel-%s")
        self.subject, self.order, self.lines = subject, subject.order, subject.lines
        self.rows: list[tuple[OrderLine, str, list[str]]] = []
        self.suggestions: dict[str, list[str]] = {}
        if self.has_word:
            self.fields["personal_word"] = forms.CharField(
                label=_("A word of your own"),
                required=False,
                max_length=2000,
                widget=forms.Textarea(attrs={"class": "textarea", "rows": 2}),
            )
        self.groups: list[tuple[Any, list[str]]] = []
        self.build()
        self.opened = self.texts_of(self._defaults({}))
        self.is_filled = data.get("filled") == "1"
        self.data = data if self.is_filled else self._defaults(data)
        self.is_bound = True

    def build(self) -> None:
        """Add the fields that depend on the order."""

    def title(self) -> str:
        raise NotImplementedError

    def refused(self) -> str:
        """Why this person may not do it whatever they fill in; empty where they may, or where an open form is planned anyway."""
        return ""

    def wish(self, ticks: Ticks) -> Wish:
        """The wish of valid fields."""
        raise NotImplementedError

    def after(self) -> str:
        """Where the reader goes once it is saved; empty: back to the page of the order."""
        return ""

    def _defaults(self, data: Mapping[str, Any]) -> dict[str, Any]:
        given = {name: _of_address(field, data[name]) for name, field in self.fields.items() if name in data}
        return {name: f.initial for name, f in self.fields.items() if f.initial not in (None, "", False)} | given

    def texts_of(self, data: Mapping[str, Any]) -> dict[str, str]:
        """What the fields say as texts, the way a browser sends them: to compare what three looks at the order found."""
        return {name: as_text(data.get(name)) for name in self.fields if name not in self.own_business}

    def said(self, name: str, text: str) -> str:
        """A field's text as a reader says it."""
        form_field = self.fields[name]
        if isinstance(form_field, forms.ChoiceField):
            return str(dict(form_field.choices).get(text, text))  # type: ignore[arg-type]
        if isinstance(form_field, forms.BooleanField):
            return in_words(bool(text))
        try:
            value = form_field.clean(text) if text and isinstance(form_field, (forms.DateField, forms.DateTimeField)) else text
        except forms.ValidationError:
            value = text
        return in_words(value)

    def grouped_fields(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """The written fields under headings, for a form that has many."""
        return [(title, [self[name] for name in names]) for title, names in self.groups]

    def add_row(self, line: OrderLine, remark: str, **row_fields: forms.Field) -> None:
        names = []
        for name, row_field in row_fields.items():
            row_field.widget.attrs["aria-label"] = f"{row_field.label}, {line.name}"
            self.fields[f"{name}-{line.pk}"] = row_field
            names.append(f"{name}-{line.pk}")
        self.rows.append((line, remark, names))

    def line_rows(self) -> list[LineRow]:
        return [LineRow(line, remark, [self[name] for name in names]) for line, remark, names in self.rows]

    def text_fields(self) -> list[forms.BoundField]:
        """Fields outside the table of items that are written or chosen."""
        return [bound for bound in self._plain_fields() if bound.widget_type != "checkbox"]

    def tick_fields(self) -> list[forms.BoundField]:
        """Fields outside the table of items that are ticked."""
        return [bound for bound in self._plain_fields() if bound.widget_type == "checkbox"]

    def _plain_fields(self) -> list[forms.BoundField]:
        tabled = {name for _line, _remark, names in self.rows for name in names} | {"personal_word"}
        return [bound for bound in self.visible_fields() if bound.name not in tabled]

    def word(self) -> forms.BoundField | None:
        return self["personal_word"] if self.has_word else None

    def weighty_values(self) -> dict[str, Any]:
        """What the fields that change consequences mean ("5" is "5.00"), to tell whether the reader changed something since a look.

        Of a form that is not complete, what was sent.
        """
        values = self.cleaned_data if self.is_valid() else {name: self.data.get(name) or "" for name in self.fields}
        return {name: values.get(name) for name in self.fields if name not in self.light and name != "personal_word"}

    def add_choice(self, name: str, label: str, names: QuerySet[Any], initial: str) -> None:
        """A text field that suggests the shop's names and takes any other."""
        widget = text_input(autocomplete="off", list=f"names-{name}")
        self.suggestions[f"names-{name}"] = list(names.values_list("name", flat=True))
        self.fields[name] = forms.CharField(label=label, required=False, max_length=200, initial=initial, widget=widget)

    def add_carrier(self, initial: str) -> None:
        self.add_choice("carrier", _("Carrier"), Carrier.objects.filter(is_active=True), initial)

    def add_method(self, label: str) -> None:
        self.add_choice("method", label, PaymentMethod.objects.filter(is_active=True), self.order.payment_method)

    def add_told_reason(self) -> None:
        """A reason that leaves the house: on the mail about the money and on the credit note."""
        help_text = _("The customer reads it, in the mail and on the credit note.")
        self.fields["reason"] = forms.CharField(label=_("Reason"), required=False, max_length=400, help_text=help_text, widget=text_input())

    def number(self, name: str, line: OrderLine) -> int:
        return self.cleaned_data.get(f"{name}-{line.pk}") or 0


class AsksReason(WishForm):
    """A form that is applied with a reason only, and shows what it does before one is written."""

    def __init__(self, data: QueryDict, subject: Subject) -> None:
        self.is_look = "version" not in data or "preview" in data
        super().__init__(data, subject)

    def add_reason(self, label: str, help_text: str = "") -> None:
        widget = text_input(required="required", autocomplete="off")
        self.fields["reason"] = forms.CharField(label=label, required=False, max_length=400, help_text=help_text, widget=widget)

    def clean(self) -> None:
        if not self.is_look and not self.cleaned_data.get("reason", "").strip():
            self.add_error("reason", _("Say why."))

    def reason(self) -> str:
        """The reason; while one only looks, dots stand for what is to come."""
        return self.cleaned_data["reason"].strip() or ("…" if self.is_look else "")


def _of_address(form_field: forms.Field, text: Any) -> Any:
    """An amount in a link is a figure of the database: the field shows it as the reader writes amounts."""
    if not isinstance(form_field, AmountField):
        return text
    try:
        amount = Decimal(text)
    except (InvalidOperation, TypeError):
        return text
    if not amount.is_finite() or abs(amount) >= form_field.most:
        return text
    # As text, the way the field sends it: else the click would look like a change since the look.
    return form_field.prepare_value(amount.quantize(quantum(form_field.decimals)))


def pieces_field(label: str, most: int, initial: int = 0) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        required=False,
        min_value=0,
        initial=initial or "0",
        widget=forms.NumberInput(attrs={"class": "input qty", "min": "0", "max": str(most), "inputmode": "numeric"}),
    )


def money_input(
    label: Any, *, required: bool = False, initial: Decimal | None = None, currency: str, above_zero: bool = False
) -> AmountField:
    """An amount of the order's currency. `above_zero`: less than 0 is told what the wish tells of 0."""
    return AmountField(
        label=label,
        required=required,
        decimals=exponent(currency),
        error_messages={"least": _("Enter an amount above zero.")} if above_zero else None,
        initial=None if initial is None else round_money(initial, currency),
        widget=text_input(inputmode="decimal", autocomplete="off"),
    )
