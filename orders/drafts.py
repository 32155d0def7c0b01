"""The facts of an order to be placed, as one frozen value, whichever face they came through."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Person:
    name: str = ""
    company: str = ""
    street: str = ""
    street2: str = ""
    city: str = ""
    state: str = ""
    state_name: str = ""
    postcode: str = ""
    country: str = ""  # ISO 3166-1 alpha-2
    phone: str = ""


@dataclass(frozen=True)
class DraftLine:
    """An item. With `variant_id` or a known `sku` what is None is copied from the catalogue; else it is a custom item."""

    name: str = ""
    quantity: int = 1
    price: Decimal | None = None
    variant_id: int | None = None
    sku: str = ""
    options: tuple[dict[str, Any], ...] = ()
    discount: Decimal = Decimal(0)  # amount off this line
    discount_percent: Decimal | None = None  # instead of the amount
    catalogue_price: Decimal | None = None  # what a quote promised instead of the price of the catalogue
    vat_category: str = ""
    vat_rate: Decimal | None = None
    price_includes_tax: bool | None = None
    weight: Decimal | None = None
    is_digital: bool | None = None
    requires_shipping: bool | None = None
    external_id: str = ""
    product_external_id: str = ""
    attributes: tuple[dict[str, Any], ...] = ()
    image_url: str = ""
    additional: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DraftDiscount:
    label: str = ""
    kind: str = "ABS"  # ABS or PERCENT
    value: Decimal = Decimal(0)
    base: str = "CUSTOM"
    is_coupon: bool = False


@dataclass(frozen=True)
class DraftSurcharge:
    label: str = ""
    amount: Decimal = Decimal(0)
    kind: str = "surcharge"  # surcharge or tip
    vat_category: str = ""
    vat_rate: Decimal | None = None


@dataclass(frozen=True)
class StoredTotals:
    """Totals that the sender computed. They are kept; where they do not add up the order carries a warning."""

    subtotal: Decimal
    total: Decimal
    tax: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)
    coupon_discount: Decimal = Decimal(0)


@dataclass(frozen=True)
class OrderDraft:
    """Everything that placing an order needs. Prices and totals are worked out by the service unless `totals` is given."""

    lines: tuple[DraftLine, ...] = ()
    customer_id: int | None = None
    customer_name: str = ""
    email: str = ""
    phone: str = ""
    customer_group: str = ""
    language: str = ""
    tax_id: str = ""
    tax_id_valid: bool = False
    tax_exempt: bool = False
    reverse_charge: bool = False
    accepts_marketing: bool | None = None
    no_customer_mail: bool = False
    ip_address: str = ""
    billing: Person | None = None
    shipping: Person | None = None
    currency: str = ""  # empty: the shop's
    prices_include_tax: bool | None = None
    discounts: tuple[DraftDiscount, ...] = ()
    coupon_code: str = ""
    surcharges: tuple[DraftSurcharge, ...] = ()
    gift_card_amount: Decimal = Decimal(0)
    gift_card_code: str = ""
    shipping_method: str = ""
    shipping_carrier: str = ""
    shipping_cost: Decimal | None = None  # None: the method's rate
    handling_fee: Decimal = Decimal(0)
    delivery_kind: str = ""
    delivery_instructions: str = ""
    delivery_on: date | None = None
    pickup_at: datetime | None = None
    pickup_until: datetime | None = None
    payment_method: str = ""
    payment_module: str = ""
    payment_message: str = ""
    transaction_id: str = ""
    po_number: str = ""
    payment_status: str = ""  # empty: by the first-status rules
    fulfilment_status: str = ""
    payment_failed: bool = False
    paid_amount: Decimal | None = None  # what was received of an order that is paid now; None: its total
    payment_reference: str = ""
    paid_at: datetime | None = None  # when the money came; empty: when the order is placed
    customer_comment: str = ""
    staff_note: str = ""
    tags: tuple[str, ...] = ()
    placed_at: datetime | None = None
    external_id: str = ""
    provenance: dict[str, Any] = field(default_factory=dict)
    extra_fields: tuple[dict[str, Any], ...] = ()
    additional: dict[str, Any] = field(default_factory=dict)
    totals: StoredTotals | None = None
    is_test: bool = False

    def as_json(self) -> dict[str, Any]:
        """A JSON value that `from_json` turns back into an equal draft; amounts are texts."""
        return plain_json(asdict(self))

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> "OrderDraft":
        """The draft stored by `as_json`; unknown keys are ignored, so that old drafts stay readable."""
        known = {f.name for f in fields(cls)}
        values = {name: value for name, value in body.items() if name in known}
        values["lines"] = tuple(stored_part(DraftLine, line) for line in values.get("lines", ()))
        values["discounts"] = tuple(stored_part(DraftDiscount, row) for row in values.get("discounts", ()))
        values["surcharges"] = tuple(stored_part(DraftSurcharge, row) for row in values.get("surcharges", ()))
        for name in ("billing", "shipping"):
            values[name] = stored_part(Person, values[name]) if values.get(name) else None
        values["totals"] = stored_part(StoredTotals, values["totals"]) if values.get("totals") else None
        for name in ("gift_card_amount", "handling_fee", "shipping_cost", "paid_amount"):
            if values.get(name) is not None:
                values[name] = Decimal(values[name])
        for name in ("tags", "extra_fields"):
            values[name] = tuple(values.get(name, ()))
        for name in ("pickup_at", "pickup_until", "placed_at", "paid_at"):
            values[name] = datetime.fromisoformat(values[name]) if values.get(name) else None
        values["delivery_on"] = date.fromisoformat(values["delivery_on"]) if values.get("delivery_on") else None
        return cls(**values)


_AMOUNTS = {
    *("price", "discount", "discount_percent", "catalogue_price", "vat_rate", "weight", "value", "amount"),
    *("subtotal", "total", "tax", "coupon_discount"),
}


def stored_part(kind: type, row: Mapping[str, Any]) -> Any:
    """A part as `plain_json` stored it; unknown keys are ignored."""
    known = {f.name for f in fields(kind)}
    values: dict[str, Any] = {name: Decimal(v) if name in _AMOUNTS and v is not None else v for name, v in row.items() if name in known}
    for name in ("options", "attributes"):
        if values.get(name) is not None:
            values[name] = tuple(values[name])
    return kind(**values)


def plain_json(value: Any) -> Any:
    """A value of dataclasses as JSON holds it; amounts and moments are texts."""
    if isinstance(value, dict):
        return {key: plain_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_json(item) for item in value]
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return value
