"""An edit of a placed order that somebody is working on: nothing of it counts until it is accepted."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.event import OrderEvent
from orders.models.order import Order


class OrderProposal(models.Model):
    """What one person wants to change about an order. At most one is open per order, so that two never work against each other."""

    class State(models.TextChoices):
        OPEN = "open", _("Being worked on")
        ACCEPTED = "accepted", _("Accepted")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="proposals", verbose_name=_("order"))
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("author")
    )
    author_name = models.CharField(max_length=160, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OPEN)
    base_version = models.PositiveIntegerField(help_text=_("The version of the order that the edit was made against."))
    base_event = models.BigIntegerField(default=0, help_text=_("The order's latest event then; what came after it is what changed."))
    body = models.JSONField(default=dict, blank=True)
    event = models.OneToOneField(OrderEvent, on_delete=models.SET_NULL, null=True, blank=True, related_name="proposal")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("edit of an order")
        verbose_name_plural = _("edits of orders")
        ordering = ["-id"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["order"], condition=models.Q(state="open"), name="one_open_proposal_per_order"),
        ]

    def __str__(self) -> str:
        return f"{self.order} {self.get_state_display()}"
