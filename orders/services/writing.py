"""Writes a plan: set-based, inside the caller's transaction, rows only."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import F, Model, Value
from django.db.models.functions import Concat
from django.utils import timezone
from django.utils.translation import gettext as _

from orders.errors import DraftPlaced
from orders.models import (
    Draft,
    LineDecision,
    Note,
    NoteFile,
    NoteMention,
    Order,
    OrderAddress,
    OrderDiscount,
    OrderEvent,
    OrderLine,
    OrderSurcharge,
    Payment,
    Refund,
    RefundLine,
    Shipment,
    ShipmentLine,
    Tag,
)
from orders.search import (
    ADDRESS,
    CITY,
    COMMENT,
    CUSTOMER,
    EMAIL,
    HOLD,
    NOTE,
    POSTCODE,
    PURCHASE,
    TAX_ID,
    TRACKING,
    TRANSACTION,
    build_search,
    fact,
    phone_fact,
)
from orders.services.change import Consequence, PlannedChange
from orders.services.line_writing import insert_added_lines, parts_as_json, words_of_lines, write_edited_parts
from orders.services.return_rows import save_returns
from orders.services.stock import write_movements
from orders.services.wishes import Plan

LINE_CACHES = ["quantity", "committed", "consumed", "pieces_shelf", "pieces_lost", "pieces_back", "pieces_shipped"]
# What a change of the contact adds to the text that finds the order, by the kind of fact; what it was stays findable.
SEARCHED = {
    "customer_name": CUSTOMER,
    "email": EMAIL,
    "tax_id": TAX_ID,
    "customer_comment": COMMENT,
    "po_number": PURCHASE,
    "hold_reason": HOLD,
}
SEARCHED_ADDRESS = {
    "name": ADDRESS,
    "company": ADDRESS,
    "street": ADDRESS,
    "street2": ADDRESS,
    "city": CITY,
    "postcode": POSTCODE,
}
ADDRESS_COLUMNS = ("name", "company", "street", "street2", "city", "state", "state_name", "postcode", "country", "phone")


def save_changes(plan: Plan) -> None:
    """Write every change of `plan` with its consequences. Orders and variants are locked by the caller."""
    changes = plan.changes
    if not changes:
        return
    for change in changes:
        if change.is_new:
            _insert_order(change)
    insert_added_lines(changes)
    _write_events(plan)
    _write_parts(changes)
    write_movements(changes, plan.wish.actor)
    _write_lines(changes)
    write_edited_parts(changes)
    _write_addresses(changes)
    _write_orders(changes)
    by_class: dict[type[Consequence], list[tuple[PlannedChange, Consequence]]] = defaultdict(list)
    for change in changes:
        for consequence in change.consequences:
            by_class[type(consequence)].append((change, consequence))
    for kind, items in by_class.items():
        kind.save_all(items)


def _insert_order(change: PlannedChange) -> None:
    order = change.order
    customer = order.customer
    if customer is not None and customer.pk is None:
        customer.save()
        order.customer = customer
    order.payment_status, order.fulfilment_status = change.payment, change.fulfilment
    tags = change.facts.get("tags", [])
    order.search = build_search(order, change.lines, change.addresses, (s for s, _rows in change.new_shipments), change.notes)
    order.save(force_insert=True)
    part: Any
    for part in (*change.lines, *change.addresses, *change.discounts, *change.surcharges):
        part.order = order
    OrderLine.objects.bulk_create(change.lines)
    OrderAddress.objects.bulk_create(change.addresses)
    OrderDiscount.objects.bulk_create(change.discounts)
    OrderSurcharge.objects.bulk_create(change.surcharges)
    if (draft_id := change.facts.get("draft_id")) and not Draft.objects.filter(pk=draft_id, order=None).update(order=order):
        raise DraftPlaced(_("This draft was placed already."))
    if tags:
        Tag.objects.bulk_create([Tag(name=name) for name in tags], ignore_conflicts=True)
        order.tags.set(Tag.objects.filter(name__in=tags))


def _write_events(plan: Plan) -> None:
    actor = plan.wish.actor
    for change in plan.changes:
        skipped = [c.key for c in change.consequences if not c.is_on]
        facts = {key: _plain(value) for key, value in change.facts.items()}
        if change.returns:
            facts["returns"] = [step.as_json() for step in change.returns]
        if skipped:
            facts["skipped"] = skipped
        change.event = OrderEvent(
            order=change.order,
            kind=change.kind,
            at=plan.world.now if not change.is_new or actor.is_staff else max(change.order.placed_at, plan.world.now),
            actor=actor.user,
            actor_name=actor.name,
            source=actor.source,
            changes=changes_as_json(change),
            facts=facts,
            reason=change.reason[:400],
            undoes=change.undoes,
        )
    batch = plan.wish.batch or (plan.changes[0].event.batch if plan.changes[0].event else None)
    for change in plan.changes:
        if change.event and batch:
            change.event.batch = batch
    OrderEvent.objects.bulk_create([change.event for change in plan.changes if change.event], batch_size=500)


def changes_as_json(change: PlannedChange) -> dict[str, Any]:
    """Old and new values, statuses by code, lines by id."""
    found: dict[str, Any] = {name: {"from": _plain(old), "to": _plain(new)} for name, (old, new) in change.fields.items()}
    found |= {name: {"from": old, "to": new} for name, (old, new) in change.address_fields.items()}
    if change.payment_before is None:
        found["payment_status"] = {"from": None, "to": change.payment.code}
    elif change.payment_changes:
        found["payment_status"] = {"from": change.payment_before.code, "to": change.payment.code}
    if change.fulfilment_before is None:
        found["fulfilment_status"] = {"from": None, "to": change.fulfilment.code}
    elif change.fulfilment_changes:
        found["fulfilment_status"] = {"from": change.fulfilment_before.code, "to": change.fulfilment.code}
    if change.quantities:
        before = {line.pk: line for line in change.lines}
        found["quantities"] = {
            str(pk): {"from": before[pk].quantity, "to": quantity, "name": before[pk].name} for pk, quantity in change.quantities.items()
        }
    return found | parts_as_json(change)


def _write_parts(changes: Sequence[PlannedChange]) -> None:
    decisions, payments, notes, refund_lines, shipment_lines = [], [], [], [], []
    refunds: list[tuple[Refund, list[RefundLine]]] = []
    shipments: list[tuple[Shipment, list[ShipmentLine]]] = []
    voided: list[tuple[Shipment, OrderEvent]] = []
    for change in changes:
        event, order = change.event, change.order
        assert event is not None
        for d in change.decisions:
            decisions.append(
                LineDecision(line=d.line, event=event, source=d.source, shelf=d.shelf, lost=d.lost, back=d.back, reverses_id=d.reverses_id)
            )
        row: Any
        for row in (*change.payments, *change.notes, *(r for r, _l in change.refunds), *(s for s, _l in change.new_shipments)):
            row.order, row.event = order, event
        payments += change.payments
        notes += change.notes
        refunds += change.refunds
        shipments += change.new_shipments
        voided += [(shipment, event) for shipment in change.voided_shipments]
    LineDecision.objects.bulk_create(decisions, batch_size=500)
    Payment.objects.bulk_create(payments, batch_size=500)
    Note.objects.bulk_create(notes)
    NoteMention.objects.bulk_create([mention for change in changes for mention in change.mentions])
    NoteFile.objects.bulk_create([file for change in changes for file in change.files])
    Refund.objects.bulk_create([refund for refund, _rows in refunds])
    for refund, rows in refunds:
        for refund_row in rows:
            refund_row.refund = refund
            refund_lines.append(refund_row)
    RefundLine.objects.bulk_create(refund_lines)
    save_returns(changes)
    Shipment.objects.bulk_create([shipment for shipment, _rows in shipments], batch_size=500)
    for shipment, shipped_rows in shipments:
        for shipped_row in shipped_rows:
            shipped_row.shipment = shipment
            shipment_lines.append(shipped_row)
    ShipmentLine.objects.bulk_create(shipment_lines, batch_size=500)
    for shipment, event in voided:
        shipment.voided_by = event
    Shipment.objects.bulk_update([shipment for shipment, _event in voided], ["voided_by"])


def _write_lines(changes: Sequence[PlannedChange]) -> None:
    touched: dict[int, OrderLine] = {}
    for change in changes:
        for movement in change.movements:
            touched[movement.line.pk] = movement.line
        for decision in change.decisions:
            line = decision.line
            line.pieces_shelf += decision.shelf
            line.pieces_lost += decision.lost
            line.pieces_back += decision.back
            touched[line.pk] = line
        by_pk = {line.pk: line for line in change.lines}
        for _shipment, rows in change.new_shipments:
            for row in rows:
                by_pk[row.line_id].pieces_shipped += row.quantity
                touched[row.line_id] = by_pk[row.line_id]
        for shipment in change.voided_shipments:
            for row in shipment.lines.all():
                by_pk[row.line_id].pieces_shipped -= row.quantity
                touched[row.line_id] = by_pk[row.line_id]
        for pk, quantity in change.quantities.items():
            by_pk[pk].quantity = quantity
            touched[pk] = by_pk[pk]
    update_rows(OrderLine, LINE_CACHES, touched.values())


def _write_addresses(changes: Sequence[PlannedChange]) -> None:
    """An address that was not there is made, one without anything left goes."""
    for change in changes:
        for kind in dict.fromkeys(name.partition(".")[0] for name in change.address_fields):
            address = change.address(kind)
            if address is None:
                address = OrderAddress(order=change.order, kind=kind)
                change.addresses.append(address)
            for name, (_old, new) in change.address_fields.items():
                if name.startswith(f"{kind}."):
                    setattr(address, name.partition(".")[2], new)
            if any(str(getattr(address, column)) for column in ADDRESS_COLUMNS):
                address.save()
            else:
                change.addresses.remove(address)
                address.delete()


def update_rows(model: type[Model], columns: Sequence[str], rows: Iterable[Model]) -> None:
    """Write integer `columns` of `rows` in one statement per 500 rows: an UPDATE joined to VALUES, which PostgreSQL and SQLite
    plan alike; bulk_update's CASE expressions cost twenty times the CPU."""
    rows = list(rows)
    table, sets = model._meta.db_table, ", ".join(f"{column} = v.{column}" for column in columns)
    for start in range(0, len(rows), 500):
        values = [(row.pk, *(getattr(row, column) for column in columns)) for row in rows[start : start + 500]]
        # Integers only, formatted as integers: nothing to escape, no limit on the number of parameters.
        listed = ", ".join("(" + ", ".join(str(int(value)) for value in row) + ")" for row in values)
        with connection.cursor() as cursor:
            cursor.execute(
                f"WITH v(id, {', '.join(columns)}) AS (VALUES {listed}) UPDATE {table} SET {sets} FROM v WHERE {table}.id = v.id"  # noqa: S608
            )


