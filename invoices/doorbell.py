"""Wakes the worker after a commit. Best effort: the sweep finds what the doorbell missed."""

import logging
from typing import Any

logger = logging.getLogger(__name__)


def ring_for_file(invoice_id: int) -> None:
    """Ask for the file of an issued document; never raises, also with no broker."""
    from invoices.tasks import render_invoice  # noqa: PLC0415 (tasks import the services that ring)

    _ring(render_invoice, invoice_id)


def ring_for_documents() -> None:
    """Ask for the release of documents that are due; never raises, also with no broker."""
    from invoices.tasks import sweep_documents  # noqa: PLC0415 (as above)

    _ring(sweep_documents)


def _ring(task: Any, *args: object) -> None:
    try:
        task.apply_async(args=args, retry=False)
    except Exception as error:  # noqa: BLE001 (whatever the broker says, the change is committed and the sweep follows)
        logger.warning("the worker could not be woken: %s", type(error).__name__)
