"""Cancelling, deleting and restoring orders: money, pieces, documents and mail of each, exactly."""

from decimal import Decimal

import pytest

from invoices.models import PendingDocument
from invoices.services.crediting import credit_invoice
from invoices.services.issuing import issue_invoice
from notifications.models import OutgoingEmail
from orders.errors import InvalidWish, NotAllowed, NotEnoughStock, StaleOrder
from orders.integrity import find_problems
from orders.models import Order, OrderEvent
from orders.services.cancelling import CancelWish
from orders.services.payments import PaymentWish
from orders.services.plan import Actor, apply
from orders.services.removal import DeleteWish, RestoreWish
from orders.services.undo import UndoWish
from tests.invoices.makers import make_seller
from tests.makers import CLERK, ROBOT, make_clerk, make_order, make_shop, make_variant, set_status, stock_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shop():
    make_shop()


def cancel(order, **wish):
    return apply(CancelWish(ids=[order.pk], actor=wish.pop("actor", CLERK), **({"why": "customer"} | wish))).or_raise()


def delete(order, **wish):
    return apply(DeleteWish(order_id=order.pk, **({"actor": CLERK, "reason": "Entered twice"} | wish))).or_raise()


def restore(order, **wish):
    return apply(RestoreWish(order_id=order.pk, actor=CLERK, **wish)).or_raise()


def codes(order):
    order = Order.objects.with_statuses().get(pk=order.pk)
    return order.payment_status.code, order.fulfilment_status.code


def test_cancelling_sets_both_statuses_frees_the_pieces_and_keeps_the_money():
    order = make_order("PAID", items={"MUG": 3})
    event = cancel(order, reason="Found it cheaper").event
    order.refresh_from_db()
    assert (codes(order), stock_of("MUG")) == (("CANCELLED", "WILL_NOT_DELIVER"), (10, 0))
    assert (order.refundable, order.refund_due, order.balance_due) == (Decimal(36), Decimal(36), Decimal(0))
    assert (event.reason, event.facts["cancelled"]) == ("The customer asked for it. Found it cheaper", "customer")
    assert OrderEvent.objects.filter(order=order).latest("id") == event


def test_cancelling_gives_the_money_back_where_that_is_recorded():
    order = make_order("PAID", items={"MUG": 3})
    cancel(order, refund=True, reference="re_1")
    order.refresh_from_db()
    refund = order.refunds.get()
    assert (order.refundable, order.refund_due, refund.amount, refund.reference) == (0, 0, Decimal(36), "re_1")


def test_one_mail_tells_of_the_cancellation_and_one_of_the_money():
    order = make_order("PAID", items={"MUG": 1})
    OutgoingEmail.objects.all().delete()
    event = cancel(order, refund=True).event
    mails = OutgoingEmail.objects.filter(event=event, audience="customer").order_by("kind")
    assert [mail.kind for mail in mails] == ["refund_recorded", "status_changed"]
    assert "annulée" in mails[1].subject


def test_pieces_that_had_left_go_back_unless_they_are_lost():
    order = make_order("PAID", items={"MUG": 2, "CUP": 1})
    set_status(order, fulfilment="SHIPPED")
    cancel(order, lost_lines=frozenset({order.lines.get(sku="CUP").pk}))
    assert (stock_of("MUG"), stock_of("CUP"), codes(order)) == ((10, 0), (9, 0), ("CANCELLED", "SHIPPED"))
    assert list(find_problems()) == []


def test_cancelling_an_invoiced_order_proposes_the_whole_credit_note():
    make_seller()
    order = make_order("PAID", items={"MUG": 3})
    issue_invoice(order.pk, actor=ROBOT)
    event = cancel(order, refund=True).event
    document = PendingDocument.objects.get(event=event)
    assert (document.kind, document.amount, document.details["mode"]) == ("credit_note", Decimal(36), "rest")


def test_another_reason_is_said_in_words():
    order = make_order("PAID")
    with pytest.raises(InvalidWish, match="Say why"):
        cancel(order, why="other")
    assert codes(order)[0] == "PAID"


