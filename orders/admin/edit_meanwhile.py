"""The form of an edit that somebody else saved meanwhile, or whose order got items that it does not show: brought up to date."""

from typing import Any

from django.http import QueryDict

from orders.admin.edit_sheet import opened_texts
from orders.admin.edit_texts import MODES, texts_of
from orders.admin.form_rows import drop_item, item_count
from orders.edits import OrderEdit
from orders.models import Order, OrderLine, OrderProposal
from orders.services.repricing import Content


def show_new_items(data: QueryDict, order: Order) -> bool:
    """Give the form the items that came onto the order since it was opened; False where there are none."""
    lines = _lines(order)
    new = [line for line in lines if f"line-{line.pk}-quantity" not in data]
    if new:
        _fill(data, new, _texts(order, lines))
    return bool(new)


def take_over(data: QueryDict, order: Order, saved: OrderProposal, latest_event: int) -> None:
    """Put what the person typed beside the saved edit onto the order as it is now: what the edit did is not wanted again."""
    done, opened, lines = OrderEdit.from_json(saved.body), opened_texts(data), _lines(order)
    texts = _texts(order, lines)
    new = [line for line in lines if f"line-{line.pk}-quantity" not in data]
    _fill(data, new, texts)
    for row in done.added:
        _move_row(data, row, new)
    rows = ("discount-", "surcharge-")
    for kind in rows:
        before = {name: text for name, text in opened.items() if name.startswith(kind)}
        if all(str(data.get(name, "")).strip() == text for name, text in before.items()):
            for name in [name for name in data if name.startswith(kind)]:
                del data[name]
            data.update({name: text for name, text in texts.items() if name.startswith(kind)})
    for name, text in texts.items():
        if not name.startswith(rows) and str(data.get(name, "")).strip() == opened.get(name, text):
            data[name] = text
    for name in [*MODES, "reverts", "return_id", "proposal", *(name for name in data if name.startswith("back-"))]:
        data.pop(name, None)
    if data.get("reason", "").strip() == done.reason:
        data["reason"] = ""
    data["version"], data["since"] = str(order.version), str(latest_event)


def _lines(order: Order) -> list[OrderLine]:
    lines = list(order.lines.filter(is_removed=False).select_related("variant").order_by("position", "id"))
    for line in lines:
        line.order = order
    return lines


def _texts(order: Order, lines: list[OrderLine]) -> dict[str, str]:
    addresses = list(order.addresses.all())
    return texts_of(Content.of(order, lines, addresses), addresses)


def _fill(data: QueryDict, new: list[OrderLine], texts: dict[str, str]) -> None:
    starts = tuple(f"line-{line.pk}-" for line in new)
    if starts:
        data.update({name: text for name, text in texts.items() if name.startswith(starts)})


def _move_row(data: QueryDict, row: Any, new: list[OrderLine]) -> None:
    """An item that the saved edit added is an item of the order now: what was typed in its row is typed in that of the order's."""
    for index in range(item_count(data)):
        name = f"items-{index}"
        if data.get(f"{name}-variant", "") != str(row.variant_id or "") or (not row.variant_id and data.get(f"{name}-name") != row.name):
            continue
        line = next((line for line in new if line.variant_id == row.variant_id and (row.variant_id or line.name == row.name)), None)
        if line is not None:
            new.remove(line)
            for part in ("quantity", "price"):
                if text := data.get(f"{name}-{part}", "").strip():
                    data[f"line-{line.pk}-{part}"] = text
        drop_item(data, index)
        return
