"""Celery tasks: deliver what is due, sweep what the doorbell missed, remind of carts."""

from celery import shared_task

from notifications.carts import remind_due
from notifications.delivery import deliver, sweep
from notifications.doorbell import ring
from notifications.releasing import release_due


@shared_task(soft_time_limit=280, time_limit=300)
def deliver_due() -> None:
    """Deliver mails that are due, in short rounds: a worker that is asked to stop finishes the mail in hand and goes."""
    release_due()
    if deliver().more:
        ring()


@shared_task(soft_time_limit=280, time_limit=300)
def sweep_outbox() -> None:
    """Release what is due, give back what dead workers held, deliver."""
    if sweep().more:
        ring()


@shared_task(soft_time_limit=280, time_limit=300)
def remind_carts() -> None:
    """Remind of unfinished carts that are due."""
    remind_due()
