"""Parcels, tracking numbers and pieces that come back."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.admin.wishes.base import Ticks, WishForm, pieces_field, text_input
from orders.models import Shipment
from orders.services.fulfilment import ReturnWish, ShipmentWish, TrackingWish
from orders.services.stock import Pieces


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
