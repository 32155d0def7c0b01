"""Tells staff when a correction of the stock, not an order, takes an article to its limit; orders tell it through their plan."""

from functools import partial

from django.db import transaction

from notifications.composing import Composer
from notifications.doorbell import ring
from notifications.kinds import Kind, Text
from notifications.models import MailSwitch, OutgoingEmail
from notifications.outbox import derived_message_id, new_row
from notifications.planner import all_of
from notifications.telling.facts import Crossing, stock_facts
from notifications.wording import shop_language
from orders.models import Shop, StockMovement


def tell_low_stock(movement: StockMovement) -> None:
    """Write the mails in the transaction of `movement`, once per crossing. Rare, and a few milliseconds: rendered on the spot."""
    variant, after = movement.variant, movement.on_hand_after - movement.committed_after
    before = after - movement.delta_on_hand + movement.delta_committed
    limit, shop = variant.low_stock_limit, Shop.current()
    addresses = shop.staff_address_list
    if limit is None or not before > limit >= after or not addresses or Kind.LOW_STOCK not in MailSwitch.on():
        return
    language, composer = shop_language(shop), Composer.load(shop)
    crossing = Crossing(variant, before, after, movement.on_hand_after, movement.committed_after)
    facts = stock_facts(crossing, "", shop, language)
    written = composer.compose(Text.LOW_STOCK, language, partial(all_of, facts), to=", ".join(addresses))
    for address in addresses:
        key = f"movement:{movement.pk}:{Kind.LOW_STOCK}:{address}"
        new_row(
            kind=Kind.LOW_STOCK,
            text_name=Text.LOW_STOCK,
            template_version=composer.version(Text.LOW_STOCK, language),
            audience=OutgoingEmail.Audience.STAFF,
            recipient=address,
            language=language,
            dedupe_key=key,
            message_id=derived_message_id(key),
            subject=written.subject,
            html=written.html,
            text=written.text,
            about=variant.sku[:200],
            state=OutgoingEmail.State.QUEUED,
            release_at=movement.at,
            created_at=movement.at,
        ).save(force_insert=True)
    transaction.on_commit(lambda: ring())
