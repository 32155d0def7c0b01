"""The ledger of the stock: filtered, paged and exported; the plot and the badge beside it say what the ledger says."""

import csv
import io
import itertools
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from orders.admin import stock_ledger
from orders.admin.stock_history import history_of, what_differs
from orders.admin.stock_ledger import LedgerForm, movements_of
from orders.models import OrderLine, StockMovement, Variant
from orders.services.stock import adjust_stock
from tests.makers import ROBOT, make_clerk, make_order, make_shop, make_variant, set_status

pytestmark = pytest.mark.django_db
LEDGER, FILE = "/admin/orders/variant/ledger/", "/admin/orders/variant/ledger/file/"


@pytest.fixture(autouse=True)
def shop():
    return make_shop()


@pytest.fixture
def keeper(client):
    user = make_clerk("orders.view_variant")
    client.force_login(user)
    return user


def found(**asked):
    return [(row.variant.sku, row.delta_on_hand, row.delta_committed) for row in movements_of(LedgerForm(asked))]


def move(variant, pieces, reason="Broken"):
    return adjust_stock(variant.pk, pieces, reason=reason, actor=ROBOT)


@pytest.mark.both_databases
def test_each_filter_leaves_exactly_its_movements():
    mug, pot = make_variant("MUG", on_hand=10), make_variant("POT", on_hand=5)
    move(mug, -2)
    move(pot, 4, "Delivery 77")
    order = make_order(items={"MUG": 3})
    assert found(article="MUG") == [("MUG", 0, 3), ("MUG", -2, 0), ("MUG", 10, 0)]
    assert found(kind="adjust") == [("POT", 4, 0), ("MUG", -2, 0)]
    assert found(order=f"#{order.number}") == [("MUG", 0, 3)]
    assert found(reason="delivery") == [("POT", 4, 0)]
    assert found(person=ROBOT.name, article="POT", kind="adjust") == [("POT", 4, 0)]
    assert found(person="Nobody") == []


@pytest.mark.both_databases
def test_the_days_of_a_filter_are_whole_days_of_the_shop():
    mug = make_variant("MUG", on_hand=10)
    move(mug, -2)
    today = timezone.localdate()
    StockMovement.objects.filter(kind="opening").update(at=timezone.now() - timedelta(days=3))
    assert found(since=str(today), until=str(today)) == [("MUG", -2, 0)]
    assert found(until=str(today - timedelta(days=1))) == [("MUG", 10, 0)]


def test_a_filter_that_makes_no_sense_says_why_and_shows_no_movement(client, keeper):
    make_variant("MUG", on_hand=10)
    html = client.get(LEDGER, {"since": "2026-11-02", "until": "2026-11-01"}).content.decode()
    assert "The last day lies before the first." in html
    assert 'value="2026-11-02"' in html
    assert "MUG" not in html
    assert "The last day lies before the first." in client.get(FILE, {"since": "2026-11-02", "until": "2026-11-01"}).content.decode()


def test_pages_of_the_ledger_hold_every_movement_once_though_new_ones_come(client, keeper, monkeypatch):
    monkeypatch.setattr(stock_ledger, "PAGE", 3)
    mug = make_variant("MUG", on_hand=10)
    for _number in range(6):
        move(mug, 1)
    ids = list(StockMovement.objects.order_by("-id").values_list("pk", flat=True))
    first = client.get(LEDGER).context
    move(mug, 1)
    second = client.get(LEDGER, {"before": first["older"]}).context
    third = client.get(LEDGER, {"before": second["older"]}).context
    assert [row.pk for page in (first, second, third) for row in page["rows"]] == ids
    assert (first["newer"], third["older"]) == (None, None)
    back = client.get(LEDGER, {"after": third["newer"]}).context
    assert [row.pk for row in back["rows"]] == [row.pk for row in second["rows"]]


def test_the_csv_holds_every_movement_of_the_filter_and_no_formula(client, keeper):
    mug = make_variant("MUG", on_hand=10)
    make_variant("POT", on_hand=5)
    move(mug, -2, "=1+1")
    rows = list(csv.reader(io.StringIO(client.get(FILE, {"article": "MUG"}).getvalue().decode("utf-8-sig"))))
    assert rows[0][1:4] == ["SKU", "Article", "Movement"]
    assert [(row[1], row[3], row[5], row[7], row[9]) for row in rows[1:]] == [
        ("MUG", "Adjustment", "'=1+1", "-2", "8"),
        ("MUG", "Opening stock", rows[2][5], "10", "10"),
    ]


