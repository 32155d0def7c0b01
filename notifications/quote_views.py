"""The page that mails a quote: the mail as it will arrive and the paper with it, then one button."""

from uuid import UUID

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from notifications.models import OutgoingEmail
from notifications.quotes import RIGHT, QuoteMail, look_at_quote, mail_quote
from notifications.views import MAIL_POLICY, staff_only
from notifications.wording import language_name
from orders.errors import OrderError
from orders.models import Draft
from orders.rights import require, require_draft
from orders.services.plan import Actor

MOST_WORDS = 2000


@staff_only
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def quote(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """GET shows what would be mailed to whom (`?body=1`: the mail alone, for the frame); POST mails it now, or shows it again."""
    require(request.user, RIGHT)
    row = get_object_or_404(Draft.objects.select_related("order"), public_id=public_id)
    require_draft(request.user, row, "orders.change_draft")
    asked = request.POST if request.method == "POST" else request.GET
    word = asked.get("word", "")[:MOST_WORDS]
    if request.method == "POST" and asked.get("do") == "send":
        try:
            mail = mail_quote(row, actor=Actor.clerk(request.user), personal_word=word)
        except OrderError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("The quote is mailed to %(address)s.") % {"address": mail.recipient})
            return redirect(_draft_url(row))
    looked, problem = _look(row, word)
    if asked.get("body"):
        response = HttpResponse(looked.composed.html if looked else problem, status=200 if looked else 409)
        response.headers["Content-Security-Policy"] = MAIL_POLICY
        return response
    context = admin.site.each_context(request) | {
        "title": _("Mail the quote"),
        "row": row,
        "draft_url": _draft_url(row),
        "mail": looked,
        "language": language_name(looked.choice.language) if looked else "",
        "problem": problem,
        "word": word,
        "sent": OutgoingEmail.objects.filter(draft=row, kind="quote").defer("html", "text").order_by("-id")[:20],
    }
    return render(request, "admin/notifications/quote.html", context)


def _look(row: Draft, word: str) -> tuple[QuoteMail | None, str]:
    try:
        return look_at_quote(row, personal_word=word), ""
    except OrderError as error:
        return None, str(error)


def _draft_url(row: Draft) -> str:
    return f"{reverse('admin:orders_order_add')}?draft={row.public_id}"
