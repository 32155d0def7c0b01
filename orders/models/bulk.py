"""Changes of many orders as jobs: what was asked, how far it is, and what became of each order."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.event import OrderEvent
from orders.models.order import Order


class BulkJob(models.Model):
    """One bulk action. Proposed while its panel is open, queued by the button, worked on by a task; the row is the record."""

    class Kind(models.TextChoices):
        STATUS = "status", _("Status change")
        TAG = "tag", _("Tags")
        ASSIGN = "assign", _("Assignment")
        HOLD = "hold", _("Hold")
        TRACKING = "tracking", _("Tracking numbers")
        PRINT = "print", _("Print")
        EXPORT = "export", _("Export")
        UNDO = "undo", _("Undo")

    class State(models.TextChoices):
        PROPOSED = "proposed", _("proposed")
        QUEUED = "queued", _("waits")
        RUNNING = "running", _("running")
        STOPPED = "stopped", _("stopped")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PROPOSED)
    wish = models.JSONField(default=dict, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="bulk_jobs")
    actor_name = models.CharField(_("by"), max_length=160, blank=True)
    language = models.CharField(max_length=10, blank=True)
    created_at = models.DateTimeField(_("asked"))
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    total = models.PositiveIntegerField(_("orders"), default=0)
    done = models.PositiveIntegerField(_("looked at"), default=0)
    stop_requested = models.BooleanField(default=False)
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_token = models.CharField(max_length=36, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=400, blank=True)
    file = models.FileField(upload_to="bulk", blank=True)
    file_name = models.CharField(max_length=120, blank=True)
    undoes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="undone_by")

    class Meta:
        verbose_name = _("bulk action")
        verbose_name_plural = _("bulk actions")
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [models.Index(fields=["state", "lease_until"], name="bulk_job_to_do")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"


class BulkItem(models.Model):
    """One order of a bulk action, with what became of it: the line of the receipt."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waits")
        DONE = "done", _("changed")
        UNCHANGED = "unchanged", _("was so already")
        REFUSED = "refused", _("left out")

    job = models.ForeignKey(BulkJob, on_delete=models.CASCADE, related_name="items")
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="bulk_items")
    position = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    seen = models.CharField(max_length=64, blank=True)
    message = models.CharField(max_length=400, blank=True)
    event = models.ForeignKey(OrderEvent, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("order of a bulk action")
        verbose_name_plural = _("orders of bulk actions")
        ordering = ["job", "position"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["job", "order"], name="order_once_per_job")]
        indexes = [models.Index(fields=["job", "state", "position"], name="bulk_item_by_state")]

    def __str__(self) -> str:
        return f"{self.order}: {self.get_state_display()}"
