"""What the orders list can ask about mails."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from notifications.models import OutgoingEmail
from orders.filtering import YesNoFilter
from orders.listing import having

UNDELIVERED = (OutgoingEmail.State.FAILED, OutgoingEmail.State.DEAD)


def mail_filters() -> dict[str, Any]:
    """Orders with a mail that did not arrive."""
    return {
        "mail_failed": YesNoFilter(
            label=_("Mail failed"),
            condition=lambda: having(OutgoingEmail.objects.filter(state__in=UNDELIVERED)),
        )
    }
