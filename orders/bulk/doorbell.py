"""Wakes the worker for a bulk job after the commit. Never in the way: a broker that is gone costs the click nothing."""

import logging
import threading

logger = logging.getLogger(__name__)


def ring(job_id: int, *, is_paper: bool) -> None:
    """Ask for the work now. Never raises and never waits; the sweep finds what this missed."""
    threading.Thread(target=_wake, args=(job_id, is_paper), name="bulk-doorbell", daemon=True).start()


def _wake(job_id: int, is_paper: bool) -> None:
    from orders.tasks import work_on_job, work_on_paper_job  # noqa: PLC0415 (tasks import what rings)

    try:
        (work_on_paper_job if is_paper else work_on_job).apply_async(args=(job_id,), retry=False)
    except Exception as error:  # noqa: BLE001 (whatever the broker says, the job is committed and the sweep follows)
        logger.warning("the worker could not be woken: %s", type(error).__name__)
