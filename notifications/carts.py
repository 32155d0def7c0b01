"""Reminds of unfinished carts: once per cart, two hours after, never those that were imported."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications.composing import Composer
from notifications.doorbell import ring
from notifications.kinds import Kind, Text
from notifications.models import MailSwitch, OutgoingEmail
from notifications.outbox import derived_message_id, new_row
from notifications.telling.facts import cart_facts
from notifications.wording import choose_language
from orders.drafts import OrderDraft
from orders.errors import InvalidWish, OrderError
from orders.models import Draft, Order, Shop

SALT = "notifications.cart"
AFTER = timedelta(hours=2)
TOO_OLD = timedelta(days=7)
BATCH = 100


def remind_due() -> int:
    """Remind of every cart that is due. Returns how many reminders were written."""
    if Kind.ABANDONED_CART not in MailSwitch.on():
        return 0
    now = timezone.now()
    carts = Draft.objects.filter(kind=Draft.Kind.CART, source=Order.OWN, order=None, closed_at=None, reminded_at=None, unsubscribed=False)
    carts = carts.filter(updated_at__lte=now - AFTER, updated_at__gt=now - TOO_OLD).exclude(email="").exclude(recovered_order_id__gt="")
    carts = carts.filter(Q(expires_at=None) | Q(expires_at__gt=now))
    count = 0
    for cart in carts.order_by("id")[:BATCH]:
        try:
            remind(cart)
        except OrderError:
            Draft.objects.filter(pk=cart.pk).update(reminded_at=now)  # it can't be reminded; not looked at again
        else:
            count += 1
    return count


def remind(cart: Draft) -> OutgoingEmail:
    """Write the one reminder of a cart. Raises OrderError where it was placed, reminded, unsubscribed, or has no usable address."""
    if cart.order_id or cart.reminded_at or cart.unsubscribed:
        raise OrderError(_("This cart was placed, was reminded of already, or its owner wants no reminders."))
    try:
        validate_email(cart.email)
    except ValidationError:
        raise InvalidWish(_("The cart has no usable e-mail address."), field="email") from None
    shop = Shop.current()
    choice = choose_language(cart.language, shop)
    facts = cart_facts(cart, OrderDraft.from_json(cart.body), shop, choice.language)
    optout = stop_url(cart)
    composer = Composer.load(shop)
    composed = composer.compose(Text.ABANDONED_CART, choice.language, lambda _wanted: facts, optout_url=optout)
    now = timezone.now()
    key = f"cart:{cart.pk}:{cart.email}"
    with transaction.atomic():
        if not Draft.objects.filter(pk=cart.pk, order=None, reminded_at=None, unsubscribed=False).update(reminded_at=now):
            raise OrderError(_("This cart was placed, was reminded of already, or its owner wants no reminders."))
        row = new_row(
            kind=Kind.ABANDONED_CART,
            text_name=Text.ABANDONED_CART,
            template_version=composed.version,
            draft=cart,
            audience=OutgoingEmail.Audience.CUSTOMER,
            recipient=cart.email,
            recipient_name=cart.customer_name,
            language=choice.language,
            dedupe_key=key[:300],
            message_id=derived_message_id(key),
            unsubscribe_url=optout,
            subject=composed.subject,
            html=composed.html,
            text=composed.text,
            state=OutgoingEmail.State.QUEUED,
            release_at=now,
            created_at=now,
        )
        row.save(force_insert=True)
        transaction.on_commit(lambda: ring())
    return row


def stop_url(cart: Draft) -> str:
    """The signed address that stops reminders of one cart."""
    token = signing.dumps(str(cart.public_id), salt=SALT)
    return f"{settings.SITE_URL}{reverse('mail:stop_reminders', args=[token])}"


def stop_reminders(token: str) -> Draft:
    """Never remind of this cart. Raises signing.BadSignature or Draft.DoesNotExist for a wrong address."""
    public_id: Any = signing.loads(token, salt=SALT)
    cart = Draft.objects.get(public_id=public_id)
    Draft.objects.filter(pk=cart.pk).update(unsubscribed=True)
    waiting = OutgoingEmail.objects.filter(draft=cart, state__in=("held", "queued", "failed"))
    waiting.update(state=OutgoingEmail.State.SUPPRESSED)
    return cart
