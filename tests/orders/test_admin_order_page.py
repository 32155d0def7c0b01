"""The page of an order: everything about it, at a constant cost."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders.drafts import DraftDiscount, DraftLine
from orders.models import ExternalDocument, Order
from orders.services.editing import NoteWish
from orders.services.fulfilment import ShipmentWish
from orders.services.payments import RefundPiece, RefundWish
from orders.services.plan import Actor, apply
from orders.services.undo import UndoWish
from tests.makers import ROBOT, make_clerk, make_order, make_shop, make_variant, set_status

pytestmark = pytest.mark.django_db


def address(order: Order) -> str:
    return reverse("admin:orders_order_change", args=[order.pk])


@pytest.fixture
def staff(client):
    make_shop()
    client.force_login(make_clerk(superuser=True))
    return client


def test_the_page_shows_items_amounts_and_customer(staff):
    make_variant("MUG", price="12.00", name="Blue mug")
    order = make_order(
        "PAID", items={"MUG": 3}, shipping_cost=Decimal("6.90"), discounts=(DraftDiscount(label="Autumn", value=Decimal(2)),)
    )
    page = staff.get(address(order)).content.decode()
    for text in (
        "Blue mug",
        "MUG · VAT 20%",
        "€36.00",
        "Autumn",
        "−€2.00",
        "€6.90",
        "€40.90",
        "Léa Martin",
        order.email,
        "4 rue des Lilas",
    ):
        assert text in page


def test_empty_optional_blocks_stay_away(staff):
    page = staff.get(address(make_order("PAID"))).content.decode()
    for text in ("Additional information", "Gift card", "Coupon", "Handling fee", "Tips", "Purchase order", "Promised"):
        assert text not in page


def test_filled_optional_blocks_show(staff):
    order = make_order(
        "PAID",
        po_number="PO-77",
        provenance={"utm_source": "newsletter"},
        extra_fields=({"title": "Gift message", "value": "Joyeux Noël"},),
    )
    page = staff.get(address(order)).content.decode()
    for text in ("PO-77", "utm_source", "newsletter", "Gift message", "Joyeux Noël"):
        assert text in page


def test_nothing_of_an_imported_item_is_lost(staff):
    line = make_order("PAID").lines.get()
    line.cost, line.options = Decimal("4.5"), [{"name": "Engraving", "value": "Léa", "modifier": "2.00"}]
    line.additional = {"supplier": {"code": "S-9"}}
    line.save()
    page = staff.get(address(line.order)).content.decode()
    for text in ("Engraving: Léa", "Engraving modifier", "€4.50", "supplier.code", "S-9"):
        assert text in page


def test_a_digital_order_shows_no_delivery(staff):
    make_variant("EBOOK", digital=True)
    page = staff.get(address(make_order("PAID", items={"EBOOK": 1}, shipping=None))).content.decode()
    assert 'id="h-ship"' not in page


def test_the_history_tells_who_did_what_and_what_it_set_off(staff):
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", items={"MUG": 3})
    clerk = Actor.clerk(make_clerk(username="ines", superuser=True))
    set_status(order, actor=clerk, fulfilment="SHIPPED", tracking_number="6A219", carrier="Colissimo")
    entry = staff.get(address(order)).context["entries"][0]
    assert (entry.event.actor_name, entry.moves) == ("ines", [("Awaiting processing", "Shipped")])
    assert entry.effects == ["parcel of 3 pieces Colissimo 6A219", "3 pieces left the stock"]


def test_an_undone_change_is_struck(staff):
    order = make_order("PAID")
    clerk = Actor.clerk(make_clerk(username="ines", superuser=True))
    event = set_status(order, actor=clerk, fulfilment="PROCESSING").event
    apply(UndoWish(order_id=order.pk, event_id=event.pk, actor=clerk)).or_raise()
    undo, undone, placed = staff.get(address(order)).context["entries"]
    assert (undo.is_undone, undone.is_undone, placed.is_undone) == (False, True, False)


def test_the_available_pieces_explain_themselves(staff):
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", items={"MUG": 3})
    page = staff.get(address(order)).content.decode()
    assert "Why 7 of MUG?" in page


def test_an_imported_link_with_a_script_is_no_link(staff):
    order = make_order("PAID")
    Order.objects.filter(pk=order.pk).update(transaction_id="tx-1", transaction_url="javascript:alert(1)")
    ExternalDocument.objects.create(order=order, number="INV-9", link="javascript:alert(2)")
    page = staff.get(address(order)).content.decode()
    assert "tx-1" in page
    assert "INV-9" in page
    assert "javascript:" not in page


def test_the_next_step_follows_the_way_of_the_order(staff):
    make_variant("MUG", on_hand=50)
    parcel = make_order("PAID", fulfilment="PROCESSING")
    pickup = make_order("PAID", fulfilment="PROCESSING", delivery_kind="PICKUP")
    unpaid = make_order("AWAITING_PAYMENT")
    steps = [staff.get(address(order)).context["next_step"].code for order in (parcel, pickup, unpaid)]
    assert steps == ["SHIPPED", "READY_FOR_PICKUP", "PAID"]


def test_out_for_delivery_is_offered_with_local_delivery_only(staff):
    order = make_order("PAID")
    offered = [choice.status.code for choice in staff.get(address(order)).context["fulfilment_choices"]]
    make_shop(local_delivery=True)
    with_local = [choice.status.code for choice in staff.get(address(order)).context["fulfilment_choices"]]
    assert "OUT_FOR_DELIVERY" not in offered
    assert set(with_local) - set(offered) == {"OUT_FOR_DELIVERY"}


def test_the_page_costs_the_same_for_one_item_and_for_forty(staff):
    small = make_order("PAID", items={"MUG": 1})
    for number in range(40):
        make_variant(f"SKU-{number}", on_hand=9)
    lines = tuple(DraftLine(sku=f"SKU-{number}", quantity=2) for number in range(40))
    large = make_order("PAID", lines=lines)
    apply(ShipmentWish(order_id=large.pk, actor=ROBOT, tracking_number="1")).or_raise()
    pieces = [RefundPiece(line.pk, 1, shelf=1) for line in large.lines.all()[:20]]
    apply(RefundWish(order_id=large.pk, actor=ROBOT, pieces=pieces)).or_raise()
    apply(NoteWish(order_id=large.pk, actor=ROBOT, text="note")).or_raise()
    counts = []
    for order in (small, large):
        staff.get(address(order))
        with CaptureQueriesContext(connection) as queries:
            staff.get(address(order))
        counts.append(len(queries))
    # A parcel and a refund bring their lines, notes their files: one query each, however many.
    assert counts[1] - counts[0] <= 3
    assert counts[1] <= 36


def test_a_reader_without_rights_sees_no_buttons(client):
    make_shop()
    client.force_login(make_clerk("orders.view_order"))
    page = client.get(address(make_order("PAID"))).content.decode()
    for name in ("refund", "shipment", "note", "hold", "payment", "details"):
        assert f"/{name}/" not in page


def test_the_stock_form_of_the_admin_is_closed(staff):
    order = make_order("PAID")
    assert staff.post(address(order), {"customer_name": "x"}).status_code == 405
    assert staff.get(reverse("admin:orders_order_delete", args=[order.pk])).status_code == 403
    history = staff.get(reverse("admin:orders_order_history", args=[order.pk]))
    assert (history.status_code, history.url) == (302, f"{address(order)}#history")


def test_an_order_that_is_not_there_is_not_found(staff):
    assert staff.get("/admin/orders/order/999999/change/").status_code == 404
    assert staff.get("/admin/orders/order/abc/change/").status_code == 404
