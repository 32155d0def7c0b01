"""Cancelling an order, deleting it, and bringing a deleted one back."""

from typing import ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from orders.admin.wishes.base import AsksReason, Ticks, WishForm, text_input
from orders.money import format_money
from orders.services.cancelling import CancelReason, CancelWish
from orders.services.removal import DeleteWish, RestoreWish
from orders.services.stock import Pieces


class _EndsAnOrder(AsksReason):
    """Asks for each item that had left whether it goes back on the shelf."""

    columns = (gettext_lazy("Back on the shelf"),)

    def ask_shelf(self) -> None:
        if self.order.payment_status.releases:
            return
        for line in self.lines:
            pieces = Pieces.of(line)
            gone = pieces.wanted(self.order.payment_status, self.order.fulfilment_status)[1] - pieces.lost
            if gone > 0 and line.variant_id and line.stock_followed:
                remark = ngettext("%(count)d had left", "%(count)d had left", gone) % {"count": gone}
                self.add_row(line, remark, shelf=forms.BooleanField(label=_("Back on the shelf"), required=False, initial="on"))

    def lost_lines(self) -> frozenset[int]:
        return frozenset(line.pk for line, _remark, _names in self.rows if not self.cleaned_data.get(f"shelf-{line.pk}"))


class CancelForm(_EndsAnOrder):
    """Cancel the order: why, what becomes of money and of pieces that had left."""

    icon = "x"
    light = frozenset({"why", "reason", "method", "reference"})
    button = gettext_lazy("Cancel the order")

    def title(self) -> str:
        return _("Cancel #%(number)s") % {"number": self.order.number}

    def build(self) -> None:
        self.fields["why"] = forms.ChoiceField(
            label=_("Reason"), choices=CancelReason.choices, initial=CancelReason.CUSTOMER, widget=forms.Select(attrs={"class": "select"})
        )
        help_text = _("Stays in the history of the order; the customer does not read it.")
        self.fields["reason"] = forms.CharField(
            label=_("In words"), required=False, max_length=400, help_text=help_text, widget=text_input(autocomplete="off")
        )
        kept = self.order.refundable
        if kept > 0 and self.subject.actor.may("orders.refund_order"):
            amount = format_money(kept, self.order.currency)
            self.fields["refund"] = forms.BooleanField(
                label=_("Record %(amount)s as given back") % {"amount": amount},
                help_text=_("No money is moved. Unticked: the order counts as a refund that is due."),
                required=False,
            )
            self.add_method(_("Given back by"))
            self.fields["reference"] = forms.CharField(label=_("Reference"), required=False, max_length=200, widget=text_input())
        if not self.order.fulfilment_status.goods_left and not any(line.pieces_shipped for line in self.lines):
            self.fields["stops_delivery"] = forms.BooleanField(label=_("Set the fulfilment Will not deliver"), required=False, initial=True)
        self.ask_shelf()

    def clean(self) -> None:
        if self.cleaned_data.get("why") == CancelReason.OTHER:
            super().clean()

    def wish(self, ticks: Ticks) -> CancelWish:
        data = self.cleaned_data
        return CancelWish(
            ids=[self.order.pk],
            actor=self.subject.actor,
            why=data["why"],
            reason=self.reason() if data["why"] == CancelReason.OTHER else data["reason"],
            refund=data.get("refund", False),
            stops_delivery=data.get("stops_delivery", False),
            method=data.get("method", ""),
            reference=data.get("reference", ""),
            lost_lines=self.lost_lines(),
            skip=ticks.skip,
            personal_word=data["personal_word"],
        )


class DeleteForm(_EndsAnOrder):
    """Delete the order: it leaves the lists, its history stays."""

    icon = "trash-2"
    light = frozenset({"reason"})
    button = gettext_lazy("Delete the order")
    has_word: ClassVar[bool] = False
    instead = gettext_lazy("Cancel the order…")  # what an order with an invoice is told to do

    def title(self) -> str:
        return _("Delete #%(number)s") % {"number": self.order.number}

    def build(self) -> None:
        self.add_reason(_("Reason"), _("For orders that should never have been: tests, double entries. A real order is cancelled instead."))
        self.ask_shelf()

    def wish(self, ticks: Ticks) -> DeleteWish:
        return DeleteWish(
            order_id=self.order.pk,
            actor=self.subject.actor,
            reason=self.reason(),
            lost_lines=self.lost_lines(),
            skip=ticks.skip,
        )


class RestoreForm(WishForm):
    """Bring a deleted order back."""

    icon = "rotate-ccw"
    button = gettext_lazy("Restore the order")
    has_word = False

    def title(self) -> str:
        return _("Restore #%(number)s") % {"number": self.order.number}

    def wish(self, ticks: Ticks) -> RestoreWish:
        return RestoreWish(order_id=self.order.pk, actor=self.subject.actor, skip=ticks.skip, oversell=ticks.oversell)
