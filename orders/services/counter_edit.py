"""Taking an edit back by a counter-proposal: the edit that undoes an edit, and what became of an order since one was begun."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from orders.edits import AMOUNTS, COLUMNS, DiscountEdit, LineEdit, OrderEdit, SurchargeEdit
from orders.models import Order, OrderEvent, OrderLine
from orders.services.line_writing import JSON_COLUMNS, ROWS, python_value, take_back, was_removed
from orders.services.plan import PlannedChange, World
from orders.services.repricing import Content, as_rows, without_reason

# Columns of a line by the names that a LineEdit gives them.
LINE_NAMES = {
    "price": "price",
    "line_discount": "discount",
    "name": "name",
    "sku": "sku",
    "options": "options",
    "vat_rate": "vat_rate",
    "vat_category": "vat_category",
    "vat_country": "vat_country",
}
TRANSPARENT = (OrderEvent.Kind.NOTE,)


def counter_edit(event: OrderEvent) -> OrderEdit:
    """The edit that puts back what `event` changed."""
    lines: dict[int, dict[str, Any]] = {}
    restored = []
    for pk, row in event.changes.get("lines", {}).items():
        values = row.get("values", {})
        if was_removed(row):
            restored.append(int(pk))
        elif "is_removed" in values:
            lines[int(pk)] = {"is_removed": True}
        else:
            found = {LINE_NAMES[name]: python_value(OrderLine, name, pair["from"]) for name, pair in values.items() if name in LINE_NAMES}
            if "options" in found:
                found["options"] = tuple(found["options"])
            lines[int(pk)] = found
    for pk, row in event.changes.get("quantities", {}).items():
        if not lines.get(int(pk), {}).get("is_removed"):
            lines.setdefault(int(pk), {})["quantity"] = row["from"]
    columns = {name: _column(name, pair["from"]) for name, pair in event.changes.items() if name in COLUMNS}
    rows = {name: event.changes[name]["from"] for name in ROWS if name in event.changes}
    return OrderEdit(
        lines=tuple(LineEdit(pk, **values) for pk, values in lines.items() if values),
        restored=tuple(restored),
        columns=columns,
        addresses={name: pair["from"] for name, pair in event.changes.items() if "." in name},
        discounts=tuple(_row(DiscountEdit, row) for row in rows["discounts"]) if "discounts" in rows else None,
        surcharges=tuple(_row(SurchargeEdit, row) for row in rows["surcharges"]) if "surcharges" in rows else None,
        reverts=event.pk,
    )


def is_counter_of(edit: OrderEdit, event: OrderEvent, order: Order, lines: Sequence[OrderLine]) -> bool:
    """Whether `edit` is exactly what takes `event` back, and the order still is as `event` left it: then its values come back."""
    if without_reason(edit) != without_reason(counter_edit(event)):
        return False
    by_pk = {line.pk: line for line in lines}
    for name, pair in event.changes.items():
        if name in ("lines", "quantities", *ROWS) or "." in name or not isinstance(pair, dict) or "to" not in pair:
            continue
        if hasattr(order, name) and getattr(order, name) != python_value(Order, name, pair["to"]):
            return False
    for pk, row in event.changes.get("quantities", {}).items():
        if int(pk) not in by_pk or by_pk[int(pk)].quantity != row["to"]:
            return False
    for pk, row in event.changes.get("lines", {}).items():
        line = by_pk.get(int(pk))
        if was_removed(row) != (line is None):
            return False
        if line is not None and any(_differs(line, name, pair["to"]) for name, pair in row["values"].items()):
            return False
    return _rows_stand(event, order)


def take_back_whole(change: PlannedChange, event: OrderEvent, world: World) -> None:
    """Plan that everything `event` changed becomes what it was, value for value."""
    take_back(change, event, world.variants)
    for name, pair in event.changes.items():
        if name == "quantities":
            change.quantities = {int(pk): row["from"] for pk, row in pair.items()}
        elif "." in name:
            change.address_fields[name] = (pair["to"], pair["from"])
        elif name not in (*ROWS, *JSON_COLUMNS, "lines", "is_oversold"):
            change.fields[name] = (getattr(change.order, name), python_value(Order, name, pair["from"]))


@dataclass(frozen=True)
class Since:
    """What happened to an order since an edit was begun, and which parts of the edit that touches."""

    events: list[OrderEvent] = field(default_factory=list)
    overlaps: tuple[str, ...] = ()  # keys of the edit

    @property
    def only_notes(self) -> bool:
        return all(event.kind in TRANSPARENT for event in self.events)


def since(order: Order, base_event: int, edit: OrderEdit) -> Since:
    """The events after `base_event`, newest first, with what of `edit` they touched. One query."""
    events = list(OrderEvent.objects.filter(order=order, pk__gt=base_event).order_by("-id")[:50])
    touched: set[str] = set()
    for event in events:
        touched |= set(_touched(event))
    overlaps = [key for key in edit.keys if key in touched or ":".join(key.split(":")[:2]) in touched]
    return Since(events, tuple(overlaps))


def rebased(edit: OrderEdit, left_out: Iterable[str], lines: Iterable[OrderLine]) -> OrderEdit:
    """The edit without the parts of `left_out` and without items that are no longer there: what others did stands."""
    gone, known = set(left_out), {line.pk for line in lines}
    kept = []
    for line in edit.lines:
        names = [name for name in line.names if f"line:{line.line_id}:{name}" not in gone]
        if names and line.line_id in known:
            kept.append(LineEdit(line.line_id, **{name: getattr(line, name) for name in names}))
    return replace(
        edit,
        lines=tuple(kept),
        restored=tuple(pk for pk in edit.restored if pk not in known),
        columns={name: value for name, value in edit.columns.items() if name not in gone},
        addresses={name: value for name, value in edit.addresses.items() if name not in gone},
        discounts=None if "discounts" in gone else edit.discounts,
        surcharges=None if "surcharges" in gone else edit.surcharges,
    )


def _touched(event: OrderEvent) -> Iterable[str]:
    for name, pair in event.changes.items():
        if name == "quantities":
            yield from (f"line:{pk}:quantity" for pk in pair)
        elif name == "lines":
            for pk, row in pair.items():
                values = row.get("values", {})
                yield from (f"line:{pk}:{LINE_NAMES.get(column, column)}" for column in values)
                if "is_removed" in values:
                    yield f"line:{pk}"
                    yield f"restored:{pk}"
        else:
            yield name


def _differs(line: OrderLine, name: str, value: Any) -> bool:
    return bool(getattr(line, name) != python_value(OrderLine, name, value))


def _rows_stand(event: OrderEvent, order: Order) -> bool:
    if not set(ROWS) & set(event.changes):
        return True
    now = as_rows(Content.of(order, [], []))
    return all(now[name] == event.changes[name]["to"] for name in ROWS if name in event.changes)


def _column(name: str, value: Any) -> Any:
    return Decimal(value) if name in AMOUNTS else value


def _row(kind: type, values: dict[str, Any]) -> Any:
    amounts = {key: Decimal(value) for key, value in values.items() if key in ("amount", "value", "vat_rate") and value is not None}
    return kind(**(values | amounts))
