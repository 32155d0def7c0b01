"""What the health page says, and that the clock fills no queue that nobody empties."""

import os
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from celery import Celery
from django.db import OperationalError
from django.utils import timezone

from ecwid_orders import health
from ecwid_orders.clock import FULL_QUEUE, PatientScheduler
from notifications.models import OutgoingEmail

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def lively_workers(monkeypatch, tmp_path):
    monkeypatch.setattr(health, "HEARTBEAT", tmp_path / "mails")
    monkeypatch.setattr(health, "PAPER_HEARTBEAT", tmp_path / "paper")
    health.note_heartbeat(health.HEARTBEAT)
    health.note_heartbeat(health.PAPER_HEARTBEAT)


def ask(client, *, status=200):
    answer = client.get("/healthz")
    assert answer.status_code == status
    return answer.json()


def test_all_is_well_while_every_part_answers(client):
    assert ask(client) == {"status": "ok", "worker": "ok", "broker": "ok", "disk": "ok", "mail": "ok", "database": "ok"}


@pytest.mark.parametrize(
    ("which", "seconds", "said"), [("HEARTBEAT", 25, "ok"), ("HEARTBEAT", 46, "silent"), ("PAPER_HEARTBEAT", 601, "silent")]
)
def test_a_worker_without_a_sign_of_life_is_silent(client, which, seconds, said):
    then = time.time() - seconds
    os.utime(getattr(health, which), (then, then))
    assert ask(client)["worker"] == said


def test_before_the_first_sign_of_life_the_worker_is_silent(client):
    health.HEARTBEAT.unlink()
    assert ask(client) | {"disk": "ok"} == {
        "status": "degraded", "worker": "silent", "broker": "ok", "disk": "ok", "mail": "ok", "database": "ok",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("state", "minutes", "said"),
    [
        ("queued", 14, "ok"),
        ("queued", 16, "oldest unsent since"),
        ("failed", 16, "oldest unsent since"),
        ("held", 16, "oldest unsent since"),
        ("sent", 60, "ok"),
        ("dead", 60, "ok"),
    ],
)
def test_a_mail_that_waits_too_long_is_named(client, state, minutes, said):
    then = timezone.now() - timedelta(minutes=minutes)
    OutgoingEmail.objects.create(
        kind="placed", audience="customer", recipient="lea@example.com", language="fr", dedupe_key="a", message_id="<a@example.com>",
        subject="", html="", text="", state=state, release_at=then, next_at=then, created_at=then,
    )  # fmt: skip
    assert ask(client)["mail"].startswith(said)


def test_a_broker_that_is_away_is_said(client, monkeypatch):
    app = Celery(set_as_current=False)
    app.conf.update(broker_write_url="redis://127.0.0.1:1/0", broker_transport_options={"max_retries": 0})
    monkeypatch.setattr(health, "current_app", app)
    assert {"status": "degraded", "broker": "unreachable", "database": "ok"}.items() <= ask(client).items()


def test_without_its_database_the_shop_is_down(client, monkeypatch):
    def refuse():
        raise OperationalError("no connection")

    monkeypatch.setattr(health, "_mail", refuse)
    monkeypatch.setattr(health, "connection", SimpleNamespace(close=lambda: None))
    assert {"status": "down", "database": "unreachable"}.items() <= ask(client, status=503).items()


@pytest.fixture
def clock(tmp_path):
    app = Celery(broker="filesystem://localhost", set_as_current=False)
    app.conf.update(
        task_default_queue="back-office",
        broker_transport_options={name: str(tmp_path) for name in ("data_folder_in", "data_folder_out", "control_folder")},
        beat_schedule={
            "ring": {"task": "ring", "schedule": 5.0},
            "paper": {"task": "ring", "schedule": 5.0, "options": {"queue": "paper"}},
        },
        beat_schedule_filename=str(tmp_path / "schedule"),
    )
    scheduler = PatientScheduler(app, schedule_filename=app.conf.beat_schedule_filename)
    yield SimpleNamespace(
        ring=lambda name, times: [scheduler.apply_async(scheduler.schedule[name], advance=False) for _time in range(times)],
        waiting=lambda queue: len(list(tmp_path.glob(f"*.{queue}.msg"))),
    )
    scheduler.close()


def test_the_clock_stops_ringing_where_nobody_empties_the_queue(clock):
    clock.ring("ring", FULL_QUEUE + 20)
    assert clock.waiting("back-office") == FULL_QUEUE


def test_a_full_queue_of_mails_does_not_silence_the_one_of_documents(clock):
    clock.ring("ring", FULL_QUEUE)
    clock.ring("paper", 3)
    assert clock.waiting("paper") == 3
