"""The orders list: what it finds, shows and costs."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from orders.listing import PAGE
from orders.models import Order, OrderAddress
from orders.services.editing import HoldWish
from orders.services.plan import apply
from orders.templatetags.orders import marked
from tests.makers import ROBOT, make_clerk, make_order, make_shop, make_variant, set_status

pytestmark = pytest.mark.django_db
LIST = reverse("admin:orders_order_changelist")


@pytest.fixture
def staff(client):
    make_shop()
    client.force_login(make_clerk("orders.view_order"))
    return client


def numbers(response) -> list[str]:
    return [order.number for order in response.context["page"].orders]


def test_the_newest_order_stands_first(staff):
    old = make_order(placed_at=timezone.now() - timedelta(days=2))
    new = make_order(placed_at=timezone.now() - timedelta(days=1))
    assert numbers(staff.get(LIST)) == [new.number, old.number]


def test_an_order_is_found_by_name_without_accents_and_by_sku(staff):
    make_variant("TEAPOT")
    order = make_order(items={"TEAPOT": 1}, customer_name="Léa Fournier", billing=None, shipping=None)
    make_order(items={"MUG": 1}, customer_name="Someone Else", billing=None, shipping=None)
    assert numbers(staff.get(LIST, {"q": "lea fournier"})) == [order.number]
    assert numbers(staff.get(LIST, {"q": "teapot"})) == [order.number]
    assert numbers(staff.get(LIST, {"q": "nobody"})) == []


def test_both_statuses_filter_together_and_take_several_values(staff):
    make_variant("MUG", on_hand=50)
    paid = make_order(payment="PAID")
    unpaid = make_order(payment="AWAITING_PAYMENT")
    shipped = make_order(payment="PAID", fulfilment="SHIPPED")
    found = staff.get(LIST, {"payment": ["PAID", "AWAITING_PAYMENT"], "fulfilment": "AWAITING_PROCESSING"})
    assert set(numbers(found)) == {paid.number, unpaid.number}
    assert numbers(staff.get(LIST, {"payment": "PAID", "fulfilment": "SHIPPED"})) == [shipped.number]


def test_dates_totals_and_methods_filter(staff):
    make_variant("MUG", on_hand=50)
    order = make_order(items={"MUG": 3}, placed_at=timezone.now() - timedelta(days=5), shipping_method="Colissimo")
    make_order(items={"MUG": 1})
    day = timezone.localdate() - timedelta(days=5)
    assert numbers(staff.get(LIST, {"placed_from": day.isoformat(), "placed_to": day.isoformat()})) == [order.number]
    assert numbers(staff.get(LIST, {"total_from": "20"})) == [order.number]
    assert numbers(staff.get(LIST, {"shipping_method": "coliss"})) == [order.number]


def test_a_country_is_found_by_code_or_name(staff):
    order = make_order()
    make_order(shipping=None, billing=None)
    assert numbers(staff.get(LIST, {"country": "fr"})) == [order.number]
    assert numbers(staff.get(LIST, {"country": "France"})) == [order.number]
    assert numbers(staff.get(LIST, {"country": "Atlantis"})) == []
    assert numbers(staff.get(LIST, {"country": "fran"})) == [order.number]


def test_the_filter_menu_suggests_the_countries_that_orders_have(staff):
    order = make_order()
    OrderAddress.objects.filter(order=order, kind="shipping").update(country="DE")
    menu = staff.get(reverse("admin:orders_order_filters")).context["filterset"]
    assert menu.suggestions()["country"] == ["Germany"]
    assert [chip.value for chip in staff.get(LIST, {"country": "germ"}).context["chips"]] == ["Germany"]


def test_the_chip_of_an_amount_says_its_currency(staff):
    make_order(currency="EUR")
    assert [chip.value for chip in staff.get(LIST, {"total_from": "100"}).context["chips"]] == ["€100.00"]
    make_order(currency="CHF")
    assert [chip.value for chip in staff.get(LIST, {"total_from": "100"}).context["chips"]] == ["100 in the order's currency"]


def test_the_chip_of_a_day_is_short(staff):
    chips = staff.get(LIST, {"placed_from": "2023-03-02"}).context["chips"]
    assert [(chip.label, chip.value) for chip in chips] == [("Placed from", "Thu 2 Mar 2023")]


def test_an_address_keeps_only_what_the_form_filled_in(staff):
    assert staff.get(LIST, {"view": "held", "payment_method": "", "sku": ""}).url == f"{LIST}?view=held"
    assert staff.get(LIST, {"payment_method": "", "country": ""}).url == f"{LIST}?view=all"
    fragment = staff.get(LIST, {"q": "", "view": "held"}, headers={"HX-Request": "true"})
    assert fragment["HX-Push-Url"] == f"{LIST}?view=held"


def test_a_filter_shows_as_a_chip_that_removes_it(staff):
    make_order()
    response = staff.get(LIST, {"payment": "AWAITING_PAYMENT", "q": "lea"})
    (chip,) = response.context["chips"]
    assert (chip.label, chip.value, chip.without) == ("Payment", "Awaiting payment", "?q=lea")


@pytest.mark.parametrize(
    ("query", "chip"),
    [
        ("fulfilment=BOGUS&fulfilment=SHIPPED", ("Fulfilment", "BOGUS is unknown")),
        ("assignee=999", ("Assignee", "999 is unknown")),
        ("placed_from=2026-13-45&payment=", ("Placed from", "2026-13-45 is no date")),
        ("total_from=abc", ("Total from", "abc is no number")),
        ("view=999&q=lea", ("View", "999 is unknown")),
    ],
)
def test_a_value_that_makes_no_sense_is_said_and_finds_nothing(staff, query, chip):
    make_order()
    response = staff.get(f"{LIST}?{query}", follow=True)
    assert [(wrong.label, wrong.value) for wrong in response.context["wrong"]] == [chip]
    assert (numbers(response), response.context["matches"]) == ([], 0)
    page = response.content.decode()
    assert 'class="chip wrong"' in page
    assert "A filter makes no sense, so no order is shown." in page
    assert "Save as a view" not in page


def test_a_place_of_another_sort_begins_at_the_first_page(staff):
    order = make_order()
    assert numbers(staff.get(LIST, {"after": "x_y"})) == [order.number]


def test_a_search_of_all_orders_is_offered_only_where_it_finds_more(staff):
    make_order()
    assert "Search all orders" not in staff.get(LIST, {"q": "nowhere"}).content.decode()
    assert "Search all orders" in staff.get(LIST, {"q": "nowhere", "view": "held"}).content.decode()
    assert "Search all orders" in staff.get(LIST, {"q": "nowhere", "held": "yes"}).content.decode()


def test_tabs_count_what_waits(staff):
    make_variant("MUG", on_hand=50)
    held = make_order(payment="PAID")
    apply(HoldWish(ids=[held.pk], actor=ROBOT, held=True, reason="address")).or_raise()
    make_order(payment="PAID")
    make_order(payment="AWAITING_PAYMENT")
    set_status(make_order(payment="PAID"), fulfilment="READY_FOR_PICKUP")
    counts = {tab.key: tab.count for tab in staff.get(LIST).context["tabs"]}
    assert counts == {"all": 4, "to-process": 2, "to-ship": 1, "to-collect": 1, "unpaid": 1, "returned": 0, "held": 1}


def test_a_deleted_order_is_not_listed(staff):
    order = make_order()
    Order.objects.filter(pk=order.pk).update(deleted_at=timezone.now())
    assert numbers(staff.get(LIST)) == []


def test_pages_follow_each_other_without_gap_or_repetition(staff):
    at = timezone.now()
    make_variant("MUG", on_hand=500)
    made = [make_order(placed_at=at - timedelta(minutes=minute // 2)) for minute in range(PAGE + 7)]
    first = staff.get(LIST)
    second = staff.get(LIST + first.context["page"].older)
    assert len(numbers(first)) == PAGE
    assert numbers(first) + numbers(second) == [order.number for order in sorted(made, key=lambda o: (o.placed_at, o.pk), reverse=True)]
    back = staff.get(LIST + second.context["page"].newer)
    assert numbers(back) == numbers(first)
    assert back.context["page"].newer == ""


def test_typing_gets_the_results_only(staff):
    make_order()
    page = staff.get(LIST, {"q": "lea"}, headers={"HX-Request": "true"}).content.decode()
    assert page.lstrip().startswith('<div id="results">')
    assert "<html" not in page


def test_the_list_costs_the_same_for_one_order_and_for_many(staff):
    make_variant("MUG", on_hand=500)
    make_order(tags=("Gift",))
    staff.get(LIST)
    with CaptureQueriesContext(connection) as few:
        staff.get(LIST)
    for _ in range(30):
        make_order(tags=("Gift", "Fragile"))
    with CaptureQueriesContext(connection) as many:
        staff.get(LIST)
    of_list = [q for q in many.captured_queries if "orders_" in q["sql"]]
    assert len(many) == len(few)
    assert len(of_list) <= 14  # six for the orders, two for the person's own list, the rest for the frame


def test_without_the_right_nobody_sees_orders(client):
    make_shop()
    client.force_login(make_clerk("orders.view_customer"))
    assert client.get(LIST).status_code == 403


def test_a_name_with_markup_is_only_text(staff):
    make_order(customer_name="<script>alert(1)</script>", billing=None, shipping=None)
    page = staff.get(LIST).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_what_was_searched_is_marked_and_still_only_text():
    assert marked("Léa Martin", "lea") == "<mark>Léa</mark> Martin"
    assert marked("<b>Anna</b>", "nn") == "&lt;b&gt;A<mark>nn</mark>a&lt;/b&gt;"
    assert marked("Straße", "strasse") == "<mark>Straße</mark>"
    assert marked("Paul", "lea") == "Paul"
