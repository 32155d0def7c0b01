"""The undo bar in a browser: whose clock counts, several changes at once, and when it leaves."""

import re

import pytest
from playwright.sync_api import expect

from orders.models import Order
from orders.services.plan import Actor
from tests.makers import make_order, set_status

HOUR_AHEAD = "const now = Date.now.bind(Date); Date.now = () => now() + 3600000;"


@pytest.fixture(autouse=True)
def awake_worker(monkeypatch):
    monkeypatch.setattr("ecwid_orders.admin.worker_is_silent", lambda: False)


def ship(owner, times=1):
    for _time in range(times):
        set_status(make_order("PAID", items={"MUG": 1}), actor=Actor.clerk(owner), fulfilment="SHIPPED")


def test_a_device_that_runs_an_hour_ahead_keeps_the_bar(office, owner):
    ship(owner)
    office.add_init_script(HOUR_AHEAD)
    office.goto(f"{office.base}/admin/all-data/")
    expect(office.locator(".undo-bar [data-countdown]")).to_have_text(re.compile("^[12]:[0-5][0-9]$"))


def test_the_key_opens_the_list_of_several_changes(office, owner):
    ship(owner, times=2)
    office.goto(f"{office.base}/admin/all-data/")
    expect(office.locator(".undo-bar").get_by_role("button", name="Undo")).to_have_count(0)
    office.keyboard.press("z")
    expect(office.locator(".undo-bar").get_by_role("button", name="Undo")).to_have_count(2)


def test_the_bar_leaves_with_its_last_change(office, owner):
    ship(owner, times=2)
    office.goto(f"{office.base}/admin/all-data/")
    expect(office.locator(".undo-bar")).to_be_visible()
    office.evaluate(HOUR_AHEAD)
    expect(office.locator(".undo-bar")).to_be_hidden()


def test_mails_a_silent_worker_left_stay_in_the_list(office, owner, monkeypatch):
    monkeypatch.setattr("ecwid_orders.admin.worker_is_silent", lambda: True)
    ship(owner, times=2)
    office.goto(f"{office.base}/admin/all-data/")
    office.evaluate(HOUR_AHEAD)
    office.locator(".undo-bar summary").click()
    expect(office.locator(".undo-bar li", has_text="sending is delayed")).to_have_count(2)


def test_on_the_page_of_an_order_the_key_undoes_that_order_alone(office, owner):
    other = make_order("PAID")
    ship(owner)
    office.goto(f"{office.base}/admin/orders/order/{other.pk}/change/")
    expect(office.locator(".undo-bar").get_by_role("button", name="Undo")).to_be_visible()
    expect(office.locator('.undo-bar [data-key="z"]')).to_have_count(0)
    shipped = Order.objects.exclude(pk=other.pk).get()
    office.goto(f"{office.base}/admin/orders/order/{shipped.pk}/change/")
    expect(office.locator('.undo-bar [data-key="z"]')).to_have_count(1)
