"""The doorbell: quick, quiet when nobody answers, never in the way of a click."""

import threading
import time

import pytest

from notifications import doorbell


@pytest.fixture
def bell():
    return doorbell._Bell()


def rest(bell):
    until = time.monotonic() + 5
    while bell.is_ringing and time.monotonic() < until:
        time.sleep(0.005)


def test_a_broker_that_takes_seconds_delays_no_click(bell, monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(doorbell, "_wake_worker", lambda: release.wait(5))
    started = time.monotonic()
    for _click in range(10):
        bell.ring()
    assert time.monotonic() - started < 0.2
    release.set()
    rest(bell)


def test_after_a_failure_it_is_quiet_for_a_while(bell, monkeypatch):
    rings = []
    monkeypatch.setattr(doorbell, "_wake_worker", lambda: bool(rings.append(1)))
    for _click in range(5):
        bell.ring()
        rest(bell)
    assert rings == [1]
    bell.quiet_until = 0.0
    bell.ring()
    rest(bell)
    assert rings == [1, 1]


def test_a_mail_committed_while_it_rings_is_announced_too(bell, monkeypatch):
    release, rings = threading.Event(), []
    monkeypatch.setattr(doorbell, "_wake_worker", lambda: rings.append(1) or release.wait(5))
    bell.ring()
    bell.ring()
    bell.ring()
    release.set()
    rest(bell)
    assert rings == [1, 1]


def test_no_broker_raises_nothing(monkeypatch, caplog):
    from notifications.tasks import deliver_due

    def refuse(**_options):
        raise OSError("no broker")

    monkeypatch.setattr(deliver_due, "apply_async", refuse)
    assert doorbell._wake_worker() is False
    assert "could not be woken: OSError" in caplog.text
