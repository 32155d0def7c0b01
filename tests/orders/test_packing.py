"""The packing table: one order at a time, each piece counted, a wrong item stopped, the parcel closed in one confirmation."""

import time
from datetime import timedelta
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.urls import reverse
from django.utils import timezone

from notifications.models import OutgoingEmail
from orders.choices import DeliveryKind
from orders.errors import InvalidWish
from orders.integrity import find_problems
from orders.models import Order, Packing, Shipment, Variant
from orders.parcelled import parcelled_of
from orders.services import packing
from orders.services.fulfilment import ShipmentWish
from orders.services.packing import AtAnotherTable, CollectWish, ParcelWish, WrongItem, box_of, count, put_back, scan, take
from orders.services.plan import Actor, apply
from tests.makers import ROBOT, make_clerk, make_order, make_shop, make_variant, quantity_edit, set_status, stock_of
from tests.racing import run_together, without_locks

QUEUE = reverse("admin:orders_order_packing")


@pytest.fixture(autouse=True)
def shop(db):
    make_shop()


@pytest.fixture
def paul():
    return make_clerk("orders.view_order", "orders.ship_order", "orders.change_order_status", username="paul")


@pytest.fixture
def lea():
    return make_clerk("orders.view_order", "orders.ship_order", "orders.change_order_status", username="lea")


def table_of(order):
    return reverse("admin:orders_order_packing_table", args=[order.pk])


def box(order):
    found = box_of(list(order.lines.order_by("position", "id")), Packing.objects.filter(order=order).first())
    return {row.line.sku: (row.packed, row.left) for row in found.lines}


def test_each_scan_counts_a_piece_by_sku_in_any_case_or_barcode(paul):
    make_variant("MUG", barcode="4006381333931")
    order = make_order("PAID", items={"MUG": 2, "TEA": 1})
    assert scan(order.pk, paul, "mug") == "Article MUG: 1 of 2"
    assert scan(order.pk, paul, " 4006381333931 ") == "Article MUG: 2 of 2"
    assert box(order) == {"MUG": (2, 2), "TEA": (0, 1)}


def test_several_pieces_are_counted_at_once(paul):
    order = make_order("PAID", items={"MUG": 3})
    assert scan(order.pk, paul, "3*MUG") == "Article MUG: 3 of 3"
    assert box(order) == {"MUG": (3, 3)}


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("TEA", "Article TEA (TEA) does not belong to this order."),
        ("NOTHING", "No article has the code “NOTHING”."),
        ("2*MUG", "Article MUG: only 1 more belong in the box, not 2."),
        ("BOOK", "Article BOOK is on this order, but it needs no box."),
    ],
)
def test_a_wrong_item_stops_with_its_reason_and_counts_nothing(paul, code, words):
    make_variant("TEA")
    make_variant("BOOK", digital=True)
    order = make_order("PAID", items={"MUG": 1, "BOOK": 1})
    with pytest.raises(WrongItem, match=r".*") as stop:
        scan(order.pk, paul, code)
    assert (str(stop.value), box(order)) == (words, {"MUG": (0, 1)})


def test_one_piece_too_many_stops(paul):
    order = make_order("PAID", items={"MUG": 2})
    scan(order.pk, paul, "2*MUG")
    with pytest.raises(WrongItem, match="all 2 of this order are in the box"):
        scan(order.pk, paul, "MUG")
    assert box(order) == {"MUG": (2, 2)}


def test_a_number_can_be_typed_within_what_is_left(paul):
    order = make_order("PAID", items={"MUG": 2})
    line = order.lines.get()
    count(order.pk, paul, line_id=line.pk, pieces=2)
    with pytest.raises(WrongItem, match="enter a number from 0 to 2"):
        count(order.pk, paul, line_id=line.pk, pieces=3)
    assert box(order) == {"MUG": (2, 2)}


