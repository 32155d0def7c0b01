"""What a document of Ecwid says, as frozen facts; no row and no shop of ours is known here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from orders.drafts import Person


@dataclass(frozen=True)
class Row:
    """Columns of a row to be; only those that the document names."""

    values: Mapping[str, Any]


@dataclass(frozen=True)
class StatedRefund:
    at: datetime | None
    amount: Decimal
    reason: str
    source: str


@dataclass(frozen=True)
class StatedParcel:
    carrier: str
    number: str
    url: str
    at: datetime | None


@dataclass(frozen=True)
class StatedInvoice:
    number: str
    link: str
    kind: str
    at: datetime | None


@dataclass(frozen=True)
class EcwidDocument:
    """One order or unfinished cart."""

    content_hash: str
    number: str
    external_id: str
    cart_id: str
    is_cart: bool
    payment_code: str
    fulfilment_code: str
    updated_at: datetime | None
    customer_external_id: str
    values: Mapping[str, Any]  # columns of the order that the document names
    lines: tuple[Row, ...]
    addresses: Mapping[str, Person]
    discounts: tuple[Row, ...]
    surcharges: tuple[Row, ...]
    refunded_amount: Decimal
    refunds: tuple[StatedRefund, ...] = ()
    parcels: tuple[StatedParcel, ...] = ()
    invoices: tuple[StatedInvoice, ...] = ()
    staff_note: str = ""
    recovered_order_id: str = ""
    reminded_at: datetime | None = None
    warnings: tuple[str, ...] = field(default=())

    @property
    def identity(self) -> str:
        """Which order of Ecwid this is (domain, section 3): public number, else external id, else cart, else the content."""
        if self.number:
            return self.number
        if self.external_id:
            return f"external:{self.external_id}"
        if self.cart_id:
            return f"cart:{self.cart_id}"
        return f"content:{self.content_hash}"

    @property
    def shown_number(self) -> str:
        """The order's number: Ecwid's public one, else one that no public number looks like."""
        if self.number:
            return self.number
        return f"EXT-{self.external_id}"[:80] if self.external_id else f"DOC-{self.content_hash[:8].upper()}"
