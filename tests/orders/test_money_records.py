"""Payments, refunds, parcels, returns, quantities, undo."""

from decimal import Decimal

import pytest

from orders.drafts import DraftDiscount
from orders.errors import CannotUndo, InvalidWish, NotAllowed
from orders.models import Order, Refund
from orders.services.editing import HoldWish, NoteWish
from orders.services.fulfilment import ReturnWish, ShipmentWish, TrackingWish
from orders.services.payments import PaymentWish, RefundPiece, RefundWish
from orders.services.plan import Actor, apply
from orders.services.undo import UndoWish
from tests.makers import CLERK, ROBOT, make_clerk, make_order, make_variant, quantity_edit, set_status, stock_of

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def fresh(order):
    return Order.objects.with_statuses().get(pk=order.pk)


def do(wish):
    return apply(wish).or_raise()


def undo(order, event):
    return do(UndoWish(order_id=order.pk, event_id=event.pk, actor=CLERK))


def test_paying_up_makes_the_order_paid():
    order = make_order(items={"MUG": 2})
    do(PaymentWish(order_id=order.pk, actor=ROBOT, amount=Decimal(20)))
    assert (fresh(order).payment_status.code, fresh(order).balance) == ("AWAITING_PAYMENT", Decimal(4))
    do(PaymentWish(order_id=order.pk, actor=ROBOT, amount=Decimal(4)))
    assert (fresh(order).payment_status.code, fresh(order).balance) == ("PAID", Decimal(0))


def test_a_partial_refund_takes_pieces_back_and_names_the_status():
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", "SHIPPED", items={"MUG": 3})
    line = order.lines.get()
    do(RefundWish(order_id=order.pk, actor=ROBOT, pieces=[RefundPiece(line.pk, 2, shelf=1, lost=1)]))
    after = fresh(order)
    assert (after.payment_status.code, after.refunded_total, after.balance) == ("PARTIALLY_REFUNDED", Decimal(24), Decimal(0))
    assert stock_of("MUG") == (8, 0)


def test_refunds_by_piece_give_back_the_discounted_price_to_the_cent():
    order = make_order("PAID", items={"MUG": 3}, discounts=(DraftDiscount(value=Decimal("1.00")),))
    line = order.lines.get()
    for _ in range(3):
        do(RefundWish(order_id=order.pk, actor=ROBOT, pieces=[RefundPiece(line.pk, 1)]))
    amounts = list(Refund.objects.order_by("id").values_list("amount", flat=True))
    assert amounts == [Decimal("11.67"), Decimal("11.66"), Decimal("11.67")]
    assert fresh(order).payment_status.code == "REFUNDED"


def test_a_refund_never_exceeds_what_was_paid():
    order = make_order("PAID", items={"MUG": 1})
    with pytest.raises(InvalidWish, match="can still be refunded"):
        do(RefundWish(order_id=order.pk, actor=ROBOT, amount=Decimal("12.01")))
    assert fresh(order).refunded_total == 0


def test_the_same_refund_key_refunds_once():
    order = make_order("PAID", items={"MUG": 1})
    for _ in range(2):
        do(RefundWish(order_id=order.pk, actor=ROBOT, amount=Decimal(5), client_key="k1"))
    assert fresh(order).refunded_total == Decimal(5)


def test_refunding_an_overpayment_leaves_the_order_paid_up():
    order = make_order(items={"MUG": 1})
    do(PaymentWish(order_id=order.pk, actor=ROBOT, amount=Decimal(20)))
    do(RefundWish(order_id=order.pk, actor=ROBOT, amount=Decimal(8), set_status=False))
    assert (fresh(order).balance, fresh(order).credited_total) == (Decimal(0), Decimal(0))


def test_refunding_a_part_of_a_cancelled_order_leaves_it_cancelled():
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", "SHIPPED", items={"MUG": 2})
    set_status(order, payment="CANCELLED")
    do(RefundWish(order_id=order.pk, actor=ROBOT, amount=Decimal(5)))
    assert (fresh(order).payment_status.code, stock_of("MUG")) == ("CANCELLED", (10, 0))
    do(RefundWish(order_id=order.pk, actor=ROBOT, amount=Decimal(19)))
    assert (fresh(order).payment_status.code, stock_of("MUG")) == ("REFUNDED", (10, 0))


