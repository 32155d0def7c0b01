"""The Celery application: beat rings every few seconds, workers deliver mails and make documents."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecwid_orders.settings")
# Workers of a container or a fresh machine run as root; messages hold ids only, never pickles.
os.environ.setdefault("C_FORCE_ROOT", "1")

app = Celery("ecwid_orders")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
