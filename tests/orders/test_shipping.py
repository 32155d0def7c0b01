"""Parcels of part of an order, pickup slots, delivery dates: what the order page, the list and the mails say of them."""

from datetime import UTC, date, datetime

import pytest
from django.urls import reverse

from notifications.models import OutgoingEmail
from orders.choices import DeliveryKind
from orders.errors import InvalidWish
from orders.models import Order
from orders.parcelled import Parcelled, parcelled_of
from orders.services.contact import ContactWish
from orders.services.fulfilment import ShipmentWish, TrackingWish
from orders.services.plan import apply
from orders.services.undo import UndoWish, latest_change
from tests.makers import ROBOT, make_clerk, make_order, make_shop, set_status

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
LIST = reverse("admin:orders_order_changelist")
TEN, NOON = datetime(2026, 11, 26, 9, tzinfo=UTC), datetime(2026, 11, 26, 11, tzinfo=UTC)


@pytest.fixture(autouse=True)
def staff(client):
    make_shop()
    client.force_login(make_clerk(superuser=True))
    return client


def ship(order, pieces, **wish):
    line = order.lines.get(sku="MUG")
    return apply(ShipmentWish(order_id=order.pk, actor=ROBOT, quantities={line.pk: pieces}, **wish)).or_raise()


def parcelled(order):
    order = Order.objects.with_statuses().get(pk=order.pk)
    return parcelled_of(order, order.lines.filter(is_removed=False))


def shipped_in_part(client):
    return [order.pk for order in client.get(LIST, {"view": "all", "shipped": "partly"}).context["page"].orders]


def test_an_order_is_shipped_in_part_between_the_first_and_the_last_piece(client):
    order = make_order("PAID", items={"MUG": 3})
    seen = [(parcelled(order), shipped_in_part(client))]
    for pieces in (2, 1):
        ship(order, pieces)
        seen.append((parcelled(order), shipped_in_part(client)))
    assert seen == [(Parcelled(0, 3), []), (Parcelled(2, 3), [order.pk]), (Parcelled(3, 3), [])]


def test_the_page_and_the_list_say_how_many_pieces_left(client):
    order = make_order("PAID", items={"MUG": 3})
    ship(order, 2)
    assert "2 of 3 pieces" in client.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    assert "2 of 3 shipped" in client.get(LIST, {"view": "all"}).content.decode()


def test_a_digital_item_or_another_line_does_not_hide_what_is_left(client):
    order = make_order("PAID", items={"MUG": 1, "TEA": 1})
    ship(order, 1)
    assert (parcelled(order), shipped_in_part(client)) == (Parcelled(1, 2), [order.pk])


def test_a_status_that_says_the_goods_left_a_cancelled_rest_or_an_undo_ends_it(client):
    gone, cancelled, undone = (make_order("PAID", items={"MUG": 2}) for _ in range(3))
    for order in (gone, cancelled, undone):
        ship(order, 1)
    set_status(gone, fulfilment="SHIPPED")
    set_status(cancelled, payment="CANCELLED")
    apply(UndoWish(order_id=undone.pk, actor=ROBOT, event_id=latest_change(undone.pk).pk)).or_raise()
    assert shipped_in_part(client) == []
    assert [parcelled(order).is_partly for order in (gone, cancelled, undone)] == [False, False, False]


def test_the_second_parcel_sets_shipped_and_each_number_mails_once(client):
    order = make_order("PAID", items={"MUG": 2})
    ship(order, 1, tracking_number="6A00000000001")
    assert Order.objects.get(pk=order.pk).fulfilment_status.code == "AWAITING_PROCESSING"
    ship(order, 1, tracking_number="6A00000000002")
    assert Order.objects.get(pk=order.pk).fulfilment_status.code == "SHIPPED"
    mails = OutgoingEmail.objects.filter(order=order, kind="shipped").order_by("id")
    assert [mail.about for mail in mails] == ["6A00000000001", "6A00000000002"]


def test_a_parcel_keeps_its_place_when_its_number_comes_later(client):
    order = make_order("PAID", items={"MUG": 3})
    ship(order, 1)
    ship(order, 1, tracking_number="6A222")
    first = order.shipments.order_by("id").first()
    apply(TrackingWish(order_id=order.pk, actor=ROBOT, shipment_id=first.pk, tracking_number="6A111")).or_raise()
    page = " ".join(client.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode().split())
    assert page.index("Parcel 1") < page.index("6A111") < page.index("Parcel 2") < page.index("6A222")
    told = {mail.about: mail.text for mail in OutgoingEmail.objects.filter(order=order, kind="shipped")}
    assert "\nColis 1\n" in told["6A111"]
    assert "\nColis 2\n" in told["6A222"]


def plan_pickup(order, **values):
    return apply(ContactWish(order_id=order.pk, actor=ROBOT, values=values)).or_raise()


def test_a_pickup_has_a_slot_and_instructions_that_the_mail_names(client):
    order = make_order("PAID", delivery_kind=DeliveryKind.PICKUP)
    plan_pickup(order, pickup_at=TEN, pickup_until=NOON, delivery_instructions="Ring twice")
    assert "26 Nov, 10:00 to 12:00" in client.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    set_status(order, fulfilment="READY_FOR_PICKUP")
    mail = OutgoingEmail.objects.get(order=order, kind="ready_for_pickup")
    assert "26 novembre 2026, 10:00 – 12:00" in " ".join(mail.text.split())
    assert "Ring twice" in mail.text


@pytest.mark.parametrize(
    ("values", "field"),
    [({"pickup_until": NOON}, "pickup_at"), ({"pickup_at": NOON, "pickup_until": TEN}, "pickup_until")],
)
def test_a_slot_that_makes_no_sense_names_its_field(values, field):
    order = make_order("PAID")
    with pytest.raises(InvalidWish) as refusal:
        plan_pickup(order, **values)
    assert (refusal.value.field, Order.objects.get(pk=order.pk).pickup_until) == (field, None)


def test_a_slot_and_a_promised_day_can_be_taken_back(client):
    order = make_order("PAID")
    plan_pickup(order, pickup_at=TEN, pickup_until=NOON, delivery_on=date(2026, 11, 27))
    apply(UndoWish(order_id=order.pk, actor=ROBOT, event_id=latest_change(order.pk).pk)).or_raise()
    order.refresh_from_db()
    assert (order.pickup_at, order.pickup_until, order.delivery_on) == (None, None, None)


def test_the_contact_form_keeps_the_slot(client):
    order = make_order("PAID")
    address = reverse("admin:orders_order_contact", args=[order.pk])
    page = client.get(address)
    form = page.context["form"]
    data = {name: form[name].value() or "" for name in form.fields}
    data |= {"filled": "1", "pickup_at": "2026-11-26T10:00", "pickup_until": "2026-11-26T12:00"}
    data |= {name: page.context[name] for name in ("version", "opened", "since", "seen", "shown")}
    client.post(address, data)
    order.refresh_from_db()
    assert (order.pickup_at, order.pickup_until) == (TEN, NOON)


def test_local_delivery_is_offered_while_the_shop_has_it(client):
    order = make_order("PAID", delivery_kind=DeliveryKind.DELIVERY)
    page = reverse("admin:orders_order_change", args=[order.pk])
    assert "fulfilment=OUT_FOR_DELIVERY" not in client.get(page).content.decode()
    make_shop(local_delivery=True)
    assert "fulfilment=OUT_FOR_DELIVERY" in client.get(page).content.decode()
