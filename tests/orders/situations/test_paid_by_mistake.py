"""An order that was set Paid by mistake: noticed at once, and noticed when the customer had been told and invoiced."""

from dataclasses import replace
from decimal import Decimal

import pytest

from orders.errors import CannotUndo
from orders.services.payments import PaymentWish, TakeBackPaymentWish
from orders.services.plan import apply, plan
from orders.services.status import StatusWish
from orders.services.undo import UndoWish
from tests.makers import make_order
from tests.orders.situations.outcome import Aftermath, Money, aftermath_of, situation

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
TOLD = {"staff@example.com": ["new_order sent fr"]}
PLACED = Aftermath(
    statuses="AWAITING_PAYMENT AWAITING_PROCESSING",
    money=Money(total="24.00", vat="4.00", paid="0.00", refunded="0.00", credited="0.00", balance="24.00 to pay"),
    stock={"MUG": "20/0 20/2", "POT": "5/0"},  # the pieces are kept all the time
    events="placed",
    last="Order placed · 2 pieces reserved",
    mails={"lea@example.com": ["order_confirmation sent fr"]} | TOLD,
    documents=[],
)
PAID = replace(PLACED.money, paid="24.00", balance="settled")


@pytest.fixture
def order(invoicing, time_passes):
    order = make_order("AWAITING_PAYMENT", items={"MUG": 2}, email="lea@example.com")
    time_passes()
    assert aftermath_of(order) == PLACED
    return order


def rows(order):
    return [str(amount.quantize(Decimal("0.01"))) for amount in order.payments.order_by("id").values_list("amount", flat=True)]


@situation(18, "Paid set by mistake and undone in the window")
def test_paid_by_mistake_is_undone_before_anybody_hears_of_it(order, ines, time_passes):
    event = apply(StatusWish(ids=[order.pk], actor=ines, payment="PAID")).or_raise().event
    held = aftermath_of(order)
    assert (held.mails["lea@example.com"][1], held.documents) == ("status_changed held fr with (invoice)", ["invoice waiting 24.00"])
    apply(UndoWish(order_id=order.pk, actor=ines, event_id=event.pk)).or_raise()
    time_passes()
    assert aftermath_of(order) == replace(
        PLACED,
        events="placed status undo",
        last="Undone · Paid → Awaiting payment · €24.00 taken back",
        mails={"lea@example.com": ["order_confirmation sent fr", "status_changed undone fr with (invoice)"]} | TOLD,
        documents=["invoice cancelled 24.00"],
    )
    assert rows(order) == ["24.00", "-24.00"]  # nothing is deleted


@situation(19, "Paid found to be wrong after the window")
def test_a_payment_that_never_came_is_taken_back_after_everybody_heard_of_it(order, ines, time_passes):
    event = apply(StatusWish(ids=[order.pk], actor=ines, payment="PAID")).or_raise().event
    time_passes()
    with pytest.raises(CannotUndo, match="F-2026-0001 is issued already; correct it with a credit note"):
        apply(UndoWish(order_id=order.pk, actor=ines, event_id=event.pk)).or_raise()
    apply(StatusWish(ids=[order.pk], actor=ines, payment="AWAITING_PAYMENT")).or_raise()
    time_passes()
    waits = replace(
        PLACED,
        money=PAID,  # the status says nothing of the money: the payment stays recorded, so nothing is due
        events="placed status status",
        last="Paid → Awaiting payment",
        mails={"lea@example.com": ["order_confirmation sent fr", "status_changed sent fr with F-2026-0001", "status_changed sent fr"]}
        | TOLD,
        documents=["F-2026-0001 24.00 VAT 4.00"],
    )
    assert aftermath_of(order) == waits
    wish = TakeBackPaymentWish(order_id=order.pk, actor=ines, payment_id=order.payments.get().pk, reason="The transfer was another order's")
    apply(wish).or_raise()
    assert apply(wish).or_raise().unchanged == [order.pk]
    time_passes()
    owes = replace(
        waits,
        money=PLACED.money,
        events="placed status status payment",
        last="Payment recorded · €24.00 taken back · The transfer was another order's",
    )
    assert aftermath_of(order) == owes
    apply(PaymentWish(order_id=order.pk, actor=ines, amount=Decimal(24), method="Virement")).or_raise()
    time_passes()
    assert aftermath_of(order) == replace(
        owes,
        statuses="PAID AWAITING_PROCESSING",
        money=PAID,
        events="placed status status payment payment",
        last="Payment recorded · Awaiting payment → Paid · €24.00 received, Virement",
        mails={"lea@example.com": [*owes.mails["lea@example.com"], "status_changed sent fr"]} | TOLD,
    )
    assert rows(order) == ["24.00", "-24.00", "24.00"]


def test_taking_a_payment_back_sets_the_order_back_in_the_same_act_and_can_be_undone(order, ines, time_passes):
    apply(PaymentWish(order_id=order.pk, actor=ines, amount=Decimal(24))).or_raise()
    time_passes()
    wish = TakeBackPaymentWish(order_id=order.pk, actor=ines, payment_id=order.payments.get().pk, reason="Bounced")
    assert "document:stands" in [item.key for item in plan(wish).changes[0].consequences]  # the invoice stays, and the panel says so
    event = apply(wish).or_raise().event
    back = aftermath_of(order)
    assert (back.statuses, back.money) == (PLACED.statuses, PLACED.money)
    assert back.last == "Payment recorded · Paid → Awaiting payment · €24.00 taken back · Bounced"
    apply(UndoWish(order_id=order.pk, actor=ines, event_id=event.pk)).or_raise()
    time_passes()
    again = aftermath_of(order)
    assert (again.statuses, again.money) == ("PAID AWAITING_PROCESSING", PAID)
    assert again.mails["lea@example.com"][-1] == "status_changed undone fr"
