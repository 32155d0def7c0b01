"""What the orders list may cost: plans that walk no whole table of orders, and queries that do not grow with the rows."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ecwid_orders.home import home_of
from ecwid_orders.tasks import count_again
from orders.admin.list_result import builtin_tabs, deleted_tabs, result_of
from orders.balances import money_kept, overpaid
from orders.listing import SORTS, _countable, _Source, bounded_counts, read_place, write_place
from orders.models import Order, Shop, Status
from orders.search import find_orders
from orders.seeding.multitude import plant_many
from orders.seeding.shop import HOME, fill_shop
from orders.statistics import count_rows
from tests.makers import make_clerk, make_shop, make_tax_class

NOW = datetime(2026, 3, 18, 15, 0, tzinfo=UTC)
MANY = 1_500
LIST = reverse("admin:orders_order_changelist")


@pytest.fixture(autouse=True)
def _many(db):
    make_tax_class()
    fill_shop()
    plant_many(MANY, seed=1, now=NOW)
    count_rows(connection)


pytestmark = [pytest.mark.both_databases, pytest.mark.django_db]


def plan_of(orders: QuerySet) -> str:
    """How the database would answer, without regard to how cheap these rows still are to read one after the other."""
    try:
        sql, params = orders.query.sql_with_params()
    except EmptyResultSet:
        return "nothing to look for"
    return explained(sql, params)


def explained(sql: str, params: Sequence = ()) -> str:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(("EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN ") + sql, params or None)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def walks_all(plan: str) -> bool:
    scans = [line for line in plan.splitlines() if "Seq Scan on orders_order " in line or line.strip() in ("SCAN orders_order", "SCAN U0")]
    return bool(scans)


def page(query: str) -> QuerySet:
    result = result_of(AnonymousUser(), QueryDict(query))
    return _Source(result.orders, result.sort).rows(None)[:51]


BOTH_WAYS = [way + name for name in SORTS for way in ("", "-")]
VIEWS = [f"view={key}" for key in ("all", "to-process", "to-ship", "to-collect", "unpaid", "returned", "held")]
FILTERS = [
    "payment=REFUNDED",
    "fulfilment=SHIPPED",
    "payment=PAID&fulfilment=PROCESSING",
    "held=yes",
    "oversold=yes",
    "placed=30-days",
    "placed_from=2024-06-01&placed_to=2024-06-03",
    "updated=7-days",
    "total_from=300",
    "payment_method=Virement+bancaire",
    "shipping_method=Chronopost+Europe",
    "coupon=BONJOUR5",
    "sku=GR-0007-S",
    "product=figuier",
    "delivery=PICKUP",
    "country=ES",
    "tag=Presse",
    "follow_up=due",
    "source=ecwid",
    "customer=17",
    "invoiced=yes",
    "needs_staff=yes",
    "mail_failed=yes",
    "assignee=me",
]


def test_each_sort_is_read_from_an_index_without_sorting_all():
    plans = {sort: plan_of(page(f"sort={sort}")) for sort in BOTH_WAYS}
    assert [sort for sort, plan in plans.items() if walks_all(plan) or "USE TEMP B-TREE" in plan] == []
    assert [sort for sort, plan in plans.items() if "Sort Key" in plan and "Presorted Key" not in plan] == []


def test_a_deep_page_starts_at_its_place():
    order, slow = Order.objects.order_by("pk")[MANY // 2], []
    for sort in BOTH_WAYS:
        plan = plan_of(_Source(Order.objects.present(), sort).rows(read_place(write_place(order, sort), sort))[:51])
        if walks_all(plan) or not ("Index Cond" in plan or "SEARCH" in plan):
            slow.append((sort, plan))
    assert slow == []


def test_each_view_and_filter_is_found_by_an_index():
    plans = {query: plan_of(page(query)) for query in (*VIEWS, *FILTERS)}
    assert [query for query, plan in plans.items() if walks_all(plan)] == []


def test_each_search_is_found_by_trigrams():
    by = "order_search_trigrams" if connection.vendor == "postgresql" else "SCAN orders_search VIRTUAL TABLE"
    slow = []
    for text in ("7041", "#70", "lea", "dubois paris", "98 45", "GR-0007", "6A12", "zzyzx", "example.com", "du", "l"):
        plan = plan_of(_Source(find_orders(Order.objects.present(), text), "-placed_at").rows(None)[:51])
        # What nearly every order holds is soon found among the newest: PostgreSQL may walk these instead.
        walks_newest = connection.vendor == "postgresql" and "placed_at" in plan
        if walks_all(plan) or not (by in plan or walks_newest) or "USE TEMP B-TREE" in plan:
            slow.append((text, plan))
    assert slow == []


def test_orders_that_wait_for_staff_are_found_by_indexes():
    assert not walks_all(plan_of(Order.objects.to_process()))
    assert not walks_all(plan_of(Order.objects.present().filter(money_kept()).order_by()))


def test_what_is_owed_is_found_by_its_index():
    assert "order_by_balance" in plan_of(Order.objects.present().filter(overpaid()).order_by("-placed_at", "-id")[:51])


def test_home_walks_no_orders(rf):
    request = rf.get("/admin/")
    request.user = make_clerk(superuser=True)
    with CaptureQueriesContext(connection) as queries:
        home_of(request, Shop.current())
    plans = {sql: explained(sql) for sql in (found["sql"] for found in queries) if sql.startswith("SELECT")}
    assert [sql for sql, plan in plans.items() if walks_all(plan)] == []


def test_each_count_of_a_view_is_told_by_an_index_alone():
    tabs = [*builtin_tabs(list(Status.objects.all())), *deleted_tabs(make_clerk(superuser=True))]
    plans = {tab.key: plan_of(_countable(tab.orders)[:1001]) for tab in tabs if tab.key != "all"}
    assert [(key, plan) for key, plan in plans.items() if walks_all(plan)] == []
    if connection.vendor == "sqlite":  # PostgreSQL decides by how many pages are freshly vacuumed
        of_few = ("order_held", "order_oversold")  # indexes that hold the few orders alone
        assert [(key, plan) for key, plan in plans.items() if "COVERING" not in plan] == []
        assert [(key, plan) for key, plan in plans.items() if "SCAN" in plan and not any(name in plan for name in of_few)] == []


def test_counting_stops_at_a_thousand_and_is_one_query():
    views = [Order.objects.present(), Order.objects.filter(is_held=True), find_orders(Order.objects.present(), "example.com")]
    with CaptureQueriesContext(connection) as queries:
        counts = bounded_counts(views)
    assert counts == [1001, Order.objects.filter(is_held=True).count(), 1001]
    assert len(queries) == 1


def test_no_page_of_the_list_costs_a_query_per_row(client):
    make_shop()
    client.force_login(make_clerk(superuser=True))
    client.get(f"{LIST}?view=all")
    dear = []
    for query, most in (
        ("view=all", 16),
        ("view=to-ship", 16),
        ("sort=-total", 16),
        ("q=lea", 22),
        ("country=FR", 18),
        ("product=grès", 18),
    ):
        with CaptureQueriesContext(connection) as queries:
            response = client.get(f"{LIST}?{query}")
        assert len(response.context["page"].orders) >= 10
        if len(queries) > most:
            dear.append((query, len(queries)))
    assert dear == []


def test_the_order_page_costs_the_same_queries_whatever_its_items(client):
    make_shop()
    client.force_login(make_clerk(superuser=True))
    alike = Order.objects.filter(payment_status__code="PAID", fulfilment_status__code="DELIVERED", shipping_method=HOME, source="own")
    counts = set()
    for lines in (1, 4):
        order = next(order for order in alike if order.lines.count() == lines)
        client.get(reverse("admin:orders_order_change", args=[order.pk]))
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("admin:orders_order_change", args=[order.pk]))
        counts.add(len(queries))
    assert len(counts) == 1


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL counts by itself")
def test_sqlite_counts_again_each_night():
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM sqlite_stat1")
        count_again()
        cursor.execute("SELECT count(*) FROM sqlite_stat1 WHERE idx = 'order_by_both_statuses'")
        assert cursor.fetchone() == (1,)
