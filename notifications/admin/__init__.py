"""Pages of mails in the back office."""

from notifications.admin import outbox, texts

__all__ = ["outbox", "texts"]
