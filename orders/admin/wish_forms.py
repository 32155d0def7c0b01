"""What a clerk fills in before a change of one order: each form knows its fields and the wish they add up to."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.formats import localize_input
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.choices import Axis
from orders.models import Carrier, Order, OrderLine, PaymentMethod, Refund, Shipment, Shop, Status
from orders.money import round_money
from orders.services.editing import NOTE_LENGTH, DetailsWish, HoldWish, NoteWish, QuantityWish
from orders.services.fulfilment import ReturnWish, ShipmentWish, TrackingWish
from orders.services.payments import PaymentWish, RefundPiece, RefundWish, refunded_pieces, share_of_pieces
from orders.services.plan import Actor, Wish
from orders.services.status import StatusWish
from orders.services.stock import Pieces


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


def text_input(**attrs: str) -> forms.TextInput:
    return forms.TextInput(attrs={"class": "input"} | attrs)


class WishForm(forms.Form):
    """Base of all: bound to what was sent, or to defaults where nothing was sent yet.

    `light` names fields whose change needs no new look at the consequences: they only end up in texts.
    """

    light: ClassVar[frozenset[str]] = frozenset()
    button: ClassVar[Any] = gettext_lazy("Apply")
    columns: ClassVar[tuple[Any, ...]] = ()
    icon: str = "pencil"
    has_word: ClassVar[bool] = True

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
        self.build()
        self.is_filled = data.get("filled") == "1"
        self.data = data if self.is_filled else self._defaults(data)
        self.is_bound = True

    def build(self) -> None:
        """Add the fields that depend on the order."""

    def title(self) -> str:
        raise NotImplementedError

    def wish(self, ticks: Ticks) -> Wish:
        """The wish of valid fields."""
        raise NotImplementedError

    def _defaults(self, data: Mapping[str, Any]) -> dict[str, Any]:
        given = {name: data[name] for name in self.fields if name in data}
        return {name: f.initial for name, f in self.fields.items() if f.initial not in (None, "", False)} | given

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

    def weighty_values(self) -> dict[str, str]:
        """What was sent for the fields that change consequences, to tell whether the reader changed something since a look."""
        return {name: str(self.data.get(name) or "") for name in self.fields if name not in self.light and name != "personal_word"}

    def add_choice(self, name: str, label: str, names: QuerySet[Any], initial: str) -> None:
        """A text field that suggests the shop's names and takes any other."""
        widget = text_input(autocomplete="off", list=f"names-{name}")
        self.suggestions[f"names-{name}"] = list(names.values_list("name", flat=True))
        self.fields[name] = forms.CharField(label=label, required=False, max_length=200, initial=initial, widget=widget)

    def add_carrier(self, initial: str) -> None:
        self.add_choice("carrier", _("Carrier"), Carrier.objects.all(), initial)

    def add_method(self, label: str) -> None:
        self.add_choice("method", label, PaymentMethod.objects.filter(is_active=True), self.order.payment_method)

    def number(self, name: str, line: OrderLine) -> int:
        return self.cleaned_data.get(f"{name}-{line.pk}") or 0


def pieces_field(label: str, most: int, initial: int = 0) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        required=False,
        min_value=0,
        initial=initial or "0",
        widget=forms.NumberInput(attrs={"class": "input qty", "min": "0", "max": str(most), "inputmode": "numeric"}),
    )


def money_input(label: Any, *, required: bool = False, initial: Decimal | None = None, currency: str) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=required,
        max_digits=14,
        localize=True,
        initial=None if initial is None else localize_input(round_money(initial, currency)),
        widget=text_input(inputmode="decimal", autocomplete="off"),
    )


