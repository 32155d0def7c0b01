"""Changing many orders at once from the list: counted first, then done, with a reason for each that is left out."""

import re

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders.models import Order, OrderEvent
from tests.makers import make_clerk, make_order, make_shop, make_variant, set_status, stock_of

pytestmark = pytest.mark.django_db
BULK = reverse("admin:orders_order_bulk")


@pytest.fixture
def staff(client):
    make_shop()
    client.force_login(make_clerk(superuser=True))
    return client


def form_of(response) -> dict[str, list[str]]:
    """What a browser would send of the panel."""
    page, data = response.content.decode(), {}
    form = page[page.index('id="panel-form"') : page.index("</form>", page.index('id="panel-form"'))]
    for tag in re.findall(r"<input[^>]*>", form):
        if 'type="checkbox"' in tag and " checked" not in tag:
            continue
        value = re.search(r'value="([^"]*)"', tag)
        name = re.search(r'name="([^"]*)"', tag).group(1)
        data.setdefault(name, []).append(value.group(1).replace("&quot;", '"') if value else "on")
    return data


def test_many_orders_ship_together_as_announced(staff):
    make_variant("MUG", on_hand=10)
    orders = [make_order("PAID", items={"MUG": 2}) for _ in range(3)]
    shown = staff.get(BULK, {"ids": [order.pk for order in orders], "fulfilment": "SHIPPED"})
    (row,) = shown.context["stock"]
    assert (row.on_hand, row.committed) == ((10, 4), (6, 0))
    assert stock_of("MUG") == (10, 6)
    assert staff.post(BULK, form_of(shown)).status_code == 302
    assert stock_of("MUG") == (4, 0)
    assert Order.objects.filter(fulfilment_status__code="SHIPPED").count() == 3


def test_an_order_that_moved_meanwhile_is_left_out_with_its_reason(staff):
    make_variant("MUG", on_hand=10)
    first, second = make_order("PAID"), make_order("PAID")
    data = form_of(staff.get(BULK, {"ids": [first.pk, second.pk], "fulfilment": "SHIPPED"}))
    set_status(first, fulfilment="PROCESSING")
    response = staff.post(BULK, data)
    said = [str(message) for message in get_messages(response.wsgi_request)]
    assert said[0] == "1 order changed."
    assert said[1].startswith(f"Left out: #{first.number}: This order changed meanwhile.")
    assert set(Order.objects.values_list("fulfilment_status__code", flat=True)) == {"PROCESSING", "SHIPPED"}


def test_the_panel_names_orders_that_cannot_have_it(staff):
    make_variant("MUG", on_hand=3)
    reopened = make_order("CANCELLED", items={"MUG": 3})
    make_order("PAID", items={"MUG": 2})
    unpaid = make_order("AWAITING_PAYMENT", items={"MUG": 1})
    shown = staff.get(BULK, {"ids": [reopened.pk, unpaid.pk], "payment": "PAID"})
    assert shown.context["left_out"] == [(reopened.pk, reopened.number, "MUG is out of stock: 3 asked, 0 available.")]
    assert shown.context["money"] == ["1 payment, €12.00"]


def test_the_same_bulk_twice_changes_once(staff):
    order = make_order("PAID")
    data = form_of(staff.get(BULK, {"ids": [order.pk], "fulfilment": "SHIPPED"}))
    staff.post(BULK, data)
    staff.post(BULK, data)
    assert OrderEvent.objects.filter(order=order, kind="status").count() == 1


def test_the_panel_costs_the_same_for_two_orders_and_for_twenty(staff):
    make_variant("MUG", on_hand=100)
    ids = [make_order("PAID").pk for _ in range(20)]
    staff.get(BULK, {"ids": ids, "fulfilment": "SHIPPED"})
    counts = []
    for some in (ids[:2], ids):
        with CaptureQueriesContext(connection) as queries:
            staff.get(BULK, {"ids": some, "fulfilment": "SHIPPED"})
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_nothing_ticked_goes_back_to_the_list(staff):
    response = staff.get(BULK, {"fulfilment": "SHIPPED"})
    assert (response.status_code, response["Location"]) == (302, reverse("admin:orders_order_changelist"))


def test_without_the_right_there_is_no_bar_and_no_change(client):
    make_shop()
    client.force_login(make_clerk("orders.view_order"))
    order = make_order("PAID")
    assert "bulk-bar" not in client.get(reverse("admin:orders_order_changelist")).content.decode()
    shown = client.get(BULK, {"ids": [order.pk], "fulfilment": "SHIPPED"})
    client.post(BULK, form_of(shown))
    assert Order.objects.get().fulfilment_status.code == "AWAITING_PROCESSING"
