"""The notifications app: mails to customers and staff, the outbox that delivers them, the undo window."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = _("Mails")
