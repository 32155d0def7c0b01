"""Editing a placed order: the wish that makes one change of an edit, and proposals, which keep an edit until it is accepted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_countries import countries

from orders.edits import LineEdit, OrderEdit
from orders.errors import InvalidWish, StaleOrder
from orders.models import Order, OrderAddress, OrderEvent, OrderLine, OrderProposal
from orders.services.contact import ADDRESS
from orders.services.counter_edit import is_counter_of, take_back_whole
from orders.services.line_writing import JSON_COLUMNS, LINE_COLUMNS, join_removed_lines, variants_of_removed
from orders.services.payments import RefundPiece, RefundWish, refunded_pieces
from orders.services.plan import Actor, NotGoing, OneOrderWish, Outcome, PlannedChange, World, apply
from orders.services.repricing import Content, as_rows, check_credited, edited
from orders.services.stock import Pieces

ORDER_COLUMNS = (
    "shipping_cost",
    "handling_fee",
    "gift_card_amount",
    "payment_method",
    "shipping_method",
    "gift_card_code",
    "coupon_code",
    "tax_id",
    "tax_exempt",
    "reverse_charge",
    "tax_id_valid",
    "delivery_kind",
    "shipping_carrier",
    "delivery_instructions",
    "shipping_vat_category",
    "shipping_vat_rate",
    "subtotal",
    "discount",
    "coupon_discount",
    "surcharges_total",
    "tips_total",
    "tax",
    "total",
)
FOLLOWS = frozenset({"tax", "other_taxes", "coupon_share", "discount_share"})  # columns of a line that no edit sets


@dataclass(kw_only=True)
class EditWish(OneOrderWish):
    """Make all changes of an edit at once. Documents and stock follow; no mail goes about the edit itself."""

    edit: OrderEdit
    proposal_id: int = 0
    looked: tuple[Content, Content] | None = field(default=None, init=False, repr=False)  # what the last plan compared
    _events: dict[int, OrderEvent | None] = field(default_factory=dict, init=False, repr=False)

    def variant_ids(self) -> Iterable[int]:
        added = {row.variant_id for row in self.edit.added if row.variant_id}
        return added | (variants_of_removed([self.order_id]) if self.edit.restored or self.edit.reverts else set())

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """Raises StaleOrder, NotAllowed without orders.change_order, InvalidWish naming the field; NotEnoughStock comes from settling.

        Items can't fall below the pieces that were shipped, returned or refunded.
        """
        self.check_version(order)
        self.require("orders.change_order", _("You may not edit orders."))
        change = world.change_of(order, OrderEvent.Kind.EDIT)
        change.reason = self.edit.reason.strip()
        event = self._reverted(order)
        if event is not None and is_counter_of(self.edit, event, order, change.lines):
            self._check_lines(order, change.lines)
            take_back_whole(change, event, world)
            check_credited(order, change.total_after)
        else:
            self._plan_edit(change, order, world)
        if event is not None:
            change.facts["reverts"] = event.pk
        if self.proposal_id:
            change.facts["proposal"] = self.proposal_id
        if change.changes_anything:
            reason = _("Documents are mailed as they say. Tell the customer yourself where they should know more.")
            title = _("No mail of its own tells the customer of this edit")
            change.add(NotGoing(key="mail:edit", icon="mail-x", title=title, reason=reason))
        else:
            change.facts.clear()
        return change

    def saved(self, changes: Sequence[PlannedChange]) -> None:
        """The proposal is accepted with the change. Raises StaleOrder where somebody withdrew it meanwhile."""
        if not self.proposal_id:
            return
        open_one = OrderProposal.objects.filter(pk=self.proposal_id, state=OrderProposal.State.OPEN)
        if not open_one.update(state=OrderProposal.State.ACCEPTED, event=changes[0].event, body=self.edit.as_json()):
            raise StaleOrder(_("This edit was withdrawn meanwhile. Nothing was saved."))

    def _reverted(self, order: Order) -> OrderEvent | None:
        pk = self.edit.reverts
        if pk and pk not in self._events:
            self._events[pk] = OrderEvent.objects.filter(pk=pk, order=order, kind=OrderEvent.Kind.EDIT).first()
        return self._events.get(pk)

    def _plan_edit(self, change: PlannedChange, order: Order, world: World) -> None:
        edit = self.edit
        known = {line.pk for line in change.lines}
        if any(line.line_id not in known for line in edit.lines if line.line_id not in edit.restored):
            raise InvalidWish(_("An item of this edit is no longer on the order."), field="items")
        before = Content.of(order, change.lines, change.addresses)
        if edit.is_empty and edit.discounts_by == OrderEdit.discounts_by:
            return
        _plan_addresses(change, edit)
        self._check_lines(order, before.lines)
        restored = join_removed_lines(change, edit.restored, world.variants)
        after = edited(before, edit, world, restored)
        self.looked = before, after
        _record(change, before, after, restored)
        if edit.taken_back:
            self._take_back(change, world)

    def _check_lines(self, order: Order, lines: Iterable[OrderLine]) -> None:
        """What left (in a parcel or by status), came back or was refunded stays on the order, also where an edit is taken back."""
        counted = any({"quantity", "is_removed"} & set(line.names) for line in self.edit.lines)
        refunded = refunded_pieces(order.pk) if counted else {}
        for line in lines:
            _check_pieces(line, self.edit.line(line.pk), refunded.get(line.pk, 0), has_left=order.fulfilment_status.goods_left)

    def _take_back(self, change: PlannedChange, world: World) -> None:
        """The pieces that come back are paid for what goes out: nothing is given back, one balance is left."""
        pieces = [RefundPiece(row.line_id, row.quantity, row.shelf, row.lost) for row in self.edit.taken_back]
        wish = RefundWish(
            order_id=self.order_id,
            actor=self.actor,
            pieces=pieces,
            reason=change.reason,
            return_id=self.edit.return_id,
            is_exchange=True,
        )
        try:
            wish.add_to(change, world)
        except InvalidWish as error:
            raise InvalidWish(str(error), field=error.field.replace("line-", "back-")) from error
        if change.total_after < change.credited_after:
            raise InvalidWish(_("The total would fall below what refunds took off already."), field="items")


def open_proposal(order: Order) -> OrderProposal | None:
    """The edit that somebody is working on."""
    return OrderProposal.objects.filter(order=order, state=OrderProposal.State.OPEN).select_related("author").first()


def keep_proposal(order: Order, edit: OrderEdit, *, actor: Actor, base_version: int, base_event: int) -> OrderProposal:
    """Store what is being edited: the open proposal of the order, or a new one. Nothing of the order changes.

    A proposal keeps the version that it was begun on. Raises NotAllowed without orders.change_order.
    """
    EditWish(order_id=order.pk, edit=edit, actor=actor).require("orders.change_order", _("You may not edit orders."))
    row = open_proposal(order)
    if row is None:
        try:
            with transaction.atomic():
                return OrderProposal.objects.create(
                    order=order,
                    author=actor.user,
                    author_name=actor.name,
                    base_version=base_version,
                    base_event=base_event,
                    body=edit.as_json(),
                )
        except IntegrityError:  # somebody began at the same moment
            row = OrderProposal.objects.get(order=order, state=OrderProposal.State.OPEN)
    row.body = edit.as_json()
    row.save(update_fields=["body", "updated_at"])
    return row


def withdraw_proposal(row: OrderProposal, *, actor: Actor) -> None:
    """Give the edit up: it stays readable, nothing of it was done. Raises NotAllowed without orders.change_order."""
    EditWish(order_id=row.order_id, edit=OrderEdit(), actor=actor).require("orders.change_order", _("You may not edit orders."))
    OrderProposal.objects.filter(pk=row.pk, state=OrderProposal.State.OPEN).update(state=OrderProposal.State.WITHDRAWN)


def wish_of(row: OrderProposal, *, actor: Actor, skip: frozenset[str] = frozenset(), oversell: bool = False) -> EditWish:
    """The wish that a stored proposal stands for, against the version that it was begun on."""
    return EditWish(
        order_id=row.order_id,
        edit=OrderEdit.from_json(row.body),
        proposal_id=row.pk,
        actor=actor,
        versions={row.order_id: row.base_version},
        skip=skip,
        oversell=oversell,
    )


def accept_proposal(
    row: OrderProposal, *, actor: Actor, skip: frozenset[str] = frozenset(), oversell: bool = False, seen: dict[int, str] | None = None
) -> Outcome:
    """Make the edit: one transaction, one event. Accepting what was accepted already changes nothing.

    Raises OrderError, and then nothing of the order changed and the proposal stays open.
    """
    row.refresh_from_db()
    if row.state == OrderProposal.State.ACCEPTED:
        return Outcome(unchanged=[row.order_id])
    if row.state == OrderProposal.State.WITHDRAWN:
        raise StaleOrder(_("This edit was withdrawn meanwhile. Nothing was saved."))
    outcome = apply(wish_of(row, actor=actor, skip=skip, oversell=oversell), seen=seen)
    row.refresh_from_db()
    if outcome.refusals and row.state == OrderProposal.State.ACCEPTED:
        return Outcome(unchanged=[row.order_id])  # the second of two clicks
    return outcome.or_raise()


def _check_pieces(line: OrderLine, wanted: LineEdit, refunded: int, *, has_left: bool) -> None:
    pieces = Pieces.of(line)
    # Goods that left by their status left as those of a parcel: an edit would put them back on hand and ask nobody where they are.
    gone = pieces.open if has_left and not line.is_digital else pieces.shipped_open
    fixed = max(pieces.shelf + pieces.lost + gone, pieces.shipped, refunded)
    left = 0 if wanted.is_removed else wanted.quantity
    if left is None or left >= fixed or left >= line.quantity:
        return
    if wanted.is_removed:
        text = ngettext(
            "%(name)s can't be removed: %(fixed)d piece was shipped, returned or refunded.",
            "%(name)s can't be removed: %(fixed)d pieces were shipped, returned or refunded.",
            fixed,
        )
    else:
        text = _("%(name)s: at least %(fixed)d, because that many were shipped, returned or refunded.")
    raise InvalidWish(text % {"name": line.name, "fixed": fixed}, field=f"line:{line.pk}:quantity")


def _plan_addresses(change: PlannedChange, edit: OrderEdit) -> None:
    for name, text in edit.addresses.items():
        kind, _dot, column = name.partition(".")
        if kind not in OrderAddress.Kind.values or column not in ADDRESS:
            raise InvalidWish(_("This can't be changed here."), field=name)
        new = text.strip()
        if column == "country" and new and new not in countries:
            raise InvalidWish(_("Choose a country of the list."), field=name)
        address = change.address(kind)
        old = str(getattr(address, column)) if address else ""
        if old != new:
            change.address_fields[name] = (old, new)


def _record(change: PlannedChange, before: Content, after: Content, restored: Sequence[OrderLine]) -> None:
    """Write the difference of two contents into the change."""
    for name in ORDER_COLUMNS:
        old, new = getattr(before.order, name), getattr(after.order, name)
        if old != new:
            change.fields[name] = (old, new)
    for name in JSON_COLUMNS:
        old, new = getattr(before.order, name), getattr(after.order, name)
        if old != new:
            change.json_fields[name] = (old, new)
    old_rows, new_rows = as_rows(before), as_rows(after)
    for name, rows in old_rows.items():
        if rows != new_rows[name]:
            change.rows[name] = (rows, new_rows[name])
    wanted = {line.pk: line for line in after.lines if line.pk}
    for line in (*before.lines, *restored):
        if line.pk not in wanted:
            change.line_values[line.pk] = {"is_removed": (False, True)}
            continue
        if wanted[line.pk].quantity != line.quantity:
            change.quantities[line.pk] = wanted[line.pk].quantity
        values = {name: (getattr(line, name), getattr(wanted[line.pk], name)) for name in LINE_COLUMNS}
        if moved := {name: pair for name, pair in values.items() if pair[0] != pair[1]}:
            change.line_values[line.pk] = moved
    change.added_lines = [line for line in after.lines if line.pk is None]
    change.lines = [*change.lines, *change.added_lines]
    if not (change.fields or change.rows or change.quantities or change.added_lines or change.address_fields):
        _forget_what_follows(change)


def _forget_what_follows(change: PlannedChange) -> None:
    """Shares that only follow from others are no change of their own."""
    for pk, values in list(change.line_values.items()):
        if set(values) <= FOLLOWS:
            del change.line_values[pk]
    if not change.line_values:
        change.json_fields.clear()


def changed_columns(event: OrderEvent) -> dict[str, Any]:
    """Old and new of the order's own columns in an event of an edit."""
    return {name: pair for name, pair in event.changes.items() if name in ORDER_COLUMNS and isinstance(pair, dict)}
