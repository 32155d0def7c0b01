"""What staff enter about documents."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from invoices.models import Invoice, InvoiceLine
from invoices.services.ledger import left_to_credit
from orders.money import format_money


def _amount_box() -> forms.NumberInput:
    return forms.NumberInput(attrs={"class": "input price", "step": "any"})


class CreditForm(forms.Form):
    """A credit note: everything left (the default), chosen pieces and shipping, or an amount."""

    REST, PIECES, AMOUNT = "rest", "pieces", "amount"

    what = forms.ChoiceField(
        label=gettext_lazy("Credit"),
        choices=[
            (REST, gettext_lazy("everything that is left")),
            (PIECES, gettext_lazy("these items")),
            (AMOUNT, gettext_lazy("an amount")),
        ],
        widget=forms.RadioSelect,
        initial=REST,
    )
    amount = forms.DecimalField(
        label=gettext_lazy("Amount, VAT included"), required=False, min_value=0, max_digits=14, decimal_places=3, widget=_amount_box()
    )
    shipping = forms.DecimalField(
        label=gettext_lazy("Shipping and handling"), required=False, min_value=0, max_digits=14, decimal_places=3, widget=_amount_box()
    )
    reason_text = forms.CharField(
        label=gettext_lazy("Reason, printed on the credit note"),
        required=False,
        max_length=400,
        widget=forms.TextInput(attrs={"class": "input"}),
    )
    issue_key = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, *args: Any, invoice: Invoice, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.invoice = invoice
        self.left = left_to_credit(invoice)
        self.left_text = format_money(self.left.amount, invoice.currency)
        self.charges_text = format_money(self.left.charges, invoice.currency)
        for line, pieces in self.left.pieces:
            self.fields[self._name(line)] = forms.IntegerField(
                label=line.name,
                widget=forms.NumberInput(attrs={"class": "input qty"}),
                required=False,
                min_value=0,
                max_value=int(pieces),
                help_text=_("of %(count)d") % {"count": int(pieces)},
            )

    @staticmethod
    def _name(line: InvoiceLine) -> str:
        return f"line_{line.order_line_id}"

    def piece_fields(self) -> list[forms.BoundField]:
        return [self[self._name(line)] for line, _pieces in self.left.pieces]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("what") == self.AMOUNT and not data.get("amount"):
            self.add_error("amount", _("Enter an amount above zero."))
        if data.get("what") == self.PIECES and not self._pieces(data) and not data.get("shipping"):
            self.add_error(None, _("Choose at least one item, or an amount of shipping."))
        return data

    def _pieces(self, data: dict[str, Any]) -> dict[int, int]:
        chosen = {line.order_line_id: data.get(self._name(line)) or 0 for line, _pieces in self.left.pieces}
        return {pk: count for pk, count in chosen.items() if pk and count}

    def wish(self) -> dict[str, Any]:
        """Arguments of `credit_invoice`."""
        data = self.cleaned_data
        wish: dict[str, Any] = {
            "issue_key": f"form:{data['issue_key']}",
            "reason_text": data["reason_text"],
            "reason": Invoice.Reason.CANCEL if data["what"] == self.REST else Invoice.Reason.GOODWILL,
        }
        if data["what"] == self.AMOUNT:
            wish["amount"] = data["amount"]
        elif data["what"] == self.PIECES:
            wish |= {"lines": self._pieces(data), "shipping": data.get("shipping") or Decimal(0), "reason": Invoice.Reason.REFUND}
        return wish
