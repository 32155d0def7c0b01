"""Values of an order that have no field of their own: what an import brought, flattened to names and texts."""

from typing import Any

from django.utils.translation import gettext as _

from orders.admin.effects import in_words


def extra_fields(rows: Any) -> list[tuple[str, str, str]]:
    """Fields that the shop added to its checkout, as title, value and where they show; empty ones left out."""
    found = []
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and row.get("value"):
            title = str(row.get("title") or row.get("name") or row.get("id") or "")
            found.append((title, str(row["value"]), ", ".join(_shown_in(row))))
    return found


def _shown_in(row: dict[str, Any]) -> list[str]:
    section = str(row.get("section") or "")
    sections = {"billing_info": _("with the payment"), "shipping_info": _("with the delivery"), "customer_info": _("with the customer")}
    words = [sections.get(section.casefold(), section.replace("_", " "))] if section else []
    words += [_("in e-mails")] if row.get("in_mails") else []
    return words + ([_("on paper")] if row.get("on_paper") else [])


def facts_of(value: Any) -> list[tuple[str, str]]:
    """Imported values that have no field of their own, flattened to name and text, empty ones left out."""
    return [(name, text) for name, text in _flat("", value) if text.strip()]


def _flat(name: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [row for key, item in value.items() for row in _flat(f"{name}.{key}" if name else str(key), item)]
    if isinstance(value, list):
        if all(not isinstance(item, (dict, list)) for item in value):
            return [(name, ", ".join(in_words(item) for item in value if item is not None))]
        return [row for position, item in enumerate(value, 1) for row in _flat(f"{name} {position}", item)]
    return [(name, in_words(value))]
