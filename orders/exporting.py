"""Orders as tables for other programs: which columns there are, who they are about, and how CSV and XLSX hold them safely.

A cell of a workbook says that it is a text, so texts stand there as they are, and amounts and dates have their format. CSV has no
types: there a text that a spreadsheet would take for a formula gets an apostrophe before it, decimals are plain with a point, times
those of the shop's clock.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from orders.models import Order, OrderAddress, OrderLine, Shipment, Shop, Status
from orders.money import exponent, round_money

SHEET_ROWS = 1_048_575  # what a sheet of a workbook holds, without its heading
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass
class Row:
    """An order with its parts, and in a table of items the line that the row is about."""

    order: Order
    zone: ZoneInfo
    payment: Status
    fulfilment: Status
    addresses: dict[str, OrderAddress] = field(default_factory=dict)
    lines: list[OrderLine] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    tracking: list[str] = field(default_factory=list)
    line: OrderLine | None = None

    def at(self, moment: datetime | None) -> datetime | None:
        """On the shop's clock, as spreadsheets want it: without a zone."""
        return moment.astimezone(self.zone).replace(tzinfo=None, second=0, microsecond=0) if moment else None

    def money(self, amount: Decimal) -> Decimal:
        return round_money(amount, self.order.currency)

    @property
    def due(self) -> Decimal:
        return Decimal(0) if self.payment.releases else max(self.order.balance, Decimal(0))

    def address(self, kind: str, name: str) -> str:
        address = self.addresses.get(kind)
        return str(getattr(address, name)) if address else ""


@dataclass(frozen=True)
class Column:
    """One column: its heading, its value, whether it tells who the customer is, whether it is money in the order's currency."""

    title: str | Promise
    value: Callable[[Row], Any]
    is_personal: bool = False
    is_amount: bool = False


def _amount(name: str) -> Callable[[Row], Decimal]:
    return lambda row: row.money(getattr(row.order, name))


def _line(name: str) -> Callable[[Row], Any]:
    return lambda row: getattr(row.line, name)


def _line_amount(name: str) -> Callable[[Row], Decimal]:
    return lambda row: row.money(getattr(row.line, name))


def _place(kind: str, name: str) -> Callable[[Row], str]:
    return lambda row: row.address(kind, name)


def _address(kind: str, words: str | Promise) -> tuple[Column, ...]:
    parts = (
        ("name", gettext_lazy("name")),
        ("company", gettext_lazy("company")),
        ("street", gettext_lazy("street")),
        ("street2", gettext_lazy("street, second line")),
        ("postcode", gettext_lazy("postcode")),
        ("city", gettext_lazy("city")),
        ("state_name", gettext_lazy("state name")),
    )
    return tuple(Column(_Joined(words, part), _place(kind, name), is_personal=True) for name, part in parts)


class _Joined(Promise):
    """Two words as one heading, in the language of the moment."""

    def __init__(self, first: str | Promise, second: str | Promise) -> None:
        self.words = (first, second)

    def __str__(self) -> str:
        return f"{self.words[0]}: {self.words[1]}"


