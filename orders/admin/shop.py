"""The settings of the shop and what belongs to them: payment and shipping methods, carriers, VAT rates."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import validate_email
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.admin.country_select import CountrySelect
from orders.admin.lists import PlainFields, ShopPages, language_field
from orders.admin.names import NAME_FIELDS, NamesForm, with_names
from orders.admin.order_numbers import upcoming_number
from orders.admin.products import image_type
from orders.models import PaymentMethod, Product, ShippingMethod, Shop, TaxClass, TaxRate
from orders.money import format_money, format_percent

LOGO_LIMIT = 500 * 1024


class ShopForm(forms.ModelForm):
    class Meta:
        model = Shop
        fields = ()

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).upper()

    def clean_staff_addresses(self) -> str:
        lines = [line.strip() for line in self.cleaned_data["staff_addresses"].splitlines() if line.strip()]
        for line in lines:
            try:
                validate_email(line)
            except ValidationError:
                raise ValidationError(_("“%(line)s” is no e-mail address.") % {"line": line}) from None
        return "\n".join(lines)

    def clean_logo(self) -> Any:
        logo = self.cleaned_data.get("logo")
        if logo and hasattr(logo, "chunks") and "logo" in self.changed_data:
            if logo.size > LOGO_LIMIT:
                raise ValidationError(_("The logo is larger than 500 kB."))
            head = logo.read(16)
            logo.seek(0)
            if image_type(head) not in ("image/png", "image/jpeg"):
                raise ValidationError(_("Choose a PNG or JPEG image."))
        return logo


@admin.register(Shop)
class ShopAdmin(ShopPages):
    """One row: the list leads to its form."""

    form = ShopForm
    change_form_template = "admin/orders/shop/settings.html"
    fieldsets = (
        (
            gettext_lazy("Who you are"),
            {
                "fields": ("name", "email", "phone", "website", "street", "postcode", "city", "country"),
                "description": gettext_lazy("Printed in mails and on order sheets. Invoices have their own seller data."),
            },
        ),
        (gettext_lazy("Look"), {"fields": ("logo", "accent_color")}),
        (gettext_lazy("Language, money, time"), {"fields": ("language", "currency", "time_zone", "prices_include_tax")}),
        (gettext_lazy("Staff"), {"fields": ("staff_addresses",)}),
        (gettext_lazy("Order numbers"), {"fields": ("order_prefix", "order_suffix", "order_digits")}),
        (
            gettext_lazy("What happens by itself"),
            {
                "fields": ("undo_seconds", "zero_total_status", "stock_control", "digital_auto_delivery", "mail_paused"),
            },
        ),
        (gettext_lazy("Delivery and pickup"), {"fields": ("local_delivery", "pickup_address", "pickup_hours")}),
        (gettext_lazy("Payment and downloads"), {"fields": ("bank_details", "download_days", "download_limit")}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Shop | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("admin:orders_shop_change", args=[Shop.current().pk]))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.name == "language":
            return language_field(db_field)
        if db_field.name == "time_zone":
            zones = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix/", "right/")))
            # CountrySelect writes any long list quickly.
            return forms.ChoiceField(
                label=capfirst(db_field.verbose_name), choices=[("UTC", "UTC"), *((z, z) for z in zones)], widget=CountrySelect
            )
        if db_field.name == "accent_color":
            options["widget"] = forms.TextInput({"type": "color"})
        return super().formfield_for_dbfield(db_field, request, **options)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any) -> HttpResponse:
        shop = context.get("original")
        if shop is not None:
            context |= {"next_number": upcoming_number(shop), "shop_name": shop.name}
        context["links"] = [
            (label, hint, reverse(name))
            for label, hint, name, permission in (
                (
                    _("Payment methods"),
                    _("How customers pay, and which count as paid at once"),
                    "admin:orders_paymentmethod_changelist",
                    "orders.view_paymentmethod",
                ),
                (
                    _("Shipping methods"),
                    _("Rates, pickup and local delivery"),
                    "admin:orders_shippingmethod_changelist",
                    "orders.view_shippingmethod",
                ),
                (_("Carriers"), _("Their tracking pages"), "admin:orders_carrier_changelist", "orders.view_carrier"),
                (_("VAT"), _("Tax classes and their rate per country"), "admin:orders_taxclass_changelist", "orders.view_taxclass"),
                (_("Statuses"), _("Names, colours and what they set off"), "admin:orders_status_changelist", "orders.view_status"),
                (_("API tokens"), _("Keys of the online shop"), "admin:orders_apitoken_changelist", "orders.view_apitoken"),
            )
            if request.user.has_perm(permission)
        ]
        return super().render_change_form(request, context, *args, **options)


class ColumnsPages(ShopPages):
    """A small list whose rows are plain texts: `columns` are its heads, `cells` the texts of a row."""

    change_list_template = "admin/orders/shop/columns.html"
    columns: tuple[Any, ...] = ()

    def cells(self, row: Any, shop: Shop) -> tuple[Any, ...]:
        return ()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        if cl := getattr(response, "context_data", {}).get("cl"):
            shop = Shop.current()
            response.context_data |= {  # type: ignore[attr-defined]
                "columns": self.columns,
                "rows": [{"row": row, "cells": self.cells(row, shop)} for row in cl.result_list],
            }
        return response


def yes_no(value: object) -> str:
    return _("yes") if value else _("no")


@admin.register(PaymentMethod)
class PaymentMethodAdmin(ColumnsPages):
    fields = ("name", "is_online", "instructions", "position", "is_active")
    columns = (gettext_lazy("Name"), gettext_lazy("Online"), gettext_lazy("Active"))
    form_intro = gettext_lazy("Orders keep the name they were placed with; removing a method changes no order.")

    def cells(self, row: PaymentMethod, shop: Shop) -> tuple[Any, ...]:
        return row.name, yes_no(row.is_online), yes_no(row.is_active)


@admin.register(ShippingMethod)
class ShippingMethodAdmin(ColumnsPages):
    fields = ("name", "kind", "rate", "carrier", "instructions", "position", "is_active")
    columns = (gettext_lazy("Name"), gettext_lazy("Kind"), gettext_lazy("Rate"), gettext_lazy("Carrier"), gettext_lazy("Active"))
    list_select_related = ("carrier",)
    form_intro = gettext_lazy("Orders keep the name and the rate they were placed with.")

    def cells(self, row: ShippingMethod, shop: Shop) -> tuple[Any, ...]:
        rate = format_money(row.rate, shop.currency) if row.rate else _("free")
        return row.name, row.get_kind_display(), rate, row.carrier or "", yes_no(row.is_active)


class RateRows(PlainFields, admin.TabularInline):
    model = TaxRate
    extra = 0
    fields = ("country", "rate")
    intro = gettext_lazy("The rate of the country that the goods go to. Without one, the rate of the shop's country counts within the EU.")
    row_template = ""


class PlainTaxClassForm(NamesForm):
    class Meta:
        model = TaxClass
        exclude = ("names",)
        help_texts = {"code": gettext_lazy("A short name for imports and the API, such as “reduced”.")}


@admin.register(TaxClass)
class TaxClassAdmin(ColumnsPages):
    form = with_names(PlainTaxClassForm)
    inlines = (RateRows,)
    columns = (gettext_lazy("Name"), gettext_lazy("VAT category"), gettext_lazy("Rates"))
    fieldsets = ((gettext_lazy("Names"), {"fields": NAME_FIELDS}), (None, {"fields": ("code", "category", "position")}))
    list_intro = gettext_lazy("What kind of goods it is decides the VAT rate. The first class counts for items that name none.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TaxClass]:
        return super().get_queryset(request).prefetch_related("rates")

    def cells(self, row: TaxClass, shop: Shop) -> tuple[Any, ...]:
        rates = sorted(row.rates.all(), key=lambda rate: (str(rate.country) != str(shop.country), str(rate.country)))
        shown = ", ".join(f"{rate.country} {format_percent(rate.rate)}" for rate in rates[:6])
        return str(row), row.get_category_display(), shown + (", …" if len(rates) > 6 else "")

    def has_delete_permission(self, request: HttpRequest, obj: TaxClass | None = None) -> bool:
        """A class that products name stays."""
        allowed = super().has_delete_permission(request, obj)
        return bool(allowed and (obj is None or not Product.objects.filter(tax_class=obj).exists()))