def _write_orders(changes: Sequence[PlannedChange]) -> None:
    now = timezone.now()
    alike: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    told: dict[str, list[int]] = defaultdict(list)
    for change in changes:
        order = change.order
        values = _new_values(change)
        alike[tuple(sorted(values.items(), key=lambda item: item[0]))].append(order.pk)
        words = _new_words(change)
        if words and change.event and change.event.kind != OrderEvent.Kind.PLACED:
            told[words].append(order.pk)
        for name, value in values.items():
            setattr(order, name, value)
        order.version += 1
        order.payment_status, order.fulfilment_status = change.payment, change.fulfilment
    for words, ids in told.items():
        Order.objects.filter(pk__in=ids).update(search=Concat(F("search"), Value(words)))
    _write_tags(changes)
    for values_key, ids in alike.items():
        Order.objects.filter(pk__in=ids).update(**dict(values_key), version=F("version") + 1, updated_at=now)


def _new_values(change: PlannedChange) -> dict[str, Any]:
    values = {name: new for name, (_old, new) in change.fields.items()}
    values["payment_status_id"], values["fulfilment_status_id"] = change.payment.pk, change.fulfilment.pk
    if change.payments:
        values["paid_total"] = change.paid_after
    if change.refunds:
        values["refunded_total"] = change.refunded_after
        values["credited_total"] = change.credited_after
    return values


