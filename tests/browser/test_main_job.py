"""The main job as staff live it: an order arrives, is shipped, invoiced, cancelled, undone; one is made by hand."""

import json
import re
import subprocess
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from invoices.models import Invoice
from notifications.delivery import sweep
from notifications.models import OutgoingEmail
from orders.api.tokens import issue_token
from orders.integrity import find_problems
from orders.models import Order
from tests.invoices.makers import make_seller
from tests.makers import make_order, make_variant, set_status, stock_of

BODY = {
    "email": "lea@example.com",
    "paymentMethod": "Card",
    "paymentStatus": "PAID",
    "fulfillmentStatus": "AWAITING_PROCESSING",
    "subtotal": 24,
    "total": 28.9,
    "tax": 0,
    "pricesIncludeTax": True,
    "lang": "fr",
    "items": [{"sku": "MUG", "name": "Mug", "price": 12, "quantity": 2}],
    "shippingPerson": {"name": "Léa Martin", "street": "4 rue des Lilas", "city": "Nantes", "postalCode": "44000", "countryCode": "FR"},
    "shippingOption": {"shippingMethodName": "Colissimo", "shippingRate": 4.9},
}


def open_order(page, order):
    page.goto(f"{page.base}/admin/orders/order/{order.pk}/change/")


def choose_status(page, axis, name):
    """Open the status menu and choose; the consequence panel comes."""
    page.click(f"#{axis}-button")
    page.locator(f"#{axis}-menu a", has_text=name).click()
    expect(page.locator("#panel-apply")).to_be_visible()  # the skeleton has a title too


def apply_panel(page):
    page.click("#panel-apply")
    page.wait_for_url(re.compile(r"/change/$"))
    expect(page.locator("#panel")).to_be_hidden()


def mails(**filters):
    return list(OutgoingEmail.objects.filter(**filters).order_by("id"))


def test_an_order_of_the_storefront_appears_and_people_are_mailed(office, client):
    make_variant("MUG", on_hand=10)
    _token, secret = issue_token("Storefront", store_id="1")
    answer = client.post(
        "/api/v3/1/orders",
        data=json.dumps(BODY),
        content_type="application/json",
        headers={"Authorization": f"Bearer {secret}", "Idempotency-Key": "cart-1"},
    )
    assert answer.status_code == 200, answer.content
    number = answer.json()["orderid"]
    sweep()
    office.goto(f"{office.base}/admin/orders/order/")
    expect(office.get_by_role("link", name=f"#{number}")).to_be_visible()
    assert {(m.kind, m.recipient, m.state) for m in mails()} >= {
        ("new_order", "staff@example.com", "sent"),
        ("order_confirmation", "lea@example.com", "sent"),
    }
    assert stock_of("MUG") == (10, 2)


def test_shipping_says_what_it_does_and_does_it(office):
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", items={"MUG": 3}, shipping_method="Colissimo", shipping_cost=Decimal("4.90"))
    open_order(office, order)
    choose_status(office, "fulfilment", "Shipped")
    office.fill("#panel [name=tracking_number]", "6A21904471082")
    panel = office.locator("#panel")
    expect(panel.get_by_text("3 pieces leave the stock")).to_be_visible()
    expect(panel.get_by_text(order.email)).to_be_visible()
    apply_panel(office)
    assert stock_of("MUG") == (7, 0)
    mail = OutgoingEmail.objects.get(order=order, kind="shipped")
    assert (mail.state, mail.language) == ("held", "fr")
    office.get_by_role("button", name="Send now").click()
    office.wait_for_load_state()
    sweep()
    mail.refresh_from_db()
    assert mail.state == "sent"
    assert "6A21904471082" in mail.text
    assert f"Commande {order.number}" in mail.subject
    assert list(find_problems()) == []


