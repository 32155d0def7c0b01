"""The planned change of one order and what it sets off: plain values, rendered by pages, written by writing.py."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Self

from orders.models import (
    DraftReservation,
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
    ReturnCase,
    ReturnCaseLine,
    Shipment,
    ShipmentLine,
    Status,
    Variant,
)


@dataclass(frozen=True)
class TaxShare:
    """What of a sum falls on one rate, and the VAT in it."""

    rate: Decimal
    amount: Decimal
    vat: Decimal


@dataclass(frozen=True)
class Paper:
    """A document as it will be: its rows, then its sums, each a label and an amount."""

    title: str
    remark: str
    rows: tuple[tuple[str, str], ...]
    sums: tuple[tuple[str, str], ...]
    taxes: tuple[TaxShare, ...] = ()  # what the sums say of the VAT, as figures


@dataclass(frozen=True)
class PanelItem:
    """How a consequence is shown before the click. Texts are in the reader's language, bodies in the recipient's."""

    icon: str
    title: str
    lines: tuple[str, ...] = ()
    when: str = ""
    subject: str = ""
    html: str = ""
    text: str = ""
    paper: Paper | None = None


@dataclass(kw_only=True)
class Consequence:
    """Something a change sets off beyond the order. Subclasses add their facts and know how to save themselves."""

    key: str  # stable within the order, such as "mail:shipped:lea@example.com"; staff untick by it
    optional: bool = True
    is_on: bool = True

    def facts(self) -> tuple[Any, ...]:
        """What must still hold when it is applied; never rendered bodies."""
        return (self.key, self.is_on)

    def describe(self) -> PanelItem:
        raise TypeError(f"{type(self).__name__} does not say what it does")

    @classmethod
    def save_all(cls, items: Sequence[tuple["PlannedChange", Self]]) -> None:
        """Insert the rows of all items at once; `change.event` and `change.order` are saved by then. Only rows and on_commit."""


@dataclass(kw_only=True)
class NotGoing(Consequence):
    """Something the reader may expect and that will not happen, with the reason."""

    icon: str
    title: str
    reason: str
    optional: bool = False

    def describe(self) -> PanelItem:
        return PanelItem(icon=self.icon, title=self.title, lines=(self.reason,))


@dataclass
class PlannedDecision:
    """`shelf` pieces go back on the shelf, `lost` pieces are gone; `back` of them had left in a shipment."""

    line: OrderLine
    shelf: int
    lost: int
    source: str
    back: int = 0
    reverses_id: int | None = None


@dataclass
class PlannedMovement:
    """What settling one line does to one variant, with the variant's counters before."""

    line: OrderLine
    variant: Variant
    delta_on_hand: int
    delta_committed: int
    on_hand_before: int
    committed_before: int

    @property
    def available_before(self) -> int:
        return self.on_hand_before - self.committed_before

    @property
    def available_after(self) -> int:
        return self.available_before + self.delta_on_hand - self.delta_committed


@dataclass
class PlannedTakeover:
    """Pieces that a draft kept and that its order takes over, with the variant's counters before."""

    reservation: DraftReservation
    variant: Variant
    on_hand_before: int = 0
    committed_before: int = 0

    @property
    def pieces(self) -> int:
        return self.reservation.pieces


@dataclass
class PlannedReturn:
    """One step of a return: the case and its items keep their old values until the step is saved."""

    case: ReturnCase
    values: dict[str, Any]  # column of the case: new value
    lines: list[tuple[ReturnCaseLine, dict[str, Any]]] = field(default_factory=list)  # an item and its new values
    takes_refund: bool = False  # the refund of the same change is what was given for the return

    def facts(self) -> list[Any]:
        return [self.case.pk, sorted(self.values.items()), [(row.line_id, sorted(new.items())) for row, new in self.lines]]

    def as_json(self) -> dict[str, Any]:
        """Old and new values, for the event: what the history says and what an undo restores."""
        known = [(row, values) for row, values in self.lines if row.pk]
        return {
            "case": self.case.pk or 0,
            "values": {name: [getattr(self.case, name), new] for name, new in self.values.items()},
            "lines": {str(row.pk): {name: [getattr(row, name), new] for name, new in values.items()} for row, values in known},
            "pieces": [[row.line.name, sum(values.values())] for row, values in self.lines],
        }