def test_two_packers_do_not_pack_one_order(paul, lea):
    order = make_order("PAID")
    take(order.pk, paul)
    with pytest.raises(AtAnotherTable, match="paul is packing this order"):
        scan(order.pk, lea, "MUG")
    assert box(order) == {"MUG": (0, 1)}


def test_a_table_left_alone_is_free_again_with_what_is_in_the_box(paul, lea):
    order = make_order("PAID", items={"MUG": 2})
    scan(order.pk, paul, "MUG")
    Packing.objects.update(seen_at=timezone.now() - packing.CLAIM - timedelta(seconds=1))
    scan(order.pk, lea, "MUG")
    assert (box(order), Packing.objects.get().packer) == ({"MUG": (2, 2)}, lea)


def test_taking_over_knowingly_is_possible_at_once(paul, lea):
    order = make_order("PAID")
    take(order.pk, paul)
    take(order.pk, lea, over=True)
    with pytest.raises(AtAnotherTable):
        scan(order.pk, paul, "MUG")


def test_putting_back_forgets_an_empty_box_and_keeps_a_begun_one(paul, lea):
    empty, begun = make_order("PAID"), make_order("PAID", items={"MUG": 2})
    take(empty.pk, paul)
    scan(begun.pk, paul, "MUG")
    for order in (empty, begun):
        put_back(order.pk, paul)
    assert [row.order for row in Packing.objects.all()] == [begun]
    assert scan(begun.pk, lea, "MUG") == "Article MUG: 2 of 2"


def test_closing_the_parcel_ships_what_is_in_the_box(paul):
    order = make_order("PAID", items={"MUG": 3})
    scan(order.pk, paul, "3 x MUG")
    apply(ParcelWish(order_id=order.pk, actor=Actor.clerk(paul), carrier="Colissimo", tracking_number="6A1")).or_raise()
    order = Order.objects.get(pk=order.pk)
    parcel = Shipment.objects.get()
    assert (order.fulfilment_status.code, stock_of("MUG")) == ("SHIPPED", (7, 0))
    assert [(row.line.sku, row.quantity) for row in parcel.lines.all()] == [("MUG", 3)]
    assert parcel.tracking_url == "https://www.laposte.fr/outils/suivre-vos-envois?code=6A1"
    assert OutgoingEmail.objects.filter(order=order, kind="shipped").count() == 1
    assert not Packing.objects.exists()


def test_part_of_an_order_leaves_the_rest_in_the_queue(client, paul):
    order = make_order("PAID", items={"MUG": 3})
    scan(order.pk, paul, "2*MUG")
    apply(ParcelWish(order_id=order.pk, actor=Actor.clerk(paul))).or_raise()
    order = Order.objects.get(pk=order.pk)
    assert (order.fulfilment_status.code, stock_of("MUG"), box(order)) == ("AWAITING_PROCESSING", (8, 1), {"MUG": (0, 1)})
    assert (parcelled_of(order, order.lines.all()).shipped, parcelled_of(order, order.lines.all()).is_partly) == (2, True)
    client.force_login(paul)
    html = client.get(QUEUE).content.decode()
    assert "rest of an order" in html


def test_an_empty_box_an_order_on_hold_and_another_packers_are_refused(paul, lea):
    order = make_order("PAID")
    wish = ParcelWish(order_id=order.pk, actor=Actor.clerk(lea))
    with pytest.raises(InvalidWish, match="Nothing is in the box yet"):
        apply(wish).or_raise()
    scan(order.pk, paul, "MUG")
    with pytest.raises(AtAnotherTable):
        apply(wish).or_raise()
    Order.objects.filter(pk=order.pk).update(is_held=True, hold_reason="Wrong address")
    with pytest.raises(InvalidWish, match="on hold: Wrong address"):
        apply(ParcelWish(order_id=order.pk, actor=Actor.clerk(paul))).or_raise()
    assert not Shipment.objects.exists()


