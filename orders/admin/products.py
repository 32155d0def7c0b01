"""Products with their variants: names, prices, VAT, files. Stock is changed by adjustments only; what was sold is archived."""

import uuid
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Max, Min, Q, QuerySet, Sum
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.admin.lists import PlainFields, ShopPages
from orders.errors import OrderError
from orders.finding import folded_pattern
from orders.models import DigitalFile, OrderLine, Product, StockMovement, Variant
from orders.services.plan import Actor
from orders.services.stock import adjust_stock

IMAGE_LIMIT = 4 * 1024 * 1024
IMAGES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"RIFF": "image/webp"}


def image_type(head: bytes) -> str:
    """The type of an image by its first bytes, whatever its name says; empty for anything else."""
    found = next((kind for start, kind in IMAGES.items() if head.startswith(start)), "")
    return found if found != "image/webp" or head[8:12] == b"WEBP" else ""


class ProductForm(forms.ModelForm):
    class Meta:
        model = Product
        fields = ()

    def clean_image(self) -> Any:
        image = self.cleaned_data.get("image")
        if image and hasattr(image, "chunks") and "image" in self.changed_data:
            if image.size > IMAGE_LIMIT:
                raise ValidationError(_("The image is larger than 4 MB."))
            head = image.read(16)
            image.seek(0)
            if not image_type(head):
                raise ValidationError(_("Choose a PNG, JPEG or WebP image."))
        return image


class VariantForm(forms.ModelForm):
    """One variant; `opening` counts what is there when the variant is made."""

    opening = forms.IntegerField(
        label=gettext_lazy("Opening stock"),
        required=False,
        min_value=0,
        max_value=1_000_000,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )

    class Meta:
        model = Variant
        fields = ()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk:
            # A counter is never typed over; the stock page adds and takes away.
            del self.fields["opening"]

    def clean_sku(self) -> str:
        return str(self.cleaned_data["sku"]).strip()


class VariantFormSet(forms.BaseInlineFormSet):
    """Sold or stocked variants are archived, never deleted."""

    def clean(self) -> None:
        super().clean()
        kept = 0
        for form in self.forms:
            gone = form.cleaned_data.get("DELETE")
            if gone and form.instance.pk and was_used([form.instance.pk]):
                form.add_error("DELETE", _("This variant was sold or stocked: take it off sale instead."))
            kept += bool(not gone and (form.instance.pk or form.has_changed()))
        if not kept and not any(self.errors):
            raise ValidationError(_("A product needs at least one variant with a SKU and a price."))


class VariantRows(PlainFields, admin.TabularInline):
    model = Variant
    form = VariantForm
    formset = VariantFormSet
    extra = 0
    fields = (
        "sku",
        "label",
        "price",
        "compare_at_price",
        "cost",
        "weight",
        "barcode",
        "location",
        "is_tracked",
        "opening",
        "low_stock_limit",
        "allows_oversell",
        "is_active",
        "position",
    )
    intro = gettext_lazy("A product has at least one variant: that is what has a SKU, a price and a stock.")
    row_template = "admin/orders/product/variant_stock.html"

    def get_extra(self, request: HttpRequest, obj: Product | None = None, **options: Any) -> int:
        return 0 if obj and obj.variants.exists() else 1

    def get_queryset(self, request: HttpRequest) -> QuerySet[Variant]:
        return super().get_queryset(request).select_related("product")


class FileRows(PlainFields, admin.TabularInline):
    model = DigitalFile
    extra = 0
    fields = ("name", "file")
    intro = gettext_lazy("Sent as links when the order is paid.")
    row_template = ""


class SaleFilter(admin.SimpleListFilter):
    title = gettext_lazy("State")
    parameter_name = "sale"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("archived", _("Archived")), ("all", _("All"))]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        return [first | {"display": _("On sale")}, *others]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "all":
            return queryset
        return queryset.filter(is_active=self.value() != "archived")


@admin.register(Product)
class ProductAdmin(ShopPages):
    """Catalogue facts; orders copy them, so a change here changes no order."""

    form = ProductForm
    change_list_template = "admin/orders/product/list.html"
    change_form_template = "admin/orders/product/form.html"
    search_fields = ("name",)
    list_filter = (SaleFilter,)
    inlines = (VariantRows, FileRows)
    ordering = ("name", "id")
    fieldsets = ((None, {"fields": ("name", "tax_class", "is_digital", "is_active", "image", "description")}),)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [path("<int:pk>/image/", wrap(self.image_view), name="orders_product_image"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        return super().get_queryset(request).select_related("tax_class")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Product], search_term: str) -> tuple[QuerySet[Product], bool]:
        for word in search_term.replace("\x00", "").split()[:6]:
            pattern = folded_pattern(word)
            by_variant = Variant.objects.filter(Q(sku__iregex=pattern) | Q(label__iregex=pattern) | Q(barcode=word)).values("product")
            queryset = queryset.filter(Q(name__iregex=pattern) | Q(pk__in=by_variant))
        return queryset, False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        if cl := getattr(response, "context_data", {}).get("cl"):
            rows = list(cl.result_list)
            counted = Q(variants__is_tracked=True)
            facts = Product.objects.filter(pk__in=[p.pk for p in rows]).annotate(
                variant_count=Count("variants"),
                least=Min("variants__price"),
                most=Max("variants__price"),
                first_sku=Min("variants__sku"),
                tracked=Count("variants", filter=counted),
                on_hand=Sum("variants__on_hand", filter=counted),
                committed=Sum("variants__committed", filter=counted),
            )
            known = {p.pk: p for p in facts.select_related("tax_class")}
            cl.result_list = [known[p.pk] for p in rows if p.pk in known]
        return response

    def image_view(self, request: HttpRequest, pk: int) -> FileResponse:
        """The image of a product, for whoever may see products; served by what its bytes say."""
        product = self.get_object(request, str(pk))
        if product is None or not product.image or not self.has_view_or_change_permission(request, product):
            raise Http404
        try:
            stored = product.image.open("rb")
        except FileNotFoundError as error:
            raise Http404 from error
        kind = image_type(stored.read(16))
        stored.seek(0)
        if not kind:
            raise Http404
        return FileResponse(stored, content_type=kind)

    def has_delete_permission(self, request: HttpRequest, obj: Product | None = None) -> bool:
        """Sold or stocked products are archived ("on sale" off); only one that nothing knows may go."""
        allowed = super().has_delete_permission(request, obj)
        return bool(allowed and obj is not None and not was_used(list(obj.variants.values_list("pk", flat=True))))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        for row in formset.forms:
            instance = row.instance
            if isinstance(instance, DigitalFile) and instance.pk and "file" in row.changed_data:
                instance.size = instance.file.size
                instance.save(update_fields=["size"])
            opening = row.cleaned_data.get("opening") if instance.pk else None
            if isinstance(instance, Variant) and opening:
                self._open_stock(request, instance, opening)

    def _open_stock(self, request: HttpRequest, variant: Variant, pieces: int) -> None:
        try:
            adjust_stock(
                variant.pk,
                pieces,
                reason=_("Opening stock"),
                actor=Actor.clerk(request.user),
                key=f"opening-{uuid.uuid4()}",
                kind=StockMovement.Kind.OPENING,
            )
        except OrderError as error:
            messages.warning(request, _("%(sku)s was saved without stock: %(reason)s") % {"sku": variant.sku, "reason": error})


def was_used(variant_ids: list[int]) -> bool:
    """Whether orders or the ledger know one of these variants."""
    return OrderLine.objects.filter(variant__in=variant_ids).exists() or StockMovement.objects.filter(variant__in=variant_ids).exists()
