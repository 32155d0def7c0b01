"""Reading what a carrier's file says: a pasted or uploaded table, and which of its columns holds what, told from the content."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zipfile import BadZipFile

from django.utils.translation import gettext as _
from openpyxl import load_workbook

from orders.errors import InvalidWish
from orders.search import fold

MOST_LINES = 2_500
MOST_COLUMNS = 30
LARGEST = 4 * 1024 * 1024
SAMPLE = 200  # lines that tell which column is which
ORDER, TRACKING, CARRIER = "order", "tracking", "carrier"
DELIMITERS = ("\t", ";", ",", "|")

# Words of headings, folded: in French and English, as carriers write them.
HEADINGS = {
    ORDER: ("order", "commande", "reference", "ref"),
    TRACKING: ("tracking", "suivi", "colis", "parcel", "expedition", "shipment", "waybill", "bordereau"),
    CARRIER: ("carrier", "transporteur", "service", "produit"),
}
_CODE = re.compile(r"[A-Z0-9][A-Z0-9 ./-]{5,39}", re.IGNORECASE)
_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?:[ T].*)?")
_AMOUNT = re.compile(r"-?\d{1,5}[.,]\d{1,3}")
_PHONE = re.compile(r"(?:\+|00)\d[\d .-]{8,}|0[1-9](?:[ .-]?\d{2}){4}")


@dataclass(frozen=True)
class Columns:
    """Which column holds what, counted from 0; -1 where none does."""

    order: int = -1
    tracking: int = -1
    carrier: int = -1

    def role_of(self, column: int) -> str:
        return next((role for role in (ORDER, TRACKING, CARRIER) if getattr(self, role) == column), "")

    @classmethod
    def of(cls, roles: Sequence[str]) -> "Columns":
        """What somebody chose per column; the first of two that hold the same counts."""
        return cls(**{role: roles.index(role) for role in (ORDER, TRACKING, CARRIER) if role in roles})


def rows_of_text(text: str) -> list[list[str]]:
    """The cells of a pasted table or a CSV file, empty lines left out. Raises InvalidWish for one that is too long."""
    lines = [line for line in text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip()]
    if len(lines) > MOST_LINES:
        raise InvalidWish(_("These are %(count)d lines; take at most %(most)d at once.") % {"count": len(lines), "most": MOST_LINES})
    counts = {sign: sum(sign in line for line in lines) for sign in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda sign: counts[sign])
    # Without any sign between cells: two words on a line.
    rows = list(csv.reader(lines, delimiter=delimiter)) if counts[delimiter] else [line.split() for line in lines]
    return [[cell.strip() for cell in row[:MOST_COLUMNS]] for row in rows]


def text_of_file(name: str, content: bytes) -> str:
    """An uploaded CSV file or spreadsheet as the text that could have been pasted. Raises InvalidWish for one that is neither."""
    if len(content) > LARGEST:
        raise InvalidWish(_("The file is larger than %(limit)d MB.") % {"limit": LARGEST // 1024 // 1024}, field="file")
    if content[:2] == b"PK":
        return _text_of_workbook(content)
    if b"\x00" in content[:1000] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InvalidWish(_("“%(name)s” is neither a CSV file nor an Excel workbook (.xlsx).") % {"name": name}, field="file")
    for encoding in ("utf-16",) if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp1252", "latin-1"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidWish(_("“%(name)s” is neither a CSV file nor an Excel workbook (.xlsx).") % {"name": name}, field="file")


def _text_of_workbook(content: bytes) -> str:
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet: Any = book.worksheets[0]
        rows = [
            [_as_typed(cell) for cell in row] for row in sheet.iter_rows(max_col=MOST_COLUMNS, max_row=MOST_LINES + 1, values_only=True)
        ]
        book.close()
    except (BadZipFile, KeyError, ValueError, IndexError, OSError, SyntaxError):
        raise InvalidWish(_("The workbook can't be read. Save it as .xlsx or as CSV and try again."), field="file") from None
    out = io.StringIO()
    csv.writer(out, delimiter="\t", lineterminator="\n").writerows(row for row in rows if any(row))
    return out.getvalue()


def _as_typed(value: Any) -> str:
    """A cell as the reader of the spreadsheet sees it: 2417, not 2417.0."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return " ".join(str(value).split())


def order_number_of(cell: str) -> str:
    """An order number as files write it: "#2417", "2417"."""
    return cell.strip().lstrip("#").strip()


def candidates(rows: Iterable[Sequence[str]]) -> set[str]:
    """Every cell that could be an order number."""
    return {order_number_of(cell) for row in rows for cell in row if 0 < len(cell) <= 80}


def guess_columns(rows: Sequence[Sequence[str]], known_orders: set[str], carriers: set[str]) -> Columns:
    """Which column is which: order numbers are those that orders have, a tracking number is the other code, carriers have names.

    `known_orders` are order numbers among the cells, `carriers` folded names. Headings decide between columns that look alike.
    """
    sample = rows[:SAMPLE]
    width = max((len(row) for row in sample), default=0)
    cells = [[row[place] for row in sample if place < len(row) and row[place]] for place in range(width)]
    heads = [fold(sample[0][place]) if place < len(sample[0]) else "" for place in range(width)] if sample else []

    def named(place: int, role: str) -> float:
        return 0.5 if any(word in heads[place] for word in HEADINGS[role]) else 0.0

    def best(scores: dict[int, float]) -> int:
        place = max(scores, key=lambda key: (scores[key], -key), default=-1)
        return place if place >= 0 and scores[place] > 0 else -1

    hits = {place: sum(order_number_of(cell) in known_orders for cell in column) for place, column in enumerate(cells)}
    order = best({place: count + named(place, ORDER) for place, count in hits.items()})
    carrier = best({place: _share(column, lambda cell: is_carrier(cell, carriers)) for place, column in enumerate(cells) if place != order})
    rest = {place: column for place, column in enumerate(cells) if place not in (order, carrier)}
    tracking = best({place: _codes(column) + named(place, TRACKING) for place, column in rest.items()})
    return Columns(order, tracking, carrier)


def is_carrier(cell: str, carriers: set[str]) -> bool:
    """Whether a cell names one of the carriers, such as "Colissimo Domicile"."""
    words = fold(cell)
    return any(words == name or words.startswith(f"{name} ") for name in carriers)


def _share(column: Sequence[str], holds: Any) -> float:
    share = sum(map(holds, column)) / len(column) if column else 0.0
    return share if share >= 0.4 else 0.0


def _codes(column: Sequence[str]) -> float:
    """How much a column looks like tracking numbers: long codes with many digits, each of them once."""
    share = _share(column, is_code)
    if not share:
        return 0.0
    counted = Counter(column)
    different = len(counted) / len(column)
    length = sum(map(len, column)) / len(column)
    return share * different + min(length, 20) / 100


def is_code(cell: str) -> bool:
    """Whether a cell could be a tracking number: no date, no amount, no telephone."""
    if not _CODE.fullmatch(cell) or _DATE.fullmatch(cell) or _AMOUNT.fullmatch(cell) or _PHONE.fullmatch(cell):
        return False
    return sum(char.isdigit() for char in cell) >= 5


def is_heading(row: Sequence[str], columns: Columns, known_orders: set[str]) -> bool:
    """Whether a first row names the columns instead of holding values."""
    if 0 <= columns.order < len(row) and order_number_of(row[columns.order]) in known_orders:
        return False
    return not any(char.isdigit() for place in (columns.order, columns.tracking) if 0 <= place < len(row) for char in row[place])
