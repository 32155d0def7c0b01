"""The back office as an admin site: Django's admin with our frame, Home, search over everything and the list of all data."""

from pathlib import PurePath
from typing import Any

from django.contrib.admin import AdminSite
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from ecwid_orders.health import worker_is_silent
from ecwid_orders.navigation import navigation
from notifications.undo_bar import undo_bars
from orders.known import shop_of
from orders.models import Shop

# Named, not imported: they read the admin of orders, which registers with this site while it loads.
HOME = "ecwid_orders.home.home_of"
SEARCH = "ecwid_orders.palette.find_everything"
IMPORT_PAGES = "orders.admin.importing.import_urls"
STAFF_PAGES = "orders.admin.staff.staff_urls"
LOGO_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}


class BackOfficeSite(AdminSite):
    site_title = _("Back office")
    site_header = _("Back office")
    index_title = _("Home")
    enable_nav_sidebar = False

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What the frame of every page needs: the shop, the sidebar, what can still be undone, whether the worker works."""
        context = super().each_context(request) | {"shop": shop_of(request)}
        if self.has_permission(request):
            context |= {"nav": navigation(request), "undo_bars": undo_bars(request), "worker_silent": worker_is_silent()}
        return context

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Accounts and groups have pages of their own (Staff), which keep an audit trail and the last owner."""
        models: list[Any] = [model_or_iterable] if isinstance(model_or_iterable, type) else list(model_or_iterable)
        if wanted := [model for model in models if model._meta.app_label != "auth"]:
            super().register(wanted, admin_class, **options)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [
            path("all-data/", self.admin_view(self.all_data), name="all_data"),
            path("search/", self.admin_view(self.search), name="search"),
            path("shop-logo/", shop_logo, name="shop_logo"),
            *import_string(IMPORT_PAGES)(self),
            *import_string(STAFF_PAGES)(self),
            *super().get_urls(),
        ]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Home: the figures of the day, what has to be settled, what happened last."""
        return super().index(
            request, {"home": import_string(HOME)(request, shop_of(request)), "title": self.index_title, **(extra_context or {})}
        )

    def all_data(self, request: HttpRequest) -> HttpResponse:
        """Every model the person may see, as plain admin lists."""
        context = self.each_context(request) | {"title": _("All data"), "app_list": self.get_app_list(request)}
        return render(request, "admin/all_data.html", context)

    def search(self, request: HttpRequest) -> HttpResponse:
        """Orders, customers, articles and pages that hold what was typed: a fragment for the palette, else a page."""
        text = request.GET.get("q", "").strip()[:200]
        context: dict[str, Any] = {"q": text, "groups": import_string(SEARCH)(request, text)}
        if request.headers.get("HX-Request") == "true":
            return render(request, "admin/includes/search_results.html", context)
        return render(request, "admin/search.html", self.each_context(request) | context | {"title": _("Search")})


@require_safe
@cache_control(public=True, max_age=300)
def shop_logo(_request: HttpRequest) -> FileResponse:
    """The shop's logo for the sidebar and the sign-in page. 404 where there is none or it is no picture we know."""
    logo = Shop.current().logo
    name = logo.name or ""
    suffix = PurePath(name).suffix.lower()
    if suffix not in LOGO_TYPES or not logo.storage.exists(name):
        raise Http404
    return FileResponse(logo.open("rb"), content_type=LOGO_TYPES[suffix])
