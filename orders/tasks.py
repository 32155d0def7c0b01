"""Celery tasks of orders: turns at bulk jobs, and the sweeps that find jobs which the doorbell or a dead worker left."""

from celery import shared_task

from orders.bulk.doorbell import ring
from orders.bulk.jobs import clean_away, due_jobs
from orders.bulk.working import work
from orders.services.reserving import release_expired


@shared_task(soft_time_limit=280, time_limit=300)
def work_on_job(job_id: int) -> None:
    """One turn at a job that changes orders; more than a turn's work waits for the next, so that mails get between."""
    if work(job_id):
        ring(job_id, is_paper=False)


@shared_task(soft_time_limit=1700, time_limit=1800)
def work_on_paper_job(job_id: int) -> None:
    """One turn at a job that makes a file."""
    if work(job_id):
        ring(job_id, is_paper=True)


@shared_task(soft_time_limit=280, time_limit=300)
def sweep_jobs() -> None:
    """A turn at each job that waits, and old proposals and files removed."""
    clean_away()
    for pk in due_jobs(is_paper=False):
        work_on_job(pk)


@shared_task(soft_time_limit=1700, time_limit=1800)
def sweep_paper_jobs() -> None:
    """The same of jobs that make files."""
    for pk in due_jobs(is_paper=True):
        work_on_paper_job(pk)


@shared_task(soft_time_limit=280, time_limit=300)
def release_reservations() -> None:
    """Give back what drafts keep past their time."""
    release_expired()
