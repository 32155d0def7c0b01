"""Customers: the list, and a page with what each one ordered. Orders keep their own copy of these facts."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Max, Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.admin.customer_value import kept_sum, values_of
from orders.admin.lists import ShopPages, language_field
from orders.finding import find_customers
from orders.models import Customer
from orders.search import digits_of

ORDERS_SHOWN = 25


class CustomerForm(ModelForm):
    class Meta:
        model = Customer
        fields = ()

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not any(values.get(name) for name in ("name", "company", "email", "phone")) and not self.errors:
            self.add_error("name", _("Enter a name, a company, an e-mail address or a phone number."))
        return values


@admin.register(Customer)
class CustomerAdmin(ShopPages):
    """Changing a customer changes no order that was placed."""

    form = CustomerForm
    change_list_template = "admin/orders/customer/list.html"
    change_form_template = "admin/orders/customer/page.html"
    search_fields = ("name",)
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("name", "company", "email", "phone", "language", "group")}),
        (gettext_lazy("Address"), {"fields": ("street", "postcode", "city", "state", "country")}),
        (gettext_lazy("VAT and mails"), {"fields": ("tax_id", "tax_id_valid", "tax_exempt", "accepts_marketing", "no_mail")}),
        (gettext_lazy("Staff note"), {"fields": ("note",)}),
    )
    form_intro = gettext_lazy("Orders keep the facts they were placed with; what you change here counts for the next ones.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        return super().get_queryset(request)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Customer], search_term: str) -> tuple[QuerySet[Customer], bool]:
        return find_customers(queryset, search_term), False

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.name == "language":
            return language_field(db_field, empty=_("As the shop"))
        return super().formfield_for_dbfield(db_field, request, **options)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        if cl := getattr(response, "context_data", {}).get("cl"):
            # Counted for the customers of this page only.
            rows = list(cl.result_list)
            facts = Customer.objects.filter(pk__in=[c.pk for c in rows]).annotate(
                order_count=Count("orders", filter=Q(orders__deleted_at=None)),
                order_sum=kept_sum("orders__"),
                last_order=Max("orders__placed_at"),
                currency=Max("orders__currency"),
            )
            known = {c.pk: c for c in facts}
            cl.result_list = [known[c.pk] for c in rows if c.pk in known]
        return response

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any) -> HttpResponse:
        customer: Customer | None = context.get("original")
        if customer is not None:
            orders = customer.orders.present() if request.user.has_perm("orders.view_order") else customer.orders.none()
            context |= {
                "orders": list(orders.with_statuses().order_by("-placed_at", "-id")[: ORDERS_SHOWN + 1]),
                "most": ORDERS_SHOWN,
                "values": values_of(orders),
                "new_order_url": f"{reverse('admin:orders_order_add')}?customer={customer.pk}",
            }
        return super().render_change_form(request, context, *args, **options)

    def has_delete_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        """A customer with orders stays: the orders point to the record."""
        return bool(super().has_delete_permission(request, obj) and obj is not None and not obj.orders.exists())

    def save_model(self, request: HttpRequest, obj: Customer, form: Any, change: bool) -> None:
        obj.email_key = obj.email.casefold()
        obj.phone_digits = digits_of(obj.phone)[:40]
        super().save_model(request, obj, form, change)
