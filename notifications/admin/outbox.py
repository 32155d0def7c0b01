"""Outgoing mail: every mail with its state, its exact body and what the mail server answered."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from notifications.accounts import may_read_body
from notifications.kinds import ACCOUNT_KINDS, Kind
from notifications.models import DeliveryAccount, OutgoingEmail
from notifications.templatetags.order_mails import row_of
from notifications.wording import language_name

State = OutgoingEmail.State
PAGE = 50
MOST_COUNTED = 100
TABS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "": (_("All"), ()),
    "waiting": (_("Waiting"), (State.HELD, State.QUEUED, State.SENDING)),
    "failed": (_("Failed"), (State.FAILED, State.DEAD)),
    "sent": (_("Sent"), (State.SENT,)),
    "stopped": (_("Stopped"), (State.CANCELLED, State.SUPPRESSED)),
}
COUNTED = ("waiting", "failed")


@admin.register(OutgoingEmail)
class OutgoingEmailAdmin(admin.ModelAdmin):
    """Read only: what was written is never edited; it is stopped, or sent again as a row of its own."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: OutgoingEmail | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: OutgoingEmail | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list: tabs by state, kinds, search over order number, address and subject, newest first."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        tab = request.GET.get("state", "") if request.GET.get("state", "") in TABS else ""
        kind = request.GET.get("kind", "") if request.GET.get("kind", "") in Kind.values else ""
        text = request.GET.get("q", "").strip()[:200]
        before = request.GET.get("before", "")
        mails = _found(tab, kind, text)
        if before.isdecimal() and len(before) < 19:
            mails = mails.filter(pk__lt=int(before))
        rows = [row_of(mail) for mail in mails.select_related("order").defer("html", "text").order_by("-id")[: PAGE + 1]]
        context = self.admin_site.each_context(request) | {
            "title": _("Outgoing mail"),
            "opts": self.opts,
            "rows": rows[:PAGE],
            "next_before": rows[PAGE - 1].mail.pk if len(rows) > PAGE else "",
            "tabs": [_tab(key, label, tab) for key, (label, _states) in TABS.items()],
            "tab": tab,
            "kind": kind,
            "kinds": Kind.choices,
            "q": text,
            "account": DeliveryAccount.objects.filter(pk="default").first(),
            "now": timezone.now(),
            "may_send": request.user.has_perm("notifications.send_outgoingemail"),
            "may_pause": request.user.has_perm("orders.change_shop"),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/notifications/outbox.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One mail: its state and answers beside its body."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        mails = OutgoingEmail.objects.select_related("order", "draft", "event", "resend_of", "cancelled_by")
        mail = mails.filter(pk=object_id).first() if object_id.isdecimal() and len(object_id) < 19 else None
        if mail is None:
            raise Http404
        context = self.admin_site.each_context(request) | {
            "title": mail.subject,
            "opts": self.opts,
            "mail": mail,
            "row": row_of(mail),
            "language_name": language_name(mail.language),
            "tries": list(mail.tries.all()[:20]),
            "resends": list(mail.resends.defer("html", "text").order_by("-id")[:10]),
            "may_send": request.user.has_perm("notifications.send_outgoingemail"),
            "may_read": may_read_body(request.user, mail),
            "is_account_mail": mail.kind in ACCOUNT_KINDS,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/notifications/mail.html", context)


def _found(tab: str, kind: str, text: str) -> QuerySet[OutgoingEmail]:
    mails = OutgoingEmail.objects.all()
    if states := TABS[tab][1]:
        mails = mails.filter(state__in=states)
    if kind:
        mails = mails.filter(kind=kind)
    if text:
        number = text.removeprefix("#")
        mails = mails.filter(
            Q(order__number=number) | Q(recipient__icontains=text) | Q(recipient_name__icontains=text) | Q(subject__icontains=text)
        )
    return mails


def _tab(key: str, label: Any, current: str) -> dict[str, Any]:
    count = ""
    if key in COUNTED:
        found = OutgoingEmail.objects.filter(state__in=TABS[key][1])[:MOST_COUNTED].count()
        count = f"{MOST_COUNTED - 1}+" if found >= MOST_COUNTED else str(found or "")
    return {"key": key, "label": label, "count": count, "alert": key == "failed" and count, "current": key == current}
