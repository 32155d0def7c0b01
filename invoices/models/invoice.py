"""What was issued, frozen: an invoice or credit note with its lines, VAT groups, and what happened to it since."""

import uuid
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from invoices.errors import Immutable
from invoices.models.numbering import InvoiceSeries
from invoices.triggers import LIVE
from orders.models import Order

# What may still change once issued: the file appears, its transmission is followed.
LIVE_FIELDS = frozenset(LIVE)


def _money(label: Any = "", **options: Any) -> models.DecimalField:
    return models.DecimalField(label, max_digits=16, decimal_places=4, **({"default": Decimal(0)} | options))


class FrozenQuerySet(models.QuerySet):
    """Rows that are written once."""

    live_fields: frozenset[str] = frozenset()

    def update(self, **values: Any) -> int:
        if not values.keys() <= self.live_fields:
            raise Immutable(_("Issued documents are never changed; correct them with a credit note."))
        return super().update(**values)

    def bulk_update(self, objs: Any, fields: Any, batch_size: int | None = None) -> int:
        raise Immutable(_("Issued documents are never changed; correct them with a credit note."))

    def delete(self) -> tuple[int, dict[str, int]]:
        raise Immutable(_("Issued documents are never deleted; correct them with a credit note."))

    update.alters_data = bulk_update.alters_data = delete.alters_data = True  # type: ignore[attr-defined]


class InvoiceQuerySet(FrozenQuerySet):
    live_fields = LIVE_FIELDS

    def invoices(self) -> "InvoiceQuerySet":
        return self.filter(kind=Invoice.Kind.INVOICE)

    def credit_notes(self) -> "InvoiceQuerySet":
        return self.filter(kind=Invoice.Kind.CREDIT_NOTE)


