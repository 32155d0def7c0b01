"""What happened to an order, append-only: timeline, audit and source of mails in one."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.choices import ChangeSource
from orders.models.order import Order


class OrderEvent(models.Model):
    class Kind(models.TextChoices):
        PLACED = "placed", _("Order placed")
        IMPORTED = "imported", _("Imported")
        UPDATED = "updated", _("Updated by import")
        STATUS = "status", _("Status changed")
        PAYMENT = "payment", _("Payment recorded")
        REFUND = "refund", _("Refund recorded")
        SHIPMENT = "shipment", _("Shipment recorded")
        RETURN = "return", _("Return recorded")
        EDIT = "edit", _("Order edited")
        NOTE = "note", _("Note")
        HOLD = "hold", _("Hold changed")
        DETAILS = "details", _("Details changed")
        DELETED = "deleted", _("Deleted")
        UNDO = "undo", _("Undone")

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=12, choices=Kind)
    at = models.DateTimeField(db_index=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    actor_name = models.CharField(max_length=160, blank=True)
    source = models.CharField(max_length=10, choices=ChangeSource)
    changes = models.JSONField(default=dict, blank=True)
    facts = models.JSONField(default=dict, blank=True)
    reason = models.CharField(max_length=400, blank=True)
    undoes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="undone_by")
    batch = models.UUIDField(default=uuid.uuid4, db_index=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["-id"]
        indexes = [models.Index(fields=["order", "-id"], name="event_of_order")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}"


class Note(models.Model):
    """A staff note: never shown to the customer."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="notes")
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="replies")
    event = models.OneToOneField(OrderEvent, on_delete=models.CASCADE, null=True, blank=True, related_name="note")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    author_name = models.CharField(max_length=160, blank=True)
    text = models.TextField(_("note"))
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text[:60]
