"""Typing on while the server works out what was typed before: nothing is written over, and no button is pressed by itself."""

from decimal import Decimal

import pytest
from playwright.sync_api import expect

from orders.edits import OrderEdit
from orders.models import Draft, Order, OrderProposal
from tests.makers import make_order, make_variant

LATE = 0.4  # seconds that an answer takes


@pytest.fixture
def slow(office):
    """The office over a bad line: every posted form is answered late."""
    network = office.context.new_cdp_session(office)
    network.send("Network.enable")

    def slow_down():
        line = {"offline": False, "latency": LATE * 1000, "downloadThroughput": -1, "uploadThroughput": -1}
        network.send("Network.emulateNetworkConditions", line)

    office.slow_down = slow_down
    return office


def begin(page, *, items=("MUG",)):
    for sku in items:
        make_variant(sku, on_hand=10, name=sku.title(), price="24.00")
    page.goto(f"{page.base}/admin/orders/order/add/")
    for index, sku in enumerate(items):
        page.fill("#article-search", sku)
        page.press("#article-search", "Enter")
        expect(page.locator(f"#id_items-{index}-quantity")).to_have_value("1")
    page.wait_for_timeout(600)


def all_answered(page):
    page.wait_for_timeout(500)
    expect(page.locator(".manual-order.htmx-request")).to_have_count(0)
    page.wait_for_timeout(500)
    expect(page.locator(".manual-order.htmx-request")).to_have_count(0)


def test_leaving_a_field_never_presses_the_button_after_it(slow):
    begin(slow)
    slow.slow_down()
    slow.locator("#id_items-0-price").select_text()
    slow.keyboard.type("20")
    slow.focus("#id_items-0-quantity")
    slow.locator("#id_items-0-quantity").select_text()
    slow.keyboard.type("3")
    slow.keyboard.press("Tab")  # waits for the answer to the price, and goes when the focus is on the next button
    assert slow.evaluate("document.activeElement.value") == "remove:0"
    all_answered(slow)
    expect(slow.locator("#id_items-0-price")).to_have_value("20")
    expect(slow.locator("#total-figure")).to_have_text("€60.00")
    assert Draft.objects.get().total == Decimal("60.00")


def test_what_is_typed_while_an_item_is_added_stays_and_is_worked_out(slow):
    begin(slow, items=("MUG", "POT"))
    slow.slow_down()
    slow.click("text=Free item")
    slow.wait_for_timeout(100)
    slow.fill("#id_items-0-price", "20")
    slow.fill("#id_staff_note", "By phone")
    expect(slow.locator("#id_items-2-name")).to_be_visible()
    expect(slow.locator("#id_items-0-price")).to_have_value("20")
    expect(slow.locator("#id_staff_note")).to_have_value("By phone")
    expect(slow.locator("#id_staff_note")).to_be_focused()
    all_answered(slow)
    draft = Draft.objects.get().body
    assert (draft["lines"][0]["price"], draft["staff_note"]) == ("20", "By phone")


def test_what_is_typed_while_a_row_above_goes_stays_with_its_item(slow):
    begin(slow, items=("MUG", "POT"))
    slow.slow_down()
    slow.click("[value='remove:0']")
    slow.fill("#id_items-1-price", "20")
    expect(slow.locator("#id_items-1-price")).to_have_count(0)
    expect(slow.locator("#id_items-0-price")).to_have_value("20")
    all_answered(slow)
    expect(slow.locator("#total-figure")).to_have_text("€20.00")


def test_two_articles_are_scanned_faster_than_the_server_answers(slow):
    begin(slow)
    make_variant("POT", on_hand=5, name="Pot")
    make_variant("CUP", on_hand=5, name="Cup")
    slow.slow_down()
    slow.focus("#article-search")
    for sku in ("POT", "CUP"):
        slow.fill("#article-search", sku)
        slow.keyboard.press("Enter")
    expect(slow.locator("#id_items-2-quantity")).to_have_value("1")
    all_answered(slow)
    assert len(Draft.objects.get().body["lines"]) == 3


def test_a_press_while_an_article_is_still_added_says_so_on_a_new_order(slow):
    begin(slow)
    slow.fill("#id_customer_name", "Zoé Petit")
    all_answered(slow)
    slow.slow_down()
    slow.fill("#article-search", "3 x MUG")
    slow.press("#article-search", "Enter")
    slow.click("button[value=place]")
    expect(slow.locator("#pressed-early")).to_contain_text("Nothing was saved")
    expect(slow.locator("#id_items-0-quantity")).to_have_value("4")
    all_answered(slow)
    assert not Order.objects.exists()
    slow.click("button[value=place]")
    slow.wait_for_url("**/change/")
    assert Order.objects.get().total == Decimal("96.00")


def test_an_edit_keeps_what_is_typed_while_an_item_is_added(slow):
    make_variant("MUG", on_hand=10, name="Mug", price="24.00")
    order = make_order("PAID", items={"MUG": 2})
    slow.goto(f"{slow.base}/admin/orders/order/{order.pk}/edit/")
    slow.slow_down()
    slow.click("text=Free item")
    slow.fill("[aria-label='Price of Mug']", "20")
    slow.fill("#id_reason", "By phone")
    expect(slow.locator("#id_items-0-name")).to_be_visible()
    expect(slow.locator("[aria-label='Price of Mug']")).to_have_value("20")
    expect(slow.locator("#id_reason")).to_be_focused()
    all_answered(slow)
    edit = OrderEdit.from_json(OrderProposal.objects.get().body)
    assert (edit.reason, edit.line(order.lines.get().pk).price, len(edit.added)) == ("By phone", Decimal(20), 1)
