"""The order page as staff live it: a note that names a colleague, two clerks on one order, stepping through a list by keyboard."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings
from django.test import Client
from playwright.sync_api import expect

from notifications.models import OutgoingEmail
from orders.models import NoteFile, Order
from orders.services.editing import HoldWish, NoteWish
from orders.services.plan import apply
from tests.makers import ROBOT, make_clerk, make_order, make_variant


@pytest.fixture(autouse=True)
def _files_of_the_test(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def paul(office):
    paul = make_clerk(username="paul", superuser=True)
    paul.first_name, paul.last_name = "Paul", "Castel"
    paul.save()
    return paul


@pytest.fixture
def second(office, paul, browser, live_server, browser_context_args):
    """Another browser, in which Paul is signed in."""
    client = Client()
    client.force_login(paul)
    context = browser.new_context(**browser_context_args)
    name = django_settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
    page = context.new_page()
    page.base = live_server.url
    yield page
    context.close()


def open_order(page, order, query=""):
    page.goto(f"{page.base}/admin/orders/order/{order.pk}/change/{query}")


def edit_contact(page, **fields):
    page.click("#edit-contact")
    for name, text in fields.items():
        page.fill(f"#panel-{name}", text)
        page.press(f"#panel-{name}", "Tab")
    expect(page.locator("#panel-apply")).to_be_enabled()  # what is typed was looked at, before anybody else saves


def apply_panel(page):
    # The consequences follow what is typed; the button is free when they are there.
    expect(page.locator("#panel-apply")).to_be_enabled()
    with page.expect_navigation(url=re.compile(r"/change/")):
        page.click("#panel-apply")


def test_a_note_names_a_colleague_by_keyboard_and_mails_them(office, paul):
    order = make_order("PAID")
    open_order(office, order)
    office.keyboard.press("m")
    expect(office.locator("#note-text-new")).to_be_focused()
    office.keyboard.type("@ca")
    expect(office.locator("#mentions-new [role=option]:visible")).to_have_text(re.compile("Paul Castel"))
    office.keyboard.press("Enter")
    office.keyboard.type("please call")
    expect(office.locator("#note-text-new")).to_have_value("@Paul please call")
    expect(office.locator("#note-says-new")).to_have_text("Mails Paul Castel now")
    office.set_input_files("input[name=files] >> nth=-1", {"name": "plan.txt", "mimeType": "text/plain", "buffer": b"measures"})
    with office.expect_navigation():
        office.keyboard.press("Control+Enter")
    expect(office.locator("#notes .said")).to_have_text("@Paul please call")
    expect(office.get_by_role("link", name="plan.txt")).to_be_visible()
    assert OutgoingEmail.objects.get(kind="mention").recipient == "paul@example.com"
    assert NoteFile.objects.get().name == "plan.txt"


def test_a_file_that_is_refused_keeps_the_text(office, paul, monkeypatch):
    monkeypatch.setattr("orders.admin.order_notes.MOST_BYTES", 4)
    order = make_order("PAID")
    open_order(office, order)
    office.fill("#note-text-new", "See the drawing")
    office.set_input_files("input[name=files] >> nth=-1", {"name": "plan.txt", "mimeType": "text/plain", "buffer": b"measures"})
    office.click("text=Add note")
    expect(office.locator("#note-errors-new")).to_contain_text("plan.txt is larger than 4")
    expect(office.locator("#note-text-new")).to_have_value("See the drawing")
    assert order.notes.count() == 0


def test_two_clerks_edit_one_order_and_lose_nothing(office, second):
    order = make_order("PAID", phone="01 02")
    open_order(office, order)
    edit_contact(office, **{"shipping-street": "9 quai Malakoff", "phone": "07 08"})
    open_order(second, order)
    edit_contact(second, phone="03 04", po_number="PO-9")
    apply_panel(second)
    expect(office.locator("#panel-apply")).to_be_enabled()
    office.click("#panel-apply")
    choice = office.locator("fieldset.choose")
    expect(choice).to_contain_text("Now, by Paul Castel")
    expect(choice.locator("b")).to_have_text(["03 04", "07 08"])
    expect(office.locator(".kept")).to_contain_text("9 quai Malakoff")
    expect(office.locator(".meanwhile")).to_contain_text("PO-9")
    choice.get_by_label("You wanted").check()
    apply_panel(office)
    after = Order.objects.get(pk=order.pk)
    assert (after.phone, after.po_number, order.addresses.get(kind="shipping").street) == ("07 08", "PO-9", "9 quai Malakoff")


def test_changes_that_do_not_overlap_need_one_click(office, second):
    order = make_order("PAID", phone="01 02")
    open_order(office, order)
    edit_contact(office, **{"shipping-street": "9 quai Malakoff"})
    open_order(second, order)
    edit_contact(second, phone="03 04")
    apply_panel(second)
    expect(office.locator("#panel-apply")).to_be_enabled()
    office.click("#panel-apply")
    expect(office.locator(".conflict")).to_contain_text("Both changes are kept.")
    apply_panel(office)
    assert (Order.objects.get(pk=order.pk).phone, order.addresses.get(kind="shipping").street) == ("03 04", "9 quai Malakoff")


def test_a_conflict_on_a_page_of_its_own_is_saved_by_its_button(office, second):
    order = make_order("PAID")
    for page, name in ((office, "glass"), (second, "gift")):
        page.goto(f"{page.base}/admin/orders/order/{order.pk}/details/")
        page.fill("#panel-tags", name)
        page.press("#panel-tags", "Tab")
        expect(page.locator("#panel-apply")).to_be_enabled()
    apply_panel(second)
    office.click("#panel-apply")
    expect(office.locator(".conflict")).to_contain_text("Both changes are kept.")
    office.evaluate("document.activeElement.blur()")
    with office.expect_navigation(url=re.compile(r"/change/")):
        office.keyboard.press("Control+Enter")
    assert sorted(order.tags.values_list("name", flat=True)) == ["gift", "glass"]


def test_an_answer_takes_what_is_typed_at_once(office):
    order = make_order("PAID")
    apply(NoteWish(order_id=order.pk, actor=ROBOT, text="Is it packed?")).or_raise()
    open_order(office, order)
    office.locator("details.answering summary").click()
    expect(office.locator("details.answering textarea")).to_be_focused()
    office.locator("details.answering summary").focus()
    office.keyboard.type("Jam, kept")
    expect(office.locator("details.answering textarea")).to_have_value("Jam, kept")
    assert office.url.endswith(f"/{order.pk}/change/")


def test_a_result_is_stepped_through_by_keyboard(office):
    held = [make_order("PAID") for _number in range(3)]
    make_order("PAID")
    apply(HoldWish(ids=[order.pk for order in held], actor=ROBOT, held=True, reason="x"))
    open_order(office, held[2], "?in=view%3Dheld")
    for key, order in (("j", held[1]), ("j", held[0]), ("k", held[1])):
        office.keyboard.press(key)
        office.wait_for_url(re.compile(rf"/{order.pk}/change/\?in=view%3Dheld$"))
    office.click("#note-text-new")
    office.keyboard.type("jk")
    expect(office.locator("#note-text-new")).to_have_value("jk")
    office.click("[aria-label='Back to the orders']")
    office.wait_for_url(re.compile(r"/admin/orders/order/\?view=held$"))


def test_a_figure_shows_its_sum_and_leads_to_its_rows(office):
    mug = make_variant("MUG", on_hand=10, price="12.00")
    order = make_order("PAID", items={"MUG": 3})
    other = make_order("PAID", items={"MUG": 2})
    open_order(office, order)
    line = order.lines.get()
    office.click(f"[popovertarget=why-stock-{line.pk}]")
    card = office.locator(f"#why-stock-{line.pk}")
    expect(card).to_contain_text(f"Reserved for #{other.number}")
    office.keyboard.press("Escape")
    office.click("[popovertarget=why-subtotal]")
    office.locator("#why-subtotal").get_by_role("link", name=f"3 × {mug.product.name}").click()
    expect(office.locator("#why-subtotal")).to_be_hidden()
    assert office.url.endswith(f"#line-{line.pk}")


def test_the_history_is_filtered_in_place(office):
    order = make_order("PAID", staff_note="Handle with care")
    apply(HoldWish(ids=[order.pk], actor=ROBOT, held=True, reason="Address")).or_raise()
    open_order(office, order)
    office.locator("#history").get_by_role("link", name="Edits").click()
    expect(office.locator("#history .timeline > li")).to_have_count(1)
    assert office.url.endswith("?t=edits")
    office.reload()
    expect(office.locator("#history .timeline > li")).to_have_count(1)


def test_the_page_works_without_a_script(browser, office, live_server, paul, browser_context_args):
    order = make_order("PAID")
    context = browser.new_context(**browser_context_args, java_script_enabled=False)
    context.add_cookies(office.context.cookies(live_server.url))
    page = context.new_page()
    page.base = live_server.url
    open_order(page, order)
    page.fill("#note-text-new", "Rang twice")
    page.click("text=Add note")
    page.select_option("#work-assignee", label="Paul Castel")
    page.locator("form[data-quick]").first.get_by_role("button", name="Save").click()
    page.click("#edit-contact")
    page.fill("#panel-phone", "07 08")
    page.click("#panel-apply")
    after = Order.objects.get(pk=order.pk)
    assert (order.notes.get().text, after.assignee, after.phone) == ("Rang twice", paul, "07 08")
    context.close()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_the_page_with_a_conflict_is_usable_by_everybody(office, second, width, scheme):
    office.emulate_media(color_scheme=scheme)
    office.set_viewport_size({"width": width, "height": 844})
    order = make_order("PAID", phone="01 02", tags=("Gift",), staff_note="@paul look", items={"MUG": 2})
    open_order(office, order)
    edit_contact(office, phone="07 08")
    open_order(second, order)
    edit_contact(second, phone="03 04")
    apply_panel(second)
    expect(office.locator("#panel-apply")).to_be_enabled()
    office.click("#panel-apply")
    expect(office.locator("fieldset.choose")).to_be_visible()
    found = Axe().run(office, options={"preload": False}).response["violations"]
    assert [f"{v['id']}: {v['nodes'][0]['target']}" for v in found if v["impact"] in ("serious", "critical")] == []
    assert office.evaluate("document.documentElement.scrollWidth") <= width
