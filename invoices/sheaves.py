"""Order sheets and packing slips of many orders, printed a handful per child process and joined to one file."""

from collections.abc import Sequence
from contextlib import ExitStack
from io import BytesIO
from tempfile import TemporaryFile
from typing import IO, Any

from django.utils.translation import gettext as _

from invoices import wording
from invoices.errors import PdfUnavailable, RenderFailed
from invoices.pdf import HOW_TO_GET_PANGO, Job, print_all_apart
from invoices.sheets import order_sheet, packing_slip
from orders.models import Order, Shop


def print_sheets(what: str, orders: Sequence[Order], language: str) -> tuple[bytes, dict[int, str]]:
    """One PDF of the "sheets" or "slips" of these orders, in their order, and per order id why one is missing.

    Sheets are in the reader's `language`, slips in the customer's, as on the order's page.
    """
    shop = Shop.current()
    jobs: list[Job] = []
    for order in orders:
        wanted = language if what == "sheets" else order.language
        write = order_sheet if what == "sheets" else packing_slip
        jobs.append(write(order, language=wording.document_language(wanted, shop)))
    try:
        printed = print_all_apart(jobs) if jobs else []
    except (RenderFailed, PdfUnavailable) as error:
        return b"", {order.pk: _reason(error) for order in orders}
    failures = {order.pk: _reason(RenderFailed(page)) for order, page in zip(orders, printed, strict=True) if isinstance(page, str)}
    pages = [page for page in printed if isinstance(page, bytes)]
    return (_joined(pages) if pages else b""), failures


def join_files(parts: Sequence[IO[bytes]]) -> IO[bytes]:
    """One PDF of several, in their order, as an open temporary file."""
    import pikepdf  # noqa: PLC0415 (only the worker that makes files needs it)

    target: Any = TemporaryFile()  # noqa: SIM115 (the caller closes it)
    with ExitStack() as opened:  # pages are copied when the whole is saved: their files stay open until then
        whole = opened.enter_context(pikepdf.new())
        for part in parts:
            whole.pages.extend(opened.enter_context(pikepdf.open(part)).pages)
        whole.save(target)
    target.seek(0)
    return target


def _joined(pages: Sequence[bytes]) -> bytes:
    with join_files([BytesIO(page) for page in pages]) as whole:
        return whole.read()


def _reason(error: Exception) -> str:
    if isinstance(error, PdfUnavailable):
        return _("PDF can't be made on this server yet: %(command)s") % {"command": HOW_TO_GET_PANGO}
    return _("The page could not be printed: %(reason)s") % {"reason": error}
