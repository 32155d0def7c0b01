"""An exchange is one act: pieces come back, others go out, one balance is left, and the books say the same."""

from decimal import Decimal

import pytest

from invoices.models import Invoice, PendingDocument
from invoices.services import credit_invoice, issue_invoice
from invoices.services.releasing import release_documents
from orders.drafts import DraftDiscount, DraftLine
from orders.edits import RECOMPUTE, LineEdit, OrderEdit, TakenBack
from orders.errors import CannotUndo, InvalidWish, NotAllowed
from orders.integrity import find_problems
from orders.models import ReturnCase, Variant
from orders.services.payments import RefundPiece, RefundWish
from orders.services.plan import Actor, apply, plan
from orders.services.proposing import EditWish
from orders.services.returns import InspectReturnWish, ReceiveReturnWish, ReturnRequestWish
from orders.services.undo import UndoWish
from tests.invoices.makers import amounts, make_seller
from tests.makers import CLERK, ROBOT, make_clerk, make_order, make_variant, set_status, stock_of

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
D = Decimal


@pytest.fixture
def order():
    """Two mugs at 12.00, paid and shipped; bowls at 15.00 stand on the shelf."""
    make_seller()
    make_variant("BOWL", on_hand=5, price="15.00")
    order = make_order("PAID", items={"MUG": 2}, language="en")
    set_status(order, fulfilment="SHIPPED")
    return order


def mug(order):
    return order.lines.get(sku="MUG")


def bowl(quantity=1):
    return DraftLine(variant_id=Variant.objects.get(sku="BOWL").pk, quantity=quantity)


def exchanged(order, *, back=1, shelf=1, actor=ROBOT, **more):
    wanted = {"taken_back": (TakenBack(mug(order).pk, back, shelf=shelf),), "added": (bowl(),), "reason": "Too small"} | more
    return EditWish(order_id=order.pk, edit=OrderEdit(**wanted), actor=actor)


def exchange(order, **wanted):
    event = apply(exchanged(order, **wanted)).or_raise().event
    order.refresh_from_db()
    return event


def documents(order):
    return [(d.kind, *amounts(d)) for d in Invoice.objects.filter(order=order).order_by("pk")]


def test_one_act_takes_back_sends_out_and_leaves_one_balance(order):
    event = exchange(order)
    # 24.00 + 15.00 = 39.00, less 12.00 that came back = 27.00, of which 24.00 is paid.
    assert (order.total, order.credited_total, order.refunded_total, order.balance) == (D("39.00"), D("12.00"), 0, D("3.00"))
    # The mug is on the shelf again (8 + 1); the bowl goes out with the order that is shipped.
    assert (stock_of("MUG"), stock_of("BOWL")) == ((9, 0), (4, 0))
    assert (event.kind, order.events.filter(pk__gte=event.pk).count(), order.mails.filter(event=event).count()) == ("edit", 1, 0)
    assert list(find_problems()) == []


def test_the_books_say_a_credit_note_and_one_new_invoice(order):
    first = issue_invoice(order.pk, actor=ROBOT)
    (change,) = plan(exchanged(order)).changes
    (paper,) = [c for c in change.consequences if c.key.startswith("document:")]
    assert (paper.before, paper.amount, first.number in paper.describe().lines[0]) == (D("24.00"), D("27.00"), True)
    exchange(order)
    release_documents()
    # 24.00 is taken back whole; one mug and one bowl are invoiced: 27.00 incl. 20 % is 22.50 + 4.50.
    assert documents(order) == [
        ("invoice", D("20.00"), D("4.00"), D("24.00")),
        ("credit_note", D("20.00"), D("4.00"), D("24.00")),
        ("invoice", D("22.50"), D("4.50"), D("27.00")),
    ]
    new = Invoice.objects.latest("pk")
    assert [(row.sku, int(row.quantity)) for row in new.lines.order_by("position")] == [("MUG", 1), ("BOWL", 1)]
    assert (new.due, PendingDocument.objects.get().state) == (D("3.00"), "issued")


def test_an_earlier_refund_is_left_out_of_the_replacement(order):
    issue_invoice(order.pk, actor=ROBOT)
    apply(RefundWish(order_id=order.pk, pieces=[RefundPiece(mug(order).pk, 1)], actor=ROBOT)).or_raise()
    release_documents()
    apply(EditWish(order_id=order.pk, edit=OrderEdit(added=(bowl(),), reason="One more"), actor=ROBOT)).or_raise()
    release_documents()
    assert [row[0::3] for row in documents(order)] == [
        ("invoice", D("24.00")),
        ("credit_note", D("12.00")),
        ("credit_note", D("12.00")),
        ("invoice", D("27.00")),
    ]


def test_a_refund_whose_credit_note_still_waits_is_taken_off_once(order):
    issue_invoice(order.pk, actor=ROBOT)
    apply(RefundWish(order_id=order.pk, pieces=[RefundPiece(mug(order).pk, 1)], actor=CLERK)).or_raise()
    wish = EditWish(order_id=order.pk, edit=OrderEdit(added=(bowl(),), reason="One more"), actor=CLERK)
    (paper,) = [c for c in plan(wish).changes[0].consequences if c.key == "document:replace"]
    assert (paper.credited, paper.before, paper.amount) == (D("12.00"), D("12.00"), D("27.00"))
    apply(wish).or_raise()
    release_documents(list(order.events.values_list("pk", flat=True)))
    assert [row[3] for row in documents(order)] == [D("24.00"), D("12.00"), D("12.00"), D("27.00")]


