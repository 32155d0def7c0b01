"""Tasks of the project itself: the workers' signs of life, old sessions, the database's statistics."""

from celery import shared_task
from django.core.management import call_command
from django.db import connection

from ecwid_orders.health import HEARTBEAT, PAPER_HEARTBEAT, note_heartbeat
from orders.statistics import count_rows


@shared_task
def heartbeat() -> None:
    """Say that the worker lives; pages warn when this stays away."""
    note_heartbeat(HEARTBEAT)


@shared_task
def paper_heartbeat() -> None:
    """The same of the worker that makes files."""
    note_heartbeat(PAPER_HEARTBEAT)


@shared_task
def clean_sessions() -> None:
    call_command("clearsessions")


@shared_task
def count_again() -> None:
    """Let SQLite count what it plans queries with; PostgreSQL does so by itself. A second or two for two hundred thousand orders."""
    if connection.vendor == "sqlite":
        count_rows(connection)
