"""The orders list as a clerk works in it all day: find, look, step, filter, save a view, see what comes in."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from invoices.services import issue_invoice
from orders.models import SavedView
from tests.invoices.makers import make_seller
from tests.makers import LEA, ROBOT, make_order, make_variant, set_status


@pytest.fixture
def orders(office):
    """Léa's shipped and invoiced order among others; the list is open."""
    make_seller()
    make_variant("MUG", on_hand=50)
    for number in range(4):
        make_order("PAID", items={"MUG": 1}, customer_name=f"Somebody {number}", billing=None, shipping=None, email=f"b{number}@a.org")
    lea = make_order("PAID", items={"MUG": 2}, phone=LEA.phone)
    set_status(lea, fulfilment="SHIPPED", tracking_number="6A12345678901")
    issue_invoice(lea.pk, actor=ROBOT)
    office.goto(f"{office.base}/admin/orders/order/")
    return lea


def rows(page):
    return page.locator("#order-rows tr")


@pytest.mark.parametrize(
    ("typed", "why"),
    [("3456 78", "Phone"), ("lea", ""), ("6a123456", "Tracking"), ("mart nant", "")],
)
def test_an_order_is_found_by_what_somebody_remembers(office, orders, typed, why):
    office.keyboard.press("/")
    office.keyboard.type(typed)
    expect(rows(office)).to_have_count(1)
    expect(rows(office)).to_contain_text("Léa Martin")
    expect(rows(office).locator("mark").first).to_be_visible()
    if why:
        expect(rows(office).locator(".match")).to_contain_text(why)
    assert "q=" in office.url


def test_an_order_is_found_by_its_invoice_number(office, orders):
    number = orders.invoices.get().number
    office.fill("#q", number)
    expect(rows(office)).to_have_count(1)
    expect(rows(office).locator(".match")).to_contain_text(number)


def test_peek_and_step_through_a_result_by_keyboard(office, orders):
    office.fill("#q", "somebody")
    expect(rows(office)).to_have_count(4)
    office.keyboard.press("Tab")
    office.locator("body").click(position={"x": 5, "y": 5})
    office.keyboard.press("j")
    office.keyboard.press("Space")
    card = office.locator("#peek")
    expect(card.locator("h2")).to_contain_text("Somebody 3")
    office.keyboard.press("j")
    expect(card.locator("h2")).to_contain_text("Somebody 2")
    office.keyboard.press("k")
    expect(card.locator("h2")).to_contain_text("Somebody 3")
    office.keyboard.press("Escape")
    expect(card).to_be_hidden()
    office.keyboard.press("j")
    office.keyboard.press("Enter")
    office.wait_for_url(re.compile(r"/change/\?in=q%3Dsomebody"))
    expect(office.locator("h1")).to_contain_text("Order #")


def test_build_a_view_and_share_it(office, orders):
    office.keyboard.press("f")
    office.check("#filter-menu input[name=fulfilment][value=SHIPPED]")
    office.locator("#filter-menu").get_by_role("button", name="Show").click()
    expect(rows(office)).to_have_count(1)
    expect(office.locator(".chip", has_text="Shipped")).to_be_visible()
    office.get_by_role("button", name="Save as a view").click()
    office.fill("#view-name", "On the road")
    office.check("#save-view [name=is_shared]")
    office.get_by_role("button", name="Save the view").click()
    expect(office.locator(".tabs [aria-current]")).to_contain_text("On the road 1")
    view = SavedView.objects.get()
    assert (view.query, view.is_shared) == ("fulfilment=SHIPPED", True)
    office.locator(".chip .remove").click()
    expect(office.get_by_role("button", name="Update “On the road”")).to_be_visible()


def test_new_orders_slide_in_and_the_ticks_stay(office, orders):
    rows(office).nth(1).locator(".row-check").check()
    ticked = rows(office).nth(1).get_attribute("id")
    new = make_order("PAID", items={"MUG": 1}, customer_name="Just Now", shipping_cost=Decimal("4.90"))
    office.evaluate("document.hasFocus = () => false")
    office.evaluate("htmx.trigger('#fresh', 'looked-again')")
    expect(rows(office).first).to_have_id(f"order-{new.pk}")
    expect(office.locator(f"#{ticked} .row-check")).to_be_checked()
    expect(office.locator("#count-all")).to_have_text("6")
    expect(office).to_have_title(re.compile(r"^\(1\) "))
    office.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(office).not_to_have_title(re.compile(r"^\(1\) "))


def test_ticking_a_page_offers_all_of_the_result(office, orders):
    office.check("#tick-page")
    expect(office.locator("[data-ticked]")).to_have_text("5 ticked orders")
    rows(office).first.locator(".row-check").uncheck()
    expect(office.locator("[data-ticked]")).to_have_text("4 ticked orders")
    expect(office.locator("#tick-page")).not_to_be_checked()


def test_columns_are_chosen_on_the_page(office, orders):
    office.get_by_role("button", name="Columns and sort").click()
    office.locator("#columns-menu").get_by_label("E-mail", exact=True).check()
    office.locator("#columns-menu").get_by_role("button", name="Save").click()
    expect(office.locator("thead")).to_contain_text("E-mail")
    expect(rows(office).first).to_contain_text("@example.com")
