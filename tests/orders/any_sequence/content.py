"""What is sold with an order, in plain numbers: items with their pieces, discounts, charges, and the bounds of their VAT."""

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

ZERO = Decimal(0)


class Refused(Exception):
    """The domain does not allow it."""


def cents(amount):
    return amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


@dataclass
class Article:
    price: Decimal
    on_hand: int = 0
    is_tracked: bool = True
    is_digital: bool = False
    may_run_short: bool = False
    rate: Decimal = Decimal(20)


@dataclass
class Item:
    """A line: what was sold, and where its pieces are. Without an article it is free text."""

    sku: str
    quantity: int
    price: Decimal
    rate: Decimal = Decimal(20)
    off: Decimal = ZERO
    is_digital: bool = False
    is_tracked: bool = True
    pk: int = 0
    is_removed: bool = False
    shelf: int = 0
    lost: int = 0
    back: int = 0
    shipped: int = 0
    refunded: int = 0
    given: tuple[int, int, int] = (0, 0, 0)  # what cancelling decided: reopening takes it back

    @property
    def amount(self):
        return self.price * self.quantity

    @property
    def open(self):
        return self.quantity - self.shelf - self.lost

    @property
    def with_customer(self):
        return min(self.open, max(0, self.shipped - self.back))

    @property
    def unshipped(self):
        return self.open - self.with_customer

    @property
    def fixed(self):
        return max(self.shelf + self.lost + self.with_customer, self.shipped, self.refunded)

    def decide(self, shelf, lost, back):
        self.shelf, self.lost, self.back = self.shelf + shelf, self.lost + lost, self.back + back


@dataclass
class Content:
    """What an edit may change."""

    items: list[Item]
    discounts: list[tuple[str, Decimal, Decimal]] = field(default_factory=list)  # kind, value, amount
    shipping: Decimal = ZERO
    surcharge: Decimal = ZERO
    tip: Decimal = ZERO
    gift: Decimal = ZERO
    is_exempt: bool = False
    city: str = "Nantes"

    def __post_init__(self):
        self.discounts = list(self.discounts)

    @property
    def sold(self):
        return [item for item in self.items if not item.is_removed]

    @property
    def off(self):
        return sum((amount for _kind, _value, amount in self.discounts), ZERO)

    @property
    def base(self):
        return sum((item.amount - item.off for item in self.sold), ZERO)

    def work_out_percents(self, *, anew):
        self.discounts = [
            (kind, value, (cents(self.base * value / 100) if kind == "PERCENT" and anew else amount))
            for kind, value, amount in self.discounts
        ]

    def parts(self):
        return self.base - self.off + self.shipping + self.surcharge + self.tip - self.gift

    def vat_bounds(self, *, includes_tax):
        """(what the VAT is before rounding, by how much roundings may move it)."""
        if self.is_exempt or not self.base:
            return ZERO, ZERO if self.is_exempt else Decimal(10**9)
        taxed = self.base - self.off + self.shipping + self.surcharge
        rates = {item.rate for item in self.sold}
        vat = ZERO
        for rate in rates:
            share = sum((item.amount - item.off for item in self.sold if item.rate == rate), ZERO) / self.base * taxed
            vat += share * rate / (100 + rate) if includes_tax else share * rate / 100
        return vat, Decimal("0.0051") if len(rates) == 1 else Decimal("0.02")

    def check(self):
        if not self.sold:
            raise Refused("nothing left")
        if any(not ZERO <= item.off <= item.amount for item in self.sold) or self.off > self.base:
            raise Refused("discount above the items")
