"""The page of statuses: how many orders have each, and the way to them."""

import re

import pytest

from orders import listing
from orders.models import Status
from tests.makers import make_clerk, make_order, make_shop

pytestmark = pytest.mark.django_db
PAGE = "/admin/orders/status/"


@pytest.fixture(autouse=True)
def boss(client):
    make_shop()
    client.force_login(make_clerk(superuser=True))


def link_of(client, code):
    """The address and the words of a status' count of orders."""
    html = client.get(PAGE).content.decode()
    address, words = re.search(rf'href="([^"]*=({code}))"[^>]*>([^<]*)</a>', html).group(1, 3)
    return address.replace("&amp;", "&"), words


@pytest.mark.parametrize("code", ["SHIPPED", "WITH_THE_ENGRAVER"])
def test_the_count_of_a_status_leads_to_its_orders(client, code):
    base = Status.objects.get(code="SHIPPED")
    Status.objects.create(axis=base.axis, code="WITH_THE_ENGRAVER", names={"en": "With the engraver"}, base=base, **base.consequences())
    order = make_order(items={"MUG": 1}, fulfilment=code)
    make_order(items={"MUG": 1})
    address, words = link_of(client, code)
    assert (address, words) == (f"/admin/orders/order/?view=all&fulfilment={code}", "1")
    assert re.findall(r"/admin/orders/order/(\d+)/change/\?in=", client.get(address).content.decode())[:1] == [str(order.pk)]


def test_a_count_of_many_orders_says_that_it_stopped(client, monkeypatch):
    monkeypatch.setattr(listing, "MOST_COUNTED", 1)
    make_order(items={"MUG": 1})
    make_order(items={"MUG": 1})
    assert link_of(client, "AWAITING_PAYMENT")[1] == "1+"
    assert link_of(client, "PAID")[1] == "0"
