"""The Celery application: beat rings every few seconds, workers deliver mails and make documents."""

import os
import warnings
from typing import Any

from celery import Celery
from celery.signals import worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecwid_orders.settings")
# A fresh machine often has only root. Messages hold ids, never pickles, so Celery's warning about them has nothing to warn of.
os.environ.setdefault("C_FORCE_ROOT", "1")
warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")
# With the broker gone a worker finishes the mail in hand: cancelling it would leave open whether it went out.
warnings.filterwarnings("ignore", message=r"\s*In Celery 5\.1 we introduced")

app = Celery("ecwid_orders")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect
def greet(sender: Any, **_facts: Any) -> None:
    """A worker that has just started is no silent one: the pages need not wait for the first beat."""
    from ecwid_orders.health import HEARTBEATS, note_heartbeat  # noqa: PLC0415 - the settings must be there first

    for queue in sender.task_consumer.queues:
        note_heartbeat(HEARTBEATS[queue.name])
