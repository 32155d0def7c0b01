"""A real browser on a real server: Debian's chromium, signed in, with the console watched."""

import os
import re

import pytest
from django.conf import settings as django_settings
from django.db import connections
from django.utils import translation

from tests.conftest import CHROMIUM
from tests.makers import make_clerk, make_shop

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