def test_an_order_whose_invoice_was_credited_entirely_gets_a_new_one(order):
    issue_invoice(order.pk, actor=ROBOT)
    wish = RefundWish(order_id=order.pk, pieces=[RefundPiece(mug(order).pk, 2, shelf=2)], actor=ROBOT, is_exchange=True)
    apply(wish).or_raise()
    release_documents()
    apply(EditWish(order_id=order.pk, edit=OrderEdit(added=(bowl(2),), reason="Bowls instead"), actor=ROBOT)).or_raise()
    release_documents()
    assert [row[0::3] for row in documents(order)] == [("invoice", D("24.00")), ("credit_note", D("24.00")), ("invoice", D("30.00"))]


def test_what_was_credited_by_hand_is_left_to_staff(order):
    invoice = issue_invoice(order.pk, actor=ROBOT)
    credit_invoice(invoice.pk, actor=ROBOT, amount=D("5.00"), issue_key="goodwill")
    keys = [c.key for c in plan(exchanged(order)).changes[0].consequences]
    assert "document:edit" in keys
    assert "document:replace" not in keys


def test_taking_back_alone_is_a_credit_note_of_the_pieces(order):
    issue_invoice(order.pk, actor=ROBOT)
    exchange(order, added=())
    release_documents()
    assert [row[0::3] for row in documents(order)] == [("invoice", D("24.00")), ("credit_note", D("12.00"))]


def test_a_cheaper_article_leaves_money_to_give_back(order):
    Variant.objects.filter(sku="BOWL").update(price=D("9.50"))
    exchange(order)
    assert (order.balance, order.refund_due) == (D("-2.50"), D("2.50"))


def test_a_discount_in_percent_is_shared_by_what_comes_back_and_what_goes_out():
    make_seller()
    make_variant("BOWL", on_hand=5, price="15.00")
    order = make_order("PAID", items={"MUG": 2}, discounts=(DraftDiscount("Ten", "PERCENT", D(10)),), language="en")
    set_status(order, fulfilment="SHIPPED")
    issue_invoice(order.pk, actor=ROBOT)
    exchange(order, discounts_by=RECOMPUTE)
    # 39.00 less 3.90 is 35.10; the mug cost 12.00 less 1.20 = 10.80; 24.30 is left, 21.60 is paid.
    assert (order.total, order.credited_total, order.balance) == (D("35.10"), D("10.80"), D("2.70"))
    release_documents()
    # 12.00 + 15.00 less 2.70 = 24.30: base 20.25, VAT 4.05.
    assert amounts(Invoice.objects.latest("pk")) == (D("20.25"), D("4.05"), D("24.30"))


def test_the_exchange_of_a_return_ends_it_and_moves_no_piece_twice(order):
    line = mug(order)
    apply(ReturnRequestWish(order_id=order.pk, actor=CLERK, pieces={line.pk: 1})).or_raise()
    case = ReturnCase.objects.get()
    apply(ReceiveReturnWish(order_id=order.pk, actor=CLERK, case_id=case.pk, pieces={line.pk: 1})).or_raise()
    apply(InspectReturnWish(order_id=order.pk, actor=CLERK, case_id=case.pk, pieces={line.pk: (1, 0)})).or_raise()
    exchange(order, shelf=0, return_id=case.pk)
    case.refresh_from_db()
    assert (case.state, case.ending, case.refund.credited, stock_of("MUG")) == ("closed", "exchange", D("12.00"), (9, 0))


def test_undo_takes_the_whole_exchange_back(order):
    event = exchange(order)
    apply(UndoWish(order_id=order.pk, event_id=event.pk, actor=ROBOT)).or_raise()
    order.refresh_from_db()
    assert (order.total, order.credited_total, order.balance, stock_of("MUG"), stock_of("BOWL")) == (D("24.00"), 0, 0, (8, 0), (5, 0))
    assert list(find_problems()) == []


def test_a_refund_that_an_invoice_left_out_is_not_undone(order):
    event = apply(RefundWish(order_id=order.pk, pieces=[RefundPiece(mug(order).pk, 1)], actor=ROBOT)).or_raise().event
    invoice = issue_invoice(order.pk, actor=ROBOT)
    with pytest.raises(CannotUndo, match=invoice.number):
        apply(UndoWish(order_id=order.pk, event_id=event.pk, actor=ROBOT)).or_raise()


def test_no_more_comes_back_than_was_sold(order):
    with pytest.raises(InvalidWish) as refused:
        exchange(order, back=3, shelf=0)
    assert refused.value.field == f"back-{mug(order).pk}"
    with pytest.raises(InvalidWish, match="refunds took off"):
        exchange(order, added=(), lines=(LineEdit(mug(order).pk, price=D("5.00")),))


def test_whoever_may_not_refund_does_not_exchange(order):
    clerk = Actor.clerk(make_clerk("orders.change_order", "orders.view_order"))
    with pytest.raises(NotAllowed, match="You may not record refunds"):
        exchange(order, actor=clerk)


def test_an_exchange_survives_being_stored(order):
    edit = exchanged(order, return_id=7).edit
    assert OrderEdit.from_json(edit.as_json()) == edit
