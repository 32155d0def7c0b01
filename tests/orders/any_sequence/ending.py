"""Rules of how orders end and go on again: payment statuses, cancelling, reopening, deletion, and undo of whatever came last."""

import copy
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from invoices.models import Invoice, PendingDocument
from invoices.services.issuing import uncredited_invoices
from orders.models import OrderEvent
from orders.services.cancelling import CancelWish
from orders.services.editing import DetailsWish, HoldWish, NoteWish
from orders.services.plan import apply
from orders.services.removal import DeleteWish, RestoreWish
from orders.services.status import StatusWish
from orders.services.undo import UndoWish, latest_change
from tests.makers import CLERK
from tests.orders.any_sequence.selling import left_apart_from_pieces
from tests.orders.any_sequence.shop import Shop, pick

PAYMENT = ["AWAITING_PAYMENT", "PAID", "CANCELLED", "REFUNDED", "PARTIALLY_REFUNDED"]
sometimes = st.sampled_from([False, False, True])


def lines_of(kept, items):
    return frozenset(kept.model.content.items[number].pk for number in items)


class Ending(Shop):
    @rule(index=pick, payment=st.sampled_from(PAYMENT), is_lost=sometimes, record=st.sampled_from([None, True, False]))
    def set_payment(self, index, payment, is_lost, record):
        kept = self.order(index)
        lost = range(len(kept.model.content.items)) if is_lost else ()
        wish = StatusWish(ids=[kept.pk], actor=CLERK, payment=payment, lost_lines=lines_of(kept, lost), record=record)
        self.perform(kept, wish, lambda model: model.set_status(payment, "", lost=lost, returned={}, record=record))

    @rule(index=pick, refund=st.booleans(), stops=st.booleans())
    def cancel(self, index, refund, stops):
        kept = self.order(index, lambda model: not model.is_released)
        wish = CancelWish(ids=[kept.pk], actor=CLERK, why="customer", refund=refund, stops_delivery=stops)
        self.perform(kept, wish, lambda model: model.cancel(refund=refund, stops=stops))

    @precondition(lambda self: any(kept.model.is_released for kept in self.orders))
    @rule(index=pick, payment=st.sampled_from(["PAID", "AWAITING_PAYMENT"]))
    def reopen(self, index, payment):
        kept = self.order(index, lambda model: model.is_released)
        wish = StatusWish(ids=[kept.pk], actor=CLERK, payment=payment)
        self.perform(kept, wish, lambda model: model.set_status(payment, "", lost=(), returned={}, record=None))

    @rule(index=pick, reason=st.sampled_from(["A double", "A test"]), is_lost=sometimes)
    def delete(self, index, reason, is_lost):
        kept = self.order(index)
        lost = range(len(kept.model.content.items)) if is_lost else ()
        refused = "invoiced" if Invoice.objects.filter(order=kept.pk).exists() and not kept.model.is_deleted else ""
        wish = DeleteWish(order_id=kept.pk, actor=CLERK, reason=reason, lost_lines=lines_of(kept, lost))
        self.perform(kept, wish, lambda model: model.delete(lost), is_undoable=False, refused=refused)

    @precondition(lambda self: any(kept.model.is_deleted for kept in self.orders))
    @rule(index=pick)
    def restore(self, index):
        deleted = [kept for kept in self.orders if kept.model.is_deleted]
        kept = deleted[index % len(deleted)]
        self.perform(kept, RestoreWish(order_id=kept.pk, actor=CLERK), lambda model: model.restore(), is_undoable=False)


class Undoing(Shop):
    @rule(index=pick)
    def undo(self, index):
        """The latest change is taken back whole: the order is again what it was before."""
        changed = [kept for kept in self.orders if kept.latest[1]]
        kept = max(changed, key=lambda kept: kept.latest[0]) if changed and index % 4 else self.order(index)
        event, before = latest_change(kept.pk), kept.latest[1]
        if event.kind == OrderEvent.Kind.UNDO:
            assert apply(UndoWish(order_id=kept.pk, event_id=event.undoes_id, actor=CLERK)).unchanged == [kept.pk]
            return
        is_issued = PendingDocument.objects.filter(event=event, state=PendingDocument.State.ISSUED).exists()
        is_told = bool(before) and self.is_invoiced_since(kept, event)
        refused = "issued" if is_issued or is_told else "" if before else "nothing to undo"

        def go_back(model):
            added = model.content.items[len((before or model).content.items) :]
            model.__dict__ = copy.deepcopy((before or model).__dict__)
            model.content.items += [replace(item, is_removed=True) for item in added]

        self.perform(kept, UndoWish(order_id=kept.pk, event_id=event.pk, actor=CLERK), go_back, is_undoable=False, refused=refused)

    def is_invoiced_since(self, kept, event):
        """Whether the order's invoice is younger than a change of what it says, and nothing waits to correct it."""
        invoice = uncredited_invoices([kept.pk]).get(kept.pk)
        if invoice is None or invoice.issued_at <= event.at or PendingDocument.objects.filter(event=event).exists():
            return False
        now, before = kept.model.content, kept.latest[1].content
        is_edit = event.kind == OrderEvent.Kind.EDIT and left_apart_from_pieces(replace(before, gift=now.gift)) != left_apart_from_pieces(
            now
        )
        return is_edit or event.refunds.exists()

    @rule(index=pick, what=st.sampled_from(["hold", "go on", "tag", "note"]))
    def remark(self, index, what):
        """What moves neither money nor pieces; a note does not stand in the way of an undo."""
        kept = self.order(index)
        wish = {
            "hold": HoldWish(ids=[kept.pk], actor=CLERK, held=True, reason="Waits"),
            "go on": HoldWish(ids=[kept.pk], actor=CLERK, held=False),
            "tag": DetailsWish(ids=[kept.pk], actor=CLERK, add_tags=["Gift"]),
            "note": NoteWish(order_id=kept.pk, actor=CLERK, text="Called"),
        }[what]
        latest = kept.latest
        outcome = apply(wish)
        self.touched.append(kept)
        if outcome.event:
            kept.latest = latest if what == "note" else (outcome.event.pk, kept.model.copy())
