"""Smaller changes of a placed order: notes, hold, details, tags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _

from orders.errors import InvalidWish
from orders.models import Note, NoteFile, NoteMention, Order, OrderEvent
from orders.people import mentioned, readers_of_orders
from orders.services.plan import OneOrderWish, OrdersWish, PlannedChange, World

EDITABLE = frozenset({"no_customer_mail", "assignee_id", "follow_up_on", "delivery_on", "pickup_at"})
NOTE_LENGTH = 10_000
MOST_FILES = 10
TWICE = timedelta(seconds=20)  # the same note by the same person within this time is a second click


@dataclass(frozen=True)
class StoredFile:
    """A file that lies in the storage already and is to belong to a note."""

    path: str
    name: str
    size: int
    content_type: str = ""


@dataclass(kw_only=True)
class NoteWish(OneOrderWish):
    """Add a staff note with its files; customers never see it. Colleagues whom it names with @ are mentioned: they get a mail."""

    text: str
    parent_id: int | None = None
    files: Sequence[StoredFile] = ()

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """Raises NotAllowed without orders.add_note, InvalidWish for an empty or overlong note. The same note at once is one note."""
        self.require("orders.add_note", _("You may not write notes."))
        text = self.text.strip()
        if not text or len(text) > NOTE_LENGTH:
            raise InvalidWish(_("Write a note of 1 to %(most)d characters.") % {"most": NOTE_LENGTH}, field="text")
        if len(self.files) > MOST_FILES:
            raise InvalidWish(_("Attach at most %(most)d files.") % {"most": MOST_FILES}, field="files")
        change = world.change_of(order, OrderEvent.Kind.NOTE)
        if self.parent_id and not Note.objects.filter(pk=self.parent_id, order=order).exists():
            raise InvalidWish(_("The note you answer is not on this order."), field="parent")
        if self._is_second_click(order, text, world):
            return change
        note = Note(author=self.actor.user, author_name=self.actor.name, text=text, parent_id=self.parent_id, at=world.now)
        change.notes.append(note)
        people = mentioned(text, readers_of_orders()) if "@" in text else []
        change.mentions = [NoteMention(note=note, user=person) for person in people if person != self.actor.user]
        change.files = [
            NoteFile(note=note, file=file.path, name=file.name, size=file.size, content_type=file.content_type) for file in self.files
        ]
        return change

    def _is_second_click(self, order: Order, text: str, world: World) -> bool:
        if self.actor.user is None:
            return False
        same = Note.objects.filter(order=order, author=self.actor.user, text=text, parent=self.parent_id)
        return same.filter(at__gt=world.now - TWICE).exists()


@dataclass(kw_only=True)
class HoldWish(OrdersWish):
    """Put orders on hold with a reason, or take them off. A held order stays out of packing lists; no status changes."""

    held: bool
    reason: str = ""

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """Raises NotAllowed without orders.change_order (who may ship may hold, not release), InvalidWish for a hold without a reason."""
        if not (self.held and self.actor.may("orders.ship_order")):
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
        present = world.tags_of(order) if self.add_tags or self.remove_tags else set()
        names = [name.strip()[:60] for name in self.add_tags if name.strip()]
        if add := [name for name in names if name not in present]:
            change.facts["add_tags"] = add
        if remove := [name for name in self.remove_tags if name in present]:
            change.facts["remove_tags"] = remove
        return change
