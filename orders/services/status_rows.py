"""Statuses of the shop's own: made from a built-in one, retired with a replacement (domain, section 1)."""

import re
from collections.abc import Mapping

from django.db import transaction
from django.utils.translation import gettext as _

from orders.choices import Axis
from orders.errors import InvalidWish
from orders.models import Order, Status
from orders.search import fold


def add_custom_status(base: Status, *, names: Mapping[str, str], tone: str) -> Status:
    """Make a status that does what `base` does under a name of its own. Raises InvalidWish without a name or for a custom base."""
    if base.is_custom:
        raise InvalidWish(_("Choose one of the built-in statuses."), field="base")
    names = {language: name.strip() for language, name in names.items() if name.strip()}
    if not names:
        raise InvalidWish(_("Give the status a name."), field="names")
    with transaction.atomic():
        last = Status.objects.filter(axis=base.axis).order_by("-position").first()
        return Status.objects.create(
            axis=base.axis,
            code=_free_code(base.axis, names),
            base=base,
            names=names,
            tone=tone,
            position=last.position + 1 if last else 0,
            **base.consequences(),
        )


def check_retirement(status: Status, replaced_by: Status | None) -> None:
    """Say why `status` can't leave the menus: it is a first status, or used and without a fitting replacement (InvalidWish)."""
    if status.is_initial:
        raise InvalidWish(_("Every new order starts with this status: it can't be retired."), field="is_active")
    if replaced_by is None and is_used(status):
        raise InvalidWish(_("Orders have this status: say which one replaces it."), field="replaced_by")
    if replaced_by is not None and (replaced_by.axis != status.axis or replaced_by.pk == status.pk or not replaced_by.is_active):
        raise InvalidWish(_("Choose an active status of the same axis."), field="replaced_by")


def is_used(status: Status) -> bool:
    """Whether an order has this status, deleted orders included."""
    column = "payment_status" if status.axis == Axis.PAYMENT else "fulfilment_status"
    return Order.objects.filter(**{column: status}).exists()


def _free_code(axis: str, names: Mapping[str, str]) -> str:
    name = names.get("en") or next(iter(names.values()))
    stem = re.sub(r"[^A-Z0-9]+", "_", fold(name).upper()).strip("_")[:50] or f"CUSTOM_{axis.upper()}"
    taken = set(Status.objects.filter(axis=axis, code__startswith=stem).values_list("code", flat=True))
    number = 2
    code = stem
    while code in taken:
        code, number = f"{stem}_{number}", number + 1
    return code
