"""The order as it was placed: who, what, for how much. Facts are copied, the catalogue is never read again."""

import uuid
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from orders.choices import Axis, DeliveryKind, VatCategory
from orders.models.customer import Customer
from orders.models.indexes import ORDER_INDEXES
from orders.models.product import Variant
from orders.models.status import Status


def money_field(label: Any, **options: Any) -> Any:
    """Amounts in the order's currency; four decimals hold every currency's exponent."""
    return models.DecimalField(label, max_digits=16, decimal_places=4, default=Decimal(0), **options)


class Tag(models.Model):
    name = models.CharField(_("name"), max_length=60, unique=True)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class OrderQuerySet(models.QuerySet["Order"]):
    def present(self) -> "OrderQuerySet":
        """Orders that are not deleted."""
        return self.filter(deleted_at=None)

    def with_statuses(self) -> "OrderQuerySet":
        return self.select_related("payment_status", "payment_status__base", "fulfilment_status", "fulfilment_status__base")

    def to_process(self, statuses: Iterable[Status] | None = None) -> "OrderQuerySet":
        """Orders that somebody has to start on: not held, not released, fulfilment still at its first status.

        Reads the statuses unless they are given: their ids in the query are what lets the database know how few orders these are.
        """
        known = list(Status.objects.all()) if statuses is None else list(statuses)
        first = [status.pk for status in known if status.is_initial and status.axis == Axis.FULFILMENT]
        live = [status.pk for status in known if status.axis == Axis.PAYMENT and not status.releases]
        return self.present().filter(is_held=False, fulfilment_status__in=first, payment_status__in=live)


