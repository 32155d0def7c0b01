"""The shop itself: who it is, how it numbers orders, what it offers."""

from urllib.parse import quote

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from orders.choices import DeliveryKind, VatCategory


def name_in_language(names: dict, language: str | None, default: str) -> str:
    """The name for `language` ("fr-be" falls back to "fr"), else English, else any, else `default`."""
    language = language or get_language() or "en"
    for key in (language, language.split("-")[0], "en"):
        if names.get(key):
            return str(names[key])
    return str(next(iter(names.values()), default))


class Shop(models.Model):
    """Settings of the shop: exactly one row, `Shop.current()`."""

    class ZeroTotal(models.TextChoices):
        PAID = "PAID", _("Paid")
        AWAITING_PAYMENT = "AWAITING_PAYMENT", _("Awaiting payment")

    name = models.CharField(_("shop name"), max_length=120, default="My shop")
    logo = models.FileField(_("logo"), upload_to="shop", blank=True, help_text=_("PNG or JPEG, up to 500 kB."))
    accent_color = models.CharField(
        _("accent colour"),
        max_length=7,
        default="#1f4d3a",
        validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$", _("Use the form #1f4d3a."))],
        help_text=_("Used on mails and documents."),
    )
    email = models.EmailField(_("shop e-mail"), blank=True, help_text=_("Replies of customers arrive here."))
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    website = models.URLField(_("website"), blank=True)
    street = models.CharField(_("street"), max_length=200, blank=True)
    postcode = models.CharField(_("postcode"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    country = CountryField(_("country"), default="FR")
    language = models.CharField(_("language of the shop"), max_length=10, default="en")
    currency = models.CharField(
        _("currency"), max_length=3, default="EUR", validators=[RegexValidator(r"^[A-Z]{3}$", _("Three capital letters, such as EUR."))]
    )
    time_zone = models.CharField(_("time zone"), max_length=60, default="Europe/Paris")
    prices_include_tax = models.BooleanField(_("prices include tax"), default=True)
    staff_addresses = models.TextField(
        _("staff addresses"), blank=True, help_text=_("One e-mail address per line. New orders and low stock are announced there.")
    )
    order_prefix = models.CharField(_("prefix of order numbers"), max_length=20, blank=True)
    order_suffix = models.CharField(_("suffix of order numbers"), max_length=20, blank=True)
    order_digits = models.PositiveSmallIntegerField(
        _("minimum digits of order numbers"), default=1, validators=[MinValueValidator(1), MaxValueValidator(12)]
    )
    zero_total_status = models.CharField(
        _("first payment status when nothing is to pay"), max_length=40, choices=ZeroTotal.choices, default=ZeroTotal.PAID
    )
    stock_control = models.BooleanField(_("stock control"), default=True, help_text=_("Off: orders move no stock."))
    digital_auto_delivery = models.BooleanField(_("paid digital orders are delivered at once"), default=True)
    local_delivery = models.BooleanField(_("local delivery"), default=False, help_text=_("Offers the status Out for delivery."))
    pickup_address = models.TextField(_("pickup address"), blank=True)
    pickup_hours = models.CharField(_("pickup hours"), max_length=200, blank=True)
    bank_details = models.TextField(
        _("how to pay offline"), blank=True, help_text=_("Printed in confirmations of orders that await payment.")
    )
    undo_seconds = models.PositiveIntegerField(
        _("undo window, in seconds"),
        default=120,
        validators=[MaxValueValidator(86400)],
        help_text=_("Customer mails and documents caused by staff wait this long."),
    )
    download_days = models.PositiveSmallIntegerField(_("days a download link works"), default=30)
    download_limit = models.PositiveSmallIntegerField(_("downloads per file"), default=5)
    mail_paused = models.BooleanField(_("outgoing mail is paused"), default=False)
    is_demo = models.BooleanField(default=False, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("shop settings")
        verbose_name_plural = _("shop settings")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="only_one_shop")]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def current(cls) -> "Shop":
        """The shop; made with defaults the first time it is asked for."""
        return cls.objects.filter(pk=1).first() or cls.objects.get_or_create(pk=1)[0]

    @property
    def staff_address_list(self) -> list[str]:
        return list(dict.fromkeys(line.strip() for line in self.staff_addresses.splitlines() if line.strip()))


class TaxClass(models.Model):
    """What kind of goods it is for VAT: standard, reduced, ... The rate depends on the country (`TaxRate`)."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    names = models.JSONField(_("names per language"), default=dict)
    category = models.CharField(_("VAT category"), max_length=2, choices=VatCategory, default=VatCategory.STANDARD)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("tax class")
        verbose_name_plural = _("tax classes")
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return name_in_language(self.names, None, self.code)


class TaxRate(models.Model):
    tax_class = models.ForeignKey(TaxClass, on_delete=models.CASCADE, related_name="rates", verbose_name=_("tax class"))
    country = CountryField(_("country"))
    rate = models.DecimalField(
        _("rate in percent"), max_digits=5, decimal_places=2, validators=[MinValueValidator(0), MaxValueValidator(100)]
    )

    class Meta:
        verbose_name = _("tax rate")
        verbose_name_plural = _("tax rates")
        ordering = ["tax_class", "country"]
        constraints = [models.UniqueConstraint(fields=["tax_class", "country"], name="one_rate_per_class_and_country")]

    def __str__(self) -> str:
        return f"{self.tax_class} {self.country} {self.rate}"


class PaymentMethod(models.Model):
    name = models.CharField(_("name"), max_length=120, unique=True)
    is_online = models.BooleanField(
        _("online"), default=False, help_text=_("Online: success sets Paid, failure sets Cancelled. Offline: orders await payment.")
    )
    instructions = models.TextField(_("instructions for the customer"), blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("payment method")
        verbose_name_plural = _("payment methods")
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name


class Carrier(models.Model):
    name = models.CharField(_("name"), max_length=120, unique=True)
    tracking_url = models.CharField(
        _("tracking page"), max_length=400, blank=True, help_text=_("Address with {number} where the tracking number goes.")
    )
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Off: parcels keep it, but it is offered no more."))

    class Meta:
        verbose_name = _("carrier")
        verbose_name_plural = _("carriers")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def url_for(self, number: str) -> str:
        """Address of the carrier's page for `number`, or an empty text where none is known."""
        return self.tracking_url.replace("{number}", quote(number, safe="")) if self.tracking_url and number else ""


class ShippingMethod(models.Model):
    name = models.CharField(_("name"), max_length=120, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=DeliveryKind, default=DeliveryKind.SHIPPING)
    rate = models.DecimalField(_("rate"), max_digits=14, decimal_places=4, default=0, validators=[MinValueValidator(0)])
    carrier = models.ForeignKey(Carrier, on_delete=models.SET_NULL, null=True, blank=True, verbose_name=_("carrier"))
    instructions = models.TextField(_("instructions for the customer"), blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("shipping method")
        verbose_name_plural = _("shipping methods")
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name


class NumberCounter(models.Model):
    """The last number drawn under a name. Drawn in a short transaction of its own before placing: gaps are allowed."""

    name = models.CharField(max_length=60, primary_key=True)
    last = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name}: {self.last}"
