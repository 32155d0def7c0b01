"""The links by which a person chooses a password: signed, three days long, good for one use, and dead once a newer one is sent."""

from typing import Any

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.module_loading import import_string

from orders.models import StaffProfile

INVITATION, FORGOTTEN = "invitation", "forgotten"


class StaffTokens(PasswordResetTokenGenerator):
    """A new invitation, a disabled person, a new address or password: each ends the links that were sent before."""

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{StaffProfile.of(user).invited_at}{user.is_active}"


staff_tokens = StaffTokens()


def link_for(person: Any) -> str:
    """The address where `person` chooses a password. A secret: it belongs into a mail to them and nowhere else."""
    place = reverse("choose_password", args=[urlsafe_base64_encode(force_bytes(person.pk)), staff_tokens.make_token(person)])
    return f"{settings.SITE_URL}{place}"


def send_link(person: Any, why: str, *, sender: str = "") -> bool:
    """Have the link mailed to `person`, in their language: what `settings.ACCOUNT_MAILS` names writes it. Whether a mail was written."""
    return bool(import_string(settings.ACCOUNT_MAILS)(person, why, link=link_for(person), sender=sender))
