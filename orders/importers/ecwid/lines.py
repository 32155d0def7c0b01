"""Reads the items of a document."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.translation import gettext as _

from orders.importers.ecwid.document import Row
from orders.importers.ecwid.fields import COLUMN, Fields, plain
from orders.services.pricing import MOST_LINES


def read_lines(fields: Fields, warnings: list[str], *, is_wish: bool = False) -> tuple[Row, ...]:
    """The items as columns of order lines. No item, or more than an order may hold, is a problem of the document."""
    path, value = fields.take("items")
    if value is None or value == []:
        fields.problems.add(path, _("the order has no items"))
        return ()
    if not isinstance(value, list):
        fields.problems.expected(path, _("a list of items"), value)
        return ()
    if len(value) > MOST_LINES:
        fields.problems.add(path, _("%(count)d items, at most %(most)d are allowed") % {"count": len(value), "most": MOST_LINES})
        return ()
    return tuple(Row(_line(item, warnings, is_wish=is_wish)) for item in fields.objects("items"))


def _line(item: Fields, warnings: list[str], *, is_wish: bool) -> dict[str, Any]:
    quantity = item.count("quantity", "amount")
    if quantity is None and not any(line.startswith((f"{item.path}.quantity", f"{item.path}.amount")) for line in item.problems.lines):
        item.problems.add(f"{item.path}.quantity", _("missing"))
    number = item.number("price")
    price = None if number is None else number.quantize(COLUMN, rounding=ROUND_HALF_UP)
    if price is not None and price < 0:
        item.problems.expected(f"{item.path}.price", _("an amount of 0 or more"), price.normalize())
    sku = item.text("sku", limit=200)
    by_catalogue = is_wish and bool(sku)
    if number is None and not by_catalogue and not any(line.startswith(f"{item.path}.price:") for line in item.problems.lines):
        item.problems.add(f"{item.path}.price", _("missing"))
    name = item.text("name", limit=500) or ("" if by_catalogue else sku)
    if not name and not by_catalogue:
        item.problems.add(f"{item.path}.name", _("missing"))
    is_shipped = item.flag("isShippingRequired", "tangible")
    is_digital = bool(item.flag("digital"))
    taxes = [plain(row) for row in item.values("taxes") if isinstance(row, dict)]
    values: dict[str, Any] = {
        "external_id": item.text("id", limit=80),
        "product_external_id": _known_id(item.text("productId", limit=80)),
        "sku": sku,
        "name": name,
        "quantity": quantity or 1,
        "price": price,
        "product_price": item.amount("productPrice"),
        "cost": item.amount("cost", "costPrice"),
        "weight": _weight(item),
        # Ecwid calls digital whatever has files; what is shipped as well is goods to us.
        "is_digital": is_digital and is_shipped is not True,
        "requires_shipping": not is_digital if is_shipped is None else is_shipped,
        "tax": item.amount("tax") or Decimal(0),
        "other_taxes": taxes,
        "coupon_share": item.amount("couponAmount") or Decimal(0),
        "discounts": [plain(row) for row in item.values("discounts")],
        "options": [_option(row) for row in item.objects("selectedOptions")],
        "attributes": [plain(row) for row in item.values("attributes")],
        "downloads": [plain(row) for row in item.values("files")],
        "image_url": item.text("imageUrl", "thumbnailUrl", limit=600),
    }
    values["discount_share"] = sum((_amount_of(row) for row in values["discounts"]), Decimal(0))
    _read_taxes(values, taxes, item.path, warnings)
    if number is not None and price is not None and number != price:
        item.clipped["price"] = format(number, "f")
    values["additional"] = item.rest()
    return values


def _read_taxes(values: dict[str, Any], taxes: list[dict[str, Any]], path: str, warnings: list[str]) -> None:
    if len(taxes) > 1:
        warnings.append(_("%(path)s.taxes: two taxes on one item, no invoice can be made of it") % {"path": path})
    included = [row.get("includeInPrice") for row in taxes]
    if included and all(flag is not None for flag in included):
        values["price_includes_tax"] = all(flag is True for flag in included)
    if len(taxes) == 1:
        try:
            rate = Decimal(str(taxes[0].get("value")))
        except ArithmeticError:
            return
        if rate.is_finite() and 0 <= rate < 1000:
            values["vat_rate"] = rate


def _option(row: Fields) -> dict[str, Any]:
    option = {"name": row.text("name", limit=400), "value": row.text("value", limit=4_000)}
    rest = row.rest()
    if not option["value"]:
        names = [str(file.get("name")) for file in rest.get("files", []) if isinstance(file, dict)]
        option["value"] = ", ".join(names or [str(part) for part in rest.get("valuesArray", [])])
    return {**option, **rest}


def _amount_of(row: Any) -> Decimal:
    try:
        amount = Decimal(str(row.get("total", 0))) if isinstance(row, dict) else Decimal(0)
    except ArithmeticError:
        return Decimal(0)
    return amount.quantize(Decimal("0.0001")) if amount.is_finite() and 0 <= amount < Decimal(10) ** 11 else Decimal(0)


def _weight(item: Fields) -> Decimal | None:
    weight = item.amount("weight")
    return weight if weight is None or weight < 10_000_000 else None


def _known_id(text: str) -> str:
    """A product id; 0 marks an item that was typed by hand."""
    return "" if text == "0" else text
