"""What every test finds: quick settings, and a word why a test can't run here."""

import os
import shutil
from ctypes.util import find_library
from pathlib import Path

import pytest

CHROMIUM = os.environ.get("TEST_CHROMIUM") or shutil.which("chromium") or ""
BROWSER_TESTS = Path(__file__).parent / "browser"


def pytest_configure(config):
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.MIDDLEWARE = [m for m in settings.MIDDLEWARE if "whitenoise" not in m]
    _let_databases_be_emptied()


def _let_databases_be_emptied():
    """SQLite empties tables row by row after a test with real transactions, which the triggers on issued documents refuse."""
    from django.db import connection
    from django.test import TransactionTestCase

    empty = TransactionTestCase._fixture_teardown

    def empty_without_triggers(self):
        from invoices.triggers import protect_tables, unprotect

        unprotect(connection)
        try:
            empty(self)
        finally:
            protect_tables(connection)

    TransactionTestCase._fixture_teardown = empty_without_triggers


@pytest.fixture(autouse=True)
def _one_language():
    """The language that a request of an earlier test chose stays with the process: each test begins with that of the settings."""
    from django.conf import settings
    from django.utils import translation

    with translation.override(settings.LANGUAGE_CODE):
        yield


def pytest_collection_modifyitems(config, items):
    from django.db import connection

    only = os.environ.get("TEST_ONLY_POSTGRES") == "1"
    # script/test runs those of PostgreSQL in a second round: here they are no skip, only not yet their turn.
    later = bool(os.environ.get("TEST_POSTGRES_URL")) and connection.vendor != "postgresql"
    kept, left = [], []
    for item in items:
        if BROWSER_TESTS in item.path.parents:
            item.add_marker(pytest.mark.browser)
        needs_postgres = item.get_closest_marker("postgres")
        wanted = needs_postgres or item.get_closest_marker("both_databases") if only else not (later and needs_postgres)
        (kept if wanted else left).append(item)
        for marker, is_missing, reason in (
            ("postgres", connection.vendor != "postgresql", "runs on PostgreSQL only; script/test does so where PostgreSQL is installed"),
            ("browser", not CHROMIUM, "needs chromium"),
            ("redis", not os.environ.get("TEST_REDIS_URL"), "needs a Redis server; script/test starts one where Redis is installed"),
            ("pango", not find_library("pango-1.0"), "needs Pango"),
        ):
            if is_missing and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))
    items[:] = kept
    if left:
        config.hook.pytest_deselected(items=left)
