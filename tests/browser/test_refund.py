"""Refunding and taking back in a real browser: what is shown before the click is what is recorded."""

from decimal import Decimal

from playwright.sync_api import expect

from orders.models import Refund, ReturnCase
from tests.makers import make_order, make_variant, set_status, stock_of


def shipped_order():
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", items={"MUG": 3})
    set_status(order, fulfilment="SHIPPED")
    return order


def test_a_refund_says_its_amount_its_vat_and_its_stock_before_the_click(office):
    order = shipped_order()
    line = order.lines.get()
    office.goto(f"{office.base}/admin/orders/order/{order.pk}/refund/")
    office.fill(f"#panel-quantity-{line.pk}", "2")
    expect(office.locator(f"#page-amount-{line.pk}")).to_have_text("€24.00")
    expect(office.locator("#page-sums")).to_contain_text("of which VAT 20%, in €24.00")
    expect(office.locator("#page-sums")).to_contain_text("€4.00")
    expect(office.locator("#page-result")).to_contain_text("2 pieces come back to the stock")
    office.click("#panel-apply")
    office.wait_for_url("**/change/")
    assert (Refund.objects.get().amount, stock_of("MUG")) == (Decimal(24), (9, 0))


def test_more_than_was_paid_is_refused_on_the_page_and_nothing_typed_is_lost(office):
    order = shipped_order()
    office.goto(f"{office.base}/admin/orders/order/{order.pk}/refund/")
    office.fill("#panel-reason", "Kindness")
    office.fill("#panel-amount", "40")
    expect(office.locator("#page-result [role=alert]")).to_contain_text("Only €36.00 can still be refunded.")
    expect(office.locator("#panel-apply")).to_be_disabled()
    assert (office.input_value("#panel-reason"), office.input_value("#panel-amount")) == ("Kindness", "40")


def test_a_return_goes_from_the_order_to_its_refund_by_keyboard_and_click(office):
    order = shipped_order()
    line = order.lines.get()
    office.goto(f"{office.base}/admin/orders/order/{order.pk}/change/")
    office.click("button[popovertarget=more-menu]")
    office.click("#more-menu >> text=Open a return")
    office.fill(f"#panel-quantity-{line.pk}", "1")
    expect(office.locator("#panel-effects")).to_contain_text("The return is approved")
    office.keyboard.press("Control+Enter")
    for label, shown in (("Parcel is here", "The returned parcel is here"), ("Inspect", "The return is inspected")):
        office.locator("section[aria-labelledby=h-returns]").get_by_role("link", name=label).click()
        expect(office.locator("#panel-effects")).to_contain_text(shown)
        office.click("#panel-apply")
        expect(office.locator("#panel")).to_be_hidden()
    office.locator("section[aria-labelledby=h-returns]").get_by_role("link", name="Refund").click()
    expect(office.locator("#panel-apply")).to_contain_text("€12.00")
    office.click("#panel-apply")
    office.wait_for_url("**/change/")
    case = ReturnCase.objects.get()
    assert (case.state, case.refund.amount, stock_of("MUG")) == ("closed", Decimal(12), (8, 0))