_HEAD = (
    Column(gettext_lazy("Order"), lambda row: row.order.number),
    Column(gettext_lazy("Placed on"), lambda row: row.at(row.order.placed_at)),
)
_STATE = (
    Column(gettext_lazy("Payment"), lambda row: str(row.payment)),
    Column(gettext_lazy("Fulfilment"), lambda row: str(row.fulfilment)),
    Column(gettext_lazy("Currency"), lambda row: row.order.currency),
)
_AMOUNTS = (
    Column(gettext_lazy("Items subtotal"), _amount("subtotal"), is_amount=True),
    Column(gettext_lazy("Discount"), _amount("discount"), is_amount=True),
    Column(gettext_lazy("Coupon discount"), _amount("coupon_discount"), is_amount=True),
    Column(gettext_lazy("Shipping"), _amount("shipping_cost"), is_amount=True),
    Column(gettext_lazy("Handling"), _amount("handling_fee"), is_amount=True),
    Column(gettext_lazy("Surcharges"), _amount("surcharges_total"), is_amount=True),
    Column(gettext_lazy("VAT"), _amount("tax"), is_amount=True),
    Column(gettext_lazy("Total"), _amount("total"), is_amount=True),
    Column(gettext_lazy("Paid"), _amount("paid_total"), is_amount=True),
    Column(gettext_lazy("Refunded"), _amount("refunded_total"), is_amount=True),
    Column(gettext_lazy("Amount due"), lambda row: row.money(row.due), is_amount=True),
)
_MORE = (
    Column(gettext_lazy("Pieces"), lambda row: sum(line.quantity for line in row.lines)),
    Column(gettext_lazy("Items"), lambda row: "; ".join(f"{line.quantity} × {line.name}" for line in row.lines)),
    Column(gettext_lazy("Payment method"), lambda row: row.order.payment_method),
    Column(gettext_lazy("Shipping method"), lambda row: row.order.shipping_method),
    Column(gettext_lazy("Wanted delivery date"), lambda row: row.order.delivery_on),
    Column(gettext_lazy("Pickup from"), lambda row: row.at(row.order.pickup_at)),
    Column(gettext_lazy("Pickup until"), lambda row: row.at(row.order.pickup_until)),
    Column(gettext_lazy("Tracking"), lambda row: ", ".join(row.tracking)),
    Column(gettext_lazy("Coupon code"), lambda row: row.order.coupon_code),
    Column(gettext_lazy("Tags"), lambda row: ", ".join(row.tags)),
    Column(gettext_lazy("On hold"), lambda row: row.order.is_held),
    Column(gettext_lazy("Delivery country"), _place("shipping", "country")),
)
_ITEM = (
    Column(gettext_lazy("SKU"), _line("sku")),
    Column(pgettext_lazy("of an order", "Item"), _line("name")),
    Column(
        gettext_lazy("Options"),
        lambda row: ", ".join(str(option.get("value", "")) for option in _line("options")(row) if isinstance(option, dict)),
    ),
    Column(gettext_lazy("Quantity"), _line("quantity")),
    Column(gettext_lazy("Unit price"), _line_amount("price"), is_amount=True),
    Column(gettext_lazy("Amount"), _line_amount("amount"), is_amount=True),
    Column(gettext_lazy("VAT rate in percent"), _line("vat_rate")),
    Column(gettext_lazy("VAT"), _line_amount("tax"), is_amount=True),
)
_PERSON = (
    Column(gettext_lazy("Customer"), lambda row: row.order.customer_name, is_personal=True),
    Column(gettext_lazy("E-mail"), lambda row: row.order.email, is_personal=True),
    Column(gettext_lazy("Phone"), lambda row: row.order.phone, is_personal=True),
    Column(gettext_lazy("VAT id"), lambda row: row.order.tax_id, is_personal=True),
    *_address("billing", gettext_lazy("Billing address")),
    Column(_Joined(gettext_lazy("Billing address"), gettext_lazy("country")), _place("billing", "country"), is_personal=True),
    *_address("shipping", gettext_lazy("Shipping address")),
    Column(gettext_lazy("Customer comment"), lambda row: row.order.customer_comment, is_personal=True),
)


def columns_of(rows: str, *, personal: bool) -> list[Column]:
    """The columns of a table with a row per order ("orders") or per item ("items"); those about people only where `personal`."""
    columns = (*_HEAD, *_STATE, *_ITEM) if rows == "items" else (*_HEAD, *_STATE, *_AMOUNTS, *_MORE)
    return [*columns, *(_PERSON if personal else ())]