def test_shipping_is_refunded_once():
    order = make_order("PAID", items={"MUG": 1}, shipping_cost=Decimal(5))
    do(RefundWish(order_id=order.pk, actor=ROBOT, shipping=Decimal(5)))
    with pytest.raises(InvalidWish, match="Of the shipping"):
        do(RefundWish(order_id=order.pk, actor=ROBOT, shipping=Decimal(5)))
    assert fresh(order).refunded_total == Decimal(5)


@pytest.mark.parametrize("amount", ["-3", "12.01", "NaN", "Infinity"])
def test_a_piece_is_refunded_for_no_more_than_it_cost(amount):
    order = make_order("PAID", items={"MUG": 1})
    pieces = [RefundPiece(order.lines.get().pk, 1, amount=Decimal(amount))]
    with pytest.raises(InvalidWish):
        do(RefundWish(order_id=order.pk, actor=ROBOT, pieces=pieces, amount=Decimal(1)))
    with pytest.raises(InvalidWish):
        do(PaymentWish(order_id=order.pk, actor=ROBOT, amount=Decimal("Infinity")))


def test_a_quantity_stays_above_what_was_refunded():
    order = make_order("PAID", items={"MUG": 2})
    line = order.lines.get()
    do(RefundWish(order_id=order.pk, actor=ROBOT, pieces=[RefundPiece(line.pk, 2)], set_status=False))
    with pytest.raises(InvalidWish, match="at least 2"):
        do(quantity_edit(order, 1))


def test_undoing_a_refund_needs_the_right_to_refund():
    order = make_order("PAID", items={"MUG": 1}, no_customer_mail=True)
    event = do(RefundWish(order_id=order.pk, actor=CLERK, amount=Decimal(5))).event
    clerk = Actor.clerk(make_clerk("orders.change_order_status", "orders.change_payment_status"))
    with pytest.raises(NotAllowed):
        do(UndoWish(order_id=order.pk, event_id=event.pk, actor=clerk))
    assert fresh(order).refunded_total == Decimal(5)


def test_a_partial_shipment_consumes_what_it_names():
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", items={"MUG": 3})
    line = order.lines.get()
    do(ShipmentWish(order_id=order.pk, actor=ROBOT, quantities={line.pk: 1}, tracking_number="6A1"))
    assert stock_of("MUG") == (9, 2)
    assert fresh(order).fulfilment_status.code == "AWAITING_PROCESSING"
    do(ShipmentWish(order_id=order.pk, actor=ROBOT, tracking_number="6A2"))
    assert (stock_of("MUG"), fresh(order).fulfilment_status.code) == ((7, 0), "SHIPPED")


def test_will_not_deliver_keeps_shipped_pieces_out():
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", items={"MUG": 3})
    do(ShipmentWish(order_id=order.pk, actor=ROBOT, quantities={order.lines.get().pk: 1}))
    set_status(order, fulfilment="WILL_NOT_DELIVER")
    assert stock_of("MUG") == (9, 0)


def test_more_than_is_left_cannot_be_shipped():
    order = make_order("PAID", items={"MUG": 3})
    with pytest.raises(InvalidWish, match="4 to ship, but 3 are left"):
        do(ShipmentWish(order_id=order.pk, actor=ROBOT, quantities={order.lines.get().pk: 4}))


def test_a_new_tracking_number_voids_the_old_parcel_and_moves_nothing():
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", items={"MUG": 3})
    do(ShipmentWish(order_id=order.pk, actor=ROBOT, tracking_number="6A1"))
    parcel = order.shipments.get()
    do(TrackingWish(order_id=order.pk, actor=ROBOT, shipment_id=parcel.pk, tracking_number="6A9"))
    assert [s.tracking_number for s in order.shipments.filter(voided_by=None)] == ["6A9"]
    assert (stock_of("MUG"), order.lines.get().pieces_shipped) == ((7, 0), 3)


def test_a_return_puts_pieces_back_without_money():
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", "SHIPPED", items={"MUG": 3})
    do(ReturnWish(order_id=order.pk, actor=ROBOT, pieces={order.lines.get().pk: (2, 0)}))
    assert (stock_of("MUG"), fresh(order).refunded_total) == ((9, 0), Decimal(0))


