"""The canonical form of a document and its hash, chained to the document before it in the series."""

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from invoices.models import Invoice, InvoiceLine, InvoiceVatGroup

_HEADER = [
    "kind",
    "is_simplified",
    "is_test",
    "period",
    "sequence",
    "number",
    "issue_date",
    "order_number",
    "order_version",
    "refers_number",
    "refers_date",
    "reason",
    "reason_text",
    "locale",
    "currency",
    "exponent",
    "process",
    "tax_point_code",
    "supply_date",
    "due_date",
    "buyer_kind",
    "buyer_name",
    "buyer_country",
    "seller",
    "buyer",
    "ship_to",
    "payment",
    "notes",
    "tax_id_check",
    "snapshot_version",
    "template_version",
    "retain_until",
]
_TOTALS = ["lines_net", "allowance_net", "charge_net", "net", "vat", "gross", "rounding", "paid", "due"]
_LINE = [
    "position",
    "kind",
    "order_line_id",
    "sku",
    "name",
    "options",
    "unit",
    "price_includes_tax",
    "vat_category",
    "tax_country",
    "exemption_code",
    "exemption_text",
    "reason_code",
    "is_digital",
]
_LINE_AMOUNTS = ["discount", "discount_net", "amount_input", "allowance_share", "net"]
_GROUP = ["tax_country", "category", "exemption_code", "exemption_text"]


def canonical(invoice: Invoice, lines: Sequence[InvoiceLine], groups: Sequence[InvoiceVatGroup]) -> bytes:
    """Version 1: sorted keys, UTF-8, amounts with the currency's decimals, ISO dates, lines and groups in their order."""
    places = invoice.exponent
    body = {name: _plain(getattr(invoice, name)) for name in _HEADER}
    body |= {name: _amount(getattr(invoice, name), places) for name in _TOTALS}
    body["series"] = invoice.series.code
    body["lines"] = [_line(line, places) for line in sorted(lines, key=lambda line: line.position)]
    body["vat_groups"] = sorted((_group(group, places) for group in groups), key=lambda group: json.dumps(group, sort_keys=True))
    return json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def seal(previous_hash: str, invoice: Invoice, lines: Sequence[InvoiceLine], groups: Sequence[InvoiceVatGroup]) -> str:
    """SHA-256 over the hash before and the canonical form."""
    return hashlib.sha256(previous_hash.encode() + canonical(invoice, lines, groups)).hexdigest()


def _line(line: InvoiceLine, places: int) -> dict[str, Any]:
    return (
        {name: _plain(getattr(line, name)) for name in _LINE}
        | {name: _amount(getattr(line, name), places) for name in _LINE_AMOUNTS}
        | {
            "quantity": _amount(line.quantity, 4),
            "unit_price": _amount(line.unit_price, 6),
            "unit_net": _amount(line.unit_net, 6),
            "vat_rate": _amount(line.vat_rate, 3),
        }
    )


def _group(group: InvoiceVatGroup, places: int) -> dict[str, Any]:
    return {name: _plain(getattr(group, name)) for name in _GROUP} | {
        "rate": _amount(group.rate, 3),
        "base": _amount(group.base, places),
        "vat": _amount(group.vat, places),
    }


def _amount(value: Decimal, places: int) -> str:
    return f"{value:.{places}f}"


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
