"""Parcels: which pieces left, with whom, under which number."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.event import OrderEvent
from orders.models.order import Order, OrderLine


class Shipment(models.Model):
    """A parcel. Void when its recording was undone; void parcels count nowhere."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="shipments")
    event = models.ForeignKey(OrderEvent, on_delete=models.CASCADE, related_name="shipments")
    carrier = models.CharField(_("carrier"), max_length=200, blank=True)
    tracking_number = models.CharField(_("tracking number"), max_length=200, blank=True, db_index=True)
    tracking_url = models.CharField(_("tracking page"), max_length=800, blank=True)
    shipped_at = models.DateTimeField(_("shipped"))
    voided_by = models.ForeignKey(OrderEvent, on_delete=models.PROTECT, null=True, blank=True, related_name="voided_shipments")

    class Meta:
        verbose_name = _("shipment")
        verbose_name_plural = _("shipments")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.tracking_number or self.carrier or str(_("Shipment"))


class ShipmentLine(models.Model):
    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="lines")
    line = models.ForeignKey(OrderLine, on_delete=models.CASCADE, related_name="shipment_lines")
    quantity = models.PositiveIntegerField(_("quantity"))

    class Meta:
        verbose_name = _("shipped item")
        verbose_name_plural = _("shipped items")
        constraints = [
            models.CheckConstraint(condition=models.Q(quantity__gt=0), name="shipped_quantity_positive"),
            models.UniqueConstraint(fields=["shipment", "line"], name="line_once_per_shipment"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.line.name}"