class StatusForm(WishForm):
    """Another status on one axis or both, with what the status asks for."""

    light = frozenset({"tracking_number", "carrier", "reference", "method", "reason"})
    payment = forms.CharField(required=False, widget=forms.HiddenInput)
    fulfilment = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict, subject: Subject) -> None:
        self.to_payment = subject.statuses.get((Axis.PAYMENT, data.get("payment", "")))
        self.to_fulfilment = subject.statuses.get((Axis.FULFILMENT, data.get("fulfilment", "")))
        super().__init__(data, subject)

    def title(self) -> str:
        name = {"number": self.order.number}
        if self.to_payment and self.to_fulfilment:
            return _("Change the statuses of #%(number)s") % name
        if self.to_payment:
            return _("Change the payment status of #%(number)s") % name
        return _("Change the fulfilment status of #%(number)s") % name

    def build(self) -> None:
        if self.to_fulfilment and self.to_fulfilment.asks == Status.Asks.TRACKING:
            self.icon = "truck"
            self.fields["tracking_number"] = forms.CharField(
                label=_("Tracking number"), required=False, max_length=200, widget=text_input(autocomplete="off", spellcheck="false")
            )
            self.add_carrier(self.order.shipping_carrier)
        if (
            self.to_fulfilment
            and self.to_fulfilment.asks == Status.Asks.RETURNED_PIECES
            and self.to_fulfilment != self._current(Axis.FULFILMENT)
        ):
            self._ask_returned()
        if self.to_payment and self.to_payment != self._current(Axis.PAYMENT):
            self._ask_record(self.to_payment)
            if self.to_payment.releases:
                self._ask_shelf()
                self.fields["reason"] = forms.CharField(label=_("Reason"), required=False, max_length=400, widget=text_input())

    def _current(self, axis: Axis) -> Status:
        return self.order.payment_status if axis == Axis.PAYMENT else self.order.fulfilment_status

    def _ask_returned(self) -> None:
        self.columns = (_("On the shelf"), _("Lost or damaged"))
        for line in self.lines:
            pieces = Pieces.of(line)
            if line.is_digital or not pieces.open:
                continue
            back = pieces.open if self.order.fulfilment_status.goods_left else pieces.shipped_open
            self.add_row(
                line,
                _("of %(count)d") % {"count": pieces.open},
                shelf=pieces_field(_("On the shelf"), pieces.open, back),
                lost=pieces_field(_("Lost or damaged"), pieces.open),
            )

    def _ask_record(self, target: Status) -> None:
        due, refundable = self.order.balance, self.order.refundable
        if target.proposes_record == Status.Record.PAYMENT and due > 0:
            label, hint = _("Record the payment of the balance"), _("Recorded as received, no money is moved.")
        elif target.proposes_record == Status.Record.REFUND and refundable > 0:
            label, hint = _("Record a refund of the rest"), _("Recorded as given back, no money is moved.")
        else:
            return
        self.fields["record"] = forms.BooleanField(label=label, help_text=hint, required=False, initial=target.record_by_default)
        self.add_method(_("Method"))
        self.fields["reference"] = forms.CharField(label=_("Reference"), required=False, max_length=200, widget=text_input())

    def _ask_shelf(self) -> None:
        if self.order.payment_status.releases:
            return
        self.columns = (_("Back on the shelf"),)
        for line in self.lines:
            pieces = Pieces.of(line)
            gone = pieces.wanted(self.order.payment_status, self.order.fulfilment_status)[1] - pieces.lost
            if gone > 0 and line.variant_id and line.stock_followed:
                remark = _("%(count)d had left") % {"count": gone}
                self.add_row(line, remark, shelf=forms.BooleanField(label=_("Back on the shelf"), required=False, initial="on"))

    def wish(self, ticks: Ticks) -> StatusWish:
        data = self.cleaned_data
        asks_shelf = bool(self.to_payment and self.to_payment.releases)
        returned = {} if asks_shelf else {line.pk: (self.number("shelf", line), self.number("lost", line)) for line, _r, _n in self.rows}
        return StatusWish(
            ids=[self.order.pk],
            actor=self.subject.actor,
            payment=data["payment"],
            fulfilment=data["fulfilment"],
            skip=ticks.skip,
            oversell=ticks.oversell,
            personal_word=data["personal_word"],
            reason=data.get("reason", ""),
            carrier=data.get("carrier", ""),
            tracking_number=data.get("tracking_number", ""),
            lost_lines=frozenset(line.pk for line, _r, _n in self.rows if asks_shelf and not data.get(f"shelf-{line.pk}")),
            returned=returned,
            record=data["record"] if "record" in self.fields else None,
            method=data.get("method", ""),
            reference=data.get("reference", ""),
        )


class PaymentForm(WishForm):
    """Money received."""

    icon = "credit-card"
    light = frozenset({"method", "reference"})
    button = gettext_lazy("Record the payment")

    def title(self) -> str:
        return _("Record a payment of #%(number)s") % {"number": self.order.number}

    def build(self) -> None:
        due = self.order.balance
        self.fields["amount"] = money_input(
            _("Amount received"), required=True, initial=due if due > 0 else None, currency=self.order.currency
        )
        self.add_method(_("Method"))
        self.fields["reference"] = forms.CharField(label=_("Reference"), required=False, max_length=200, widget=text_input())
        if not self.order.payment_status.counts_as_paid and not self.order.payment_status.releases:
            self.fields["set_paid"] = forms.BooleanField(label=_("Set the status Paid once nothing is due"), required=False, initial=True)

    def wish(self, ticks: Ticks) -> PaymentWish:
        data = self.cleaned_data
        return PaymentWish(
            order_id=self.order.pk,
            actor=self.subject.actor,
            amount=data["amount"],
            method=data["method"],
            reference=data["reference"],
            set_paid=data.get("set_paid", False),
            skip=ticks.skip,
            oversell=ticks.oversell,
            personal_word=data["personal_word"],
        )