def test_a_changed_quantity_moves_stock_and_totals():
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", items={"MUG": 3})
    do(quantity_edit(order, 5))
    after = fresh(order)
    assert (stock_of("MUG"), after.total, after.tax, after.balance) == ((10, 5), Decimal(60), Decimal(10), Decimal(24))


def test_undo_restores_statuses_stock_and_money_by_new_entries():
    make_variant("MUG", on_hand=10)
    order = make_order(items={"MUG": 3})
    event = set_status(order, actor=CLERK, payment="PAID", fulfilment="SHIPPED").event
    undo(order, event)
    after = fresh(order)
    assert (after.payment_status.code, after.fulfilment_status.code) == ("AWAITING_PAYMENT", "AWAITING_PROCESSING")
    assert (stock_of("MUG"), after.paid_total) == ((10, 3), Decimal(0))
    assert list(order.payments.order_by("id").values_list("amount", flat=True)) == [Decimal(36), Decimal(-36)]


def test_undoing_a_cancellation_takes_the_pieces_again():
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", "SHIPPED", items={"MUG": 3})
    undo(order, set_status(order, actor=CLERK, payment="CANCELLED").event)
    assert stock_of("MUG") == (7, 0)
    undo_again = set_status(order, actor=CLERK, payment="CANCELLED").event
    assert (stock_of("MUG"), undo_again.decisions.get().shelf) == ((10, 0), 3)


def test_undoing_a_reopening_makes_its_decisions_again():
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", "SHIPPED", items={"MUG": 3})
    set_status(order, actor=CLERK, payment="CANCELLED")
    undo(order, set_status(order, actor=CLERK, payment="PAID").event)
    assert (stock_of("MUG"), fresh(order).payment_status.code) == ((10, 0), "CANCELLED")
    set_status(order, actor=CLERK, payment="PAID")
    assert (stock_of("MUG"), order.lines.get().pieces_shelf) == ((7, 0), 0)


def test_undoing_a_refund_gives_back_its_pieces_and_money():
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", "SHIPPED", items={"MUG": 3})
    pieces = [RefundPiece(order.lines.get().pk, 3, shelf=2, lost=1)]
    undo(order, do(RefundWish(order_id=order.pk, actor=CLERK, pieces=pieces)).event)
    after = fresh(order)
    assert (stock_of("MUG"), after.refunded_total, after.payment_status.code) == ((7, 0), Decimal(0), "PAID")
    do(RefundWish(order_id=order.pk, actor=CLERK, pieces=pieces))
    assert fresh(order).refunded_total == Decimal(36)


def test_undoing_a_shipment_voids_the_parcel():
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", items={"MUG": 3})
    undo(order, do(ShipmentWish(order_id=order.pk, actor=CLERK, tracking_number="6A1")).event)
    assert (stock_of("MUG"), order.lines.get().pieces_shipped) == ((10, 3), 0)


def test_undoing_a_quantity_restores_totals():
    order = make_order("PAID", items={"MUG": 3})
    undo(order, do(quantity_edit(order, 5, actor=CLERK)).event)
    assert (fresh(order).total, order.lines.get().quantity, stock_of("MUG")) == (Decimal(36), 3, (10, 3))


def test_only_the_latest_change_can_be_undone():
    order = make_order()
    first = set_status(order, actor=CLERK, payment="PAID").event
    set_status(order, actor=CLERK, fulfilment="SHIPPED")
    with pytest.raises(CannotUndo):
        undo(order, first)


def test_a_note_does_not_stand_in_the_way_and_a_second_undo_changes_nothing():
    order = make_order()
    event = set_status(order, actor=CLERK, payment="PAID").event
    do(NoteWish(order_id=order.pk, actor=CLERK, text="Called the customer"))
    undo(order, event)
    assert undo(order, event).unchanged == [order.pk]
    assert fresh(order).payment_status.code == "AWAITING_PAYMENT"


def test_a_hold_needs_a_reason_and_changes_no_status():
    order = make_order()
    with pytest.raises(InvalidWish):
        do(HoldWish(ids=[order.pk], actor=CLERK, held=True))
    do(HoldWish(ids=[order.pk], actor=CLERK, held=True, reason="Address unclear"))
    assert (fresh(order).is_held, fresh(order).hold_reason) == (True, "Address unclear")
