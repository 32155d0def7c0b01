"""A return from the request to its end: which step moves what, and what can be taken back."""

from decimal import Decimal

import pytest

from orders.drafts import DraftLine
from orders.edits import OrderEdit
from orders.errors import InvalidWish, NotAllowed
from orders.integrity import find_problems
from orders.models import LineDecision, Order, ReturnCase, Variant
from orders.services.payments import RefundPiece, RefundWish
from orders.services.plan import Actor, apply, plan
from orders.services.proposing import EditWish
from orders.services.returns import (
    ApproveReturnWish,
    CloseReturnWish,
    InspectReturnWish,
    ReceiveReturnWish,
    RefuseReturnWish,
    ReturnRequestWish,
    returnable,
)
from orders.services.undo import UndoWish
from tests.makers import CLERK, make_clerk, make_order, make_shop, make_variant, set_status, stock_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def order():
    make_shop()
    order = make_order("PAID", items={"MUG": 3})
    set_status(order, fulfilment="SHIPPED")
    return order


def ask(order, pieces=2, **wish):
    line = order.lines.get()
    return apply(ReturnRequestWish(order_id=order.pk, actor=CLERK, pieces={line.pk: pieces}, **wish)).or_raise()


def step(kind, order, case, **wish):
    return apply(kind(order_id=order.pk, actor=CLERK, case_id=case.pk, **wish)).or_raise()


def inspected(order, shelf=1, lost=1):
    ask(order, shelf + lost)
    case, line = ReturnCase.objects.latest("id"), order.lines.get()
    step(ReceiveReturnWish, order, case, pieces={line.pk: shelf + lost})
    step(InspectReturnWish, order, case, pieces={line.pk: (shelf, lost)})
    case.refresh_from_db()
    return case


def test_no_stock_moves_before_the_pieces_are_inspected(order):
    ask(order, reasons={order.lines.get().pk: "broken"}, note="It cracked")
    case, line = ReturnCase.objects.get(), order.lines.get()
    step(ApproveReturnWish, order, case)
    step(ReceiveReturnWish, order, case, pieces={line.pk: 2})
    assert (stock_of("MUG"), LineDecision.objects.count()) == ((7, 0), 0)
    step(InspectReturnWish, order, case, pieces={line.pk: (1, 1)})
    row = case.lines.get()
    assert (stock_of("MUG"), row.asked, row.received, row.shelf, row.lost, row.reason) == ((8, 0), 2, 2, 1, 1, "broken")
    assert [event.kind for event in order.events.order_by("-id")[:4]] == ["return"] * 4
    assert list(find_problems()) == []


def test_no_mail_tells_of_a_return(order):
    wish = ReturnRequestWish(order_id=order.pk, actor=CLERK, pieces={order.lines.get().pk: 1})
    assert [c for c in plan(wish).changes[0].consequences if c.key.startswith("mail:")] == []


@pytest.mark.parametrize("asked", [0, 4])
def test_a_return_asks_for_pieces_that_the_customer_has(order, asked):
    with pytest.raises(InvalidWish):
        ask(order, asked)
    assert not ReturnCase.objects.exists()


def test_pieces_of_an_open_return_are_not_asked_back_twice(order):
    ask(order, 2)
    assert returnable(Order.objects.get(pk=order.pk), list(order.lines.all())) == {order.lines.get().pk: 1}
    with pytest.raises(InvalidWish, match="1 pieces can still come back"):
        ask(order, 2)


def test_a_refused_return_says_why_and_frees_its_pieces(order):
    ask(order, 3)
    case = ReturnCase.objects.get()
    with pytest.raises(InvalidWish, match="Say why"):
        step(RefuseReturnWish, order, case, reason=" ")
    step(RefuseReturnWish, order, case, reason="After the term")
    case.refresh_from_db()
    assert (case.state, case.refusal, case.is_open) == ("refused", "After the term", False)
    assert returnable(Order.objects.get(pk=order.pk), list(order.lines.all())) == {order.lines.get().pk: 3}


def test_steps_come_in_their_order(order):
    ask(order)
    case, line = ReturnCase.objects.get(), order.lines.get()
    with pytest.raises(InvalidWish, match="requested already"):
        step(InspectReturnWish, order, case, pieces={line.pk: (1, 0)})
    step(ReceiveReturnWish, order, case, pieces={line.pk: 1})
    with pytest.raises(InvalidWish, match="received already"):
        step(ApproveReturnWish, order, case)
    with pytest.raises(InvalidWish, match="1 pieces were received"):
        step(InspectReturnWish, order, case, pieces={line.pk: (1, 1)})


