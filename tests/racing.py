"""Real threads at one barrier, and the control of a race: its lock taken away."""

import threading
from contextlib import contextmanager
from unittest import mock

from django.db import connections
from django.db.models import QuerySet

from orders.services.writing import save_changes


def run_together(*jobs):
    """Start all jobs at one barrier; give back each result or the error it raised."""
    barrier, results = threading.Barrier(len(jobs)), [None] * len(jobs)

    def work(index, job):
        barrier.wait(timeout=10)
        try:
            results[index] = job()
        except Exception as error:
            results[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    return results


@contextmanager
def without_locks():
    """The control: SELECT ... FOR UPDATE taken away."""
    with mock.patch.object(QuerySet, "select_for_update", lambda self, *args, **kwargs: self):
        yield


@contextmanager
def writing_together(count=2):
    """The control made certain: whoever has read waits until all have, then all write. Only without locks can all get there."""
    barrier = threading.Barrier(count)

    def save(planned):
        barrier.wait(timeout=10)
        save_changes(planned)

    with without_locks(), mock.patch("orders.services.plan.save_changes", save):
        yield