def test_what_is_cancelled_is_not_cancelled_again():
    order = make_order("PAID")
    cancel(order)
    with pytest.raises(InvalidWish, match="already"):
        cancel(order)


def test_undoing_a_cancellation_takes_back_all_of_it():
    order = make_order("PAID", items={"MUG": 3})
    event = cancel(order, refund=True).event
    apply(UndoWish(order_id=order.pk, actor=CLERK, event_id=event.pk)).or_raise()
    order.refresh_from_db()
    assert (codes(order), stock_of("MUG"), order.refundable) == (("PAID", "AWAITING_PROCESSING"), (10, 3), Decimal(36))


def test_who_may_cancel_but_not_refund_records_no_money():
    order = make_order("PAID")
    clerk = Actor.clerk(
        make_clerk("orders.view_order", "orders.cancel_order", "orders.change_payment_status", "orders.change_order_status")
    )
    with pytest.raises(NotAllowed, match="You may not record refunds"):
        cancel(order, actor=clerk, refund=True)
    assert cancel(order, actor=clerk).event is not None


def test_deleting_gives_the_pieces_back_and_hides_the_order():
    order = make_order("PAID", items={"MUG": 3})
    event = delete(order).event
    order.refresh_from_db()
    assert (stock_of("MUG"), order.deleted_reason, event.kind, event.reason) == ((10, 0), "Entered twice", "deleted", "Entered twice")
    assert not Order.objects.present().filter(pk=order.pk).exists()
    assert list(find_problems()) == []


def test_a_restored_order_is_as_it_was():
    order = make_order("PAID", items={"MUG": 2, "CUP": 1})
    set_status(order, fulfilment="SHIPPED")
    delete(order, lost_lines=frozenset({order.lines.get(sku="CUP").pk}))
    assert (stock_of("MUG"), stock_of("CUP")) == ((10, 0), (9, 0))
    restore(order)
    order.refresh_from_db()
    assert (stock_of("MUG"), stock_of("CUP"), order.deleted_at, order.deleted_reason) == ((8, 0), (9, 0), None, "")
    assert codes(order) == ("PAID", "SHIPPED")
    assert list(find_problems()) == []


def test_restoring_obeys_the_rule_against_overselling():
    make_variant("MUG", on_hand=3)
    order = make_order("PAID", items={"MUG": 3})
    delete(order)
    make_order("PAID", items={"MUG": 2})
    with pytest.raises(NotEnoughStock):
        restore(order)
    restore(order, oversell=True)
    order.refresh_from_db()
    assert (stock_of("MUG"), order.is_oversold) == ((3, 5), True)


def test_an_order_with_an_invoice_is_not_deleted_and_says_what_to_do():
    make_seller()
    order = make_order("PAID")
    invoice = issue_invoice(order.pk, actor=ROBOT)
    with pytest.raises(InvalidWish, match=f"Invoice {invoice.number} was issued .* Cancel it instead"):
        delete(order)
    credit_invoice(invoice.pk, actor=ROBOT, issue_key="all")
    with pytest.raises(InvalidWish, match="stay in your books"):
        delete(order)


def test_a_document_that_waits_is_not_issued_for_a_deleted_order():
    make_seller(auto_issue="paid")
    order = make_order(items={"MUG": 1})
    set_status(order, actor=CLERK, payment="PAID")
    assert PendingDocument.objects.get(order=order).state == "waiting"
    delete(order)
    assert PendingDocument.objects.get(order=order).state == "cancelled"


def test_a_deletion_needs_its_right_and_a_reason():
    order = make_order()
    with pytest.raises(InvalidWish, match="Say why"):
        delete(order, reason=" ")
    with pytest.raises(NotAllowed, match="You may not delete orders"):
        delete(order, actor=Actor.clerk(make_clerk("orders.view_order", "orders.cancel_order")))


def test_a_deleted_order_takes_no_change_but_its_restoration():
    order = make_order(items={"MUG": 1})
    delete(order)
    with pytest.raises(StaleOrder, match="deleted"):
        apply(PaymentWish(order_id=order.pk, actor=CLERK, amount=Decimal(12))).or_raise()
    assert delete(order).event is None
    assert restore(order).event.kind == "restored"
    assert restore(order).event is None
