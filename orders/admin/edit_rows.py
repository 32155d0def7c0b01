"""Rows of the page that edits an order: an item as it is and as the edit wants it, a sum before and after."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from orders.admin.edit_form import EditForm
from orders.edits import LineEdit
from orders.models import OrderLine, Variant

SHOWN_IN_TABLE = ("quantity", "price", "discount", "name", "sku", "options", "vat_rate")


@dataclass
class LineRow:
    """An item of the order: as it is, as the edit wants it, and its fields."""

    line: OrderLine
    after: OrderLine | None
    wanted: LineEdit
    form: EditForm
    is_back: bool = False

    @property
    def state(self) -> str:
        """What the edit does to it: "", "changed", "removed" or "back"."""
        if self.wanted.is_removed:
            return "removed"
        if self.is_back:
            return "back"
        return "changed" if self.wanted.names or (self.after and self.after.price != self.line.price) else ""

    def bound(self, name: str) -> Any:
        return self.form[f"line-{self.line.pk}-{name}"]

    @property
    def fields(self) -> dict[str, Any]:
        return {name: self.bound(name) for name in (*SHOWN_IN_TABLE, "removed") if f"line-{self.line.pk}-{name}" in self.form.fields}

    @property
    def details(self) -> list[Any]:
        """The fields beside quantity and price."""
        return [bound for name, bound in self.fields.items() if name in ("name", "sku", "options", "discount", "vat_rate")]

    @property
    def is_open(self) -> bool:
        names = set(self.wanted.names) & {"name", "sku", "options", "discount", "vat_rate"}
        return bool(names or any(bound.errors for bound in self.details))

    @property
    def was(self) -> dict[str, Any]:
        """Values that the edit changes, as they are now; None for those that stay."""
        after = self.line if self.after is None or self.is_back else self.after
        found: dict[str, Any] = {}
        for name in ("quantity", "price"):
            old = getattr(self.line, name)
            found[name] = old if getattr(after, name) != old else None
        return found | {"total": self.before_total if self.total != self.before_total and not self.is_back else None}

    @property
    def worked_out_price(self) -> Decimal | None:
        """The price that the choice of prices makes, where nobody typed one: the field still says that of the order."""
        if self.wanted.price is not None or self.is_back or self.after is None or self.after.price == self.line.price:
            return None
        return self.after.price

    @property
    def before_total(self) -> Decimal:
        return self.line.amount - self.line.line_discount

    @property
    def total(self) -> Decimal:
        line = self.after or self.line
        return line.amount - line.line_discount


@dataclass
class AddedRow:
    """An item that the edit adds."""

    index: int
    form: Any
    after: OrderLine | None
    variant: Variant | None

    @property
    def title(self) -> str:
        typed = str(self.form["name"].value() or "")
        return typed or (str(self.variant) if self.variant else _("free item"))

    @property
    def total(self) -> Decimal | None:
        return self.after.amount - self.after.line_discount if self.after else None

    @property
    def details(self) -> list[Any]:
        return [self.form[name] for name in ("options", "discount", "vat_rate")]

    @property
    def is_open(self) -> bool:
        return self.variant is None or any(bound.value() or bound.errors for bound in self.details[:2])


@dataclass(frozen=True)
class SumRow:
    """A sum before and after."""

    name: str
    before: Decimal
    after: Decimal

    @property
    def moved(self) -> bool:
        return self.before != self.after

    @property
    def change(self) -> Decimal:
        return self.after - self.before
