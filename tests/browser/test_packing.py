"""A packer at work with nothing but a keyboard and a scanner, and a carrier's file that becomes parcels."""

import os
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from orders.bulk.working import work
from orders.models import BulkJob, Order, Shipment
from orders.services.packing import take
from tests.makers import make_clerk, make_order, make_variant, stock_of

SHOTS = os.environ.get("SCREENSHOTS")


def clean(page):
    return [violation["id"] for violation in Axe().run(page, options={"preload": False}).response["violations"]]


def look(page, name):
    """Clean for everybody at both widths; a picture of each where somebody asks for them."""
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900 if width > 400 else 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert clean(page) == [], f"{name} at {width}"
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"{name}-{width}.png", full_page=True)
    page.set_viewport_size({"width": 1440, "height": 900})


def type_code(page, code):
    page.keyboard.type(code)
    page.keyboard.press("Enter")


@pytest.fixture
def orders(shop):
    make_variant("BOL-NUIT", on_hand=20, name="Bol bleu nuit", barcode="3760000000017")
    make_variant("THE-VERT", on_hand=20, name="Thé vert en vrac")
    first = make_order(
        "PAID", items={"BOL-NUIT": 2, "THE-VERT": 1}, shipping_method="Colissimo à domicile", customer_comment="C’est un cadeau"
    )
    return first, make_order("PAID", items={"THE-VERT": 1}, customer_name="Paul Castel")


def test_an_order_is_packed_by_keyboard_alone(office, orders):
    first, second = orders
    office.goto(f"{office.base}/admin/orders/order/packing/")
    expect(office.locator("#pack-next")).to_be_focused()
    look(office, "packing-queue")
    office.keyboard.press("Enter")
    expect(office.get_by_role("heading", level=1)).to_have_text(f"Pack #{first.number}")
    expect(office.locator("#scan")).to_be_focused()
    look(office, "packing-table")

    type_code(office, "3760000000017")
    expect(office.get_by_role("status").filter(has_text="Bol bleu nuit")).to_have_text(re.compile("1 of 2"))
    type_code(office, "MUG")
    expect(office.locator(".stop-sign")).to_contain_text("No article has the code “MUG”.")
    expect(office.locator("#scan")).to_be_focused()
    look(office, "packing-stop")
    type_code(office, "bol-nuit")
    expect(office.locator(".box-count")).to_have_text("2 of 3")
    office.reload()  # nothing is lost
    expect(office.locator(".box-count")).to_have_text("2 of 3")
    type_code(office, "THE-VERT")
    expect(office.locator(".all-in")).to_contain_text("All 3 pieces are in the box")
    look(office, "packing-full")

    office.keyboard.press("Enter")
    expect(office.locator("#panel h2").first).to_have_text(f"Parcel of #{first.number}: 3 of 3")
    expect(office.locator("#panel [name=tracking_number]")).to_be_focused()
    expect(office.locator("#panel")).to_contain_text("3 pieces leave the stock")
    look(office, "packing-parcel")
    office.locator("#panel [name=tracking_number]").focus()
    type_code(office, "6A21048837215")
    office.wait_for_url(re.compile("packed="))
    expect(office.get_by_role("status").filter(has_text="parcel")).to_contain_text(f"The parcel of #{first.number} is closed.")
    expect(office.locator("#slip")).to_have_attribute("href", re.compile(r"/parcels/\d+/packing-slip.pdf"))
    expect(office.locator("#pack-next")).to_contain_text(f"Pack #{second.number}")
    look(office, "packing-next")
    assert Order.objects.get(pk=first.pk).fulfilment_status.code == "SHIPPED"
    assert (Shipment.objects.get().tracking_number, stock_of("BOL-NUIT")) == ("6A21048837215", (18, 0))


def test_part_of_an_order_leaves_and_a_number_is_typed(office, orders):
    first, _second = orders
    office.goto(f"{office.base}/admin/orders/order/packing/{first.pk}/")
    line = first.lines.get(sku="BOL-NUIT")
    office.locator(f"#pieces-{line.pk}").fill("2")
    office.keyboard.press("Enter")
    expect(office.locator(".box-count")).to_have_text("2 of 3")
    office.locator(f"#less-{line.pk}").click()
    expect(office.locator(".box-count")).to_have_text("1 of 3")
    office.get_by_role("link", name="Close a parcel with 1 of 3 pieces").click()
    office.get_by_role("button", name="Close the parcel").click()
    office.wait_for_url(re.compile("packed="))
    expect(office.locator(".note.success")).to_contain_text("2 pieces are still to be packed")
    office.goto(f"{office.base}/admin/orders/order/{first.pk}/change/")
    expect(office.get_by_text("1 of 3 pieces")).to_be_visible()


def test_an_order_at_another_table_shows_who_packs_it(office, orders):
    first, _second = orders
    take(first.pk, make_clerk("orders.ship_order", username="paul"))
    office.goto(f"{office.base}/admin/orders/order/packing/{first.pk}/")
    expect(office.get_by_role("alert")).to_contain_text("paul is packing it")
    expect(office.locator("#scan")).to_have_count(0)
    look(office, "packing-other")
    office.get_by_role("button", name="Take it over").click()
    expect(office.locator("#scan")).to_be_focused()


def test_pasted_numbers_are_shown_line_by_line_and_become_parcels(office, orders, monkeypatch):
    monkeypatch.setattr("ecwid_orders.admin.worker_is_silent", lambda: False)
    monkeypatch.setattr("orders.bulk.jobs.ring", lambda *_args, **_options: None)
    first, second = orders
    office.goto(f"{office.base}/admin/orders/order/?view=all")
    office.get_by_role("button", name="More for these orders").click()
    office.get_by_role("link", name="Tracking numbers from a file").click()
    expect(office.locator("#tracking-text")).to_be_focused()
    office.keyboard.insert_text(
        f"N° suivi;Commande;Transporteur\n6A21048837215;{first.number};Colissimo\n"
        f"6A21048837216;{second.number};Colissimo\n6A21048837217;99999;"
    )
    look(office, "tracking-paste")
    office.get_by_role("button", name="Look at it").click()
    expect(office.locator(".tracking-lines .has-problem")).to_contain_text("There is no order 99999.")
    look(office, "tracking-preview")
    assert not Shipment.objects.exists()
    office.get_by_role("button", name="Give 2 orders their number").click()
    office.wait_for_url(re.compile(r"/bulk/[0-9a-f-]{36}/$"))
    work(BulkJob.objects.get(state="queued").pk)
    office.reload()
    expect(office.locator(".bulk-receipt")).to_contain_text(f"#{first.number}")
    look(office, "tracking-receipt")
    assert Shipment.objects.filter(carrier="Colissimo").count() == 2


def test_a_carriers_page_is_tried_while_it_is_written(office):
    office.goto(f"{office.base}/admin/orders/carrier/add/")
    office.locator("#id_name").fill("Poste locale")
    office.locator("#id_tracking_url").fill("https://post.example.com/?n={number}")
    office.locator("#try-number").fill("AB 1")
    expect(office.locator("#try-link")).to_have_attribute("href", "https://post.example.com/?n=AB%201")
    look(office, "carrier-form")
    office.get_by_role("button", name="Save").click()
    office.goto(f"{office.base}/admin/orders/carrier/")
    look(office, "carriers")
    expect(office.get_by_role("link", name="Poste locale")).to_be_visible()
