"""The demo shop: believable, the same for the same seed, and only where nothing is yet."""

from collections import Counter
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import F

from orders.integrity import find_problems
from orders.models import Customer, Draft, Order, OrderEvent, OrderLine, Product, Shop, StockMovement, Variant
from orders.seeding.planting import DAYS, seed_demo
from tests.makers import make_order

NOW = datetime(2026, 3, 18, 15, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _orders_only(settings):
    settings.DEMO_SEEDERS, settings.DEMO_SWEEPS, settings.CONSEQUENCE_PLANNERS = (), (), ()


def test_the_demo_shop_is_what_it_promises():
    planted = seed_demo(now=NOW)
    assert (planted.orders, Order.objects.count(), Product.objects.count(), Variant.objects.count()) == (60, 60, 25, 34)
    assert (Customer.objects.count(), Draft.objects.count(), Shop.current().is_demo) == (12, 5, True)
    assert Order.objects.filter(is_test=False).count() == 0
    assert not Order.objects.exclude(email__endswith="@example.com").exists()
    countries = set(Order.objects.values_list("addresses__country", flat=True)) - {None}
    assert countries == {"FR", "BE", "DE", "ES", "CH"}
    assert list(find_problems()) == []


def test_the_odd_cases_are_there():
    seed_demo(now=NOW)
    statuses = Counter(Order.objects.values_list("payment_status__code", flat=True))
    assert {"PAID", "AWAITING_PAYMENT", "CANCELLED", "REFUNDED", "PARTIALLY_REFUNDED"} == set(statuses)
    assert Order.objects.filter(total=0).count() >= 2
    assert Order.objects.filter(gift_card_amount__gt=0).count() == 2
    assert Order.objects.filter(reverse_charge=True, tax=0).count() == 1
    assert Order.objects.filter(delivery_kind="PICKUP").exists()
    assert {"ليلى بن علي", "王小雨"} <= set(Order.objects.values_list("customer_name", flat=True))
    rates = {f"{rate:f}".rstrip("0").rstrip(".") for rate in OrderLine.objects.exclude(vat_rate=None).values_list("vat_rate", flat=True)}
    assert {"20", "10", "5.5", "0"} <= rates


def test_everything_happens_in_order_of_time():
    seed_demo(now=NOW)
    assert not Order.objects.filter(placed_at__gte=NOW).exists()
    assert (NOW - Order.objects.earliest("placed_at").placed_at).days in (DAYS - 1, DAYS)
    for moments in (
        OrderEvent.objects.order_by("pk").values_list("at", flat=True),
        StockMovement.objects.order_by("pk").values_list("at", flat=True),
    ):
        assert list(moments) == sorted(moments)
    assert not OrderEvent.objects.exclude(kind="placed").filter(at__lt=F("order__placed_at")).exists()


def test_the_same_seed_makes_the_same_shop():
    def facts():
        return list(
            Order.objects.order_by("pk").values_list("number", "placed_at", "total", "payment_status__code", "fulfilment_status__code")
        )

    start = transaction.savepoint()
    seed_demo(orders=25, seed=7, now=NOW)
    first = facts()
    transaction.savepoint_rollback(start)
    seed_demo(orders=25, seed=7, now=NOW)
    assert facts() == first


def test_a_shop_that_is_not_empty_is_left_alone():
    make_order()
    with pytest.raises(CommandError, match="not empty"):
        call_command("seed_demo", stdout=StringIO())
    assert (Order.objects.count(), Shop.current().is_demo) == (1, False)


def test_a_small_demo_can_be_asked_for():
    out = StringIO()
    call_command("seed_demo", orders=3, stdout=out)
    assert Order.objects.count() == 3
    assert out.getvalue().startswith("3 orders, ")
