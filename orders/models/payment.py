"""Money received and given back, append-only: a correction is a row of its own that names what it reverses."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.event import OrderEvent
from orders.models.order import Order, OrderLine, money_field


class Payment(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="payments")
    event = models.ForeignKey(OrderEvent, on_delete=models.CASCADE, related_name="payments")
    amount = money_field(_("amount"))
    method = models.CharField(_("method"), max_length=400, blank=True)
    reference = models.CharField(_("reference"), max_length=200, blank=True)
    received_at = models.DateTimeField(_("received"))
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversed_by")

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=~models.Q(amount=0), name="payment_not_zero")]

    def __str__(self) -> str:
        return f"{self.amount}"

    @property
    def can_be_taken_back(self) -> bool:
        """Received, and no row takes it back yet."""
        return self.amount > 0 and not hasattr(self, "reversed_by")


class Refund(models.Model):
    """Money given back. `credited` is what it takes off the order's value (less than `amount` when an overpayment goes back)."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="refunds")
    event = models.ForeignKey(OrderEvent, on_delete=models.CASCADE, related_name="refunds")
    client_key = models.CharField(max_length=80, blank=True)
    amount = money_field(_("amount"))
    credited = money_field(_("taken off the order"))
    shipping = money_field(_("of which shipping"))
    method = models.CharField(_("method"), max_length=400, blank=True)
    reference = models.CharField(_("reference"), max_length=200, blank=True)
    reason = models.CharField(_("reason"), max_length=400, blank=True)
    refunded_at = models.DateTimeField(_("refunded"))
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversed_by")

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["order", "client_key"], condition=~models.Q(client_key=""), name="refund_once_per_key"),
        ]

    def __str__(self) -> str:
        return f"{self.amount}"


class RefundLine(models.Model):
    refund = models.ForeignKey(Refund, on_delete=models.CASCADE, related_name="lines")
    line = models.ForeignKey(OrderLine, on_delete=models.CASCADE, related_name="refund_lines")
    quantity = models.PositiveIntegerField(_("quantity"))
    amount = money_field(_("amount"))

    class Meta:
        verbose_name = _("refunded item")
        verbose_name_plural = _("refunded items")

    def __str__(self) -> str:
        return f"{self.quantity} × {self.line.name}"
