"""Two people and one order's money at the same moment, on real threads and PostgreSQL; each race has a control without its lock."""

from decimal import Decimal

import pytest

from orders.errors import OrderError
from orders.integrity import find_problems
from orders.models import LineDecision, Order, ReturnCase
from orders.services.cancelling import CancelWish
from orders.services.payments import PaymentWish, RefundWish
from orders.services.plan import apply
from orders.services.returns import InspectReturnWish, ReceiveReturnWish, ReturnRequestWish
from tests.makers import ROBOT, make_order, set_status, stock_of
from tests.racing import run_together, writing_together

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.postgres]


def refund_the_rest(order):
    wish = {"order_id": order.pk, "actor": ROBOT, "amount": Decimal(36)}
    return run_together(*(lambda: apply(RefundWish(**wish)).or_raise() for _ in range(2)))


def test_of_two_refunds_of_the_rest_one_is_refused():
    order = make_order("PAID", items={"MUG": 3})
    refused = [result for result in refund_the_rest(order) if isinstance(result, OrderError)]
    order.refresh_from_db()
    assert (len(refused), order.refunded_total, order.refunds.count()) == (1, Decimal(36), 1)
    assert "0.00" in str(refused[0]) or "0,00" in str(refused[0])


def test_without_the_lock_both_refunds_are_recorded():
    """Twelve of twelve twice: the sum on the order hides it, the rows of the refunds do not."""
    order = make_order("PAID", items={"MUG": 1})
    wish = {"order_id": order.pk, "actor": ROBOT, "amount": Decimal(12), "set_status": False}  # moves no stock: no CHECK helps
    with writing_together():
        run_together(*(lambda: apply(RefundWish(**wish)).or_raise() for _ in range(2)))
    assert sum(order.refunds.values_list("amount", flat=True)) == Decimal(24)
    assert [problem for problem in find_problems() if problem.startswith("money")]


def test_cancelling_against_a_payment_leaves_no_money_uncounted():
    order = make_order(items={"MUG": 3})
    results = run_together(
        lambda: apply(CancelWish(ids=[order.pk], actor=ROBOT, why="unpaid")).or_raise(),
        lambda: apply(PaymentWish(order_id=order.pk, actor=ROBOT, amount=Decimal(36))).or_raise(),
    )
    assert not [result for result in results if isinstance(result, Exception)]
    order = Order.objects.with_statuses().get(pk=order.pk)
    assert (order.payment_status.code, order.paid_total, order.refund_due) == ("CANCELLED", Decimal(36), Decimal(36))
    assert (stock_of("MUG"), list(find_problems())) == ((10, 0), [])


def test_without_the_lock_a_payment_undoes_a_cancellation():
    """Both read an open order; where the payment writes last, the cancelled order is one to be packed."""
    make_order(items={"MUG": 5})
    for _round in range(20):
        order = make_order(items={"MUG": 1})
        with writing_together():
            run_together(
                lambda order=order: apply(CancelWish(ids=[order.pk], actor=ROBOT, why="unpaid")).or_raise(),
                lambda order=order: apply(PaymentWish(order_id=order.pk, actor=ROBOT, amount=Decimal(12))).or_raise(),
            )
        if Order.objects.with_statuses().get(pk=order.pk).payment_status.code == "PAID":
            return
    pytest.fail("the cancellation was written last each time")


def inspect_twice():
    """A parcel with two mugs is here; two people look at it and put one on the shelf each."""
    order = make_order("PAID", items={"MUG": 3})
    set_status(order, fulfilment="SHIPPED")
    line = order.lines.get()
    apply(ReturnRequestWish(order_id=order.pk, actor=ROBOT, pieces={line.pk: 2})).or_raise()
    case = ReturnCase.objects.get(order=order)
    apply(ReceiveReturnWish(order_id=order.pk, actor=ROBOT, case_id=case.pk, pieces={line.pk: 2})).or_raise()
    wish = {"order_id": order.pk, "actor": ROBOT, "case_id": case.pk, "pieces": {line.pk: (1, 0)}}
    return order, lambda: run_together(*(lambda: apply(InspectReturnWish(**wish)).or_raise() for _ in range(2)))


def test_of_two_inspections_of_a_return_one_is_refused():
    _order, inspect = inspect_twice()
    assert sum(isinstance(result, OrderError) for result in inspect()) == 1
    assert (stock_of("MUG"), list(find_problems())) == ((8, 0), [])


def test_without_the_lock_one_mug_comes_back_twice():
    _order, inspect = inspect_twice()
    with writing_together():
        inspect()
    assert sum(LineDecision.objects.values_list("shelf", flat=True)) == 2
    assert list(find_problems())
