"""What an edit and somebody else's change both touched, by name: what stands now and what the edit wanted."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from orders.admin.edit_history import Difference, line_column, line_value
from orders.admin.effects import column_label, in_words
from orders.edits import OrderEdit
from orders.money import format_money, format_percent
from orders.services.repricing import Content


def labels_of_keys(keys: Iterable[str], edit: OrderEdit, content: Content) -> list[Difference]:
    """What both people changed: a name, what the order says now, what the edit wanted."""
    names = {line.pk: line for line in content.lines}
    found = []
    for key in keys:
        kind, _colon, rest = key.partition(":")
        if kind == "line":
            pk, _colon, column = rest.partition(":")
            line = names.get(int(pk))
            wanted = getattr(edit.line(int(pk)), column, "")
            now = getattr(line, {"discount": "line_discount"}.get(column, column), "") if line else _("removed")
            label = f"{line.name if line else _('An item')}, {line_column(column).lower()}"
            found.append((label, _said(now, column, content.order.currency), _said(wanted, column, content.order.currency)))
        elif kind in ("discounts", "surcharges"):
            found.append((_("Discounts") if kind == "discounts" else _("Surcharges"), "", ""))
        elif "." in kind:
            found.append((column_label(kind), "", edit.addresses.get(kind, "")))
        else:
            now = getattr(content.order, kind, "")
            found.append((column_label(kind), _said(now, kind, content.order.currency), _said(edit.columns.get(kind), kind, "")))
    return found


def _said(value: Any, column: str, currency: str) -> str:
    if isinstance(value, Decimal) and currency:
        return format_percent(value) if column == "vat_rate" else format_money(value, currency)
    return line_value(value, column, currency) if column == "options" else in_words(value)
