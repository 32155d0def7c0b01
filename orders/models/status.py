"""Statuses: what each one means for stock, mails and documents is in its columns, never in code that asks for a name."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.choices import Axis, StockEffect, Tone
from orders.models.store import name_in_language


class StatusQuerySet(models.QuerySet["Status"]):
    def offered(self, *, local_delivery: bool) -> "StatusQuerySet":
        """Statuses that menus and API wishes may choose now. Imports are not bound by this."""
        offered = self.filter(is_active=True)
        return offered if local_delivery else offered.exclude(offered_when=Status.OfferedWhen.LOCAL_DELIVERY)


class Status(models.Model):
    """One value of an axis. `name_in` gives its name; a custom status has a `base`, whose code reports and the API use."""

    class Trigger(models.TextChoices):
        NONE = "", _("none")
        PAID = "paid", _("paid")
        SHIPPED = "shipped", _("shipped")

    class Asks(models.TextChoices):
        NONE = "", _("nothing")
        TRACKING = "tracking", _("the tracking number")
        RETURNED_PIECES = "returned", _("which pieces go back on the shelf")

    class OfferedWhen(models.TextChoices):
        ALWAYS = "", _("always")
        LOCAL_DELIVERY = "local_delivery", _("while the shop has local delivery")

    class Record(models.TextChoices):
        NONE = "", _("nothing")
        PAYMENT = "payment", _("a payment of the balance")
        REFUND = "refund", _("a refund of the rest")

    class Credit(models.TextChoices):
        NONE = "", _("nothing")
        FULL = "full", _("a full credit note if invoiced")
        REST = "rest", _("a credit note of what is left")

    class OwnMail(models.TextChoices):
        NONE = "", _("the general mail about a status")
        SHIPPED = "shipped", _("the mail Shipped")
        READY_FOR_PICKUP = "ready_for_pickup", _("the mail Ready for pickup")
        DELIVERED = "delivered", _("the mail Delivered")

    axis = models.CharField(_("axis"), max_length=12, choices=Axis)
    code = models.CharField(_("code"), max_length=60)
    base = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="custom_statuses", verbose_name=_("based on")
    )
    names = models.JSONField(_("names per language"), default=dict)
    tone = models.CharField(_("tone"), max_length=10, choices=Tone, default=Tone.NEUTRAL)
    glyph = models.CharField(_("glyph"), max_length=20, default="s-custom")
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("active"), default=True)
    replaced_by = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("replaced by")
    )
    is_initial = models.BooleanField(_("first status of the axis"), default=False)
    waits_for_staff = models.BooleanField(_("waits for somebody"), default=False, help_text=_("Shown as a tinted pill."))
    stock_effect = models.CharField(_("effect on stock"), max_length=8, choices=StockEffect, default=StockEffect.HOLD)
    goods_left = models.BooleanField(_("goods have left"), default=False)
    releases_unshipped = models.BooleanField(_("gives back what was not shipped"), default=False)
    counts_as_paid = models.BooleanField(_("counts as paid"), default=False)
    mails_customer = models.BooleanField(_("mails the customer"), default=True)
    own_mail = models.CharField(_("mail"), max_length=20, choices=OwnMail, blank=True)
    sends_downloads = models.BooleanField(_("sends downloads"), default=False)
    auto_delivers = models.BooleanField(_("delivers all-digital orders"), default=False)
    document_trigger = models.CharField(_("document trigger"), max_length=10, choices=Trigger, blank=True)
    proposes_record = models.CharField(_("proposes to record"), max_length=10, choices=Record, blank=True)
    record_by_default = models.BooleanField(_("the record is ticked"), default=False)
    proposes_credit = models.CharField(_("proposes"), max_length=5, choices=Credit, blank=True)
    asks = models.CharField(_("asks for"), max_length=10, choices=Asks, blank=True)
    offered_when = models.CharField(_("offered"), max_length=20, choices=OfferedWhen, blank=True)
    hint = models.CharField(_("hint"), max_length=200, blank=True)

    objects = StatusQuerySet.as_manager()

    class Meta:
        verbose_name = _("status")
        verbose_name_plural = _("statuses")
        ordering = ["axis", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["axis", "code"], name="status_code_unique_per_axis"),
            models.UniqueConstraint(fields=["axis"], condition=models.Q(is_initial=True), name="one_first_status_per_axis"),
        ]

    def __str__(self) -> str:
        return self.name_in(None)

    def name_in(self, language: str | None) -> str:
        """The name in `language` (the reader's where None)."""
        return name_in_language(self.names, language, self.code)

    @property
    def is_custom(self) -> bool:
        return self.base_id is not None

    def consequences(self) -> dict[str, Any]:
        """The columns that say what the status sets off: a custom status copies them from its base."""
        columns = (
            "waits_for_staff",
            "stock_effect",
            "goods_left",
            "releases_unshipped",
            "counts_as_paid",
            "mails_customer",
            "own_mail",
            "sends_downloads",
            "auto_delivers",
            "document_trigger",
            "proposes_record",
            "record_by_default",
            "proposes_credit",
            "asks",
            "offered_when",
        )
        return {column: getattr(self, column) for column in columns}

    @property
    def base_code(self) -> str:
        """Code that reports and the API show: the base's for a custom status."""
        return self.base.code if self.base_id and self.base else self.code

    @property
    def releases(self) -> bool:
        return self.stock_effect == StockEffect.RELEASE


class StatusAlias(models.Model):
    """Codes of imports that mean one of our statuses (domain, section 1)."""

    axis = models.CharField(_("axis"), max_length=12, choices=Axis)
    alias = models.CharField(_("code in imports"), max_length=60)
    status = models.ForeignKey(Status, on_delete=models.CASCADE, related_name="aliases", verbose_name=_("status"))

    class Meta:
        verbose_name = _("import code of a status")
        verbose_name_plural = _("import codes of statuses")
        constraints = [models.UniqueConstraint(fields=["axis", "alias"], name="alias_unique_per_axis")]

    def __str__(self) -> str:
        return self.alias
