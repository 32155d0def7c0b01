"""Imports documents of Ecwid: the service that the command and the admin page share."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from django.db import DatabaseError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from orders.choices import ChangeSource
from orders.errors import OrderError
from orders.importers.ecwid.parsing import InvalidDocument, parse_document
from orders.importers.ecwid.reading import Found, Source, Unreadable, read_documents, size_of
from orders.importers.ecwid.report import Became, Report, Result
from orders.importers.ecwid.writing import Pending, Writer
from orders.services.wishes import Actor

BATCH = 100


@dataclass(frozen=True)
class Progress:
    """How far an import is; `size` is 0 where it is not known."""

    documents: int
    read: int
    size: int


def import_documents(
    sources: Sequence[Source],
    *,
    move_stock: bool = False,
    dry_run: bool = False,
    actor: Actor | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_result: Callable[[Result], None] | None = None,
) -> Report:
    """Create or update an order per document (domain, section 3, Import), a hundred per transaction; mails nothing, issues nothing.

    A wrong document is reported with its path and the others go on; running it again changes nothing. With `dry_run` everything
    is done and taken back. `move_stock` lets stock follow lines whose SKU is exactly one of ours. Results go to `on_result` one by
    one, or into the report where nobody asks for them.
    """
    report = Report(is_dry_run=dry_run)
    run = _Run(
        report=report,
        writer=Writer(actor=actor or Actor(ChangeSource.IMPORT, None, pgettext("source", "Import")), move_stock=move_stock),
        on_result=on_result or report.results.append,
    )
    size = size_of(sources)
    with transaction.atomic() if dry_run else nullcontext():
        read = documents = 0
        for found in read_documents(sources):
            documents += 1
            if isinstance(found, Unreadable):
                run.flush()
                run.tell([Result(found.source, found.position, Became.FAILED, problems=(found.problem,))])
            else:
                read += len(found.text)
                run.take(found)
            if on_progress and documents % 25 == 0:
                on_progress(Progress(documents, read, size))
        run.flush()
        if on_progress:
            on_progress(Progress(documents, size or read, size))
        if dry_run:
            transaction.set_rollback(True)
    return report


class _Run:
    """Collects documents into batches in which no two speak of the same order."""

    def __init__(self, *, report: Report, writer: Writer, on_result: Callable[[Result], None]) -> None:
        self.report, self.writer, self.on_result = report, writer, on_result
        self.pending: list[Pending] = []
        self.keys: set[str] = set()

    def take(self, found: Found) -> None:
        """Parse a document and put it into the batch; a full batch is written."""
        try:
            document = parse_document(found.value)
        except InvalidDocument as error:
            self.flush()
            number = _number_of(found.value)
            self.tell([Result(found.source, found.position, Became.FAILED, number=number, problems=tuple(error.problems))])
            return
        keys = {document.identity, document.shown_number}
        keys |= {f"external:{document.external_id}"} if document.external_id else set()
        keys |= {f"cart:{document.cart_id}"} if document.cart_id else set()
        if self.keys & keys or len(self.pending) >= BATCH:
            self.flush()
        self.keys |= keys
        self.pending.append(Pending(found, document))

    def flush(self) -> None:
        """Write the batch; where the database refuses it, document by document, so that only the wrong one fails."""
        batch, self.pending, self.keys = self.pending, [], set()
        if not batch:
            return
        try:
            self.tell(self.writer.write(batch))
            return
        except (DatabaseError, OrderError) as error:
            refused = error
            self.writer.statuses.read()
        if len(batch) == 1:
            self.tell([_refused(batch[0], refused)])
            return
        for row in batch:
            try:
                self.tell(self.writer.write([row]))
            except (DatabaseError, OrderError) as error:
                self.writer.statuses.read()
                self.tell([_refused(row, error)])

    def tell(self, results: Iterable[Result]) -> None:
        for result in results:
            self.report.count(result)
            self.on_result(result)


def _refused(row: Pending, error: Exception) -> Result:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    problem = _("$: could not be stored: %(reason)s") % {"reason": reason}
    return Result(row.found.source, row.found.position, Became.FAILED, number=row.document.shown_number, problems=(problem,))


def _number_of(value: object) -> str:
    """The number that a refused document claims, so that it can be found in the file."""
    if not isinstance(value, dict):
        return ""
    number = next((value[key] for key in ("id", "vendorOrderNumber", "orderNumber") if isinstance(value.get(key), (str, int))), "")
    return str(number).replace("\x00", "").encode("utf-8", "replace").decode()[:80]
