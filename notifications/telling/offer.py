"""The facts of the mail that brings a quote."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from invoices.wording import long_date
from notifications.blocks import Block
from notifications.telling import places, tables
from notifications.telling.voice import count_of, options_of, safe_url
from notifications.wording import WORDS
from orders.models import Order, OrderLine, Shop
from orders.money import format_money


def quote_facts(
    order: Order, lines: Sequence[OrderLine], *, until: datetime, shop: Shop, language: str, message: str = ""
) -> dict[str, Any]:
    """The facts of a quote: `order` and `lines` as they would be placed now, unsaved."""
    words = WORDS[language]

    def money(amount: Decimal) -> str:
        return format_money(amount, order.currency, language)

    rows = [
        {"name": line.name, "option": options_of(line, language), "quantity": line.quantity, "amount": money(line.amount)}
        for line in lines[: tables.MOST_LINES]
    ]
    table = {
        "title": words["in_quote"],
        "head_item": words["in_quote"],
        "head_quantity": words["quantity"],
        "head_amount": words["amount"],
        "rows": rows,
        "totals_follow": True,
    }
    between = [
        (words["discount"], -order.discount - order.coupon_discount),
        (words["shipping"], order.shipping_cost),
        (words["surcharge"], order.surcharges_total + order.handling_fee),
        (words["tip"], order.tips_total),
        (words["tax"], Decimal(0) if order.prices_include_tax else order.tax),
    ]
    shown = [{"label": label, "amount": money(amount)} for label, amount in between if amount]
    if shown:
        shown.insert(0, {"label": words["subtotal"], "amount": money(order.subtotal)})
    gross = order.prices_include_tax and order.tax
    totals = {
        "rows": shown,
        "total_label": words["total_gross" if gross else "total"],
        "total": money(order.total),
        "note": words["including_tax"].format(tax=money(order.tax)) if gross else "",
    }
    quote = {
        "count": count_of(words, "item", sum(line.quantity for line in lines), language),
        "total": money(order.total),
        "until": long_date(until.astimezone(ZoneInfo(shop.time_zone)).date(), language),
        "lines_table": Block("lines", table, shows=bool(rows)),
        "totals": Block("totals", totals),
        "attachment": Block("files", {"title": words["attachment"], "rows": [{"name": words["quote_reference"], "detail": "PDF"}]}),
    }
    seller = {
        "name": shop.name,
        "phone": shop.phone,
        "email": shop.email,
        "website": safe_url(shop.website),
        "address": places.shop_address(shop),
    }
    customer = {"name": order.customer_name.strip(), "email": order.email, "phone": order.phone}
    lists: dict[str, list[Any]] = {"items": [], "taxes": [], "shipments": []}
    return {"shop": seller, "customer": customer, "quote": quote, "message": message.strip()} | lists
