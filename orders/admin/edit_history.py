"""An edit in words: what it says of items, discounts and surcharges, in the history and before it is made."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from orders.models import OrderEvent, OrderLine
from orders.money import format_money, format_percent
from orders.services.line_writing import JSON_COLUMNS, ROWS
from orders.services.plan import PlannedChange

# Columns of a line that only follow from others.
FOLLOWS = frozenset({"tax", "other_taxes", "coupon_share", "discount_share", "product_price", "vat_category", "vat_country"})
EDITED = JSON_COLUMNS | set(ROWS) | {"lines"}
MONEY = frozenset({"price", "line_discount"})
Difference = tuple[str, str, str]


def edited_parts(event: OrderEvent, currency: str) -> Iterator[Difference]:
    """What an event says of items, discounts and surcharges: what, old, new."""
    for row in event.changes.get("lines", {}).values():
        name, values = str(row.get("name", "")), row.get("values", {})
        if "added" in row:
            yield name, "", f"× {row['added']}"
        elif "is_removed" in values:
            yield (name, "", _("put back")) if not values["is_removed"]["to"] else (name, _("removed"), "")
        else:
            pairs = {column: (pair.get("from"), pair.get("to")) for column, pair in values.items()}
            yield from _line_words(name, pairs, currency)
    for kind in ROWS:
        if pair := event.changes.get(kind):
            yield from _row_words(pair.get("from") or [], pair.get("to") or [], currency)


def planned_parts(change: PlannedChange) -> Iterator[Difference]:
    """The same of a change that is not made yet."""
    currency, names = change.order.currency, {line.pk: line.name for line in change.lines}
    for line in change.added_lines:
        yield line.name, "", f"× {line.quantity}"
    for pk, values in change.line_values.items():
        if "is_removed" in values:
            yield (names[pk], _("removed"), "") if values["is_removed"][1] else (names[pk], "", _("put back"))
        else:
            yield from _line_words(names[pk], values, currency)
    for old, new in change.rows.values():
        yield from _row_words(old, new, currency)


def _line_words(name: str, values: Mapping[str, tuple[Any, Any]], currency: str) -> Iterator[Difference]:
    for column, (old, new) in values.items():
        if column not in FOLLOWS:
            yield f"{name}, {line_column(column).lower()}", line_value(old, column, currency), line_value(new, column, currency)


def _row_words(old: list[dict[str, Any]], new: list[dict[str, Any]], currency: str) -> Iterator[Difference]:
    gone, come = [row for row in old if row not in new], [row for row in new if row not in old]
    for index in range(max(len(gone), len(come))):
        before, after = (rows[index] if index < len(rows) else None for rows in (gone, come))
        row: dict[str, Any] = after or before or {}
        label = row.get("label") or (_("Discount") if "value" in row else _("Surcharge"))
        yield label, _row_value(before, currency), _row_value(after, currency)


def _row_value(row: dict[str, Any] | None, currency: str) -> str:
    if row is None:
        return ""
    amount = format_money(Decimal(row["amount"]), currency)
    return f"{amount} ({format_percent(Decimal(row['value']))})" if row.get("kind") == "PERCENT" else amount


def line_column(name: str) -> str:
    """The name of a line's column in the reader's language."""
    columns = {column.name: str(column.verbose_name) for column in OrderLine._meta.fields}
    return columns.get({"discount": "line_discount"}.get(name, name), name)


def line_value(value: Any, column: str, currency: str) -> str:
    """A value of a line's column as a reader says it."""
    if column in MONEY and value is not None:
        return format_money(Decimal(str(value)), currency)
    if column == "vat_rate":
        return format_percent(Decimal(str(value))) if value is not None else ""
    if column == "options":
        return ", ".join(f"{o.get('name')}: {o.get('value')}" for o in value or [] if o.get("value"))
    return "" if value is None else str(value)
