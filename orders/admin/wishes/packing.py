"""Closing a parcel at the packing table: what was counted goes into the parcel, so the form asks for the rest only."""

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.admin.wishes.base import Ticks, WishForm, text_input
from orders.choices import Axis, DeliveryKind
from orders.models import Packing, Status
from orders.services.packing import Box, CollectWish, ParcelWish, box_of
from orders.services.plan import Wish


class PackForm(WishForm):
    """The parcel of the box: carrier and number. An order that is collected becomes ready instead."""

    icon = "package"
    light = frozenset({"tracking_number", "carrier"})
    button = gettext_lazy("Close the parcel")

    @property
    def is_collected(self) -> bool:
        return self.order.delivery_kind == DeliveryKind.PICKUP

    def title(self) -> str:
        words = {"number": self.order.number, "packed": self.box.packed, "left": self.box.left}
        if self.is_collected:
            return _("#%(number)s is packed: %(packed)d of %(left)d") % words
        return _("Parcel of #%(number)s: %(packed)d of %(left)d") % words

    def after(self) -> str:
        return f"{reverse('admin:orders_order_packing')}?packed={self.order.pk}"

    def build(self) -> None:
        packing = Packing.objects.filter(order=self.order).first()
        self.box: Box = box_of(self.lines, packing)
        for row in self.box.lines:
            self.add_row(row.line, _("%(packed)d of %(left)d in the box") % {"packed": row.packed, "left": row.left})
        if self.is_collected:
            self.button = gettext_lazy("Ready to be collected")  # type: ignore[misc]
            return
        self.fields["tracking_number"] = forms.CharField(
            label=_("Tracking number"),
            required=False,
            max_length=200,
            widget=text_input(autocomplete="off", spellcheck="false", autofocus="autofocus"),
            help_text=_("Scan the label of the parcel, or leave it empty and add the number later."),
        )
        self.add_carrier(self.order.shipping_carrier)
        if not self.order.fulfilment_status.goods_left:
            self._ask_status()

    def _ask_status(self) -> None:
        """What a complete parcel sets: Shipped, or Out for delivery where the shop brings it itself."""
        brings = self.order.delivery_kind == DeliveryKind.DELIVERY
        local = next((s for s in self.subject.statuses.values() if s.offered_when == Status.OfferedWhen.LOCAL_DELIVERY), None)
        shipped = self.subject.statuses.get((Axis.FULFILMENT, "SHIPPED"))
        choices = [(status.code, str(status)) for status in ([local] if brings and local else []) + [shipped] if status]
        choices.append(("", _("leave the status as it is")))
        self.fields["status"] = forms.ChoiceField(
            label=_("Status once everything is packed"),
            required=False,
            choices=choices,
            initial=choices[0][0],
            widget=forms.Select(attrs={"class": "select"}),
        )

    def wish(self, ticks: Ticks) -> Wish:
        data, versions = self.cleaned_data, {self.order.pk: self.order.version}
        if self.is_collected:
            return CollectWish(
                order_id=self.order.pk,
                actor=self.subject.actor,
                versions=versions,
                skip=ticks.skip,
                personal_word=data["personal_word"],
            )
        return ParcelWish(
            order_id=self.order.pk,
            actor=self.subject.actor,
            carrier=data["carrier"],
            tracking_number=data["tracking_number"],
            set_shipped=bool(data.get("status")),
            status=data.get("status") or "SHIPPED",
            versions=versions,
            skip=ticks.skip,
            oversell=ticks.oversell,
            personal_word=data["personal_word"],
        )
