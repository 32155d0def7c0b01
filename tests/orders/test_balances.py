"""What is owed on either side: derived, filtered, explained, and never walked through row by row."""

from decimal import Decimal

import pytest
from django.http import QueryDict

from orders.admin.list_result import result_of
from orders.balances import BALANCES
from orders.models import Order
from orders.services.cancelling import CancelWish
from orders.services.payments import PaymentWish, RefundWish
from orders.services.plan import apply
from tests.makers import ROBOT, make_clerk, make_order, make_shop

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def orders():
    """An order per way a balance can tip, by name."""
    make_shop()
    found = {name: make_order(items={"MUG": 1}) for name in ("unpaid", "half", "paid", "overpaid", "cancelled", "kept", "given_back")}
    for name, amount in (("half", 5), ("paid", 12), ("overpaid", 20), ("kept", 12), ("given_back", 12)):
        apply(PaymentWish(order_id=found[name].pk, actor=ROBOT, amount=Decimal(amount))).or_raise()
    for name in ("cancelled", "kept", "given_back"):
        apply(CancelWish(ids=[found[name].pk], actor=ROBOT, why="customer", refund=name == "given_back")).or_raise()
    return found


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        ("due", {"unpaid", "half"}),
        ("overpaid", {"overpaid"}),
        ("refund", {"overpaid", "kept"}),
        ("settled", {"paid", "cancelled", "given_back"}),
    ],
)
def test_the_list_finds_orders_by_their_balance(orders, answer, names):
    result = result_of(make_clerk(superuser=True), QueryDict(f"balance={answer}"))
    by_pk = {order.pk: name for name, order in orders.items()}
    assert {by_pk[order.pk] for order in result.orders} == names
    assert [chip.value for chip in result.filterset.chips()] == [str(BALANCES[answer][0])]


def test_an_overpaid_order_is_settled_once_the_rest_went_back(orders):
    order = orders["overpaid"]
    apply(RefundWish(order_id=order.pk, actor=ROBOT, amount=Decimal(8))).or_raise()
    order.refresh_from_db()
    assert (order.refund_due, order.balance_due, order.credited_total) == (0, 0, 0)
    assert Order.objects.filter(BALANCES["settled"][1](), pk=order.pk).exists()


def test_amounts_that_floats_can_not_hold_are_settled():
    make_shop()
    order = make_order(items={"MUG": 1})
    Order.objects.filter(pk=order.pk).update(total=Decimal("0.3"), paid_total=Decimal("0.6"), refunded_total=Decimal("0.4"))
    Order.objects.filter(pk=order.pk).update(credited_total=Decimal("0.1"))
    assert Order.objects.filter(BALANCES["settled"][1](), pk=order.pk).exists()


def test_the_page_says_what_is_due_and_why(orders, client):
    client.force_login(make_clerk(superuser=True))
    page = client.get(f"/admin/orders/order/{orders['kept'].pk}/change/").content.decode()
    assert "Refund due" in page
    assert "nothing is left to pay, so all of it is to be given back" in page
    assert "Refund due" not in client.get(f"/admin/orders/order/{orders['paid'].pk}/change/").content.decode()


def test_recording_the_payment_of_the_balance_proposes_paid(orders):
    apply(PaymentWish(order_id=orders["half"].pk, actor=ROBOT, amount=Decimal(7))).or_raise()
    assert Order.objects.with_statuses().get(pk=orders["half"].pk).payment_status.code == "PAID"


def test_deleted_orders_are_a_view_of_those_who_may_restore_them(orders):
    Order.objects.filter(pk=orders["unpaid"].pk).update(deleted_at="2026-11-01T10:00Z")
    owner, reader = make_clerk(superuser=True), make_clerk("orders.view_order", username="reader")
    assert [order.pk for order in result_of(owner, QueryDict("view=deleted")).orders] == [orders["unpaid"].pk]
    assert result_of(reader, QueryDict("view=deleted")).tab.key == "all"