@dataclass
class PlannedChange:
    """One order as it will be. `order` and `lines` keep their old values until the change is saved."""

    order: Order
    kind: OrderEvent.Kind
    payment: Status
    fulfilment: Status
    payment_before: Status | None
    fulfilment_before: Status | None
    lines: list[OrderLine]
    addresses: list[OrderAddress]
    shipments: list[Shipment] = field(default_factory=list)  # parcels that count, before this change
    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    quantities: dict[int, int] = field(default_factory=dict)  # line id: new quantity
    decisions: list[PlannedDecision] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    refunds: list[tuple[Refund, list[RefundLine]]] = field(default_factory=list)
    new_shipments: list[tuple[Shipment, list[ShipmentLine]]] = field(default_factory=list)
    voided_shipments: list[Shipment] = field(default_factory=list)
    returns: list[PlannedReturn] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    mentions: list[NoteMention] = field(default_factory=list)  # of the new notes
    files: list[NoteFile] = field(default_factory=list)  # of the new notes
    address_fields: dict[str, tuple[str, str]] = field(default_factory=dict)  # "billing.city": old and new
    discounts: list[OrderDiscount] = field(default_factory=list)  # of a new order
    surcharges: list[OrderSurcharge] = field(default_factory=list)  # of a new order
    line_values: dict[int, dict[str, tuple[Any, Any]]] = field(default_factory=dict)  # line id: column: old and new; quantities apart
    added_lines: list[OrderLine] = field(default_factory=list)  # of an edit, unsaved; they are among `lines` too
    rows: dict[str, tuple[Any, Any]] = field(default_factory=dict)  # "discounts", "surcharges": all rows, old and new, as plain values
    json_fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)  # order columns that hold JSON
    needs_reason: str = ""  # set by who asks for a reason: without one the change is shown, and refused when it is applied
    undoes: OrderEvent | None = None
    reason: str = ""
    personal_word: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    stock_ignored: list[OrderLine] = field(default_factory=list)
    takeovers: list[PlannedTakeover] = field(default_factory=list)  # of an order made from a draft; before its movements
    movements: list[PlannedMovement] = field(default_factory=list)
    consequences: list[Consequence] = field(default_factory=list)
    event: OrderEvent | None = None  # set when saved

    @property
    def is_new(self) -> bool:
        return self.order.pk is None

    @property
    def status_changes(self) -> bool:
        return self.payment_changes or self.fulfilment_changes

    @property
    def payment_changes(self) -> bool:
        return self.payment_before is not None and self.payment_before.pk != self.payment.pk

    @property
    def fulfilment_changes(self) -> bool:
        return self.fulfilment_before is not None and self.fulfilment_before.pk != self.fulfilment.pk

    @property
    def paid_after(self) -> Decimal:
        return self.order.paid_total + sum((p.amount for p in self.payments), Decimal(0))

    @property
    def refunded_after(self) -> Decimal:
        return self.order.refunded_total + sum((r.amount for r, _lines in self.refunds), Decimal(0))

    @property
    def credited_after(self) -> Decimal:
        return self.order.credited_total + sum((r.credited for r, _lines in self.refunds), Decimal(0))

    @property
    def total_after(self) -> Decimal:
        return self.fields["total"][1] if "total" in self.fields else self.order.total

    @property
    def balance_after(self) -> Decimal:
        return self.total_after - self.credited_after - self.paid_after + self.refunded_after

    @property
    def reason_to_tell(self) -> str:
        """The reason as customers may read it in mails and documents: why an order is cancelled stays with the staff."""
        return "" if "cancelled" in self.facts else self.reason

    @property
    def changes_anything(self) -> bool:
        return bool(
            self.is_new
            or self.status_changes
            or self.fields
            or self.address_fields
            or self.quantities
            or self.line_values
            or self.added_lines
            or self.rows
            or self.json_fields
            or self.decisions
            or self.payments
            or self.refunds
            or self.new_shipments
            or self.voided_shipments
            or self.returns
            or self.notes
            or self.movements
            or self.undoes
            or self.facts.get("add_tags")
            or self.facts.get("remove_tags")
        )

    @property
    def is_deleted_after(self) -> bool:
        """A deleted order holds no pieces, whatever its statuses say."""
        return self.after("deleted_at") is not None

    def after(self, name: str) -> Any:
        """The value of an order column once the change is applied."""
        return self.fields[name][1] if name in self.fields else getattr(self.order, name)

    def removes(self, line: OrderLine) -> bool:
        """Whether the line is no longer on the order after the change."""
        return bool(line.pk) and self.line_values.get(line.pk, {}).get("is_removed", (None, False))[1] is True

    def address(self, kind: str) -> OrderAddress | None:
        return next((address for address in self.addresses if address.kind == kind), None)

    def current_shipments(self) -> list[Shipment]:
        """Parcels that count after the change, oldest first: one whose number was corrected stands where it stood."""
        voided = {shipment.pk for shipment in self.voided_shipments}
        parcels = [s for s in self.shipments if s.pk not in voided] + [s for s, _lines in self.new_shipments]
        return sorted(parcels, key=lambda parcel: parcel.shipped_at)

    def add(self, consequence: Consequence) -> None:
        self.consequences.append(consequence)

    def digest(self) -> str:
        """Identifies what the reader saw; a different digest under the lock means the world moved on."""
        facts = [
            self.order.version if not self.is_new else 0,
            self.payment.pk,
            self.fulfilment.pk,
            sorted((name, str(new) if name != "deleted_at" else bool(new)) for name, (_old, new) in self.fields.items()),
            sorted((name, new) for name, (_old, new) in self.address_fields.items()),
            sorted(self.quantities.items()),
            [(pk, sorted((name, str(new)) for name, (_old, new) in values.items())) for pk, values in sorted(self.line_values.items())],
            [(line.sku, line.name, line.quantity, str(line.price.normalize())) for line in self.added_lines],
            sorted((name, new) for name, (_old, new) in (self.rows | self.json_fields).items()),
            [(d.line.pk, d.shelf, d.lost) for d in self.decisions],
            [str(p.amount) for p in self.payments],
            [(str(r.amount), str(r.credited)) for r, _lines in self.refunds],
            [step.facts() for step in self.returns],
            [(s.tracking_number, [(row.line_id, row.quantity) for row in rows]) for s, rows in self.new_shipments],
            [(t.variant.pk, t.pieces) for t in self.takeovers],
            [(m.variant.pk, m.delta_on_hand, m.delta_committed) for m in self.movements],
            [c.facts() for c in self.consequences],
        ]
        return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()
