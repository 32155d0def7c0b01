"""A parcel while it is packed: who stands at the table, and which pieces are in the box. Gone when the parcel is recorded."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.order import Order


class Packing(models.Model):
    """One order on one packing table. `pieces` counts what is in the box per line id; a reload or another day finds it again.

    `seen_at` is the packer's last sign of life: after a while without one, somebody else may take the order over.
    """

    order = models.OneToOneField(Order, on_delete=models.CASCADE, related_name="packing")
    packer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="packings")
    pieces = models.JSONField(default=dict, blank=True)
    began_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name = _("order being packed")
        verbose_name_plural = _("orders being packed")
        default_permissions = ()
        indexes = [models.Index(fields=["packer", "-seen_at"], name="packing_of_packer")]

    def __str__(self) -> str:
        return f"{self.order_id} {self.packer_id}"
