"""Every address of the project."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from ecwid_orders.health import healthz
from ecwid_orders.language import switch_language
from ecwid_orders.sign_in import ChoosePasswordView, forgotten_view

handler403 = "ecwid_orders.refusals.forbidden"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("admin/forgotten/", forgotten_view, name="admin_password_reset"),
    path("admin/welcome/<uidb64>/<token>/", ChoosePasswordView.as_view(), name="choose_password"),
    path("admin/", admin.site.urls),
    path("api/", include("orders.api.urls")),
    path("documents/", include("invoices.urls")),
    path("mail/", include("notifications.urls")),
    path("language/", switch_language, name="set_language"),
    path("healthz", healthz, name="healthz"),
]
