"""What an edit writes beyond amounts: items changed, added and removed, discounts and surcharges, and how the event tells it.

The other way round too: what an event told is put back by `take_back`, value for value.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from orders.models import Order, OrderDiscount, OrderEvent, OrderLine, OrderSurcharge, Variant
from orders.search import ITEM, OPTION, SKU, fact
from orders.services.change import PlannedChange

ROWS = {"discounts": OrderDiscount, "surcharges": OrderSurcharge}
JSON_COLUMNS = frozenset({"shipping_taxes", "totals_warning"})
# What an event tells of an added item apart from itself: where it is, and the pieces, which decisions, parcels and movements count.
COUNTED = frozenset({"id", "order", "quantity", "committed", "consumed", "pieces_shelf", "pieces_lost", "pieces_back", "pieces_shipped"})
# Columns of a line that an edit may move; the quantity is written with the counters.
LINE_COLUMNS = (
    "name",
    "sku",
    "price",
    "product_price",
    "line_discount",
    "options",
    "vat_category",
    "vat_rate",
    "vat_country",
    "tax",
    "other_taxes",
    "coupon_share",
    "discount_share",
    "is_removed",
)


def insert_added_lines(changes: Sequence[PlannedChange]) -> None:
    """Insert the items that edits add, so that movements can name them."""
    added = [(change, line) for change in changes for line in change.added_lines]
    for change, line in added:
        line.order = change.order
    OrderLine.objects.bulk_create([line for _change, line in added])


def write_edited_parts(changes: Sequence[PlannedChange]) -> None:
    """Write changed columns of items, replaced discounts and surcharges, and columns of the order that hold JSON."""
    touched, columns = [], set()
    for change in changes:
        by_pk = {line.pk: line for line in change.lines}
        for pk, values in change.line_values.items():
            for name, (_old, new) in values.items():
                setattr(by_pk[pk], name, new)
                columns.add(name)
            touched.append(by_pk[pk])
        for name, (_old, new) in change.rows.items():
            ROWS[name]._default_manager.filter(order=change.order).delete()
            ROWS[name]._default_manager.bulk_create([_row(name, change.order, values) for values in new])
        if change.json_fields:
            Order.objects.filter(pk=change.order.pk).update(**{name: new for name, (_old, new) in change.json_fields.items()})
            for name, (_old, new) in change.json_fields.items():
                setattr(change.order, name, new)
    if touched:
        OrderLine.objects.bulk_update(touched, sorted(columns), batch_size=200)


def parts_as_json(change: PlannedChange) -> dict[str, Any]:
    """The edited parts as the event keeps them: old and new, items by id."""
    found: dict[str, Any] = {}
    names = {line.pk: line.name for line in change.lines}
    lines: dict[str, Any] = {
        str(pk): {"name": names[pk], "values": {name: {"from": _plain(old), "to": _plain(new)} for name, (old, new) in values.items()}}
        for pk, values in change.line_values.items()
    }
    for line in change.added_lines:
        facts = {"name": line.name, "added": line.quantity, "price": _plain(line.price), "item": _item(line)}
        lines[str(line.pk)] = facts | {"values": {"is_removed": {"from": True, "to": False}}}
    if lines:
        found["lines"] = lines
    for name, (old, new) in (change.rows | change.json_fields).items():
        found[name] = {"from": _plain(old), "to": _plain(new)}
    return found


def words_of_lines(change: PlannedChange) -> list[str]:
    """What an edit adds to the text that finds the order."""
    found = []
    for line in change.added_lines:
        found += [fact(SKU, line.sku), fact(ITEM, line.name)]
        found += [fact(OPTION, str(option.get("value") or "")) for option in line.options]
    for values in change.line_values.values():
        for name, kind in (("sku", SKU), ("name", ITEM)):
            if name in values:
                found.append(fact(kind, str(values[name][1])))
        if "options" in values:
            found += [fact(OPTION, str(option.get("value") or "")) for option in values["options"][1]]
    return found


def take_back(change: PlannedChange, event: OrderEvent, variants: Mapping[int, Variant]) -> None:
    """Plan that the parts that `event` edited become what they were. Items that it removed join the change's lines."""
    told = event.changes.get("lines", {})
    join_removed_lines(change, [int(pk) for pk, row in told.items() if was_removed(row)], variants)
    by_pk = {line.pk: line for line in change.lines}
    for pk, row in told.items():
        line = by_pk.get(int(pk))
        if line is None:
            continue
        for name, pair in row.get("values", {}).items():
            now, old = getattr(line, name), python_value(OrderLine, name, pair["from"])
            if now != old:
                change.line_values.setdefault(line.pk, {})[name] = (now, old)
    for name in ROWS:
        if pair := event.changes.get(name):
            change.rows[name] = (pair["to"], pair["from"])
    for name in JSON_COLUMNS & set(event.changes):
        pair = event.changes[name]
        change.json_fields[name] = (pair["to"], pair["from"])


def was_removed(row: Mapping[str, Any]) -> bool:
    """Whether an event's row of an item says that it was taken off the order."""
    return bool(row.get("values", {}).get("is_removed", {}).get("to"))


def join_removed_lines(change: PlannedChange, pks: Iterable[int], variants: Mapping[int, Variant]) -> list[OrderLine]:
    """Read items that earlier edits removed and add them to the change's lines, to be put back."""
    pks = list(pks)
    found = list(OrderLine.objects.filter(order=change.order.pk, pk__in=pks, is_removed=True).order_by("position", "id")) if pks else []
    for line in found:
        line.order = change.order
        line.variant = variants.get(line.variant_id) if line.variant_id else None
    change.lines = sorted([*change.lines, *found], key=lambda line: (line.position, line.pk or 0))
    return found


def variants_of_removed(order_ids: Iterable[int]) -> set[int]:
    """Variants of items that edits took off these orders: who may put one back locks them too. One query."""
    removed = OrderLine.objects.filter(order__in=list(order_ids), is_removed=True).exclude(variant=None).order_by()
    return {pk for pk in removed.values_list("variant_id", flat=True) if pk is not None}


def python_value(model: type[Order] | type[OrderLine], name: str, value: Any) -> Any:
    """A value of an event's JSON as the column's type."""
    column: Any = model._meta.get_field(name)
    return value if value is None or isinstance(value, (list, dict)) else column.to_python(value)


def _row(name: str, order: Order, values: Mapping[str, Any]) -> Any:
    amounts = {key: Decimal(value) for key, value in values.items() if key in ("amount", "value", "vat_rate") and value is not None}
    return ROWS[name](order=order, **(dict(values) | amounts))


def _item(line: OrderLine) -> dict[str, Any]:
    """An added item as it was put on the order: what comes after it in the history starts from here."""
    columns = (c.attname for c in OrderLine._meta.concrete_fields if c.name not in COUNTED)
    return {name: _plain(getattr(line, name)) for name in columns}


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (bool, int, str, list, dict)) else str(value)
