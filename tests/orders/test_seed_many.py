"""The large demo shop: written set by set, and yet what clerks would have left."""

from collections import Counter
from datetime import UTC, datetime

import pytest
from django.db import transaction
from django.db.models import Count, Max

from orders.integrity import find_problems
from orders.listing import newest
from orders.models import Order, OrderEvent, OrderLine, Shipment, StockMovement
from orders.search import build_search, find_orders
from orders.seeding.multitude import YEARS, plant_many
from orders.seeding.shop import fill_shop
from tests.makers import make_order, make_shop, make_tax_class, make_variant, set_status

NOW = datetime(2026, 3, 18, 15, 0, tzinfo=UTC)
pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def many():
    make_tax_class()
    fill_shop()
    plant_many(400, seed=3, now=NOW)


def test_its_stock_money_and_parcels_add_up(many):
    assert list(find_problems()) == []
    assert Order.objects.count() == 400
    assert Order.objects.aggregate(lines=Count("lines"))["lines"] > 800
    assert set(Order.objects.values_list("payment_status__code", flat=True)) >= {"PAID", "REFUNDED", "CANCELLED", "PARTIALLY_REFUNDED"}


def test_it_happened_in_three_years_in_the_order_of_time(many):
    moments = list(Order.objects.order_by("pk").values_list("placed_at", flat=True))
    assert moments == sorted(moments)
    assert moments[0] >= NOW - YEARS
    assert moments[-1] < NOW
    for model in (OrderEvent, StockMovement):
        assert model.objects.aggregate(last=Max("at"))["last"] <= NOW
    happened = list(StockMovement.objects.order_by("pk").values_list("at", flat=True))
    assert happened == sorted(happened)


def test_few_articles_sell_most(many):
    sold = Counter(OrderLine.objects.values_list("sku", flat=True))
    tenth = sum(number for _sku, number in sold.most_common(len(sold) // 10))
    assert tenth > sum(sold.values()) / 4


def test_the_same_seed_gives_the_same_orders():
    make_tax_class()
    fill_shop()
    shops = []
    for seed in (3, 3, 4):
        with transaction.atomic():
            plant_many(30, seed=seed, now=NOW)
            shops.append(list(Order.objects.order_by("pk").values_list("number", "customer_name", "total", "placed_at")))
            transaction.set_rollback(True)
    assert shops[0] == shops[1] != shops[2]


def test_its_orders_are_found_like_all_others(many):
    parcel = Shipment.objects.exclude(tracking_number="").order_by("pk")[5]
    assert [order.pk for order in newest(find_orders(Order.objects.present(), parcel.tracking_number), 5)] == [parcel.order_id]
    for order in Order.objects.order_by("pk")[:40]:
        text, order.search = order.search, ""
        rebuilt = build_search(order, order.lines.all(), order.addresses.all(), order.shipments.all(), order.notes.all())
        assert sorted(line for line in rebuilt.split("\n") if line[:1] != "K") == sorted(text.split("\n"))


def test_the_shop_goes_on_after_it(many):
    make_shop()
    make_variant("NEXT")
    order = make_order(items={"NEXT": 1})
    set_status(order, fulfilment="SHIPPED")
    assert int(order.number) > max(int(number) for number in Order.objects.exclude(pk=order.pk).values_list("number", flat=True))
    assert list(find_problems()) == []
