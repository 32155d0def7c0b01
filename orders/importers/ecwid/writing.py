"""Writes a batch of documents in one transaction, set-based: new orders, updates, carts, raw documents, stock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from orders.choices import Axis
from orders.importers.ecwid.document import EcwidDocument
from orders.importers.ecwid.known import SOURCE, Known, load_known
from orders.importers.ecwid.money import MoneyRows, plan_money, save_money
from orders.importers.ecwid.parts import event_of, external_documents_of, link_variant, notes_of, parcels_of
from orders.importers.ecwid.reading import Found
from orders.importers.ecwid.report import Became, Result
from orders.importers.ecwid.rows import (
    addresses_of,
    check_totals,
    discounts_of,
    draft_of,
    line_rows,
    new_order_values,
    surcharges_of,
)
from orders.importers.ecwid.settling import StockWork, settle_imported
from orders.importers.ecwid.statuses import StatusTable, UnknownStatus
from orders.importers.ecwid.updating import CannotUpdate, OrderUpdate, Parts, load_parts, plan_update, save_updates
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
    RawDocument,
    Shipment,
    ShipmentLine,
    Shop,
    Status,
)
from orders.search import build_search
from orders.services.wishes import Actor


@dataclass(frozen=True)
class Pending:
    """A document that waits for its batch."""

    found: Found
    document: EcwidDocument


@dataclass
class Decision:
    """What a document becomes; `order` and `draft` have their keys once the batch is saved."""

    row: Pending
    became: Became
    order: Order | None = None
    draft: Draft | None = None
    problems: Sequence[str] = ()
    warnings: Sequence[str] = ()

    def as_result(self) -> Result:
        found, document = self.row.found, self.row.document
        return Result(
            source=found.source,
            position=found.position,
            became=self.became,
            number=document.shown_number,
            kind="cart" if document.is_cart else "order",
            order_id=self.order.pk if self.order else None,
            draft_id=self.draft.pk if self.draft else None,
            problems=tuple(self.problems),
            warnings=(*(document.warnings if self.became in (Became.CREATED, Became.UPDATED) else ()), *self.warnings),
        )


@dataclass
class NewOrder:
    """A row per part of an order that is seen for the first time."""

    pending: Pending
    order: Order
    lines: list[OrderLine]
    addresses: list[OrderAddress]
    money: MoneyRows
    parcels: list[Shipment]
    draft: Draft | None
    event: OrderEvent | None = None


@dataclass
class Batch:
    """What a batch writes; `decisions` in the order of the documents."""

    known: Known
    now: datetime
    new: list[NewOrder] = field(default_factory=list)
    updates: list[OrderUpdate] = field(default_factory=list)
    carts: list[tuple[Pending, Draft]] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)


class Writer:
    """Writes batches of one import."""

    def __init__(self, *, actor: Actor, move_stock: bool) -> None:
        self.actor, self.move_stock = actor, move_stock
        self.shop = Shop.current()
        self.statuses = StatusTable()

    def write(self, pending: Sequence[Pending]) -> list[Result]:
        """Write documents of different orders in one transaction. Raises DatabaseError, and then nothing of them is kept."""
        with transaction.atomic():
            batch = Batch(load_known([row.document for row in pending]), timezone.now())
            parts = load_parts(self._updated(pending, batch.known))
            for row in pending:
                try:
                    batch.decisions.append(self._decide(row, batch, parts))
                except (UnknownStatus, CannotUpdate) as error:
                    batch.decisions.append(Decision(row, Became.FAILED, problems=(str(error),)))
            batch.known.save_customers()
            self._save_new(batch)
            save_updates(batch.updates, self.actor, batch.now)
            self._save_carts(batch)
            self._save_raw(batch)
            settle_imported(self._stock_work(batch), self.actor)
        return [decision.as_result() for decision in batch.decisions]

    def _updated(self, pending: Iterable[Pending], known: Known) -> list[Order]:
        found = (known.order_of(row.document) for row in pending if not row.document.is_cart)
        return [order for order in found if order is not None]

    def _decide(self, row: Pending, batch: Batch, parts: Parts) -> Decision:
        document, known = row.document, batch.known
        if known.knows(document):
            return Decision(row, Became.UNCHANGED, order=known.order_of(document), draft=known.draft_of(document))
        order = known.order_of(document)
        if document.is_cart:
            return self._decide_cart(row, batch, order)
        payment = self.statuses.find(Axis.PAYMENT, document.payment_code)
        fulfilment = self.statuses.find(Axis.FULFILMENT, document.fulfilment_code)
        if order is None:
            new = self._plan_new(row, batch, payment, fulfilment)
            batch.new.append(new)
            return Decision(row, Became.CREATED, order=new.order, warnings=new.order.totals_warning)
        if _is_older(document.updated_at, order.source_updated_at):
            return Decision(row, Became.OLDER, order=order)
        update = plan_update(
            row.found, document, order, (payment, fulfilment), parts=parts, known=known, move_stock=self.move_stock, now=batch.now
        )
        update.draft = _open_draft(known, document)
        batch.updates.append(update)
        return Decision(row, Became.UPDATED, order=order, warnings=order.totals_warning)

    def _decide_cart(self, row: Pending, batch: Batch, order: Order | None) -> Decision:
        document = row.document
        draft = batch.known.draft_of(document)
        if order is not None or (draft is not None and draft.order_id):
            return Decision(
                row, Became.OLDER, order=order, draft=draft, warnings=[_("the cart became an order already; the order is kept")]
            )
        known_date = draft.body.get("additional", {}).get("updatedAtSource") if draft else None
        if known_date and _is_older(document.updated_at, datetime.fromisoformat(known_date)):
            return Decision(row, Became.OLDER, draft=draft)
        values = new_order_values(document, currency=self.shop.currency, now=batch.now)
        if document.updated_at is not None:
            values["additional"] = {**values["additional"], "updatedAtSource": document.updated_at.isoformat()}
        columns = {
            "kind": Draft.Kind.CART,
            "customer_name": values.get("customer_name", ""),
            "email": values.get("email", ""),
            "language": values.get("language", ""),
            "body": draft_of(document, values).as_json(),
            "total": values["total"],
            "currency": values["currency"],
            "recovered_order_id": document.recovered_order_id,
            "reminded_at": document.reminded_at,
        }
        became = Became.UPDATED if draft else Became.CREATED
        if draft is None:
            draft = Draft(source=SOURCE, external_id=document.identity, created_at=values["placed_at"])
        for name, value in columns.items():
            setattr(draft, name, value)
        batch.carts.append((row, draft))
        order_like = Order(**{name: value for name, value in values.items() if name not in ("placed_at", "additional")})
        warnings = check_totals(order_like, document) if "total" in document.values else []
        return Decision(row, became, draft=draft, warnings=warnings)

    def _plan_new(self, row: Pending, batch: Batch, payment: Status, fulfilment: Status) -> NewOrder:
        document, known = row.document, batch.known
        values = new_order_values(document, currency=self.shop.currency, now=batch.now)
        order = Order(source=SOURCE, number=document.shown_number, payment_status=payment, fulfilment_status=fulfilment, **values)
        if document.external_id and document.external_id not in known.by_external_id:
            order.external_id = document.external_id
            known.by_external_id[document.external_id] = order
        order.customer = known.customer_of(document, order)
        order.totals_warning = check_totals(order, document)
        order.is_test = self.shop.is_demo
        lines = line_rows(document, order)
        for line in lines:
            link_variant(line, known, move_stock=self.move_stock)
        money = plan_money(document, order, payment, refunds={}, is_inferred=True, now=batch.now)
        parcels = parcels_of(document, order, batch.now)
        if len(parcels) == 1 and fulfilment.goods_left:
            for line in lines:
                line.pieces_shipped = 0 if line.is_digital else line.quantity
        addresses = addresses_of(document, order)
        numbers = [row.number for row in document.invoices]
        order.search = build_search(order, lines, addresses, parcels, notes_of(document, order, None), numbers=numbers)
        return NewOrder(row, order, lines, addresses, money, parcels, _open_draft(known, document))

    def _save_new(self, batch: Batch) -> None:
        new = batch.new
        if not new:
            return
        for row in new:
            row.order.customer = row.order.customer  # the customer has its key now
        Order.objects.bulk_create([row.order for row in new])
        for row in new:
            row.event = event_of(
                row.order,
                OrderEvent.Kind.IMPORTED,
                self.actor,
                batch.now,
                source=row.pending.found.source,
                warnings=row.order.totals_warning,
            )
            row.event.changes = {
                "payment_status": {"from": None, "to": row.order.payment_status.code},
                "fulfilment_status": {"from": None, "to": row.order.fulfilment_status.code},
            }
            part: Any
            for part in (*row.lines, *row.addresses):
                part.order = row.order
        OrderEvent.objects.bulk_create([row.event for row in new if row.event])
        OrderLine.objects.bulk_create([line for row in new for line in row.lines])
        OrderAddress.objects.bulk_create([address for row in new for address in row.addresses])
        documents = [(row.pending.document, row.order) for row in new]
        OrderDiscount.objects.bulk_create([part for document, order in documents for part in discounts_of(document, order)])
        OrderSurcharge.objects.bulk_create([part for document, order in documents for part in surcharges_of(document, order)])
        save_money([(row.order, row.event, row.money) for row in new if row.event])
        for row in new:
            for parcel in row.parcels:
                parcel.order, parcel.event = row.order, row.event  # type: ignore[assignment]  # events were made above
        Shipment.objects.bulk_create([parcel for row in new for parcel in row.parcels])
        ShipmentLine.objects.bulk_create(
            [
                ShipmentLine(shipment=row.parcels[0], line=line, quantity=line.pieces_shipped)
                for row in new
                for line in row.lines
                if line.pieces_shipped
            ]
        )
        Note.objects.bulk_create([note for row in new for note in notes_of(row.pending.document, row.order, row.event)])
        ExternalDocument.objects.bulk_create([part for document, order in documents for part in external_documents_of(document, order)])
        self._link_drafts([(row.draft, row.order) for row in new if row.draft])

    def _link_drafts(self, pairs: list[tuple[Draft, Order]]) -> None:
        for draft, order in pairs:
            draft.order = order
        Draft.objects.bulk_update([draft for draft, _order in pairs], ["order"])

    def _save_carts(self, batch: Batch) -> None:
        Draft.objects.bulk_create([draft for _row, draft in batch.carts if draft.pk is None])
        old = [draft for _row, draft in batch.carts]
        columns = ["kind", "customer_name", "email", "language", "body", "total", "currency", "recovered_order_id", "reminded_at"]
        Draft.objects.bulk_update(old, columns)
        self._link_drafts([(update.draft, update.order) for update in batch.updates if update.draft])

    def _save_raw(self, batch: Batch) -> None:
        def raw(document: EcwidDocument, text: str, **owner: Any) -> RawDocument:
            return RawDocument(
                source=SOURCE,
                identity=document.identity,
                content_hash=document.content_hash,
                body=text,
                document_updated_at=document.updated_at,
                applied_at=batch.now,
                **owner,
            )

        rows = [raw(row.pending.document, row.pending.found.text, order=row.order) for row in batch.new]
        rows += [raw(update.document, update.found.text, order=update.order) for update in batch.updates]
        rows += [raw(row.document, row.found.text, draft=draft) for row, draft in batch.carts]
        RawDocument.objects.bulk_create(rows)

    def _stock_work(self, batch: Batch) -> list[StockWork]:
        work = [StockWork(row.order, row.event) for row in batch.new if row.event and any(line.stock_followed for line in row.lines)]
        work += [update.stock_work() for update in batch.updates if update.touches_stock]
        return work


def _is_older(ours: datetime | None, stored: datetime | None) -> bool:
    return ours is not None and stored is not None and ours < stored


def _open_draft(known: Known, document: EcwidDocument) -> Draft | None:
    draft = known.draft_of(document)
    return draft if draft is not None and not draft.order_id else None
