"""Forms that grow: rows of items, of discounts and of surcharges, as the fields of a posted form hold them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _

from orders.admin.amounts import AmountField
from orders.models import Variant
from orders.money import exponent, format_number

MOST_ITEMS = 1000
MOST_ROWS = 20
ITEM = ("variant", "name", "quantity", "price", "vat_rate", "discount", "options")
ROW = {"discount": ("label", "kind", "value", "base"), "surcharge": ("label", "amount", "kind")}
# What a row that nobody filled in says.
BLANK = {
    "discount": {"label": "", "kind": "ABS", "value": "", "base": "CUSTOM"},
    "surcharge": {"label": "", "amount": "", "kind": "surcharge"},
}


def item_count(data: Mapping[str, Any]) -> int:
    """How many items the form has."""
    count = str(data.get("items-TOTAL_FORMS", "0"))
    return min(int(count), MOST_ITEMS) if count.isdecimal() else 0


def add_item(data: QueryDict, values: Mapping[str, Any]) -> None:
    """Add a row of an item with these texts."""
    index = item_count(data)
    for name, value in values.items():
        data[f"items-{index}-{name}"] = str(value)
    data["items-TOTAL_FORMS"] = str(index + 1)
    data.setdefault("items-INITIAL_FORMS", "0")
    data["article_search"] = ""


def add_pieces(data: QueryDict, variant: Variant, pieces: int) -> bool:
    """Add pieces to the item of the form that is this article; False where there is none."""
    for index in range(item_count(data)):
        quantity = data.get(f"items-{index}-quantity", "")
        if data.get(f"items-{index}-variant") == str(variant.pk) and quantity.isdecimal():
            data[f"items-{index}-quantity"] = str(int(quantity) + pieces)
            data["article_search"] = ""
            return True
    return False


def drop_item(data: QueryDict, gone: int) -> None:
    """Remove a row of an item; those after it move up."""
    count = item_count(data)
    if not 0 <= gone < count:
        return
    for index in range(gone, count - 1):
        for name in ITEM:
            data[f"items-{index}-{name}"] = data.get(f"items-{index + 1}-{name}", "")
    for name in ITEM:
        data.pop(f"items-{count - 1}-{name}", None)
    data["items-TOTAL_FORMS"] = str(count - 1)


def row_count(data: Mapping[str, Any], kind: str) -> int:
    """How many rows of discounts or surcharges the form has, the empty one at the end included."""
    count = str(data.get(f"{kind}-count", "0"))
    return min(int(count), MOST_ROWS) if count.isdecimal() else 0


def change_rows(data: QueryDict, verb: str, value: str) -> None:
    """Empty a row of discounts or surcharges ("discount:2") or add one ("row:discount"), as a button asks."""
    if verb == "row" and value in ROW:
        data[f"{value}-count"] = str(min(row_count(data, value) + 1, MOST_ROWS))
    elif verb in ROW and value.isdecimal():
        data[f"{verb}-{value}-{amount_name(verb)}"] = ""


def amount_name(kind: str) -> str:
    return "value" if kind == "discount" else "amount"


def row_fields(kind: str) -> dict[str, forms.Field]:
    """The fields of a row of discounts or surcharges."""
    label = forms.CharField(label=_("Name"), max_length=200, required=False)
    if kind == "discount":
        return {
            "label": label,
            "kind": forms.ChoiceField(label=_("Kind of discount"), choices=[("ABS", _("Amount")), ("PERCENT", "%")], required=False),
            "value": AmountField(label=_("Discount")),
            "base": forms.CharField(required=False, max_length=40, widget=forms.HiddenInput),
        }
    kinds = [("surcharge", _("Surcharge")), ("tip", _("Tip"))]
    return {
        "label": label,
        "kind": forms.ChoiceField(label=_("Kind"), choices=kinds, required=False),
        "amount": AmountField(label=_("Amount")),
    }


def rows_texts(kind: str, rows: Any, currency: str) -> dict[str, str]:
    """What the rows say, an empty one after them."""
    found = {f"{kind}-count": str(len(rows) + 1)}
    for index, row in enumerate(rows):
        for name in ROW[kind]:
            value = getattr(row, name)
            if isinstance(value, Decimal):
                percent = name == "value" and row.kind == "PERCENT"
                value = format_number(value) if percent else amount_text(value, currency)
            found[f"{kind}-{index}-{name}"] = str(value)
    return found | {f"{kind}-{len(rows)}-{name}": text for name, text in BLANK[kind].items() if text}


def shown_rows(form: forms.Form, data: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    """The rows with their bound fields, for the page."""
    count = row_count(data, kind)
    return [
        {"index": index, "is_new": index == count - 1, **{name: form[f"{kind}-{index}-{name}"] for name in ROW[kind]}}
        for index in range(count)
    ]


def amount_text(amount: Decimal, currency: str) -> str:
    """An amount as it stands in a field: the currency's decimals, more only where it has more."""
    return format_number(amount, decimals=max(exponent(currency), -int(amount.normalize().as_tuple().exponent)))
