"""Invoices in the back office: read-only lists, the seller's settings, number series."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from invoices.models import Invoice, InvoiceSeries, PendingDocument, SellerProfile
from orders.money import format_money


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that services write: seen here, never added, changed or deleted."""

    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Invoice)
class InvoiceAdmin(ReadOnlyAdmin):
    list_display = ["number", "issue_date", "type", "buyer_name", "order_link", "total", "file_state", "pdf_link"]
    list_display_links = ["number"]
    list_filter = ["kind", "render_state", "is_test", "currency", ("issue_date", admin.DateFieldListFilter)]
    search_fields = ["number", "buyer_name", "order_number", "refers_number"]
    search_help_text = _("Invoice number, order number or buyer")
    date_hierarchy = "issue_date"
    list_per_page = 50
    show_full_result_count = False
    list_select_related = ["order"]
    fieldsets = [
        (None, {"fields": ["number", "type", "issue_date", "order_link", "buyer_name", "pdf_link", "file_state", "render_error"]}),
        (_("Amounts"), {"fields": ["net_text", "vat_text", "total", "paid_text", "due_text", "groups"]}),
        (_("Correction"), {"fields": ["refers_link", "reason", "reason_text"]}),
        (_("Seal"), {"fields": ["hash", "previous_hash", "pdf_sha256", "retain_until", "issued_at", "issued_by_name"]}),
        (_("History"), {"fields": ["history"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invoice]:
        return super().get_queryset(request).defer("seller", "buyer", "ship_to", "payment", "notes")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for _title, options in self.fieldsets for name in options["fields"]]  # type: ignore[misc]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("invoices.view_invoice")

    @admin.display(description=_("type"), ordering="kind")
    def type(self, invoice: Invoice) -> str:
        return str(invoice.get_kind_display())

    @admin.display(description=_("total"), ordering="gross")
    def total(self, invoice: Invoice) -> str:
        return format_html('<span class="nowrap">{}</span>', format_money(invoice.sign * invoice.gross, invoice.currency))

    @admin.display(description=_("net"))
    def net_text(self, invoice: Invoice) -> str:
        return format_money(invoice.sign * invoice.net, invoice.currency)

    @admin.display(description=_("VAT"))
    def vat_text(self, invoice: Invoice) -> str:
        return format_money(invoice.sign * invoice.vat, invoice.currency)

    @admin.display(description=_("paid when issued"))
    def paid_text(self, invoice: Invoice) -> str:
        return format_money(invoice.paid, invoice.currency)

    @admin.display(description=_("due when issued"))
    def due_text(self, invoice: Invoice) -> str:
        return format_money(invoice.due, invoice.currency)

    @admin.display(description=_("VAT groups"))
    def groups(self, invoice: Invoice) -> str:
        return ", ".join(
            f"{group.category} {group.rate.normalize():f} %: {format_money(group.base, invoice.currency)}"
            f" + {format_money(group.vat, invoice.currency)}"
            for group in invoice.vat_groups.all()
        )

    @admin.display(description=_("order"), ordering="order_number")
    def order_link(self, invoice: Invoice) -> str:
        return format_html('<a href="{}">#{}</a>', reverse("admin:orders_order_change", args=[invoice.order_id]), invoice.order_number)

    @admin.display(description=_("corrects"))
    def refers_link(self, invoice: Invoice) -> str:
        if not invoice.refers_id:
            return "–"
        return format_html('<a href="{}">{}</a>', reverse("admin:invoices_invoice_change", args=[invoice.refers_id]), invoice.refers_number)

    @admin.display(description=_("file"), ordering="render_state")
    def file_state(self, invoice: Invoice) -> str:
        return str(invoice.get_render_state_display())

    @admin.display(description=_("PDF"))
    def pdf_link(self, invoice: Invoice) -> str:
        url = reverse("documents:invoice", args=[invoice.public_id])
        return format_html('<a href="{}" target="_blank" rel="noopener">{}</a>', url, _("Open"))

    @admin.display(description=_("what happened"))
    def history(self, invoice: Invoice) -> str:
        rows = [f"{event.at:%Y-%m-%d %H:%M} {event.get_kind_display()} {event.actor_name}".strip() for event in invoice.events.all()[:50]]
        return "\n".join(rows) or "–"


TEXTS = {
    "intro_text": _("Introduction, above the items"),
    "thanks_text": _("Thanks, at the end"),
    "discount_text": _("Early payment (business buyers)"),
    "penalty_text": _("Late payment (business buyers)"),
    "recovery_fee_text": _("Recovery fee (business buyers)"),
    "consumer_text": _("Notes to consumers, such as the mediator"),
    "footer_text": _("Foot of every page"),
}
LONGEST_TEXT = 600


class SellerProfileForm(forms.ModelForm):
    """One box per text and language; what is stored is plain text."""

    class Meta:
        model = SellerProfile
        fields = [field.name for field in SellerProfile._meta.fields if field.editable and field.name not in (*TEXTS, "id", "updated_at")]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in TEXTS:
            texts = getattr(self.instance, name) or {}
            for language, _label in settings.LANGUAGES:
                self.fields[f"{name}_{language}"].initial = texts.get(language, "")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name in ("siren", "siret", "iban", "bic", "vat_id"):
            if data.get(name):
                data[name] = "".join(data[name].split()).upper()
        if data.get("siret") and data.get("siren") and not data["siret"].startswith(data["siren"]):
            self.add_error("siret", _("The SIRET begins with the SIREN."))
        return data

    def save(self, commit: bool = True) -> SellerProfile:
        for name in TEXTS:
            texts = {code: self.cleaned_data[f"{name}_{code}"].strip() for code, _label in settings.LANGUAGES}
            setattr(self.instance, name, {code: text for code, text in texts.items() if text})
        return super().save(commit)


def _text_fields() -> dict[str, forms.Field]:
    return {
        f"{name}_{code}": forms.CharField(
            label=format_lazy("{label} ({language})", label=label, language=language),
            required=False,
            max_length=LONGEST_TEXT,
            widget=forms.Textarea(attrs={"rows": 2}),
        )
        for name, label in TEXTS.items()
        for code, language in settings.LANGUAGES
    }


SellerProfileForm.base_fields |= _text_fields()
SellerProfileForm.declared_fields |= _text_fields()


@admin.register(SellerProfile)
class SellerProfileAdmin(admin.ModelAdmin):
    form = SellerProfileForm
    fieldsets = [
        (
            _("Who issues the invoices"),
            {"fields": ["legal_name", "trade_name", "legal_form", "capital", "street", "postcode", "city", "country"]},
        ),
        (_("Registration"), {"fields": ["siren", "siret", "rcs_city", "vat_id", "vat_regime", "vat_on_debits", "tax_registration_id"]}),
        (_("When"), {"fields": ["auto_issue", "invoice_zero_total", "attach_to_mail"]}),
        (_("Payment"), {"fields": ["payment_terms_days", "iban", "bic"]}),
        (_("Contact"), {"fields": ["email", "phone"]}),
        (_("Texts"), {"fields": [f"{name}_{code}" for name in TEXTS for code, _language in settings.LANGUAGES]}),
        (_("Paper"), {"fields": ["paper", "window", "show_sku"]}),
        (_("E-invoicing"), {"fields": ["einvoice_address", "einvoice_scheme", "fr_reform_from", "fiscal_year_start_month"]}),
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """There is one row: its page is the list."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("admin:invoices_sellerprofile_change", args=[SellerProfile.current().pk]))


@admin.register(InvoiceSeries)
class InvoiceSeriesAdmin(admin.ModelAdmin):
    list_display = ["code", "kind", "is_test", "pattern", "reset", "is_default", "is_active"]
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("invoices.manage_series")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("invoices.manage_series")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("invoices.manage_series")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: InvoiceSeries | None = None) -> list[str]:
        """What numbers look like is frozen after first use: a change makes a new series."""
        used = obj is not None and obj.counters.filter(last_number__gt=0).exists()
        return ["code", "kind", "is_test", "pattern", "reset"] if used else []


@admin.register(PendingDocument)
class PendingDocumentAdmin(ReadOnlyAdmin):
    list_display = ["kind", "order", "state", "trigger", "amount_text", "release_at", "invoice", "why"]
    list_filter = ["state", "kind", "trigger"]
    search_fields = ["order__number"]
    list_per_page = 50
    list_select_related = ["order", "invoice"]
    fields = ["kind", "order", "state", "trigger", "amount_text", "release_at", "invoice", "why", "attempts"]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("invoices.view_invoice")

    @admin.display(description=_("amount"), ordering="amount")
    def amount_text(self, document: PendingDocument) -> str:
        return format_money(document.amount, document.order.currency)

    @admin.display(description=_("reasons"))
    def why(self, document: PendingDocument) -> str:
        return " ".join(str(reason.get("text", "")) for reason in document.reasons) or "–"
