"""Pages and files of documents: order sheet, packing slip, invoice; issue and credit by POST; a signed link for customers."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID, uuid4

from django.contrib import admin, messages
from django.contrib.auth.decorators import user_passes_test
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import content_disposition_header, url_has_allowed_host_and_scheme
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from invoices import pdf, wording
from invoices.errors import CannotIssue, FileChanged, PdfUnavailable, RenderFailed
from invoices.forms import CreditForm
from invoices.models import Invoice, InvoiceEvent, PendingDocument, Quote
from invoices.quotes import quote_file_name, quote_job, quote_language, stored_quote
from invoices.rendering import make_file, stored_file
from invoices.services import credit_invoice, issue_invoice, release_document
from invoices.services.issuing import record
from invoices.sheets import order_sheet, packing_slip
from orders.errors import NotAllowed, OrderError
from orders.models import Draft, Order, Shipment, Shop
from orders.rights import require, require_draft
from orders.services.plan import Actor

logger = logging.getLogger(__name__)

LINES_IN_PROCESS = 150  # longer pages are laid out in a process of their own
LINK_SALT = "invoices.customer-link"
LINK_AGE = 90 * 24 * 3600

View = Callable[..., HttpResponse]
staff_only = user_passes_test(lambda user: user.is_active and user.is_staff, login_url="admin:login")


def _with_right(right: str) -> Callable[[View], View]:
    """Staff with this right; others are asked to sign in, or refused."""

    def wrap(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *places: Any, **named: Any) -> HttpResponse:
            require(request.user, right)
            return view(request, *places, **named)

        return staff_only(checked)

    return wrap


@require_GET
@_with_right("orders.print_order")
def order_sheet_view(request: HttpRequest, order_id: int) -> HttpResponse:
    """The order on paper, in the reader's language (or ?lang=)."""
    order = _order(order_id)
    language = wording.document_language(request.GET.get("lang") or get_language() or "", Shop.current())
    job = order_sheet(order, language=language, with_notes=request.GET.get("notes") != "0")
    return _print(request, order, job, _("Order") + f"-{order.number}.pdf")


@require_GET
@_with_right("orders.print_order")
def packing_slip_view(request: HttpRequest, order_id: int, shipment_id: int | None = None) -> HttpResponse:
    """The packing slip of an order or of one parcel, in the customer's language (or ?lang=)."""
    order = _order(order_id)
    shipment = get_object_or_404(Shipment, pk=shipment_id, order=order) if shipment_id else None
    language = wording.document_language(request.GET.get("lang") or order.language, Shop.current())
    job = packing_slip(order, language=language, shipment=shipment)
    return _print(request, order, job, _("Packing slip") + f"-{order.number}.pdf")


