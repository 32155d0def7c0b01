"""Editing a placed order in the browser: by keyboard, worked out with every keystroke, kept, saved, taken back."""

import re
from decimal import Decimal

from playwright.sync_api import expect

from orders.choices import ChangeSource
from orders.drafts import DraftDiscount
from orders.integrity import find_problems
from orders.models import Order, OrderProposal
from orders.services.plan import Actor, apply
from tests.makers import make_order, make_variant, quantity_edit, stock_of

PAUL = Actor(ChangeSource.CLERK, None, "Paul")


def opened(page):
    make_variant("MUG", on_hand=10, name="Mug")
    make_variant("POT", on_hand=5, price="30.00", name="Pot")
    order = make_order("PAID", items={"MUG": 2}, discounts=(DraftDiscount("Ten", "PERCENT", Decimal(10)),))
    page.goto(f"{page.base}/admin/orders/order/{order.pk}/change/")
    return order


def test_an_order_is_edited_by_keyboard_alone_and_taken_back(office):
    order = opened(office)
    office.keyboard.press("e")
    office.wait_for_url(re.compile(r"/edit/$"))
    office.get_by_label("Quantity of Mug").focus()
    office.keyboard.press("Control+A")
    office.keyboard.type("3")
    expect(office.locator("#edit-save")).to_have_text("Save 1 change")
    expect(office.locator("#edit-result")).to_contain_text("€32.40")
    expect(office.locator(f"#sum-{order.lines.get().pk}")).to_contain_text("€36.00")
    assert office.evaluate("document.activeElement.id").endswith("-quantity")  # the field keeps the focus while it is typed in
    office.get_by_label("Add an article").focus()
    office.keyboard.type("POT")
    office.keyboard.press("Enter")
    expect(office.locator("#edit-save")).to_have_text("Save 2 changes")
    expect(office.locator("#edit-result")).to_contain_text("€59.40")
    expect(office.locator("#edit-result")).to_contain_text("No mail of its own tells the customer of this edit")
    office.get_by_label("Reason, for the history").focus()
    office.keyboard.type("By phone")
    expect(office.locator("#edit-kept")).to_contain_text("Proposal kept at")
    office.wait_for_timeout(600)
    office.keyboard.press("Control+Enter")
    office.wait_for_url(re.compile(r"/change/"))
    order.refresh_from_db()
    assert (order.total, stock_of("MUG"), stock_of("POT")) == (Decimal("59.40"), (10, 3), (5, 1))
    expect(office.locator("#history")).to_contain_text("By phone")
    office.get_by_role("link", name="Take this edit back").click()
    expect(office.locator("#edit-result")).to_contain_text("€21.60")
    office.locator("#edit-save").click()
    office.wait_for_url(re.compile(r"/change/"))
    order.refresh_from_db()
    assert (order.total, stock_of("MUG"), stock_of("POT")) == (Decimal("21.60"), (10, 2), (5, 0))
    assert list(find_problems()) == []


def test_a_draft_is_kept_and_the_order_page_says_who_edits(office):
    order = opened(office)
    office.goto(f"{office.base}/admin/orders/order/{order.pk}/edit/")
    office.get_by_role("button", name="Remove Mug").click()
    expect(office.get_by_role("button", name="Put Mug back")).to_be_visible()
    expect(office.locator("#edit-result")).to_contain_text("An order keeps at least one item")
    office.get_by_role("button", name="Put Mug back").click()
    office.get_by_label("Price of Mug").fill("10.00")
    expect(office.locator("#edit-save")).to_have_text("Save 1 change")
    office.goto(f"{office.base}/admin/orders/order/{order.pk}/change/")
    expect(office.get_by_text("Being edited by")).to_be_visible()
    office.get_by_role("link", name="Open the edit").click()
    expect(office.get_by_label("Price of Mug")).to_have_value("10.00")
    office.get_by_role("button", name="Give up").first.click()
    office.wait_for_url(re.compile(r"/change/"))
    assert (OrderProposal.objects.get().state, Order.objects.get().version) == ("withdrawn", order.version)


def test_a_change_by_somebody_else_is_shown_and_the_edit_taken_over(office):
    order = opened(office)
    office.goto(f"{office.base}/admin/orders/order/{order.pk}/edit/")
    office.get_by_label("Price of Mug").fill("10.00")
    expect(office.locator("#edit-save")).to_have_text("Save 1 change")
    apply(quantity_edit(order, 4, actor=PAUL)).or_raise()
    office.locator("#edit-save").click()
    expect(office.locator("#edit-note")).to_contain_text("Nothing was saved")  # the answer to the click, not to the last keystroke
    expect(office.locator("#edit-notes")).to_contain_text("Paul")
    expect(office.locator("#edit-notes")).to_contain_text("× 4")
    office.get_by_role("button", name="Take my edit over").click()
    expect(office.get_by_label("Quantity of Mug")).to_have_value("4")
    expect(office.get_by_label("Price of Mug")).to_have_value("10.00")
    office.locator("#edit-save").click()
    office.wait_for_url(re.compile(r"/change/"))
    order.refresh_from_db()
    assert order.total == Decimal("36.00")


def test_on_a_phone_the_fields_of_an_item_say_what_they_are(office):
    order = opened(office)
    office.goto(f"{office.base}/admin/orders/order/{order.pk}/edit/")
    names = office.locator(".edit-lines .cell-name")
    expect(names.first).to_be_hidden()
    office.set_viewport_size({"width": 390, "height": 900})
    expect(names.first).to_be_visible()
    assert names.all_inner_texts() == ["Price", "Qty"]
    assert office.evaluate("document.documentElement.scrollWidth") == 390
