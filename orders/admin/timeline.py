"""The history of an order in sentences: who, when, old and new, and what it set off."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import DecimalField
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django_countries import countries

from orders.admin.edit_history import EDITED, edited_parts
from orders.admin.effects import column_label, in_words, step_title
from orders.choices import Axis, ChangeSource
from orders.models import Note, Order, OrderEvent, Payment, Refund, Shipment, Status, StockMovement
from orders.money import format_money

ICONS = {
    OrderEvent.Kind.PLACED: "shopping-bag",
    OrderEvent.Kind.IMPORTED: "download",
    OrderEvent.Kind.UPDATED: "download",
    OrderEvent.Kind.PAYMENT: "credit-card",
    OrderEvent.Kind.REFUND: "undo-2",
    OrderEvent.Kind.SHIPMENT: "truck",
    OrderEvent.Kind.RETURN: "rotate-ccw",
    OrderEvent.Kind.EDIT: "pencil",
    OrderEvent.Kind.NOTE: "sticky-note",
    OrderEvent.Kind.HOLD: "lock",
    OrderEvent.Kind.DETAILS: "pencil",
    OrderEvent.Kind.DELETED: "trash-2",
    OrderEvent.Kind.RESTORED: "rotate-ccw",
    OrderEvent.Kind.UNDO: "undo-2",
}
SOURCE_ICONS = {
    ChangeSource.CLERK: "circle-user",
    ChangeSource.API: "globe",
    ChangeSource.IMPORT: "download",
    ChangeSource.TASK: "clock",
}
# What other rows of the same entry say already.
UNSPOKEN = frozenset({"is_oversold", "deleted_at", "deleted_reason", "hold_reason", "is_held", "payment_status", "fulfilment_status"})


@dataclass
class Entry:
    """One event as the timeline shows it."""

    event: OrderEvent
    icon: str
    title: str = ""
    moves: list[tuple[str, str]] = field(default_factory=list)  # old and new status
    changes: list[tuple[str, str, str]] = field(default_factory=list)  # what, old, new
    effects: list[str] = field(default_factory=list)
    note: Note | None = None
    is_undone: bool = False
    is_exchange: bool = False
    bulk: str = ""  # public id of the bulk action that made it

    @property
    def at(self) -> Any:
        return self.event.at

    @property
    def source(self) -> str:
        return str(self.event.get_source_display())

    @property
    def source_icon(self) -> str:
        return SOURCE_ICONS.get(ChangeSource(self.event.source), "clock")


@dataclass
class History:
    """What the events of one order wrote, by event."""

    order: Order
    statuses: Mapping[tuple[str, str], Status]
    payments: Iterable[Payment]
    refunds: Iterable[Refund]
    shipments: Iterable[Shipment]
    notes: Iterable[Note]
    people: Mapping[int, str] = field(default_factory=dict)  # names by id, for changes of the assignee

    def entries(self, events: list[OrderEvent]) -> list[Entry]:
        """Entries of `events`, newest first as they come. One query, whatever the number of events."""
        by_event: dict[str, dict[int, list[Any]]] = {
            "payments": _by_event(self.payments),
            "refunds": _by_event(self.refunds),
            "shipments": _by_event(self.shipments),
            "notes": _by_event(self.notes),
        }
        moved: dict[int, list[tuple[int, int]]] = defaultdict(list)
        rows = StockMovement.objects.filter(event__in=[event.pk for event in events]).order_by()
        for event_id, on_hand, committed in rows.values_list("event_id", "delta_on_hand", "delta_committed"):
            moved[event_id].append((on_hand, committed))
        undone = {event.undoes_id for event in events if event.undoes_id}
        return [self._entry(event, by_event, moved.get(event.pk, []), is_undone=event.pk in undone) for event in events]

    def _entry(
        self, event: OrderEvent, by_event: dict[str, dict[int, list[Any]]], moved: list[tuple[int, int]], *, is_undone: bool
    ) -> Entry:
        entry = Entry(event, ICONS.get(OrderEvent.Kind(event.kind), "info"), str(event.get_kind_display()), is_undone=is_undone)
        for axis in Axis:
            self._add_move(entry, axis)
        entry.changes = list(self._changes(event))
        if event.kind == OrderEvent.Kind.HOLD:
            entry.title = _hold_title(event)
        entry.note = next(iter(by_event["notes"].get(event.pk, [])), None)
        entry.effects = [
            *_money_words(self.order, by_event["payments"].get(event.pk, []), by_event["refunds"].get(event.pk, [])),
            *_parcel_words(by_event["shipments"].get(event.pk, [])),
            *_stock_words(moved),
        ]
        if event.kind == OrderEvent.Kind.EDIT and event.pk in by_event["refunds"]:
            entry.title, entry.is_exchange = pgettext("history", "Exchange"), True
        for told in event.facts.get("returns", ()):
            _add_step(entry, told)
        entry.bulk = str(getattr(event, "bulk_job", None) or "")
        if event.reason:
            entry.effects.append(event.reason)
        if skipped := event.facts.get("skipped"):
            entry.effects.append(
                ngettext("%(count)d effect unticked", "%(count)d effects unticked", len(skipped)) % {"count": len(skipped)}
            )
        return entry

    def _add_move(self, entry: Entry, axis: Axis) -> None:
        pair = entry.event.changes.get(f"{axis}_status")
        if not isinstance(pair, dict):
            return
        old, new = (self.statuses.get((axis.value, pair.get(side) or "")) for side in ("from", "to"))
        if new is None or pair.get("from") is None:
            return
        entry.moves.append((str(old) if old else pair.get("from") or "", str(new)))
        if entry.event.kind == OrderEvent.Kind.STATUS:
            entry.icon, entry.title = new.glyph, ""

    def _changes(self, event: OrderEvent) -> Iterator[tuple[str, str, str]]:
        for name, pair in event.changes.items():
            if name in UNSPOKEN or name in EDITED or not isinstance(pair, dict):
                continue
            if name == "quantities":
                for row in pair.values():
                    yield str(row.get("name", "")), f"× {row.get('from')}", f"× {row.get('to')}"
            elif "to" in pair:
                yield capital(column_label(name)), self._value(name, pair.get("from")), self._value(name, pair.get("to"))
        yield from edited_parts(event, self.order.currency)
        if event.kind == OrderEvent.Kind.HOLD and {"from", "to"} <= set(event.changes.get("hold_reason", ())):
            reason = event.changes["hold_reason"]
            if reason["from"] and reason["to"]:
                yield _("Reason"), str(reason["from"]), str(reason["to"])
        for name in event.facts.get("add_tags", ()):
            yield _("Tag"), "", str(name)
        for name in event.facts.get("remove_tags", ()):
            yield _("Tag"), str(name), ""

    def _value(self, name: str, value: Any) -> str:
        if name == "assignee_id":
            return _("nobody") if value is None else self.people.get(int(value), _("somebody who left"))
        if name.endswith(".country"):
            return countries.name(str(value or "")) or str(value or "")
        column = {f.name: f for f in Order._meta.fields}.get(name)
        if isinstance(column, DecimalField) and value is not None:
            try:
                return format_money(Decimal(str(value)), self.order.currency)
            except InvalidOperation:
                return str(value)
        if column is not None and column.get_internal_type() in ("DateField", "DateTimeField") and isinstance(value, str):
            return in_words(column.to_python(value))
        return in_words(value)


def capital(text: str) -> str:
    """The text with a capital first letter; the others stay, names of countries and VAT among them."""
    return text[:1].upper() + text[1:]


def _by_event(rows: Iterable[Any]) -> dict[int, list[Any]]:
    grouped: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        grouped[row.event_id].append(row)
    return grouped


def _add_step(entry: Entry, told: Mapping[str, Any]) -> None:
    """A step of a return; of a refund or an exchange it is one effect among others."""
    title = step_title(told.get("values", {}).get("state", [""])[-1])
    if entry.event.kind == OrderEvent.Kind.RETURN:
        entry.title = title
        entry.effects = [f"{count} × {name}" for name, count in told.get("pieces", ()) if count] + entry.effects
    else:
        entry.effects.append(title)


def _hold_title(event: OrderEvent) -> str:
    pair, reason = event.changes.get("is_held", {}), event.changes.get("hold_reason", {})
    if pair.get("to"):
        return _("Put on hold: %(reason)s") % {"reason": reason.get("to", "")}
    return _("Taken off hold") if pair else _("Reason for the hold changed")


def _money_words(order: Order, payments: list[Payment], refunds: list[Refund]) -> Iterator[str]:
    for payment in payments:
        if payment.amount < 0:
            yield _("%(amount)s taken back") % {"amount": format_money(-payment.amount, order.currency)}
            continue
        words = {"amount": format_money(payment.amount, order.currency), "method": payment.method}
        yield (_("%(amount)s received, %(method)s") if payment.method else _("%(amount)s received")) % words
    for refund in refunds:
        if refund.amount < 0:
            yield _("refund of %(amount)s taken back") % {"amount": format_money(-refund.amount, order.currency)}
            continue
        if not refund.amount:
            yield _("%(amount)s taken off for an exchange") % {"amount": format_money(refund.credited, order.currency)}
            continue
        words = {"amount": format_money(refund.amount, order.currency), "method": refund.method}
        yield (_("%(amount)s given back, %(method)s") if refund.method else _("%(amount)s given back")) % words


def _parcel_words(shipments: list[Shipment]) -> Iterator[str]:
    for shipment in shipments:
        pieces = sum(row.quantity for row in shipment.lines.all())
        words = ngettext("parcel of %(count)d piece", "parcel of %(count)d pieces", pieces) % {"count": pieces}
        yield " ".join(part for part in (words, shipment.carrier, shipment.tracking_number) if part)


def _stock_words(moved: list[tuple[int, int]]) -> Iterator[str]:
    on_hand, committed = sum(m[0] for m in moved), sum(m[1] for m in moved)
    if on_hand < 0:
        yield ngettext("%(count)d piece left the stock", "%(count)d pieces left the stock", -on_hand) % {"count": -on_hand}
    elif on_hand > 0:
        yield ngettext("%(count)d piece back in stock", "%(count)d pieces back in stock", on_hand) % {"count": on_hand}
    elif committed > 0:
        yield ngettext("%(count)d piece reserved", "%(count)d pieces reserved", committed) % {"count": committed}
    elif committed < 0:
        yield ngettext("%(count)d piece free again", "%(count)d pieces free again", -committed) % {"count": -committed}