def test_a_collected_order_becomes_ready_and_mails_without_a_parcel(paul):
    order = make_order("PAID", items={"MUG": 2}, delivery_kind=DeliveryKind.PICKUP)
    scan(order.pk, paul, "MUG")
    with pytest.raises(InvalidWish, match="Pack everything first"):
        apply(CollectWish(order_id=order.pk, actor=Actor.clerk(paul))).or_raise()
    scan(order.pk, paul, "MUG")
    apply(CollectWish(order_id=order.pk, actor=Actor.clerk(paul))).or_raise()
    order = Order.objects.get(pk=order.pk)
    assert (order.fulfilment_status.code, stock_of("MUG"), Shipment.objects.count()) == ("READY_FOR_PICKUP", (10, 2), 0)
    assert OutgoingEmail.objects.filter(order=order, kind="ready_for_pickup").count() == 1


def test_the_queue_holds_what_is_to_ship_promised_ones_first(client, paul):
    make_order()  # not paid
    late, first = make_order("PAID"), make_order("PAID")
    held, gone = make_order("PAID"), make_order("PAID", "SHIPPED")
    Order.objects.filter(pk=first.pk).update(delivery_on=timezone.localdate())
    Order.objects.filter(pk=held.pk).update(is_held=True)
    pickup = make_order("PAID", delivery_kind=DeliveryKind.PICKUP)
    client.force_login(paul)
    assert [row.order for row in client.get(QUEUE).context["rows"]] == [first, late]
    assert [row.order for row in client.get(QUEUE, {"kind": "collect"}).context["rows"]] == [pickup]
    assert gone.pk not in [row.order.pk for row in client.get(QUEUE).context["rows"]]


def test_the_page_counts_stops_and_leads_to_the_parcel(client, paul):
    order = make_order("PAID", items={"MUG": 1})
    make_variant("TEA")
    client.force_login(paul)
    client.post(table_of(order), {"do": "take"})
    stopped = client.post(table_of(order), {"do": "scan", "code": "TEA"})
    assert (stopped.status_code, "does not belong to this order" in stopped.content.decode()) == (422, True)
    assert "The piece is in the box" in client.post(table_of(order), {"do": "scan", "code": "MUG"}).content.decode()
    answer = client.post(table_of(order), {"do": "scan", "code": ""})
    assert answer["Location"] == reverse("admin:orders_order_pack", args=[order.pk])
    panel = client.get(answer["Location"]).content.decode()
    assert "1 of 1 in the box" in panel
    assert "1 piece leaves the stock" in panel


def test_a_skipped_order_comes_last_until_it_is_taken_again(client, paul):
    first, second = make_order("PAID"), make_order("PAID")
    client.force_login(paul)
    assert client.get(QUEUE).context["first"].order == first
    client.post(table_of(first), {"do": "skip"})
    assert client.get(QUEUE).context["first"].order == second
    client.post(QUEUE, {"again": "1"})
    assert client.get(QUEUE).context["first"].order == first


def test_a_packer_holds_an_order_with_a_reason_but_does_not_release_it(client, paul):
    order = make_order("PAID")
    client.force_login(paul)
    assert client.post(table_of(order), {"do": "hold", "reason": ""}).status_code == 422
    client.post(table_of(order), {"do": "hold", "reason": "Mug is broken"})
    order.refresh_from_db()
    assert (order.is_held, order.hold_reason) == (True, "Mug is broken")
    client.post(reverse("admin:orders_order_hold", args=[order.pk]), {"filled": "1"})
    order.refresh_from_db()
    assert order.is_held


def test_the_other_packer_is_named_on_the_page_and_in_the_queue(client, paul, lea):
    order = make_order("PAID")
    take(order.pk, paul)
    client.force_login(lea)
    assert "paul is packing it" in client.get(table_of(order)).content.decode()
    assert "paul is packing it" in client.get(QUEUE).content.decode()
    assert client.get(QUEUE).context["first"] is None


