"""Choices that several models share: axes, tones, ways of getting goods, where a wish came from."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Axis(models.TextChoices):
    PAYMENT = "payment", _("Payment")
    FULFILMENT = "fulfilment", _("Fulfilment")


class Tone(models.TextChoices):
    """The seven tones of the look; a free colour could break the contrast."""

    NEUTRAL = "neutral", _("Grey")
    INFO = "info", _("Blue")
    VIOLET = "violet", _("Violet")
    SUCCESS = "success", _("Green")
    WARNING = "warning", _("Amber")
    DANGER = "danger", _("Red")
    TEAL = "teal", _("Teal")


class StockEffect(models.TextChoices):
    """What a payment status does with the pieces of an order (domain, section 2)."""

    HOLD = "hold", _("Holds the pieces")
    WAIT = "wait", _("Does not take the pieces yet")
    RELEASE = "release", _("Gives the pieces back")


class DeliveryKind(models.TextChoices):
    SHIPPING = "SHIPPING", _("Shipping")
    PICKUP = "PICKUP", _("Pickup")
    DELIVERY = "DELIVERY", _("Local delivery")


class ChangeSource(models.TextChoices):
    CLERK = "clerk", _("Back office")
    API = "api", _("Online shop")
    IMPORT = "import", pgettext_lazy("source", "Import")
    TASK = "task", _("Automatic")


class VatCategory(models.TextChoices):
    """EN 16931, UNTDID 5305."""

    STANDARD = "S", _("Taxed")
    ZERO = "Z", _("Zero rated")
    EXEMPT = "E", _("Exempt")
    REVERSE_CHARGE = "AE", _("Reverse charge")
    INTRA_EU = "K", _("Intra-EU supply")
    EXPORT = "G", _("Export")
    OUT_OF_SCOPE = "O", _("Outside the scope of VAT")
