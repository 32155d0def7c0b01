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
        RESTORED = "restored", _("Restored")
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
        indexes = [
            models.Index(fields=["order", "-id"], name="event_of_order"),
            # What a person did last: what they may undo.
            models.Index(fields=["actor", "-at"], name="event_of_person", condition=models.Q(actor__isnull=False)),
        ]

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


class NoteMention(models.Model):
    """A colleague whom a note names; they get a mail."""

    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="mentions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="note_mentions")

    class Meta:
        verbose_name = _("mention")
        verbose_name_plural = _("mentions")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["note", "user"], name="mentioned_once_per_note")]

    def __str__(self) -> str:
        return f"@{self.user}"


class NoteFile(models.Model):
    """A file attached to a staff note: served to staff who may see the order, as a download, never shown in the page."""

    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="files")
    file = models.FileField(upload_to="notes")
    name = models.CharField(_("name"), max_length=200)
    size = models.PositiveBigIntegerField(_("size in bytes"))
    content_type = models.CharField(max_length=120, blank=True)

    class Meta:
        verbose_name = _("attached file")
        verbose_name_plural = _("attached files")
        ordering = ["id"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
