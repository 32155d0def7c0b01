"""Smaller changes of a placed order: quantity of a line, notes, hold, details, tags."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from orders.errors import InvalidWish
from orders.models import Note, Order, OrderEvent
from orders.services.payments import refunded_pieces
from orders.services.plan import OneOrderWish, OrdersWish, PlannedChange, World
from orders.services.pricing import priced_again
from orders.services.stock import Pieces

EDITABLE = frozenset({"no_customer_mail", "assignee_id", "follow_up_on", "delivery_on", "pickup_at"})
NOTE_LENGTH = 10_000


@dataclass(kw_only=True)
class QuantityWish(OneOrderWish):
    """Set the quantity of one line; totals and VAT follow, prices, discounts and shipping are kept."""

    line_id: int
    quantity: int
    reason: str = ""

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """Raises StaleOrder, NotAllowed without orders.change_order, InvalidWish below what was shipped, returned or refunded."""
        self.check_version(order)
        self.require("orders.change_order", _("You may not edit orders."))
        change = world.change_of(order, OrderEvent.Kind.EDIT)
        change.reason = self.reason
        line = next((line for line in change.lines if line.pk == self.line_id), None)
        if line is None:
            raise InvalidWish(_("This item is not on the order."), field="line")
        if self.quantity == line.quantity:
            return change
        pieces = Pieces.of(line)
        refunded = refunded_pieces(order.pk).get(line.pk, 0)
        fixed = max(pieces.shelf + pieces.lost + pieces.shipped_open, pieces.shipped, refunded, 1)
        if not fixed <= self.quantity <= 1_000_000:
            raise InvalidWish(
                _("%(name)s: at least %(least)d, because that many were shipped, returned or refunded.")
                % {"name": line.name, "least": fixed},
                field="quantity",
            )
        changed = copy.copy(line)
        changed.quantity = self.quantity
        after = [changed if other is line else other for other in change.lines]
        change.quantities[line.pk] = self.quantity
        for name, new in priced_again(order, change.lines, after, world).items():
            old = getattr(order, name)
            if old != new:
                change.fields[name] = (old, new)
        if change.after("total") < 0:
            raise InvalidWish(_("The discounts would be higher than the items."), field="quantity")
        return change


@dataclass(kw_only=True)
class NoteWish(OneOrderWish):
    """Add a staff note; customers never see it."""

    text: str
    parent_id: int | None = None

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """Raises NotAllowed without orders.change_order, InvalidWish for an empty or overlong note."""
        self.require("orders.change_order", _("You may not edit orders."))
        text = self.text.strip()
        if not text or len(text) > NOTE_LENGTH:
            raise InvalidWish(_("Write a note of 1 to %(most)d characters.") % {"most": NOTE_LENGTH}, field="text")
        change = world.change_of(order, OrderEvent.Kind.NOTE)
        if self.parent_id and not Note.objects.filter(pk=self.parent_id, order=order).exists():
            raise InvalidWish(_("The note you answer is not on this order."), field="parent")
        change.notes.append(Note(author=self.actor.user, author_name=self.actor.name, text=text, parent_id=self.parent_id, at=world.now))
        return change


@dataclass(kw_only=True)
class HoldWish(OrdersWish):
    """Put orders on hold with a reason, or take them off. A held order stays out of packing lists; no status changes."""

    held: bool
    reason: str = ""

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """Raises NotAllowed without orders.change_order, InvalidWish for a hold without a reason."""
        self.require("orders.change_order", _("You may not edit orders."))
        if self.held and not self.reason.strip():
            raise InvalidWish(_("Say why the order is put on hold."), field="reason")
        change = world.change_of(order, OrderEvent.Kind.HOLD)
        reason = self.reason.strip()[:400] if self.held else ""
        for name, new in (("is_held", self.held), ("hold_reason", reason)):
            if getattr(order, name) != new:
                change.fields[name] = (getattr(order, name), new)
        return change


@dataclass(kw_only=True)
class DetailsWish(OrdersWish):
    """Change details that move neither money nor stock (`EDITABLE` columns), and tags."""

    values: Mapping[str, Any] = field(default_factory=dict)
    add_tags: Sequence[str] = ()
    remove_tags: Sequence[str] = ()

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """Raises StaleOrder, NotAllowed without orders.change_order, InvalidWish for a column that is not a detail."""
        self.check_version(order)
        self.require("orders.change_order", _("You may not edit orders."))
        change = world.change_of(order, OrderEvent.Kind.DETAILS)
        for name, new in self.values.items():
            if name not in EDITABLE:
                raise InvalidWish(_("This can't be changed here."), field=name)
            if getattr(order, name) != new:
                change.fields[name] = (getattr(order, name), new)
        present = set(order.tags.values_list("name", flat=True)) if self.add_tags or self.remove_tags else set()
        names = [name.strip()[:60] for name in self.add_tags if name.strip()]
        if add := [name for name in names if name not in present]:
            change.facts["add_tags"] = add
        if remove := [name for name in self.remove_tags if name in present]:
            change.facts["remove_tags"] = remove
        return change
