"""Proves that no mail is stuck. Reads only."""

from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone

from notifications.models import OutgoingEmail
from orders.models import Shop

STUCK = timedelta(hours=1)
State = OutgoingEmail.State


def find_problems() -> Iterator[str]:
    """One line per mail that should have moved an hour ago; nothing when all is well, or while mail is paused."""
    if Shop.current().mail_paused:
        return
    late = timezone.now() - STUCK
    for mail in OutgoingEmail.objects.filter(state=State.SENDING, lease_until__lt=late).only("subject").order_by("id")[:100]:
        yield f"mail {mail.pk}: its worker died and nobody took it back"
    for mail in OutgoingEmail.objects.filter(state=State.HELD, release_at__lt=late).only("attachments").order_by("id")[:100]:
        if not mail.waits_for_document:
            yield f"mail {mail.pk}: held past its time"
    for mail in OutgoingEmail.objects.filter(state=State.QUEUED, next_at__lt=late).only("subject").order_by("id")[:100]:
        yield f"mail {mail.pk}: ready for over an hour and not sent"