def rows_of_orders(ids: Sequence[int], rows: str, shop: Shop) -> Iterator[Row]:
    """The rows of these orders, in their order, read in a constant number of queries. Deleted orders are left out."""
    found = Order.objects.present().defer("search", "additional", "provenance", "extra_fields").in_bulk(ids)
    statuses = {status.pk: status for status in Status.objects.select_related("base")}
    zone = ZoneInfo(shop.time_zone)
    parts = {pk: Row(order, zone, statuses[order.payment_status_id], statuses[order.fulfilment_status_id]) for pk, order in found.items()}
    for address in OrderAddress.objects.filter(order__in=found):
        parts[address.order_id].addresses[address.kind] = address
    for line in OrderLine.objects.filter(order__in=found, is_removed=False).order_by("position", "id").defer("additional", "downloads"):
        parts[line.order_id].lines.append(line)
    for pk, name in Order.tags.through.objects.filter(order__in=found).order_by("tag__name").values_list("order_id", "tag__name"):
        parts[pk].tags.append(name)
    parcels = Shipment.objects.filter(order__in=found, voided_by=None).order_by("shipped_at", "id")
    for pk, number in parcels.values_list("order_id", "tracking_number"):
        if number:
            parts[pk].tracking.append(number)
    for pk in ids:
        row = parts.get(pk)
        if row is None:
            continue
        if rows == "items":
            yield from (replace(row, line=line) for line in row.lines)
        else:
            yield row


def plain_text(text: str) -> str:
    """A text without characters that no file can hold."""
    return _UNWRITABLE.sub("", text)


def safe_text(text: str) -> str:
    """A text of a file without types that no spreadsheet takes for a formula."""
    text = plain_text(text)
    return f"'{text}" if text.startswith(_FORMULA) else text


def write_csv(target: Path, columns: Sequence[Column], chunks: Iterable[Iterable[Row]], *, separator: str) -> None:
    """A table as CSV: UTF-8 with its mark, RFC 4180, row by row."""
    with target.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, delimiter=separator)
        writer.writerow([safe_text(str(column.title)) for column in columns])
        for rows in chunks:
            writer.writerows([_as_text(column.value(row)) for column in columns] for row in rows)


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, (int, date)):
        return str(value)
    return safe_text(str(value))


def write_xlsx(target: Path, columns: Sequence[Column], chunks: Iterable[Iterable[Row]], *, title: str) -> None:
    """A table as a workbook with typed cells, written row by row; where a sheet is full, the next begins."""
    from openpyxl import Workbook  # noqa: PLC0415 (only the worker that makes files needs it)

    book = Workbook(write_only=True)
    sheet, written = _new_sheet(book, columns, title), 0
    for rows in chunks:
        for row in rows:
            if written == SHEET_ROWS:
                sheet, written = _new_sheet(book, columns, title), 0
            sheet.append([_as_cell(sheet, column.value(row), row.order.currency if column.is_amount else "") for column in columns])
            written += 1
    book.save(target)


def _new_sheet(book: Any, columns: Sequence[Column], title: str) -> Any:
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 (as above)
    from openpyxl.styles import Font  # noqa: PLC0415 (as above)
    from openpyxl.utils import get_column_letter  # noqa: PLC0415 (as above)

    sheet = book.create_sheet(title[:31])
    sheet.freeze_panes = "B2"
    heading = []
    for position, column in enumerate(columns, start=1):
        cell = WriteOnlyCell(sheet, value=str(column.title))
        cell.font = Font(bold=True)
        heading.append(cell)
        sheet.column_dimensions[get_column_letter(position)].width = 18
    sheet.append(heading)
    return sheet


def _as_cell(sheet: Any, value: Any, currency: str) -> Any:
    """A value as the workbook takes it; a cell of its own where it needs a format or looks like a formula."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, Decimal):
        return _formatted(sheet, value, f"#,##0{'.' if (digits := exponent(currency)) else ''}{'0' * digits}") if currency else value
    if isinstance(value, date):
        return _formatted(sheet, value, "yyyy-mm-dd hh:mm" if isinstance(value, datetime) else "yyyy-mm-dd")
    text = plain_text(str(value))
    if not text.startswith(_FORMULA):
        return text or None
    cell = _formatted(sheet, text, "@")
    # Said to be a text, also when somebody opens the cell and closes it again.
    cell.data_type, cell.quotePrefix = "s", True
    return cell


def _formatted(sheet: Any, value: Any, number_format: str) -> Any:
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 (as above)

    cell = WriteOnlyCell(sheet, value=value)
    cell.number_format = number_format
    return cell
