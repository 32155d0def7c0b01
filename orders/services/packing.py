"""Packing an order piece by piece: who is at it, what is in the box, and the wish that closes the parcel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.errors import InvalidWish, OrderError
from orders.finding import split_count
from orders.models import Order, OrderLine, Packing, Variant
from orders.people import name_of
from orders.services.fulfilment import ShipmentWish
from orders.services.plan import OneOrderWish, PlannedChange, World
from orders.services.status import StatusWish
from orders.services.stock import Pieces

CLAIM = timedelta(minutes=15)  # without a scan or a click for so long, somebody else may take the order


class AtAnotherTable(OrderError):
    """Somebody else packs the order."""

    code = "at_another_table"


class WrongItem(OrderError):
    """What was scanned does not belong in this box; nothing was counted."""

    code = "wrong_item"


@dataclass(frozen=True)
class BoxLine:
    """A line of the order on the table: `left` pieces are to be packed, `packed` of them are in the box."""

    line: OrderLine
    left: int
    packed: int

    @property
    def is_full(self) -> bool:
        return self.packed >= self.left


@dataclass(frozen=True)
class Box:
    """What is to be packed of an order, and what of it is in the box."""

    lines: Sequence[BoxLine] = ()

    @property
    def left(self) -> int:
        return sum(row.left for row in self.lines)

    @property
    def packed(self) -> int:
        return sum(row.packed for row in self.lines)

    @property
    def is_full(self) -> bool:
        return self.packed == self.left > 0


def box_of(lines: Sequence[OrderLine], packing: Packing | None) -> Box:
    """The box of an order: what no parcel names yet, with the pieces counted so far. Digital items need no box."""
    counted: Mapping[str, int] = packing.pieces if packing else {}
    rows = []
    for line in lines:
        left = 0 if line.is_digital else Pieces.of(line).unshipped
        if left:
            rows.append(BoxLine(line, left, min(int(counted.get(str(line.pk), 0)), left)))
    return Box(rows)


def is_fresh(packing: Packing, now: datetime | None = None) -> bool:
    """Whether the packer gave a sign of life lately."""
    return packing.seen_at > (now or timezone.now()) - CLAIM


def take(order_id: int, user: Any, *, over: bool = False) -> Packing:
    """Put the order on `user`'s table, with what is in the box already. Raises AtAnotherTable while somebody else packs it, unless
    `over` takes it over knowingly."""
    now = timezone.now()
    with transaction.atomic():
        Packing.objects.get_or_create(order_id=order_id, defaults={"packer": user, "began_at": now, "seen_at": now})
        packing = Packing.objects.select_for_update(of=("self",)).select_related("packer").get(order=order_id)
        if packing.packer_id != user.pk:
            if is_fresh(packing, now) and not over:
                raise AtAnotherTable(_("%(name)s is packing this order.") % {"name": name_of(packing.packer)})
            packing.packer, packing.began_at = user, now
        packing.seen_at = now
        packing.save(update_fields=["packer", "began_at", "seen_at"])
    return packing


def put_back(order_id: int, user: Any) -> None:
    """Take the order off `user`'s table. What is in the box stays counted for whoever takes it next; an empty box is forgotten."""
    with transaction.atomic():
        packing = Packing.objects.select_for_update().filter(order=order_id, packer=user).first()
        if packing is None:
            return
        if any(packing.pieces.values()):
            Packing.objects.filter(pk=packing.pk).update(seen_at=timezone.now() - CLAIM)
        else:
            packing.delete()


def scan(order_id: int, user: Any, code: str) -> str:
    """Count the piece with this SKU or barcode into the box ("3*MUG" or "3 x MUG" counts three); says what was counted.

    Raises WrongItem with the reason, AtAnotherTable where somebody took the order over.
    """
    code = code.replace("\x00", "").strip()[:120]
    with transaction.atomic():
        packing, box = _on_table(order_id, user)
        row, times = _row_of(box, code), 1
        if row is None:
            times, code = split_count(code)
            row = _row_of(box, code)
        if row is None:
            raise WrongItem(_why_wrong(order_id, code))
        if row.is_full:
            raise WrongItem(
                ngettext(
                    "One %(name)s too many: the one of this order is in the box.",
                    "One %(name)s too many: all %(count)d of this order are in the box.",
                    row.left,
                )
                % {"name": row.line.name, "count": row.left}
            )
        if row.packed + times > row.left:
            raise WrongItem(
                _("%(name)s: only %(left)d more belong in the box, not %(times)d.")
                % {"name": row.line.name, "left": row.left - row.packed, "times": times}
            )
        _count(packing, row.line, row.packed + times)
    return _("%(name)s: %(packed)d of %(left)d") % {"name": row.line.name, "packed": row.packed + times, "left": row.left}


