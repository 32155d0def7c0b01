"""What the fields of an order's edit say: for the order as it is, and for an edit on top of it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.http import QueryDict

from orders.admin.edit_back import back_texts
from orders.admin.form_rows import amount_text, rows_texts
from orders.admin.manual_order_form import line_data
from orders.edits import DiscountEdit, OrderEdit, SurchargeEdit
from orders.models import OrderAddress, OrderLine, Variant
from orders.money import format_number
from orders.services.repricing import Content

PLACE = ("name", "company", "street", "street2", "postcode", "city", "region", "country", "phone")
LINE = ("quantity", "price", "discount", "name", "sku", "options", "vat_rate")
COLUMN_FIELDS = ("shipping_method", "shipping_cost", "handling_fee", "gift_card_amount", "gift_card_code", "coupon_code", "payment_method")
TAX_FIELDS = ("tax_id", "tax_id_valid", "tax_exempt", "reverse_charge")
MODES = ("prices", "discounts_by", "shipping", "difference")
TAKES_EMPTY = frozenset({"shipping_cost", "handling_fee", "gift_card_amount"})


def texts_of(content: Content, addresses: list[OrderAddress]) -> dict[str, str]:
    """What the fields say for the order as it is."""
    order = content.order
    found = {name: _text(getattr(order, name), order.currency) for name in (*COLUMN_FIELDS, *TAX_FIELDS)}
    for name in TAKES_EMPTY:
        if not getattr(order, name):
            found[name] = ""
    for line in content.lines:
        found |= {f"line-{line.pk}-{name}": text for name, text in _line_texts(line, order.currency).items()}
    found |= rows_texts("discount", [DiscountEdit.of(row) for row in content.discounts], order.currency)
    found |= rows_texts("surcharge", [SurchargeEdit.of(row) for row in content.surcharges], order.currency)
    by_kind = {address.kind: address for address in addresses}
    for kind in OrderAddress.Kind.values:
        address = by_kind.get(kind, OrderAddress())
        found |= {f"{kind}-{name}": _place_text(address, name) for name in PLACE}
    return found


def overlaid(texts: Mapping[str, str], edit: OrderEdit, currency: str) -> dict[str, str]:
    """`texts` with what `edit` changes about them."""
    found = dict(texts)
    for line in edit.lines:
        if line.is_removed:
            found[f"line-{line.line_id}-removed"] = "on"
        for name in LINE:
            value = getattr(line, name)
            if value is not None and f"line-{line.line_id}-{name}" in found:
                found[f"line-{line.line_id}-{name}"] = _option_text(value) if name == "options" else _text(value, currency)
    for name, value in edit.columns.items():
        if name in found:
            found[name] = "" if name in TAKES_EMPTY and not value else _text(value, currency)
    for kind, rows in (("discount", edit.discounts), ("surcharge", edit.surcharges)):
        if rows is not None:
            found = {name: text for name, text in found.items() if not name.startswith(f"{kind}-")}
            found |= rows_texts(kind, rows, currency)
    for name, text in edit.addresses.items():
        kind, _dot, column = name.partition(".")
        if column not in ("state", "state_name"):
            found[f"{kind}-{column}"] = text
        elif column == "state_name" or text:
            found[f"{kind}-region"] = text
    return found


def data_of(texts: Mapping[str, str], edit: OrderEdit, variants: Mapping[int, Variant], currency: str) -> QueryDict:
    """The form as a browser would send it for `edit`: the texts, how sums are made, the added items."""
    data = QueryDict(mutable=True)
    data.update({name: text for name, text in texts.items() if text})
    data.update({name: getattr(edit, name) for name in MODES})
    data.update({"reason": edit.reason, "reverts": str(edit.reverts or ""), "restored": ",".join(map(str, edit.restored))})
    data.update(back_texts(edit))
    data.update({"items-TOTAL_FORMS": str(len(edit.added)), "items-INITIAL_FORMS": "0"})
    for index, row in enumerate(edit.added):
        data.update({f"items-{index}-{name}": str(text) for name, text in line_data(row, currency, variants).items()})
    return data


def _line_texts(line: OrderLine, currency: str) -> dict[str, str]:
    texts = {
        "quantity": str(line.quantity),
        "price": _text(line.price, currency),
        "discount": _text(line.line_discount, currency) if line.line_discount else "",
        "name": line.name,
        "sku": line.sku,
        "options": _option_text(line.options),
    }
    if line.variant_id is None:
        texts["vat_rate"] = format_number(line.vat_rate) if line.vat_rate is not None else ""
    return texts


def _place_text(address: OrderAddress, name: str) -> str:
    return (address.state_name or address.state) if name == "region" else str(getattr(address, name) or "")


def _option_text(options: Any) -> str:
    rows = [row for row in options if isinstance(row, dict) and row.get("value")]
    return "; ".join(f"{row['name']}: {row['value']}" if row.get("name") else str(row["value"]) for row in rows)


def _text(value: Any, currency: str) -> str:
    """A value as its field says it."""
    if isinstance(value, Decimal):
        return amount_text(value, currency)
    if isinstance(value, bool):
        return "on" if value else ""
    return "" if value is None else str(value)
