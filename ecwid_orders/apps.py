"""App configurations: the project itself (look, catalogue) and the admin with our own site."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class BackOfficeConfig(AppConfig):
    name = "ecwid_orders"


class BackOfficeAdminConfig(AdminConfig):
    default_site = "ecwid_orders.admin.BackOfficeSite"
