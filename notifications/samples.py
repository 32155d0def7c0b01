"""A made-up order with everything a mail can tell: previews and checks of texts are written from it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from notifications.kinds import ACCOUNT_KINDS, KIND_OF_TEXT, Kind, Text
from notifications.telling.facts import Crossing, account_facts, cart_facts, facts_of, note_facts, stock_facts
from notifications.telling.offer import quote_facts
from notifications.telling.story import Download, Story
from orders.choices import Axis, DeliveryKind
from orders.drafts import DraftLine, OrderDraft
from orders.models import Draft, Note, Order, OrderAddress, OrderLine, Product, Refund, RefundLine, Shipment, Shop, Status, Variant

WORDS = {
    "en": (
        "Stoneware bowl, 14 cm",
        "Colour",
        "mist blue",
        "Linen cloth",
        "Please wrap it as a present.",
        "Card",
        "Parcel delivery",
        "a chipped bowl",
    ),
    "fr": (
        "Bol en grès, 14 cm",
        "Couleur",
        "bleu brume",
        "Nappe en lin",
        "Merci d’emballer en cadeau.",
        "Carte bancaire",
        "Colissimo",
        "un bol ébréché",
    ),
}


NOTES = {"en": "@Paul can you call the customer about the colour?", "fr": "@Paul peux-tu appeler la cliente pour la couleur ?"}


def sample_facts(name: Text, language: str, shop: Shop) -> dict[str, Any]:
    """Facts for the text `name`, complete: every name that a text may use is in them."""
    kind = KIND_OF_TEXT[name]
    bowl, option, colour, cloth, _comment, *_rest = WORDS[language]
    if kind == Kind.LOW_STOCK:
        variant = Variant(pk=1, product=Product(name=bowl), sku="BOWL-14", label=colour, on_hand=8, committed=6, low_stock_limit=5)
        return stock_facts(Crossing(variant, 8, 2, 8, 6), "1052", shop, language)
    if kind == Kind.MENTION:
        note = Note(author_name="Inès", text=NOTES.get(language, NOTES["en"]))
        return note_facts(note, Order(number="1052", customer_name="Anaïs Lefèvre"), shop, language)
    if kind in ACCOUNT_KINDS:
        person = User(username="anais", first_name="Anaïs", last_name="Lefèvre", email="anais@example.com")
        return account_facts(person, link=f"{settings.SITE_URL}/sample", sender="Inès", days=3, shop=shop)
    if kind == Kind.QUOTE:
        order = Order(customer_name="Anaïs Lefèvre", email="anais@example.com", currency=shop.currency, shipping_cost=Decimal("8.90"))
        order.subtotal, order.tax, order.total = Decimal("147"), Decimal("25.98"), Decimal("155.90")
        until = timezone.now() + timedelta(days=30)
        return quote_facts(order, _lines(language), until=until, shop=shop, language=language, message=_comment)
    if kind == Kind.ABANDONED_CART:
        lines = (
            DraftLine(name=bowl, quantity=2, price=Decimal("29"), options=({"name": option, "value": colour},)),
            DraftLine(name=cloth, quantity=1, price=Decimal("89")),
        )
        cart = Draft(
            kind=Draft.Kind.CART,
            customer_name="Anaïs Lefèvre",
            email="anais@example.com",
            total=Decimal("147"),
            currency=shop.currency,
            expires_at=timezone.now() + timedelta(days=10),
        )
        return cart_facts(cart, OrderDraft(lines=lines), shop, language)
    return facts_of(sample_story(name, language, shop), language)


def sample_story(name: Text, language: str, shop: Shop) -> Story:
    """The made-up order, in the state that the text is about."""
    comment, method, shipping, reason = WORDS[language][4:]
    statuses = {(status.axis, status.code): status for status in Status.objects.filter(base=None)}
    codes = {
        Text.ORDER_AWAITING_PAYMENT: ("AWAITING_PAYMENT", "AWAITING_PROCESSING"),
        Text.ORDER_CANCELLED: ("CANCELLED", "WILL_NOT_DELIVER"),
        Text.ORDER_CANCELLED_PAID: ("CANCELLED", "WILL_NOT_DELIVER"),
        Text.STATUS_CHANGED: ("PAID", "PROCESSING"),
        Text.SHIPPED: ("PAID", "SHIPPED"),
        Text.TRACKING_CHANGED: ("PAID", "SHIPPED"),
        Text.READY_FOR_PICKUP: ("PAID", "READY_FOR_PICKUP"),
        Text.DELIVERED: ("PAID", "DELIVERED"),
        Text.REFUND_RECORDED: ("PARTIALLY_REFUNDED", "DELIVERED"),
    }
    payment, fulfilment = codes.get(name, ("PAID", "AWAITING_PROCESSING"))
    now = timezone.now()
    order = Order(
        number="1052",
        placed_at=now - timedelta(days=3),
        customer_name="Anaïs Lefèvre",
        email="anais@example.com",
        phone="+33 6 12 34 56 78",
        language=language,
        currency=shop.currency,
        shipping_cost=Decimal("8.90"),
        coupon_code="BIENVENUE",
        coupon_discount=Decimal("7.35"),
        subtotal=Decimal("147"),
        tax=Decimal("24.76"),
        total=Decimal("148.55"),
        payment_method=method,
        shipping_method=shipping,
        customer_comment=comment,
        delivery_kind=DeliveryKind.PICKUP if name == Text.READY_FOR_PICKUP else DeliveryKind.SHIPPING,
    )
    lines = _lines(language)
    paid = payment != "AWAITING_PAYMENT" and name != Text.ORDER_CANCELLED
    parcel = Shipment(
        carrier="Colissimo",
        tracking_number="6A21048837215",
        tracking_url="https://www.laposte.fr/outils/suivre-vos-envois?code=6A21048837215",
        shipped_at=now,
    )
    refund = Refund(amount=Decimal("27.55"), credited=Decimal("27.55"), method=method, reason=reason, refunded_at=now)
    return Story(
        shop=shop,
        now=now,
        order=order,
        payment=statuses[(Axis.PAYMENT, payment)],
        fulfilment=statuses[(Axis.FULFILMENT, fulfilment)],
        fulfilment_before=statuses[(Axis.FULFILMENT, "AWAITING_PROCESSING")] if name == Text.STATUS_CHANGED else None,
        lines=lines,
        addresses=[
            OrderAddress(
                kind=OrderAddress.Kind.SHIPPING,
                name="Anaïs Lefèvre",
                street="2 rue de Nantes",
                postcode="35000",
                city="Rennes",
                country="FR",
            )
        ],
        parcels=[(parcel, None)],
        parcel_numbers=[parcel],
        refund=(refund, [RefundLine(line=lines[0], quantity=1, amount=Decimal("29"))]),
        available=[("BOWL-14", 2, 5), ("CLOTH", 7, None)],
        paid=order.total if paid else Decimal(0),
        refunded=refund.amount if name == Text.REFUND_RECORDED else Decimal(0),
        balance=Decimal(0) if paid or payment == "CANCELLED" else order.total,
        total=order.total,
        tax=order.tax,
        message=comment if name == Text.STATUS_CHANGED else "",
        reason=reason,
        files=[
            Download("workshop.pdf", "https://files.example.com/1", 84_000),
            Download("guide.pdf", "https://files.example.com/2", 1_200_000),
        ],
        attached={Text.INVOICE: ("invoice",), Text.REFUND_RECORDED: ("credit_note",)}.get(name, ()),
    )


def _lines(language: str) -> list[OrderLine]:
    bowl, option, colour, cloth, *_rest = WORDS[language]
    return [
        OrderLine(sku="BOWL-14", name=bowl, quantity=2, price=Decimal("29"), options=[{"name": option, "value": colour}]),
        OrderLine(sku="CLOTH", name=cloth, quantity=1, price=Decimal("89")),
    ]
