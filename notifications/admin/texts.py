"""Texts and switches of mails: which go, what they say in each language, with a preview before anything is saved."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.composing import Source, built_in_text, names_in
from notifications.kinds import ACCOUNT_KINDS, KIND_OF_TEXT, REQUIRED, STAFF_KINDS, Kind, Text
from notifications.models import EmailTemplate, MailSwitch
from notifications.texts import preview, reset_text, save_text
from notifications.views import MAIL_POLICY
from notifications.wording import LANGUAGES, language_name
from orders.errors import InvalidWish
from orders.models import Shop


class TextForm(forms.Form):
    """What staff may change about one text."""

    subject = forms.CharField(label=gettext_lazy("Subject"), max_length=300, strip=True)
    preheader = forms.CharField(
        label=gettext_lazy("Line after the subject"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("Inboxes show it after the subject. Empty: both statuses."),
    )
    body = forms.CharField(label=gettext_lazy("Text"), max_length=50_000, widget=forms.Textarea(attrs={"rows": 22, "class": "mono"}))

    def source(self) -> Source:
        values = self.cleaned_data
        return Source(values["subject"], values["preheader"], values["body"].replace("\r\n", "\n"))


@admin.register(EmailTemplate)
class EmailTemplateAdmin(admin.ModelAdmin):
    """The list is of mails, not of rows: a row exists only where staff changed a text."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: EmailTemplate | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        return [
            path("switch/", site.admin_view(self.switch_view), name="notifications_mailswitch"),
            path("<str:name>/<str:language>/", site.admin_view(self.text_view), name="notifications_text"),
            path("<str:name>/<str:language>/preview/", site.admin_view(self.preview_view), name="notifications_text_preview"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Every mail with its switch and its texts."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        on = MailSwitch.on()
        versions = {(row.name, row.language): row.version for row in EmailTemplate.objects.filter(is_active=True).defer("body")}
        kinds = [
            {
                "code": kind.value,
                "label": kind.label,
                "is_on": kind in on,
                "is_fixed": kind in ACCOUNT_KINDS,
                "to_staff": kind in STAFF_KINDS,
                "texts": [_text_row(name, versions) for name in Text if KIND_OF_TEXT[name] == kind],
            }
            for kind in Kind
        ]
        copy = MailSwitch.COPY_TO_STAFF
        kinds.append({"code": copy, "label": dict(MailSwitch.KINDS)[copy], "is_on": copy in on, "to_staff": True, "texts": []})
        context = self.admin_site.each_context(request) | {
            "title": _("Mail templates"),
            "opts": self.opts,
            "kinds": kinds,
            "may_change": self.has_change_permission(request),
        }
        return TemplateResponse(request, "admin/notifications/texts.html", context | (extra_context or {}))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A saved version leads to the page of its text."""
        row = EmailTemplate.objects.filter(pk=object_id).first() if object_id.isdecimal() and len(object_id) < 19 else None
        if row is None:
            raise Http404
        return redirect("admin:notifications_text", row.name, row.language)

    def switch_view(self, request: HttpRequest) -> HttpResponse:
        """Turn a kind of mail on or off."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        kind = request.POST.get("kind", "")
        if request.method == "POST" and kind in dict(MailSwitch.KINDS) and kind not in ACCOUNT_KINDS:
            is_on = request.POST.get("on") == "1"
            MailSwitch.objects.update_or_create(kind=kind, defaults={"is_on": is_on})
            words = {"name": dict(MailSwitch.KINDS)[kind]}
            messages.success(request, (_("%(name)s: switched on.") if is_on else _("%(name)s: switched off.")) % words)
        return redirect("admin:notifications_emailtemplate_changelist")

    def text_view(self, request: HttpRequest, name: str, language: str) -> HttpResponse:
        """One text in one language: form, facts it may use, preview."""
        text = _known(name, language)
        if not self.has_view_permission(request):
            raise PermissionDenied
        saved = EmailTemplate.objects.filter(name=text, language=language, is_active=True).first()
        form = TextForm(request.POST or None, initial=_initial(text, language, saved))
        if request.method == "POST":
            if not self.has_change_permission(request):
                raise PermissionDenied
            if "reset" in request.POST:
                if reset_text(text, language):
                    messages.success(request, _("The built-in text is used again. Your versions are kept."))
                return redirect("admin:notifications_text", name, language)
            if form.is_valid() and _save(form, text, language, request):
                return redirect("admin:notifications_text", name, language)
        context = self.admin_site.each_context(request) | {
            "title": text.label,
            "opts": self.opts,
            "form": form,
            "name": name,
            "language": language,
            "language_name": language_name(language),
            "saved": saved,
            "versions": list(EmailTemplate.objects.filter(name=text, language=language).select_related("created_by").defer("body")[:10]),
            "facts": sorted(names_in(built_in_text(text, language), language)),
            "required": REQUIRED.get(text, ()),
            "others": [(code, language_name(code)) for code in LANGUAGES if code != language],
            "preview_url": reverse("admin:notifications_text_preview", args=[name, language]),
            "may_change": self.has_change_permission(request),
        }
        return TemplateResponse(request, "admin/notifications/text.html", context, status=422 if form.errors else 200)

    def preview_view(self, request: HttpRequest, name: str, language: str) -> HttpResponse:
        """The mail of a made-up order, from what stands in the form or from the text in use, as a page of its own."""
        text = _known(name, language)
        if not self.has_view_permission(request):
            raise PermissionDenied
        saved = EmailTemplate.objects.filter(name=text, language=language, is_active=True).first()
        form = TextForm(request.POST if request.method == "POST" else _initial(text, language, saved))
        try:
            source = form.source() if form.is_valid() else None
            html = preview(text, language, source, Shop.current()).html if source else ""
        except InvalidWish as error:
            return _plain_page(str(error))
        if not html:
            return _plain_page(" ".join(str(error) for errors in form.errors.values() for error in errors))
        response = HttpResponse(html)
        response.headers["Content-Security-Policy"] = MAIL_POLICY
        return response


def _plain_page(text: str) -> HttpResponse:
    return HttpResponse(text, content_type="text/plain; charset=utf-8", status=422)


def _save(form: TextForm, text: Text, language: str, request: HttpRequest) -> bool:
    try:
        row = save_text(text, language, form.source(), user=request.user)
    except InvalidWish as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
        return False
    messages.success(request, _("Saved as version %(version)d. It is used from now on.") % {"version": row.version})
    return True


def _known(name: str, language: str) -> Text:
    if name not in Text.values or language not in LANGUAGES:
        raise Http404
    return Text(name)


def _initial(text: Text, language: str, saved: EmailTemplate | None) -> dict[str, str]:
    source: Any = saved or built_in_text(text, language)
    return {"subject": source.subject, "preheader": source.preheader, "body": source.body}


def _text_row(name: Text, versions: dict[tuple[str, str], int]) -> dict[str, Any]:
    languages = [
        {
            "code": code,
            "label": language_name(code),
            "version": versions.get((name, code)),
            "url": reverse("admin:notifications_text", args=[name.value, code]),
        }
        for code in LANGUAGES
    ]
    return {"label": name.label, "languages": languages}
