"""Workers that race, and workers that are killed: no mail is lost, none goes twice without a doubt."""

import os
import signal
import subprocess
import sys
import threading
import time
from decimal import Decimal

import pytest
from django.db import connection, connections
from django.utils import timezone

from notifications import delivery
from notifications.models import OutgoingEmail
from orders.drafts import DraftLine
from orders.services.plan import Actor, apply
from orders.services.undo import UndoWish
from tests.makers import make_clerk, make_order, make_shop, set_status
from tests.notifications.smtp import start_server

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

WORKER = "import django; django.setup(); from notifications.delivery import deliver\nwhile True: deliver(limit=5)"


@pytest.fixture
def mailbox(settings):
    server, mailbox = start_server()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    yield mailbox
    server.stop()


def make_mails(count):
    make_shop(staff_addresses="")
    line = DraftLine(name="Class", price=Decimal("10"), vat_category="S", vat_rate=Decimal("20"))
    for _number in range(count):
        make_order(payment="PAID", items={}, lines=(line,))


def in_threads(act, count):
    def run():
        try:
            act()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def claim_into(taken, claim=delivery.claim):
    def act():
        for number in range(10):
            taken.extend(mail.pk for mail in claim(f"{threading.get_ident()}:{number}", limit=4))

    return act


def claim_without_lock(token, *, limit):
    """The control: what claiming would be without the row lock and the condition on the state."""
    ids = list(delivery.due().values_list("pk", flat=True)[:limit])
    time.sleep(0.01)
    OutgoingEmail.objects.filter(pk__in=ids).update(state="sending", lease_token=token)
    return list(OutgoingEmail.objects.filter(pk__in=ids))


def test_no_two_workers_take_the_same_mail():
    make_mails(40)
    taken = []
    in_threads(claim_into(taken), 4)
    assert sorted(taken) == sorted(set(taken))
    assert len(taken) == 40


def test_without_the_lock_two_workers_take_the_same_mail():
    make_mails(40)
    taken = []
    in_threads(claim_into(taken, claim_without_lock), 4)
    assert len(taken) > len(set(taken))


def test_four_workers_deliver_each_mail_once(mailbox):
    make_mails(40)
    in_threads(lambda: [delivery.deliver(limit=3) for _number in range(10)], 4)
    addresses = [address for address, _content in mailbox.taken]
    assert len(addresses) == len(set(addresses)) == 40
    assert set(OutgoingEmail.objects.values_list("state", flat=True)) == {"sent"}


def test_undo_and_release_never_both_win():
    make_shop(staff_addresses="")
    clerk = Actor.clerk(make_clerk(superuser=True))
    for _number in range(10):
        order = make_order(payment="PAID")
        event = set_status(order, actor=clerk, fulfilment="SHIPPED").event
        OutgoingEmail.objects.filter(event=event).update(release_at=timezone.now())
        outcomes = []
        wish = UndoWish(order_id=order.pk, event_id=event.pk, actor=clerk)
        threads = [
            threading.Thread(target=_closing(lambda wish=wish, outcomes=outcomes: outcomes.append(apply(wish)))),
            threading.Thread(target=_closing(delivery.release_due)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        state = OutgoingEmail.objects.get(event=event).state
        assert (bool(outcomes[0].events), state) in [(True, "cancelled"), (False, "queued")]


def _closing(act):
    def run():
        try:
            act()
        finally:
            connections.close_all()

    return run


@pytest.mark.slow
def test_killing_workers_loses_no_mail(mailbox, settings):
    make_mails(60)
    database = connection.settings_dict
    environment = os.environ | {
        "DATABASE_URL": "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database),
        "EMAIL_URL": f"smtp://127.0.0.1:{settings.EMAIL_PORT}",
        "DJANGO_SETTINGS_MODULE": "ecwid_orders.settings",
    }
    for _round in range(4):
        worker = subprocess.Popen([sys.executable, "-c", WORKER], env=environment, stderr=subprocess.DEVNULL)
        before, until = len(mailbox.taken), time.monotonic() + 30
        while len(mailbox.taken) < before + 5 and time.monotonic() < until:
            time.sleep(0.005)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    OutgoingEmail.objects.filter(state="sending").update(lease_until=timezone.now())
    time.sleep(0.01)
    delivery.requeue_lost()
    while delivery.deliver().sent:
        pass
    assert set(OutgoingEmail.objects.values_list("state", flat=True)) == {"sent"}
    identities = [message["Message-ID"] for message in mailbox.messages]
    doubtful = set(OutgoingEmail.objects.filter(ambiguous=True).values_list("message_id", flat=True))
    assert set(identities) == set(OutgoingEmail.objects.values_list("message_id", flat=True))
    assert {identity for identity in identities if identities.count(identity) > 1} <= doubtful
