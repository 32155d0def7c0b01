"""A real browser on a real server: Debian's chromium, signed in, with the console watched."""

import os
import re
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings as django_settings
from django.db import connections
from django.utils import timezone, translation

from invoices.models import SellerProfile
from invoices.tasks import sweep_documents
from notifications.tasks import sweep_outbox
from tests.browser.hand import Hand
from tests.conftest import CHROMIUM
from tests.invoices.makers import make_seller
from tests.makers import make_clerk, make_shop, make_variant

# Playwright's own loop runs in the test's thread; Django would take it for asynchronous code.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


_contents = {}


def keep_contents():
    """Playwright's loop gives a thread new connection objects; what the emptied tables are filled from must go along."""
    for alias in connections:
        held = getattr(connections[alias], "_test_serialized_contents", None)
        if held is not None:
            _contents[alias] = held
        elif alias in _contents:
            connections[alias]._test_serialized_contents = _contents[alias]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    keep_contents()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item):
    # Without them Django would make content types anew, under other numbers than the contents hold.
    keep_contents()


def pytest_collection_modifyitems(items):
    for item in items:
        if "/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.django_db(transaction=True, serialized_rollback=True))
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return browser_type_launch_args | {
        "executable_path": CHROMIUM,
        "args": ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    }


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return browser_context_args | {"viewport": {"width": 1440, "height": 900}, "locale": "en-GB", "timezone_id": "Europe/Paris"}


@pytest.fixture
def shop(transactional_db):
    return make_shop()


@pytest.fixture
def owner(transactional_db):
    return make_clerk(username="ines", superuser=True)


@pytest.fixture
def office(page, live_server, shop, owner, client):
    """The back office, signed in. At the end nothing may stand on the console: no refused style, no script error."""
    complaints = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    client.force_login(owner)
    session = client.cookies[django_settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": django_settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    page.base = live_server.url
    translation.activate("en")
    yield page
    # A refused request (409, 400) is a test's business; Chromium reports it on the console all the same.
    # So does htmx with a request that leaving the page cuts short, such as the search for the letter typed last.
    assert [text for text in complaints if not re.search(r"status of 4\d\d|^htmx:(afterRequest|sendError),", text)] == []


@pytest.fixture
def in_french(office, live_server):
    office.context.add_cookies([{"name": django_settings.LANGUAGE_COOKIE_NAME, "value": "fr", "url": live_server.url}])
    return office


@pytest.fixture
def day(office, monkeypatch, settings, tmp_path):
    """A shop with twenty mugs and five pots that invoices what is paid; call it to let the time for undoing pass.

    No worker runs: what waits goes when a test says so. Files of documents are made without Pango.
    """
    for module in ("consequences", "services", "carts"):
        monkeypatch.setattr(f"notifications.{module}.ring", lambda: None)
    monkeypatch.setattr("invoices.consequences.ring_for_documents", lambda: None)
    monkeypatch.setattr("invoices.rendering.print_apart", lambda job: b"%PDF-1.7 as printed")
    monkeypatch.setattr("ecwid_orders.admin.worker_is_silent", lambda: False)
    settings.MEDIA_ROOT = tmp_path
    make_seller(auto_issue=SellerProfile.AutoIssue.PAID, attach_to_mail=True)
    make_variant("MUG", on_hand=20, price="12.00", name="Mug")
    make_variant("POT", on_hand=5, price="30.00", name="Pot")

    def passes(by=timedelta(minutes=3)):
        with time_machine.travel(timezone.now() + by, tick=True):
            sweep_documents()
            for _round in range(5):  # a recipient gets one mail of an order per round
                sweep_outbox()

    return passes


@pytest.fixture
def hand(office, day):
    """What a person does on the screen, counted."""
    office.set_default_timeout(10_000)
    return Hand(office)
