"""Parts of an order that new orders and updates make alike: events, parcels, notes, external documents, links to the catalogue."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePath

from orders.choices import ChangeSource
from orders.importers.ecwid.document import EcwidDocument
from orders.importers.ecwid.known import Known
from orders.models import ExternalDocument, Note, Order, OrderEvent, OrderLine, Shipment
from orders.services.wishes import Actor

NOTE_AUTHOR = "Ecwid"


def event_of(order: Order, kind: OrderEvent.Kind, actor: Actor, now: datetime, *, source: str, warnings: Sequence[str] = ()) -> OrderEvent:
    """The event of an imported document; it names the file, never a path."""
    facts: dict[str, object] = {"document": PurePath(source).name}
    if warnings:
        facts["warnings"] = list(warnings)
    return OrderEvent(order=order, kind=kind, at=now, actor=actor.user, actor_name=actor.name, source=ChangeSource.IMPORT, facts=facts)


def link_variant(line: OrderLine, known: Known, *, move_stock: bool) -> None:
    """Name the variant with exactly this SKU; stock follows the line only where the import was asked to move stock."""
    line.variant = known.variants.get(line.sku) if line.sku else None
    line.stock_followed = move_stock and line.variant is not None


def parcels_of(document: EcwidDocument, order: Order, now: datetime) -> list[Shipment]:
    return [
        Shipment(
            order=order,
            carrier=parcel.carrier or order.shipping_carrier,
            tracking_number=parcel.number,
            tracking_url=parcel.url,
            shipped_at=parcel.at or document.updated_at or now,
        )
        for parcel in document.parcels
    ]


def notes_of(document: EcwidDocument, order: Order, event: OrderEvent | None) -> list[Note]:
    if not document.staff_note:
        return []
    return [Note(order=order, event=event, author_name=NOTE_AUTHOR, text=document.staff_note, at=event.at if event else order.placed_at)]


def external_documents_of(document: EcwidDocument, order: Order) -> list[ExternalDocument]:
    return [ExternalDocument(order=order, number=row.number, link=row.link, kind=row.kind, issued_at=row.at) for row in document.invoices]
