"""What the shop's own lists and forms share: our templates over the admin's list and form views, plain fields."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst
from django_countries.fields import CountryField

from orders.admin.amounts import AmountField
from orders.admin.country_select import country_field


class PlainFields:
    """Fields without the admin's own widgets; amounts as people type them."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if isinstance(db_field, models.DecimalField):
            return AmountField(label=capfirst(db_field.verbose_name), required=not db_field.null, help_text=db_field.help_text)
        if isinstance(db_field, CountryField):
            return country_field(label=capfirst(db_field.verbose_name), required=not db_field.blank, help_text=db_field.help_text)
        if isinstance(db_field, models.ForeignKey):
            queryset = self.get_field_queryset(options.pop("using", None), db_field, request)  # type: ignore[attr-defined]
            if queryset is not None:
                options["queryset"] = queryset
        if isinstance(db_field, models.URLField):
            options["assume_scheme"] = "https"
        return db_field.formfield(**options)


class ShopPages(PlainFields, admin.ModelAdmin):
    """A list and a form in the look of the back office. Subclasses name their list template and say what the page is for."""

    actions = None
    list_per_page = 50
    show_full_result_count = False
    list_intro: Any = ""
    form_intro: Any = ""
    change_form_template = "admin/orders/shop/form.html"

    @property
    def media(self) -> forms.Media:
        """Our pages bring their own styles and scripts."""
        return forms.Media()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"intro": self.list_intro, **(extra_context or {})})

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changeform_view(request, object_id, form_url, {"intro": self.form_intro, **(extra_context or {})})

    def places(self, request: HttpRequest) -> list[tuple[Any, str]]:
        """Links above the page: what it belongs to."""
        return []


def language_field(db_field: Any, *, empty: str = "") -> forms.ChoiceField:
    """A language of the back office instead of a code to type."""
    choices = [("", empty)] if empty else []
    return forms.ChoiceField(
        label=capfirst(db_field.verbose_name),
        choices=[*choices, *settings.LANGUAGES],
        required=not db_field.blank,
        help_text=db_field.help_text,
    )
