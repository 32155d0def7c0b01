"""Draws numbers without gaps: the counter rises in the transaction that inserts the document, and rolls back with it."""

from datetime import date, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Max
from django.utils.translation import gettext as _

from invoices.errors import CannotIssue, Problem
from invoices.models import InvoiceCounter, InvoiceSeries

MIDNIGHT_RACE = timedelta(days=1)


def default_series(kind: str, *, is_test: bool) -> InvoiceSeries | None:
    """The series for new documents of a kind; test orders have their own, never mixed."""
    return InvoiceSeries.objects.filter(kind=kind, is_test=is_test, is_default=True, is_active=True).first()


def draw_number(series: InvoiceSeries, day: date) -> tuple[InvoiceCounter, date, str]:
    """The next number of `series`: its counter (locked until commit), the date of issue and the printed number.

    Call it last, inside a transaction. Dates never go backwards in a series: a day of difference is a race at midnight and takes
    the later date, more is refused with `date_backwards`.
    """
    latest = InvoiceCounter.objects.filter(series=series).aggregate(day=Max("last_issue_date"))["day"]
    if latest and day < latest:
        if latest - day > MIDNIGHT_RACE:
            text = _("The last document of this series is dated %(day)s; dates can't go backwards.") % {"day": latest.isoformat()}
            raise CannotIssue([Problem("date_backwards", "issue_date", text)])
        day = latest
    counter = _raise_counter(series, series.period_of(day))
    if counter.last_issue_date and day < counter.last_issue_date:  # another process went first, past midnight
        day = counter.last_issue_date
    return counter, day, series.number(counter.last_number, day)


def _raise_counter(series: InvoiceSeries, period: str) -> InvoiceCounter:
    rows = InvoiceCounter.objects.filter(series=series, period=period)
    if not rows.update(last_number=F("last_number") + 1):
        before = InvoiceCounter.objects.filter(series=series, last_number__gt=0).order_by("-last_issue_date", "-id").first()
        try:
            with transaction.atomic():
                InvoiceCounter.objects.create(series=series, period=period, last_hash=before.last_hash if before else "")
        except IntegrityError:
            pass  # another process made it at the same moment
        rows.update(last_number=F("last_number") + 1)
    return rows.get()
