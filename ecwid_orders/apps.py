"""App configurations: the project itself (look, catalogue, checks) and the admin with our own site."""

from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class BackOfficeConfig(AppConfig):
    name = "ecwid_orders"

    def ready(self) -> None:
        import_module("ecwid_orders.checks")


class BackOfficeAdminConfig(AdminConfig):
    default_site = "ecwid_orders.admin.BackOfficeSite"
