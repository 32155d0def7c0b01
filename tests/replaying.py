"""An order rebuilt from its history: what it was when it was placed, then every event as it is recorded, in turn.

Plain values and plain functions: nothing of the services is asked. An event whose "from" is not what the events before it left
is an error, so a change that went past the history shows at once.
"""

import copy
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from orders.models import Order, OrderDiscount, OrderEvent, OrderLine, OrderSurcharge, ReturnCase

UNTOLD = {"id", "version", "updated_at", "search", "paid_total", "refunded_total", "credited_total"}  # counted, or sums of rows
COLUMNS = [c for c in Order._meta.concrete_fields if c.name not in UNTOLD]
PIECES = ("committed", "consumed", "pieces_shelf", "pieces_lost", "pieces_back", "pieces_shipped")
LINE_COLUMNS = [c for c in OrderLine._meta.concrete_fields if c.name not in {"id", "order"}]
ADDRESS_COLUMNS = ("name", "company", "street", "street2", "city", "state", "state_name", "postcode", "country", "phone")
ROWS = {"discounts": OrderDiscount, "surcharges": OrderSurcharge}
ROW_COLUMNS = {
    "discounts": ("label", "kind", "base", "value", "amount"),
    "surcharges": ("label", "kind", "amount", "vat_category", "vat_rate"),
}
STATUSES = ("payment_status", "fulfilment_status")


class HistoryBroken(AssertionError):
    """An event does not follow from those before it."""


@dataclass
class Told:
    """An order as plain values."""

    columns: dict[str, Any] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    lines: dict[int, dict[str, Any]] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)  # "billing.city"; nothing where empty
    discounts: list[Any] = field(default_factory=list)
    surcharges: list[Any] = field(default_factory=list)
    parcels: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    returns: dict[int, dict[str, Any]] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)
    paid: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)
    credited: Decimal = Decimal(0)


def as_it_is(order_id: int) -> Told:
    """The order as the database has it now."""
    order = Order.objects.with_statuses().get(pk=order_id)
    told = Told(paid=order.paid_total, refunded=order.refunded_total, credited=order.credited_total)
    told.statuses = {name: getattr(order, name).code for name in STATUSES}
    told.columns = {c.attname: getattr(order, c.attname) for c in COLUMNS if c.name not in STATUSES}
    told.lines = {line.pk: {c.attname: getattr(line, c.attname) for c in LINE_COLUMNS} for line in order.lines.all()}
    for address in order.addresses.all():
        values = {f"{address.kind}.{name}": str(getattr(address, name)) for name in ADDRESS_COLUMNS}
        told.addresses |= {name: text for name, text in values.items() if text}
    for name, columns in ROW_COLUMNS.items():
        rows = ROWS[name]._default_manager.filter(order=order).order_by("id").values(*columns)
        setattr(told, name, [_row(row) for row in rows])
    for parcel in order.shipments.filter(voided_by=None).prefetch_related("lines"):
        told.parcels[parcel.pk] = _parcel(parcel)
    for case in order.return_cases.prefetch_related("lines"):
        told.returns[case.pk] = _case(case)
    told.tags = set(order.tags.values_list("name", flat=True))
    return told


def replay(placed: Told, order_id: int, *, after: int = 0, upto: int | None = None) -> Told:
    """`placed` with every event after the event `after` done again. Raises HistoryBroken where one does not follow."""
    told = copy.deepcopy(placed)
    events = OrderEvent.objects.filter(order=order_id, pk__gt=after).order_by("id")
    for event in events if upto is None else events.filter(pk__lte=upto):
        _do(told, event)
    return told


def differences(one: Told, other: Told) -> list[str]:
    """What two tellings of an order disagree on, one line each."""
    found = []
    for name in one.__dataclass_fields__:
        mine, theirs = getattr(one, name), getattr(other, name)
        if mine == theirs:
            continue
        if not isinstance(mine, dict):
            found.append(f"{name}: {mine!r} / {theirs!r}")
            continue
        for key in sorted(mine.keys() | theirs.keys()):
            left, right = mine.get(key), theirs.get(key)
            if isinstance(left, dict) and isinstance(right, dict):
                found += [f"{name} {key} {c}: {left.get(c)!r} / {right.get(c)!r}" for c in left | right if left.get(c) != right.get(c)]
            elif left != right:
                found.append(f"{name} {key}: {left!r} / {right!r}")
    return found