class RefundForm(WishForm):
    """Money given back: for pieces, for shipping, or an amount."""

    icon = "undo-2"
    light = frozenset({"method", "reference", "reason"})
    button = gettext_lazy("Record the refund")
    columns = (gettext_lazy("Refunded"), gettext_lazy("What becomes of them"))
    client_key = forms.CharField(widget=forms.HiddenInput, max_length=80, required=False)

    def title(self) -> str:
        return _("Refund #%(number)s") % {"number": self.order.number}

    def build(self) -> None:
        self.fields["client_key"].initial = uuid.uuid4().hex
        refunded, worth = refunded_pieces(self.order.pk), Decimal(0)
        fates = [
            ("shelf", _("Back on the shelf")),
            ("lost", _("Lost or damaged")),
            ("keep", _("Customer keeps them")),
        ]
        for line in self.lines:
            left = line.quantity - refunded.get(line.pk, 0)
            if left <= 0:
                continue
            worth += share_of_pieces(self.order, line, refunded.get(line.pk, 0), left)
            row_fields: dict[str, forms.Field] = {"quantity": pieces_field(_("Refunded"), left, left)}
            if Pieces.of(line).open and not line.is_digital:
                row_fields["fate"] = forms.ChoiceField(
                    label=_("What becomes of them"),
                    choices=fates,
                    required=False,
                    initial="shelf",
                    widget=forms.Select(attrs={"class": "select auto"}),
                )
            self.add_row(line, _("of %(count)d") % {"count": left}, **row_fields)
        shipped_back = sum((r.shipping for r in Refund.objects.filter(order=self.order, reversed_by=None, reverses=None)), Decimal(0))
        shipping = max(Decimal(0), self.order.shipping_cost - shipped_back)
        if shipping:
            self.fields["shipping"] = money_input(_("Shipping"), initial=shipping, currency=self.order.currency)
            worth += shipping
        # A gift card paid a part: only the money that came in can go back.
        capped = self.order.refundable if worth > self.order.refundable else None
        self.fields["amount"] = money_input(_("Amount given back"), initial=capped, currency=self.order.currency)
        self.fields["amount"].help_text = _("Empty: the items and the shipping above.")
        self.fields["reason"] = forms.CharField(label=_("Reason"), required=False, max_length=400, widget=text_input())
        self.add_method(_("Given back by"))
        self.fields["reference"] = forms.CharField(label=_("Reference"), required=False, max_length=200, widget=text_input())
        self.fields["set_status"] = forms.BooleanField(
            label=_("Set the payment status Refunded or Partially refunded"), required=False, initial=True
        )

    def wish(self, ticks: Ticks) -> RefundWish:
        data, pieces = self.cleaned_data, []
        for line, _remark, _names in self.rows:
            quantity, fate = self.number("quantity", line), data.get(f"fate-{line.pk}") or "keep"
            decided = min(quantity, Pieces.of(line).open)
            if quantity:
                shelf, lost = (decided, 0) if fate == "shelf" else (0, decided if fate == "lost" else 0)
                pieces.append(RefundPiece(line.pk, quantity, shelf=shelf, lost=lost))
        return RefundWish(
            order_id=self.order.pk,
            actor=self.subject.actor,
            pieces=pieces,
            shipping=data.get("shipping") or Decimal(0),
            amount=data["amount"],
            reason=data["reason"],
            method=data["method"],
            reference=data["reference"],
            client_key=data["client_key"],
            set_status=data["set_status"],
            skip=ticks.skip,
            oversell=ticks.oversell,
            personal_word=data["personal_word"],
        )


