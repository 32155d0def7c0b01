"""Goods on their way: two parcels, a number typed wrong, an order that is collected, and a rest that never comes."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from orders.choices import DeliveryKind
from orders.models import ShippingMethod
from orders.parcelled import parcelled_of
from orders.services.fulfilment import ShipmentWish, TrackingWish
from orders.services.packing import CollectWish, scan, take
from orders.services.payments import RefundPiece, RefundWish
from orders.services.plan import apply
from orders.services.status import StatusWish
from tests.makers import make_order
from tests.orders.situations.outcome import Aftermath, Money, aftermath_of, situation

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
TOLD = {"staff@example.com": ["new_order sent fr"]}
PAID = ["order_confirmation sent fr", "invoice sent fr with F-2026-0001"]


def pieces(order, **quantities):
    return {order.lines.get(sku=sku).pk: quantity for sku, quantity in quantities.items()}


def send(order, actor, number, **quantities):
    wanted = pieces(order, **quantities) if quantities else None
    return apply(ShipmentWish(order_id=order.pk, actor=actor, quantities=wanted, carrier="Colissimo", tracking_number=number)).or_raise()


def letters(order, kind):
    return [mail.text.replace("\n", " ").replace("\u00a0", " ") for mail in order.mails.filter(kind=kind).order_by("id")]


@situation(20, "Two parcels with two tracking numbers")
def test_two_parcels_are_told_one_by_one_and_the_last_one_makes_the_order_shipped(invoicing, ines, time_passes):
    order = make_order("PAID", items={"MUG": 2, "POT": 1}, email="lea@example.com")
    time_passes()
    send(order, ines, "6A1", MUG=2)
    time_passes()
    half = Aftermath(
        statuses="PAID AWAITING_PROCESSING",
        money=Money(total="54.00", vat="9.00", paid="54.00", refunded="0.00", credited="0.00", balance="settled"),
        stock={"MUG": "20/0 20/2 18/0", "POT": "5/0 5/1"},
        events="placed shipment",
        last="Shipment recorded · parcel of 2 pieces Colissimo 6A1 · 2 pieces left the stock",
        mails={"lea@example.com": [*PAID, "shipped sent fr 6A1"]} | TOLD,
        documents=["F-2026-0001 54.00 VAT 9.00"],
    )
    assert aftermath_of(order) == half
    order.refresh_from_db()
    assert parcelled_of(order, order.lines.all()).is_partly
    send(order, ines, "6A2")
    time_passes()
    assert aftermath_of(order) == replace(
        half,
        statuses="PAID SHIPPED",
        stock={"MUG": "20/0 20/2 18/0", "POT": "5/0 5/1 4/0"},
        events="placed shipment shipment",
        last="Shipment recorded · Awaiting processing → Shipped · parcel of 1 piece Colissimo 6A2 · 1 piece left the stock",
        mails={"lea@example.com": [*PAID, "shipped sent fr 6A1", "shipped sent fr 6A2"]} | TOLD,
    )
    first, second = letters(order, "shipped")
    assert "Une partie de votre commande 1 est partie" in first
    assert ("Colis 1 -" in first, "Colis 2 sur 2" in second) == (True, True)
    assert ("2 × Article MUG" in second, "1 × Article POT" in second) == (False, True)


@situation(21, "Tracking number typed wrong, corrected")
def test_a_wrong_tracking_number_is_corrected_and_the_customer_gets_the_right_one(invoicing, ines, time_passes):
    order = make_order("PAID", items={"MUG": 2}, email="lea@example.com")
    time_passes()
    send(order, ines, "6A-WRONG")
    time_passes()
    apply(TrackingWish(order_id=order.pk, actor=ines, shipment_id=order.shipments.get().pk, tracking_number="6A-BETTER")).or_raise()
    wrong_again = order.shipments.get(voided_by=None)
    apply(TrackingWish(order_id=order.pk, actor=ines, shipment_id=wrong_again.pk, tracking_number="6A-RIGHT")).or_raise()
    time_passes()
    assert aftermath_of(order) == Aftermath(
        statuses="PAID SHIPPED",
        money=Money(total="24.00", vat="4.00", paid="24.00", refunded="0.00", credited="0.00", balance="settled"),
        stock={"MUG": "20/0 20/2 18/0", "POT": "5/0"},  # the pieces left once, whatever the number
        events="placed shipment shipment shipment",
        last="Shipment recorded · parcel of 2 pieces Colissimo 6A-RIGHT",
        # What was mailed before is put right; the second slip never left.
        mails={"lea@example.com": [*PAID, "shipped sent fr 6A-WRONG", "shipped replaced fr 6A-BETTER", "shipped sent fr 6A-RIGHT"]} | TOLD,
        documents=["F-2026-0001 24.00 VAT 4.00"],
    )
    parcel = order.shipments.get(voided_by=None)
    assert parcel.tracking_url == "https://www.laposte.fr/outils/suivre-vos-envois?code=6A-RIGHT"
    assert "Le numéro de suivi de votre colis a changé." in letters(order, "shipped")[-1]


@situation(22, "Pickup order collected")
def test_an_order_waits_in_the_shop_and_is_collected(invoicing, ines, time_passes, shop):
    shop.pickup_address = "14 rue des Olivettes\n44000 Nantes"
    shop.save()
    ShippingMethod.objects.create(name="En boutique", kind=DeliveryKind.PICKUP, rate=Decimal(0), instructions="Sonnez deux fois")
    slot = datetime(2026, 3, 3, 17, 0, tzinfo=ZoneInfo("Europe/Paris"))
    order = make_order("PAID", items={"MUG": 2}, email="lea@example.com", shipping_method="En boutique", pickup_at=slot)
    time_passes()
    take(order.pk, ines.user)
    for _piece in range(2):
        scan(order.pk, ines.user, "MUG")
    apply(CollectWish(order_id=order.pk, actor=ines)).or_raise()
    time_passes(timedelta(hours=1))
    apply(StatusWish(ids=[order.pk], actor=ines, fulfilment="DELIVERED")).or_raise()
    time_passes()
    assert aftermath_of(order) == Aftermath(
        statuses="PAID DELIVERED",
        money=Money(total="24.00", vat="4.00", paid="24.00", refunded="0.00", credited="0.00", balance="settled"),
        stock={"MUG": "20/0 20/2 18/0", "POT": "5/0"},  # they leave when they are collected, not when they are packed
        events="placed status status",
        last="Ready for pickup → Delivered · 2 pieces left the stock",
        mails={"lea@example.com": [*PAID, "ready_for_pickup sent fr", "delivered sent fr"]} | TOLD,
        documents=["F-2026-0001 24.00 VAT 4.00"],
    )
    [ready], [handed_over] = letters(order, "ready_for_pickup"), letters(order, "delivered")
    assert all(word in ready for word in ("14 rue des Olivettes", "Sonnez deux fois", "3 mars 2026, 17:00", "Rien, la commande est payée"))
    assert "vous a été remise le 2 mars 2026" in handed_over
    assert "livr" not in handed_over.replace("Exécution : Livré", "").replace("Livraison annulée", "").casefold()


@situation(23, "The rest will not be delivered and is refunded")
def test_what_is_never_sent_is_given_back_to_the_shelf_and_to_the_customer(invoicing, ines, time_passes):
    order = make_order("PAID", items={"MUG": 3, "POT": 1}, shipping_cost=Decimal("4.90"), email="lea@example.com")
    time_passes()
    send(order, ines, "6A1", MUG=2)
    time_passes()
    apply(StatusWish(ids=[order.pk], actor=ines, fulfilment="WILL_NOT_DELIVER")).or_raise()
    mug, pot = (order.lines.get(sku=sku).pk for sku in ("MUG", "POT"))
    rest = [RefundPiece(mug, 1, shelf=1), RefundPiece(pot, 1, shelf=1)]
    apply(RefundWish(order_id=order.pk, actor=ines, pieces=rest, reason="Plus fabriqué")).or_raise()
    time_passes()
    assert aftermath_of(order) == Aftermath(
        statuses="PARTIALLY_REFUNDED WILL_NOT_DELIVER",
        # 3 × 12.00 + 30.00 + 4.90 = 70.90, VAT 70.90 / 6 = 11.82; back go 12.00 + 30.00 = 42.00, VAT 42.00 / 6 = 7.00
        money=Money(total="70.90", vat="11.82", paid="70.90", refunded="42.00", credited="42.00", balance="settled"),
        stock={"MUG": "20/0 20/3 18/1 18/0", "POT": "5/0 5/1 5/0"},
        events="placed shipment status refund",
        last="Refund recorded · Paid → Partially refunded · €42.00 given back · Plus fabriqué",
        mails={
            "lea@example.com": [
                *PAID,
                "shipped sent fr 6A1",
                "status_changed sent fr",
                "refund_recorded sent fr with AV-2026-0001",
            ]
        }
        | TOLD,
        documents=["F-2026-0001 70.90 VAT 11.82", "AV-2026-0001 42.00 VAT 7.00 takes back F-2026-0001"],
    )
