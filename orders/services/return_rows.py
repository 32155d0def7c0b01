"""Rows of returns: how a step of one is written, read and planned back. Steps themselves are in returns.py."""

from collections.abc import Iterable, Sequence
from typing import Any

from orders.models import OrderEvent, OrderLine, ReturnCase, ReturnCaseLine
from orders.services.change import PlannedChange, PlannedReturn


def rows_of(case: ReturnCase, lines: Iterable[OrderLine]) -> list[ReturnCaseLine]:
    """The items of a return; each with the line of the order as the change sees it."""
    by_pk = {line.pk: line for line in lines}
    rows = list(ReturnCaseLine.objects.filter(case=case).select_related("line"))
    for row in rows:
        row.line = by_pk.get(row.line_id, row.line)
    return rows


def save_returns(changes: Sequence[PlannedChange]) -> None:
    """Write the steps of saved changes; their refunds have ids by then."""
    for change in changes:
        for step in change.returns:
            case = step.case
            for name, value in step.values.items():
                setattr(case, name, value)
            case.moved_at = change.event.at if change.event else case.requested_at
            if step.takes_refund and change.refunds:
                case.refund = change.refunds[-1][0]
            elif case.is_open:
                case.refund = None
            if case.pk is None:
                case.event = change.event
                case.save(force_insert=True)
                for row, _values in step.lines:
                    row.case = case
                ReturnCaseLine.objects.bulk_create([row for row, _values in step.lines])
                continue
            case.save()
            for row, values in step.lines:
                for name, value in values.items():
                    setattr(row, name, value)
                row.save(update_fields=list(values))


def take_back_step(change: PlannedChange, event: OrderEvent) -> None:
    """Plan the opposite of a return's step that `event` tells: the case stands where it stood; a request is withdrawn."""
    for told in event.facts.get("returns", ()):
        found = ReturnCase.objects.filter(order=change.order)
        case = found.filter(pk=told["case"]).first() if told["case"] else found.filter(event=event).first()
        if case is None:
            continue
        values: dict[str, Any] = {name: old for name, (old, _new) in told["values"].items()}
        if not told["case"]:
            values["state"] = ReturnCase.State.WITHDRAWN.value
        rows = {str(row.pk): row for row in rows_of(case, change.lines)}
        lines = [(rows[pk], {name: old for name, (old, _new) in new.items()}) for pk, new in told["lines"].items() if pk in rows]
        change.returns.append(PlannedReturn(case, values, lines))