def test_the_refund_of_a_return_ends_it(order):
    case = inspected(order)
    wish = RefundWish(order_id=order.pk, actor=CLERK, pieces=[RefundPiece(order.lines.get().pk, 2)], return_id=case.pk)
    apply(wish).or_raise()
    case.refresh_from_db()
    order.refresh_from_db()
    assert (case.state, case.ending, case.refund.amount) == ("closed", "refund", Decimal("24"))
    assert (order.payment_status.code, order.refunded_total, stock_of("MUG")) == ("PARTIALLY_REFUNDED", Decimal("24"), (8, 0))


def test_a_closed_return_is_not_refunded_again(order):
    case = inspected(order)
    step(CloseReturnWish, order, case)
    with pytest.raises(InvalidWish, match="closed already"):
        apply(RefundWish(order_id=order.pk, actor=CLERK, amount=Decimal(5), return_id=case.pk)).or_raise()


def test_undoing_an_inspection_takes_the_pieces_from_the_shelf_again(order):
    case = inspected(order)
    event = order.events.order_by("-id").first()
    apply(UndoWish(order_id=order.pk, actor=CLERK, event_id=event.pk)).or_raise()
    case.refresh_from_db()
    row = case.lines.get()
    assert (case.state, row.received, row.shelf, row.lost, stock_of("MUG")) == ("received", 2, 0, 0, (7, 0))
    assert list(find_problems()) == []


def test_undoing_the_refund_opens_the_return_again(order):
    case = inspected(order)
    event = apply(RefundWish(order_id=order.pk, actor=CLERK, amount=Decimal(10), return_id=case.pk)).or_raise().event
    apply(UndoWish(order_id=order.pk, actor=CLERK, event_id=event.pk)).or_raise()
    case.refresh_from_db()
    assert (case.state, case.ending, case.refund) == ("inspected", "", None)


def test_undoing_a_request_withdraws_it(order):
    event = ask(order).event
    apply(UndoWish(order_id=order.pk, actor=CLERK, event_id=event.pk)).or_raise()
    assert ReturnCase.objects.get().state == "withdrawn"


def test_a_double_click_opens_one_return(order):
    ask(order, 2)
    with pytest.raises(InvalidWish):
        ask(order, 2)
    assert ReturnCase.objects.count() == 1


def test_whoever_ships_nothing_records_no_return(order):
    reader = Actor.clerk(make_clerk("orders.view_order"))
    with pytest.raises(NotAllowed, match="You may not record returns"):
        apply(ReturnRequestWish(order_id=order.pk, actor=reader, pieces={order.lines.get().pk: 1})).or_raise()


def test_an_exchange_gives_nothing_back_and_lowers_the_balance(order):
    case = inspected(order)
    pieces = [RefundPiece(order.lines.get().pk, 2)]
    wish = RefundWish(order_id=order.pk, actor=CLERK, pieces=pieces, return_id=case.pk, is_exchange=True)
    planned = plan(wish).changes[0]
    assert [c.key for c in planned.consequences if c.key.startswith("mail:") and type(c).__name__ == "SendMail"] == []
    apply(wish).or_raise()
    order, case = Order.objects.with_statuses().get(pk=order.pk), ReturnCase.objects.get()
    assert (order.payment_status.code, order.refunded_total, order.balance, case.ending) == ("PAID", 0, Decimal(-24), "exchange")
    assert list(find_problems()) == []


def test_what_replaces_the_returned_pieces_is_paid_by_them(order):
    case = inspected(order)
    make_variant("BOWL", price="30.00")
    edit = OrderEdit(added=(DraftLine(sku="BOWL", variant_id=Variant.objects.get(sku="BOWL").pk, quantity=1),))
    apply(EditWish(order_id=order.pk, actor=CLERK, edit=edit)).or_raise()
    pieces = [RefundPiece(order.lines.get(sku="MUG").pk, 2)]
    apply(RefundWish(order_id=order.pk, actor=CLERK, pieces=pieces, return_id=case.pk, is_exchange=True)).or_raise()
    order = Order.objects.with_statuses().get(pk=order.pk)
    assert (order.total, order.credited_total, order.balance_due) == (Decimal(66), Decimal(24), Decimal(6))
    assert list(find_problems()) == []
