"""Everything the notifications app stores."""

from notifications.models.outbox import DeliveryAccount, DeliveryAttempt, OutgoingEmail
from notifications.models.texts import EmailTemplate, FileDownload, MailSwitch

__all__ = ["DeliveryAccount", "DeliveryAttempt", "EmailTemplate", "FileDownload", "MailSwitch", "OutgoingEmail"]
