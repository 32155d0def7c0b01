"""Customers: who bought, how they are reached, what they allowed."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField


class Customer(models.Model):
    """A person or company. Orders copy these facts when they are placed; later edits here change no order."""

    name = models.CharField(_("name"), max_length=200, blank=True)
    company = models.CharField(_("company"), max_length=200, blank=True)
    email = models.EmailField(_("e-mail"), max_length=254, blank=True)
    email_key = models.CharField(max_length=254, blank=True, editable=False, db_index=True)
    phone = models.CharField(_("phone"), max_length=60, blank=True)
    phone_digits = models.CharField(max_length=40, blank=True, editable=False, db_index=True)
    group = models.CharField(_("group"), max_length=120, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    tax_id = models.CharField(_("VAT id"), max_length=60, blank=True)
    tax_id_valid = models.BooleanField(_("VAT id is valid"), default=False)
    tax_exempt = models.BooleanField(_("tax exempt"), default=False)
    accepts_marketing = models.BooleanField(_("accepts marketing"), null=True, blank=True)
    no_mail = models.BooleanField(_("no customer mail"), default=False)
    street = models.CharField(_("street"), max_length=400, blank=True)
    postcode = models.CharField(_("postcode"), max_length=40, blank=True)
    city = models.CharField(_("city"), max_length=120, blank=True)
    state = models.CharField(_("state"), max_length=120, blank=True)
    country = CountryField(_("country"), blank=True)
    note = models.TextField(_("staff note"), blank=True)
    source = models.CharField(max_length=40, blank=True, editable=False)
    external_id = models.CharField(max_length=80, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        ordering = ["-id"]
        indexes = [models.Index(fields=["source", "external_id"], name="customer_external")]

    def __str__(self) -> str:
        return self.name or self.company or self.email or self.phone or f"#{self.pk}"
