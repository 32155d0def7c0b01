"""Any sequence of changes keeps counters equal to the ledger and never gives back more than went out."""

from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck
from hypothesis import settings as rounds
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from orders.errors import OrderError
from orders.integrity import find_problems
from orders.models import Order, OrderLine, Variant
from orders.services.editing import QuantityWish
from orders.services.fulfilment import ReturnWish, ShipmentWish
from orders.services.intake import place_order
from orders.services.payments import PaymentWish, RefundPiece, RefundWish
from orders.services.plan import apply
from orders.services.status import StatusWish
from orders.services.undo import UndoWish, latest_change
from tests.makers import CLERK, make_draft, make_variant

PAYMENT = ["AWAITING_PAYMENT", "PAID", "CANCELLED", "REFUNDED", "PARTIALLY_REFUNDED"]
FULFILMENT = ["AWAITING_PROCESSING", "PROCESSING", "READY_FOR_PICKUP", "SHIPPED", "DELIVERED", "WILL_NOT_DELIVER", "RETURNED"]
SKUS = ["MUG", "POT"]
pick = st.integers(0, 5)
few = st.integers(0, 4)


def asked_by_the_domain(line):
    """(committed, consumed) written down again from section 2 of the domain, apart from the code under test."""
    payment, fulfilment = line.order.payment_status, line.order.fulfilment_status
    open_pieces = line.quantity - line.pieces_shelf - line.pieces_lost
    gone = min(open_pieces, max(0, line.pieces_shipped - line.pieces_back))
    if payment.stock_effect == "release":
        gone = 0
    elif fulfilment.goods_left:
        gone = open_pieces
    holds = payment.stock_effect == "hold" and not fulfilment.releases_unshipped
    return (open_pieces - gone if holds else 0), line.pieces_lost + gone


class ShopLife(RuleBasedStateMachine):
    """A shop with two articles and up to six orders; every rule is something a clerk may try."""

    def __init__(self):
        super().__init__()
        self.shop_closes = transaction.atomic()
        self.shop_closes.__enter__()

    def teardown(self):
        transaction.set_rollback(True)
        self.shop_closes.__exit__(None, None, None)

    @initialize()
    def open_shop(self):
        for sku in SKUS:
            make_variant(sku, on_hand=8, price="10.00")
        self.orders = []

    def order(self, index):
        return Order.objects.get(pk=self.orders[index % len(self.orders)])

    def line(self, order, index):
        lines = list(order.lines.order_by("pk"))
        return lines[index % len(lines)]

    def attempt(self, wish):
        """Refusals are fine: what counts is that nothing breaks."""
        apply(wish)

    @precondition(lambda self: len(self.orders) < 6)
    @rule(mugs=st.integers(1, 4), pots=st.integers(1, 3), payment=st.sampled_from(["", "PAID"]))
    def place(self, mugs, pots, payment):
        try:
            order = place_order(make_draft({"MUG": mugs, "POT": pots}, payment_status=payment), actor=CLERK)
        except OrderError:
            return
        self.orders.append(order.pk)

    @precondition(lambda self: self.orders)
    @rule(index=pick, payment=st.sampled_from(PAYMENT), lose=st.booleans(), record=st.sampled_from([None, True, False]))
    def set_payment(self, index, payment, lose, record):
        order = self.order(index)
        lost = frozenset(order.lines.values_list("pk", flat=True)) if lose else frozenset()
        self.attempt(StatusWish(ids=[order.pk], actor=CLERK, payment=payment, lost_lines=lost, record=record))

    @precondition(lambda self: self.orders)
    @rule(index=pick, fulfilment=st.sampled_from(FULFILMENT), shelf=few, lost=few)
    def set_fulfilment(self, index, fulfilment, shelf, lost):
        order = self.order(index)
        returned = {self.line(order, shelf).pk: (shelf, lost)}
        self.attempt(StatusWish(ids=[order.pk], actor=CLERK, fulfilment=fulfilment, returned=returned))

    @precondition(lambda self: self.orders)
    @rule(index=pick, amount=st.integers(1, 60))
    def pay(self, index, amount):
        self.attempt(PaymentWish(order_id=self.order(index).pk, actor=CLERK, amount=Decimal(amount)))

    @precondition(lambda self: self.orders)
    @rule(index=pick, which=pick, quantity=few, shelf=few, lost=few)
    def refund(self, index, which, quantity, shelf, lost):
        order = self.order(index)
        pieces = [RefundPiece(self.line(order, which).pk, quantity, shelf=shelf, lost=lost)]
        self.attempt(RefundWish(order_id=order.pk, actor=CLERK, pieces=pieces))

    @precondition(lambda self: self.orders)
    @rule(index=pick, which=pick, quantity=few)
    def ship_some(self, index, which, quantity):
        order = self.order(index)
        self.attempt(ShipmentWish(order_id=order.pk, actor=CLERK, quantities={self.line(order, which).pk: quantity}))

    @precondition(lambda self: self.orders)
    @rule(index=pick)
    def ship_rest(self, index):
        self.attempt(ShipmentWish(order_id=self.order(index).pk, actor=CLERK))

    @precondition(lambda self: self.orders)
    @rule(index=pick, which=pick, shelf=few, lost=few)
    def take_return(self, index, which, shelf, lost):
        order = self.order(index)
        self.attempt(ReturnWish(order_id=order.pk, actor=CLERK, pieces={self.line(order, which).pk: (shelf, lost)}))

    @precondition(lambda self: self.orders)
    @rule(index=pick, which=pick, quantity=st.integers(1, 6))
    def change_quantity(self, index, which, quantity):
        order = self.order(index)
        self.attempt(QuantityWish(order_id=order.pk, line_id=self.line(order, which).pk, quantity=quantity, actor=CLERK))

    @precondition(lambda self: self.orders)
    @rule(index=pick)
    def undo(self, index):
        order = self.order(index)
        self.attempt(UndoWish(order_id=order.pk, event_id=latest_change(order.pk).pk, actor=CLERK))

    @invariant()
    def everything_adds_up(self):
        assert list(find_problems()) == []
        for line in OrderLine.objects.select_related("order__payment_status", "order__fulfilment_status"):
            assert (line.committed, line.consumed) == asked_by_the_domain(line)
        for variant in Variant.objects.all():
            out = sum(OrderLine.objects.filter(variant=variant).values_list("consumed", flat=True))
            lost = sum(OrderLine.objects.filter(variant=variant).values_list("pieces_lost", flat=True))
            assert variant.on_hand == 8 - out
            assert variant.on_hand <= 8 - lost
            assert variant.available >= 0


@pytest.mark.both_databases
@pytest.mark.django_db
def test_any_sequence_of_changes_keeps_stock_and_money_true(settings):
    settings.CONSEQUENCE_PLANNERS = ()  # mails and documents have tests of their own; here every refusal is a rule of orders
    run_state_machine_as_test(
        ShopLife,
        settings=rounds(max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)),
    )
