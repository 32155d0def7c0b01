"""What somebody wants to change about a placed order, as one frozen value: only what differs from the order is in it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from decimal import Decimal
from typing import Any

from orders.drafts import DraftLine, plain_json, stored_part
from orders.models import OrderDiscount, OrderSurcharge

KEEP, RECOMPUTE = "keep", "recompute"
NET = "net"  # of prices: as sold, less the VAT that no longer applies or with the one that does now
# Columns of an order that an edit may set. Sums follow from them and are never set.
AMOUNTS = ("shipping_cost", "handling_fee", "gift_card_amount")
TEXTS = ("payment_method", "shipping_method", "gift_card_code", "coupon_code", "tax_id")
TICKS = ("tax_exempt", "reverse_charge", "tax_id_valid")
FOLLOWING = ("delivery_kind", "shipping_carrier", "delivery_instructions")  # go with the shipping method
COLUMNS = (*AMOUNTS, *TEXTS, *TICKS, *FOLLOWING)


@dataclass(frozen=True)
class LineEdit:
    """Changes of one item; None leaves a value as it is."""

    line_id: int
    quantity: int | None = None
    price: Decimal | None = None
    discount: Decimal | None = None  # amount off this item
    name: str | None = None
    sku: str | None = None
    options: tuple[dict[str, Any], ...] | None = None
    vat_rate: Decimal | None = None
    vat_category: str | None = None
    vat_country: str | None = None
    is_removed: bool = False

    @property
    def names(self) -> list[str]:
        """What it changes: "quantity", "price", ..., or "is_removed" alone."""
        if self.is_removed:
            return ["is_removed"]
        return [f.name for f in fields(self) if f.name not in ("line_id", "is_removed") and getattr(self, f.name) is not None]


@dataclass(frozen=True)
class DiscountEdit:
    """A discount as it is to be. With `amount` it takes that much off; without, `value` says what it takes."""

    label: str = ""
    kind: str = "ABS"  # ABS or PERCENT
    value: Decimal = Decimal(0)
    base: str = "CUSTOM"  # COUPON for a coupon
    amount: Decimal | None = None

    @property
    def is_coupon(self) -> bool:
        return self.base == "COUPON"

    @classmethod
    def of(cls, row: OrderDiscount) -> "DiscountEdit":
        return cls(row.label, row.kind, row.value, row.base, row.amount)


@dataclass(frozen=True)
class SurchargeEdit:
    """A surcharge or tip as it is to be."""

    label: str = ""
    amount: Decimal = Decimal(0)
    kind: str = "surcharge"  # surcharge or tip
    vat_category: str = ""
    vat_rate: Decimal | None = None

    @classmethod
    def of(cls, row: OrderSurcharge) -> "SurchargeEdit":
        return cls(row.label, row.amount, row.kind, row.vat_category, row.vat_rate)


@dataclass(frozen=True)
class TakenBack:
    """Pieces that come back in exchange: their price is taken off the order. `shelf` of them go on the shelf again, `lost` are gone."""

    line_id: int
    quantity: int
    shelf: int = 0
    lost: int = 0


@dataclass(frozen=True)
class OrderEdit:
    """Everything that a proposal changes. `prices`, `discounts_by` and `shipping` say whether what is not named is kept or
    worked out anew; `difference` whether a total that never added up keeps its difference."""

    lines: tuple[LineEdit, ...] = ()
    added: tuple[DraftLine, ...] = ()
    restored: tuple[int, ...] = ()  # items that an earlier edit removed
    columns: dict[str, Any] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)  # "billing.city": new text
    discounts: tuple[DiscountEdit, ...] | None = None  # None: those that stand
    surcharges: tuple[SurchargeEdit, ...] | None = None
    prices: str = KEEP
    discounts_by: str = KEEP
    shipping: str = KEEP
    difference: str = KEEP
    reason: str = ""
    reverts: int = 0  # the event that this edit takes back
    taken_back: tuple[TakenBack, ...] = ()
    return_id: int = 0  # the inspected return whose pieces those are: it ends with the exchange

    @property
    def keys(self) -> list[str]:
        """What it touches, one name each: "line:7:price", "gift_card_amount", "billing.city", "discounts"."""
        found = [f"line:{line.line_id}:{name}" for line in self.lines for name in line.names]
        found += [f"added:{index}" for index in range(len(self.added))]
        found += [f"restored:{pk}" for pk in self.restored]
        found += [f"back:{row.line_id}" for row in self.taken_back]
        found += [*self.columns, *self.addresses]
        found += ["discounts"] if self.discounts is not None else []
        return found + (["surcharges"] if self.surcharges is not None else [])

    @property
    def is_empty(self) -> bool:
        return not self.keys and RECOMPUTE not in (self.prices, self.shipping, self.difference)

    def line(self, pk: int) -> LineEdit:
        return next((line for line in self.lines if line.line_id == pk), LineEdit(pk))

    def as_json(self) -> dict[str, Any]:
        """A JSON value that `from_json` turns back into an equal edit; amounts are texts."""
        return plain_json(asdict(self))

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> "OrderEdit":
        """The edit stored by `as_json`; unknown keys are ignored, so that old proposals stay readable."""
        known = {f.name for f in fields(cls)}
        values = {name: value for name, value in body.items() if name in known}
        values["lines"] = tuple(stored_part(LineEdit, row) for row in values.get("lines", ()))
        values["added"] = tuple(stored_part(DraftLine, row) for row in values.get("added", ()))
        values["taken_back"] = tuple(stored_part(TakenBack, row) for row in values.get("taken_back", ()))
        values["restored"] = tuple(int(pk) for pk in values.get("restored", ()))
        columns = {name: value for name, value in values.get("columns", {}).items() if name in COLUMNS}
        values["columns"] = {name: Decimal(value) if name in AMOUNTS else value for name, value in columns.items()}
        for name, kind in (("discounts", DiscountEdit), ("surcharges", SurchargeEdit)):
            rows = values.get(name)
            values[name] = None if rows is None else tuple(stored_part(kind, row) for row in rows)
        return cls(**values)
