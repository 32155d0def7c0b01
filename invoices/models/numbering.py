"""Number series and their counters: one row per series and period, raised inside the transaction that issues."""

import re
from datetime import date

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

_TOKEN = re.compile(r"\{(code|yyyy|yy|mm|n|n:0[1-8])\}")
_ALLOWED = re.compile(r"[A-Za-z0-9+_/-]*")
LONGEST = 35


class InvoiceSeries(models.Model):
    """How documents of one kind are numbered. Frozen after first use: a change makes a new series."""

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("invoices")
        CREDIT_NOTE = "credit_note", _("credit notes")

    class Reset(models.TextChoices):
        NEVER = "never", _("never")
        YEARLY = "yearly", _("every year")
        MONTHLY = "monthly", _("every month")

    code = models.CharField(_("code"), max_length=8, unique=True)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    is_test = models.BooleanField(_("for test orders"), default=False)
    pattern = models.CharField(
        _("pattern"),
        max_length=60,
        help_text=_("Such as F-{yyyy}-{n:04}. Parts: {code} {yyyy} {yy} {mm} {n} or {n:04} for at least four digits."),
    )
    reset = models.CharField(_("starts again"), max_length=8, choices=Reset, default=Reset.YEARLY)
    is_default = models.BooleanField(_("used for new documents"), default=False)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("number series")
        verbose_name_plural = _("number series")
        ordering = ["is_test", "kind", "code"]
        permissions = [("manage_series", _("Can manage number series"))]
        constraints = [
            models.UniqueConstraint(fields=["kind", "is_test"], condition=models.Q(is_default=True), name="one_default_series_per_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.code} ({self.get_kind_display()})"

    def clean(self) -> None:
        """A pattern must give distinct numbers of at most 35 characters from A-Z a-z 0-9 + - _ / (EN 16931, BT-1)."""
        problem = pattern_problem(self.pattern, self.reset)
        if problem:
            raise ValidationError({"pattern": problem})

    def period_of(self, day: date) -> str:
        """The counter's period that `day` falls into."""
        return {self.Reset.YEARLY: f"{day:%Y}", self.Reset.MONTHLY: f"{day:%Y-%m}"}.get(self.Reset(self.reset), "-")

    def number(self, sequence: int, day: date) -> str:
        """The printed number of the `sequence`th document of its period."""
        values = {"code": self.code, "yyyy": f"{day:%Y}", "yy": f"{day:%y}", "mm": f"{day:%m}", "n": str(sequence)}

        def fill(match: re.Match[str]) -> str:
            name, _colon, width = match[1].partition(":")
            return values[name].zfill(int(width)) if width else values[name]

        return _TOKEN.sub(fill, self.pattern)


def pattern_problem(pattern: str, reset: str) -> str:
    """What is wrong with a number pattern, or an empty text."""
    tokens = {match[1].partition(":")[0] for match in _TOKEN.finditer(pattern)}
    if "n" not in tokens:
        return str(_("The pattern needs {n}."))
    if reset != InvoiceSeries.Reset.NEVER and not tokens & {"yyyy", "yy"}:
        return str(_("A series that starts again every year needs {yyyy} or {yy}."))
    if reset == InvoiceSeries.Reset.MONTHLY and "mm" not in tokens:
        return str(_("A series that starts again every month needs {mm}."))
    if not _ALLOWED.fullmatch(_TOKEN.sub("", pattern)):
        return str(_("Only letters without accents, digits and + - _ / are allowed."))
    if len(InvoiceSeries(code="X" * 8, pattern=pattern).number(99_999_999, date(2026, 12, 31))) > LONGEST:
        return str(_("Numbers would be longer than 35 characters."))
    return ""


class InvoiceCounter(models.Model):
    """The last number of a series and period. Only services/numbers.py raises it; it rolls back with the invoice."""

    series = models.ForeignKey(InvoiceSeries, on_delete=models.PROTECT, related_name="counters")
    period = models.CharField(max_length=7)
    last_number = models.PositiveIntegerField(default=0)
    last_issue_date = models.DateField(null=True, blank=True)
    last_hash = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["series", "period"], name="one_counter_per_period")]

    def __str__(self) -> str:
        return f"{self.series.code} {self.period}: {self.last_number}"
