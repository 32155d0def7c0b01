"""Mails about the accounts of staff: the invitation and the forgotten password. Each holds a secret link, so few may read them."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from notifications.composing import Composer
from notifications.doorbell import ring
from notifications.kinds import ACCOUNT_KINDS, Kind, Text
from notifications.models import OutgoingEmail
from notifications.outbox import derived_message_id, new_row
from notifications.planner import all_of
from notifications.telling.facts import account_facts
from notifications.wording import WORDS, shop_language
from orders.models import Shop, StaffProfile
from orders.services.people import may_manage

MOST_PER_HOUR = 3


def write_account_mail(person: Any, why: str, *, link: str, sender: str = "") -> bool:
    """Write the mail that brings `link` to `person`, in their language, to go at once; whether one was written.

    Someone who forgot their password gets at most three mails an hour, however often the form is sent. An earlier mail about the
    account that has not left is stopped: its link works no longer, or the new one does as well.
    """
    kind, now, shop = Kind(why), timezone.now(), Shop.current()
    about = _about(person)
    earlier = OutgoingEmail.objects.filter(kind__in=ACCOUNT_KINDS, about=about)
    if kind == Kind.FORGOTTEN and earlier.filter(kind=kind, created_at__gt=now - timedelta(hours=1)).count() >= MOST_PER_HOUR:
        return False
    earlier.filter(state__in=(OutgoingEmail.State.QUEUED, OutgoingEmail.State.FAILED)).update(
        state=OutgoingEmail.State.CANCELLED, cancelled_reason="replaced"
    )
    wanted = StaffProfile.of(person).language
    language = wanted if wanted in WORDS else shop_language(shop)
    composer, text = Composer.load(shop), Text(kind.value)
    facts = account_facts(person, link=link, sender=sender, days=settings.PASSWORD_RESET_TIMEOUT // 86400, shop=shop)
    written = composer.compose(text, language, partial(all_of, facts), to=person.email)
    key = f"account:{uuid4()}"
    new_row(
        kind=kind,
        text_name=text,
        template_version=composer.version(text, language),
        audience=OutgoingEmail.Audience.STAFF,
        recipient=person.email,
        recipient_name=person.get_full_name(),
        language=language,
        dedupe_key=key,
        message_id=derived_message_id(key),
        subject=written.subject,
        html=written.html,
        text=written.text,
        about=about,
        state=OutgoingEmail.State.QUEUED,
        release_at=now,
        created_at=now,
    ).save(force_insert=True)
    transaction.on_commit(lambda: ring())
    return True


def may_read_body(user: Any, mail: OutgoingEmail) -> bool:
    """Whether `user` may read what a mail says. A link that chooses a password is read by who manages that person, by nobody else."""
    if mail.kind not in ACCOUNT_KINDS:
        return bool(user.has_perm("notifications.view_outgoingemail"))
    person = get_user_model()._default_manager.filter(pk=mail.about.removeprefix("user:")).first()
    return person is not None and may_manage(user, person)


def latest_account_mail(person: Any) -> OutgoingEmail | None:
    """The newest mail about the account of `person`, without its body."""
    found = OutgoingEmail.objects.filter(kind__in=ACCOUNT_KINDS, about=_about(person)).defer("html", "text")
    return found.order_by("-id").first()


def _about(person: Any) -> str:
    return f"user:{person.pk}"
