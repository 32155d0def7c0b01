"""Settings from the environment; embedded defaults run on a bare machine, an odd value stops the start."""

from pathlib import Path

import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from kombu import Queue

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")


def refuse(name: str, value: str, wanted: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} is {value!r}; it must be {wanted}. .env.example shows the form.")


VAR_DIR = Path(env.str("VAR_DIR", str(BASE_DIR / "var")))
if env.str("DEBUG", "0").lower() not in {"0", "1", "true", "false", "on", "off", "yes", "no"}:
    raise refuse("DEBUG", env.str("DEBUG"), "1 or 0")
DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "")
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY is not set. script/server writes a random one to .env; .env.example shows the form.")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# Where script/server listens. Only this machine by default: a proxy with TLS stands before everything else.
LISTEN = env.str("LISTEN", "127.0.0.1")
PORT = env.int("PORT", 8000)
SITE_URL = env.str("SITE_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
if not SITE_URL.startswith(("http://", "https://")):
    raise refuse("SITE_URL", SITE_URL, "an address that begins with http:// or https://")
HTTPS = SITE_URL.startswith("https://")

INSTALLED_APPS = [
    "ecwid_orders.apps.BackOfficeAdminConfig",
    "ecwid_orders.apps.BackOfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "csp",
    "django_filters",
    "django_htmx",
    "django_countries",
    "rest_framework",
    "orders",
    "invoices",
    "notifications",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "ecwid_orders.language.PersonLanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "ecwid_orders.urls"
WSGI_APPLICATION = "ecwid_orders.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["ecwid_orders.templatetags.look"],
        },
    }
]

# Data
DATABASE_URL = env.str("DATABASE_URL", "") or f"sqlite:///{VAR_DIR / 'back-office.sqlite3'}"
if not DATABASE_URL.startswith(("sqlite://", "postgres://", "postgresql://")):
    # The address may hold a password: its first word only.
    raise refuse("DATABASE_URL", DATABASE_URL.split(":")[0], "postgres://user:password@host:5432/name or sqlite:///file")
DATABASES = {"default": env.db_url_config(DATABASE_URL)}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE takes the write lock at BEGIN: select_for_update is a no-op on SQLite, correctness rests on this.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # 16 MiB of pages: what the indexes of a large shop's list take, kept from one request to the next.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16384;",
    }
DATABASES["default"].setdefault("CONN_MAX_AGE", 60)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MEDIA_ROOT = VAR_DIR / "files"  # private: served by views that check rights, never by a URL of its own
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # the form of an order of a thousand items, the most there are

# What a planned change sets off beyond the order itself; orders asks these, in this order (orders/services/plan.py).
CONSEQUENCE_PLANNERS = ("invoices.planner.plan_documents", "notifications.planner.plan_mails")

# What hears of a correction of the stock, in its transaction.
STOCK_WATCHERS = ("notifications.low_stock.tell_low_stock",)
# Filters of the orders list beyond those of orders; each gives filters by name.
ORDER_FILTERS = ("invoices.filters.document_filters", "notifications.filters.mail_filters")
# Who writes the mail that brings staff a link to choose a password.
ACCOUNT_MAILS = "notifications.accounts.write_account_mail"
# Who prints sheets and slips of many orders, and joins the files; orders knows no PDF.
SHEET_PRINTER = "invoices.sheaves.print_sheets"
SHEET_JOINER = "invoices.sheaves.join_files"
# What knows the documents of an order by number, for the search to show them as printed.
SEARCH_SOURCES = ("invoices.search.document_numbers",)
# What `manage.py check_integrity` asks; each gives one line per problem.
INTEGRITY_CHECKS = ("orders.integrity.find_problems", "invoices.integrity.find_problems", "notifications.integrity.find_problems")
# What `manage.py seed_demo` asks beyond orders.
DEMO_SEEDERS = ("invoices.demo.fill_seller", "orders.seeding.staff.fill_staff")
DEMO_SWEEPS = ("invoices.services.release_documents", "notifications.delivery.sweep")  # what the worker would do meanwhile

# Language and time
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French"))]
LOCALE_PATHS = [BASE_DIR / "ecwid_orders" / "locale"]
TIME_ZONE = env.str("TIME_ZONE", "Europe/Paris")
USE_I18N = True
USE_TZ = True

