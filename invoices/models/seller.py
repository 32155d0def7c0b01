"""Who issues the invoices: exactly one row. What was issued keeps its own copy."""

import datetime
from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField
from stdnum import iban as iban_number
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError as NumberError
from stdnum.fr import siren as siren_number
from stdnum.fr import siret as siret_number


def _whole(number: str, check: Callable[[str], object]) -> bool:
    try:
        check(number)
    except NumberError:
        return False
    return True


def check_siren(value: str) -> None:
    """Nine digits that pass the Luhn check."""
    if not _whole(value, siren_number.validate):
        raise ValidationError(_("This is not a SIREN: nine digits, the last one checks the others."))


def check_siret(value: str) -> None:
    """Fourteen digits that pass the Luhn check."""
    if not _whole(value, siret_number.validate):
        raise ValidationError(_("This is not a SIRET: fourteen digits, the last one checks the others."))


def check_vat_id(value: str) -> None:
    """A VAT id of an EU country in that country's form."""
    if not _whole(value, eu_vat.validate):
        raise ValidationError(_("This is not a VAT id of an EU country, such as FR 19 812 345 676."))


def check_iban(value: str) -> None:
    if not _whole(value, iban_number.validate):
        raise ValidationError(_("This IBAN is mistyped: its check digits do not fit."))


def _reform_start() -> datetime.date:
    return datetime.date(2027, 9, 1)


class SellerProfile(models.Model):
    """The seller as the law wants it named. `current()` is the one row; texts are plain text per language."""

    class VatRegime(models.TextChoices):
        NORMAL = "normal", _("charges VAT")
        FRANCHISE = "franchise", _("small business, no VAT (art. 293 B CGI)")
        OSS = "oss", _("charges VAT, EU one-stop shop")

    class AutoIssue(models.TextChoices):
        NEVER = "never", _("never: by hand only")
        PLACED = "placed", _("when the order is placed")
        PAID = "paid", _("when the order is paid")
        SHIPPED = "shipped", _("when the order is shipped")

    class Paper(models.TextChoices):
        A4 = "a4", _("A4")
        LETTER = "letter", _("US Letter")

    class Window(models.TextChoices):
        AUTO = "auto", _("as usual in the shop's country")
        RIGHT = "right", _("on the right")
        LEFT = "left", _("on the left")

    legal_name = models.CharField(_("registered name"), max_length=200, blank=True)
    trade_name = models.CharField(_("trade name"), max_length=200, blank=True, help_text=_("Empty: the name of the shop."))
    legal_form = models.CharField(_("legal form"), max_length=80, blank=True, help_text=_("Such as SARL or EI."))
    capital = models.CharField(_("capital"), max_length=40, blank=True, help_text=_("Such as 10 000 €."))
    street = models.CharField(_("street"), max_length=200, blank=True)
    postcode = models.CharField(_("postcode"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    country = CountryField(_("country"), blank=True)
    siren = models.CharField("SIREN", max_length=20, blank=True, validators=[check_siren])
    siret = models.CharField("SIRET", max_length=24, blank=True, validators=[check_siret])
    rcs_city = models.CharField(_("city of registration"), max_length=100, blank=True, help_text=_("Printed as RCS and the city."))
    vat_id = models.CharField(_("VAT id"), max_length=30, blank=True, validators=[check_vat_id])
    vat_regime = models.CharField(_("VAT"), max_length=10, choices=VatRegime, default=VatRegime.NORMAL)
    vat_on_debits = models.BooleanField(_("VAT is due on invoicing (option for debits)"), default=False)
    tax_registration_id = models.CharField(_("other tax number"), max_length=60, blank=True)
    iban = models.CharField("IBAN", max_length=50, blank=True, validators=[check_iban])
    bic = models.CharField("BIC", max_length=20, blank=True)
    email = models.EmailField(_("e-mail"), blank=True, help_text=_("Empty: the e-mail of the shop."))
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    payment_terms_days = models.PositiveSmallIntegerField(
        _("days to pay"), default=30, validators=[MinValueValidator(0), MaxValueValidator(365)]
    )
    intro_text = models.JSONField(_("introduction"), default=dict, blank=True)
    thanks_text = models.JSONField(_("thanks"), default=dict, blank=True)
    discount_text = models.JSONField(_("early payment"), default=dict, blank=True)
    penalty_text = models.JSONField(_("late payment"), default=dict, blank=True)
    recovery_fee_text = models.JSONField(_("recovery fee"), default=dict, blank=True)
    consumer_text = models.JSONField(_("notes to consumers"), default=dict, blank=True)
    footer_text = models.JSONField(_("foot"), default=dict, blank=True)
    einvoice_address = models.CharField(_("e-invoice address"), max_length=120, blank=True)
    einvoice_scheme = models.CharField(_("its scheme"), max_length=10, blank=True)
    fr_reform_from = models.DateField(_("French e-invoicing rules bind from"), default=_reform_start)
    fiscal_year_start_month = models.PositiveSmallIntegerField(
        _("first month of the business year"), default=1, validators=[MinValueValidator(1), MaxValueValidator(12)]
    )
    auto_issue = models.CharField(_("invoices are issued"), max_length=10, choices=AutoIssue, default=AutoIssue.PAID)
    invoice_zero_total = models.BooleanField(_("also when nothing is to pay"), default=False)
    attach_to_mail = models.BooleanField(_("attach the invoice to the customer's mail"), default=False)
    paper = models.CharField(_("paper"), max_length=6, choices=Paper, default=Paper.A4)
    window = models.CharField(_("address window"), max_length=5, choices=Window, default=Window.AUTO)
    show_sku = models.BooleanField(_("print SKUs"), default=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("invoice settings")
        verbose_name_plural = _("invoice settings")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="only_one_seller")]

    def __str__(self) -> str:
        return self.legal_name or str(_("Invoice settings"))

    @classmethod
    def current(cls) -> "SellerProfile":
        """The seller; made empty the first time it is asked for."""
        return cls.objects.filter(pk=1).first() or cls.objects.get_or_create(pk=1)[0]

    @property
    def is_set_up(self) -> bool:
        """Whether anything was entered: rules stay silent in a shop that does not invoice here."""
        return bool(self.legal_name)

    @property
    def window_side(self) -> str:
        """Side of the envelope's window: on the right in France and its neighbours, on the left elsewhere."""
        if self.window != self.Window.AUTO:
            return self.window
        return "right" if str(self.country) in ("FR", "BE", "NL", "LU", "MC", "") else "left"
