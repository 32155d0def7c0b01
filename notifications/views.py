"""Pages of mails: bodies in a frame of their own, the buttons of the undo bar and the outbox, and what customers open."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core import signing
from django.db import transaction
from django.db.models import F
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from invoices.services import release_documents
from notifications import services
from notifications.accounts import may_read_body
from notifications.carts import stop_reminders
from notifications.doorbell import ring
from notifications.downloads import SALT
from notifications.kinds import ACCOUNT_KINDS
from notifications.models import FileDownload, OutgoingEmail
from notifications.undo_bar import events_of
from orders.errors import OrderError
from orders.models import DigitalFile, Draft, Order, Shop
from orders.rights import MissingRight, require
from orders.services.plan import Actor, apply
from orders.services.undo import UndoWish

# A mail is a page of its own in a sandboxed frame; it brings its own styles and nothing else.
MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'"
MOST_AT_ONCE = 500

View = Callable[..., HttpResponse]


def staff_only(view: View) -> View:
    """People of the back office; others are asked to sign in."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = request.user
        if not user.is_authenticated or not user.is_active or not user.is_staff:
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        return view(request, *args, **kwargs)

    return checked


@staff_only
@require_safe
@never_cache
def body(request: HttpRequest, mail_id: int) -> HttpResponse:
    """The exact body of a mail as a page of its own."""
    mail = get_object_or_404(OutgoingEmail, pk=mail_id)
    if not may_read_body(request.user, mail):
        raise MissingRight("orders.manage_staff" if mail.kind in ACCOUNT_KINDS else "notifications.view_outgoingemail")
    response = HttpResponse(mail.html)
    response.headers["Content-Security-Policy"] = MAIL_POLICY
    return response


@staff_only
@require_POST
def send_now(request: HttpRequest, event_id: int) -> HttpResponse:
    """Mails and documents of the clerk's click go without waiting out the undo time."""
    ids = [event.pk for event in events_of(event_id, request.user)]
    if not ids:
        raise Http404
    try:
        count = services.release_now(ids, Actor.clerk(request.user))
    except OrderError as error:
        messages.error(request, str(error))
        return _back(request)
    release_documents(event_ids=ids)
    if count:
        messages.success(request, ngettext("%(count)d e-mail goes now.", "%(count)d e-mails go now.", count) % {"count": count})
    return _back(request)


@staff_only
@require_POST
def undo(request: HttpRequest, event_id: int) -> HttpResponse:
    """Take the clerk's click back, order by order; what can't be taken back is told."""
    events = events_of(event_id, request.user)
    if not events:
        raise Http404
    if len(events) > MOST_AT_ONCE:
        messages.error(request, _("Too many orders to undo at once; undo them on their pages."))
        return _back(request)
    actor, undone = Actor.clerk(request.user), 0
    for event in events:
        outcome = apply(UndoWish(order_id=event.order_id, event_id=event.pk, actor=actor))
        undone += len(outcome.events)
        for error in outcome.refusals.values():
            messages.error(request, str(error))
    if undone:
        messages.success(request, ngettext("%(count)d change is undone.", "%(count)d changes are undone.", undone) % {"count": undone})
    return _back(request)


@staff_only
@require_POST
def resend(request: HttpRequest, mail_id: int) -> HttpResponse:
    """Send the exact body again, to the address given."""
    return _do(request, lambda actor: services.resend(mail_id, actor, to=request.POST.get("to") or None), _("The e-mail is sent again."))


@staff_only
@require_POST
def cancel(request: HttpRequest, mail_id: int) -> HttpResponse:
    """Stop a mail that has not left."""
    return _do(request, lambda actor: services.cancel(mail_id, actor), _("The e-mail is stopped."))


@staff_only
@require_POST
def release(request: HttpRequest, mail_id: int) -> HttpResponse:
    """Let one held mail go now, also without its document where asked."""
    without = request.POST.get("without_documents") == "1"
    return _do(request, lambda actor: services.release_mail(mail_id, actor, without_documents=without), _("The e-mail goes now."))


@staff_only
@require_POST
def pause(request: HttpRequest) -> HttpResponse:
    """Stop sending, or go on: mails wait meanwhile and none is lost."""
    require(request.user, "orders.change_shop")
    paused = request.POST.get("paused") == "1"
    Shop.objects.filter(pk=Shop.current().pk).update(mail_paused=paused)
    messages.success(request, _("Outgoing mail is paused.") if paused else _("Mails go out again."))
    if not paused:
        ring()
    return _back(request)


@require_safe
@never_cache
def file(request: HttpRequest, token: str) -> HttpResponseBase:
    """A bought file, behind the signed link of a mail: while the order is paid, the time is not over and the limit not reached."""
    shop = Shop.current()
    try:
        public_id, file_id = signing.loads(token, salt=SALT, max_age=timedelta(days=shop.download_days))
        order = Order.objects.present().select_related("payment_status").get(public_id=public_id)
        bought = DigitalFile.objects.get(pk=file_id)
    except signing.SignatureExpired:
        return _sorry(request, _("This link is no longer valid."), status=410)
    except (signing.BadSignature, ValueError, Order.DoesNotExist, DigitalFile.DoesNotExist):
        raise Http404 from None
    if order.payment_status.releases or not order.payment_status.counts_as_paid:
        return _sorry(request, _("This order is not paid."), status=403)
    if request.method == "GET" and not _count_download(order, bought, shop.download_limit):
        return _sorry(request, _("This file was fetched as often as it may be."), status=403)
    try:
        content = bought.file.open("rb")
    except OSError:
        return _sorry(request, _("This file is missing. Please write to the shop."), status=404)
    return FileResponse(content, as_attachment=True, filename=bought.name)


@csrf_exempt  # mail programs post here by themselves (RFC 8058)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def stop_reminders_view(request: HttpRequest, token: str) -> HttpResponse:
    """Stop reminders of a cart: asks on GET, because mail scanners open links; does it on POST."""
    is_done = request.method == "POST"
    if is_done:
        try:
            stop_reminders(token)
        except (signing.BadSignature, Draft.DoesNotExist, ValueError):
            raise Http404 from None
    return render(request, "mail/stop_reminders.html", {"shop": Shop.current(), "is_done": is_done})


def _count_download(order: Order, bought: DigitalFile, limit: int) -> bool:
    with transaction.atomic():
        FileDownload.objects.get_or_create(order=order, file=bought)
        row = FileDownload.objects.filter(order=order, file=bought, count__lt=limit)
        return bool(row.update(count=F("count") + 1, last_at=timezone.now()))


def _sorry(request: HttpRequest, text: str, *, status: int) -> HttpResponse:
    return render(request, "mail/sorry.html", {"shop": Shop.current(), "text": text}, status=status)


def _do(request: HttpRequest, act: Callable[[Actor], object], done: str) -> HttpResponse:
    require(request.user, services.RIGHT)
    try:
        act(Actor.clerk(request.user))
    except OutgoingEmail.DoesNotExist:
        raise Http404 from None
    except OrderError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    wanted = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return redirect(wanted if is_ours else reverse("admin:index"))
