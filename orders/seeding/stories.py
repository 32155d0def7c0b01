"""What happens at the demo shop: how orders begin, and what becomes of them in the days after."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

from orders.choices import ChangeSource
from orders.drafts import DraftDiscount, DraftLine, DraftSurcharge, OrderDraft
from orders.models import Order
from orders.seeding.people import BUYERS, Buyer
from orders.seeding.shop import ABROAD, CARD, COUNTER_SALE, HOME, LOCAL, PICKUP, RELAY, TRANSFER
from orders.services.editing import DetailsWish, HoldWish, NoteWish
from orders.services.fulfilment import ReturnWish, ShipmentWish
from orders.services.payments import PaymentWish, RefundPiece, RefundWish
from orders.services.status import StatusWish
from orders.services.wishes import Actor, Wish

INES, PAUL = Actor(ChangeSource.CLERK, None, "Inès Moreau"), Actor(ChangeSource.CLERK, None, "Paul Castel")
STOREFRONT = Actor.api("Boutique en ligne")
GOODS = (
    "SEN-ASA-100",
    "THE-SEN-100",
    "THE-FIL-01",
    "BOL-GRS-14",
    "BOL-NUIT",
    "HOJ-100",
    "DAR-FF-100",
    "MIE-CHA-250",
    "TOR-LIN-02",
    "SAV-ALE-200",
)
MORE = (
    "ASS-PLT-26",
    "ASS-PLT-21",
    "BOU-FIG-180",
    "BOU-CIR-12",
    "TAS-ESP-06",
    "INF-VER-80",
    "LIV-CER-02",
    "EMB-CAD",
    "THE-KYU-35",
    "PLA-FRE",
    "NAP-LIN-150",
)

WishOf = Callable[[Order], Wish]


@dataclass(frozen=True)
class Step:
    """Something that is done to an order `after` it was placed."""

    after: timedelta
    wish: WishOf


@dataclass(frozen=True)
class Story:
    draft: OrderDraft
    steps: tuple[Step, ...] = ()
    actor: Actor = STOREFRONT


def _after(days: float, wish: WishOf) -> Step:
    return Step(timedelta(days=days), wish)


def _status(days: float, actor: Actor = INES, **wish: Any) -> Step:
    return _after(days, lambda order: StatusWish(ids=[order.pk], actor=actor, **wish))


def _draft(rng: Random, buyer: Buyer, skus: Iterable[str], **fields: Any) -> OrderDraft:
    """An order of the storefront: quantities by chance, delivery by country, paid by card."""
    abroad = buyer.person.country != "FR"
    values: dict[str, Any] = {
        "lines": tuple(DraftLine(sku=sku, quantity=rng.choice((1, 1, 1, 2, 2, 3))) for sku in skus),
        "customer_name": buyer.person.name,
        "email": buyer.email,
        "phone": buyer.person.phone,
        "language": buyer.language,
        "customer_group": buyer.group,
        "tax_id": buyer.vat_id,
        "tax_id_valid": buyer.is_business,
        "accepts_marketing": buyer.accepts_marketing,
        "billing": buyer.person,
        "shipping": buyer.person,
        "payment_method": CARD,
        "transaction_id": f"ch_{rng.randrange(16**12):012x}",
        "shipping_method": ABROAD if abroad else rng.choice((HOME, HOME, RELAY)),
        "provenance": {
            "refererUrl": rng.choice(("https://www.example.com/", "https://search.example.com/", "https://social.example.com/"))
        },
    }
    return OrderDraft(**values | fields)


def _basket(rng: Random) -> list[str]:
    return rng.sample(GOODS, rng.randint(1, 3)) + rng.sample(MORE, rng.randint(0, 2))


def _number(rng: Random) -> str:
    return f"6A{rng.randrange(10**11):011d}"


def ordinary(rng: Random) -> Story:
    """Paid by card, packed, shipped, delivered."""
    draft = _draft(rng, rng.choice(BUYERS), _basket(rng))
    carrier, number = ("Chronopost" if draft.shipping_method == ABROAD else "Colissimo"), _number(rng)
    packed = rng.uniform(0.2, 1.2)
    return Story(
        draft,
        (
            _status(packed, PAUL, fulfilment="PROCESSING"),
            _status(packed + rng.uniform(0.2, 1), fulfilment="SHIPPED", carrier=carrier, tracking_number=number),
            _status(packed + rng.uniform(2.5, 5), fulfilment="DELIVERED"),
        ),
    )


def by_transfer(rng: Random) -> Story:
    draft = replace(
        _draft(rng, BUYERS[2], ("ASS-PLT-26", "TAS-ESP-06", "TOR-LIN-02")),
        payment_method=TRANSFER,
        transaction_id="",
        po_number=f"BC-{rng.randint(100, 999)}",
    )

    def pay(order: Order) -> Wish:
        return PaymentWish(order_id=order.pk, actor=INES, amount=order.total, method=TRANSFER, reference=f"VIR {order.number}")

    return Story(draft, (_after(2.4, pay), _status(3.1, PAUL, fulfilment="SHIPPED", carrier="Colissimo", tracking_number=_number(rng))))


def unpaid_and_cancelled(rng: Random) -> Story:
    draft = replace(_draft(rng, BUYERS[1], ("VAS-COL-30",)), payment_method=TRANSFER, transaction_id="")
    return Story(draft, (_status(9, payment="CANCELLED", fulfilment="WILL_NOT_DELIVER", reason="Sans nouvelles depuis neuf jours"),))


def failed_card(rng: Random) -> Story:
    return Story(replace(_draft(rng, BUYERS[10], ("BOU-FIG-180",)), payment_failed=True, payment_message="Carte refusée par la banque"))


def partly_refunded(rng: Random) -> Story:
    draft = replace(_draft(rng, BUYERS[3], ()), lines=(DraftLine(sku="BOL-GRS-14", quantity=4), DraftLine(sku="THE-FIL-01", quantity=1)))

    def refund(order: Order) -> Wish:
        line = order.lines.get(sku="BOL-GRS-14")
        piece = RefundPiece(line.pk, 1, lost=1)
        return RefundWish(order_id=order.pk, actor=INES, pieces=[piece], reason="Un bol arrivé cassé", client_key=f"demo-{order.number}")

    return Story(
        draft,
        (
            _status(0.9, PAUL, fulfilment="SHIPPED", carrier="Colissimo", tracking_number=_number(rng)),
            _status(3.5, fulfilment="DELIVERED"),
            _after(5, refund),
        ),
    )


def returned_and_refunded(rng: Random) -> Story:
    draft = replace(_draft(rng, BUYERS[7], ()), lines=(DraftLine(sku="NAP-LIN-150"),))

    def take_back(order: Order) -> Wish:
        return ReturnWish(order_id=order.pk, actor=PAUL, pieces={order.lines.get().pk: (1, 0)}, reason="Mauvaise taille", set_returned=True)

    def refund(order: Order) -> Wish:
        piece = RefundPiece(order.lines.get().pk, 1)
        return RefundWish(
            order_id=order.pk,
            actor=INES,
            pieces=[piece],
            shipping=order.shipping_cost,
            reason="Retour complet",
            client_key=f"demo-{order.number}",
        )

    shipped = _status(0.7, PAUL, fulfilment="SHIPPED", carrier="Chronopost", tracking_number=_number(rng))
    return Story(draft, (shipped, _status(3, fulfilment="DELIVERED"), _after(8, take_back), _after(8.2, refund)))


def picked_up(rng: Random) -> Story:
    draft = replace(_draft(rng, BUYERS[0], ("DAR-FF-100", "MIE-CHA-500")), shipping_method=PICKUP, shipping=None)
    return Story(draft, (_status(0.3, fulfilment="READY_FOR_PICKUP"), _status(1.6, PAUL, fulfilment="DELIVERED")))


def by_bike(rng: Random) -> Story:
    draft = replace(
        _draft(rng, BUYERS[1], ("PLA-FRE", "HOJ-100")), shipping_method=LOCAL, customer_comment="Sonnez chez le voisin si je suis absent."
    )
    return Story(draft, (_status(0.8, PAUL, fulfilment="OUT_FOR_DELIVERY"), _status(0.95, PAUL, fulfilment="DELIVERED")))


def only_digital(rng: Random) -> Story:
    draft = replace(
        _draft(rng, BUYERS[9], ()), lines=(DraftLine(sku="COU-VER-06"),), shipping=None, shipping_method="", shipping_cost=Decimal(0)
    )
    return Story(draft)


def nothing_to_pay(rng: Random) -> Story:
    coupon = DraftDiscount(label="Bienvenue au club", kind="PERCENT", value=Decimal(100), is_coupon=True)
    draft = replace(_draft(rng, BUYERS[3], ()), lines=(DraftLine(sku="SAV-ALE-200"),), discounts=(coupon,), coupon_code="CLUB100")
    return Story(
        replace(draft, shipping_method=PICKUP, shipping=None, payment_method="", transaction_id=""),
        (_status(0.5, fulfilment="READY_FOR_PICKUP"),),
    )


def all_by_gift_card(rng: Random) -> Story:
    draft = replace(_draft(rng, BUYERS[5], ()), lines=(DraftLine(sku="THE-KYU-35", quantity=2),), shipping_method=HOME)
    return Story(
        replace(draft, gift_card_amount=Decimal("54.90"), gift_card_code="LIERRE-7Q2M", payment_method="", transaction_id=""),
        (_status(1, PAUL, fulfilment="PROCESSING"),),
    )


def partly_by_gift_card(rng: Random) -> Story:
    draft = replace(_draft(rng, BUYERS[4], ()), lines=(DraftLine(sku="THE-FON-08"), DraftLine(sku="EMB-CAD")), shipping_method=HOME)
    shipped = _status(1.3, fulfilment="SHIPPED", carrier="Colissimo", tracking_number=_number(rng))
    return Story(replace(draft, gift_card_amount=Decimal(50), gift_card_code="LIERRE-9X4T", customer_comment="شكرًا جزيلًا"), (shipped,))


def sells_gift_card(rng: Random) -> Story:
    return Story(
        replace(
            _draft(rng, BUYERS[0], ()), lines=(DraftLine(sku="CAR-CAD-50"),), shipping=None, shipping_method="", shipping_cost=Decimal(0)
        )
    )


def reverse_charge(rng: Random) -> Story:
    draft = replace(
        _draft(rng, BUYERS[8], ()),
        lines=(DraftLine(sku="THE-SEN-250", quantity=6), DraftLine(sku="THE-FON-12", quantity=2)),
        reverse_charge=True,
        po_number="TW-2026-118",
    )
    return Story(draft, (_status(1.1, PAUL, fulfilment="SHIPPED", carrier="Chronopost", tracking_number=_number(rng)),))


def in_two_parcels(rng: Random) -> Story:
    draft = replace(
        _draft(rng, BUYERS[11], ()),
        lines=(DraftLine(sku="ASS-PLT-21", quantity=6), DraftLine(sku="PLT-SER-38"), DraftLine(sku="TOR-LIN-02")),
    )

    number = _number(rng)

    def ship_some(order: Order) -> Wish:
        line = order.lines.get(sku="ASS-PLT-21")
        return ShipmentWish(order_id=order.pk, actor=PAUL, quantities={line.pk: 4}, carrier="Chronopost", tracking_number=number)

    return Story(draft, (_after(0.8, ship_some), _status(0.9, fulfilment="PROCESSING")))


def on_hold(rng: Random) -> Story:
    def hold(order: Order) -> Wish:
        return HoldWish(ids=[order.pk], actor=INES, held=True, reason="Adresse incomplète : la cliente doit rappeler")

    def note(order: Order) -> Wish:
        return NoteWish(order_id=order.pk, actor=INES, text="Message laissé sur le répondeur à 11 h 20.")

    return Story(_draft(rng, BUYERS[6], ("BOL-NUIT", "THE-FIL-01")), (_after(0.2, hold), _after(0.25, note)))


def by_phone(rng: Random) -> Story:
    buyer = BUYERS[2]
    lines = (DraftLine(sku="TAS-ESP-06", quantity=2), DraftLine(name="Gravure « Les Glycines »", price=Decimal("36.00"), is_digital=False))
    discount = DraftDiscount(label="Remise professionnelle", kind="PERCENT", value=Decimal(10))
    draft = replace(
        _draft(rng, buyer, ()),
        lines=lines,
        discounts=(discount,),
        payment_method=COUNTER_SALE,
        transaction_id="",
        staff_note="Commande prise au téléphone.",
        tags=("Pro",),
    )

    def tag(order: Order) -> Wish:
        return DetailsWish(ids=[order.pk], actor=INES, add_tags=["Gravure"])

    return Story(draft, (_after(0.1, tag), _status(1.4, fulfilment="PROCESSING")), actor=INES)


def with_extras(rng: Random) -> Story:
    fields = (
        {"title": "Message sur la carte", "value": "Joyeux anniversaire, Mamie", "section": "shipping", "in_mails": True, "on_paper": True},
    )
    draft = replace(
        _draft(rng, BUYERS[5], ("DAR-FF-100", "EMB-CAD")),
        extra_fields=fields,
        surcharges=(DraftSurcharge(label="Pourboire pour l’atelier", amount=Decimal(2), kind="tip"),),
        discounts=(DraftDiscount(label="Première commande", kind="ABS", value=Decimal(5), is_coupon=True),),
        coupon_code="BONJOUR5",
        provenance={
            "utmDataSets": [{"source": "lettre", "medium": "email", "campaign": "automne"}],
            "refererUrl": "https://www.example.com/lettre",
        },
    )
    return Story(draft, (_status(0.9, PAUL, fulfilment="SHIPPED", carrier="Mondial Relay", tracking_number=_number(rng)),))


def refunded_before_shipping(rng: Random) -> Story:
    draft = _draft(rng, BUYERS[7], ("BOU-CIR-12",))

    def refund(order: Order) -> Wish:
        return StatusWish(ids=[order.pk], actor=INES, payment="REFUNDED", record=True, reason="Annulée par la cliente avant l’envoi")

    return Story(draft, (_after(0.4, refund),))


ODD_CASES: tuple[Callable[[Random], Story], ...] = (
    by_transfer,
    partly_refunded,
    picked_up,
    reverse_charge,
    only_digital,
    nothing_to_pay,
    all_by_gift_card,
    partly_by_gift_card,
    returned_and_refunded,
    unpaid_and_cancelled,
    failed_card,
    by_bike,
    in_two_parcels,
    on_hold,
    by_phone,
    with_extras,
    sells_gift_card,
    refunded_before_shipping,
)