def test_the_workbook_holds_the_same_with_numbers_as_numbers(client, keeper):
    mug = make_variant("MUG", on_hand=10)
    move(mug, -2, "=1+1")
    sheet = load_workbook(io.BytesIO(client.get(FILE, {"format": "xlsx"}).getvalue())).active
    row = next(sheet.iter_rows(min_row=2, max_row=2))
    assert (row[5].value, row[5].data_type) == ("=1+1", "s")
    assert [cell.value for cell in row[7:]] == [-2, 0, 8, 0, 8]
    assert sheet.max_row == 3


def test_a_workbook_that_would_keep_its_reader_waiting_is_refused_with_a_way_out(client, keeper, monkeypatch):
    monkeypatch.setattr(stock_ledger, "SHEET_MOST", 1)
    move(make_variant("MUG", on_hand=10), -2)
    answer = client.get(FILE, {"format": "xlsx"})
    assert answer.status_code == 422
    assert "Narrow the filter, or take the CSV." in answer.content.decode()


def test_the_ledger_needs_the_right_to_see_the_stock(client):
    client.force_login(make_clerk("orders.view_order"))
    assert client.get(LEDGER).status_code == 403
    assert client.get(FILE).status_code == 403


@pytest.mark.both_databases
def test_an_article_reconciles_until_a_counter_is_touched_and_then_says_which():
    mug = make_variant("MUG", on_hand=10)
    order = make_order(items={"MUG": 3})
    assert what_differs(Variant.objects.get(pk=mug.pk)) == []
    Variant.objects.filter(pk=mug.pk).update(on_hand=9)
    assert what_differs(Variant.objects.get(pk=mug.pk)) == [
        "On hand is 9, its movements add up to 10.",
        "On hand is 9, the last movement left 10.",
    ]
    Variant.objects.filter(pk=mug.pk).update(on_hand=10)
    OrderLine.objects.filter(order=order).update(committed=1)
    assert what_differs(Variant.objects.get(pk=mug.pk)) == ["Committed is 3, orders and drafts hold 1."]


def test_the_page_of_an_article_shows_the_badge_or_exactly_what_differs(client, keeper):
    mug = make_variant("MUG", on_hand=10)
    address = reverse("admin:orders_variant_change", args=[mug.pk])
    assert ">reconciles</span>" in client.get(address).content.decode()
    Variant.objects.filter(pk=mug.pk).update(on_hand=9)
    html = client.get(address).content.decode()
    assert ">reconciles</span>" not in html
    assert "<li>On hand is 9, its movements add up to 10.</li>" in html


@pytest.mark.both_databases
def test_the_plot_tells_each_day_as_the_ledger_left_it():
    mug = make_variant("MUG", on_hand=10)
    days_ago = {"opening": 200, "Broken": 5, "Found": 5, "Given": 0}
    for pieces, reason in ((-4, "Broken"), (2, "Found"), (-1, "Given")):
        move(mug, pieces, reason)
    for row in StockMovement.objects.all():
        StockMovement.objects.filter(pk=row.pk).update(at=timezone.now() - timedelta(days=days_ago.get(row.reason, 200)))
    history = history_of(Variant.objects.get(pk=mug.pk))
    assert [day.on_hand for day in history.days] == [10] * 84 + [8] * 5 + [7]
    assert [day.on_hand for day in history.moved] == [7, 8]
    assert (history.lowest, history.highest) == (0, 10)
    assert history.on_hand_line.startswith("M0 6.0H10.0V6.0H20.0")


NUMBERS = itertools.count()
STEPS = st.lists(st.one_of(st.integers(-3, 4).filter(bool), st.sampled_from(["order", "ship", "cancel"])), max_size=8)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_happens_plot_ledger_and_badge_agree_with_the_counters(steps):
    mug, open_orders = make_variant(f"MUG-{next(NUMBERS)}", on_hand=30), []
    for step in steps:
        if isinstance(step, int):
            move(mug, step)
        elif step == "order":
            open_orders.append(make_order(items={mug.sku: 2}))
        elif open_orders:
            set_status(open_orders.pop(), **({"fulfilment": "SHIPPED"} if step == "ship" else {"payment": "CANCELLED"}))
    now = Variant.objects.get(pk=mug.pk)
    rows = list(movements_of(LedgerForm({"article": mug.sku})))
    assert (now.on_hand, now.committed) == (sum(r.delta_on_hand for r in rows), sum(r.delta_committed for r in rows))
    assert (now.on_hand, now.committed) == (rows[0].on_hand_after, rows[0].committed_after)
    assert what_differs(now) == []
    assert (history_of(now).days[-1].on_hand, history_of(now).days[-1].available) == (now.on_hand, now.available)
