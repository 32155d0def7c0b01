"""Tables of a mail: items, sums, refunded pieces, files, stock."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from notifications.blocks import Block
from notifications.telling.voice import Voice, options_of, rows_of, safe_url
from orders.models import OrderSurcharge
from orders.money import format_number, format_percent

MOST_LINES = 40  # beyond that Gmail would cut the mail


def lines_table(voice: Voice, title: str, *, with_amounts: bool, with_sku: bool = False) -> Block:
    """The items of the order."""
    rows = []
    for line in voice.story.lines[:MOST_LINES]:
        quantity = voice.pieces(line)
        details = [line.sku if with_sku else "", options_of(line, voice.language)]
        rows.append(
            {
                "name": line.name,
                "option": " · ".join(part for part in details if part),
                "quantity": quantity,
                "amount": voice.money(line.price * quantity) if with_amounts else "",
            }
        )
    return table(voice, title, rows, left_out=len(voice.story.lines) - len(rows), with_amounts=with_amounts, totals_follow=with_amounts)


def table(voice: Voice, title: str, rows: list[dict[str, Any]], *, left_out: int, with_amounts: bool, totals_follow: bool) -> Block:
    """A table of items; `left_out` more are named under it, not listed."""
    if left_out > 0:
        text = voice.words["more_item"] if left_out == 1 else voice.words["more_items"].format(count=left_out)
        rows.append({"name": text, "option": "", "quantity": "", "amount": ""})
    amount = voice.words["amount_gross" if voice.order.prices_include_tax else "amount"] if with_amounts else ""
    values = {
        "title": title,
        "head_item": title,
        "head_quantity": voice.words["quantity"],
        "head_amount": amount,
        "rows": rows,
        "totals_follow": totals_follow,
    }
    return Block("lines", values, shows=bool(rows))


def totals_block(voice: Voice) -> Block:
    """The sums under the items, down to the total."""
    story, order, words = voice.story, voice.order, voice.words
    shipping = words["shipping_named"].format(name=order.shipping_method) if order.shipping_method else words["shipping"]
    rows = [
        *discount_rows(voice),
        (shipping, order.shipping_cost),
        (words["handling"], order.handling_fee),
        *surcharge_rows(voice),
        ("" if order.prices_include_tax else words["tax"], story.tax),
        (words["gift_card"], -order.gift_card_amount),
    ]
    shown = [{"label": label, "amount": voice.money(amount)} for label, amount in rows if label and amount]
    if shown:
        subtotal = sum((line.price * voice.pieces(line) for line in story.lines), Decimal(0))
        shown.insert(0, {"label": words["subtotal"], "amount": voice.money(subtotal)})
    gross = order.prices_include_tax and story.tax
    values = {
        "rows": shown,
        "total_label": words["total_gross" if gross else "total"],
        "total": voice.money(story.total),
        "note": words["including_tax"].format(tax=voice.money(story.tax)) if gross else "",
    }
    return Block("totals", values)


def discount_rows(voice: Voice) -> Iterable[tuple[str, Decimal]]:
    """Discounts with their names, negative."""
    story, order = voice.story, voice.order
    rows: Sequence[Any] = story.discounts
    told = sum((row.amount for row in rows), Decimal(0))
    for row in rows:
        name = order.coupon_code if row.base == "COUPON" and order.coupon_code else row.label
        label = voice.words["discount_named"].format(name=name) if name else voice.words["discount"]
        rate = f", {format_percent(row.value, voice.language)}" if row.kind == "PERCENT" and row.value else ""
        yield label + rate, -row.amount
    # What no row explains: discounts of single items, or a stored total without its parts.
    name = order.coupon_code if not rows else ""
    label = voice.words["discount_named"].format(name=name) if name else voice.words["discount"]
    yield label, told - order.discount - order.coupon_discount


def surcharge_rows(voice: Voice) -> Iterable[tuple[str, Decimal]]:
    """Surcharges and tips with their names."""
    rows, order = voice.story.surcharges, voice.order
    for row in rows:
        yield row.label or voice.words["tip" if row.kind == OrderSurcharge.Kind.TIP else "surcharge"], row.amount
    if not rows:
        yield voice.words["surcharge"], order.surcharges_total
        yield voice.words["tip"], order.tips_total


def refund_facts(voice: Voice) -> dict[str, Any]:
    """What is given back: pieces, sum, means."""
    words, story = voice.words, voice.story
    refund, refund_rows = story.refund or (None, ())
    amount = voice.money(refund.amount) if refund else ""
    method = (refund.method or voice.pays_by) if refund else ""
    rows = [
        {
            "name": row.line.name,
            "option": options_of(row.line, voice.language),
            "quantity": row.quantity,
            "amount": voice.money(row.amount),
        }
        for row in refund_rows[:MOST_LINES]
    ]
    told = sum((row.amount for row in refund_rows), Decimal(0)) + (refund.shipping if refund else 0)
    pairs = [(words["shipping"], refund.shipping), (words["adjustment"], refund.amount - told if refund_rows else 0)] if refund else []
    parts = [{"label": label, "amount": voice.money(amount)} for label, amount in pairs if amount]
    rest = voice.money(story.paid - story.refunded)
    totals = {
        "rows": parts,
        "alone": not rows,
        "total_label": words["refunded"],
        "total": amount,
        "note": words["refund_of"].format(paid=voice.money(story.paid), rest=rest),
    }
    facts = rows_of((words["method"], method), (words["delay"], refund.reason if refund else ""))
    return {
        "amount": amount,
        "method": method,
        "reason": refund.reason.strip() if refund else "",
        "lines_table": table(
            voice, words["refunded_items"], rows, left_out=len(refund_rows) - len(rows), with_amounts=True, totals_follow=True
        ),
        "totals": Block("totals", totals, shows=refund is not None),
        "facts": Block("facts", {"rows": facts}, shows=bool(facts)),
    }


def stock_block(voice: Voice) -> Block:
    """What is left of the items, for staff."""
    rows = []
    for sku, available, limit in voice.story.available[:MOST_LINES]:
        text = voice.words["available" if limit is None else "available_limit"].format(available=available, limit=limit)
        rows.append({"label": sku, "value": text})
    return Block("facts", {"title": voice.words["stock_after"], "rows": rows}, shows=bool(rows))


def files_block(voice: Voice) -> Block:
    """Files with their links."""
    rows = [
        {"name": file.name, "detail": file_size(voice, file.size), "action": voice.words["download"], "url": safe_url(file.url)}
        for file in voice.story.files
    ]
    return Block("files", {"title": voice.words["files"], "rows": rows}, shows=bool(rows))


def file_size(voice: Voice, size: int) -> str:
    """12 kB, 1.2 MB; nothing where the size is not known."""
    if not size:
        return ""
    if size >= 1_000_000:
        return voice.words["megabytes"].format(size=format_number(Decimal(size) / 1_000_000, voice.language, decimals=1))
    return voice.words["kilobytes"].format(size=format_number(max(Decimal(size) / 1000, Decimal(1)), voice.language, decimals=0))


def document_facts(voice: Voice) -> dict[str, Any]:
    """The documents that come with the mail; the first gives it its name."""
    names = [voice.words[kind] for kind in voice.story.attached]
    rows = [{"name": name, "detail": "PDF"} for name in names]
    return {
        "name": next(iter(names), ""),
        "is_credit_note": voice.story.attached[:1] == ("credit_note",),
        "attachment": Block("files", {"title": voice.words["attachment"], "rows": rows}, shows=bool(rows)),
    }
