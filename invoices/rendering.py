"""Files of issued documents: made once from the frozen copy, stored with their hash, verified whenever they are read."""

import hashlib
import logging
import os

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from django.utils.translation import gettext as _

from invoices.errors import FileChanged, PdfUnavailable, RenderFailed
from invoices.models import Invoice, InvoiceEvent
from invoices.pdf import print_apart
from invoices.printing import job_of_invoice
from invoices.services.issuing import record

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 3


def make_file(invoice_id: int) -> Invoice:
    """Make and store the file of an issued document; repeating it changes nothing.

    Raises RenderFailed or PdfUnavailable; the document is valid all the same and its number stays.
    """
    invoice = Invoice.objects.select_related("refers").get(pk=invoice_id)
    if invoice.pdf:
        return invoice
    try:
        content = print_apart(job_of_invoice(invoice))
    except (RenderFailed, PdfUnavailable) as error:
        _note_failure(invoice, error)
        raise
    name = default_storage.save(f"invoices/{invoice.issue_date:%Y}/{invoice.public_id}.pdf", ContentFile(content))
    _flush(name)
    # Where two workers made it, one wins; the loser removes its own file.
    won = Invoice.objects.filter(pk=invoice.pk, pdf="").update(
        pdf=name,
        pdf_sha256=hashlib.sha256(content).hexdigest(),
        pdf_size=len(content),
        rendered_at=timezone.now(),
        render_state=Invoice.RenderState.READY,
        render_error="",
    )
    if won:
        record(invoice, InvoiceEvent.Kind.RENDERED)
    else:
        default_storage.delete(name)
    return Invoice.objects.get(pk=invoice_id)


def stored_file(invoice: Invoice) -> bytes:
    """Bytes of the stored file. Raises FileChanged where they are missing or not those that were stored; the event is kept."""
    try:
        with invoice.pdf.open() as stored:
            content: bytes = stored.read()
    except (OSError, ValueError):
        content = b""
    if hashlib.sha256(content).hexdigest() != invoice.pdf_sha256:
        record(invoice, InvoiceEvent.Kind.VERIFY_FAILED, detail="missing" if not content else "other bytes")
        raise FileChanged(_("The stored file of %(number)s is not the one that was issued.") % {"number": invoice.number})
    return content


def restore_file(invoice: Invoice) -> None:
    """Make a lost or changed file anew from the frozen copy; stored only where it gives the very same bytes, else FileChanged."""
    content = print_apart(job_of_invoice(invoice))
    if hashlib.sha256(content).hexdigest() != invoice.pdf_sha256:
        raise FileChanged(_("The file of %(number)s can't be made again with the same bytes.") % {"number": invoice.number})
    name = str(invoice.pdf.name)
    if default_storage.exists(name):
        default_storage.delete(name)
    default_storage.save(name, ContentFile(content))


def _note_failure(invoice: Invoice, error: Exception) -> None:
    logger.warning("the file of %s could not be made: %s", invoice.number, error)
    attempts = invoice.render_attempts + 1
    is_final = attempts >= MOST_ATTEMPTS
    Invoice.objects.filter(pk=invoice.pk, pdf="").update(
        render_attempts=attempts,
        render_error=str(error)[:400],
        render_state=Invoice.RenderState.FAILED if is_final else Invoice.RenderState.PENDING,
    )
    if is_final:
        record(invoice, InvoiceEvent.Kind.RENDER_FAILED, detail=str(error))


def _flush(name: str) -> None:
    """The bytes reach the disk before the database says so."""
    try:
        path = default_storage.path(name)
    except NotImplementedError:
        return  # an object store answers only when it holds the bytes
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
