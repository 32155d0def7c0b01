"""Rules of everything after the sale: money, parcels, returns, cancelling, undo, deletion and documents."""

import copy
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from invoices.models import Invoice, PendingDocument
from invoices.services import issue_invoice
from invoices.services.releasing import release_documents
from orders.edits import TakenBack
from orders.models import Order, OrderEvent, Payment, Refund, ReturnCase, Shipment
from orders.services.cancelling import CancelWish
from orders.services.editing import DetailsWish, HoldWish, NoteWish
from orders.services.fulfilment import ReturnWish, ShipmentWish, TrackingWish
from orders.services.payments import PaymentWish, RefundPiece, RefundWish, TakeBackPaymentWish, share_of_pieces
from orders.services.plan import apply
from orders.services.proposing import EditWish
from orders.services.removal import DeleteWish, RestoreWish
from orders.services.returns import (
    ApproveReturnWish,
    CloseReturnWish,
    InspectReturnWish,
    ReceiveReturnWish,
    RefuseReturnWish,
    ReturnRequestWish,
)
from orders.services.status import StatusWish
from orders.services.undo import UndoWish, latest_change
from tests.makers import CLERK
from tests.orders.any_sequence.content import ZERO
from tests.orders.any_sequence.selling import Selling, money, wanted
from tests.orders.any_sequence.shop import Shop, attempt, few, pick

PAYMENT = ["AWAITING_PAYMENT", "PAID", "CANCELLED", "REFUNDED", "PARTIALLY_REFUNDED"]
FULFILMENT = ["AWAITING_PROCESSING", "PROCESSING", "READY_FOR_PICKUP", "SHIPPED", "DELIVERED", "WILL_NOT_DELIVER", "RETURNED"]
sometimes = st.sampled_from([False, False, True])
has_orders = precondition(lambda self: self.orders)
has_returns = precondition(lambda self: any(kept.model.cases for kept in self.orders))


def of_lines(kept, pieces):
    """`pieces` by item of the model as pieces by id of the line."""
    return {kept.model.content.items[index].pk: value for index, value in pieces.items()}


def taken_off(kept):
    """What refunds took off the order, apart from those whose own credit note still waits."""
    states = (PendingDocument.State.WAITING, PendingDocument.State.NEEDS_STAFF)
    waiting = PendingDocument.objects.filter(order=kept.pk, kind=PendingDocument.Kind.CREDIT_NOTE, state__in=states)
    refunds = Refund.objects.filter(event__in=waiting.values("event"))
    return kept.model.credited - sum(refunds.values_list("credited", flat=True))


def item_index(kept, which):
    return which % len(kept.model.content.items)