def test_a_cancelled_order_is_stopped_at_the_table(client, paul):
    order = make_order("PAID")
    take(order.pk, paul)
    set_status(order, payment="CANCELLED")
    client.force_login(paul)
    page = client.post(table_of(order), {"do": "scan", "code": "MUG"}).content.decode()
    assert "The order is Cancelled: nothing is to be packed." in page
    assert Packing.objects.get().pieces == {}


def test_local_delivery_goes_out_for_delivery(client, paul):
    make_shop(local_delivery=True)
    order = make_order("PAID", delivery_kind=DeliveryKind.DELIVERY)
    scan(order.pk, paul, "MUG")
    client.force_login(paul)
    assert 'value="OUT_FOR_DELIVERY" selected' in client.get(reverse("admin:orders_order_pack", args=[order.pk])).content.decode()
    apply(ParcelWish(order_id=order.pk, actor=Actor.clerk(paul), status="OUT_FOR_DELIVERY")).or_raise()
    assert Order.objects.get(pk=order.pk).fulfilment_status.code == "OUT_FOR_DELIVERY"


def both_take(order, paul, lea):
    return run_together(lambda: take(order.pk, paul), lambda: take(order.pk, lea))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_two_packers_at_the_same_moment_one_has_the_order(paul, lea):
    for _round in range(5):
        order = make_order("PAID")
        results = both_take(order, paul, lea)
        assert sorted(type(result).__name__ for result in results) == ["AtAnotherTable", "Packing"], results


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_without_the_lock_both_have_an_order_that_was_left_alone(paul, lea):
    order, both = make_order("PAID"), 0
    long_ago = timezone.now() - 2 * packing.CLAIM
    Packing.objects.create(order=order, packer=make_clerk(username="gone"), began_at=long_ago, seen_at=long_ago)
    with without_locks(), mock.patch.object(Packing, "save", _save_slowly):
        for _round in range(5):
            Packing.objects.update(packer=User.objects.get(username="gone"), seen_at=long_ago)
            both += not any(isinstance(result, Exception) for result in both_take(order, paul, lea))
    assert both


def _save_slowly(self, *, update_fields):
    time.sleep(0.1)
    Packing.objects.filter(pk=self.pk).update(**{name: getattr(self, name) for name in update_fields})


def test_an_unknown_barcode_of_an_inactive_article_is_still_named(paul):
    make_variant("OLD", is_active=False)
    order = make_order("PAID")
    with pytest.raises(WrongItem, match="Article OLD"):
        scan(order.pk, paul, "old")
    assert Variant.objects.filter(sku="OLD").exists()


def ship_and_shrink(order):
    """Both pieces leave in a parcel while somebody sets the quantity to one."""
    line = order.lines.get()
    return run_together(
        lambda: apply(ShipmentWish(order_id=order.pk, actor=ROBOT, tracking_number=f"6A{order.pk}")).or_raise(),
        lambda: apply(quantity_edit(order, 1, sku=line.sku)).or_raise(),
    )


def agrees(order):
    """Whether the parcel, the line and the ledger tell the same story."""
    line = order.lines.get()
    shipped = sum(row.quantity for row in line.shipment_lines.filter(shipment__voided_by=None))
    return shipped == line.pieces_shipped == line.consumed <= line.quantity and not list(find_problems())


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_an_edit_against_a_parcel_ends_with_one_story():
    make_variant("MUG", on_hand=100)
    for _round in range(5):
        order = make_order("PAID", items={"MUG": 2})
        results = ship_and_shrink(order)
        assert agrees(order), results
        assert not any(isinstance(result, DatabaseError) for result in results)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_without_the_lock_an_edit_and_a_parcel_contradict_each_other():
    make_variant("MUG", on_hand=100)
    contradicted = False
    for _round in range(15):
        order = make_order("PAID", items={"MUG": 2})
        with without_locks():
            results = ship_and_shrink(order)
        if contradicted := not agrees(order) or any(isinstance(result, DatabaseError) for result in results):
            break
    assert contradicted
