"""What goes wrong once goods are on their way: the rest given up, sent back, lost, damaged, late."""

from decimal import Decimal

import pytest

from orders.drafts import DraftLine
from orders.edits import OrderEdit
from orders.models import ReturnCase, Variant
from orders.services.fulfilment import ReturnWish, ShipmentWish
from orders.services.payments import RefundPiece, RefundWish
from orders.services.proposing import EditWish
from orders.services.returns import InspectReturnWish, ReceiveReturnWish, ReturnRequestWish
from orders.services.status import StatusWish
from tests.makers import make_order
from tests.orders.situations.outcome import Aftermath, Money, aftermath_of, click, situation

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
STAFF = {"staff@example.com": ["new_order sent fr"]}


def ship(order, actor, number="6A1", **wish):
    wish |= {"carrier": "Colissimo", "tracking_number": number}
    return click(ShipmentWish(order_id=order.pk, actor=actor, **wish))


def refund(order, actor, **wish):
    return click(RefundWish(order_id=order.pk, actor=actor, **wish))


@pytest.fixture
def sent(ines, invoicing, time_passes):
    """Makes a paid, invoiced order of Léa's that left in one parcel."""

    def send(items, **fields):
        order = make_order("PAID", items=items, email="lea@example.com", **fields)
        ship(order, ines)
        time_passes()
        return order

    return send


def mails(*later, language="fr"):
    """What the customer of such an order got, and then `later`."""
    first = ["order_confirmation sent fr", "invoice sent fr with F-2026-0001", "shipped sent fr 6A1"]
    return STAFF | {"lea@example.com": [row.replace(" fr", f" {language}") for row in first] + list(later)}


@situation(7, "Partial shipment, then the rest is cancelled")
def test_the_rest_of_a_partial_shipment_is_given_up(ines, invoicing, time_passes, pause):
    order = make_order("PAID", items={"MUG": 3}, email="lea@example.com")
    line = order.lines.get().pk
    ship(order, ines, quantities={line: 1})
    pause()
    refund(order, ines, pieces=[RefundPiece(line, 2, shelf=2)], reason="One mug is enough")
    pause()
    click(StatusWish(ids=[order.pk], actor=ines, fulfilment="SHIPPED"))
    time_passes()
    assert aftermath_of(order) == Aftermath(
        statuses="PARTIALLY_REFUNDED SHIPPED",
        money=Money(total="36.00", vat="6.00", paid="36.00", refunded="24.00", credited="24.00", balance="settled"),
        stock={"MUG": "20/0 20/3 19/2 19/0", "POT": "5/0"},
        events="placed shipment refund status",
        last="Awaiting processing → Shipped",
        mails=mails("refund_recorded sent fr with AV-2026-0001"),
        documents=["F-2026-0001 36.00 VAT 6.00", "AV-2026-0001 24.00 VAT 4.00 takes back F-2026-0001"],
    )


@situation(8, "Return with the shipping kept")
def test_a_return_gives_the_goods_back_and_keeps_the_shipping(ines, sent, time_passes, pause):
    order = sent({"MUG": 2}, shipping_cost=Decimal("4.90"))
    line = order.lines.get().pk
    click(ReturnRequestWish(order_id=order.pk, actor=ines, pieces={line: 2}, note="They do not fit", is_approved=True))
    case = ReturnCase.objects.get().pk
    click(ReceiveReturnWish(order_id=order.pk, actor=ines, case_id=case, pieces={line: 2}))
    click(InspectReturnWish(order_id=order.pk, actor=ines, case_id=case, pieces={line: (2, 0)}, set_returned=True))
    pause()
    refund(order, ines, pieces=[RefundPiece(line, 2)], return_id=case, reason="They do not fit")
    time_passes()
    assert aftermath_of(order) == Aftermath(
        statuses="PARTIALLY_REFUNDED RETURNED",
        # 24.00 + 4.90 = 28.90 with VAT 28.90 / 6 = 4.82; the goods alone 24.00 with 4.00.
        money=Money(total="28.90", vat="4.82", paid="28.90", refunded="24.00", credited="24.00", balance="settled"),
        stock={"MUG": "20/0 20/2 18/0 20/0", "POT": "5/0"},
        events="placed shipment return return return refund",
        last="Refund recorded · Paid → Partially refunded · €24.00 given back · The return is closed · They do not fit",
        mails=mails("status_changed sent fr", "refund_recorded sent fr with AV-2026-0001"),
        documents=["F-2026-0001 28.90 VAT 4.82", "AV-2026-0001 24.00 VAT 4.00 takes back F-2026-0001"],
    )
    assert ReturnCase.objects.get().state == "closed"


