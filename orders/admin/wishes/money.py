"""Money received and given back."""

import uuid
from decimal import Decimal

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.admin.wishes.base import AsksReason, Subject, Ticks, WishForm, money_input, pieces_field, text_input
from orders.models import ReturnCaseLine
from orders.money import format_money
from orders.services.limits import limit_words, refund_limit
from orders.services.payments import PaymentWish, RefundPiece, RefundWish, TakeBackPaymentWish, refunded_pieces, refunded_shipping
from orders.services.stock import Pieces


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
            _("Amount received"), required=True, initial=due if due > 0 else None, currency=self.order.currency, above_zero=True
        )
        self.add_method(_("Method"))
        self.fields["reference"] = forms.CharField(label=_("Reference"), required=False, max_length=200, widget=text_input())
        if not self.order.payment_status.counts_as_paid and not self.order.payment_status.releases:
            self.fields["set_paid"] = forms.BooleanField(label=_("Set the status Paid once nothing is due"), required=False, initial=True)

    def refused(self) -> str:
        return "" if self.subject.actor.may("orders.record_payment") else _("You may not record payments.")

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


class TakeBackPaymentForm(AsksReason):
    """A payment that was recorded and never came."""

    icon = "undo-2"
    light = frozenset({"reason"})
    button = gettext_lazy("Take the payment back")

    def title(self) -> str:
        return _("Take back a payment of #%(number)s") % {"number": self.order.number}

    def build(self) -> None:
        self.add_reason(_("Reason"), _("For money that never came. Money that goes back to the customer is a refund."))
        if self.order.payment_status.counts_as_paid:
            self.fields["set_unpaid"] = forms.BooleanField(
                label=_("Set the status Awaiting payment where something is due again"), required=False, initial=True
            )

    def wish(self, ticks: Ticks) -> TakeBackPaymentWish:
        data = self.cleaned_data
        return TakeBackPaymentWish(
            order_id=self.order.pk,
            payment_id=self.subject.part,
            actor=self.subject.actor,
            reason=self.reason(),
            set_unpaid=data.get("set_unpaid", False),
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
    page_template = "admin/orders/order/refund_page.html"
    client_key = forms.CharField(widget=forms.HiddenInput, max_length=80, required=False)
    return_id = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1)

    def __init__(self, data: QueryDict, subject: Subject) -> None:
        self.case = self._case_of(data, subject)
        if (fill := data.get("preview", "")) in ("all", "none"):
            data = data.copy()
            for line in subject.lines:
                left = line.quantity - refunded_pieces(subject.order.pk).get(line.pk, 0)
                data[f"quantity-{line.pk}"] = str(left if fill == "all" else 0)
        super().__init__(data, subject)

    def _case_of(self, data: QueryDict, subject: Subject) -> dict[int, int]:
        """Pieces of the return that the refund is for, per line: those that were kept by the shop."""
        wanted = data.get("return_id", "")
        rows = ReturnCaseLine.objects.filter(case__order=subject.order, case=int(wanted)) if wanted.isdecimal() else []
        return {row.line_id: row.shelf + row.lost for row in rows}

    def title(self) -> str:
        return _("Refund #%(number)s") % {"number": self.order.number}

    def build(self) -> None:
        self.fields["client_key"].initial = uuid.uuid4().hex
        refunded = refunded_pieces(self.order.pk)
        fates = [
            ("shelf", _("Back on the shelf")),
            ("lost", _("Lost or damaged")),
            ("keep", _("Decided with the return") if self.case else _("Customer keeps them")),
        ]
        for line in self.lines:
            left = line.quantity - refunded.get(line.pk, 0)
            if left <= 0:
                continue
            row_fields: dict[str, forms.Field] = {"quantity": pieces_field(_("Refunded"), left, min(self.case.get(line.pk, 0), left))}
            if Pieces.of(line).open and not line.is_digital:
                row_fields["fate"] = forms.ChoiceField(
                    label=_("What becomes of them"),
                    choices=fates,
                    required=False,
                    initial="keep" if self.case else "shelf",
                    widget=forms.Select(attrs={"class": "select auto"}),
                )
            self.add_row(line, _("of %(count)d") % {"count": left}, **row_fields)
        shipping = max(Decimal(0), self.order.shipping_cost - refunded_shipping(self.order))
        if shipping:
            self.fields["shipping"] = money_input(_("Shipping"), initial=Decimal(0), currency=self.order.currency)
            self.fields["shipping"].help_text = _("At most %(amount)s.") % {"amount": format_money(shipping, self.order.currency)}
        self.fields["amount"] = money_input(_("Amount given back"), currency=self.order.currency, above_zero=True)
        self.fields["amount"].help_text = " ".join(filter(None, (_("Empty: the items and the shipping above."), self._limit_words())))
        first = self.rows[0][2][0] if self.rows else "amount"
        self.fields[first].widget.attrs["autofocus"] = "autofocus"
        self.add_told_reason()
        self.add_method(_("Given back by"))
        self.fields["reference"] = forms.CharField(label=_("Reference"), required=False, max_length=200, widget=text_input())
        self.fields["set_status"] = forms.BooleanField(
            label=_("Set the payment status Refunded or Partially refunded"), required=False, initial=True
        )

    def _limit_words(self) -> str:
        """Said before the click: up to which amount this person refunds."""
        limit = refund_limit(self.subject.actor.user)
        return "" if limit is None else limit_words(limit, self.order.currency)

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
            return_id=data["return_id"] or 0,
            set_status=data["set_status"],
            skip=ticks.skip,
            oversell=ticks.oversell,
            personal_word=data["personal_word"],
        )