class Money(Selling):
    @has_orders
    @rule(index=pick, amount=money.map(lambda amount: amount + Decimal("0.01")), set_paid=st.booleans())
    def pay(self, index, amount, set_paid):
        kept = self.order(index)
        wish = PaymentWish(order_id=kept.pk, actor=CLERK, amount=amount, set_paid=set_paid)
        self.perform(kept, wish, lambda model: model.pay(amount, set_paid=set_paid))

    @precondition(lambda self: Payment.objects.filter(amount__gt=0).exists())
    @rule(index=pick, set_unpaid=st.booleans())
    def take_a_payment_back(self, index, set_unpaid):
        """It never came; taking it back again costs nothing."""
        payments = Payment.objects.filter(amount__gt=0).order_by("pk")
        payment = payments[index % len(payments)]
        kept = next(kept for kept in self.orders if kept.pk == payment.order_id)
        wish = TakeBackPaymentWish(order_id=kept.pk, actor=CLERK, payment_id=payment.pk, reason="Never came", set_unpaid=set_unpaid)
        if payment.can_be_taken_back:
            self.perform(kept, wish, lambda model: model.take_back_payment(payment.amount, set_unpaid=set_unpaid))
        else:
            assert apply(wish).unchanged == [kept.pk]

    @has_orders
    @rule(index=pick, wanted=wanted, which=pick, pieces=st.tuples(st.integers(1, 3), few, few))
    def exchange(self, index, wanted, which, pieces):
        """An edit whose customer sends something back: one change, one balance."""
        kept, quantity = self.order(index), pieces[0]
        which = item_index(kept, which)
        item, order = kept.model.content.items[which], Order.objects.get(pk=kept.pk)
        edit, content = self.described(kept, replace(wanted, change=() if wanted.change[:1] == ("price",) else wanted.change))
        back = TakenBack(item.pk, quantity, shelf=min(pieces[1], quantity), lost=pieces[2])
        amount = self.share(order, kept.model, item, quantity)
        wish = EditWish(order_id=kept.pk, edit=replace(edit, taken_back=(back,)), actor=CLERK)
        before = copy.deepcopy(kept.model.content)
        if self.perform(kept, wish, lambda model: model.exchange(content, which, (quantity, back.shelf, back.lost), amount)):
            self.remember_edit(kept, before)

    @has_orders
    @rule(index=pick, is_exact=st.booleans(), amount=money.map(lambda amount: amount + Decimal("0.01")))
    def refund_an_amount(self, index, is_exact, amount):
        """Any amount, or exactly what is left."""
        kept = self.order(index)
        left = kept.model.paid - kept.model.refunded
        amount = left if is_exact and left else amount
        wish = RefundWish(order_id=kept.pk, actor=CLERK, amount=amount)
        self.perform(kept, wish, lambda model: model.refund({}, shipping=ZERO, amount=amount))

    @has_orders
    @rule(index=pick, which=pick, pieces=st.tuples(few, few, few), shipping=st.sampled_from(["0", "0", "2"]).map(Decimal), swap=sometimes)
    def refund_pieces(self, index, which, pieces, shipping, swap):
        kept, (quantity, shelf, lost) = self.order(index), pieces
        self.refund(kept, item_index(kept, which), (quantity, min(shelf, quantity), lost), shipping=shipping, is_exchange=swap)

    @precondition(lambda self: any(case.state == "inspected" for kept in self.orders for case in kept.model.cases))
    @rule(index=pick, quantity=st.integers(1, 4), is_exchange=st.booleans())
    def pay_for_a_return(self, index, quantity, is_exchange):
        """The refund or exchange of an inspected return: money only, its pieces were decided."""
        found = [(k, n) for k in self.orders for n, case in enumerate(k.model.cases) if case.state == "inspected"]
        kept, case = found[index % len(found)]
        which = next(iter(kept.model.cases[case].lines))
        self.refund(kept, which, (quantity, 0, 0), shipping=ZERO, is_exchange=is_exchange, case=case)

    def refund(self, kept, which, pieces, *, shipping, is_exchange, case=None):
        item, order = kept.model.content.items[which], Order.objects.get(pk=kept.pk)
        wanted = {which: pieces} if pieces[0] else {}
        amount = shipping + (self.share(order, kept.model, item, pieces[0]) if wanted else 0)
        wish = RefundWish(
            order_id=kept.pk,
            actor=CLERK,
            pieces=[RefundPiece(item.pk, pieces[0], shelf=pieces[1], lost=pieces[2])] if wanted else (),
            shipping=shipping,
            is_exchange=is_exchange,
            return_id=0 if case is None else kept.model.cases[case].pk,
        )

        def give(model):
            model.refund(wanted, shipping=shipping, amount=amount, is_exchange=is_exchange, case=case)

        if self.perform(kept, wish, give):
            refund = Refund.objects.filter(order=order).latest("pk")
            assert refund.amount == (0 if is_exchange else amount)

    def share(self, order, model, item, quantity):
        """What the pieces cost the customer: the shop's figure, within the roundings of what the domain says."""
        if item.is_removed or quantity > item.quantity - item.refunded:
            return Decimal(1)  # refused anyway
        content = model.content
        whole = item.amount - item.off
        exact = whole - (content.off * whole / content.base if content.base else ZERO)
        if not self.includes_tax and not content.is_exempt:
            exact *= 1 + item.rate / 100
        share = share_of_pieces(order, order.lines.get(pk=item.pk), item.refunded, quantity)
        assert abs(share - exact * quantity / item.quantity) < Decimal("0.04"), (share, exact, item)
        return share

    @has_orders
    @rule(index=pick, payment=st.sampled_from(PAYMENT), is_lost=sometimes, record=st.sampled_from([None, True, False]))
    def set_payment(self, index, payment, is_lost, record):
        kept = self.order(index)
        lost = range(len(kept.model.content.items)) if is_lost else ()
        lines = frozenset(kept.model.content.items[i].pk for i in lost)
        wish = StatusWish(ids=[kept.pk], actor=CLERK, payment=payment, lost_lines=lines, record=record)
        self.perform(kept, wish, lambda model: model.set_status(payment, "", lost=lost, returned={}, record=record))

    @has_orders
    @rule(index=pick, refund=st.booleans(), stops=st.booleans())
    def cancel(self, index, refund, stops):
        kept = self.order(index)
        wish = CancelWish(ids=[kept.pk], actor=CLERK, why="customer", refund=refund, stops_delivery=stops)
        self.perform(kept, wish, lambda model: model.cancel(refund=refund, stops=stops))

    @precondition(lambda self: any(kept.model.is_released for kept in self.orders))
    @rule(index=pick, payment=st.sampled_from(["PAID", "AWAITING_PAYMENT"]))
    def reopen(self, index, payment):
        released = [kept for kept in self.orders if kept.model.is_released]
        kept = released[index % len(released)]
        wish = StatusWish(ids=[kept.pk], actor=CLERK, payment=payment)
        self.perform(kept, wish, lambda model: model.set_status(payment, "", lost=(), returned={}, record=None))

    @has_orders
    @rule(index=pick, reason=st.sampled_from(["A double", "A test"]), is_lost=sometimes)
    def delete(self, index, reason, is_lost):
        kept = self.order(index)
        lost = range(len(kept.model.content.items)) if is_lost else ()
        lines = frozenset(kept.model.content.items[i].pk for i in lost)
        refused = "invoiced" if Invoice.objects.filter(order=kept.pk).exists() else ""
        wish = DeleteWish(order_id=kept.pk, actor=CLERK, reason=reason, lost_lines=lines)
        refused = "" if kept.model.is_deleted else refused
        self.perform(kept, wish, lambda model: model.delete(lost), is_undoable=False, refused=refused)

    @precondition(lambda self: any(kept.model.is_deleted for kept in self.orders))
    @rule(index=pick)
    def restore(self, index):
        deleted = [kept for kept in self.orders if kept.model.is_deleted]
        kept = deleted[index % len(deleted)]
        self.perform(kept, RestoreWish(order_id=kept.pk, actor=CLERK), lambda model: model.restore(), is_undoable=False)

    @has_orders
    @rule(index=pick)
    def undo(self, index):
        """The latest change is taken back whole: the order is again what it was before."""
        kept = self.order(index)
        event, before = latest_change(kept.pk), kept.latest[1]
        if event.kind == OrderEvent.Kind.UNDO:
            assert apply(UndoWish(order_id=kept.pk, event_id=event.undoes_id, actor=CLERK)).unchanged == [kept.pk]
            return
        is_issued = PendingDocument.objects.filter(event=event, state=PendingDocument.State.ISSUED).exists()
        refused = "issued" if is_issued else "" if before else "nothing to undo"

        def go_back(model):
            added = model.content.items[len((before or model).content.items) :]
            model.__dict__ = copy.deepcopy((before or model).__dict__)
            model.content.items += [replace(item, is_removed=True) for item in added]

        self.perform(kept, UndoWish(order_id=kept.pk, event_id=event.pk, actor=CLERK), go_back, is_undoable=False, refused=refused)

    @has_orders
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

    @has_orders
    @rule(index=pick)
    def issue(self, index):
        kept = self.order(index)
        invoice, error = attempt(lambda: issue_invoice(kept.pk, actor=CLERK, issue_key=f"by hand {timezone.now()}"))
        assert error is None or error.problems
        if invoice:
            assert invoice.gross == max(kept.model.total + kept.model.content.gift - kept.model.content.tip - taken_off(kept), 0)
        self.touched.append(kept)

    @rule()
    def time_passes(self):
        """Documents that waited out the undo window are issued."""
        done = release_documents(now=timezone.now() + timedelta(hours=1))
        assert [row for row in done if row.state == PendingDocument.State.WAITING] == []
        self.touched += self.orders


