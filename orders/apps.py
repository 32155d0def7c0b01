"""The orders app: orders, customers, products, stock and the services that change them."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

from orders.roles import ensure_roles


class OrdersConfig(AppConfig):
    name = "orders"
    verbose_name = _("Orders")

    def ready(self) -> None:
        # Permissions are made after the migrations, so the roles that hold them come after too.
        post_migrate.connect(ensure_roles, dispatch_uid="orders.roles")
