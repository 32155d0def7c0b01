"""What the shop sells: products, and variants that carry SKU, price and stock counters."""

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.store import TaxClass


class Product(models.Model):
    name = models.CharField(_("name"), max_length=400)
    description = models.TextField(_("description"), blank=True)
    tax_class = models.ForeignKey(TaxClass, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("tax class"))
    is_digital = models.BooleanField(_("digital"), default=False)
    image = models.FileField(_("image"), upload_to="products", blank=True)
    is_active = models.BooleanField(_("on sale"), default=True)
    source = models.CharField(max_length=40, blank=True, editable=False)
    external_id = models.CharField(max_length=80, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class Variant(models.Model):
    """One thing with a SKU. `on_hand` and `committed` are the ledger's cache: only orders/services/stock.py writes them."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="variants", verbose_name=_("product"))
    sku = models.CharField(_("SKU"), max_length=120, unique=True)
    label = models.CharField(_("variant"), max_length=200, blank=True, help_text=_("Such as “Blue, large”. Empty for a single variant."))
    options = models.JSONField(_("options"), default=dict, blank=True)
    price = models.DecimalField(_("price"), max_digits=14, decimal_places=4, default=0, validators=[MinValueValidator(0)])
    compare_at_price = models.DecimalField(_("compare-at price"), max_digits=14, decimal_places=4, null=True, blank=True)
    cost = models.DecimalField(_("cost"), max_digits=14, decimal_places=4, null=True, blank=True)
    weight = models.DecimalField(_("weight in kg"), max_digits=10, decimal_places=3, null=True, blank=True)
    barcode = models.CharField(_("barcode"), max_length=60, blank=True, db_index=True)
    location = models.CharField(_("place in the warehouse"), max_length=60, blank=True)
    is_tracked = models.BooleanField(_("stock is tracked"), default=True)
    on_hand = models.IntegerField(_("on hand"), default=0, editable=False)
    committed = models.IntegerField(_("committed"), default=0, editable=False)
    allows_oversell = models.BooleanField(_("may be sold below zero"), default=False)
    low_stock_limit = models.PositiveIntegerField(_("low-stock limit"), null=True, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("on sale"), default=True)

    class Meta:
        verbose_name = _("variant")
        verbose_name_plural = _("variants")
        ordering = ["product", "position", "id"]
        constraints = [models.CheckConstraint(condition=models.Q(committed__gte=0), name="committed_never_negative")]
        permissions = [("oversell_variant", _("Can sell below zero")), ("adjust_stock", _("Can adjust stock"))]

    def __str__(self) -> str:
        return f"{self.product.name}, {self.label}" if self.label else self.product.name

    @property
    def available(self) -> int:
        """Pieces that can still be sold. Meaningless where stock is not tracked (unlimited)."""
        return self.on_hand - self.committed


class DigitalFile(models.Model):
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="files", verbose_name=_("product"))
    name = models.CharField(_("name"), max_length=200)
    file = models.FileField(_("file"), upload_to="downloads")
    size = models.PositiveBigIntegerField(_("size in bytes"), default=0, editable=False)

    class Meta:
        verbose_name = _("file")
        verbose_name_plural = _("files")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name
