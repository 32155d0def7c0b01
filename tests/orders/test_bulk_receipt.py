"""The receipt of a bulk action says what became of each order, and a stop that came too late is no stop."""

import pytest
from django.urls import reverse

from orders.bulk.jobs import undo
from orders.bulk.working import work
from orders.models import BulkJob
from tests.makers import make_order
from tests.orders.test_bulk_panels import opened, press, staff

__all__ = ["staff"]
pytestmark = pytest.mark.django_db


def receipt(client, job):
    return client.get(reverse("admin:orders_order_bulk_job", args=[job.public_id]))


def test_a_stop_after_the_last_order_stops_nothing(staff):
    job = press(staff, opened(staff, [make_order("PAID")], fulfilment="SHIPPED"))
    BulkJob.objects.filter(pk=job.pk).update(state="queued", stop_requested=True)
    work(job.pk)
    job.refresh_from_db()
    assert job.state == "done"


def test_each_row_says_from_what_to_what(staff):
    shipped = press(staff, opened(staff, [make_order("PAID")], fulfilment="SHIPPED"))
    (item,) = receipt(staff, shipped).context["items"]
    assert item.moves == [("Awaiting processing", "Shipped")]
    tagged = press(staff, opened(staff, [item.order], action="tag"), add="fair")
    (item,) = receipt(staff, tagged).context["items"]
    assert item.moves == [("", "fair")]


def test_an_undo_names_what_it_takes_back_and_no_more(staff):
    chosen = [make_order("PAID"), make_order("PAID", "SHIPPED")]
    job = press(staff, opened(staff, chosen, fulfilment="SHIPPED"))
    undoing = undo(job, user=job.actor)
    assert receipt(staff, undoing).context["title"] == "Undo: Fulfilment → Shipped for 1 order"


def test_the_undo_of_tags_promises_no_stock(staff):
    job = press(staff, opened(staff, [make_order("PAID")], action="tag"), add="fair")
    page = staff.get(reverse("admin:orders_order_bulk_undo", args=[job.public_id])).content.decode()
    assert "The order gets back what it was." in page
    assert "stock and money" not in page


def test_the_receipt_leads_back_to_the_view_one_came_from(staff):
    job = press(staff, opened(staff, [make_order("PAID")], fulfilment="SHIPPED", result="view=to-ship&q=lea"))
    assert 'href="/admin/orders/order/?view=to-ship&amp;q=lea">Orders</a>' in receipt(staff, job).content.decode()
