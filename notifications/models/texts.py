"""What staff may change about mails: their texts, and which of them go; and how often a file was fetched."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from notifications.kinds import Kind, Text
from orders.models import DigitalFile, Order


class EmailTemplate(models.Model):
    """A text that staff changed. The built-in text is a file; without an active row it is used. Versions are kept."""

    name = models.CharField(_("mail"), max_length=30, choices=Text)
    language = models.CharField(_("language"), max_length=10)
    version = models.PositiveIntegerField(default=1, editable=False)
    subject = models.CharField(_("subject"), max_length=300)
    preheader = models.CharField(_("line after the subject"), max_length=300, blank=True)
    body = models.TextField(_("text"))
    is_active = models.BooleanField(_("in use"), default=True)
    created_at = models.DateTimeField(_("saved"), auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("mail text")
        verbose_name_plural = _("mail texts")
        ordering = ["name", "language", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["name", "language", "version"], name="text_version_once"),
            models.UniqueConstraint(fields=["name", "language"], condition=models.Q(is_active=True), name="one_active_text"),
        ]

    def __str__(self) -> str:
        return f"{self.get_name_display()}, {self.language}, {self.version}"


class MailSwitch(models.Model):
    """Whether a kind of mail goes. Without a row it does."""

    COPY_TO_STAFF = "copy_to_staff"

    KINDS = [*Kind.choices, (COPY_TO_STAFF, _("Copy of customers' mails to staff"))]

    kind = models.CharField(_("mail"), max_length=30, unique=True, choices=KINDS)
    is_on = models.BooleanField(_("on"), default=True)

    class Meta:
        verbose_name = _("mail switch")
        verbose_name_plural = _("mail switches")

    def __str__(self) -> str:
        return str(self.get_kind_display())

    @classmethod
    def on(cls) -> frozenset[str]:
        """Kinds that go now, and COPY_TO_STAFF where the shop asked for it."""
        known = dict(cls.objects.values_list("kind", "is_on"))
        return frozenset(kind for kind in [*Kind.values, cls.COPY_TO_STAFF] if known.get(kind, kind != cls.COPY_TO_STAFF))


class FileDownload(models.Model):
    """How often the customer of an order fetched a file; the shop's limit is counted here."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="+")
    file = models.ForeignKey(DigitalFile, on_delete=models.CASCADE, related_name="+")
    count = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("download")
        verbose_name_plural = _("downloads")
        constraints = [models.UniqueConstraint(fields=["order", "file"], name="one_count_per_file")]

    def __str__(self) -> str:
        return f"{self.file}: {self.count}"
