"""What a change of an order sets off on paper: by the shop's rule, after the undo window, taken back with the change."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from invoices.models import Invoice, PendingDocument, SellerProfile
from invoices.services import release_document, release_documents
from orders.errors import CannotUndo
from orders.models import ExternalDocument, OrderEvent
from orders.services.payments import RefundPiece, RefundWish
from orders.services.plan import Actor, apply, plan
from orders.services.status import StatusWish
from orders.services.undo import UndoWish
from tests.invoices.makers import make_seller
from tests.makers import ROBOT, make_clerk, make_order, make_shop, make_variant, set_status

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
PAID = SellerProfile.AutoIssue.PAID


@pytest.fixture
def clerk():
    return Actor.clerk(make_clerk(superuser=True))


def states(order):
    return [(d.kind, d.state, d.trigger) for d in order.pending_documents.order_by("id")]


def shown(order, actor, **wish):
    change = plan(StatusWish(ids=[order.pk], actor=actor, **wish)).changes[0]
    return [(c.key, c.is_on) for c in change.consequences]


def later():
    return timezone.now() + timedelta(hours=1)


@pytest.mark.parametrize(("rule", "first", "then"), [("placed", 1, 1), ("paid", 0, 1), ("shipped", 0, 0), ("never", 0, 0)])
def test_the_rule_decides_when_an_invoice_is_asked_for(rule, first, then):
    make_seller(auto_issue=rule)
    order = make_order()
    assert order.pending_documents.count() == first
    set_status(order, payment="PAID")
    assert order.pending_documents.count() == then
    set_status(order, fulfilment="SHIPPED")
    assert order.pending_documents.count() == (0 if rule == "never" else 1)


def test_what_a_program_caused_is_issued_at_once():
    make_seller(auto_issue=PAID)
    order = make_order("PAID")
    release_documents()
    assert states(order) == [("invoice", "issued", "paid")]
    assert order.invoices.get().gross == order.total


def test_what_a_clerk_caused_waits_for_the_undo_window(clerk):
    make_seller(auto_issue=PAID)
    order = make_order()
    set_status(order, actor=clerk, payment="PAID")
    assert release_documents() == []
    assert [d.state for d in release_documents(now=later())] == ["issued"]
    assert release_documents(now=later()) == []


def test_send_now_issues_the_documents_of_that_change(clerk):
    make_seller(auto_issue=PAID)
    order = make_order()
    event = set_status(order, actor=clerk, payment="PAID").event
    release_documents(event_ids=[event.pk])
    assert order.invoices.count() == 1


def test_an_unticked_invoice_is_not_issued(clerk):
    make_seller(auto_issue=PAID)
    order = make_order()
    assert ("document:invoice", True) in shown(order, clerk, payment="PAID")
    set_status(order, actor=clerk, payment="PAID", skip=frozenset(["document:invoice"]))
    assert states(order) == []


def test_undo_in_the_window_leaves_no_invoice_and_no_gap(clerk):
    make_seller(auto_issue=PAID)
    order = make_order()
    event = set_status(order, actor=clerk, payment="PAID").event
    apply(UndoWish(order_id=order.pk, event_id=event.pk, actor=clerk)).or_raise()
    release_documents(now=later())
    assert (states(order), Invoice.objects.count()) == ([("invoice", "cancelled", "paid")], 0)


def test_undo_is_refused_once_the_invoice_is_issued(clerk):
    make_seller(auto_issue=PAID)
    order = make_order()
    event = set_status(order, actor=clerk, payment="PAID").event
    release_documents(now=later())
    with pytest.raises(CannotUndo):
        apply(UndoWish(order_id=order.pk, event_id=event.pk, actor=clerk)).or_raise()


def test_cancelling_in_the_window_stops_the_invoice_and_undoing_that_brings_it_back(clerk):
    make_seller(auto_issue=PAID)
    order = make_order()
    set_status(order, actor=clerk, payment="PAID")
    event = set_status(order, actor=clerk, payment="CANCELLED").event
    assert states(order) == [("invoice", "cancelled", "paid")]
    apply(UndoWish(order_id=order.pk, event_id=event.pk, actor=clerk)).or_raise()
    assert states(order) == [("invoice", "waiting", "paid")]


def test_back_to_awaiting_payment_in_the_window_stops_the_invoice(clerk):
    make_seller(auto_issue=PAID)
    order = make_order()
    set_status(order, actor=clerk, payment="PAID")
    set_status(order, actor=clerk, payment="AWAITING_PAYMENT")
    assert states(order) == [("invoice", "cancelled", "paid")]


def test_cancelling_an_invoiced_order_proposes_its_credit_note(clerk):
    make_seller(auto_issue=PAID)
    order = make_order("PAID", shipping_cost=Decimal("4.90"))
    release_documents()
    set_status(order, actor=clerk, payment="CANCELLED")
    release_documents(now=later())
    invoice, note = order.invoices.order_by("id")
    assert (note.kind, note.refers, note.gross) == ("credit_note", invoice, invoice.gross)


def test_cancelling_an_order_without_invoice_issues_nothing(clerk):
    make_seller(auto_issue=PAID)
    order = make_order()
    set_status(order, actor=clerk, payment="CANCELLED")
    assert (states(order), Invoice.objects.count()) == ([], 0)


def test_a_refund_of_pieces_credits_those_pieces(clerk):
    make_seller(auto_issue=PAID)
    order = make_order("PAID", items={"MUG": 3})
    release_documents()
    line = order.lines.get()
    apply(RefundWish(order_id=order.pk, actor=ROBOT, pieces=[RefundPiece(line.pk, 1, shelf=1)], reason="chipped")).or_raise()
    release_documents()
    note = order.invoices.get(kind="credit_note")
    assert (note.gross, note.lines.get().quantity, note.reason_text) == (Decimal("12.00"), 1, "chipped")


def test_a_refund_of_an_amount_credits_the_amount():
    make_seller(auto_issue=PAID)
    order = make_order("PAID", items={"MUG": 3})
    release_documents()
    apply(RefundWish(order_id=order.pk, actor=ROBOT, amount=Decimal("5.00"))).or_raise()
    release_documents()
    assert order.invoices.get(kind="credit_note").gross == Decimal("5.00")


def test_refunding_everything_leaves_one_credit_note_of_what_is_left():
    make_seller(auto_issue=PAID)
    order = make_order("PAID", items={"MUG": 3})
    release_documents()
    apply(RefundWish(order_id=order.pk, actor=ROBOT, amount=Decimal("5.00"))).or_raise()
    apply(RefundWish(order_id=order.pk, actor=ROBOT, amount=Decimal("31.00"))).or_raise()
    release_documents()
    assert [n.gross for n in order.invoices.filter(kind="credit_note").order_by("id")] == [Decimal("5.00"), Decimal("31.00")]


def test_conditions_not_met_wait_for_staff_and_can_be_tried_again():
    seller = make_seller(auto_issue=PAID, siren="")
    order = make_order("PAID")
    (document,) = release_documents()
    assert (document.state, [reason["code"] for reason in document.reasons]) == ("needs_staff", ["seller_siren"])
    seller.siren = "812345676"
    seller.save()
    assert release_document(document.pk).state == "issued"
    assert order.invoices.get().sequence == 1


def test_nothing_to_pay_and_documents_of_others_are_skipped_with_the_reason(clerk):
    make_seller(auto_issue=PAID)
    free = make_order("AWAITING_PAYMENT", items={"FREE": 1}, discounts=())
    ExternalDocument.objects.create(order=free, number="2024-1")
    assert ("document:invoice:none", True) in shown(free, clerk, payment="PAID")
    set_status(free, payment="PAID")
    assert states(free) == []


def test_a_shop_without_invoice_settings_says_so(clerk):
    make_shop()
    order = make_order()
    change = plan(StatusWish(ids=[order.pk], actor=clerk, payment="PAID")).changes[0]
    assert [c.describe().lines for c in change.consequences if c.key.startswith("document")] == [("The invoice settings are still empty.",)]


def test_paid_twice_asks_for_one_invoice():
    make_seller(auto_issue=PAID)
    order = make_order("PAID")
    release_documents()
    set_status(order, payment="PARTIALLY_REFUNDED")
    set_status(order, payment="PAID")
    assert [(kind, state) for kind, state, _trigger in states(order)] == [("invoice", "issued")]


def test_what_waits_is_asked_in_a_constant_number_of_queries(clerk, django_assert_max_num_queries):
    make_seller(auto_issue=PAID)
    make_variant("MUG", on_hand=20)
    orders = [make_order() for _ in range(12)]
    planned = plan(StatusWish(ids=[order.pk for order in orders], actor=clerk, payment="PAID"))
    from invoices.planner import plan_documents

    with django_assert_max_num_queries(5):
        plan_documents(planned, render=False)


def test_an_event_is_named_by_its_document(clerk):
    make_seller(auto_issue=PAID)
    event = set_status(make_order(), actor=clerk, payment="PAID").event
    document = PendingDocument.objects.get()
    assert (document.event, document.event.kind) == (event, OrderEvent.Kind.STATUS)
