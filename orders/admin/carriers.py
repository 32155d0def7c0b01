"""Carriers of the shop: their tracking pages, tried with a number before they are kept; one in use is switched off, not deleted."""

import re
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.admin.shop import ColumnsPages, yes_no
from orders.models import Carrier, Shipment, ShippingMethod, Shop

SAMPLE = "6A21048837215"
NEWEST = 500  # parcels that are looked at for a number to try


class CarrierForm(forms.ModelForm):
    class Meta:
        model = Carrier
        fields = ()

    def clean_name(self) -> str:
        name = " ".join(str(self.cleaned_data["name"]).split())
        if Carrier.objects.filter(name__iexact=name).exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("There is a carrier of this name already."))
        return name

    def clean_tracking_url(self) -> str:
        url = str(self.cleaned_data["tracking_url"]).strip()
        if not url:
            return ""
        if not re.match(r"https?://", url):
            raise ValidationError(_("The address begins with https:// or http://."))
        if "{number}" not in url:
            raise ValidationError(_("Put {number} where the tracking number goes."))
        try:
            host = urlsplit(url).netloc
        except ValueError:
            host = ""
        if not re.fullmatch(r"[\w.-]+\.\w{2,}(:\d+)?", host) or re.search(r"\s", url):
            raise ValidationError(_("This is no web address. {number} stands after the name of the website."))
        return url


@admin.register(Carrier)
class CarrierAdmin(ColumnsPages):
    """The form shows the address that a number makes, to be tried before parcels carry it."""

    form = CarrierForm
    fields = ("name", "tracking_url", "is_active")
    change_form_template = "admin/orders/shop/carrier.html"
    columns = (gettext_lazy("Name"), gettext_lazy("Tracking page"), gettext_lazy("Active"))
    list_intro = gettext_lazy("Parcels keep the tracking page they were recorded with; a changed address counts for new parcels.")
    form_intro = gettext_lazy("The address of the carrier’s tracking page, with {number} in place of the tracking number.")

    def cells(self, row: Carrier, shop: Shop) -> tuple[Any, ...]:
        return row.name, row.tracking_url, yes_no(row.is_active)

    def has_delete_permission(self, request: HttpRequest, obj: Carrier | None = None) -> bool:
        """A carrier that parcels or shipping methods name stays: switch it off."""
        allowed = super().has_delete_permission(request, obj)
        return bool(allowed and (obj is None or not _is_used(obj)))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any) -> HttpResponse:
        carrier: Carrier | None = context.get("original")
        if carrier is not None:
            newest = Shipment.objects.exclude(tracking_number="").order_by("-id").values_list("carrier", "tracking_number")[:NEWEST]
            number = next((number for name, number in newest if name == carrier.name), SAMPLE)
            context |= {"sample": number, "sample_url": carrier.url_for(number), "used": _is_used(carrier)}
        else:
            context["sample"] = SAMPLE
        return super().render_change_form(request, context, *args, **options)


def _is_used(carrier: Carrier) -> bool:
    return ShippingMethod.objects.filter(carrier=carrier).exists() or Shipment.objects.filter(carrier=carrier.name).exists()
