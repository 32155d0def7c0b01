"""Orders in the admin: who may see and do what, and which page answers which address."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from orders.admin.bulk import bulk_view
from orders.admin.bulk_pages import BULK_PLACES
from orders.admin.drafts import again_view
from orders.admin.edit_page import edit_view
from orders.admin.list_fresh import fresh_view
from orders.admin.manual_order import manual_order_view
from orders.admin.order_list import filters_view, order_list_view
from orders.admin.order_notes import file_view, note_view
from orders.admin.order_page import order_page_view, why_view
from orders.admin.packing import packing_table_view, packing_view
from orders.admin.panel import mail_view, panel_view
from orders.admin.peek import peek_view
from orders.admin.quick import quick_view
from orders.admin.returns import returns_view
from orders.admin.saved_views import arrange_views, save_columns, save_view
from orders.admin.tracking import tracking_view
from orders.admin.wishes import FORMS, OF_A_PART
from orders.models import Order

# Pages beside the list and the page of an order: name, address, view.
PLACES: dict[str, tuple[str, Callable[..., HttpResponseBase]]] = {
    "filters": ("filters/", filters_view),
    "returns": ("returns/", returns_view),
    "views": ("views/", arrange_views),
    "save_view": ("views/save/", save_view),
    "columns": ("columns/", save_columns),
    "fresh": ("fresh/", fresh_view),
    "tracking_file": ("tracking/", tracking_view),
    "packing": ("packing/", packing_view),
    "packing_table": ("packing/<int:pk>/", packing_table_view),
    "note": ("<int:pk>/note/", note_view),
    "answer": ("<int:pk>/note/<int:part>/", note_view),
    "note_file": ("<int:pk>/note/file/<int:part>/", file_view),
    "quick": ("<int:pk>/quick/", quick_view),
    "why": ("<int:pk>/why/<int:part>/", why_view),
    "edit": ("<int:pk>/edit/", edit_view),
    "again": ("<int:pk>/again/", again_view),
    "peek": ("<int:pk>/peek/", peek_view),
}


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):
    """The list, the page of an order and its consequence panels. Orders are never written by the stock form."""

    search_fields = ("search",)
    ordering = ("-placed_at", "-id")

    def get_urls(self) -> list[URLPattern]:
        places = [path("bulk/", self.admin_site.admin_view(self.bulk), name="orders_order_bulk")]
        for name, (address, view) in (PLACES | BULK_PLACES).items():
            places.append(path(address, self.admin_site.admin_view(self._seen_by_readers(view)), name=f"orders_order_{name}"))
        for name in FORMS:
            for part in ("", "<int:part>/") if name in OF_A_PART else ("",):
                places.append(self._place(f"<int:pk>/{name}/{part}", self.panel, name, name))
                places.append(self._place(f"<int:pk>/{name}/{part}mail/", self.mail, name, f"{name}_mail"))
        return [*places, *super().get_urls()]

    def _place(self, address: str, view: Callable[..., HttpResponse], wish: str, name: str) -> URLPattern:
        return path(address, self.admin_site.admin_view(view), {"name": wish}, name=f"orders_order_{name}")

    def _seen_by_readers(self, view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        """`view` for people who may see orders; it gets the site beside the request."""

        def checked(request: HttpRequest, **parts: Any) -> HttpResponseBase:
            self._check(request)
            return view(request, self.admin_site, **parts)

        return checked

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.add_order")

    def has_delete_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return order_list_view(request, self.admin_site, self._shared(request) | (extra_context or {}))

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return manual_order_view(request, self.admin_site)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self._check(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return order_page_view(request, self.admin_site, object_id, self._shared(request) | (extra_context or {}))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The admin's own page knows only its own forms; what happened to an order stands on the order's page."""
        self._check(request)
        return redirect(reverse("admin:orders_order_change", args=[object_id]) + "#history")

    def bulk(self, request: HttpRequest) -> HttpResponse:
        self._check(request)
        return bulk_view(request, self.admin_site)

    def panel(self, request: HttpRequest, pk: int, name: str, part: int = 0) -> HttpResponse:
        self._check(request)
        return panel_view(request, self.admin_site, pk, name, part)

    def mail(self, request: HttpRequest, pk: int, name: str, part: int = 0) -> HttpResponse:
        self._check(request)
        return mail_view(request, pk, name, part)

    def _check(self, request: HttpRequest) -> None:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied

    def _shared(self, request: HttpRequest) -> dict[str, Any]:
        """What pages that extend the admin's own templates expect."""
        return {"opts": self.opts, "has_add_permission": self.has_add_permission(request), "media": self.media, "plural": _("Orders")}