class Order(models.Model):
    """One order. Statuses are written by orders/services only; every change raises `version` and leaves an event."""

    OWN = "own"
    ECWID = "ecwid"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.CharField(_("number"), max_length=80)
    source = models.CharField(_("source"), max_length=40, default=OWN)
    external_id = models.CharField(_("external id"), max_length=120, blank=True)
    placed_at = models.DateTimeField(_("placed"), db_index=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)
    source_updated_at = models.DateTimeField(_("updated at the source"), null=True, blank=True)
    pickup_at = models.DateTimeField(_("pickup time"), null=True, blank=True)
    pickup_until = models.DateTimeField(_("pickup until"), null=True, blank=True)
    delivery_on = models.DateField(_("delivery date"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    deleted_reason = models.CharField(max_length=400, blank=True, editable=False)
    is_test = models.BooleanField(default=False, editable=False)

    payment_status = models.ForeignKey(Status, on_delete=models.PROTECT, related_name="orders_by_payment", verbose_name=_("payment"))
    fulfilment_status = models.ForeignKey(
        Status, on_delete=models.PROTECT, related_name="orders_by_fulfilment", verbose_name=_("fulfilment")
    )

    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, null=True, blank=True, related_name="orders", verbose_name=_("customer")
    )
    customer_name = models.CharField(_("customer name"), max_length=200, blank=True)
    email = models.CharField(_("e-mail"), max_length=254, blank=True)
    phone = models.CharField(_("phone"), max_length=60, blank=True)
    customer_group = models.CharField(_("customer group"), max_length=120, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    tax_id = models.CharField(_("VAT id"), max_length=60, blank=True)
    tax_id_valid = models.BooleanField(_("VAT id is valid"), default=False)
    tax_exempt = models.BooleanField(_("tax exempt"), default=False)
    reverse_charge = models.BooleanField(_("reverse charge"), default=False)
    accepts_marketing = models.BooleanField(_("accepts marketing"), null=True, blank=True)
    no_customer_mail = models.BooleanField(_("no customer mail"), default=False)
    ip_address = models.CharField(_("IP address"), max_length=60, blank=True)

    currency = models.CharField(_("currency"), max_length=3)
    prices_include_tax = models.BooleanField(_("prices include tax"), default=True)
    subtotal = money_field(_("subtotal"))
    discount = money_field(_("discount"))
    coupon_discount = money_field(_("coupon discount"))
    shipping_cost = money_field(_("shipping"))
    handling_fee = money_field(_("handling fee"))
    surcharges_total = money_field(_("surcharges"))
    tips_total = money_field(_("tips"))
    tax = money_field(_("tax"))
    gift_card_amount = money_field(_("gift card"))
    total = money_field(_("total"))
    paid_total = money_field(_("paid"))
    refunded_total = money_field(_("refunded"))
    credited_total = money_field(_("taken off by refunds"))
    shipping_vat_category = models.CharField(max_length=2, choices=VatCategory, blank=True)
    shipping_vat_rate = models.DecimalField(_("VAT rate of shipping"), max_digits=6, decimal_places=3, null=True, blank=True)
    shipping_taxes = models.JSONField(default=list, blank=True)
    coupon_code = models.CharField(_("coupon"), max_length=120, blank=True)
    coupon = models.JSONField(default=dict, blank=True)
    gift_card_code = models.CharField(_("gift card code"), max_length=120, blank=True)
    totals_warning = models.JSONField(default=list, blank=True)

    payment_method = models.CharField(_("payment method"), max_length=400, blank=True)
    payment_module = models.CharField(_("payment module"), max_length=200, blank=True)
    payment_message = models.TextField(_("payment message"), blank=True)
    transaction_id = models.CharField(_("transaction id"), max_length=200, blank=True)
    transaction_url = models.CharField(_("transaction page"), max_length=600, blank=True)
    po_number = models.CharField(_("purchase order"), max_length=120, blank=True)

    shipping_method = models.CharField(_("shipping method"), max_length=400, blank=True)
    shipping_carrier = models.CharField(_("carrier"), max_length=200, blank=True)
    delivery_kind = models.CharField(_("delivery"), max_length=10, choices=DeliveryKind, blank=True)
    delivery_instructions = models.TextField(_("instructions"), blank=True)

    customer_comment = models.TextField(_("customer comment"), blank=True)
    tags = models.ManyToManyField(Tag, blank=True, related_name="orders", verbose_name=_("tags"))
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("assignee")
    )
    follow_up_on = models.DateField(_("follow up on"), null=True, blank=True)
    is_held = models.BooleanField(_("on hold"), default=False)
    hold_reason = models.CharField(_("reason for the hold"), max_length=400, blank=True)
    is_oversold = models.BooleanField(_("oversold"), default=False)

    provenance = models.JSONField(default=dict, blank=True)
    extra_fields = models.JSONField(default=list, blank=True)
    additional = models.JSONField(default=dict, blank=True)
    search = models.TextField(default="", blank=True, editable=False)

    objects = OrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["-placed_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["source", "number"], name="order_number_unique_per_source"),
            models.UniqueConstraint(
                fields=["source", "external_id"], condition=~models.Q(external_id=""), name="order_external_id_unique_per_source"
            ),
            # IN (…) also refuses NaN, which PostgreSQL sorts above every number.
            models.CheckConstraint(condition=models.Q(refunded_total__gte=0), name="refunded_never_negative"),
            models.CheckConstraint(condition=models.Q(refunded_total__lte=models.F("paid_total")), name="refunds_never_exceed_payments"),
            models.CheckConstraint(condition=models.Q(total__lt=Decimal("999999999999")), name="order_total_is_a_number"),
        ]
        indexes = ORDER_INDEXES
        permissions = [
            ("change_order_status", _("Can change the fulfilment status of an order")),
            ("change_payment_status", _("Can change the payment status of an order")),
            ("record_payment", _("Can record a payment")),
            ("refund_order", _("Can record a refund")),
            ("cancel_order", _("Can cancel an order")),
            ("ship_order", _("Can record a shipment")),
            ("print_order", _("Can print an order")),
            ("export_order", _("Can export orders")),
            ("import_order", _("Can import orders")),
            ("export_personal_data", _("Can export personal data")),
            ("view_sales", _("Can see sales, payments and what customers spent")),
        ]

    def __str__(self) -> str:
        return f"#{self.number}"

    @property
    def balance(self) -> Decimal:
        """What the customer still owes (negative: what the shop owes), apart from cancelled orders (see `balance_due`)."""
        return self.total - self.credited_total - self.paid_total + self.refunded_total

    @property
    def balance_due(self) -> Decimal:
        """What is still to be paid; nothing for an order whose payment status gives the pieces back."""
        return Decimal(0) if self.payment_status.releases else max(self.balance, Decimal(0))

    @property
    def refund_due(self) -> Decimal:
        """What the shop owes the customer: all it kept of a cancelled order, else what was paid too much."""
        return max(self.refundable if self.payment_status.releases else -self.balance, Decimal(0))

    @property
    def refundable(self) -> Decimal:
        """Money received and not given back: no refund may exceed it."""
        return self.paid_total - self.refunded_total


class OrderAddress(models.Model):
    class Kind(models.TextChoices):
        BILLING = "billing", _("Billing address")
        SHIPPING = "shipping", _("Shipping address")

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="addresses")
    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(_("name"), max_length=200, blank=True)
    company = models.CharField(_("company"), max_length=200, blank=True)
    street = models.CharField(_("street"), max_length=400, blank=True)
    street2 = models.CharField(_("street, second line"), max_length=400, blank=True)
    city = models.CharField(_("city"), max_length=120, blank=True)
    state = models.CharField(_("state"), max_length=120, blank=True)
    state_name = models.CharField(_("state name"), max_length=120, blank=True)
    postcode = models.CharField(_("postcode"), max_length=40, blank=True)
    country = CountryField(_("country"), blank=True)
    phone = models.CharField(_("phone"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("address")
        verbose_name_plural = _("addresses")
        constraints = [models.UniqueConstraint(fields=["order", "kind"], name="one_address_per_kind")]
        indexes = [models.Index(fields=["country", "kind", "order"], name="address_by_country")]

    def __str__(self) -> str:
        return ", ".join(self.as_lines())

    def as_lines(self) -> list[str]:
        """The address as it is written on an envelope, empty lines left out."""
        place = " ".join(part for part in (self.postcode, self.city) if part)
        region = self.state_name or self.state
        lines = [self.name, self.company, self.street, self.street2, place, region, str(getattr(self.country, "name", ""))]
        return [line for line in lines if line]


class OrderLine(models.Model):
    """One item as sold. `committed`, `consumed` and the counts of pieces are caches of ledger, decisions and shipments."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField(default=0)
    variant = models.ForeignKey(Variant, on_delete=models.SET_NULL, null=True, blank=True, related_name="order_lines")
    external_id = models.CharField(max_length=80, blank=True)
    product_external_id = models.CharField(max_length=80, blank=True)
    sku = models.CharField(_("SKU"), max_length=200, blank=True)
    name = models.CharField(_("name"), max_length=500)
    quantity = models.PositiveIntegerField(_("quantity"))
    price = money_field(_("price"))
    product_price = models.DecimalField(_("catalogue price"), max_digits=16, decimal_places=4, null=True, blank=True)
    cost = models.DecimalField(_("cost"), max_digits=16, decimal_places=4, null=True, blank=True)
    weight = models.DecimalField(_("weight in kg"), max_digits=12, decimal_places=4, null=True, blank=True)
    is_digital = models.BooleanField(_("digital"), default=False)
    requires_shipping = models.BooleanField(_("is shipped"), default=True)
    price_includes_tax = models.BooleanField(default=True)
    vat_category = models.CharField(_("VAT category"), max_length=2, choices=VatCategory, blank=True)
    vat_rate = models.DecimalField(_("VAT rate in percent"), max_digits=6, decimal_places=3, null=True, blank=True)
    vat_country = models.CharField(_("VAT country"), max_length=2, blank=True)
    tax = money_field(_("tax"))
    other_taxes = models.JSONField(_("taxes"), default=list, blank=True)
    coupon_share = money_field(_("coupon share"))
    discount_share = money_field(_("discount share"))
    line_discount = money_field(_("discount on this line"))
    discounts = models.JSONField(default=list, blank=True)
    options = models.JSONField(default=list, blank=True)
    attributes = models.JSONField(default=list, blank=True)
    downloads = models.JSONField(default=list, blank=True)
    image_url = models.CharField(max_length=600, blank=True)
    additional = models.JSONField(default=dict, blank=True)
    is_removed = models.BooleanField(default=False)

    stock_followed = models.BooleanField(_("stock follows"), default=True)
    committed = models.PositiveIntegerField(default=0, editable=False)
    consumed = models.PositiveIntegerField(default=0, editable=False)
    pieces_shelf = models.PositiveIntegerField(default=0, editable=False)
    pieces_lost = models.PositiveIntegerField(default=0, editable=False)
    pieces_back = models.PositiveIntegerField(default=0, editable=False)
    pieces_shipped = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("item")
        verbose_name_plural = _("items")
        ordering = ["order", "position", "id"]
        indexes = [models.Index(fields=["sku", "order", "is_removed"], name="line_by_sku")]
        constraints = [
            models.CheckConstraint(condition=models.Q(quantity__gt=0), name="line_quantity_positive"),
            models.CheckConstraint(
                condition=models.Q(pieces_shelf__lte=models.F("quantity") - models.F("pieces_lost")), name="decided_pieces_within_quantity"
            ),
            models.CheckConstraint(condition=models.Q(pieces_shipped__lte=models.F("quantity")), name="shipped_pieces_within_quantity"),
            models.CheckConstraint(
                condition=models.Q(committed__lte=models.F("quantity") - models.F("consumed")), name="held_pieces_within_quantity"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"

    @property
    def amount(self) -> Decimal:
        """Price × quantity, before discounts of the line or the order."""
        return self.price * self.quantity

    @property
    def open_pieces(self) -> int:
        """Pieces neither put back on the shelf nor lost (domain, section 2)."""
        return self.quantity - self.pieces_shelf - self.pieces_lost

    @property
    def option_text(self) -> str:
        """Options as one line, such as "Size: L, Engraving: Léa"."""
        return ", ".join(f"{option.get('name')}: {option.get('value')}" for option in self.options if option.get("value"))


# What a discount was given for, as imports and forms write it.
DISCOUNT_BASES = {
    "CUSTOM": _("by hand"),
    "ON_TOTAL": _("for the amount bought"),
    "ON_MEMBERSHIP": _("for the customer's group"),
    "ON_TOTAL_AND_MEMBERSHIP": _("for the amount and the customer's group"),
}


class OrderDiscount(models.Model):
    """A discount on the order, by its source; shares per line stand on the lines."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="discounts")
    label = models.CharField(_("label"), max_length=200, blank=True)
    kind = models.CharField(_("kind"), max_length=20, blank=True, help_text=_("ABS or PERCENT"))
    base = models.CharField(_("base"), max_length=40, blank=True)
    value = models.DecimalField(_("value"), max_digits=16, decimal_places=4, default=0)
    amount = money_field(_("amount"))

    class Meta:
        verbose_name = _("discount")
        verbose_name_plural = _("discounts")

    def __str__(self) -> str:
        return self.label or str(DISCOUNT_BASES.get(self.base, self.base))


class OrderSurcharge(models.Model):
    class Kind(models.TextChoices):
        SURCHARGE = "surcharge", _("Surcharge")
        TIP = "tip", _("Tip")

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="surcharges")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.SURCHARGE)
    label = models.CharField(_("label"), max_length=200, blank=True)
    amount = money_field(_("amount"))
    vat_category = models.CharField(max_length=2, choices=VatCategory, blank=True)
    vat_rate = models.DecimalField(max_digits=6, decimal_places=3, null=True, blank=True)

    class Meta:
        verbose_name = _("surcharge")
        verbose_name_plural = _("surcharges")

    def __str__(self) -> str:
        return self.label or str(self.get_kind_display())


class ExternalDocument(models.Model):
    """An invoice that another system issued for this order."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="external_documents")
    number = models.CharField(_("number"), max_length=120)
    link = models.CharField(_("link"), max_length=800, blank=True)
    issued_at = models.DateTimeField(_("issued"), null=True, blank=True)
    kind = models.CharField(_("kind"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("external document")
        verbose_name_plural = _("external documents")
        constraints = [models.UniqueConstraint(fields=["order", "number"], name="external_document_once")]

    def __str__(self) -> str:
        return self.number
