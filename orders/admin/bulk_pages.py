"""Pages of bulk jobs: the button of a panel, the receipt with its progress, stop, undo, the file, the list of recent ones."""

import csv
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh

from orders.admin.bulk import show_form, show_panel
from orders.admin.bulk_panels import panel_of
from orders.admin.bulk_receipt import PAGE, Listed, Receipt, listed_jobs, receipt_of, undo_offer
from orders.admin.bulk_status import propose_other
from orders.bulk.asking import right_for
from orders.bulk.exporting import separator
from orders.bulk.jobs import ENDED, go_on, start, stop, undo
from orders.errors import CannotUndo
from orders.exporting import safe_text
from orders.models import BulkItem, BulkJob
from orders.rights import require

Kind, State = BulkJob.Kind, BulkJob.State
EVERYBODYS = "orders.view_bulkjob"


def jobs_of(user: Any) -> QuerySet[BulkJob]:
    """Bulk actions that this person may look at: their own, and everybody's with the right to it."""
    jobs = BulkJob.objects.select_related("actor", "undoes", "undone_by")
    return jobs if user.has_perm(EVERYBODYS) else jobs.filter(actor=user)


def start_view(request: HttpRequest, site: AdminSite, job: UUID) -> HttpResponse:
    """The button of a panel. A second click leads to the same receipt; with "preview" it only counts."""
    if request.method != "POST":
        return redirect("admin:orders_order_changelist")
    asked = _visible(request, job)
    if asked.state != State.PROPOSED:
        return _to_receipt(request, asked)
    require(request.user, right_for(asked.kind, asked.wish))
    if asked.kind in (Kind.STATUS, Kind.TRACKING):
        choices = _ticks(request, asked)
        out = sorted(set(request.POST.getlist("caution")) - set(request.POST.getlist("also")))
        is_other = out != asked.wish.get("out", [])
        if asked.kind == Kind.STATUS and (is_other or "preview" in request.POST):
            # What the button would do has changed since it was last shown: it is shown first.
            context = propose_other(request.user, asked, out, choices) | {"is_shown_again": "preview" not in request.POST}
            return show_panel(request, site, "panel", context)
        start(asked, choices)
        return _to_receipt(request, asked)
    panel = panel_of(asked, request.user, request.POST)
    if not panel.form.is_valid():
        return show_form(request, site, panel, status=422)
    if "preview" in request.POST:
        panel.look()
        return show_form(request, site, panel)
    start(asked, panel.form.choices())
    return _to_receipt(request, asked)


def _ticks(request: HttpRequest, job: BulkJob) -> dict[str, Any]:
    off = sorted(set(request.POST.getlist("optional")) - set(request.POST.getlist("on")))
    choices: dict[str, Any] = {"off": off} if off else {}
    if "may_record" in request.POST and ("record" in request.POST) != job.wish.get("records"):
        choices["record"] = "record" in request.POST
    return choices


def receipt_view(request: HttpRequest, site: AdminSite, job: UUID) -> HttpResponse:
    """What became of each order, while it runs and afterwards."""
    asked = _visible(request, job)
    if asked.state == State.PROPOSED:
        messages.info(request, _("Nothing was asked yet. Choose the orders again."))
        return redirect("admin:orders_order_changelist")
    return _page(request, site, "receipt", receipt_of(asked, request.user, request.GET).context())


def progress_view(request: HttpRequest, site: AdminSite, job: UUID) -> HttpResponse:
    """How far it is: a fragment that asks again each second, until the page is read anew with the results."""
    asked = _visible(request, job)
    if asked.state in ENDED:
        return HttpResponseClientRefresh()
    return _page(request, site, "progress", Receipt(asked, request.user).progress())


def stop_view(request: HttpRequest, site: AdminSite, job: UUID) -> HttpResponse:
    """Stop: what is done stays done."""
    return _do(request, job, stop)


def go_on_view(request: HttpRequest, site: AdminSite, job: UUID) -> HttpResponse:
    """Take up the orders that a stop left waiting."""
    asked = _visible(request, job)
    require(request.user, right_for(asked.kind, asked.wish))
    return _do(request, job, go_on)


def undo_view(request: HttpRequest, site: AdminSite, job: UUID) -> HttpResponse:
    """What an undo would take back (GET), or the undo itself, with a receipt of its own."""
    asked = _visible(request, job)
    if request.method != "POST":
        return _page(request, site, "undo_offer", undo_offer(asked, request.user))
    try:
        undoing = undo(asked, user=request.user)
    except CannotUndo as error:
        messages.error(request, str(error))
        return _to_receipt(request, asked)
    return _to_receipt(request, undoing)


