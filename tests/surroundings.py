"""The environment of every test, set before Django reads its settings: no test touches the files or the .env of a running shop."""

import os
import shutil
import tempfile

VAR_DIR = tempfile.mkdtemp(prefix="back-office-test-")

os.environ.setdefault("SECRET_KEY", "for tests only")
# script/test names PostgreSQL here in its second round; a .env must not.
os.environ.setdefault("DATABASE_URL", "")
os.environ |= {
    "VAR_DIR": VAR_DIR,
    "CELERY_BROKER_URL": "filesystem://",
    "EMAIL_URL": "",
    "DEFAULT_FROM_EMAIL": "orders@example.com",
    "SITE_URL": "http://127.0.0.1:8000",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
    "CSRF_TRUSTED_ORIGINS": "",
    "BEHIND_PROXY": "0",
    "DEBUG": "0",
    "TIME_ZONE": "Europe/Paris",
    "LOG_LEVEL": "INFO",
}


def pytest_unconfigure(config):
    shutil.rmtree(VAR_DIR, ignore_errors=True)
