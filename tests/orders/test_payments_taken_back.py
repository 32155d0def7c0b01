"""Payments that were recorded and never came: what the screen says, who may take them back, and what stands against it."""

from decimal import Decimal

import pytest
from django.urls import reverse

from invoices.services import issue_invoice
from orders.errors import InvalidWish, NotAllowed
from orders.integrity import find_problems
from orders.models import Order
from orders.services.payments import PaymentWish, RefundWish, TakeBackPaymentWish
from orders.services.plan import Actor, apply
from tests.invoices.makers import make_seller
from tests.makers import CLERK, ROBOT, make_clerk, make_order
from tests.orders.test_admin_panel import fields_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def order():
    make_seller()
    return make_order("PAID", items={"MUG": 2})


def take_back(order, payment, *, actor=CLERK, reason="Bounced", **wish):
    return apply(TakeBackPaymentWish(order_id=order.pk, actor=actor, payment_id=payment.pk, reason=reason, **wish)).or_raise()


def state(order):
    order = Order.objects.with_statuses().get(pk=order.pk)
    return order.payment_status.code, order.paid_total, order.balance_due


def test_the_page_offers_it_and_says_what_it_does_before_it_is_done(order, client):
    issue_invoice(order.pk, actor=ROBOT)
    client.force_login(make_clerk(superuser=True))
    address = reverse("admin:orders_order_unpay", args=[order.pk, order.payments.get().pk])
    page = reverse("admin:orders_order_change", args=[order.pk])
    assert f'href="{address}"' in client.get(page).content.decode()
    panel = client.get(address)
    said = panel.content.decode()
    for words in ("The payment of €24.00 no longer counts", "An e-mail to Léa Martin", "stands", "Awaiting payment"):
        assert words in said
    assert state(order)[0] == "PAID"
    assert client.post(address, fields_of(panel) | {"reason": "Bounced"}).status_code == 302
    assert state(order) == ("AWAITING_PAYMENT", Decimal(0), Decimal(24))
    assert f'href="{address}"' not in client.get(page).content.decode()
    assert list(find_problems()) == []


def test_one_of_two_payments_is_taken_back_and_an_order_that_is_still_paid_up_stays_paid(order):
    apply(PaymentWish(order_id=order.pk, actor=ROBOT, amount=Decimal(24), reference="twice")).or_raise()
    take_back(order, order.payments.get(reference="twice"))
    assert state(order) == ("PAID", Decimal(24), Decimal(0))


def test_the_status_may_stay_as_it_is(order):
    take_back(order, order.payments.get(), set_unpaid=False)
    assert state(order) == ("PAID", Decimal(0), Decimal(24))


def test_money_that_was_given_back_had_come(order):
    apply(RefundWish(order_id=order.pk, actor=ROBOT, amount=Decimal(10))).or_raise()
    with pytest.raises(InvalidWish, match=r"Only €14.00 of the money is still here"):
        take_back(order, order.payments.get())
    assert state(order) == ("PARTIALLY_REFUNDED", Decimal(24), Decimal(0))


def test_it_needs_a_reason_the_right_and_a_payment_of_this_order(order):
    payment, other = order.payments.get(), make_order("PAID", items={"MUG": 1})
    with pytest.raises(InvalidWish, match="Say why"):
        take_back(order, payment, reason=" ")
    with pytest.raises(NotAllowed, match="You may not record payments"):
        take_back(order, payment, actor=Actor.clerk(make_clerk("orders.view_order", "orders.change_payment_status")))
    with pytest.raises(InvalidWish, match="This payment is not on the order"):
        take_back(order, other.payments.get())
    assert order.payments.count() == 1


def test_what_took_a_payment_back_is_no_payment_to_take_back(order):
    take_back(order, order.payments.get())
    assert [payment.can_be_taken_back for payment in order.payments.order_by("id")] == [False, False]
    assert take_back(order, order.payments.order_by("id").first()).unchanged == [order.pk]


def test_a_refund_and_a_cancellation_say_who_reads_their_reason(order, client):
    client.force_login(make_clerk(superuser=True))
    refund, cancel = (client.get(reverse(f"admin:orders_order_{name}", args=[order.pk])).content.decode() for name in ("refund", "cancel"))
    assert "The customer reads it, in the mail and on the credit note." in refund
    assert "the customer does not read it" in cancel
