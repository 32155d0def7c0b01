"""The return key in the middle of a change: it looks first, it never records by accident; Ctrl and Return apply."""

import pytest
from playwright.sync_api import expect

from orders.models import Order, Refund, Shipment
from orders.services.contact import ContactWish
from orders.services.plan import Actor, apply
from tests.makers import make_clerk, make_order, make_variant


@pytest.fixture
def order():
    make_variant("MUG", on_hand=10)
    return make_order("PAID", items={"MUG": 3})


def open_panel(page, order, name):
    page.goto(f"{page.base}/admin/orders/order/{order.pk}/change/")
    page.evaluate(f"htmx.ajax('GET', '/admin/orders/order/{order.pk}/{name}/', '#panel')")
    expect(page.locator("#panel-apply")).to_be_visible()


def test_return_looks_first_and_applies_then(office, order):
    open_panel(office, order, "contact")
    expect(office.locator("#panel-apply")).to_be_disabled()
    office.fill("#panel-phone", "01 02 03 04 05")
    office.press("#panel-phone", "Enter")
    expect(office.locator("#panel-effects")).to_contain_text("01 02 03 04 05")
    expect(office.locator("#panel-phone")).to_be_focused()
    office.press("#panel-phone", "Enter")
    expect(office.locator("#panel")).to_be_hidden()
    assert Order.objects.get().phone == "01 02 03 04 05"


def test_typing_alone_makes_the_change_ready(office, order):
    open_panel(office, order, "contact")
    office.locator("#panel-phone").press_sequentially("9")
    expect(office.locator("#panel-apply")).to_be_enabled()
    expect(office.locator("#panel-phone")).to_be_focused()


def test_return_in_a_table_records_nothing(office, order):
    line = order.lines.get()
    open_panel(office, order, "shipment")
    office.fill(f"#panel-quantity-{line.pk}", "2")
    for _press in range(3):
        office.press(f"#panel-quantity-{line.pk}", "Enter")
    expect(office.locator("#panel-effects")).to_contain_text("2 pieces leave the stock")
    expect(office.locator("#panel-apply")).to_be_enabled()
    assert not Shipment.objects.exists()
    office.press(f"#panel-quantity-{line.pk}", "Control+Enter")
    expect(office.locator("#panel")).to_be_hidden()
    assert Shipment.objects.get().lines.get().quantity == 2


def test_return_on_the_refund_page_never_refunds_everything(office, order):
    office.goto(f"{office.base}/admin/orders/order/{order.pk}/refund/")
    office.fill("#panel-amount", "5")
    for _press in range(2):
        office.press("#panel-amount", "Enter")
        expect(office.locator("#panel-apply")).to_contain_text("€5.00")
    assert not Refund.objects.exists()
    office.press("#panel-amount", "Control+Enter")
    office.wait_for_url("**/change/")
    assert Refund.objects.get().amount == 5


def test_nobody_is_stuck_when_a_colleague_saved_meanwhile(office, order):
    open_panel(office, order, "contact")
    paul = Actor.clerk(make_clerk(username="paul", superuser=True))
    apply(ContactWish(order_id=order.pk, actor=paul, values={"phone": "01 02"})).or_raise()
    office.fill("#panel-phone", "07 08")
    expect(office.locator("#panel-effects")).to_contain_text("The order changed since you opened this.")
    office.press("#panel-phone", "Control+Enter")
    office.get_by_label("You wanted").check()
    expect(office.locator("#panel-effects")).to_contain_text("07 08")
    office.click("#panel-apply")
    expect(office.locator("#panel")).to_be_hidden()
    assert Order.objects.get().phone == "07 08"


def test_a_panel_begins_at_its_first_field_and_comes_back_to_the_refused_one(office, order):
    line = order.lines.get()
    open_panel(office, order, "shipment")
    expect(office.locator(f"#panel-quantity-{line.pk}")).to_be_focused()
    open_panel(office, order, "payment")
    expect(office.locator("#panel-amount")).to_be_focused()
    office.fill("#panel-reference", "TR-9")
    office.fill("#panel-amount", "much")
    office.locator("#panel-reference").focus()
    office.evaluate("document.querySelector('#panel-apply').disabled = false")
    office.keyboard.press("Control+Enter")
    expect(office.locator("#panel-amount")).to_be_focused()
    assert office.input_value("#panel-reference") == "TR-9"


def test_the_refund_page_begins_at_its_first_field(office, order):
    office.goto(f"{office.base}/admin/orders/order/{order.pk}/refund/")
    expect(office.locator(f"#panel-quantity-{order.lines.get().pk}")).to_be_focused()


def test_a_press_while_an_item_is_still_added_is_not_lost_silently(office, order):
    office.goto(f"{office.base}/admin/orders/order/{order.pk}/edit/")

    def answer_late(route):
        office.wait_for_timeout(600)
        route.continue_()

    office.route("**/edit/**", lambda route: answer_late(route) if route.request.method == "POST" else route.continue_())
    expect(office.locator("#pressed-early")).to_be_hidden()
    office.evaluate("""() => {
        document.querySelector('#edit button[value=custom]').click();
        setTimeout(() => document.getElementById('edit-save').click(), 100);
    }""")
    expect(office.locator("#pressed-early")).to_contain_text("Nothing was saved")
    expect(office.locator("#edit [name^=items-][name$=-name]").first).to_be_visible()
    assert order.events.count() == 1