@require_GET
@_with_right("orders.add_order")
def quote_view(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A draft's quote on paper as it stands now, in the customer's language (or ?lang=); nothing is kept."""
    draft = get_object_or_404(Draft, public_id=public_id)
    require_draft(request.user, draft, "orders.view_draft")
    try:
        content = pdf.print_here(quote_job(draft, language=quote_language(draft, request.GET.get("lang", ""))))
    except PdfUnavailable as error:
        return _no_quote(request, _no_pdf_text(error), draft)
    except (OrderError, RenderFailed) as error:
        return _no_quote(request, str(error), draft)
    return _file(content, f"{_('Quote')}-{draft}.pdf", downloads=request.GET.get("download") == "1")


@require_GET
@_with_right("orders.add_order")
def kept_quote_view(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A quote as it was handed out."""
    quote = get_object_or_404(Quote.objects.select_related("draft"), public_id=public_id)
    require_draft(request.user, quote.draft, "orders.view_draft")
    try:
        return _file(stored_quote(quote), quote_file_name(quote), downloads=request.GET.get("download") == "1")
    except FileChanged as error:
        return _no_quote(request, str(error), quote.draft)


def _no_quote(request: HttpRequest, reason: str, draft: Draft) -> HttpResponse:
    context = admin.site.each_context(request) | {"title": str(draft), "reason": reason, "draft": draft}
    return render(request, "admin/invoices/no_quote.html", context, status=503)


@require_GET
@_with_right("invoices.view_invoice")
def invoice_view(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The stored file of an issued document; ?download=1 saves it. A file that is not ready yet is made now."""
    invoice = get_object_or_404(Invoice, public_id=public_id)
    downloads = request.GET.get("download") == "1"
    answer = _stored(request, invoice, downloads=downloads)
    if answer.status_code == 200:
        kind = InvoiceEvent.Kind.DOWNLOADED if downloads else InvoiceEvent.Kind.OPENED
        record(invoice, kind, actor=Actor.clerk(request.user))
    return answer


@require_GET
def customer_invoice_view(request: HttpRequest, token: str) -> HttpResponse:
    """The customer's own copy, by a signed link that expires and is bound to one order."""
    try:
        facts = signing.loads(token, salt=LINK_SALT, max_age=LINK_AGE)
    except signing.BadSignature as error:
        raise Http404 from error
    invoice = get_object_or_404(Invoice, public_id=facts["invoice"], order=facts["order"])
    with override(invoice.locale):
        return _stored(request, invoice, downloads=request.GET.get("download") == "1")


def customer_link(invoice: Invoice) -> str:
    """Path of the customer's copy, valid for 90 days."""
    token = signing.dumps({"invoice": str(invoice.public_id), "order": invoice.order_id}, salt=LINK_SALT)
    return reverse("documents:customer_invoice", args=[token])


@require_POST
@_with_right("invoices.issue_invoice")
def issue_view(request: HttpRequest, order_id: int) -> HttpResponse:
    """Issue the invoice of an order; a double click issues one. What stands against it is said with the place to put it right."""
    order = _order(order_id)
    confirmed = request.POST.get("external_confirmed") == "1"
    key = request.POST.get("issue_key", "")
    try:
        invoice = issue_invoice(
            order.pk, actor=Actor.clerk(request.user), issue_key=f"form:{key}" if key else "", external_confirmed=confirmed
        )
    except CannotIssue as error:
        if [problem.code for problem in error.problems] == ["external_documents"]:
            return render(request, "admin/invoices/issue_anyway.html", _context(request, order) | {"issue_key": key or uuid4().hex})
        _say(request, error)
    except NotAllowed as error:
        messages.error(request, str(error))
    else:
        link = reverse("documents:invoice", args=[invoice.public_id])
        text = _("Invoice %(number)s is issued.") % {"number": invoice.number}
        messages.success(request, format_html('<a class="link" href="{}">{}</a>', link, text))
    return _back(request, order)


@require_http_methods(["GET", "POST"])
@_with_right("invoices.credit_invoice")
def credit_view(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Credit an invoice: everything that is left, or pieces and shipping, or an amount."""
    invoice = get_object_or_404(Invoice.objects.invoices().select_related("order"), public_id=public_id)
    form = CreditForm(request.POST or None, invoice=invoice, initial={"issue_key": uuid4().hex})
    if request.method == "POST" and form.is_valid():
        try:
            note = credit_invoice(invoice.pk, actor=Actor.clerk(request.user), **form.wish())
        except OrderError as error:
            form.add_error(None, str(error))
        else:
            link = reverse("documents:invoice", args=[note.public_id])
            text = _("Credit note %(number)s is issued.") % {"number": note.number}
            messages.success(request, format_html('<a class="link" href="{}">{}</a>', link, text))
            return _back(request, invoice.order)
    title = _("Credit invoice %(number)s") % {"number": invoice.number}
    context = _context(request, invoice.order) | {"invoice": invoice, "form": form, "title": title}
    return render(request, "admin/invoices/credit.html", context, status=400 if form.is_bound else 200)


@require_POST
@staff_only
def release_view(request: HttpRequest, pending_id: int) -> HttpResponse:
    """Issue a waiting document now, or try one again that needed staff."""
    document = get_object_or_404(PendingDocument, pk=pending_id)
    right = "invoices.issue_invoice" if document.kind == PendingDocument.Kind.INVOICE else "invoices.credit_invoice"
    require(request.user, right)
    released = release_document(document.pk, actor=Actor.clerk(request.user))
    if released and released.invoice:
        messages.success(request, _("%(number)s is issued.") % {"number": released.invoice.number})
    elif released:
        for reason in released.reasons:
            _say_with_link(request, reason["text"], reason.get("link", ""))
    return _back(request, document.order)


@require_POST
@_with_right("invoices.issue_invoice")
def make_file_view(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Try again to make the file of an issued document."""
    invoice = get_object_or_404(Invoice, public_id=public_id)
    try:
        make_file(invoice.pk)
    except PdfUnavailable as error:
        messages.error(request, _no_pdf_text(error))
    except RenderFailed as error:
        messages.error(request, _("The file could not be made: %(reason)s") % {"reason": error})
    else:
        messages.success(request, _("The file of %(number)s is ready.") % {"number": invoice.number})
    return _back(request, invoice.order)


def _order(order_id: int) -> Order:
    return get_object_or_404(Order.objects.with_statuses(), pk=order_id)


def _print(request: HttpRequest, order: Order, job: pdf.Job, filename: str) -> HttpResponse:
    is_long = order.lines.count() > LINES_IN_PROCESS
    try:
        content = pdf.print_apart(job) if is_long else pdf.print_here(job)
    except PdfUnavailable as error:
        return _unavailable(request, _no_pdf_text(error), order)
    except RenderFailed as error:
        logger.warning("order %s could not be printed: %s", order.pk, error)
        return _unavailable(request, _("This page could not be printed: %(reason)s") % {"reason": error}, order)
    return _file(content, filename, downloads=request.GET.get("download") == "1")


def _stored(request: HttpRequest, invoice: Invoice, *, downloads: bool) -> HttpResponse:
    try:
        if not invoice.pdf:
            invoice = make_file(invoice.pk)
        content = stored_file(invoice)
    except PdfUnavailable as error:
        return _unavailable(request, _no_pdf_text(error), invoice.order)
    except RenderFailed as error:
        return _unavailable(request, _("The file could not be made: %(reason)s") % {"reason": error}, invoice.order)
    except FileChanged as error:
        return _unavailable(request, str(error), invoice.order, status=500)
    return _file(content, f"{_word(invoice)}-{invoice.number}.pdf", downloads=downloads)


def _word(invoice: Invoice) -> str:
    with override(invoice.locale):
        return _("Credit note") if invoice.is_credit_note else _("Invoice")


def _file(content: bytes, filename: str, *, downloads: bool) -> HttpResponse:
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = content_disposition_header(downloads, filename.replace("/", "-").replace(" ", "-")) or "inline"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-store"
    return answer


def _no_pdf_text(error: PdfUnavailable) -> str:
    return _("PDF can't be made on this server: the Pango library is missing. To install it: %(command)s") % {"command": error}


def _unavailable(request: HttpRequest, reason: str, order: Order, *, status: int = 503) -> HttpResponse:
    """A page that says why there is no file; customers see only that it comes later."""
    if not (request.user.is_active and getattr(request.user, "is_staff", False)):
        return render(request, "documents/unavailable.html", status=status)
    return render(request, "admin/invoices/unavailable.html", _context(request, order) | {"reason": reason}, status=status)


def _context(request: HttpRequest, order: Order) -> dict[str, Any]:
    return admin.site.each_context(request) | {"order": order, "title": str(order)}


def _say(request: HttpRequest, error: CannotIssue) -> None:
    for problem in error.problems:
        _say_with_link(request, problem.text, problem.link)


def _say_with_link(request: HttpRequest, text: str, link: str) -> None:
    messages.error(request, format_html('<a class="link" href="{}">{}</a>', link, text) if link else text)


def _back(request: HttpRequest, order: Order) -> HttpResponseRedirect:
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return HttpResponseRedirect(wanted)
    return redirect("admin:orders_order_change", order.pk)
