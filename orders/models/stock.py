"""The stock ledger and what was decided about each piece; both append-only."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.event import OrderEvent
from orders.models.order import Order, OrderLine
from orders.models.product import Variant


class StockMovement(models.Model):
    """One change of a variant's counters, with the balances after it. Written by orders/services/stock.py only."""

    class Kind(models.TextChoices):
        SETTLE = "settle", _("Order")
        ADJUST = "adjust", _("Adjustment")
        RECEIVE = "receive", _("Goods received")
        OPENING = "opening", _("Opening stock")
        RETURN = "return", _("Return")
        RESERVE = "reserve", _("Draft")

    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="movements")
    kind = models.CharField(max_length=10, choices=Kind)
    delta_on_hand = models.IntegerField(default=0)
    delta_committed = models.IntegerField(default=0)
    on_hand_after = models.IntegerField()
    committed_after = models.IntegerField()
    line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, null=True, blank=True, related_name="movements")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, null=True, blank=True, related_name="movements")
    event = models.ForeignKey(OrderEvent, on_delete=models.PROTECT, null=True, blank=True, related_name="movements")
    draft = models.ForeignKey("orders.Draft", on_delete=models.SET_NULL, null=True, blank=True, related_name="movements")
    actor_name = models.CharField(max_length=160, blank=True)
    reason = models.CharField(_("reason"), max_length=400, blank=True)
    key = models.CharField(max_length=80, blank=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("stock movement")
        verbose_name_plural = _("stock movements")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["line", "event", "kind"], condition=models.Q(line__isnull=False), name="movement_once_per_event"
            ),
            models.UniqueConstraint(fields=["variant", "key"], condition=~models.Q(key=""), name="adjustment_once_per_key"),
            models.CheckConstraint(condition=~models.Q(delta_on_hand=0, delta_committed=0), name="movement_moves_something"),
        ]
        indexes = [models.Index(fields=["variant", "-id"], name="ledger_of_variant")]

    def __str__(self) -> str:
        return f"{self.delta_on_hand:+d} / {self.delta_committed:+d}"


class LineDecision(models.Model):
    """Pieces put back on the shelf (or never sent) and pieces lost. A reversal is a row with negative counts."""

    class Source(models.TextChoices):
        STATUS = "status", _("Status")
        REFUND = "refund", _("Refund")
        RETURN = "return", _("Return")
        UNDO = "undo", _("Undone")

    line = models.ForeignKey(OrderLine, on_delete=models.CASCADE, related_name="decisions")
    event = models.ForeignKey(OrderEvent, on_delete=models.CASCADE, related_name="decisions")
    source = models.CharField(max_length=8, choices=Source)
    shelf = models.IntegerField(default=0)
    lost = models.IntegerField(default=0)
    back = models.IntegerField(default=0, help_text=_("How many of these pieces had left in a shipment."))
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversed_by")

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=~models.Q(shelf=0, lost=0), name="decision_decides_something")]

    def __str__(self) -> str:
        return f"{self.shelf:+d} / {self.lost:+d}"
