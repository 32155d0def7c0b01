"""Orders made by hand: by keyboard alone, from a quote that was mailed, and again from an old one."""

import os
import re
from decimal import Decimal

from playwright.sync_api import expect

from notifications.models import OutgoingEmail
from orders.integrity import find_problems
from orders.models import Customer, Draft, Order, Product
from tests.makers import make_order, make_variant, stock_of

SHOTS = os.environ.get("SHOTS", "")


def shot(page, name):
    if SHOTS:
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=f"{SHOTS}/{name}-{width}.png", full_page=True)


def kept(page):
    """The draft is stored: the server has answered what was typed last."""
    expect(page.locator("#draft-kept")).to_contain_text("Draft kept at")


def type_into_search(page, text):
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def test_an_order_is_made_by_keyboard_alone(office):
    page = office
    make_variant("MUG", on_hand=10, name="Mug")
    make_variant("BOWL", on_hand=10, price="29.00", name="Bowl")
    Customer.objects.create(name="Zoé Petit", email="zoe@example.com", email_key="zoe@example.com", city="Lyon", country="FR")
    page.goto(f"{page.base}/admin/")
    page.keyboard.press("c")
    page.wait_for_url(re.compile("order/add"))
    expect(page.locator("#customer-search")).to_be_focused()
    type_into_search(page, "zoe")
    expect(page.locator("#article-search")).to_be_focused()
    type_into_search(page, "3 x mug")
    expect(page.locator("#id_items-0-quantity")).to_have_value("3")
    page.keyboard.type("bow")
    expect(page.locator("#article-list button")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#id_items-1-quantity")).to_have_value("1")
    expect(page.locator("#total-figure")).to_have_text("€65.00")
    shot(page, "new-order")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(r"/change/$"))
    order = Order.objects.get()
    assert (order.total, order.customer.name, stock_of("MUG"), stock_of("BOWL")) == (Decimal("65.00"), "Zoé Petit", (10, 3), (10, 1))
    assert list(find_problems()) == []


def test_a_quote_is_reserved_mailed_and_placed(office):
    page = office
    make_variant("MUG", on_hand=3, name="Mug")
    page.goto(f"{page.base}/admin/orders/order/add/")
    page.fill("#id_customer_name", "Zoé Petit")
    page.fill("#id_email", "zoe@example.com")
    page.fill("#article-search", "3 x MUG")
    page.press("#article-search", "Enter")
    expect(page.locator("#id_items-0-quantity")).to_have_value("3")
    page.click("button[value=reserve]")
    expect(page.locator("#desk-state")).to_contain_text("3 pieces are reserved until")
    assert stock_of("MUG") == (3, 3)
    page.click("button[value=quote]")
    expect(page.locator("#h-desk")).to_have_text("Quote")
    shot(page, "quote")
    page.click("text=Mail the quote")
    page.wait_for_url(re.compile("/quotes/"))
    expect(page.frame_locator("iframe").locator("h1")).to_have_text("Votre devis")
    shot(page, "quote-mail")
    page.click("text=Mail the quote now")
    page.wait_for_url(re.compile("draft="))
    mail = OutgoingEmail.objects.get()
    assert (mail.kind, mail.recipient, mail.state, len(mail.attachments)) == ("quote", "zoe@example.com", "queued", 1)
    page.click("text=Create order")
    page.wait_for_url(re.compile(r"/change/$"))
    assert (Order.objects.get().total, stock_of("MUG")) == (Decimal("36.00"), (3, 3))
    assert list(find_problems()) == []


def test_an_order_is_ordered_again_without_what_is_gone(office):
    page = office
    make_variant("MUG", on_hand=10, name="Mug")
    make_variant("OLD", on_hand=10, price="7.00", name="Old bowl")
    order = make_order(items={"MUG": 2, "OLD": 1})
    Product.objects.filter(name="Old bowl").update(is_active=False)
    page.goto(f"{page.base}/admin/orders/order/{order.pk}/change/")
    page.click('[popovertarget="more-menu"]')
    page.click("text=Order again")
    page.wait_for_url(re.compile("draft="))
    expect(page.locator("#left-out")).to_contain_text("1 item of the old order is not sold any more")
    shot(page, "again")
    page.click("button[value='take:0']")
    expect(page.locator("#left-out")).to_have_count(0)
    expect(page.locator("#total-figure")).to_have_text("€31.00")
    page.click("text=Create order")
    page.wait_for_url(re.compile(r"/change/$"))
    assert Order.objects.count() == 2
    assert Draft.objects.get().order == Order.objects.order_by("-pk").first()
    assert list(find_problems()) == []
