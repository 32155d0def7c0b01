"""Every address of the project."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from ecwid_orders.health import healthz

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("admin/", admin.site.urls),
    path("api/", include("orders.api.urls")),
    path("documents/", include("invoices.urls")),
    path("mail/", include("notifications.urls")),
    path("language/", set_language, name="set_language"),
    path("healthz", healthz, name="healthz"),
]
