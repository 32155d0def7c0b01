"""What comes back in exchange, on the page that edits an order: its fields, and the pieces that they mean."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.edits import OrderEdit, TakenBack
from orders.models import Order, OrderLine, ReturnCase, ReturnCaseLine
from orders.services.payments import refunded_pieces
from orders.services.stock import Pieces

FATES = (("shelf", gettext_lazy("Back on the shelf")), ("lost", gettext_lazy("Lost or damaged")))


@dataclass(frozen=True)
class BackRow:
    """An item of which pieces can come back: at most so many, and their fields. Those of a return are decided about already."""

    line: OrderLine
    most: int
    quantity: forms.BoundField
    fate: forms.BoundField | None


def most_back(order: Order, lines: Iterable[OrderLine], return_id: int) -> dict[int, int]:
    """Pieces per line id that can come back: those that the customer has, or those of an inspected return. At most two queries."""
    if return_id:
        found = ReturnCaseLine.objects.filter(case=return_id, case__order=order, case__state=ReturnCase.State.INSPECTED)
        out = {row.line_id: row.shelf + row.lost for row in found}
    else:
        gone = order.fulfilment_status.goods_left
        out = {}
        for line in lines:
            pieces = Pieces.of(line)
            out[line.pk] = 0 if line.is_digital else pieces.open if gone else pieces.shipped_open
    if not any(out.values()) or order.payment_status.releases:
        return {}
    refunded, sold = refunded_pieces(order.pk), {line.pk: line.quantity for line in lines}
    left = {pk: min(count, sold.get(pk, 0) - refunded.get(pk, 0)) for pk, count in out.items()}
    return {pk: count for pk, count in left.items() if count > 0}


def pieces_of_return(order: Order, return_id: int) -> tuple[TakenBack, ...]:
    """What an inspected return takes off the order; its stock moved with the inspection."""
    rows = ReturnCaseLine.objects.filter(case=return_id, case__order=order, case__state=ReturnCase.State.INSPECTED).order_by("id")
    return tuple(TakenBack(row.line_id, row.shelf + row.lost) for row in rows if row.shelf + row.lost)


def back_fields(most: Mapping[int, int], names: Mapping[int, str], *, is_return: bool) -> dict[str, forms.Field]:
    fields: dict[str, forms.Field] = {}
    for pk, count in most.items():
        words = _("Enter a whole number from 0 to %(most)d.") % {"most": count}
        fields[f"back-{pk}-quantity"] = forms.IntegerField(
            label=_("%(name)s, comes back") % {"name": names[pk]},
            required=False,
            min_value=0,
            max_value=count,
            widget=forms.TextInput({"inputmode": "numeric"}),
            error_messages={"invalid": words, "min_value": words, "max_value": words},
        )
        if not is_return:
            label = _("%(name)s, what becomes of it") % {"name": names[pk]}
            fields[f"back-{pk}-fate"] = forms.ChoiceField(label=label, choices=FATES, required=False)
    return fields


def back_texts(edit: OrderEdit) -> dict[str, str]:
    """What the fields say for a stored edit."""
    found: dict[str, str] = {}
    for row in edit.taken_back:
        found |= {f"back-{row.line_id}-quantity": str(row.quantity), f"back-{row.line_id}-fate": "lost" if row.lost else "shelf"}
    return found


def taken_back(form: forms.Form, most: Mapping[int, int], base: OrderEdit) -> tuple[TakenBack, ...]:
    """The pieces that the fields mean; of an item without a field, what the stored edit says."""
    found = [row for row in base.taken_back if row.line_id not in most]
    for pk in most:
        count = form.cleaned_data.get(f"back-{pk}-quantity") or 0
        if count:
            fate = "" if base.return_id else form.cleaned_data.get(f"back-{pk}-fate") or "shelf"
            found.append(TakenBack(pk, count, shelf=count if fate == "shelf" else 0, lost=count if fate == "lost" else 0))
    return tuple(found)


def back_rows(form: Any, most: Mapping[int, int], lines: Iterable[OrderLine]) -> list[BackRow]:
    by_pk = {line.pk: line for line in lines}
    rows = []
    for pk, count in most.items():
        fate = form[f"back-{pk}-fate"] if f"back-{pk}-fate" in form.fields else None
        rows.append(BackRow(by_pk[pk], count, form[f"back-{pk}-quantity"], fate))
    return rows