def _do(told: Told, event: OrderEvent) -> None:
    for name, pair in event.changes.items():
        if name in STATUSES:
            _follow(event, name, told.statuses[name], pair["from"])
            told.statuses[name] = pair["to"]
        elif name == "quantities":
            for pk, row in pair.items():
                _follow(event, f"quantity {pk}", told.lines[int(pk)]["quantity"], row["from"])
                told.lines[int(pk)]["quantity"] = row["to"]
        elif name == "lines":
            _do_lines(told, event, pair)
        elif name in ROWS:
            _follow(event, name, getattr(told, name), [_row(row) for row in pair["from"]])
            setattr(told, name, [_row(row) for row in pair["to"]])
        elif "." in name:
            _follow(event, name, told.addresses.get(name, ""), pair["from"])
            told.addresses = {key: text for key, text in (told.addresses | {name: pair["to"]}).items() if text}
        else:
            column = Order._meta.get_field(name)
            _follow(event, name, told.columns[column.attname], _python(column, pair["from"]))
            told.columns[column.attname] = _python(column, pair["to"])
    told.tags = (told.tags | set(event.facts.get("add_tags", ()))) - set(event.facts.get("remove_tags", ()))
    _do_rows(told, event)
    _do_returns(told, event)


def _do_lines(told: Told, event: OrderEvent, rows: dict[str, Any]) -> None:
    columns = {c.attname: c for c in LINE_COLUMNS}
    for pk, row in rows.items():
        if "added" in row:
            values = {name: _python(columns[name], value) for name, value in row["item"].items()}
            told.lines[int(pk)] = dict.fromkeys(PIECES, 0) | values | {"quantity": row["added"]}
            continue
        line = told.lines[int(pk)]
        for name, pair in row["values"].items():
            _follow(event, f"line {pk} {name}", line[name], _python(columns[name], pair["from"]))
            line[name] = _python(columns[name], pair["to"])


def _do_rows(told: Told, event: OrderEvent) -> None:
    told.paid += sum((row.amount for row in event.payments.all()), Decimal(0))
    for refund in event.refunds.all():
        told.refunded += refund.amount
        told.credited += refund.credited
    for decision in event.decisions.all():
        line = told.lines[decision.line_id]
        for name, count in (("pieces_shelf", decision.shelf), ("pieces_lost", decision.lost), ("pieces_back", decision.back)):
            line[name] += count
    for movement in event.movements.exclude(line=None):
        line = told.lines[movement.line_id]
        line["committed"] += movement.delta_committed
        line["consumed"] -= movement.delta_on_hand
    for parcel in event.shipments.prefetch_related("lines"):
        told.parcels[parcel.pk] = _parcel(parcel)
        for row in parcel.lines.all():
            told.lines[row.line_id]["pieces_shipped"] += row.quantity
    for parcel in event.voided_shipments.prefetch_related("lines"):
        if told.parcels.pop(parcel.pk, None) is None:
            raise HistoryBroken(f"event {event.pk} makes a parcel void that does not count")
        for row in parcel.lines.all():
            told.lines[row.line_id]["pieces_shipped"] -= row.quantity


def _do_returns(told: Told, event: OrderEvent) -> None:
    for step in event.facts.get("returns", ()):
        new = {name: pair[1] for name, pair in step["values"].items()}
        rows = {int(pk): {name: pair[1] for name, pair in values.items()} for pk, values in step["lines"].items()}
        if not step["case"]:
            case = ReturnCase.objects.get(event=event)
            asked = {row.pk: {"asked": row.asked, "received": 0, "shelf": 0, "lost": 0} for row in case.lines.all()}
            told.returns[case.pk] = {"refusal": "", "ending": "", "lines": asked} | new
            continue
        case = told.returns[step["case"]]
        for name, (old, _new) in step["values"].items():
            _follow(event, f"return {name}", case[name], old)
        case |= new
        for pk, values in rows.items():
            for name, (old, _new) in step["lines"][str(pk)].items():
                _follow(event, f"return {pk} {name}", case["lines"][pk][name], old)
            case["lines"][pk] |= values


def _follow(event: OrderEvent, name: str, known: Any, told: Any) -> None:
    if known != told:
        raise HistoryBroken(f"event {event.pk} ({event.kind}) says that {name} was {told!r}; the history before says {known!r}")


def _python(column: Any, value: Any) -> Any:
    if value is None or column.is_relation or isinstance(value, (list, dict)):
        return value
    return column.to_python(value)


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """A discount or surcharge, amounts as numbers."""
    amounts = {"amount", "value", "vat_rate"}
    return {name: Decimal(value) if name in amounts and value is not None else value for name, value in row.items()}


def _parcel(parcel: Any) -> tuple[Any, ...]:
    return parcel.carrier, parcel.tracking_number, {row.line_id: row.quantity for row in parcel.lines.all()}


def _case(case: ReturnCase) -> dict[str, Any]:
    columns = ("asked", "received", "shelf", "lost")
    lines = {row.pk: {name: getattr(row, name) for name in columns} for row in case.lines.all()}
    return {"state": case.state, "refusal": case.refusal, "ending": case.ending, "lines": lines}
