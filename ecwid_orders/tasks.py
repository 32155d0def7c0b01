"""Tasks of the project itself: the worker's sign of life, old sessions."""

from celery import shared_task
from django.core.management import call_command

from ecwid_orders.health import note_heartbeat


@shared_task
def heartbeat() -> None:
    """Say that the worker lives; pages warn when this stays away."""
    note_heartbeat()


@shared_task
def clean_sessions() -> None:
    call_command("clearsessions")
