"""Celery tasks: files of issued documents, and the sweep that finds what the doorbell missed."""

import logging

from celery import shared_task

from invoices.errors import PdfUnavailable, RenderFailed
from invoices.models import Invoice
from invoices.rendering import MOST_ATTEMPTS, make_file
from invoices.services import release_documents

logger = logging.getLogger(__name__)

FILES_PER_SWEEP = 10


@shared_task(soft_time_limit=100, time_limit=120)
def render_invoice(invoice_id: int) -> None:
    """Make the file of one document; a failure is kept on the document and tried again by the sweep."""
    try:
        make_file(invoice_id)
    except (RenderFailed, PdfUnavailable):
        logger.info("invoice %s waits for its file", invoice_id)


@shared_task(soft_time_limit=280, time_limit=300)
def sweep_documents() -> None:
    """Issue documents that are due, then make files that are still missing."""
    release_documents()
    missing = Invoice.objects.filter(render_state=Invoice.RenderState.PENDING, pdf="", render_attempts__lt=MOST_ATTEMPTS)
    for pk in missing.order_by("id").values_list("pk", flat=True)[:FILES_PER_SWEEP]:
        render_invoice(pk)