def count(order_id: int, user: Any, *, line_id: int, pieces: int) -> None:
    """Say how many pieces of a line are in the box. Raises WrongItem for more than are left, AtAnotherTable."""
    with transaction.atomic():
        packing, box = _on_table(order_id, user)
        row = next((row for row in box.lines if row.line.pk == line_id), None)
        if row is None:
            raise WrongItem(_("This item is not to be packed."))
        if not 0 <= pieces <= row.left:
            raise WrongItem(_("%(name)s: enter a number from 0 to %(left)d.") % {"name": row.line.name, "left": row.left})
        _count(packing, row.line, pieces)


def _on_table(order_id: int, user: Any) -> tuple[Packing, Box]:
    packing = take(order_id, user)
    lines = list(OrderLine.objects.filter(order=order_id, is_removed=False).select_related("variant").order_by("position", "id"))
    return packing, box_of(lines, packing)


def _row_of(box: Box, code: str) -> BoxLine | None:
    """The line of that code; of several with one SKU the first that still lacks pieces."""
    wanted = code.casefold()
    rows = [row for row in box.lines if wanted and wanted in _codes(row.line)]
    return next((row for row in rows if not row.is_full), rows[0] if rows else None)


def _codes(line: OrderLine) -> set[str]:
    codes = {line.sku.casefold()}
    if line.variant:
        codes |= {line.variant.sku.casefold(), line.variant.barcode.casefold()}
    return codes - {""}


def _why_wrong(order_id: int, code: str) -> str:
    done = OrderLine.objects.filter(Q(sku__iexact=code) | Q(variant__barcode=code), order=order_id, is_removed=False).first()
    if done is not None:
        reason = _("it needs no box") if done.is_digital else _("nothing of it is left to pack")
        return _("%(name)s is on this order, but %(reason)s.") % {"name": done.name, "reason": reason}
    variant = Variant.objects.filter(Q(sku__iexact=code) | Q(barcode=code)).select_related("product").first()
    if variant is not None:
        return _("%(name)s (%(sku)s) does not belong to this order.") % {"name": variant, "sku": variant.sku}
    return _("No article has the code “%(code)s”.") % {"code": code}


def _count(packing: Packing, line: OrderLine, pieces: int) -> None:
    packing.pieces = packing.pieces | {str(line.pk): pieces}
    packing.save(update_fields=["pieces"])


@dataclass(kw_only=True)
class _FromTheTable(OneOrderWish):
    """What closing a parcel and making ready for pickup have in common: the box of the packer, gone once it is written."""

    def check_table(self, order: Order, world: World) -> Box:
        """The box as it is now. Raises AtAnotherTable, InvalidWish for an order on hold and for an empty box."""
        packing = Packing.objects.select_related("packer").filter(order=order.pk).first()
        if packing and self.actor.user and packing.packer_id != self.actor.user.pk and is_fresh(packing, world.now):
            raise AtAnotherTable(_("%(name)s is packing this order.") % {"name": name_of(packing.packer)})
        if order.is_held:
            raise InvalidWish(_("The order is on hold: %(reason)s") % {"reason": order.hold_reason or _("no reason given")})
        box = box_of(world.lines.get(order.pk, []), packing)
        if not box.packed:
            raise InvalidWish(_("Nothing is in the box yet."))
        return box

    def saved(self, changes: Sequence[PlannedChange]) -> None:
        Packing.objects.filter(order__in=[change.order.pk for change in changes]).delete()


@dataclass(kw_only=True)
class ParcelWish(_FromTheTable, ShipmentWish):
    """Close the parcel with what is in the box; what is not stays to be packed."""

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """As ShipmentWish; raises AtAnotherTable, and InvalidWish for an empty box or an order on hold."""
        self.require("orders.ship_order", _("You may not record shipments."))
        self.quantities = {row.line.pk: row.packed for row in self.check_table(order, world).lines}
        return super().plan_order(order, world)


@dataclass(kw_only=True)
class CollectWish(_FromTheTable):
    """Everything is packed and waits to be collected: the status that tells the customer so. No parcel leaves."""

    status: str = "READY_FOR_PICKUP"

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """As StatusWish; raises AtAnotherTable, and InvalidWish unless everything is in the box."""
        self.require("orders.ship_order", _("You may not record shipments."))
        if not self.check_table(order, world).is_full:
            raise InvalidWish(_("Pack everything first: the customer collects the whole order."))
        wish = StatusWish(
            ids=[order.pk], actor=self.actor, versions=self.versions, fulfilment=self.status, personal_word=self.personal_word
        )
        return wish.plan_order(order, world)