@pytest.mark.pango
def test_the_invoice_prints_and_cancelling_credits_it(office, tmp_path):
    make_seller()
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", "SHIPPED", items={"MUG": 2})
    open_order(office, order)
    issue = office.get_by_role("button", name=re.compile("Issue (now|the invoice)")).first
    issue.click()
    office.wait_for_load_state()
    invoice = Invoice.objects.get(order=order)
    assert text_of(office, invoice, tmp_path).count(invoice.number) >= 1
    open_order(office, order)
    choose_status(office, "payment", "Cancelled")
    expect(office.locator("#panel").get_by_text(re.compile("credit note", re.IGNORECASE)).first).to_be_visible()
    apply_panel(office)
    office.get_by_role("button", name="Send now").click()
    office.wait_for_load_state()
    credit = Invoice.objects.get(order=order, refers=invoice)
    assert (credit.gross, stock_of("MUG")) == (invoice.gross, (10, 0))
    assert invoice.number in text_of(office, credit, tmp_path)


def text_of(page, invoice, folder):
    """The text of the PDF that the page's link gives."""
    response = page.request.get(f"{page.base}/documents/invoices/{invoice.public_id}.pdf")
    assert response.status == 200
    file = folder / "document.pdf"
    file.write_bytes(response.body())
    return subprocess.run(["pdftotext", "-layout", str(file), "-"], capture_output=True, check=True, text=True).stdout


def test_a_change_undone_inside_the_window_never_left(office):
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", items={"MUG": 3})
    sweep()
    before = len(mails(state="sent"))
    open_order(office, order)
    choose_status(office, "fulfilment", "Shipped")
    apply_panel(office)
    office.get_by_role("button", name="Undo").click()
    office.wait_for_load_state()
    sweep()
    order = Order.objects.with_statuses().get(pk=order.pk)
    assert (order.fulfilment_status.code, stock_of("MUG")) == ("AWAITING_PROCESSING", (10, 3))
    assert [m.state for m in mails(order=order, kind="shipped")] == ["cancelled"]
    assert len(mails(state="sent")) == before


def test_closing_the_panel_changes_nothing(office):
    order = make_order("PAID")
    open_order(office, order)
    choose_status(office, "fulfilment", "Shipped")
    office.keyboard.press("Escape")
    expect(office.locator("#panel")).to_be_hidden()
    assert order.events.count() == 1


def test_a_manual_order_of_article_free_item_and_discount_has_the_right_total(office):
    make_variant("MUG", on_hand=10, price="12.00")
    office.goto(f"{office.base}/admin/orders/order/add/")
    office.fill("[name=customer_name]", "Paul Castel")
    office.fill("[name=email]", "paul@example.com")
    office.fill("#article-search", "MUG")
    office.keyboard.press("Enter")
    expect(office.get_by_label("Quantity of Article MUG")).to_have_value("1")
    office.get_by_label("Quantity of Article MUG").fill("2")
    office.get_by_role("button", name="Free item").click()
    office.get_by_label("Name of the free item").fill("Engraving")
    office.get_by_label(re.compile("^Price of (Engraving|$)")).last.fill("9.90")
    office.locator("[name=discount_value]").fill("3.90")
    expect(office.locator("#effects")).to_contain_text("30.00")
    office.get_by_role("button", name="Create order").first.click()
    office.wait_for_url(re.compile(r"/order/\d+/change/"))
    order = Order.objects.get(customer_name="Paul Castel")
    assert (order.total, order.discount, stock_of("MUG")) == (Decimal("30.00"), Decimal("3.90"), (10, 2))


def test_two_clerks_the_second_is_shown_what_changed(office):
    order = make_order("PAID")
    open_order(office, order)
    choose_status(office, "fulfilment", "Shipped")
    set_status(order, fulfilment="PROCESSING")
    office.click("#panel-apply")
    expect(office.locator("#panel [role=alert]").first).to_contain_text("Nothing was saved")
    assert Order.objects.with_statuses().get(pk=order.pk).fulfilment_status.code == "PROCESSING"


def test_without_javascript_the_panel_is_a_page(browser, office):
    order = make_order("PAID")
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies(office.context.cookies())
    page = context.new_page()
    page.goto(f"{office.base}/admin/orders/order/{order.pk}/status/?fulfilment=SHIPPED")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url(re.compile(r"/change/$"))
    assert Order.objects.with_statuses().get(pk=order.pk).fulfilment_status.code == "SHIPPED"
    context.close()
