"""The assistants in the middle of their work, filled and refused: usable by everybody, right at two widths, light and dark."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from orders.models import ReturnCase
from orders.services.plan import apply
from orders.services.returns import ReceiveReturnWish, ReturnRequestWish
from tests.makers import ROBOT, make_order, set_status

SERIOUS = {"serious", "critical"}


def at(page, order, rest=""):
    page.goto(f"{page.base}/admin/orders/order/{order.pk}/{rest}")


def in_panel(page, order, name):
    """The panel over the page of its order, as a click on the menu opens it."""
    at(page, order, "change/")
    page.click("button[popovertarget=more-menu]")
    page.click(f"#more-menu a[href*='/{name}/']")
    expect(page.locator("#panel-apply")).to_be_visible()
    return page.locator("#panel")


def refund(page, order):
    at(page, order, "refund/")
    page.locator("[name^=quantity]").first.fill("2")
    expect(page.locator("#page-result")).to_contain_text("A refund of €24.00")


def refund_refused(page, order):
    at(page, order, "refund/")
    page.fill("#panel-amount", "400")
    expect(page.locator("#page-result [role=alert]")).to_be_visible()


def cancel(page, order):
    panel = in_panel(page, order, "cancel")
    panel.locator("[name=refund]").check()
    expect(panel).to_contain_text("A refund of €")


def delete_refused(page, order):
    panel = in_panel(page, order, "remove")
    expect(panel.locator("#panel-why")).to_contain_text("can't be deleted")
    expect(panel.get_by_role("link", name="Cancel the order…")).to_be_visible()


def deleted(page, order):
    wanted = make_order(items={"MUG": 1})
    panel = in_panel(page, wanted, "remove")
    panel.locator("[name=reason]").fill("A test")
    page.click("#panel-apply")
    expect(page.get_by_text("This order is deleted.")).to_be_visible()
    page.get_by_role("link", name="Restore", exact=True).click()
    expect(page.locator("#panel-apply")).to_be_visible()


def a_return(page, order):
    panel = in_panel(page, order, "ask_return")
    panel.locator("[name^=quantity]").first.fill("1")
    expect(panel).to_contain_text("The return is approved")


def inspection(page, order):
    line = order.lines.order_by("id").first().pk
    apply(ReturnRequestWish(order_id=order.pk, actor=ROBOT, pieces={line: 1}, is_approved=True)).or_raise()
    apply(ReceiveReturnWish(order_id=order.pk, actor=ROBOT, case_id=ReturnCase.objects.latest("id").pk, pieces={line: 1})).or_raise()
    at(page, order, "change/")
    page.locator("section[aria-labelledby=h-returns]").get_by_role("link", name="Inspect").click()
    expect(page.locator("#panel-apply")).to_be_visible()


def edit(page, order):
    at(page, order, "edit/")
    page.get_by_label("Price of Mug").fill("14.00")
    page.fill("#article-search", "POT")
    page.press("#article-search", "Enter")
    expect(page.locator("#id_items-0-quantity")).to_have_value("1")
    page.locator("summary", has_text="Exchange").click()
    page.locator("#edit-save").click()
    expect(page.locator("#edit-note")).to_contain_text("Say why")


def new_order(page, order):
    page.goto(f"{page.base}/admin/orders/order/add/")
    page.fill("#id_customer_name", "Zoé Petit")
    page.fill("#article-search", "60 x POT")
    page.press("#article-search", "Enter")
    expect(page.locator("#id_items-0-quantity")).to_have_value("60")
    expect(page.locator("[name=oversell]")).to_be_visible()


def quote(page, order):
    page.goto(f"{page.base}/admin/orders/order/add/")
    page.fill("#id_customer_name", "Zoé Petit")
    page.fill("#id_email", "zoe@example.com")
    page.fill("#article-search", "2 x POT")
    page.press("#article-search", "Enter")
    expect(page.locator("#id_items-0-quantity")).to_have_value("2")
    page.click("button[value=reserve]")
    expect(page.locator("#desk-state")).to_contain_text("2 pieces are reserved until")
    page.click("button[value=quote]")
    expect(page.locator("#h-desk")).to_have_text("Quote")


def quote_mail(page, order):
    quote(page, order)
    page.click("text=Mail the quote")
    page.wait_for_url(re.compile("/quotes/"))


ASSISTANTS = (refund, refund_refused, cancel, delete_refused, deleted, a_return, inspection, edit, new_order, quote, quote_mail)


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("assistant", ASSISTANTS, ids=lambda assistant: assistant.__name__)
def test_an_assistant_at_work_is_usable_by_everybody(office, day, assistant, width):
    order = make_order("PAID", items={"MUG": 3, "POT": 1})
    day()
    set_status(order, fulfilment="SHIPPED", tracking_number="6A1")
    office.set_viewport_size({"width": width, "height": 844})
    assistant(office, order)
    assert office.evaluate("document.documentElement.scrollWidth") <= width
    found = {}
    for scheme in ("light", "dark"):
        office.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # colours that still fade would be measured half-way
        violations = Axe().run(office, options={"preload": False}).response["violations"]
        if bad := [f"{v['id']}: {v['nodes'][0]['target']}" for v in violations if v["impact"] in SERIOUS]:
            found[scheme] = bad
    assert found == {}
