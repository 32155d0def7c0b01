"""The project: settings, addresses, Celery, the look."""

from ecwid_orders.celery import app as celery_app

__all__ = ["celery_app"]
