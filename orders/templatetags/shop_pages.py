"""How the forms of the shop's pages are written: a field with its label, hint and error, in the look's classes."""

from typing import Any

from django import forms, template
from django.contrib.admin.views.main import ChangeList
from django.forms.boundfield import BoundField

from orders.models import Draft, Role, StockMovement
from orders.roles import BY_CODE, role_name

register = template.Library()


def _widget_class(widget: forms.Widget) -> str:
    if isinstance(widget, forms.CheckboxInput):
        return ""
    if isinstance(widget, forms.Textarea):
        return "textarea"
    return "select" if isinstance(widget, forms.Select) else "input"


@register.simple_tag
def control(bound: BoundField, **attrs: Any) -> str:
    """The bare input of a field, wired to its hint and error. `label` names it where no label is shown."""
    shape = attrs.pop("shape", "")
    label = attrs.pop("label", "")
    widget = bound.field.widget
    wanted = {name.replace("_", "-"): value for name, value in attrs.items() if value not in ("", None, False)}
    wanted["class"] = " ".join(part for part in (_widget_class(widget), shape, widget.attrs.get("class", "")) if part)
    if label:
        wanted["aria-label"] = label
    described = [f"{bound.auto_id}-hint"] if bound.help_text else []
    if bound.errors:
        wanted["aria-invalid"] = "true"
    wanted["aria-describedby"] = " ".join([*described, f"{bound.auto_id}-error"])
    return bound.as_widget(attrs=wanted)


@register.inclusion_tag("admin/orders/shop/field.html")
def field(bound: BoundField, **attrs: Any) -> dict[str, Any]:
    """A field with label, hint and error; a tick stands before its label."""
    is_tick = isinstance(bound.field.widget, forms.CheckboxInput)
    return {
        "bound": bound,
        "attrs": attrs,
        "is_tick": is_tick,
        "hint": attrs.pop("hint", "") or bound.help_text,
        "shape": attrs.pop("shape", ""),
        "placeholder": attrs.pop("placeholder", ""),
    }


@register.inclusion_tag("admin/orders/shop/error.html")
def field_error(bound: BoundField, *, swap: bool = False) -> dict[str, Any]:
    """The place of a field's error, filled or empty; with `swap` it replaces the one on the page."""
    return {"bound": bound, "swap": swap}


@register.filter
def minus(number: int) -> str:
    """A count with the minus of typography."""
    return f"\u2212{-number}" if number < 0 else str(number)


@register.filter
def signed(number: int) -> str:
    """A change of a count: +5, −2; nothing for 0."""
    return "" if not number else (f"+{number}" if number > 0 else f"\u2212{-number}")


@register.filter
def negative(number: Any) -> Any:
    return -number


@register.simple_tag
def choices_of(cl: ChangeList, spec: Any) -> list[dict[str, Any]]:
    """The choices of a list's filter, each with the address that chooses it."""
    return list(spec.choices(cl))


@register.simple_tag
def page_link(cl: ChangeList, step: int) -> str:
    """The address of the page before or after this one."""
    return cl.get_query_string({"p": cl.page_num + step})


@register.filter
def pieces(draft: Draft) -> int:
    """How many pieces a draft holds."""
    return sum(int(line.get("quantity") or 0) for line in draft.body.get("lines", ()))


@register.filter
def available_after(movement: StockMovement) -> int:
    """What could be sold after a movement."""
    return movement.on_hand_after - movement.committed_after


@register.filter
def left_over(product: Any) -> int:
    """What can be sold of all variants of a product of the list."""
    return (product.on_hand or 0) - (product.committed or 0)


@register.simple_tag
def role_words(role: Role) -> dict[str, Any]:
    """A role's name and purpose in the reader's language."""
    built_in = BY_CODE.get(role.code)
    return {"name": role_name(role.group.name, role.code), "purpose": built_in.purpose if built_in else ""}
