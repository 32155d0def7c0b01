"""Three hundred orders changed at once in a browser: chosen over all pages, watched, read on the receipt, undone."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from notifications.models import OutgoingEmail
from orders.bulk.working import work
from orders.models import BulkJob, Order
from tests.makers import make_order, make_variant, set_status, stock_of

RECEIPT = re.compile(r"/bulk/[0-9a-f-]{36}/$")


@pytest.fixture(autouse=True)
def awake_worker(monkeypatch):
    monkeypatch.setattr("ecwid_orders.admin.worker_is_silent", lambda: False)
    # The test is the worker: it takes its turns where it wants to look between them.
    monkeypatch.setattr("orders.bulk.jobs.ring", lambda *_args, **_options: None)


def clean(page):
    return [violation["id"] for violation in Axe().run(page).response["violations"]]


def take_turns(kind):
    job = BulkJob.objects.get(kind=kind)
    while work(job.pk, seconds=0):
        pass


def test_three_hundred_orders_change_at_once_and_are_taken_back(office):
    make_variant("MUG", on_hand=400)
    for _number in range(300):
        make_order("PAID")
    OutgoingEmail.objects.all().delete()
    office.goto(f"{office.base}/admin/orders/order/?view=all")
    office.locator(".row-check").first.check()
    office.locator(".all-results").check()
    assert clean(office) == []
    office.get_by_role("button", name="Fulfilment…").click()
    office.locator("#bulk-fulfilment button", has_text="Shipped").click()
    expect(office.locator("#panel h2").first).to_have_text("Change 300 orders")
    expect(office.locator("#panel")).to_contain_text("300 e-mails")
    assert clean(office) == []
    moved = Order.objects.order_by("pk").first()
    set_status(moved, fulfilment="PROCESSING")
    office.get_by_role("button", name="Change 300 orders").click()
    office.wait_for_url(RECEIPT)
    expect(office.get_by_role("status").first).to_contain_text("It begins in a moment.")

    assert work(BulkJob.objects.get().pk, seconds=0)  # one chunk
    expect(office.get_by_role("status").first).to_contain_text("100 of 300")
    take_turns("status")
    expect(office.get_by_role("status").first).to_contain_text("Done.")
    figures = office.locator(".bulk-figures")
    expect(figures).to_contain_text("Changed299")
    expect(figures).to_contain_text("Left out1")
    expect(office.locator(".undo-bar")).to_contain_text("299 orders")
    assert (stock_of("MUG"), OutgoingEmail.objects.filter(state="held").count()) == ((101, 1), 299)
    assert clean(office) == []
    office.get_by_role("link", name="Left out 1").click()
    expect(office.locator(".bulk-results li")).to_contain_text(f"#{moved.number}")

    office.get_by_role("button", name="Undo it for 299 orders").click()
    office.wait_for_url(RECEIPT)
    expect(office.get_by_role("heading", level=1)).to_have_text("Undo: Fulfilment → Shipped for 299 orders")
    take_turns("undo")
    expect(office.get_by_role("status").first).to_contain_text("Done.")
    assert (stock_of("MUG"), OutgoingEmail.objects.filter(state="held").count()) == ((400, 300), 0)
    assert Order.objects.filter(fulfilment_status__code="AWAITING_PROCESSING").count() == 299


def test_on_a_phone_the_bar_and_the_panels_fit(office):
    office.set_viewport_size({"width": 390, "height": 844})
    make_order("PAID", tags=("Gift",))
    office.goto(f"{office.base}/admin/orders/order/?view=all")
    office.evaluate("document.querySelector('.row-check').click()")
    office.get_by_role("button", name="More", exact=True).last.click()
    office.get_by_role("button", name="Add tags…").click()
    office.get_by_label("Other tags").fill("Fragile")
    office.get_by_role("button", name="Count what would change").click()
    expect(office.locator("#panel")).to_contain_text("1 order changes")
    expect(office.get_by_label("Other tags")).to_have_value("Fragile")
    assert office.evaluate("document.documentElement.scrollWidth") == 390
    assert clean(office) == []
    office.get_by_role("button", name="Add the tags").click()
    office.wait_for_url(RECEIPT)
    take_turns("tag")
    expect(office.get_by_role("status").first).to_contain_text("Done.")
    assert office.evaluate("document.documentElement.scrollWidth") == 390
    assert sorted(Order.objects.get().tags.values_list("name", flat=True)) == ["Fragile", "Gift"]


def test_what_speaks_against_a_status_is_ticked_and_counted_live(office):
    make_order("PAID", shipping_method="Parcel")
    make_order("PAID", "DELIVERED", shipping_method="Parcel")
    make_order("CANCELLED", shipping_method="Parcel")
    office.goto(f"{office.base}/admin/orders/order/?view=all")
    for box in office.locator(".row-check").all():
        box.check()
    office.get_by_role("button", name="Fulfilment…").click()
    office.locator("#bulk-fulfilment button", has_text="Shipped").click()
    for width in (1440, 390):
        expect(office.locator("#h-panel")).to_have_text("Change 1 order")
        assert clean(office) == []
        office.get_by_label("Also 1 order that goes back").check()
        expect(office.get_by_role("button", name="Change 2 orders")).to_be_visible()
        expect(office.locator("#h-panel")).to_have_text("Change 2 orders")
        expect(office.get_by_label("Also 1 order that goes back")).to_be_focused()
        if width == 1440:  # a phone opens the panel as a page of its own
            office.set_viewport_size({"width": 390, "height": 844})
            ids = "&".join(f"ids={pk}" for pk in Order.objects.values_list("pk", flat=True))
            office.goto(f"{office.base}/admin/orders/order/bulk/?fulfilment=SHIPPED&{ids}")
    office.get_by_role("button", name="Change 2 orders").click()
    office.wait_for_url(RECEIPT)
    work(BulkJob.objects.get(state="queued").pk)
    assert Order.objects.filter(fulfilment_status__code="SHIPPED").count() == 2
