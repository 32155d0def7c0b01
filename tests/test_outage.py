"""A real worker on Redis with a real mail server: the worker is killed while it sends, Redis goes away, and nothing is lost."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from urllib.parse import urlparse

import pytest

from tests.notifications.smtp import free_port, start_server

pytestmark = [pytest.mark.redis, pytest.mark.slow, pytest.mark.xdist_group("outage")]

SHOP = """
from django.db import transaction
from tests.makers import make_shop, make_variant, make_order, set_status, CLERK
make_shop(undo_seconds=0)
make_variant("MUG", on_hand=100)
"""
ORDERS = """
from django.db import transaction
from orders.models import Order
from tests.makers import make_order, set_status
for number in range({count}):
    order = make_order("PAID", items={{"MUG": 1}}, email=f"{name}{{number}}@example.com")
    set_status(order, fulfilment="PROCESSING")
try:
    with transaction.atomic():
        make_order("PAID", items={{"MUG": 1}}, email="ghost-{name}@example.com")
        raise ZeroDivisionError
except ZeroDivisionError:
    pass
"""
LEASES_RUN_OUT = """
from notifications.models import OutgoingEmail
OutgoingEmail.objects.filter(state="sending").update(lease_until="2020-01-01T00:00Z")
"""
LEFT = """
from notifications.models import OutgoingEmail
print(sorted(OutgoingEmail.objects.exclude(state="sent").values_list("state", flat=True)), OutgoingEmail.objects.count())
"""


class Shop:
    """An installation of its own: SQLite in a folder, a private Redis, a private mail server."""

    def __init__(self, folder):
        self.server, self.mailbox = start_server()
        self.redis_port, self.redis, self.processes = free_port(), None, []
        self.folder = folder
        self.env = os.environ | {
            "SECRET_KEY": "for tests only",
            "VAR_DIR": str(folder),
            "DATABASE_URL": f"sqlite:///{folder / 'shop.sqlite3'}",
            "CELERY_BROKER_URL": f"redis://127.0.0.1:{self.redis_port}/0",
            "EMAIL_URL": f"smtp://127.0.0.1:{self.server.port}",
            "LOG_LEVEL": "ERROR",
        }

    def run(self, code):
        done = subprocess.run(
            [sys.executable, "-c", "import django; django.setup()\n" + code],
            env=self.env | {"DJANGO_SETTINGS_MODULE": "ecwid_orders.settings"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start_redis(self):
        command = ["redis-server", "--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        self.redis = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def start_celery(self, *words):
        command = [sys.executable, "-m", "celery", "-q", "-A", "ecwid_orders", *words, "--loglevel", "error"]
        process = subprocess.Popen(command, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        self.processes.append(process)
        return process

    def start_worker(self):
        return self.start_celery("worker", "--concurrency", "1", "--without-gossip", "--without-mingle")

    def wait_for(self, what, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if what():
                return
            time.sleep(0.1)
        raise AssertionError(f"{self.run(LEFT)}; {len(self.mailbox.taken)} mails taken")

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if self.redis and self.redis.poll() is None:
            self.redis.kill()
            self.redis.wait()
        self.server.stop()


@pytest.fixture
def shop(tmp_path):
    assert urlparse(os.environ["TEST_REDIS_URL"]).scheme == "redis"
    shop = Shop(tmp_path)
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], env=shop.env, check=True, timeout=120)
    shop.run(SHOP)
    yield shop
    shop.close()


def test_a_killed_worker_and_a_stopped_redis_lose_no_mail_and_send_no_ghost(shop):
    shop.start_redis()
    worker = shop.start_worker()
    shop.start_celery("beat", "--pidfile", "")
    shop.run(ORDERS.format(count=6, name="early"))
    shop.wait_for(lambda: len(shop.mailbox.taken) >= 3)
    os.killpg(worker.pid, signal.SIGKILL)
    shop.redis.kill()
    shop.redis.wait()
    # Redis is dead, the worker too: orders are taken and statuses changed all the same.
    shop.run(ORDERS.format(count=4, name="dark"))
    shop.start_redis()
    shop.start_worker()
    # Ten orders, each with a confirmation, a status mail, and a mail to staff. A lease taken by the dead worker runs out first.
    shop.run(LEASES_RUN_OUT)
    shop.wait_for(lambda: len({m["Message-ID"] for m in shop.mailbox.messages}) == 30 and shop.run(LEFT) == "[] 30\n")
    copies = Counter(message["Message-ID"] for message in shop.mailbox.messages)
    assert all(count <= 2 for count in copies.values())
    assert not [address for address, _content in shop.mailbox.taken if address.startswith("ghost")]
    assert shop.run("from orders.integrity import find_problems; print(list(find_problems()))") == "[]\n"
