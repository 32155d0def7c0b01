"""A worker killed for real, in the middle of a bulk action: the next one loses and repeats nothing."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from orders.bulk import working
from orders.bulk.jobs import propose, start
from orders.bulk.working import work
from orders.models import BulkJob, Order, OrderEvent
from tests.makers import make_clerk, make_order, make_shop, make_variant, stock_of
from tests.racing import run_together

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
ROOT = Path(__file__).parent.parent.parent
# A worker that takes small chunks and is slow after each, so that there is a middle to be killed in.
WORKER = """
import sys, time, django
django.setup()
from orders.bulk import working
working.CHUNK, change = 3, working.change_chunk
working.change_chunk = lambda *args: (change(*args), time.sleep(0.5))
working.work(int(sys.argv[1]))
"""


def worker_for(job):
    at = connection.settings_dict
    address = f"postgres://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"
    environment = os.environ | {"DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "ecwid_orders.settings"}
    return subprocess.Popen([sys.executable, "-c", WORKER, str(job.pk)], cwd=ROOT, env=environment)


def asked_job():
    make_shop()
    make_variant("MUG", on_hand=100)
    orders = [make_order("PAID", items={"MUG": 2}) for _ in range(20)]
    wish = {"axis": "fulfilment", "code": "SHIPPED"}
    job = propose("status", wish, [order.pk for order in orders], user=make_clerk(superuser=True))
    start(job)
    return job


def test_two_workers_at_once_are_one(monkeypatch):
    monkeypatch.setattr(working, "CHUNK", 3)
    job = asked_job()
    run_together(*[lambda: work(job.pk)] * 3)
    assert (BulkJob.objects.get().state, stock_of("MUG")) == ("done", (60, 0))
    assert OrderEvent.objects.filter(kind="status").count() == 20


def test_a_killed_process_loses_and_repeats_nothing():
    job = asked_job()
    process, ends = worker_for(job), time.monotonic() + 30
    while not job.items.filter(state="done").count() >= 6 and time.monotonic() < ends:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = job.items.filter(state="done").count()
    assert (6 <= done < 20, Order.objects.filter(fulfilment_status__code="SHIPPED").count()) == (True, done)
    assert work(job.pk) is False  # its lease still runs
    BulkJob.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    work(job.pk)
    assert (job.items.filter(state="done").count(), stock_of("MUG")) == (20, (60, 0))
    assert OrderEvent.objects.filter(kind="status").count() == 20
