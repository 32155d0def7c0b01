"""The page that imports orders of Ecwid from uploaded files."""

from typing import Any

from django import forms
from django.contrib.admin import AdminSite
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext
from django.views.decorators.http import require_http_methods

from orders.choices import ChangeSource
from orders.importers.ecwid.importing import import_documents
from orders.importers.ecwid.reading import Upload
from orders.importers.ecwid.report import Became, Report
from orders.rights import require
from orders.services.wishes import Actor

SIZE_LIMIT = 20 * 1024 * 1024  # in all; larger imports belong on the command line
SHOWN = 500  # documents listed one by one


class SeveralFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True
    template_name = "django/forms/widgets/file.html"


class SeveralFilesField(forms.FileField):
    """Any number of files, at least one, at most SIZE_LIMIT in all."""

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        files = [super(SeveralFilesField, self).clean(file, initial) for file in data or [None]]
        if sum(file.size or 0 for file in files) > SIZE_LIMIT:
            raise forms.ValidationError(
                _("These files are larger than %(limit)d MB. Import them on the server: manage.py import_ecwid FILE")
                % {"limit": SIZE_LIMIT // 1024 // 1024}
            )
        return files


class ImportForm(forms.Form):
    documents = SeveralFilesField(
        label=gettext_lazy("Files"),
        widget=SeveralFilesInput(attrs={"accept": ".json,.jsonl,.ndjson,application/json", "aria-describedby": "hint-documents"}),
        error_messages={"required": gettext_lazy("Choose at least one file."), "empty": gettext_lazy("The file is empty.")},
    )
    move_stock = forms.BooleanField(label=gettext_lazy("Move stock"), required=False)
    dry_run = forms.BooleanField(label=gettext_lazy("Only try"), required=False)


def import_urls(admin_site: AdminSite) -> list[URLPattern]:
    """The address of the page, as admin:orders_import."""
    return [path("orders/import/", admin_site.admin_view(_view_of(admin_site)), name="orders_import")]


def _view_of(admin_site: AdminSite) -> Any:
    @require_http_methods(["GET", "POST"])
    def import_orders(request: HttpRequest) -> HttpResponse:
        require(request.user, "orders.import_order")
        form = ImportForm(request.POST or None, request.FILES or None) if request.method == "POST" else ImportForm()
        report = None
        if request.method == "POST" and form.is_valid():
            report = _run(request, form)
        context = admin_site.each_context(request) | {"title": _("Import orders"), "form": form, "report": report}
        if report is not None:
            context |= _shown(report)
        return render(request, "admin/orders/import.html", context)

    return import_orders


def _run(request: HttpRequest, form: ImportForm) -> Report:
    user: Any = request.user
    return import_documents(
        [Upload(file.name or "", file.file, file.size or 0) for file in form.cleaned_data["documents"]],
        move_stock=form.cleaned_data["move_stock"],
        dry_run=form.cleaned_data["dry_run"],
        actor=Actor(ChangeSource.IMPORT, user, user.get_full_name() or user.get_username()),
    )


def _shown(report: Report) -> dict[str, Any]:
    """What failed first, then what warns, then the rest in the order of the files."""
    rows = sorted(report.results, key=lambda result: 0 if result.became == Became.FAILED else 2 - bool(result.warnings))
    looks = {became: (_word(became), *_LOOKS[became]) for became in Became}
    counts = {became: report.counts[became.value] for became in Became}
    return {
        "rows": [(row, looks[row.became]) for row in rows[:SHOWN]],
        "hidden": max(len(rows) - SHOWN, 0),
        "counts": [(_counted(became, count), *_LOOKS[became]) for became, count in counts.items() if count],
        "warnings": report.counts["warnings"],
    }


# Tone and glyph of what became of a document.
_LOOKS = {
    Became.CREATED: ("success", "s-paid"),
    Became.UPDATED: ("info", "s-doing"),
    Became.UNCHANGED: ("neutral", "s-none"),
    Became.OLDER: ("neutral", "s-clock"),
    Became.FAILED: ("danger", "s-cancelled"),
}


def _word(became: Became) -> str:
    return {
        Became.CREATED: pgettext("imported document", "created"),
        Became.UPDATED: pgettext("imported document", "updated"),
        Became.UNCHANGED: pgettext("imported document", "unchanged"),
        Became.OLDER: pgettext("imported document", "older, kept"),
        Became.FAILED: pgettext("imported document", "refused"),
    }[became]


def _counted(became: Became, count: int) -> str:
    return {
        Became.CREATED: ngettext("%(count)d created", "%(count)d created", count),
        Became.UPDATED: ngettext("%(count)d updated", "%(count)d updated", count),
        Became.UNCHANGED: ngettext("%(count)d unchanged", "%(count)d unchanged", count),
        Became.OLDER: ngettext("%(count)d older, kept", "%(count)d older, kept", count),
        Became.FAILED: ngettext("%(count)d refused", "%(count)d refused", count),
    }[became] % {"count": count}