class Goods(Shop):
    @has_orders
    @rule(index=pick, fulfilment=st.sampled_from(FULFILMENT), which=pick, shelf=few, lost=few)
    def set_fulfilment(self, index, fulfilment, which, shelf, lost):
        kept = self.order(index)
        returned = {item_index(kept, which): (shelf, lost)} if fulfilment == "RETURNED" else {}
        wish = StatusWish(ids=[kept.pk], actor=CLERK, fulfilment=fulfilment, returned=of_lines(kept, returned))
        self.perform(kept, wish, lambda model: model.set_status("", fulfilment, lost=(), returned=returned, record=None))

    @has_orders
    @rule(index=pick, which=pick, quantity=few)
    def ship_some(self, index, which, quantity):
        kept = self.order(index)
        quantities = {item_index(kept, which): quantity}
        wish = ShipmentWish(order_id=kept.pk, actor=CLERK, quantities=of_lines(kept, quantities))
        self.perform(kept, wish, lambda model: model.ship(quantities))

    @has_orders
    @rule(index=pick)
    def ship_rest(self, index):
        kept = self.order(index)
        self.perform(kept, ShipmentWish(order_id=kept.pk, actor=CLERK, tracking_number="1Z"), lambda model: model.ship(None))

    @precondition(lambda self: Shipment.objects.filter(voided_by=None).exists())
    @rule(index=pick, number=st.sampled_from(["1Z", "2Z", "3Z"]))
    def correct_the_number(self, index, number):
        """The parcel becomes void and another one names its pieces."""
        parcels = Shipment.objects.filter(voided_by=None).order_by("pk")
        parcel = parcels[index % len(parcels)]
        kept = next(kept for kept in self.orders if kept.pk == parcel.order_id)
        wish = TrackingWish(order_id=kept.pk, actor=CLERK, shipment_id=parcel.pk, tracking_number=number)
        self.perform(kept, wish, lambda model: model.begin())

    @has_orders
    @rule(index=pick, which=pick, pieces=st.tuples(few, few), set_returned=sometimes)
    def take_return(self, index, which, pieces, set_returned):
        kept = self.order(index)
        back = {item_index(kept, which): pieces}
        wish = ReturnWish(order_id=kept.pk, actor=CLERK, pieces=of_lines(kept, back), set_returned=set_returned)
        self.perform(kept, wish, lambda model: model.take_return(back, set_returned=set_returned))

    @has_orders
    @rule(index=pick, which=pick, asked=few, is_approved=st.booleans())
    def ask_back(self, index, which, asked, is_approved):
        kept = self.order(index)
        pieces = {item_index(kept, which): asked}
        wish = ReturnRequestWish(order_id=kept.pk, actor=CLERK, pieces=of_lines(kept, pieces), is_approved=is_approved)
        if self.perform(kept, wish, lambda model: model.ask_back(pieces, is_approved=is_approved)):
            kept.model.cases[-1].pk = ReturnCase.objects.filter(order=kept.pk).latest("pk").pk

    def case(self, index):
        found = [(kept, number) for kept in self.orders for number in range(len(kept.model.cases))]
        return found[index % len(found)]

    @has_returns
    @rule(index=pick, step=st.sampled_from(["approve", "refuse", "close"]))
    def answer_a_return(self, index, step):
        kept, case = self.case(index)
        named = {"order_id": kept.pk, "actor": CLERK, "case_id": kept.model.cases[case].pk}
        wish, state, before = {
            "approve": (ApproveReturnWish(**named), "approved", ("requested",)),
            "refuse": (RefuseReturnWish(**named, reason="Too late"), "refused", ("requested", "approved")),
            "close": (CloseReturnWish(**named), "closed", ("inspected",)),
        }[step]
        self.perform(kept, wish, lambda model: model.step(case, state, *before))

    @has_returns
    @rule(index=pick, received=few)
    def receive(self, index, received):
        kept, case = self.case(index)
        pieces = dict.fromkeys(kept.model.cases[case].lines, received)
        wish = ReceiveReturnWish(order_id=kept.pk, actor=CLERK, case_id=kept.model.cases[case].pk, pieces=of_lines(kept, pieces))
        self.perform(kept, wish, lambda model: model.receive(case, pieces))

    @has_returns
    @rule(index=pick, fate=st.tuples(few, few), set_returned=sometimes)
    def inspect(self, index, fate, set_returned):
        kept, case = self.case(index)
        pieces = dict.fromkeys(kept.model.cases[case].lines, fate)
        wish = InspectReturnWish(
            order_id=kept.pk,
            actor=CLERK,
            case_id=kept.model.cases[case].pk,
            pieces=of_lines(kept, pieces),
            set_returned=set_returned,
        )
        self.perform(kept, wish, lambda model: model.inspect(case, pieces, set_returned=set_returned))
