"""Documents that wait to be issued: for their release time, or for staff to put something right."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from invoices.models.invoice import Invoice
from orders.models import Order, OrderEvent


class PendingDocument(models.Model):
    """An invoice or credit note that a rule or a clerk asked for (domain, section 5). No number is drawn before it is issued."""

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("Invoice")
        CREDIT_NOTE = "credit_note", _("Credit note")

    class State(models.TextChoices):
        WAITING = "waiting", _("will be issued")
        ISSUED = "issued", _("issued")
        NEEDS_STAFF = "needs_staff", _("needs you")
        CANCELLED = "cancelled", _("not issued")

    class Trigger(models.TextChoices):
        PLACED = "placed", _("order placed")
        PAID = "paid", _("order paid")
        SHIPPED = "shipped", _("order shipped")
        REFUND = "refund", _("refund recorded")
        RELEASED = "released", _("order cancelled or refunded")
        EDITED = "edited", _("order edited")

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="pending_documents", verbose_name=_("order"))
    event = models.ForeignKey(OrderEvent, on_delete=models.CASCADE, related_name="pending_documents")
    kind = models.CharField(_("document"), max_length=12, choices=Kind)
    trigger = models.CharField(_("because of"), max_length=10, choices=Trigger)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.WAITING)
    release_at = models.DateTimeField(_("issued at"))
    amount = models.DecimalField(_("amount"), max_digits=16, decimal_places=4, default=0)
    details = models.JSONField(default=dict, blank=True)
    reasons = models.JSONField(default=list, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, null=True, blank=True, related_name="asked_by", verbose_name=_("issued as")
    )
    cancelled_by = models.ForeignKey(
        OrderEvent, on_delete=models.SET_NULL, null=True, blank=True, related_name="cancelled_documents", editable=False
    )
    issue_key = models.CharField(max_length=120, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("document to be issued")
        verbose_name_plural = _("documents to be issued")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["state", "release_at"], name="pending_by_release"),
            models.Index(fields=["order", "state"], name="pending_by_order"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state="issued") | models.Q(invoice__isnull=False), name="issued_documents_name_the_invoice"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.get_state_display()}"
