"""Staff notes of an order: written on its page with files and mentions, answered, and their files fetched."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django import forms
from django.contrib.admin import AdminSite
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_htmx.http import HttpResponseClientRefresh

from orders.admin.panel import done
from orders.admin.places import order_url, within
from orders.errors import NotAllowed, OrderError
from orders.models import Note, NoteFile, Order
from orders.people import handle_of, name_of, readers_of_orders
from orders.services.editing import MOST_FILES, NOTE_LENGTH, NoteWish, StoredFile
from orders.services.plan import Actor, apply, plan

MOST_BYTES = 10 * 1024 * 1024
# A file of a colleague is a download and never a page of this site, whatever it holds.
FILE_POLICY = "default-src 'none'; sandbox"


class FilesInput(forms.FileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files up to `MOST_FILES`, each up to `MOST_BYTES`; the error names the file."""

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        files = [file for file in (data if isinstance(data, (list, tuple)) else [data]) if file]
        if len(files) > MOST_FILES:
            raise forms.ValidationError(_("Attach at most %(most)d files.") % {"most": MOST_FILES})
        errors = [
            _("%(name)s is larger than %(most)s.") % {"name": file.name, "most": filesizeformat(MOST_BYTES)}
            for file in files
            if (file.size or 0) > MOST_BYTES
        ]
        errors += [_("%(name)s is empty.") % {"name": file.name} for file in files if not file.size]
        if errors:
            raise forms.ValidationError(errors)
        return files


class NoteForm(forms.Form):
    """A private note with its files."""

    text = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=NOTE_LENGTH,
        error_messages={"required": gettext_lazy("Write the note.")},
        widget=forms.Textarea(attrs={"class": "textarea", "rows": 3}),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Not declared in the class: a form has an attribute of that name, what was uploaded.
        self.fields["files"] = FilesField(label=_("Files"), required=False, widget=FilesInput(attrs={"multiple": True}))


def note_view(request: HttpRequest, site: AdminSite, pk: int, part: int = 0) -> HttpResponse:
    """Write a note or an answer to the note `part`; with `preview` only say who will be mailed. The caller has checked the right to see."""
    order = Order.objects.with_statuses().defer("search").filter(pk=pk).first()
    if order is None:
        raise Http404
    parent = order.notes.filter(pk=part).first() if part else None
    if part and parent is None:
        raise Http404
    if request.method != "POST":
        return _show(request, site, order, NoteForm(), parent)
    if "preview" in request.POST:
        return TemplateResponse(request, "admin/orders/order/note_says.html", {"says": says(request, order, request.POST.get("text", ""))})
    form = NoteForm(request.POST, request.FILES)
    if not form.is_valid():
        return _show(request, site, order, form, parent, status=422)
    try:
        with _stored(form.cleaned_data["files"]) as files:
            wish = NoteWish(
                order_id=order.pk,
                actor=Actor.clerk(request.user),
                text=form.cleaned_data["text"],
                parent_id=parent.pk if parent else None,
                files=files,
            )
            outcome = apply(wish).or_raise()
            if outcome.event is None:
                _remove(files)  # a second click: the note is there already
    except OrderError as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
        is_forbidden = isinstance(error, NotAllowed) and not getattr(request, "htmx", False)
        return _show(request, site, order, form, parent, status=403 if is_forbidden else 422)
    if getattr(request, "htmx", False):
        return HttpResponseClientRefresh()
    note = Note.objects.filter(event=outcome.event).first() if outcome.event else None
    return done(request, order, f"#note-{note.pk}" if note else "#h-notes")


def file_view(_request: HttpRequest, _site: AdminSite, pk: int, part: int) -> HttpResponse | FileResponse:
    """A file of a note as a download. The caller has checked the right to see the order."""
    row = NoteFile.objects.filter(pk=part, note__order=pk).first()
    if row is None or not default_storage.exists(str(row.file.name)):
        raise Http404
    response = FileResponse(row.file.open("rb"), as_attachment=True, filename=row.name, content_type="application/octet-stream")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = FILE_POLICY
    response.headers["Cache-Control"] = "private, no-store"
    return response


def says(request: HttpRequest, order: Order, text: str) -> list[tuple[str, str]]:
    """What adding the note will do, as icon and words: whom it mails, or why not."""
    if not text.strip():
        return []
    planned = plan(NoteWish(order_id=order.pk, actor=Actor.clerk(request.user), text=text), render=False)
    if not planned.changes:
        return [("circle-alert", str(error)) for error in planned.refusals.values()]
    told = [consequence.describe() for consequence in planned.changes[0].consequences]
    return [(item.icon, ": ".join([item.title, *item.lines])) for item in told]


def suggestions(people: Sequence[Any]) -> list[tuple[str, str, bool]]:
    """Colleagues to name with @: what to write, their name, whether they can be mailed."""
    return [(handle_of(person, people), name_of(person), bool(person.email)) for person in people]


def clean_name(name: str) -> str:
    """The name of a file as it is kept and shown: no path, nothing unprintable, not endless."""
    plain = "".join(char for char in name.replace("\\", "/").rpartition("/")[2] if char.isprintable()).strip()
    return plain[-200:] or "file"


def _show(request: HttpRequest, site: AdminSite, order: Order, form: NoteForm, parent: Note | None, *, status: int = 200) -> HttpResponse:
    context = {"order": order, "form": form, "parent": parent, "within": within(request), "order_url": order_url(request, order)}
    if getattr(request, "htmx", False) and request.method == "POST":
        # Only the reasons are answered: the text and the chosen files stay where they are.
        return TemplateResponse(request, "admin/orders/order/note_errors.html", context, status=status)
    context |= {"title": _("Note on #%(number)s") % {"number": order.number}, "mention_people": suggestions(readers_of_orders())}
    return TemplateResponse(request, "admin/orders/order/note_page.html", site.each_context(request) | context, status=status)


@contextmanager
def _stored(uploads: Sequence[UploadedFile]) -> Iterator[list[StoredFile]]:
    """The files in the storage under names nobody can guess; gone again where the note is not written."""
    files: list[StoredFile] = []
    try:
        for upload in uploads:
            path = default_storage.save(f"notes/{uuid.uuid4().hex}", upload)
            files.append(StoredFile(path, clean_name(upload.name or ""), upload.size or 0, (upload.content_type or "")[:120]))
        yield files
    except BaseException:
        _remove(files)
        raise


def _remove(files: Sequence[StoredFile]) -> None:
    for file in files:
        default_storage.delete(file.path)
