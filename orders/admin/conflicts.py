"""Two clerks changed one order: what each of them saw and wanted, put together; the form comes back with nothing lost."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from orders.admin.timeline import Entry, History, capital
from orders.admin.wishes import WishForm
from orders.merging import MergedField, Outcome, merge, merge_names
from orders.models import Order, OrderEvent
from orders.people import name_of, readers_of_orders

PICK = "choose-"


@dataclass(frozen=True)
class Row:
    """One field of a conflict in words: what I saw, what it is now and by whom, what I want."""

    name: str
    label: str
    seen: str
    now: str
    wanted: str
    by: str
    text: str  # what the hidden field carries: mine where there is a choice, the merged value elsewhere
    outcome: str


@dataclass(frozen=True)
class Conflict:
    """What became of my change of an order that moved meanwhile."""

    rows: list[Row]
    hidden: list[tuple[str, str]]
    entries: list[Entry]
    data: QueryDict = field(default_factory=QueryDict)

    @property
    def overlaps(self) -> list[Row]:
        return [row for row in self.rows if row.outcome == Outcome.OVERLAP.value]

    @property
    def kept(self) -> list[Row]:
        return [row for row in self.rows if row.outcome != Outcome.OVERLAP.value]


def is_stale(data: QueryDict, order: Order, form: WishForm) -> bool:
    """Whether the form was opened on another version of the order and can be put together with what happened since."""
    return form.merges and bool(data.get("opened")) and data.get("version") != str(order.version)


def picked(data: QueryDict) -> QueryDict:
    """`data` after the choices of a conflict: where theirs was chosen, the value that stands."""
    picks = {name.removeprefix(PICK): value for name, value in data.items() if name.startswith(PICK)}
    if not picks:
        return data
    opened, result = opened_texts(data), data.copy()
    for name, whose in picks.items():
        if whose != "mine" and name in opened:
            result[name] = opened[name]
    return result


def opened_texts(data: Mapping[str, Any]) -> dict[str, str]:
    """What the fields said when the form was opened; nothing where that is no longer readable."""
    try:
        found = json.loads(str(data.get("opened") or "{}"))
    except ValueError:
        return {}
    return {str(name): str(text) for name, text in found.items()} if isinstance(found, dict) else {}


def find_conflict(form: WishForm, data: QueryDict) -> Conflict:
    """Put the change in `data` together with the order as it is now. Reads the events since the form was opened."""
    seen, wanted = opened_texts(data), form.texts_of(data)
    merged = merge(seen, form.opened, wanted)
    texts = {name: found.value for name, found in merged.items()}
    if "tags" in merged:
        texts["tags"] = merge_names(merged["tags"].seen, merged["tags"].now, merged["tags"].wanted)
    events = _events_since(form.order, data)
    result = data.copy()
    for name, text in texts.items():
        result[name] = text
    rows, hidden = [], []
    for name, found in merged.items():
        outcome = Outcome.MINE if name == "tags" and found.outcome == Outcome.OVERLAP else found.outcome
        text = found.wanted if outcome == Outcome.OVERLAP else texts[name]
        hidden.append((name, text))
        if outcome != Outcome.SAME and name in form.fields:
            rows.append(_row(form, name, found, text=text, outcome=outcome, events=events))
    hidden += [(name, str(data.get(name) or "")) for name in form.own_business if name in data]
    return Conflict(rows, hidden, _entries(form, events), result)


def _events_since(order: Order, data: QueryDict) -> list[OrderEvent]:
    since = data.get("since", "")
    return list(OrderEvent.objects.filter(order=order, pk__gt=int(since) if since.isdecimal() else 0).order_by("-id")[:20])


def _entries(form: WishForm, events: list[OrderEvent]) -> list[Entry]:
    people = {person.pk: name_of(person) for person in readers_of_orders()} if any("assignee_id" in e.changes for e in events) else {}
    return History(form.order, form.subject.statuses, [], [], [], list(form.order.notes.filter(event__in=events)), people).entries(events)


def _row(form: WishForm, name: str, found: MergedField, *, text: str, outcome: Outcome, events: list[OrderEvent]) -> Row:
    label = str(form.fields[name].label or name)
    kind, dash, _column = name.partition("-")
    if dash and kind in ("billing", "shipping"):
        heading = next((str(title) for title, names in form.groups if name in names), "")
        label = f"{heading}, {label.lower()}" if heading else label
    seen, now, wanted = (
        form.said(name, value) or _("empty") for value in (found.seen, found.now, text if name == "tags" else found.wanted)
    )
    return Row(name, capital(label), seen, now, wanted, by=_changed_by(name, events), text=text, outcome=outcome.value)


def _changed_by(name: str, events: list[OrderEvent]) -> str:
    """Who changed a field last, of the events since the form was opened."""
    keys = {name, name.replace("-", "."), f"{name}_id"} | KEYS.get(name, set())
    if name.endswith("-region"):
        keys.add(f"{name.removesuffix('-region')}.state_name")
    for event in events:
        if keys & set(event.changes) or (name == "tags" and {"add_tags", "remove_tags"} & set(event.facts)):
            return event.actor_name or str(event.get_source_display())
    return ""


KEYS: dict[str, set[str]] = {"reason": {"hold_reason"}, "held": {"is_held"}}
