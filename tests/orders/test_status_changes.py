"""What a status change does to stock, money and history."""

from decimal import Decimal

import pytest

from orders.errors import InvalidWish, NotAllowed, NotEnoughStock, StaleOrder
from orders.models import LineDecision, Order, OrderEvent, StockMovement
from orders.services.editing import DetailsWish
from orders.services.plan import Actor, apply, plan
from orders.services.status import StatusWish
from tests.makers import ROBOT, make_clerk, make_order, make_shop, make_variant, set_status, stock_of

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def test_placing_commits_the_pieces():
    make_variant("MUG", on_hand=10)
    make_order(items={"MUG": 3})
    assert stock_of("MUG") == (10, 3)


def test_shipping_takes_the_pieces_off_hand():
    make_variant("MUG", on_hand=10)
    order = make_order(items={"MUG": 3})
    set_status(order, fulfilment="SHIPPED")
    assert stock_of("MUG") == (7, 0)


def test_cancelling_gives_committed_pieces_back():
    make_variant("MUG", on_hand=10)
    order = make_order(items={"MUG": 3})
    set_status(order, payment="CANCELLED")
    assert stock_of("MUG") == (10, 0)


def test_cancelling_after_shipping_restocks_ticked_lines_only():
    make_variant("MUG", on_hand=10)
    make_variant("POT", on_hand=10)
    order = make_order(items={"MUG": 3, "POT": 2}, fulfilment="SHIPPED")
    lost = order.lines.get(sku="POT")
    set_status(order, payment="CANCELLED", lost_lines=frozenset({lost.pk}))
    assert (stock_of("MUG"), stock_of("POT")) == ((10, 0), (8, 0))
    lost.refresh_from_db()
    assert (lost.pieces_shelf, lost.pieces_lost) == (0, 2)


def test_paid_cancelled_refunded_restocks_once():
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", "SHIPPED", items={"MUG": 3})
    set_status(order, payment="CANCELLED")
    set_status(order, payment="REFUNDED")
    assert stock_of("MUG") == (10, 0)


def test_reopening_a_cancelled_order_takes_the_pieces_again():
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", "SHIPPED", items={"MUG": 3})
    set_status(order, payment="CANCELLED")
    set_status(order, payment="PAID")
    assert stock_of("MUG") == (7, 0)
    line = order.lines.get()
    assert (line.pieces_shelf, line.consumed) == (0, 3)


def test_reopening_is_refused_when_the_pieces_were_sold_meanwhile():
    make_variant("MUG", on_hand=3)
    order = make_order("PAID", items={"MUG": 3})
    set_status(order, payment="CANCELLED")
    make_order("PAID", items={"MUG": 2})
    with pytest.raises(NotEnoughStock) as refused:
        set_status(order, payment="PAID")
    assert (refused.value.sku, refused.value.asked, refused.value.available) == ("MUG", 3, 1)
    assert Order.objects.get(pk=order.pk).payment_status.code == "CANCELLED"


def test_will_not_deliver_gives_back_what_no_parcel_names():
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", items={"MUG": 3})
    set_status(order, fulfilment="WILL_NOT_DELIVER")
    assert stock_of("MUG") == (10, 0)


def test_returned_pieces_go_to_the_shelf_or_are_lost():
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", "SHIPPED", items={"MUG": 3})
    line = order.lines.get()
    set_status(order, fulfilment="RETURNED", returned={line.pk: (1, 1)})
    assert stock_of("MUG") == (8, 0)


def test_more_pieces_than_went_out_cannot_come_back():
    order = make_order("PAID", "SHIPPED", items={"MUG": 3})
    line = order.lines.get()
    with pytest.raises(InvalidWish, match="only 3 are out"):
        set_status(order, fulfilment="RETURNED", returned={line.pk: (4, 0)})


@pytest.mark.parametrize("left", ["", "SHIPPED"])
def test_nothing_comes_back_with_an_order_that_gave_its_pieces_back(left):
    """A cancelled order that never left has nothing out; one that did decided about its pieces when it was cancelled."""
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", left, items={"MUG": 2})
    set_status(order, payment="CANCELLED")
    with pytest.raises(InvalidWish, match="its pieces are back already"):
        set_status(order, fulfilment="RETURNED", returned={order.lines.get().pk: (0, 1)})
    set_status(order, fulfilment="RETURNED")
    assert (stock_of("MUG"), LineDecision.objects.filter(source="return").count()) == ((10, 0), 0)


def test_setting_paid_records_the_balance_as_received():
    order = make_order(items={"MUG": 2})
    set_status(order, payment="PAID")
    order.refresh_from_db()
    assert (order.paid_total, order.balance) == (Decimal(24), Decimal(0))


def test_the_payment_record_can_be_unticked():
    order = make_order(items={"MUG": 2})
    set_status(order, payment="PAID", record=False)
    order.refresh_from_db()
    assert (order.paid_total, order.balance) == (Decimal(0), Decimal(24))


def test_leaving_paid_never_deletes_the_payment():
    order = make_order("PAID", items={"MUG": 2})
    set_status(order, payment="AWAITING_PAYMENT")
    order.refresh_from_db()
    assert order.paid_total == Decimal(24)


def test_refunded_writes_a_refund_only_when_asked():
    order, other = make_order("PAID", items={"MUG": 2}), make_order("PAID", items={"MUG": 1})
    set_status(order, payment="REFUNDED")
    set_status(other, payment="REFUNDED", record=True)
    order.refresh_from_db()
    other.refresh_from_db()
    assert (order.refunded_total, other.refunded_total) == (Decimal(0), Decimal(12))


