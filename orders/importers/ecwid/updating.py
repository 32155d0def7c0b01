"""A later document of an order that is here already: which columns, lines and parts change, and the rows that say so."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _

from orders.importers.ecwid.document import EcwidDocument
from orders.importers.ecwid.known import Known
from orders.importers.ecwid.money import MoneyRows, plan_money, save_money
from orders.importers.ecwid.parts import event_of, external_documents_of, link_variant, notes_of, parcels_of
from orders.importers.ecwid.reading import Found
from orders.importers.ecwid.rows import addresses_of, check_totals, discounts_of, line_values, order_values, surcharges_of
from orders.importers.ecwid.settling import StockWork
from orders.models import (
    Draft,
    ExternalDocument,
    Note,
    Order,
    OrderAddress,
    OrderDiscount,
    OrderEvent,
    OrderLine,
    OrderSurcharge,
    Payment,
    Refund,
    Shipment,
    ShipmentLine,
    Status,
)
from orders.search import build_search
from orders.services.wishes import Actor

# Kept out of an event's old and new values: the raw documents show them.
_BULKY = {"additional", "provenance", "coupon", "extra_fields", "shipping_taxes", "search", "source_updated_at"}


class CannotUpdate(Exception):
    """What was done here already (pieces shipped, returned, decided) does not fit into the document."""


@dataclass
class Parts:
    """Parts of the orders to be updated, by order."""

    lines: dict[int, list[OrderLine]] = field(default_factory=lambda: defaultdict(list))
    addresses: dict[int, list[OrderAddress]] = field(default_factory=lambda: defaultdict(list))
    shipments: dict[int, list[Shipment]] = field(default_factory=lambda: defaultdict(list))
    notes: dict[int, list[Note]] = field(default_factory=lambda: defaultdict(list))
    invoices: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    refunds: dict[int, dict[str, Decimal]] = field(default_factory=lambda: defaultdict(dict))
    paid_by_staff: set[int] = field(default_factory=set)


@dataclass
class OrderUpdate:
    found: Found
    document: EcwidDocument
    order: Order
    changed: dict[str, tuple[Any, Any]]
    kept: list[OrderLine]
    added: list[OrderLine]
    removed: list[OrderLine]
    quantities: dict[int, int]
    addresses: list[OrderAddress]
    money: MoneyRows
    parcels: list[Shipment]
    notes: bool
    invoices: list[ExternalDocument]
    draft: Draft | None = None
    event: OrderEvent | None = None

    @property
    def touches_stock(self) -> bool:
        return any(line.stock_followed for line in (*self.kept, *self.added, *self.removed))

    def stock_work(self) -> StockWork:
        assert self.event is not None
        return StockWork(self.order, self.event, quantities=self.quantities, removed=self.removed)


def load_parts(orders: Sequence[Order]) -> Parts:
    """Read the parts of all orders to be updated, one query per kind of part."""
    parts = Parts()
    ids = {order.pk for order in orders}
    if not ids:
        return parts
    for line in OrderLine.objects.filter(order__in=ids).order_by("order_id", "position", "id"):
        parts.lines[line.order_id].append(line)
    for address in OrderAddress.objects.filter(order__in=ids):
        parts.addresses[address.order_id].append(address)
    for shipment in Shipment.objects.filter(order__in=ids, voided_by=None):
        parts.shipments[shipment.order_id].append(shipment)
    for note in Note.objects.filter(order__in=ids):
        parts.notes[note.order_id].append(note)
    for order_id, number in ExternalDocument.objects.filter(order__in=ids).values_list("order_id", "number"):
        parts.invoices[order_id].add(number)
    for order_id, key, amount in Refund.objects.filter(order__in=ids).values_list("order_id", "client_key", "amount"):
        if key:
            parts.refunds[order_id][key] = amount
    imported = (OrderEvent.Kind.IMPORTED, OrderEvent.Kind.UPDATED)
    parts.paid_by_staff = set(Payment.objects.filter(order__in=ids).exclude(event__kind__in=imported).values_list("order_id", flat=True))
    return parts


def plan_update(
    found: Found,
    document: EcwidDocument,
    order: Order,
    statuses: tuple[Status, Status],
    *,
    parts: Parts,
    known: Known,
    move_stock: bool,
    now: datetime,
) -> OrderUpdate:
    """Set the new values on the rows in memory and tell what is to be saved. Raises CannotUpdate, and then nothing is set."""
    kept, added, removed = _match_lines(document, parts.lines[order.pk])
    _check_pieces(kept)
    changed: dict[str, tuple[Any, Any]] = {}
    wanted = order_values(document) | {"number": document.shown_number if document.number else order.number}
    if document.external_id and document.external_id not in known.by_external_id and not order.external_id:
        wanted["external_id"] = document.external_id
        known.by_external_id[document.external_id] = order
    if not document.payment_code:
        statuses = (order.payment_status, statuses[1])
    if not document.fulfilment_code:
        statuses = (statuses[0], order.fulfilment_status)
    for name, value in (*wanted.items(), ("payment_status", statuses[0]), ("fulfilment_status", statuses[1])):
        before = getattr(order, name)
        if before != value:
            changed[name] = (before, value)
            setattr(order, name, value)
    warning = check_totals(order, document)
    if warning != order.totals_warning:
        changed["totals_warning"], order.totals_warning = (order.totals_warning, warning), warning
    quantities = _set_lines(order, kept, added, known, move_stock=move_stock)
    money = plan_money(
        document, order, order.payment_status, refunds=parts.refunds[order.pk], is_inferred=order.pk not in parts.paid_by_staff, now=now
    )
    numbers = {shipment.tracking_number for shipment in parts.shipments[order.pk]}
    addresses = [row for row in parts.addresses[order.pk] if row.kind not in document.addresses] + addresses_of(document, order)
    update = OrderUpdate(
        found=found,
        document=document,
        order=order,
        changed=changed,
        kept=[line for line, _values in kept],
        added=added,
        removed=removed,
        quantities=quantities,
        addresses=addresses,
        money=money,
        parcels=[parcel for parcel in parcels_of(document, order, now) if parcel.tracking_number not in numbers],
        notes=bool(document.staff_note) and document.staff_note not in {note.text for note in parts.notes[order.pk]},
        invoices=[row for row in external_documents_of(document, order) if row.number not in parts.invoices[order.pk]],
    )
    notes = [*parts.notes[order.pk], *(notes_of(document, order, None) if update.notes else [])]
    shipments = [*parts.shipments[order.pk], *update.parcels]
    printed = [row.number for row in update.invoices]
    order.search = build_search(order, [*update.kept, *added], addresses, shipments, notes, numbers=printed)
    return update


def _match_lines(
    document: EcwidDocument, old: Sequence[OrderLine]
) -> tuple[list[tuple[OrderLine, dict[str, Any]]], list[OrderLine], list[OrderLine]]:
    """Lines that go on with their new values, new lines, lines that are gone. An item is the same by its id, else by SKU and name."""
    left = list(old)
    kept: list[tuple[OrderLine, dict[str, Any]]] = []
    added = []
    for position, row in enumerate(document.lines):
        values = {**row.values, "position": position}
        same = next((line for line in left if _is_same(line, values)), None)
        if same is None:
            added.append(OrderLine(**values))
        else:
            left.remove(same)
            kept.append((same, values))
    return kept, added, [line for line in left if not line.is_removed]


def _is_same(line: OrderLine, values: dict[str, Any]) -> bool:
    if line.stock_followed and line.sku != values["sku"]:
        return False  # its pieces are of another variant
    if line.external_id and values["external_id"]:
        return bool(line.external_id == values["external_id"])
    return (line.sku, line.name) == (values["sku"], values["name"])


def _check_pieces(kept: Sequence[tuple[OrderLine, dict[str, Any]]]) -> None:
    for line, values in kept:
        fixed = max(line.pieces_shipped, line.pieces_shelf + line.pieces_lost)
        if values["quantity"] < fixed:
            raise CannotUpdate(
                _("$.items[%(index)d].quantity: %(count)d pieces were shipped or taken back here already, got %(value)d")
                % {"index": values["position"], "count": fixed, "value": values["quantity"]}
            )


def _set_lines(
    order: Order, kept: Sequence[tuple[OrderLine, dict[str, Any]]], added: Sequence[OrderLine], known: Known, *, move_stock: bool
) -> dict[int, int]:
    """Set the new values; quantities that stock follows are given back, to be set together with the pieces they hold."""
    quantities = {}
    for line, values in kept:
        wanted = line_values(values, order) | {"is_removed": False}
        if line.stock_followed and wanted["quantity"] != line.quantity:
            quantities[line.pk] = wanted.pop("quantity")
        for name, value in wanted.items():
            setattr(line, name, value)
    for line in added:
        line.order = order
        values = {name: getattr(line, name) for name in ("other_taxes", "vat_rate")}
        for name, value in line_values({**values}, order).items():
            setattr(line, name, value)
        line.price_includes_tax = _line_includes_tax(line, order)
        link_variant(line, known, move_stock=move_stock)
    return quantities


def _line_includes_tax(line: OrderLine, order: Order) -> bool:
    flags = [row.get("includeInPrice") for row in line.other_taxes if isinstance(row, dict)]
    return all(flag is True for flag in flags) if flags and None not in flags else order.prices_include_tax


def save_updates(updates: Sequence[OrderUpdate], actor: Actor, now: datetime) -> None:
    """Write planned updates, one statement per kind of row."""
    if not updates:
        return
    columns: set[str] = {"search", "version", "updated_at", "paid_total", "refunded_total", "credited_total", "totals_warning"}
    for update in updates:
        order = update.order
        order.version += 1
        order.updated_at = now
        columns |= update.changed.keys()
        update.event = event_of(order, OrderEvent.Kind.UPDATED, actor, now, source=update.found.source, warnings=order.totals_warning)
        update.event.changes = {
            name: {"from": _plain(old), "to": _plain(new)} for name, (old, new) in update.changed.items() if name not in _BULKY
        }
        names = {"added": update.added, "removed": update.removed}
        update.event.facts |= {name: [str(line) for line in lines] for name, lines in names.items() if lines}
    ids = [update.order.pk for update in updates]
    Order.objects.bulk_update([update.order for update in updates], sorted(columns))
    OrderEvent.objects.bulk_create([update.event for update in updates if update.event])
    _save_lines(updates)
    for model in (OrderDiscount, OrderSurcharge):
        model._default_manager.filter(order__in=ids).delete()
    OrderDiscount.objects.bulk_create([row for update in updates for row in discounts_of(update.document, update.order)])
    OrderSurcharge.objects.bulk_create([row for update in updates for row in surcharges_of(update.document, update.order)])
    stated = [(update.order.pk, kind) for update in updates for kind in update.document.addresses]
    for kind in ("billing", "shipping"):
        OrderAddress.objects.filter(order__in=[pk for pk, of in stated if of == kind], kind=kind).delete()
    OrderAddress.objects.bulk_create([row for update in updates for row in update.addresses if row.pk is None])
    save_money([(update.order, update.event, update.money) for update in updates if update.event])
    Note.objects.bulk_create([note for update in updates if update.notes for note in notes_of(update.document, update.order, update.event)])
    ExternalDocument.objects.bulk_create([row for update in updates for row in update.invoices])
    _save_parcels(updates)


def _save_lines(updates: Sequence[OrderUpdate]) -> None:
    kept = [line for update in updates for line in update.kept]
    if kept:
        OrderLine.objects.bulk_update(kept, _line_columns())
    gone = [line.pk for update in updates for line in update.removed]
    if gone:
        OrderLine.objects.filter(pk__in=gone).update(is_removed=True)
    OrderLine.objects.bulk_create([line for update in updates for line in update.added])


def _line_columns() -> list[str]:
    caches = {
        "committed",
        "consumed",
        "pieces_shelf",
        "pieces_lost",
        "pieces_back",
        "pieces_shipped",
        "stock_followed",
        "variant",
        "order",
        "id",
    }
    return [column.name for column in OrderLine._meta.concrete_fields if column.name not in caches]


def _save_parcels(updates: Sequence[OrderUpdate]) -> None:
    rows: list[tuple[Shipment, OrderLine]] = []
    for update in updates:
        for parcel in update.parcels:
            parcel.order, parcel.event = update.order, update.event  # type: ignore[assignment]  # events were made before
        lines = [*update.kept, *update.added]
        whole = len(update.parcels) == 1 and update.order.fulfilment_status.goods_left and not any(line.pieces_shipped for line in lines)
        if whole and not any(line.pieces_shelf or line.pieces_lost for line in lines):
            rows += [(update.parcels[0], line) for line in lines if not line.is_digital]
    Shipment.objects.bulk_create([parcel for update in updates for parcel in update.parcels])
    wanted = {line.pk: update.quantities.get(line.pk, line.quantity) for update in updates for line in (*update.kept, *update.added)}
    # Pieces that are still to be added by the settling are not in the parcel yet; the line's own quantity bounds it.
    for _parcel, line in rows:
        line.pieces_shipped = min(line.quantity, wanted[line.pk])
    ShipmentLine.objects.bulk_create([ShipmentLine(shipment=parcel, line=line, quantity=line.pieces_shipped) for parcel, line in rows])
    OrderLine.objects.bulk_update([line for _parcel, line in rows], ["pieces_shipped"])


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return getattr(value, "code", None) or str(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return value