class Frozen(models.Model):
    """Saved once, then neither changed nor deleted (BOI-BIC-DECLA-30-10-30: what was recorded stays readable)."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise Immutable(_("Issued documents are never changed; correct them with a credit note."))
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise Immutable(_("Issued documents are never deleted; correct them with a credit note."))


class Invoice(Frozen):
    """An issued invoice (380) or credit note (381). Corrections are credit notes; nothing here is edited."""

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("Invoice")
        CREDIT_NOTE = "credit_note", _("Credit note")

    class Reason(models.TextChoices):
        NONE = "", "–"
        CANCEL = "cancel", _("cancelled order")
        REFUND = "refund", _("refund")
        EDIT = "edit", _("edited order")
        BUYER_DATA = "buyer_data", _("wrong buyer data")
        GOODWILL = "goodwill", _("goodwill")

    class BuyerKind(models.TextChoices):
        CONSUMER = "consumer", _("consumer")
        BUSINESS = "business", _("business")
        PUBLIC = "public", _("public body")

    class RenderState(models.TextChoices):
        PENDING = "pending", _("file is being made")
        READY = "ready", _("file is ready")
        FAILED = "failed", _("file could not be made")

    class Transmission(models.TextChoices):
        NOT_REQUIRED = "not_required", _("not required")
        TO_SEND = "to_send", _("to send")
        SENT = "sent", pgettext_lazy("invoice", "sent")
        ACCEPTED = "accepted", pgettext_lazy("invoice", "accepted")
        REFUSED = "refused", pgettext_lazy("invoice", "refused")
        REJECTED = "rejected", _("rejected")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(_("type"), max_length=12, choices=Kind)
    is_simplified = models.BooleanField(default=False)
    is_test = models.BooleanField(_("test"), default=False)
    series = models.ForeignKey(InvoiceSeries, on_delete=models.PROTECT, related_name="invoices")
    period = models.CharField(max_length=7)
    sequence = models.PositiveIntegerField()
    number = models.CharField(_("number"), max_length=35, unique=True)
    issue_key = models.CharField(max_length=120, unique=True)
    issue_date = models.DateField(_("date"))
    issued_at = models.DateTimeField(_("issued"))
    issued_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    issued_by_name = models.CharField(_("issued by"), max_length=160, blank=True)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="invoices", verbose_name=_("order"))
    order_number = models.CharField(_("order"), max_length=80)
    order_version = models.PositiveIntegerField()
    refers = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="credit_notes")
    refers_number = models.CharField(max_length=35, blank=True)
    refers_date = models.DateField(null=True, blank=True)
    replaces = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaced_by")
    reason = models.CharField(_("reason"), max_length=12, choices=Reason, blank=True)
    reason_text = models.CharField(_("reason, as printed"), max_length=400, blank=True)
    locale = models.CharField(max_length=10)
    currency = models.CharField(_("currency"), max_length=3)
    exponent = models.PositiveSmallIntegerField()
    process = models.CharField(max_length=2)
    tax_point_code = models.CharField(max_length=3, blank=True)
    supply_date = models.DateField(null=True, blank=True)
    due_date = models.DateField(null=True, blank=True)
    buyer_kind = models.CharField(max_length=10, choices=BuyerKind)
    buyer_name = models.CharField(_("buyer"), max_length=400)
    buyer_country = models.CharField(max_length=2, blank=True)
    seller = models.JSONField()
    buyer = models.JSONField()
    ship_to = models.JSONField()
    payment = models.JSONField()
    notes = models.JSONField()
    tax_id_check = models.JSONField(default=dict)
    lines_net = _money()
    allowance_net = _money()
    charge_net = _money()
    net = _money(_("net"))
    vat = _money(_("VAT"))
    gross = _money(_("total"))
    rounding = _money()
    paid = _money()
    due = _money()
    vat_accounting_currency = models.CharField(max_length=3, blank=True)
    vat_accounting_total = _money(null=True, blank=True, default=None)
    fx_rate = models.DecimalField(max_digits=16, decimal_places=8, null=True, blank=True)
    fx_date = models.DateField(null=True, blank=True)
    snapshot_version = models.PositiveSmallIntegerField(default=1)
    template_version = models.PositiveSmallIntegerField(default=1)
    previous_hash = models.CharField(_("hash before"), max_length=64, blank=True)
    hash = models.CharField(_("hash"), max_length=64)
    retain_until = models.DateField(_("kept until"))
    render_state = models.CharField(_("file"), max_length=8, choices=RenderState, default=RenderState.PENDING)
    render_error = models.CharField(_("what went wrong"), max_length=400, blank=True)
    render_attempts = models.PositiveSmallIntegerField(default=0)
    pdf = models.FileField(max_length=200, blank=True)
    pdf_sha256 = models.CharField(_("hash of the file"), max_length=64, blank=True)
    pdf_size = models.PositiveIntegerField(default=0)
    rendered_at = models.DateTimeField(null=True, blank=True)
    transmission_state = models.CharField(max_length=12, choices=Transmission, default=Transmission.NOT_REQUIRED)

    objects = InvoiceQuerySet.as_manager()
    remaining: Decimal  # what no credit note took back; set by services.uncredited_invoices

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [
            ("issue_invoice", _("Can issue an invoice")),
            ("credit_invoice", _("Can issue a credit note")),
            ("export_invoice", _("Can export invoices")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["series", "period", "sequence"], name="invoice_sequence_once"),
            models.CheckConstraint(
                condition=models.Q(kind="invoice", refers=None) | models.Q(kind="credit_note", refers__isnull=False),
                name="only_credit_notes_refer",
            ),
            models.CheckConstraint(condition=models.Q(sequence__gt=0), name="sequence_starts_at_one"),
        ]
        indexes = [
            models.Index(fields=["order", "-id"], name="invoice_by_order"),
            models.Index(fields=["-issue_date", "-id"], name="invoice_newest_first"),
            models.Index(fields=["render_state"], name="invoice_by_render_state"),
        ]

    def __str__(self) -> str:
        return self.number

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Written once; afterwards only the fields of the file and of its transmission."""
        if not self._state.adding:
            fields = kwargs.get("update_fields")
            if fields is None or not set(fields) <= LIVE_FIELDS:
                raise Immutable(_("Issued documents are never changed; correct them with a credit note."))
            models.Model.save(self, *args, **kwargs)
            return
        super().save(*args, **kwargs)

    @property
    def is_credit_note(self) -> bool:
        return self.kind == self.Kind.CREDIT_NOTE

    @property
    def sign(self) -> int:
        """Credit notes hold positive amounts; lists and exports show them negative."""
        return -1 if self.is_credit_note else 1