def test_asking_for_what_is_already_so_changes_nothing():
    order = make_order("PAID")
    outcome = set_status(order, payment="PAID")
    assert (outcome.events, outcome.unchanged) == ([], [order.pk])
    assert order.events.count() == 1


def test_both_axes_in_one_wish_make_one_event():
    order = make_order()
    event = set_status(order, payment="PAID", fulfilment="SHIPPED").event
    assert event.changes["payment_status"] == {"from": "AWAITING_PAYMENT", "to": "PAID"}
    assert event.changes["fulfilment_status"] == {"from": "AWAITING_PROCESSING", "to": "SHIPPED"}


def test_a_paid_all_digital_order_is_delivered_in_the_same_event():
    make_variant("EBOOK", digital=True)
    order = make_order(items={"EBOOK": 1})
    event = set_status(order, payment="PAID").event
    assert event.changes["fulfilment_status"]["to"] == "DELIVERED"


def test_a_mixed_order_is_not_delivered_by_being_paid():
    make_variant("EBOOK", digital=True)
    order = make_order("PAID", items={"EBOOK": 1, "MUG": 1})
    assert order.fulfilment_status.code == "AWAITING_PROCESSING"


def test_local_delivery_is_offered_while_the_shop_has_it():
    order = make_order()
    with pytest.raises(InvalidWish, match="local delivery"):
        set_status(order, fulfilment="OUT_FOR_DELIVERY")
    make_shop(local_delivery=True)
    set_status(order, fulfilment="OUT_FOR_DELIVERY")
    order.refresh_from_db()
    assert order.fulfilment_status.code == "OUT_FOR_DELIVERY"


def test_a_stale_version_is_refused_and_nothing_changes():
    order = make_order()
    set_status(order, payment="PAID")
    with pytest.raises(StaleOrder):
        set_status(order, payment="CANCELLED", versions={order.pk: order.version})
    assert Order.objects.get(pk=order.pk).payment_status.code == "PAID"


def test_a_change_between_look_and_click_is_refused():
    order = make_order(items={"MUG": 1})
    wish = StatusWish(ids=[order.pk], actor=ROBOT, fulfilment="SHIPPED")
    seen = plan(wish).digests()
    set_status(order, payment="CANCELLED")
    outcome = apply(wish, seen=seen)
    assert isinstance(outcome.refusals[order.pk], StaleOrder)


def test_a_clerk_without_the_right_is_refused():
    order = make_order()
    with pytest.raises(NotAllowed):
        set_status(order, payment="PAID", actor=Actor.clerk(make_clerk()))


def test_paid_records_no_money_for_a_clerk_who_may_not_record_it():
    order = make_order(items={"MUG": 2})
    clerk = Actor.clerk(make_clerk("orders.change_order_status", "orders.change_payment_status"))
    set_status(order, payment="PAID", actor=clerk)
    order.refresh_from_db()
    assert (order.payment_status.code, order.paid_total) == ("PAID", Decimal(0))
    with pytest.raises(NotAllowed):
        set_status(make_order(items={"MUG": 1}), payment="PAID", actor=clerk, record=True)


def test_tags_alone_are_a_change():
    order = make_order()
    apply(DetailsWish(ids=[order.pk], actor=ROBOT, add_tags=["Gift"])).or_raise()
    apply(DetailsWish(ids=[order.pk], actor=ROBOT, remove_tags=["Gift"], add_tags=["Late"])).or_raise()
    assert list(order.tags.values_list("name", flat=True)) == ["Late"]


def test_a_bulk_change_serves_what_stock_allows_and_names_the_rest():
    make_variant("MUG", on_hand=4)
    orders = [make_order("CANCELLED", items={"MUG": 2}) for _ in range(3)]
    outcome = apply(StatusWish(ids=[o.pk for o in orders], actor=ROBOT, payment="PAID"))
    assert [event.order_id for event in outcome.events] == [orders[0].pk, orders[1].pk]
    assert isinstance(outcome.refusals[orders[2].pk], NotEnoughStock)
    assert stock_of("MUG") == (4, 4)


def test_a_set_of_orders_costs_the_same_queries_as_one(django_assert_max_num_queries):
    orders = [make_order(items={"MUG": 1, "POT": 1}) for _ in range(8)]
    with django_assert_max_num_queries(40):
        apply(StatusWish(ids=[o.pk for o in orders], actor=ROBOT, fulfilment="SHIPPED"))
    assert stock_of("MUG") == (2, 0)


def test_lines_that_stock_does_not_follow_are_left_alone():
    order = make_order(items={"MUG": 2})
    order.lines.update(stock_followed=False, committed=0)
    change = plan(StatusWish(ids=[order.pk], actor=ROBOT, fulfilment="SHIPPED")).changes[0]
    assert (change.movements, [line.sku for line in change.stock_ignored]) == ([], ["MUG"])


def test_stock_control_off_moves_no_stock():
    make_shop(stock_control=False)
    make_variant("MUG", on_hand=1)
    make_order(items={"MUG": 5})
    assert stock_of("MUG") == (1, 0)


def test_the_ledger_tells_each_movement_with_its_balance():
    make_variant("MUG", on_hand=10)
    order = make_order(items={"MUG": 3})
    set_status(order, fulfilment="SHIPPED")
    rows = StockMovement.objects.filter(order=order).order_by("id")
    assert [(r.delta_on_hand, r.delta_committed, r.on_hand_after, r.committed_after) for r in rows] == [(0, 3, 10, 3), (-3, -3, 7, 0)]
    assert OrderEvent.objects.filter(order=order).count() == 2
