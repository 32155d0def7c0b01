"""Unfinished carts, drafts and a quote of the demo shop."""

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from orders.drafts import DraftLine, OrderDraft
from orders.models import Draft, Variant
from orders.seeding.people import BUYERS
from orders.seeding.shop import CARD, HOME

# Kind, name, buyer, items, how long ago.
_ROWS = (
    (Draft.Kind.CART, "", 3, {"BOU-FIG-180": 1, "SAV-ALE-200": 2}, timedelta(hours=1, minutes=10)),
    (Draft.Kind.CART, "", 10, {"THE-FON-12": 1}, timedelta(hours=5)),
    (Draft.Kind.CART, "", 6, {"SEN-ASA-50": 2, "THE-FIL-01": 1}, timedelta(days=3)),
    (Draft.Kind.DRAFT, "Bols pour la vitrine", 1, {"BOL-GRS-14": 2, "BOL-NUIT": 2}, timedelta(days=1)),
    (Draft.Kind.QUOTE, "Devis Les Glycines, service complet", 2, {"ASS-PLT-26": 24, "ASS-PLT-21": 24, "TAS-ESP-06": 4}, timedelta(days=4)),
)


def draft_rows(rng: Random, now: datetime) -> list[Draft]:
    """The rows, not saved; prices are those of the catalogue."""
    variants = {variant.sku: variant for variant in Variant.objects.select_related("product")}
    rows = []
    for kind, name, index, items, ago in _ROWS:
        buyer = BUYERS[index]
        lines = tuple(
            DraftLine(sku=sku, name=str(variants[sku]), quantity=quantity, price=variants[sku].price) for sku, quantity in items.items()
        )
        subtotal = sum((line.price * line.quantity for line in lines if line.price is not None), Decimal(0))
        is_cart = kind == Draft.Kind.CART
        draft = OrderDraft(
            lines=lines,
            customer_name=buyer.person.name,
            email=buyer.email,
            language=buyer.language,
            billing=buyer.person,
            shipping=buyer.person,
            payment_method=CARD if is_cart else "",
            shipping_method=HOME,
            shipping_cost=Decimal("6.90"),
            is_test=True,
        )
        rows.append(
            Draft(
                kind=kind,
                name=name,
                customer_name=buyer.person.name,
                email=buyer.email,
                language=buyer.language,
                body=draft.as_json(),
                total=subtotal + Decimal("6.90"),
                currency="EUR",
                external_id=f"demo-cart-{rng.randrange(10**8):08d}" if is_cart else "",
                created_at=now - ago,
                expires_at=now + timedelta(days=26) if kind == Draft.Kind.QUOTE else None,
            )
        )
    return rows
