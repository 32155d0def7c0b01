"""A status for many orders never sweeps along what somebody stopped: held, cancelled and delivered orders have their own tick."""

import pytest
from django.urls import reverse

from orders.models import Order
from orders.services.editing import HoldWish
from orders.services.plan import apply
from tests.makers import ROBOT, make_order
from tests.orders.test_bulk_panels import form_of, opened, press, staff, ticked

__all__ = ["staff"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def mixed(staff):
    """One order of each kind that a careless click would ship."""
    orders = {
        "plain": make_order("PAID", shipping_method="Parcel"),
        "held": make_order("PAID", shipping_method="Parcel"),
        "cancelled": make_order("CANCELLED", shipping_method="Parcel"),
        "delivered": make_order("PAID", "DELIVERED", shipping_method="Parcel"),
        "unpaid": make_order("AWAITING_PAYMENT", shipping_method="Parcel"),
        "bare": make_order("PAID", shipping_method=""),
    }
    apply(HoldWish(ids=[orders["held"].pk], actor=ROBOT, held=True, reason="Address?")).or_raise()
    return orders


def shipped(orders):
    there = set(Order.objects.filter(fulfilment_status__code="SHIPPED").values_list("pk", flat=True))
    return [name for name, order in orders.items() if order.pk in there]


def test_each_group_is_counted_with_what_speaks_against_it(staff, mixed):
    shown = opened(staff, mixed.values(), fulfilment="SHIPPED")
    found = [(caution.name, len(caution.orders), caution.is_in) for caution in shown.context["cautions"]]
    assert found == [("held", 1, False), ("released", 1, False), ("back", 1, False), ("unpaid", 1, True), ("no-method", 1, True)]
    assert [(status.code, count) for status, count in shown.context["present"]] == [("AWAITING_PROCESSING", 5), ("DELIVERED", 1)]
    assert "(Address?)" in shown.content.decode()
    assert "3 orders have no tracking number yet" in shown.content.decode()


def test_the_safe_ones_alone_change_unless_somebody_ticks_more(staff, mixed):
    job = press(staff, opened(staff, mixed.values(), fulfilment="SHIPPED"))
    assert shipped(mixed) == ["plain", "unpaid", "bare"]
    left_out = dict(job.items.filter(state="refused").values_list("order_id", "message"))
    assert left_out[mixed["held"].pk] == "Left out in the panel: it is on hold."
    assert left_out[mixed["delivered"].pk] == "Left out in the panel: it is further along already."


def test_a_tick_brings_a_group_in_and_the_count_follows(staff, mixed):
    shown = ticked(staff, opened(staff, mixed.values(), fulfilment="SHIPPED"), "held")
    assert shown.context["title"] == "Change 2 orders"
    press(staff, shown)
    assert shipped(mixed) == ["plain", "held"]


def test_other_ticks_than_were_shown_are_shown_before_they_count(staff, mixed):
    shown = opened(staff, mixed.values(), fulfilment="SHIPPED")
    again = staff.post(shown.context["action"], form_of(shown) | {"also": ["held", "back"]})
    assert "Look at what this does, then apply it." in again.content.decode()
    assert shipped(mixed) == []
    press(staff, again)
    assert shipped(mixed) == ["plain", "held", "delivered"]


def test_an_unticked_mail_stays_unticked_while_groups_change(staff, mixed):
    shown = opened(staff, mixed.values(), fulfilment="SHIPPED")
    data = form_of(shown) | {"also": ["held"], "preview": "1"}
    data["on"] = [name for name in data["on"] if ":mail:" not in name]
    mail = next(group for group in staff.post(shown.context["action"], data).context["groups"] if group.icon == "mail")
    assert (mail.is_on, mail.count) == (False, 2)


def test_marking_as_paid_leaves_cancelled_orders_alone(staff, mixed):
    press(staff, opened(staff, [mixed["cancelled"], mixed["unpaid"]], payment="PAID"))
    assert Order.objects.get(pk=mixed["cancelled"].pk).payment_status.code == "CANCELLED"
    assert Order.objects.get(pk=mixed["unpaid"].pk).payment_status.code == "PAID"


def panel_of(client, order, name="status", query="?fulfilment=SHIPPED"):
    return client.get(reverse(f"admin:orders_order_{name}", args=[order.pk]) + query)


def test_one_order_on_hold_says_so_beside_the_button(staff, mixed):
    wanted = ["This order is on hold (Address?). It changes all the same if you apply; the hold stays."]
    assert panel_of(staff, mixed["held"]).context["warnings"] == wanted
    assert panel_of(staff, mixed["held"], "shipment", "").context["warnings"] == wanted
    assert "This order is on hold (Address?)." in panel_of(staff, mixed["held"]).content.decode()


def test_one_order_that_goes_back_or_is_not_paid_says_so(staff, mixed):
    assert panel_of(staff, mixed["delivered"]).context["warnings"] == ["This takes the order back: it is further along than “Shipped”."]
    assert panel_of(staff, mixed["unpaid"]).context["warnings"] == [
        "This order is not paid: the goods would leave before the money is there."
    ]
    assert panel_of(staff, mixed["plain"]).context["warnings"] == []