def _new_words(change: PlannedChange) -> str:
    """Lines for the text that finds the order."""
    facts = [fact(TRACKING, s.tracking_number) for s, _rows in change.new_shipments]
    facts += [fact(TRANSACTION, payment.reference) for payment in change.payments]
    facts += [fact(kind, str(change.fields[name][1])) for name, kind in SEARCHED.items() if name in change.fields]
    phones: list[tuple[str, str]] = [(change.after("phone"), "shipping")] if "phone" in change.fields else []
    for name, (_old, new) in change.address_fields.items():
        kind, _dot, column = name.partition(".")
        if column == "phone":
            phones.append((new, kind))
        elif column in SEARCHED_ADDRESS:
            facts.append(fact(SEARCHED_ADDRESS[column], new))
    for phone, kind in phones:
        address = change.address(kind)
        facts.append(phone_fact(phone, str(address.country) if address else ""))
    facts += [fact(NOTE, note.text) for note in change.notes]
    return "".join([*facts, *words_of_lines(change)])


def _write_tags(changes: Sequence[PlannedChange]) -> None:
    """Tags of all changes in a handful of statements."""
    added = [(change.order.pk, name) for change in changes for name in change.facts.get("add_tags", ())]
    gone: dict[str, list[int]] = defaultdict(list)
    for change in changes:
        for name in change.facts.get("remove_tags", ()):
            gone[name].append(change.order.pk)
    links = Order.tags.through
    if added:
        names = sorted({name for _pk, name in added})
        Tag.objects.bulk_create([Tag(name=name) for name in names], ignore_conflicts=True)
        tags = dict(Tag.objects.filter(name__in=names).values_list("name", "pk"))
        links.objects.bulk_create([links(order_id=pk, tag_id=tags[name]) for pk, name in added], batch_size=400, ignore_conflicts=True)
    for name, ids in gone.items():
        links.objects.filter(order__in=ids, tag__name=name).delete()


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, str, list, dict)):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
