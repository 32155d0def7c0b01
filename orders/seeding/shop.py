"""The settings of the demo shop. It is marked as one: its mails are kept and never handed to a mail server, its papers are tests."""

from decimal import Decimal

from orders.choices import DeliveryKind
from orders.models import Carrier, NumberCounter, PaymentMethod, ShippingMethod, Shop
from orders.services.intake import COUNTER

CARD, TRANSFER, COUNTER_SALE = "Carte bancaire", "Virement bancaire", "Paiement à la boutique"
HOME, RELAY, PICKUP, LOCAL, ABROAD = (
    "Colissimo à domicile",
    "Point relais",
    "Retrait à la boutique",
    "Livraison à vélo",
    "Chronopost Europe",
)
FIRST_NUMBER = 2358


def fill_shop() -> Shop:
    """The shop, its carriers, ways to deliver and to pay."""
    shop = Shop.current()
    values = {
        "name": "Comptoir du Lierre",
        "email": "bonjour@example.com",
        "phone": "+33 2 61 91 12 00",
        "website": "https://www.example.com",
        "street": "14 rue des Olivettes",
        "postcode": "44000",
        "city": "Nantes",
        "country": "FR",
        "language": "fr",
        "currency": "EUR",
        "staff_addresses": "equipe@example.com\natelier@example.com",
        "local_delivery": True,
        "pickup_address": "14 rue des Olivettes\n44000 Nantes",
        "pickup_hours": "Mardi au samedi, 10 h à 19 h",
        "bank_details": "IBAN FR76 3000 6000 0112 3456 7890 189\nMerci d’indiquer le numéro de la commande.",
        "is_demo": True,
    }
    for name, value in values.items():
        setattr(shop, name, value)
    shop.save()
    carriers = {
        name: Carrier.objects.get_or_create(name=name, defaults={"tracking_url": f"https://www.example.com/{path}/{{number}}"})[0]
        for name, path in (("Colissimo", "colissimo"), ("Mondial Relay", "relais"), ("Chronopost", "chronopost"))
    }
    for position, (name, kind, rate, carrier) in enumerate(
        (
            (HOME, DeliveryKind.SHIPPING, "6.90", "Colissimo"),
            (RELAY, DeliveryKind.SHIPPING, "4.50", "Mondial Relay"),
            (ABROAD, DeliveryKind.SHIPPING, "14.90", "Chronopost"),
            (PICKUP, DeliveryKind.PICKUP, "0", ""),
            (LOCAL, DeliveryKind.DELIVERY, "5.00", ""),
        )
    ):
        instructions = "Présentez le numéro de votre commande." if kind == DeliveryKind.PICKUP else ""
        ShippingMethod.objects.get_or_create(
            name=name,
            defaults={
                "kind": kind,
                "rate": Decimal(rate),
                "carrier": carriers.get(carrier),
                "instructions": instructions,
                "position": position,
            },
        )
    for position, (name, is_online) in enumerate(((CARD, True), (TRANSFER, False), (COUNTER_SALE, False))):
        PaymentMethod.objects.get_or_create(name=name, defaults={"is_online": is_online, "position": position})
    NumberCounter.objects.update_or_create(name=COUNTER, defaults={"last": FIRST_NUMBER - 1})
    return shop
