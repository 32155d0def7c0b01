"""A page of the orders list: every sort, both ways, from any place, with its neighbours."""

from datetime import timedelta

import pytest
from django.http import QueryDict
from django.utils import timezone

from orders import listing
from orders.listing import SORTS, bounded_counts, counted_text, having, keyset_page, neighbours, write_place
from orders.models import Order, OrderLine
from tests.makers import make_order, make_shop, make_variant

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def seven_orders(monkeypatch):
    make_shop()
    monkeypatch.setattr(listing, "PAGE", 3)
    now = timezone.now()
    prices = {f"ART{price}": make_variant(f"ART{price}", on_hand=50, price=str(price)) for price in (8, 9, 10)}
    names = ["Zoé", "Abel", "Abel", "Émile", "Zoé", "Basile", "Abel"]
    orders = []
    for day, (name, sku) in enumerate(zip(names, [*prices, *prices, "ART8"], strict=True)):
        orders.append(make_order(items={sku: 1}, customer_name=name, placed_at=now - timedelta(days=day // 2)))
    Order.objects.filter(pk=orders[3].pk).update(number="99")
    Order.objects.filter(pk=orders[5].pk).update(number="100")
    return orders


def query_of(address: str) -> QueryDict:
    return QueryDict(address.removeprefix("?"))


@pytest.mark.parametrize("sort", [way + name for name in SORTS for way in ("", "-")])
def test_paging_forth_and_back_shows_every_order_once_in_its_sort(seven_orders, sort):
    first = keyset_page(Order.objects.all(), QueryDict(), sort)
    second = keyset_page(Order.objects.all(), query_of(first.older), sort)
    third = keyset_page(Order.objects.all(), query_of(second.older), sort)
    shown = [order.pk for page in (first, second, third) for order in page.orders]
    expected = listing._Source(Order.objects.all(), sort).rows(None)
    assert shown == [order.pk for order in expected]
    assert (first.newer, third.older) == ("", "")
    back = keyset_page(Order.objects.all(), query_of(third.newer), sort)
    assert back.orders == second.orders
    assert keyset_page(Order.objects.all(), query_of(back.newer), sort).orders == first.orders


@pytest.mark.parametrize("sort", [way + name for name in SORTS for way in ("", "-")])
def test_an_order_knows_its_neighbours_in_every_sort(seven_orders, sort):
    ids = [order.pk for order in listing._Source(Order.objects.all(), sort).rows(None)]
    by_id = Order.objects.in_bulk()
    for place, pk in enumerate(ids):
        before = ids[place - 1] if place else None
        after = ids[place + 1] if place + 1 < len(ids) else None
        assert neighbours(Order.objects.all(), by_id[pk], sort) == (before, after)


def test_numbers_sort_by_length_first(seven_orders):
    numbers = [order.number for order in listing._Source(Order.objects.all(), "number").rows(None)]
    assert numbers.index("99") < numbers.index("100")


@pytest.mark.parametrize("value", ["x", "2026_5", "e30", "WzFd", "W251bGwsMSwyXQ", "é", "WyItcGxhY2VkX2F0IiwieCIsMV0", "A" * 5000])
def test_a_place_edited_by_hand_gives_the_first_page(seven_orders, value):
    first = keyset_page(Order.objects.all(), QueryDict())
    for name in ("after", "before"):
        query = QueryDict(mutable=True)
        query[name] = value
        assert keyset_page(Order.objects.all(), query).orders == first.orders


def test_a_place_of_another_sort_gives_the_first_page(seven_orders):
    query = QueryDict(mutable=True)
    query["after"] = write_place(seven_orders[4], "total")
    assert keyset_page(Order.objects.all(), query, "-total").orders == keyset_page(Order.objects.all(), QueryDict(), "-total").orders


def test_a_count_stops_and_an_estimate_is_round():
    assert counted_text(999) == "999"
    assert counted_text(1001) == "1000+"
    assert counted_text(1001, estimate=203_417) == "about 200,000"


def test_a_rare_thing_is_counted_as_it_is_found(monkeypatch):
    monkeypatch.setattr(listing, "MOST_FEW", 1)
    make_shop()
    make_variant("POT", on_hand=50)
    make_variant("MUG", on_hand=50)
    for number in range(6):
        order = make_order(items={"POT": 1} if number < 2 else {"MUG": 1}, customer_name=f"Somebody {number}")
    Order.objects.filter(pk=order.pk).update(deleted_at=timezone.now())
    pots, mugs = (Order.objects.present().filter(having(OrderLine.objects.filter(sku=sku))) for sku in ("POT", "MUG"))
    assert bounded_counts([pots, mugs, pots.filter(assignee=None), pots.filter(assignee__isnull=False)]) == [2, 3, 2, 0]
    assert [bounded_counts([pots]), pots.count(), mugs.count()] == [[2], 2, 3]
