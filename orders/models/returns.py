"""A return from the customer's request to its end: what is asked back, what came, what became of it, what was given for it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orders.models.event import OrderEvent
from orders.models.order import Order, OrderLine
from orders.models.payment import Refund


class ReturnCase(models.Model):
    """One return of one order. Its steps are changes of the order: each has an event, and the latest can be undone."""

    class State(models.TextChoices):
        REQUESTED = "requested", pgettext_lazy("return", "Requested")
        APPROVED = "approved", pgettext_lazy("return", "Approved")
        RECEIVED = "received", pgettext_lazy("return", "Received")
        INSPECTED = "inspected", pgettext_lazy("return", "Inspected")
        CLOSED = "closed", pgettext_lazy("return", "Closed")
        REFUSED = "refused", pgettext_lazy("return", "Refused")
        WITHDRAWN = "withdrawn", pgettext_lazy("return", "Withdrawn")

    class Ending(models.TextChoices):
        REFUND = "refund", pgettext_lazy("return", "refunded")
        EXCHANGE = "exchange", pgettext_lazy("return", "exchanged")
        NOTHING = "nothing", pgettext_lazy("return", "nothing given back")

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="return_cases")
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.REQUESTED)
    note = models.CharField(_("note"), max_length=400, blank=True)
    refusal = models.CharField(_("why it was refused"), max_length=400, blank=True)
    ending = models.CharField(_("how it ended"), max_length=10, choices=Ending, blank=True)
    refund = models.ForeignKey(Refund, on_delete=models.SET_NULL, null=True, blank=True, related_name="return_cases")
    requested_at = models.DateTimeField(_("requested"))
    moved_at = models.DateTimeField(_("last step"))
    event = models.ForeignKey(OrderEvent, on_delete=models.CASCADE, related_name="+")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("return")
        verbose_name_plural = _("returns")
        ordering = ["-id"]
        default_permissions = ()
        indexes = [models.Index(fields=["state", "-moved_at", "-id"], name="return_by_state")]

    def __str__(self) -> str:
        return f"{self.order} {self.get_state_display()}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


OPEN_STATES = (ReturnCase.State.REQUESTED, ReturnCase.State.APPROVED, ReturnCase.State.RECEIVED, ReturnCase.State.INSPECTED)


class ReturnCaseLine(models.Model):
    """Pieces of one item within a return."""

    class Reason(models.TextChoices):
        UNKNOWN = "", pgettext_lazy("reason of a return", "not said")
        UNFIT = "unfit", pgettext_lazy("reason of a return", "Does not suit")
        BROKEN = "broken", pgettext_lazy("reason of a return", "Broken on arrival")
        WRONG = "wrong", pgettext_lazy("reason of a return", "Wrong item")
        FAULTY = "faulty", pgettext_lazy("reason of a return", "Faulty")
        LATE = "late", pgettext_lazy("reason of a return", "Arrived too late")
        OTHER = "other", pgettext_lazy("reason of a return", "Other")

    case = models.ForeignKey(ReturnCase, on_delete=models.CASCADE, related_name="lines")
    line = models.ForeignKey(OrderLine, on_delete=models.CASCADE, related_name="return_lines")
    asked = models.PositiveIntegerField(_("asked back"))
    received = models.PositiveIntegerField(_("received"), default=0)
    shelf = models.PositiveIntegerField(_("back on the shelf"), default=0)
    lost = models.PositiveIntegerField(_("lost or damaged"), default=0)
    reason = models.CharField(_("reason"), max_length=10, choices=Reason, blank=True)

    class Meta:
        verbose_name = _("item of a return")
        verbose_name_plural = _("items of a return")
        ordering = ["id"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["case", "line"], name="return_line_once"),
            models.CheckConstraint(condition=models.Q(asked__gt=0), name="return_asks_for_something"),
            models.CheckConstraint(
                condition=models.Q(shelf__lte=models.F("received") - models.F("lost")), name="inspected_within_received"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.asked} × {self.line.name}"
