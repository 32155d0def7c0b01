"""What every test finds: private folders, a shop, and a word why a test can't run here."""

import os
import shutil
import tempfile
from ctypes.util import find_library
from pathlib import Path

import pytest

# Before Django reads its settings: nothing of a test touches the files of a running shop.
os.environ.setdefault("SECRET_KEY", "for tests only")
os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="back-office-test-")
for name in ("EMAIL_URL", "SITE_URL", "ALLOWED_HOSTS", "DEBUG"):
    os.environ.pop(name, None)
os.environ["CELERY_BROKER_URL"] = "filesystem://"

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


def pytest_unconfigure(config):
    shutil.rmtree(os.environ["VAR_DIR"], ignore_errors=True)


def pytest_collection_modifyitems(config, items):
    from django.db import connection

    only = os.environ.get("TEST_ONLY_POSTGRES") == "1"
    kept, left = [], []
    for item in items:
        if BROWSER_TESTS in item.path.parents:
            item.add_marker(pytest.mark.browser)
        wanted = not only or item.get_closest_marker("postgres") or item.get_closest_marker("both_databases")
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
