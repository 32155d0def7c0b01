"""Rules of money: payments, refunds, exchanges, and the documents that follow."""

import copy
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from invoices.models import PendingDocument
from invoices.services import issue_invoice
from invoices.services.releasing import release_documents
from orders.edits import TakenBack
from orders.models import Order, Payment, Refund
from orders.services.payments import PaymentWish, RefundPiece, RefundWish, TakeBackPaymentWish, share_of_pieces
from orders.services.plan import apply
from orders.services.proposing import EditWish
from tests.makers import CLERK
from tests.orders.any_sequence.content import ZERO, cents
from tests.orders.any_sequence.selling import Selling, money, wanted
from tests.orders.any_sequence.shop import Shop, attempt, few, fitting, pick

some_money = money.map(lambda amount: amount + Decimal("0.01"))


def has_money(model):
    return model.paid > model.refunded


def is_overpaid(model):
    return not model.is_deleted and model.balance < 0


def taken_off(kept):
    """What refunds took off the order, apart from those whose own credit note still waits."""
    states = (PendingDocument.State.WAITING, PendingDocument.State.NEEDS_STAFF)
    waiting = PendingDocument.objects.filter(order=kept.pk, kind=PendingDocument.Kind.CREDIT_NOTE, state__in=states)
    refunds = Refund.objects.filter(event__in=waiting.values("event"))
    return kept.model.credited - sum(refunds.values_list("credited", flat=True))


class Paying(Shop):
    @rule(index=pick, amount=some_money, set_paid=st.booleans())
    def pay(self, index, amount, set_paid):
        kept = self.order(index)
        wish = PaymentWish(order_id=kept.pk, actor=CLERK, amount=amount, set_paid=set_paid)
        self.perform(kept, wish, lambda model: model.pay(amount, set_paid=set_paid))

    @precondition(lambda self: Payment.objects.filter(amount__gt=0).exists())
    @rule(index=pick, set_unpaid=st.booleans())
    def take_a_payment_back(self, index, set_unpaid):
        """It never came; taking it back again costs nothing."""
        payments = Payment.objects.filter(amount__gt=0).order_by("-pk")
        payment = payments[index % len(payments)]
        kept = next(kept for kept in self.orders if kept.pk == payment.order_id)
        wish = TakeBackPaymentWish(order_id=kept.pk, actor=CLERK, payment_id=payment.pk, reason="Never came", set_unpaid=set_unpaid)
        if payment.can_be_taken_back:
            self.perform(kept, wish, lambda model: model.take_back_payment(payment.amount, set_unpaid=set_unpaid))
        else:
            assert apply(wish).unchanged == [kept.pk]


class Refunding(Selling):
    """Money goes back, for pieces or not."""

    @rule(index=pick, wanted=wanted, which=pick, pieces=st.tuples(few, few, few))
    def exchange(self, index, wanted, which, pieces):
        """An edit whose customer sends something back: one change, one balance."""
        kept = self.order(index, lambda model: model.total > model.credited)
        which = self.item(kept, which, lambda item: item.refunded < item.quantity)
        item, order = kept.model.content.items[which], Order.objects.get(pk=kept.pk)
        quantity, shelf, lost = self.refunded_of(item, pieces)
        edit, content = self.described(kept, replace(wanted, change=() if wanted.change[:1] == ("price",) else wanted.change))
        back = TakenBack(item.pk, max(1, quantity), shelf=shelf, lost=lost)
        amount = self.share(order, kept.model, item, back.quantity)
        wish = EditWish(order_id=kept.pk, edit=replace(edit, taken_back=(back,)), actor=CLERK)
        before = copy.deepcopy(kept.model.content)
        if self.perform(kept, wish, lambda model: model.exchange(content, which, (back.quantity, shelf, lost), amount)):
            self.remember_edit(kept, before)

    def refunded_of(self, item, pieces):
        """(quantity, of these to the shelf, lost), mostly as many as the item has left."""
        quantity = fitting(pieces[0], item.quantity - item.refunded)
        shelf = fitting(pieces[1], min(quantity, item.open))
        return quantity, shelf, fitting(pieces[2], max(0, min(quantity, item.open) - shelf))

    @rule(index=pick, is_exact=st.booleans(), amount=some_money)
    def refund_an_amount(self, index, is_exact, amount):
        """Any amount, or exactly what is left."""
        kept = self.order(index, has_money)
        left = kept.model.paid - kept.model.refunded
        amount = left if is_exact and left else amount
        wish = RefundWish(order_id=kept.pk, actor=CLERK, amount=amount)
        self.perform(kept, wish, lambda model: model.refund({}, shipping=ZERO, amount=amount))

    @precondition(lambda self: any(is_overpaid(kept.model) for kept in self.orders))
    @rule(index=pick, part=st.sampled_from(["0.5", "1", "1.5"]).map(Decimal))
    def refund_what_was_too_much(self, index, part):
        """Part of what was paid too much, all of it, or more: only the rest is taken off the order."""
        kept = self.order(index, is_overpaid)
        amount = max(Decimal("0.01"), cents(-kept.model.balance * part))
        wish = RefundWish(order_id=kept.pk, actor=CLERK, amount=amount)
        self.perform(kept, wish, lambda model: model.refund({}, shipping=ZERO, amount=amount))

    @rule(
        index=pick,
        which=pick,
        pieces=st.tuples(few, few, few),
        shipping=st.sampled_from(["0", "0", "2"]).map(Decimal),
        swap=st.sampled_from([False, False, True]),
    )
    def refund_pieces(self, index, which, pieces, shipping, swap):
        kept = self.order(index, has_money)
        which = self.item(kept, which, lambda item: item.refunded < item.quantity)
        pieces = self.refunded_of(kept.model.content.items[which], pieces)
        self.refund(kept, which, pieces, shipping=shipping, is_exchange=swap)

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


class Documents(Shop):
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
