"""Another status, with what the status asks for."""

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.admin.wishes.base import Subject, Ticks, WishForm, pieces_field, text_input
from orders.choices import Axis
from orders.models import Status
from orders.services.status import StatusWish
from orders.services.stock import Pieces


class StatusForm(WishForm):
    """Another status on one axis or both, with what the status asks for."""

    ticks_first = True
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
            and not (self.to_payment or self.order.payment_status).releases  # then they are back already
        ):
            self._ask_returned()
        if self.to_payment and self.to_payment != self._current(Axis.PAYMENT):
            self._ask_record(self.to_payment)
            if self.to_payment.releases:
                self._ask_shelf()
                self.add_told_reason()

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
                remark = ngettext("%(count)d had left", "%(count)d had left", gone) % {"count": gone}
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