# Mail
EMAIL_URL = env.str("EMAIL_URL", "")
if EMAIL_URL:
    vars().update(env.email("EMAIL_URL"))
else:
    EMAIL_BACKEND = "notifications.delivery.KeepingBackend"
EMAIL_TIMEOUT = 30
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "orders@example.com")

# Celery: the broker is a doorbell, never the record (docs/decisions)
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", "") or "filesystem://"
if CELERY_BROKER_URL == "filesystem://":
    CELERY_BROKER_URL = "filesystem://localhost"  # without a name in it kombu complains at every connection
if not CELERY_BROKER_URL.startswith(("filesystem://", "redis://", "rediss://", "redis+socket://")):
    # memory:// among them: between processes it loses everything and says nothing.
    raise refuse("CELERY_BROKER_URL", CELERY_BROKER_URL.split(":")[0], "redis://host:6379/0 or filesystem://")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
# Making files takes seconds: in a queue of its own, so that no mail waits behind a pile of invoices.
CELERY_TASK_DEFAULT_QUEUE = "back-office"
CELERY_TASK_QUEUES = [Queue("back-office"), Queue("paper")]
CELERY_TASK_ROUTES = {
    "invoices.tasks.*": {"queue": "paper"},
    "orders.tasks.*paper*": {"queue": "paper"},
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TIMEZONE = TIME_ZONE
if CELERY_BROKER_URL.startswith("filesystem:"):
    _queue = VAR_DIR / "queue"
    for _folder in (_queue / "messages", _queue / "control"):
        _folder.mkdir(parents=True, exist_ok=True)
    # Each worker would rewrite the file of this exchange while others read it; nobody asks workers anything through it.
    CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_queue / "messages"),
        "data_folder_out": str(_queue / "messages"),
        "control_folder": str(_queue / "control"),
        "store_processed": False,
    }
else:
    # No second try where a click waits for it; workers and the clock try again by rules of their own.
    CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 2, "socket_timeout": 5, "max_retries": 0}
CELERY_BEAT_SCHEDULE = {
    "heartbeat": {"task": "ecwid_orders.tasks.heartbeat", "schedule": 10.0, "options": {"expires": 30}},
    "paper-heartbeat": {"task": "ecwid_orders.tasks.paper_heartbeat", "schedule": 10.0, "options": {"expires": 30, "queue": "paper"}},
    "release-due-consequences": {"task": "notifications.tasks.sweep_outbox", "schedule": 5.0, "options": {"expires": 30}},
    "issue-due-documents": {"task": "invoices.tasks.sweep_documents", "schedule": 5.0, "options": {"expires": 30, "queue": "paper"}},
    "bulk-jobs": {"task": "orders.tasks.sweep_jobs", "schedule": 10.0, "options": {"expires": 30}},
    "bulk-paper-jobs": {"task": "orders.tasks.sweep_paper_jobs", "schedule": 10.0, "options": {"expires": 30, "queue": "paper"}},
    "release-reservations": {"task": "orders.tasks.release_reservations", "schedule": 30.0, "options": {"expires": 60}},
    "chase-carts": {"task": "notifications.tasks.remind_carts", "schedule": 300.0, "options": {"expires": 300}},
    "clean-sessions": {"task": "ecwid_orders.tasks.clean_sessions", "schedule": crontab(hour=4, minute=10)},
    "count-again": {"task": "ecwid_orders.tasks.count_again", "schedule": crontab(hour=4, minute=20)},
}
CELERY_BEAT_SCHEDULER = "ecwid_orders.clock.PatientScheduler"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat-schedule")

# Sign-in and safety
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "admin:login"
AUTHENTICATION_BACKENDS = ["ecwid_orders.sign_in.StaffBackend"]
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600  # links that choose a password, in seconds
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]  # a monitor on the machine itself has no TLS
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 31536000 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
if env.bool("BEHIND_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "SAMEORIGIN"  # the mail preview is a frame of our own pages
SILENCED_SYSTEM_CHECKS = ["security.W019"]  # wants DENY, which would refuse that frame
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "frame-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [SELF],
        "manifest-src": [SELF],
    }
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["orders.api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["orders.api.parsing.DecimalJSONParser"],
    "EXCEPTION_HANDLER": "orders.api.errors.answer_error",
    "UNAUTHENTICATED_USER": None,
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "filters": {"refusals": {"()": "ecwid_orders.log_lines.RefusalsInOneLine"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["refusals"]}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
}
