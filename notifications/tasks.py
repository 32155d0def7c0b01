"""Celery tasks: deliver what is due, sweep what the doorbell missed, remind of carts."""

from celery import shared_task


@shared_task
def deliver_due() -> None:
    """Deliver mails that are due."""
