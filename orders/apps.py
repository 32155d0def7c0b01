"""The orders app: orders, customers, products, stock and the services that change them."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

from orders.roles import ensure_roles
from orders.statistics import count_rows


class OrdersConfig(AppConfig):
    name = "orders"
    verbose_name = _("Orders")

    def ready(self) -> None:
        # Permissions are made after the migrations, so the roles that hold them come after too.
        post_migrate.connect(ensure_roles, dispatch_uid="orders.roles")
        post_migrate.connect(keep_search, sender=self, dispatch_uid="orders.keep_search")
        post_migrate.connect(know_new_indexes, sender=self, dispatch_uid="orders.know_new_indexes")


def keep_search(*, using: str, **_facts: Any) -> None:
    """After migrations: SQLite loses the triggers of the search with every rebuild of the table of orders."""
    from orders.searching import keep_triggers  # noqa: PLC0415 (models are not loaded when this module is)

    keep_triggers(connections[using])


def know_new_indexes(*, using: str, plan: Any = (), **_facts: Any) -> None:
    """After migrations that changed anything: a new index is not used well before its rows are counted.

    Not in an empty shop: PostgreSQL would believe that it stays empty, and walk whole tables while it is filled.
    """
    from orders.models import Order  # noqa: PLC0415 (models are not loaded when this module is)

    is_there = plan and Order._meta.db_table in connections[using].introspection.table_names()
    if is_there and Order.objects.using(using).exists():
        count_rows(connections[using])
