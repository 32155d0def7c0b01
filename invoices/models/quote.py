"""Quotes as they were handed out: the file of a draft at one moment, without a number, never changed."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models import Draft


class Quote(models.Model):
    """One printed quote. A draft that changes gets another; what a customer was offered stays readable."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    draft = models.ForeignKey(Draft, on_delete=models.PROTECT, related_name="quotes")
    language = models.CharField(max_length=10)
    valid_until = models.DateTimeField(null=True, blank=True)
    total = models.DecimalField(max_digits=16, decimal_places=4)
    currency = models.CharField(max_length=3)
    content_hash = models.CharField(max_length=64, help_text=_("Of the page that was printed: the same page is kept once."))
    pdf = models.FileField(upload_to="quotes")
    pdf_sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by_name = models.CharField(max_length=160, blank=True)

    class Meta:
        verbose_name = _("quote")
        verbose_name_plural = _("quotes")
        ordering = ["-id"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["draft", "content_hash"], name="quote_printed_once")]

    def __str__(self) -> str:
        return str(self.public_id)
