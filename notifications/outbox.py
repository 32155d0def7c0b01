"""Rows of the outbox: how they are identified and threaded. A row's Message-ID never changes, whoever sends it, how often."""

import hashlib
from datetime import datetime
from email.utils import parseaddr
from typing import Any

from django.conf import settings

from notifications.models import OutgoingEmail
from orders.models import Order


def new_row(*, release_at: datetime, **values: Any) -> OutgoingEmail:
    """An outbox row that is due at `release_at`."""
    return OutgoingEmail(release_at=release_at, next_at=release_at, **values)


def derived_message_id(key: str) -> str:
    """The Message-ID that belongs to a dedupe key."""
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{sending_domain()}>"


def thread_of(order: Order) -> str:
    """Message-ID of the order's first mail; later ones refer to it, so that one order is one thread."""
    return f"<order.{order.public_id}@{sending_domain()}>"


def sending_domain() -> str:
    """The domain that mails are sent from."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].partition("@")[2] or "localhost"