@situation(13, "Parcel lost by the carrier, sent again free")
def test_a_lost_parcel_is_sent_again_free(ines, sent, time_passes):
    order = sent({"MUG": 2}, language="en")
    click(ReturnWish(order_id=order.pk, actor=ines, pieces={order.lines.get().pk: (0, 2)}, reason="Lost by the carrier"))
    again = DraftLine(variant_id=Variant.objects.get(sku="MUG").pk, quantity=2, price=Decimal(0))
    click(EditWish(order_id=order.pk, actor=ines, edit=OrderEdit(added=(again,), reason="Sent again")))
    ship(order, ines, "6A2")
    time_passes()
    assert aftermath_of(order) == Aftermath(
        statuses="PAID SHIPPED",
        money=Money(total="24.00", vat="4.00", paid="24.00", refunded="0.00", credited="0.00", balance="settled"),
        # The two that left stay lost; the two that replace them leave with the edit, because the order is shipped.
        stock={"MUG": "20/0 20/2 18/0 16/0", "POT": "5/0"},
        events="placed shipment return edit shipment",
        last="Shipment recorded · parcel of 2 pieces Colissimo 6A2",
        mails=mails("invoice sent en with F-2026-0002 AV-2026-0001", "shipped sent en 6A2", language="en"),
        documents=["F-2026-0001 24.00 VAT 4.00", "AV-2026-0001 24.00 VAT 4.00 takes back F-2026-0001", "F-2026-0002 24.00 VAT 4.00"],
    )
    assert [(line.quantity, line.pieces_lost, line.pieces_shipped) for line in order.lines.order_by("id")] == [(2, 2, 2), (2, 0, 2)]


@situation(14, "Damaged on arrival, part of the price given back")
def test_a_damaged_article_is_made_cheaper_and_stays_with_the_customer(ines, sent, time_passes):
    order = sent({"MUG": 1, "POT": 1})
    refund(order, ines, amount=Decimal(5), reason="The pot has a crack")
    time_passes()
    assert aftermath_of(order) == Aftermath(
        statuses="PARTIALLY_REFUNDED SHIPPED",
        # 42.00 with VAT 7.00; of the 5.00 given back 5.00 / 6 = 0.83 is VAT.
        money=Money(total="42.00", vat="7.00", paid="42.00", refunded="5.00", credited="5.00", balance="settled"),
        stock={"MUG": "20/0 20/1 19/0", "POT": "5/0 5/1 4/0"},
        events="placed shipment refund",
        last="Refund recorded · Paid → Partially refunded · €5.00 given back · The pot has a crack",
        mails=mails("refund_recorded sent fr with AV-2026-0001"),
        documents=["F-2026-0001 42.00 VAT 7.00", "AV-2026-0001 5.00 VAT 0.83 takes back F-2026-0001"],
    )


@situation(15, "Only the shipping is refunded")
def test_a_late_parcel_costs_the_shop_the_shipping(ines, sent, time_passes):
    order = sent({"MUG": 1, "POT": 1}, shipping_cost=Decimal("4.90"))
    refund(order, ines, shipping=Decimal("4.90"), reason="Ten days late")
    time_passes()
    assert aftermath_of(order) == Aftermath(
        statuses="PARTIALLY_REFUNDED SHIPPED",
        # 12.00 + 30.00 + 4.90 = 46.90 with VAT 46.90 / 6 = 7.82; of the shipping 4.90 / 6 = 0.82.
        money=Money(total="46.90", vat="7.82", paid="46.90", refunded="4.90", credited="4.90", balance="settled"),
        stock={"MUG": "20/0 20/1 19/0", "POT": "5/0 5/1 4/0"},
        events="placed shipment refund",
        last="Refund recorded · Paid → Partially refunded · €4.90 given back · Ten days late",
        mails=mails("refund_recorded sent fr with AV-2026-0001"),
        documents=["F-2026-0001 46.90 VAT 7.82", "AV-2026-0001 4.90 VAT 0.82 takes back F-2026-0001"],
    )
