"""Filters, the peek card and fresh rows of the orders list."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from invoices.services import issue_invoice
from notifications.models import OutgoingEmail
from orders.models import Order
from orders.services.editing import DetailsWish
from orders.services.plan import apply
from tests.invoices.makers import make_seller
from tests.makers import ROBOT, make_clerk, make_order, make_shop, make_variant, set_status

pytestmark = pytest.mark.django_db
LIST = reverse("admin:orders_order_changelist")
FRESH = reverse("admin:orders_order_fresh")
HTMX = {"HX-Request": "true"}


@pytest.fixture
def ines(client):
    make_shop()
    make_variant("MUG", on_hand=50)
    person = make_clerk("orders.view_order", username="ines")
    client.force_login(person)
    return person


def found(client, **query):
    return {order.pk for order in client.get(LIST, query).context["page"].orders}


def test_orders_are_found_by_assignee(client, ines):
    mine, other = make_order(), make_order()
    apply(DetailsWish(ids=[mine.pk], actor=ROBOT, values={"assignee_id": ines.pk})).or_raise()
    assert found(client, assignee="me") == {mine.pk}
    assert found(client, assignee="nobody") == {other.pk}
    assert found(client, assignee=str(ines.pk)) == {mine.pk}
    assert found(client, assignee="999999") == set()  # no such person


def test_orders_are_found_by_follow_up(client, ines):
    today, later, none = make_order(), make_order(), make_order()
    for order, days in ((today, 0), (later, 3)):
        Order.objects.filter(pk=order.pk).update(follow_up_on=timezone.localdate() + timedelta(days=days))
    assert found(client, follow_up="due") == {today.pk}
    assert found(client, follow_up="planned") == {today.pk, later.pk}
    assert found(client, follow_up="none") == {none.pk}


def test_periods_are_counted_from_today(client, ines):
    now = timezone.now()
    new = make_order(placed_at=now)
    old = make_order(placed_at=now - timedelta(days=10))
    oldest = make_order(placed_at=now - timedelta(days=40))
    assert found(client, placed="today") == {new.pk}
    assert found(client, placed="7-days") == {new.pk}
    assert found(client, placed="30-days") == {new.pk, old.pk}
    assert oldest.pk not in found(client, placed="30-days")


def test_orders_are_found_by_product_name_sku_and_barcode(client, ines):
    make_variant("POT-1", name="Théière Kyusu", barcode="3760001")
    pot, mug = make_order(items={"POT-1": 1}), make_order(items={"MUG": 1})
    for text in ("theiere", "pot-1", "3760001"):
        assert found(client, product=text) == {pot.pk}
    assert found(client, sku="MUG") == {mug.pk}


def test_orders_are_found_by_coupon_delivery_and_source(client, ines):
    order, other = make_order(), make_order()
    Order.objects.filter(pk=order.pk).update(coupon_code="SPRING", delivery_kind="PICKUP", source="ecwid")
    assert found(client, coupon="spring") == {order.pk}
    assert found(client, delivery="PICKUP") == {order.pk}
    assert found(client, source="own") == {other.pk}


def test_orders_are_found_by_invoice_and_failed_mail(client, ines):
    make_seller()
    paid, other = make_order(payment="PAID"), make_order()
    issue_invoice(paid.pk, actor=ROBOT)
    assert found(client, invoiced="yes") == {paid.pk}
    assert found(client, invoiced="no") == {other.pk}
    OutgoingEmail.objects.filter(order=other, kind="order_confirmation").update(state="dead")
    assert found(client, mail_failed="yes") == {other.pk}


def test_the_filter_menu_comes_when_it_is_opened_and_as_a_page(client, ines):
    fragment = client.get(reverse("admin:orders_order_filters"), {"placed": "today"}, headers=HTMX).content.decode()
    assert "<html" not in fragment
    assert '<option value="today" selected>' in fragment
    page = client.get(reverse("admin:orders_order_filters"), {"view": "to-ship", "placed": "today"})
    assert '<input type="hidden" name="view" value="to-ship">' in page.content.decode()
    assert "<h1>" in page.content.decode()


def test_the_peek_card_shows_the_order_and_never_more_queries(client, ines):
    make_variant("POT", on_hand=9, name="Théière")
    small, large = make_order(items={"MUG": 1}), make_order(items={"MUG": 1, "POT": 2}, customer_comment="Ring twice", tags=("Gift",))
    address = reverse("admin:orders_order_peek", args=[large.pk])
    card = client.get(address, {"in": "q=lea"}, headers=HTMX).content.decode()
    assert "Théière" in card
    assert "Ring twice" in card
    assert f"{reverse('admin:orders_order_change', args=[large.pk])}?in=q%3Dlea" in card
    with CaptureQueriesContext(connection) as few:
        client.get(reverse("admin:orders_order_peek", args=[small.pk]), headers=HTMX)
    with CaptureQueriesContext(connection) as many:
        client.get(address, headers=HTMX)
    assert len(few) == len(many)


def test_without_htmx_the_peek_is_the_page_of_the_order(client, ines):
    order = make_order()
    assert client.get(reverse("admin:orders_order_peek", args=[order.pk])).url == reverse("admin:orders_order_change", args=[order.pk])
    assert client.get(reverse("admin:orders_order_peek", args=[order.pk + 9]), headers=HTMX).status_code == 404


def test_a_new_order_slides_in_where_it_belongs(client, ines):
    old = make_order(payment="PAID")
    new, other = make_order(payment="PAID"), make_order(payment="AWAITING_PAYMENT")
    answer = client.get(FRESH, {"payment": "PAID", "since": old.pk}, headers=HTMX)
    page = answer.content.decode()
    assert f'id="order-{new.pk}" class="is-new"' in page
    assert f'id="order-{other.pk}"' not in page
    assert f"since={other.pk}" in page
    assert 'data-new="1"' in page
    assert '<span class="count" id="count-all" hx-swap-oob="true">3</span>' in page


def test_nothing_new_sends_no_rows(client, ines):
    order = make_order()
    page = client.get(FRESH, {"since": order.pk}, headers=HTMX).content.decode()
    assert "<tr" not in page
    assert f"since={order.pk}" in page


@pytest.mark.parametrize("name", ["views", "filters", "fresh"])
def test_parts_of_the_list_need_the_right_to_see_orders(client, ines, name):
    ines.user_permissions.remove(Permission.objects.get(codename="view_order"))
    assert client.get(reverse(f"admin:orders_order_{name}")).status_code == 403


def test_rows_lead_to_the_order_within_the_result(client, ines):
    order = set_status(make_order(payment="PAID"), fulfilment="PROCESSING").event.order
    page = client.get(LIST, {"payment": "PAID", "q": "léa"}).content.decode()
    assert f'href="/admin/orders/order/{order.pk}/change/?in=payment%3DPAID%26q%3Dl%25C3%25A9a"' in page
