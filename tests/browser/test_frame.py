"""The frame in a browser: keys, palette, panel, theme, phone; no serious finding of axe, nothing sideways."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.makers import make_order

PLACES = ["", "orders/order/", "invoices/invoiceseries/", "invoices/invoiceseries/add/", "all-data/", "search/?q=lea"]
# Without "preload" axe fetches and inlines every style sheet again, which our policy refuses.
WITHOUT_PRELOAD = {"preload": False, "resultTypes": ["violations"]}


def serious(page):
    found = Axe().run(page, options=WITHOUT_PRELOAD).response["violations"]
    return [(v["id"], [node["target"] for node in v["nodes"]][:3]) for v in found if v["impact"] in ("serious", "critical")]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_pages_are_readable_for_everybody(office, width, theme):
    make_order("PAID", items={"MUG": 1})
    office.set_viewport_size({"width": width, "height": 900})
    office.emulate_media(color_scheme=theme)
    for place in PLACES:
        office.goto(f"{office.base}/admin/{place}")
        assert serious(office) == [], place
        assert office.evaluate("document.documentElement.scrollWidth") <= width, place


def test_the_palette_opens_by_key_and_leads_to_an_order(office):
    order = make_order("PAID", items={"MUG": 1})
    office.goto(f"{office.base}/admin/")
    office.keyboard.press("Control+k")
    office.keyboard.type("martin")
    expect(office.locator("#palette-results a").first).to_contain_text(f"#{order.number}")
    office.keyboard.press("ArrowDown")
    office.keyboard.press("Enter")
    office.wait_for_url(f"**/admin/orders/order/{order.pk}/change/")


def test_closing_the_panel_gives_the_focus_back_and_changes_nothing(office):
    order = make_order("PAID", items={"MUG": 1})
    office.goto(f"{office.base}/admin/orders/order/{order.pk}/change/")
    office.keyboard.press("l")
    office.locator("#fulfilment-menu a", has_text="Delivered").click()
    expect(office.locator("#h-panel")).to_be_focused()
    office.keyboard.press("Escape")
    expect(office.locator("#panel")).to_be_hidden()
    expect(office.locator("#fulfilment-button")).to_be_focused()
    order.refresh_from_db()
    assert order.fulfilment_status.code == "AWAITING_PROCESSING"


def test_the_theme_is_kept(office):
    office.goto(f"{office.base}/admin/")
    office.click(".account")
    office.click("#account [data-theme-choice=dark]")
    office.goto(f"{office.base}/admin/invoices/invoiceseries/")
    assert office.evaluate("document.documentElement.dataset.theme") == "dark"


def test_keys_rest_while_somebody_types(office):
    office.goto(f"{office.base}/admin/orders/order/")
    office.keyboard.press("/")
    office.keyboard.type("goc?")
    expect(office.locator("#q")).to_have_value("goc?")
    expect(office.locator("#keyboard-map")).to_be_hidden()


def test_the_phone_has_a_bar_and_a_sheet_for_the_rest(office):
    office.set_viewport_size({"width": 390, "height": 844})
    office.goto(f"{office.base}/admin/")
    office.get_by_role("button", name="More").click()
    sheet = office.locator("#more")
    expect(sheet.get_by_role("link", name="Customers")).to_be_visible()
    office.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