class ShipmentForm(WishForm):
    """A parcel with the pieces it holds."""

    icon = "truck"
    light = frozenset({"tracking_number", "carrier"})
    button = gettext_lazy("Record the parcel")
    columns = (gettext_lazy("In this parcel"),)

    def title(self) -> str:
        return _("Ship #%(number)s") % {"number": self.order.number}

    def build(self) -> None:
        self.fields["tracking_number"] = forms.CharField(
            label=_("Tracking number"), required=False, max_length=200, widget=text_input(autocomplete="off", spellcheck="false")
        )
        self.add_carrier(self.order.shipping_carrier)
        for line in self.lines:
            left = Pieces.of(line).unshipped
            if left and not line.is_digital:
                self.add_row(line, _("of %(count)d") % {"count": left}, quantity=pieces_field(_("In this parcel"), left, left))
        if not self.order.fulfilment_status.goods_left:
            self.fields["set_shipped"] = forms.BooleanField(
                label=_("Set the status Shipped once everything is on its way"), required=False, initial=True
            )

    def wish(self, ticks: Ticks) -> ShipmentWish:
        data = self.cleaned_data
        return ShipmentWish(
            order_id=self.order.pk,
            actor=self.subject.actor,
            quantities={line.pk: self.number("quantity", line) for line, _remark, _names in self.rows},
            carrier=data["carrier"],
            tracking_number=data["tracking_number"],
            set_shipped=data.get("set_shipped", False),
            skip=ticks.skip,
            oversell=ticks.oversell,
            personal_word=data["personal_word"],
        )


class TrackingForm(WishForm):
    """Another number or carrier for a parcel."""

    icon = "truck"
    light = frozenset({"tracking_number", "carrier"})

    def title(self) -> str:
        return _("Tracking number of #%(number)s") % {"number": self.order.number}

    def build(self) -> None:
        parcel = Shipment.objects.filter(pk=self.subject.part, order=self.order, voided_by=None).first()
        self.fields["tracking_number"] = forms.CharField(
            label=_("Tracking number"),
            required=False,
            max_length=200,
            initial=parcel.tracking_number if parcel else "",
            widget=text_input(autocomplete="off", spellcheck="false"),
        )
        self.add_carrier(parcel.carrier if parcel else "")

    def wish(self, ticks: Ticks) -> TrackingWish:
        return TrackingWish(
            order_id=self.order.pk,
            shipment_id=self.subject.part,
            actor=self.subject.actor,
            carrier=self.cleaned_data["carrier"],
            tracking_number=self.cleaned_data["tracking_number"],
            skip=ticks.skip,
            personal_word=self.cleaned_data["personal_word"],
        )


class ReturnForm(WishForm):
    """Pieces that came back."""

    icon = "rotate-ccw"
    light = frozenset({"reason"})
    button = gettext_lazy("Record the return")
    columns = (gettext_lazy("On the shelf"), gettext_lazy("Lost or damaged"))

    def title(self) -> str:
        return _("Return of #%(number)s") % {"number": self.order.number}

    def build(self) -> None:
        for line in self.lines:
            pieces = Pieces.of(line)
            out = pieces.open if self.order.fulfilment_status.goods_left else pieces.shipped_open
            if out and not line.is_digital:
                self.add_row(
                    line,
                    _("of %(count)d") % {"count": out},
                    shelf=pieces_field(_("On the shelf"), out, out),
                    lost=pieces_field(_("Lost or damaged"), out),
                )
        self.fields["reason"] = forms.CharField(label=_("Reason"), required=False, max_length=400, widget=text_input())
        self.fields["set_returned"] = forms.BooleanField(label=_("Set the status Returned"), required=False)

    def wish(self, ticks: Ticks) -> ReturnWish:
        data = self.cleaned_data
        return ReturnWish(
            order_id=self.order.pk,
            actor=self.subject.actor,
            pieces={line.pk: (self.number("shelf", line), self.number("lost", line)) for line, _remark, _names in self.rows},
            reason=data["reason"],
            set_returned=data["set_returned"],
            skip=ticks.skip,
            oversell=ticks.oversell,
            personal_word=data["personal_word"],
        )


class NoteForm(WishForm):
    """A private note."""

    icon = "sticky-note"
    light = frozenset({"text"})
    button = gettext_lazy("Add the note")
    has_word = False
    text = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=NOTE_LENGTH,
        help_text=gettext_lazy("Customers never see it."),
        widget=forms.Textarea(attrs={"class": "textarea", "rows": 4}),
    )

    def title(self) -> str:
        return _("Note on #%(number)s") % {"number": self.order.number}

    def wish(self, ticks: Ticks) -> NoteWish:
        return NoteWish(
            order_id=self.order.pk,
            actor=self.subject.actor,
            text=self.cleaned_data["text"],
            parent_id=self.subject.part or None,
            skip=ticks.skip,
        )


