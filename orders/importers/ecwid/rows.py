"""Turns the facts of a document into rows of an order: what is stored of it, and what is checked of its sums."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

from orders.drafts import DraftDiscount, DraftLine, DraftSurcharge, OrderDraft, StoredTotals
from orders.importers.ecwid.document import EcwidDocument, StatedRefund
from orders.models import Order, OrderAddress, OrderDiscount, OrderLine, OrderSurcharge, Refund
from orders.money import exponent, quantum
from orders.services.pricing import expected_total

REST_PREFIX = "ecwid-rest-"


def order_values(document: EcwidDocument) -> dict[str, Any]:
    """Columns of the order that the document decides; what it does not name stays as it is."""
    values = dict(document.values)
    people = [document.addresses[kind] for kind in ("billing", "shipping") if kind in document.addresses]
    if people:
        values["customer_name"] = next((p.name or p.company for p in people if p.name or p.company), "")
        values["phone"] = next((p.phone for p in people if p.phone), "")
    if document.updated_at is not None:
        values["source_updated_at"] = document.updated_at
    return values


def new_order_values(document: EcwidDocument, *, currency: str, now: datetime) -> dict[str, Any]:
    """Columns of an order or cart that is seen for the first time."""
    placed = document.updated_at or now
    return {"currency": currency, "placed_at": placed, "total": Decimal(0)} | order_values(document)


def check_totals(order: Order, document: EcwidDocument) -> list[str]:
    """Both checks of the sums (domain, section 3): what does not hold, in figures. The stored totals stay."""
    found = []
    computed = sum((row.values["price"] * row.values["quantity"] for row in document.lines), Decimal(0))
    step = quantum(exponent(order.currency))
    if "subtotal" in document.values and abs(computed - order.subtotal) >= step:
        found.append(f"subtotal: {_figure(order.subtotal)} ≠ {_figure(computed)}")
    if expected_total(order) != order.total:
        found.append(f"total: {_figure(order.total)} ≠ {_figure(expected_total(order))}")
    return found


def _figure(amount: Decimal) -> str:
    text = format(amount.normalize(), "f")
    return text if amount != amount.to_integral_value() else format(amount.quantize(Decimal(1)), "f")


def line_values(values: Mapping[str, Any], order: Order) -> dict[str, Any]:
    """Columns of one order line."""
    found = dict(values)
    found.setdefault("price_includes_tax", order.prices_include_tax)
    found.setdefault("vat_rate", None)
    found["vat_category"] = "AE" if order.reverse_charge and not values["other_taxes"] else ""
    if found["vat_category"]:
        found["vat_rate"] = Decimal(0)
    return found


def addresses_of(document: EcwidDocument, order: Order) -> list[OrderAddress]:
    return [OrderAddress(order=order, kind=kind, **asdict(person)) for kind, person in document.addresses.items()]


def discounts_of(document: EcwidDocument, order: Order) -> list[OrderDiscount]:
    return [OrderDiscount(order=order, **row.values) for row in document.discounts]


def surcharges_of(document: EcwidDocument, order: Order) -> list[OrderSurcharge]:
    return [OrderSurcharge(order=order, **row.values) for row in document.surcharges]


def refund_key(refund: StatedRefund, copy: int) -> str:
    """Identifies a refund of a document: the same one in a later document is not a second refund."""
    words = f"{refund.at.isoformat() if refund.at else ''}|{refund.amount}|{refund.source}|{copy}"
    return f"ecwid-{hashlib.sha256(words.encode()).hexdigest()[:32]}"


def missing_refunds(document: EcwidDocument, known: Mapping[str, Decimal], *, now: datetime) -> list[Refund]:
    """Refunds that the document states and that are not stored yet. `known`: amounts by client key.

    A document may state the sum only; what its rows do not explain becomes one row, and rows that explain it later add nothing.
    """
    rest = sum((amount for key, amount in known.items() if key.startswith(REST_PREFIX)), Decimal(0))
    stated = sum((amount for key, amount in known.items() if key.startswith("ecwid-")), Decimal(0))
    found: list[Refund] = []
    copies: dict[tuple[object, ...], int] = {}
    for row in document.refunds:
        same = (row.at, row.amount, row.source)
        copies[same] = copies.get(same, 0) + 1
        key = refund_key(row, copies[same])
        if key in known:
            continue
        if row.amount <= rest:
            rest -= row.amount
            continue
        found.append(Refund(client_key=key, amount=row.amount, reason=row.reason, refunded_at=row.at or now))
        stated += row.amount
    if document.refunded_amount > stated:
        difference = document.refunded_amount - stated
        found.append(
            Refund(client_key=f"{REST_PREFIX}{document.content_hash[:32]}", amount=difference, refunded_at=document.updated_at or now)
        )
    return found


def draft_of(document: EcwidDocument, values: Mapping[str, Any]) -> OrderDraft:
    """An unfinished cart, or an order to be placed, as a draft; its own totals are kept."""
    copied = (
        "customer_name",
        "email",
        "phone",
        "customer_group",
        "language",
        "tax_id",
        "tax_id_valid",
        "tax_exempt",
        "reverse_charge",
        "accepts_marketing",
        "no_customer_mail",
        "ip_address",
        "currency",
        "prices_include_tax",
        "coupon_code",
        "gift_card_amount",
        "gift_card_code",
        "shipping_method",
        "shipping_carrier",
        "handling_fee",
        "delivery_kind",
        "delivery_instructions",
        "pickup_at",
        "pickup_until",
        "delivery_on",
        "payment_method",
        "payment_module",
        "payment_message",
        "po_number",
        "customer_comment",
        "provenance",
        "additional",
    )
    return OrderDraft(
        **{name: values[name] for name in copied if name in values},
        lines=tuple(_draft_line(row.values) for row in document.lines),
        billing=document.addresses.get("billing"),
        shipping=document.addresses.get("shipping"),
        discounts=_draft_discounts(document, values),
        surcharges=tuple(
            DraftSurcharge(**{k: v for k, v in row.values.items() if k in ("label", "amount", "kind", "vat_rate")})
            for row in document.surcharges
        ),
        shipping_cost=values.get("shipping_cost"),
        extra_fields=tuple(values.get("extra_fields", ())),
        staff_note=document.staff_note,
        totals=stored_totals(document),
    )


def stored_totals(document: EcwidDocument) -> StoredTotals | None:
    """The totals that the document states, where it states them."""
    if "total" not in document.values or "subtotal" not in document.values:
        return None
    names = ("subtotal", "total", "tax", "discount", "coupon_discount")
    return StoredTotals(**{name: document.values.get(name, Decimal(0)) for name in names})


def _draft_discounts(document: EcwidDocument, values: Mapping[str, Any]) -> tuple[DraftDiscount, ...]:
    """Discounts in amounts that sum to what the document takes off."""
    rows = [
        DraftDiscount(
            label=row.values["label"],
            kind="ABS",
            value=row.values["amount"],
            base=row.values["base"],
            is_coupon=row.values["base"] == "COUPON",
        )
        for row in document.discounts
        if row.values["amount"]
    ]
    for column, is_coupon in (("discount", False), ("coupon_discount", True)):
        stated = values.get(column, Decimal(0))
        if sum((row.value for row in rows if row.is_coupon is is_coupon), Decimal(0)) != stated:
            rows = [row for row in rows if row.is_coupon is not is_coupon]
            if stated:
                rows.append(DraftDiscount(value=stated, base="COUPON" if is_coupon else "CUSTOM", is_coupon=is_coupon))
    return tuple(rows)


def _draft_line(values: Mapping[str, Any]) -> DraftLine:
    copied = (
        "name",
        "quantity",
        "price",
        "sku",
        "vat_rate",
        "price_includes_tax",
        "weight",
        "is_digital",
        "requires_shipping",
        "external_id",
    )
    return DraftLine(
        **{name: values[name] for name in (*copied, "product_external_id", "image_url", "additional") if name in values},
        options=tuple(values["options"]),
        attributes=tuple(values["attributes"]),
    )


def line_rows(document: EcwidDocument, order: Order) -> list[OrderLine]:
    return [OrderLine(order=order, position=index, **line_values(row.values, order)) for index, row in enumerate(document.lines)]
