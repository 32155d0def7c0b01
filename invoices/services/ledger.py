"""What credit notes have taken back of an invoice, and what is left."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from invoices.models import Invoice, InvoiceLine, InvoiceVatGroup
from orders.money import quantum, round_money

ZERO = Decimal(0)
Key = tuple[str, str, Decimal]


@dataclass
class Sums:
    """Amounts credited in one VAT group: of prices that include the tax, and of net prices."""

    gross: Decimal = ZERO
    net: Decimal = ZERO

    def settle(self, rate: Decimal, places: int) -> tuple[Decimal, Decimal]:
        """(base, VAT), rounded once."""
        step = quantum(places)
        base = (self.gross / (1 + rate / 100)).quantize(step, rounding=ROUND_HALF_UP)
        vat = self.gross - base + (self.net * rate / 100).quantize(step, rounding=ROUND_HALF_UP)
        return base + self.net, vat


@dataclass
class Row:
    """A line of the credit note to be: an original line or charge, or an amount without a line."""

    source: InvoiceLine | None
    key: Key
    includes_tax: bool
    amount: Decimal
    kind: str = InvoiceLine.Kind.LINE
    quantity: Decimal = Decimal(1)
    share: Decimal = ZERO
    name: str = ""
    net: Decimal = ZERO


@dataclass
class Ledger:
    """An invoice with everything that its credit notes took back so far."""

    invoice: Invoice
    lines: list[InvoiceLine]
    groups: dict[Key, InvoiceVatGroup]
    credited_pieces: dict[int, Decimal] = field(default_factory=dict)
    credited_charges: dict[int, Decimal] = field(default_factory=dict)
    loose: dict[Key, Decimal] = field(default_factory=dict)  # amounts credited without a line, VAT included
    taken: dict[Key, tuple[Decimal, Decimal]] = field(default_factory=dict)  # (base, VAT) of earlier credit notes

    @classmethod
    def of(cls, invoice: Invoice) -> "Ledger":
        lines = list(invoice.lines.all())
        groups = {(g.tax_country, g.category, g.rate.normalize() + 0): g for g in invoice.vat_groups.all()}
        ledger = cls(invoice, lines, groups)
        for line in InvoiceLine.objects.filter(invoice__refers=invoice):
            ledger._book(line)
        for group in InvoiceVatGroup.objects.filter(invoice__refers=invoice):
            key = (group.tax_country, group.category, group.rate.normalize() + 0)
            base, vat = ledger.taken.get(key, (ZERO, ZERO))
            ledger.taken[key] = (base + group.base, vat + group.vat)
        return ledger

    def _book(self, line: InvoiceLine) -> None:
        if line.kind == InvoiceLine.Kind.LINE and line.refers_line_id:
            pieces = self.credited_pieces.get(line.refers_line_id, ZERO)
            self.credited_pieces[line.refers_line_id] = pieces + line.quantity
        elif line.kind == InvoiceLine.Kind.CHARGE and line.refers_line_id:
            amount = self.credited_charges.get(line.refers_line_id, ZERO)
            self.credited_charges[line.refers_line_id] = amount + line.amount_input
        elif line.kind == InvoiceLine.Kind.LINE:
            key = key_of(line)
            self.loose[key] = self.loose.get(key, ZERO) + line.amount_input

    def left(self, key: Key) -> Decimal:
        """What of a group was not credited yet, VAT included."""
        group, (base, vat) = self.groups[key], self.taken.get(key, (ZERO, ZERO))
        return group.base + group.vat - base - vat

    @property
    def remaining(self) -> Decimal:
        return sum((self.left(key) for key in self.groups), ZERO)

    def pieces_left(self, line: InvoiceLine) -> Decimal:
        return line.quantity - self.credited_pieces.get(line.pk, ZERO)

    def charge_left(self, line: InvoiceLine) -> Decimal:
        return line.amount_input - self.credited_charges.get(line.pk, ZERO)

    def sums(self, rows: Sequence[Row] = ()) -> dict[Key, Sums]:
        """Amounts per group of everything credited so far, with `rows` added."""
        found = {key: Sums() for key in self.groups}

        def add(key: Key, amount: Decimal, *, includes_tax: bool) -> None:
            if includes_tax:
                found[key].gross += amount
            else:
                found[key].net += amount

        pieces = dict(self.credited_pieces)
        for row in rows:
            if row.source and row.kind == InvoiceLine.Kind.LINE:
                pieces[row.source.pk] = pieces.get(row.source.pk, ZERO) + row.quantity
            elif row.kind != InvoiceLine.Kind.ALLOWANCE:
                add(row.key, row.amount, includes_tax=row.includes_tax)
        for line in self.lines:
            if line.pk in pieces:
                amount, share = self.part(line, pieces[line.pk])
                add(key_of(line), amount - share, includes_tax=line.price_includes_tax)
            elif line.pk in self.credited_charges:
                add(key_of(line), self.credited_charges[line.pk], includes_tax=line.price_includes_tax)
        for key, amount in self.loose.items():
            add(key, amount, includes_tax=True)
        return found

    def part(self, line: InvoiceLine, pieces: Decimal) -> tuple[Decimal, Decimal]:
        """Amount and discount share of the first `pieces` of a line."""
        currency = self.invoice.currency
        return (
            round_money(line.amount_input * pieces / line.quantity, currency),
            round_money(line.allowance_share * pieces / line.quantity, currency),
        )

    def is_complete(self, rows: Sequence[Row]) -> bool:
        """Whether nothing is left of the invoice once `rows` are credited."""
        pieces, charges = dict(self.credited_pieces), dict(self.credited_charges)
        for row in rows:
            if row.source and row.kind == InvoiceLine.Kind.LINE:
                pieces[row.source.pk] = pieces.get(row.source.pk, ZERO) + row.quantity
            elif row.source and row.kind == InvoiceLine.Kind.CHARGE:
                charges[row.source.pk] = charges.get(row.source.pk, ZERO) + row.amount
        return all(
            pieces.get(line.pk, ZERO) == line.quantity
            if line.kind == InvoiceLine.Kind.LINE
            else charges.get(line.pk, ZERO) == line.amount_input
            for line in self.lines
            if line.kind != InvoiceLine.Kind.ALLOWANCE
        )


def key_of(line: InvoiceLine) -> Key:
    return (line.tax_country, line.vat_category, line.vat_rate.normalize() + 0)


@dataclass(frozen=True)
class Left:
    """What credit notes can still take back of an invoice."""

    amount: Decimal
    charges: Decimal
    pieces: tuple[tuple[InvoiceLine, Decimal], ...]


def left_to_credit(invoice: Invoice) -> Left:
    """What is left of `invoice`: the amount, its charges as entered, and pieces per line. Reads only."""
    ledger = Ledger.of(invoice)
    rows = [line for line in ledger.lines if line.kind == InvoiceLine.Kind.LINE]
    charges = [ledger.charge_left(line) for line in ledger.lines if line.kind == InvoiceLine.Kind.CHARGE]
    pieces = tuple((line, left) for line in rows if (left := ledger.pieces_left(line)))
    return Left(ledger.remaining, sum(charges, ZERO), pieces)
