"""How orders arrive: drafts and carts, raw documents of other systems, API tokens and answered requests."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.models.order import Order, money_field
from orders.models.product import Variant


class Draft(models.Model):
    """Something that is not an order yet: a clerk's draft, a quote, an unfinished cart. Placing it makes the order."""

    class Kind(models.TextChoices):
        DRAFT = "draft", _("Draft")
        QUOTE = "quote", _("Quote")
        CART = "cart", _("Unfinished cart")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.DRAFT)
    name = models.CharField(_("name"), max_length=200, blank=True)
    customer_name = models.CharField(_("customer name"), max_length=200, blank=True)
    email = models.CharField(_("e-mail"), max_length=254, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    body = models.JSONField(default=dict, blank=True)
    total = money_field(_("total"))
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    source = models.CharField(_("source"), max_length=40, default=Order.OWN)
    external_id = models.CharField(_("external id"), max_length=120, blank=True)
    recovered_order_id = models.CharField(_("recovered as"), max_length=120, blank=True)
    order = models.OneToOneField(Order, on_delete=models.SET_NULL, null=True, blank=True, related_name="draft", verbose_name=_("order"))
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(_("created"))
    updated_at = models.DateTimeField(_("updated"), auto_now=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    reminded_at = models.DateTimeField(_("reminded"), null=True, blank=True)
    prices_settled_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("When staff kept or renewed the prices of a quote that had expired.")
    )
    reserved_until = models.DateTimeField(_("reserved until"), null=True, blank=True)
    reorder_of = models.ForeignKey(Order, on_delete=models.SET_NULL, null=True, blank=True, related_name="reorders")
    left_out = models.JSONField(default=list, blank=True, editable=False, help_text=_("Items of the old order that are not sold any more."))
    unsubscribed = models.BooleanField(default=False, editable=False)
    closed_at = models.DateTimeField(
        _("closed"), null=True, blank=True, editable=False, help_text=_("Thrown away, and kept because a customer was handed its quote.")
    )
    place_key = models.CharField(max_length=80, blank=True, editable=False)

    class Meta:
        verbose_name = _("draft or cart")
        verbose_name_plural = _("drafts and carts")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "external_id"], condition=~models.Q(external_id=""), name="draft_external_id_unique_per_source"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.customer_name or self.email or f"{self.get_kind_display()} {self.pk}"

    @property
    def is_over(self) -> bool:
        """A quote whose day has passed, whatever was said of its prices since."""
        return self.kind == self.Kind.QUOTE and self.expires_at is not None and self.expires_at <= timezone.now()


class DraftReservation(models.Model):
    """Pieces that a draft keeps from being sold to others; a cache of the ledger, written by orders/services/stock.py only."""

    draft = models.ForeignKey(Draft, on_delete=models.PROTECT, related_name="reservations")
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="reservations")
    pieces = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("reservation")
        verbose_name_plural = _("reservations")
        ordering = ["variant"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["draft", "variant"], name="one_reservation_per_article"),
            models.CheckConstraint(condition=models.Q(pieces__gt=0), name="reservation_holds_something"),
        ]

    def __str__(self) -> str:
        return f"{self.variant} × {self.pieces}"


class RawDocument(models.Model):
    """A document of another system as it came; the hashes of all documents applied stand beside it."""

    source = models.CharField(max_length=40)
    identity = models.CharField(max_length=160)
    content_hash = models.CharField(max_length=64)
    body = models.TextField()
    order = models.ForeignKey(Order, on_delete=models.CASCADE, null=True, blank=True, related_name="raw_documents")
    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, null=True, blank=True, related_name="raw_documents")
    document_updated_at = models.DateTimeField(null=True, blank=True)
    applied_at = models.DateTimeField()

    class Meta:
        verbose_name = _("imported document")
        verbose_name_plural = _("imported documents")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["source", "identity", "content_hash"], name="document_applied_once")]

    def __str__(self) -> str:
        return self.identity


class ApiToken(models.Model):
    """A key of the online shop. The secret is shown once and stored as a hash."""

    name = models.CharField(_("name"), max_length=120, help_text=_("Which shop or program uses it."))
    store_id = models.CharField(_("store"), max_length=60, default="1", help_text=_("The number in the address: /api/v3/1/orders"))
    prefix = models.CharField(_("begins with"), max_length=12, editable=False)
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name


class AnsweredRequest(models.Model):
    """The answer to a request with an Idempotency-Key: a repeated key gets the same answer, nothing happens twice."""

    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE)
    key = models.CharField(max_length=200)
    body_hash = models.CharField(max_length=64)
    status_code = models.PositiveSmallIntegerField()
    answer = models.JSONField()
    order = models.ForeignKey(Order, on_delete=models.CASCADE, null=True, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "key"], name="answered_once_per_key")]

    def __str__(self) -> str:
        return self.key