def file_view(request: HttpRequest, site: AdminSite, job: UUID) -> HttpResponseBase:
    """The PDF or the table, for who may still print or export, and for the personal data in it."""
    asked = _visible(request, job)
    require(request.user, right_for(asked.kind, asked.wish), *(["orders.export_personal_data"] if asked.wish.get("personal") else []))
    if not asked.file:
        raise Http404
    try:
        content = asked.file.open("rb")
    except OSError:
        raise Http404 from None
    response = FileResponse(content, as_attachment=True, filename=asked.file_name)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def results_view(request: HttpRequest, site: AdminSite, job: UUID) -> HttpResponseBase:
    """The receipt as a table: a line per order."""
    asked = _visible(request, job)
    response = StreamingHttpResponse(_lines(asked), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{asked.created_at:%Y-%m-%d}-{asked.pk}.csv"'
    return response


def _lines(job: BulkJob) -> Iterator[str]:
    writer: Any = csv.writer(_Echo(), delimiter=separator())
    yield "\ufeff" + writer.writerow([_("Order"), _("Customer"), _("Result"), _("Reason")])
    labels = dict(BulkItem.State.choices)
    rows = job.items.order_by("position").values_list("order__number", "order__customer_name", "state", "message")
    for number, name, state, message in rows.iterator(chunk_size=2000):
        yield writer.writerow([safe_text(number), safe_text(name), str(labels[state]), safe_text(message)])


class _Echo:
    """A file that hands each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def jobs_view(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Recent bulk actions, newest first."""
    jobs = jobs_of(request.user).exclude(state=State.PROPOSED).order_by("-id")
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 18:
        jobs = jobs.filter(pk__lt=int(before))
    rows = list(jobs[: PAGE + 1])
    listed: list[Listed] = listed_jobs(rows[:PAGE])
    older = f"?before={rows[PAGE - 1].pk}" if len(rows) > PAGE else ""
    context = {
        "title": _("Bulk actions"),
        "jobs": listed,
        "older": older,
        "sees_all": request.user.has_perm(EVERYBODYS),
        "list_url": reverse("admin:orders_order_changelist"),
    }
    return _page(request, site, "jobs", context)


def _do(request: HttpRequest, public_id: UUID, act: Callable[[BulkJob], object]) -> HttpResponse:
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    job = _visible(request, public_id)
    act(job)
    return _to_receipt(request, job)


def _visible(request: HttpRequest, public_id: UUID) -> BulkJob:
    job = jobs_of(request.user).filter(public_id=public_id).first()
    if job is None:
        raise Http404
    return job


def _to_receipt(request: HttpRequest, job: BulkJob) -> HttpResponse:
    url = reverse("admin:orders_order_bulk_job", args=[job.public_id])
    return HttpResponseClientRedirect(url) if getattr(request, "htmx", False) else redirect(url)


def _page(request: HttpRequest, site: AdminSite, name: str, context: dict[str, Any]) -> HttpResponse:
    is_fragment = bool(getattr(request, "htmx", False)) and name in ("progress", "undo_offer")
    template = f"admin/orders/bulk/{name}.html"
    response = TemplateResponse(
        request,
        template if is_fragment or name in ("receipt", "jobs") else "admin/orders/bulk/fragment_page.html",
        ({} if is_fragment else site.each_context(request)) | {"fragment": template} | context,
    )
    patch_vary_headers(response, ["HX-Request"])
    return response


BULK_PLACES: dict[str, tuple[str, Callable[..., HttpResponseBase]]] = {
    "bulk_jobs": ("bulk/jobs/", jobs_view),
    "bulk_job": ("bulk/<uuid:job>/", receipt_view),
    "bulk_start": ("bulk/<uuid:job>/start/", start_view),
    "bulk_progress": ("bulk/<uuid:job>/progress/", progress_view),
    "bulk_stop": ("bulk/<uuid:job>/stop/", stop_view),
    "bulk_go_on": ("bulk/<uuid:job>/go-on/", go_on_view),
    "bulk_undo": ("bulk/<uuid:job>/undo/", undo_view),
    "bulk_file": ("bulk/<uuid:job>/file/", file_view),
    "bulk_results": ("bulk/<uuid:job>/results/", results_view),
}