class HoldForm(WishForm):
    """Put the order on hold, or take it off."""

    icon = "lock"
    light = frozenset({"reason"})
    has_word = False

    def title(self) -> str:
        if self.order.is_held:
            return _("Take #%(number)s off hold") % {"number": self.order.number}
        return _("Put #%(number)s on hold") % {"number": self.order.number}

    def build(self) -> None:
        if not self.order.is_held:
            self.fields["reason"] = forms.CharField(
                label=_("Reason"),
                max_length=400,
                help_text=_("A held order stays out of packing lists; no status changes."),
                widget=text_input(),
            )

    def wish(self, ticks: Ticks) -> HoldWish:
        return HoldWish(
            ids=[self.order.pk],
            actor=self.subject.actor,
            held=not self.order.is_held,
            reason=self.cleaned_data.get("reason", ""),
            skip=ticks.skip,
        )


class QuantityForm(WishForm):
    """Another quantity of one item."""

    light = frozenset({"reason"})

    def title(self) -> str:
        return _("Change a quantity of #%(number)s") % {"number": self.order.number}

    def build(self) -> None:
        line = next((line for line in self.lines if line.pk == self.subject.part), None)
        self.fields["quantity"] = forms.IntegerField(
            label=line.name if line else _("Quantity"),
            min_value=1,
            max_value=1_000_000,
            initial=line.quantity if line else None,
            help_text=_("Price, discounts and shipping stay as they are."),
            widget=forms.NumberInput(attrs={"class": "input qty", "min": "1", "inputmode": "numeric"}),
        )
        self.fields["reason"] = forms.CharField(label=_("Reason"), required=False, max_length=400, widget=text_input())

    def wish(self, ticks: Ticks) -> QuantityWish:
        return QuantityWish(
            order_id=self.order.pk,
            line_id=self.subject.part,
            quantity=self.cleaned_data["quantity"],
            actor=self.subject.actor,
            reason=self.cleaned_data["reason"],
            skip=ticks.skip,
            oversell=ticks.oversell,
            personal_word=self.cleaned_data["personal_word"],
        )


class DetailsForm(WishForm):
    """Details that move neither money nor stock."""

    light = frozenset({"tags", "no_customer_mail", "follow_up_on"})
    button = gettext_lazy("Save")
    has_word = False

    def title(self) -> str:
        return _("Details of #%(number)s") % {"number": self.order.number}

    def build(self) -> None:
        self.tag_names = sorted(self.order.tags.values_list("name", flat=True))
        self.fields["tags"] = forms.CharField(
            label=_("Tags"),
            required=False,
            max_length=600,
            initial=", ".join(self.tag_names),
            help_text=_("Separated by commas."),
            widget=text_input(),
        )
        self.fields["no_customer_mail"] = forms.BooleanField(
            label=_("Send this customer no mail about this order"), required=False, initial=self.order.no_customer_mail
        )
        self.fields["follow_up_on"] = forms.DateField(
            label=_("Follow up on"),
            required=False,
            initial=self.order.follow_up_on.isoformat() if self.order.follow_up_on else None,
            widget=forms.DateInput(attrs={"class": "input", "type": "date"}, format="%Y-%m-%d"),
        )

    def wish(self, ticks: Ticks) -> DetailsWish:
        wanted = list(dict.fromkeys(name.strip() for name in self.cleaned_data["tags"].split(",") if name.strip()))
        return DetailsWish(
            ids=[self.order.pk],
            actor=self.subject.actor,
            values={name: self.cleaned_data[name] for name in ("no_customer_mail", "follow_up_on")},
            add_tags=[name for name in wanted if name not in self.tag_names],
            remove_tags=[name for name in self.tag_names if name not in wanted],
            skip=ticks.skip,
        )


FORMS: dict[str, type[WishForm]] = {
    "status": StatusForm,
    "payment": PaymentForm,
    "refund": RefundForm,
    "shipment": ShipmentForm,
    "tracking": TrackingForm,
    "return": ReturnForm,
    "note": NoteForm,
    "hold": HoldForm,
    "quantity": QuantityForm,
    "details": DetailsForm,
}


def subject_of(order: Order, actor: Actor, *, part: int = 0) -> Subject:
    """The order with what its forms read."""
    lines = list(order.lines.filter(is_removed=False).select_related("variant").order_by("position", "id"))
    shop = Shop.current()
    offered = Status.objects.offered(local_delivery=shop.local_delivery) | Status.objects.filter(
        pk__in=[order.payment_status_id, order.fulfilment_status_id]
    )
    return Subject(order, lines, actor, part, {(s.axis, s.code): s for s in offered})
