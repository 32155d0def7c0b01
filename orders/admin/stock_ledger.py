"""The whole ledger of the stock: which movements a filter means, a page of them, and the same as a file."""

import csv
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime, time
from typing import Any

from django import forms
from django.contrib.admin import AdminSite
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from orders.bulk.exporting import separator
from orders.exporting import plain_text, safe_text
from orders.finding import find_variants
from orders.models import StockMovement, Variant

PAGE = 50
SHEET_MOST = 10_000  # a workbook is made while its reader waits; the CSV is read on as it comes
CHUNK = 1000
COLUMNS: tuple[tuple[Any, Callable[[StockMovement], Any]], ...] = (
    (gettext_lazy("Date"), lambda row: timezone.localtime(row.at).replace(tzinfo=None, microsecond=0)),
    (gettext_lazy("SKU"), lambda row: row.variant.sku),
    (gettext_lazy("Article"), lambda row: str(row.variant)),
    (gettext_lazy("Movement"), lambda row: row.get_kind_display()),
    (gettext_lazy("Order"), lambda row: row.order.number if row.order else ""),
    (gettext_lazy("Reason"), lambda row: row.reason or (str(row.event) if row.event else "")),
    (gettext_lazy("By"), lambda row: row.actor_name),
    (gettext_lazy("On hand, change"), lambda row: row.delta_on_hand),
    (gettext_lazy("Committed, change"), lambda row: row.delta_committed),
    (gettext_lazy("On hand"), lambda row: row.on_hand_after),
    (gettext_lazy("Committed"), lambda row: row.committed_after),
    (gettext_lazy("Available"), lambda row: row.on_hand_after - row.committed_after),
)


class LedgerForm(forms.Form):
    """What a reader of the ledger asks for; every field may stay empty."""

    article = forms.CharField(label=gettext_lazy("Article"), max_length=200, required=False)
    kind = forms.ChoiceField(
        label=gettext_lazy("Movement"), choices=[("", gettext_lazy("All")), *StockMovement.Kind.choices], required=False
    )
    order = forms.CharField(label=gettext_lazy("Order number"), max_length=80, required=False)
    person = forms.CharField(label=pgettext_lazy("who moved the stock", "Person"), max_length=160, required=False)
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=200, required=False)
    since = forms.DateField(label=gettext_lazy("First day"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))
    until = forms.DateField(label=gettext_lazy("Last day"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        since, until = values.get("since"), values.get("until")
        if since and until and until < since:
            self.add_error("until", _("The last day lies before the first."))
        return values


def movements_of(form: LedgerForm) -> QuerySet[StockMovement]:
    """The movements that a filter means, newest first; none where the filter makes no sense."""
    movements = StockMovement.objects.select_related("variant__product", "order", "event", "draft").order_by("-id")
    if not form.is_valid():
        return movements.none()
    values = form.cleaned_data
    if values["article"]:
        same = Variant.objects.filter(sku=values["article"])
        found = same if same.exists() else find_variants(Variant.objects.all(), values["article"])
        movements = movements.filter(variant__in=found.order_by().values("pk"))
    if values["order"]:
        movements = movements.filter(order__number=values["order"].removeprefix("#"))
    if values["since"]:
        movements = movements.filter(at__gte=timezone.make_aware(datetime.combine(values["since"], time.min)))
    if values["until"]:
        movements = movements.filter(at__lte=timezone.make_aware(datetime.combine(values["until"], time.max)))
    wanted = {"kind": values["kind"], "actor_name__icontains": values["person"], "reason__icontains": values["reason"]}
    return movements.filter(**{name: value for name, value in wanted.items() if value})


def ledger_view(request: HttpRequest, site: AdminSite, opts: Any) -> HttpResponse:
    """A page of the ledger. Pages go from movement to movement, so that none is lost while orders go on."""
    form = LedgerForm(request.GET)
    rows, newer, older = _page(movements_of(form), request.GET)
    query = request.GET.copy()
    for name in ("before", "after"):
        query.pop(name, None)
    is_filtered = any(query.get(name) for name in form.fields)
    words = {"title": _("Stock movements"), "opts": opts, "form": form, "rows": rows, "newer": newer, "older": older}
    context = site.each_context(request) | words | {"query": query.urlencode(), "is_filtered": is_filtered}
    return TemplateResponse(request, "admin/orders/variant/ledger.html", context)


def ledger_file(request: HttpRequest, site: AdminSite, opts: Any) -> HttpResponseBase:
    """The movements of the filter as CSV, read on while it is sent, or as a workbook if it is small enough."""
    form = LedgerForm(request.GET)
    movements, name = movements_of(form), f"stock-{timezone.localdate():%Y-%m-%d}"
    if not form.is_valid():
        return ledger_view(request, site, opts)
    if request.GET.get("format") != "xlsx":
        response = StreamingHttpResponse(_lines(movements), content_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        return response
    if movements.order_by()[: SHEET_MOST + 1].count() > SHEET_MOST:
        form.add_error(None, _("A workbook holds at most %(most)d movements. Narrow the filter, or take the CSV.") % {"most": SHEET_MOST})
        context = site.each_context(request) | {
            "title": _("Stock movements"),
            "opts": opts,
            "form": form,
        }
        return TemplateResponse(request, "admin/orders/variant/ledger.html", context, status=422)
    return FileResponse(_workbook(movements), as_attachment=True, filename=f"{name}.xlsx")


def _page(movements: QuerySet[StockMovement], asked: QueryDict) -> tuple[list[StockMovement], int | None, int | None]:
    """The rows, and the ids that the pages beside them begin at."""
    before, after = asked.get("before", ""), asked.get("after", "")
    if after.isdecimal() and len(after) < 19:
        rows = list(movements.filter(pk__gt=int(after)).order_by("id")[: PAGE + 1])
        has_newer, has_older = len(rows) > PAGE, True
        rows = rows[:PAGE][::-1]
    else:
        is_later = before.isdecimal() and len(before) < 19
        rows = list((movements.filter(pk__lt=int(before)) if is_later else movements)[: PAGE + 1])
        has_newer, has_older = is_later, len(rows) > PAGE
        rows = rows[:PAGE]
    return rows, rows[0].pk if rows and has_newer else None, rows[-1].pk if rows and has_older else None


def _lines(movements: QuerySet[StockMovement]) -> Iterator[str]:
    writer: Any = csv.writer(_Echo(), delimiter=separator())
    yield "\ufeff" + writer.writerow([str(title) for title, _value in COLUMNS])
    for row in movements.iterator(chunk_size=CHUNK):
        yield writer.writerow([_as_text(value(row)) for _title, value in COLUMNS])


def _as_text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return str(value) if isinstance(value, int) else safe_text(str(value))


def _workbook(movements: QuerySet[StockMovement]) -> Any:
    from openpyxl import Workbook  # noqa: PLC0415 (only who takes a workbook needs it)
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 (as above)

    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet(_("Stock movements")[:31])
    sheet.freeze_panes = "A2"
    sheet.append([str(title) for title, _value in COLUMNS])
    for row in movements.iterator(chunk_size=CHUNK):
        cells = []
        for _title, value in COLUMNS:
            found = value(row)
            cell = WriteOnlyCell(sheet, value=plain_text(found) if isinstance(found, str) else found)
            if isinstance(found, str):
                cell.data_type = "s"  # a text that begins with "=" is no formula
            cells.append(cell)
        sheet.append(cells)
    target = tempfile.TemporaryFile()  # noqa: SIM115 (the response closes it)
    book.save(target)
    target.seek(0)
    return target


class _Echo:
    """A file that hands each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line
