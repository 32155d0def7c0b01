"""Proves that issued documents are whole: no hole in a series, dates in order, hashes linked, sums right, files unchanged."""

import hashlib
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from django.db import connection

from invoices.errors import CannotIssue
from invoices.models import Invoice, InvoiceCounter, InvoiceSeries, PendingDocument
from invoices.services.issuing import assert_sums
from invoices.services.sealing import seal
from invoices.triggers import missing_triggers

BATCH = 200


def find_problems() -> Iterator[str]:
    """One line per thing that is wrong with documents; nothing when all is well."""
    for name in missing_triggers(connection):
        yield f"invoices: the database trigger {name} is missing"
    yield from verify()
    stuck = PendingDocument.objects.filter(state=PendingDocument.State.ISSUED, invoice=None).count()
    if stuck:
        yield f"invoices: {stuck} waiting documents say issued and name no document"


def verify(first: date | None = None, last: date | None = None) -> Iterator[str]:
    """Every series from its first number to its last; between two days where given."""
    for series in InvoiceSeries.objects.order_by("pk"):
        yield from _verify_series(series, first, last)
    yield from _over_credited()


def _verify_series(series: InvoiceSeries, first: date | None, last: date | None) -> Iterator[str]:
    counters = {counter.period: counter for counter in series.counters.all()}
    rows = series.invoices.order_by("id").prefetch_related("lines", "vat_groups").select_related("series")
    expected: dict[str, int] = {}
    previous_hash, previous_day = "", None
    for invoice in rows.iterator(chunk_size=BATCH):
        wanted = expected.get(invoice.period, 0) + 1
        shown = (not first or invoice.issue_date >= first) and (not last or invoice.issue_date <= last)
        if shown:
            if invoice.sequence != wanted:
                yield f"{invoice.number}: number {wanted} of {series.code} {invoice.period} is missing"
            if previous_day and invoice.issue_date < previous_day:
                yield f"{invoice.number}: dated {invoice.issue_date}, after a document of {previous_day}"
            if invoice.previous_hash != previous_hash:
                yield f"{invoice.number}: does not link to the document before it"
            yield from _verify_document(invoice)
        expected[invoice.period] = invoice.sequence
        previous_hash, previous_day = invoice.hash, invoice.issue_date
    for period, counter in counters.items():
        yield from _verify_counter(series, counter, expected.get(period, 0))


def _verify_counter(series: InvoiceSeries, counter: InvoiceCounter, last: int) -> Iterator[str]:
    if counter.last_number != last:
        yield f"{series.code} {counter.period}: the counter says {counter.last_number}, the last document is {last}"


def _verify_document(invoice: Invoice) -> Iterator[str]:
    lines, groups = list(invoice.lines.all()), list(invoice.vat_groups.all())
    if seal(invoice.previous_hash, invoice, lines, groups) != invoice.hash:
        yield f"{invoice.number}: its contents do not match its hash"
    try:
        assert_sums(invoice, lines, groups)
    except CannotIssue:
        yield f"{invoice.number}: its amounts do not add up"
    if invoice.pdf:
        try:
            with invoice.pdf.open() as stored:
                digest = hashlib.sha256(stored.read()).hexdigest()
        except OSError:
            yield f"{invoice.number}: its file is missing"
            return
        if digest != invoice.pdf_sha256:
            yield f"{invoice.number}: its file was changed"


def _over_credited() -> Iterator[str]:
    taken: dict[int, Decimal] = {}
    for refers, gross in Invoice.objects.credit_notes().values_list("refers", "gross").iterator(chunk_size=2000):
        taken[refers] = taken.get(refers, Decimal(0)) + gross
    for pk, number, gross in Invoice.objects.filter(pk__in=taken).values_list("pk", "number", "gross"):
        if taken[pk] > gross:
            yield f"{number}: credited with {taken[pk]}, more than its {gross}"