class InvoiceLine(Frozen):
    """A line, an allowance (a discount's share on one VAT group) or a charge (shipping's share)."""

    class Kind(models.TextChoices):
        LINE = "line", _("line")
        ALLOWANCE = "allowance", _("allowance")
        CHARGE = "charge", _("charge")

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.LINE)
    order_line_id = models.PositiveBigIntegerField(null=True, blank=True)
    refers_line = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    sku = models.CharField(max_length=200, blank=True)
    name = models.CharField(max_length=600)
    options = models.TextField(blank=True)
    quantity = models.DecimalField(max_digits=12, decimal_places=4, default=Decimal(1))
    unit = models.CharField(max_length=3, default="C62")
    unit_price = models.DecimalField(max_digits=16, decimal_places=6, default=Decimal(0))
    unit_net = models.DecimalField(max_digits=16, decimal_places=6, default=Decimal(0))
    price_includes_tax = models.BooleanField(default=True)
    discount = _money()  # of the line itself, as entered
    discount_net = _money()
    amount_input = _money()  # price × quantity less the line's discount; an allowance's or charge's amount
    allowance_share = _money()  # part of the order's discounts that falls on this line
    net = _money()
    vat_category = models.CharField(max_length=2)
    vat_rate = models.DecimalField(max_digits=6, decimal_places=3)
    tax_country = models.CharField(max_length=2, blank=True)
    exemption_code = models.CharField(max_length=30, blank=True)
    exemption_text = models.CharField(max_length=400, blank=True)
    reason_code = models.CharField(max_length=4, blank=True)
    is_digital = models.BooleanField(default=False)

    objects = FrozenQuerySet.as_manager()

    class Meta:
        verbose_name = _("invoice line")
        verbose_name_plural = _("invoice lines")
        ordering = ["invoice", "position"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["invoice", "position"], name="one_line_per_position")]

    def __str__(self) -> str:
        return self.name


class InvoiceVatGroup(Frozen):
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="vat_groups")
    tax_country = models.CharField(max_length=2, blank=True)
    category = models.CharField(max_length=2)
    rate = models.DecimalField(max_digits=6, decimal_places=3)
    base = _money()
    vat = _money()
    exemption_code = models.CharField(max_length=30, blank=True)
    exemption_text = models.CharField(max_length=400, blank=True)

    objects = FrozenQuerySet.as_manager()

    class Meta:
        verbose_name = _("VAT group")
        verbose_name_plural = _("VAT groups")
        ordering = ["invoice", "-rate", "category", "tax_country"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["invoice", "tax_country", "category", "rate"], name="one_row_per_vat_group")]

    def __str__(self) -> str:
        return f"{self.category} {self.rate}"


class InvoiceEvent(Frozen):
    """What happened to an issued document, append-only."""

    class Kind(models.TextChoices):
        ISSUED = "issued", _("issued")
        RENDERED = "rendered", _("file made")
        RENDER_FAILED = "render_failed", _("file could not be made")
        OPENED = "opened", _("opened")
        DOWNLOADED = "downloaded", _("downloaded")
        MAILED = "mailed", _("mailed")
        EXPORTED = "exported", _("exported")
        VERIFY_FAILED = "verify_failed", _("stored file does not match")

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=14, choices=Kind)
    at = models.DateTimeField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    actor_name = models.CharField(max_length=160, blank=True)
    detail = models.CharField(max_length=400, blank=True)

    objects = FrozenQuerySet.as_manager()

    class Meta:
        verbose_name = _("invoice event")
        verbose_name_plural = _("invoice events")
        ordering = ["-id"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return str(self.get_kind_display())
