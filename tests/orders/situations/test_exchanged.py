"""A size that does not fit is exchanged: a return, what goes out instead, and one balance."""

from decimal import Decimal

import pytest

from orders.drafts import DraftLine
from orders.edits import OrderEdit, TakenBack
from orders.models import ReturnCase, Variant
from orders.services.fulfilment import ShipmentWish
from orders.services.payments import PaymentWish, RefundWish
from orders.services.proposing import EditWish
from orders.services.returns import InspectReturnWish, ReceiveReturnWish, ReturnRequestWish
from tests.makers import make_order, make_variant
from tests.orders.situations.outcome import Aftermath, Money, aftermath_of, click, situation

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture(autouse=True)
def shirts(shop):
    make_variant("SHIRT-M", on_hand=4, price="20.00", name="Shirt M")
    make_variant("SHIRT-L", on_hand=4, price="23.00", name="Shirt L")


def ship(order, actor, number):
    return click(ShipmentWish(order_id=order.pk, actor=actor, carrier="Colissimo", tracking_number=number))


def come_back(order, actor):
    """The shirt is announced, here, and on the shelf again."""
    line = order.lines.get().pk
    click(ReturnRequestWish(order_id=order.pk, actor=actor, pieces={line: 1}, note="The wrong size", is_approved=True))
    case = ReturnCase.objects.get().pk
    click(ReceiveReturnWish(order_id=order.pk, actor=actor, case_id=case, pieces={line: 1}))
    click(InspectReturnWish(order_id=order.pk, actor=actor, case_id=case, pieces={line: (1, 0)}))
    return case


def exchange(order, actor, case, instead):
    back = TakenBack(order.lines.get().pk, 1)
    added = DraftLine(variant_id=Variant.objects.get(sku=instead).pk)
    wanted = OrderEdit(taken_back=(back,), return_id=case, added=(added,), reason="The wrong size")
    return click(EditWish(order_id=order.pk, actor=actor, edit=wanted))


@situation(4, "Exchange of a size with a price difference")
def test_an_exchange_for_a_dearer_size_leaves_the_difference_to_pay(ines, invoicing, time_passes, pause):
    order = make_order("PAID", items={"SHIRT-M": 1}, email="lea@example.com")
    ship(order, ines, "6A1")
    time_passes()
    exchange(order, ines, come_back(order, ines), "SHIRT-L")
    pause()
    assert aftermath_of(order).money.balance == "3.00 to pay"
    click(PaymentWish(order_id=order.pk, actor=ines, amount=Decimal(3), method="Card", reference="ch_2"))
    ship(order, ines, "6A2")
    time_passes()
    assert aftermath_of(order) == Aftermath(
        statuses="PAID SHIPPED",
        # 20.00 + 23.00 were sold, 43.00 / 6 = 7.17 is VAT; 20.00 came back, 23.00 are paid.
        money=Money(total="43.00", vat="7.17", paid="23.00", refunded="0.00", credited="20.00", balance="settled"),
        stock={"MUG": "20/0", "POT": "5/0", "SHIRT-M": "4/0 4/1 3/0 4/0", "SHIRT-L": "4/0 3/0"},
        events="placed shipment return return return edit payment shipment",
        last="Shipment recorded · parcel of 1 piece Colissimo 6A2",
        mails={
            "lea@example.com": [
                "order_confirmation sent fr",
                "invoice sent fr with F-2026-0001",
                "shipped sent fr 6A1",
                "invoice sent fr with F-2026-0002 AV-2026-0001",
                "shipped sent fr 6A2",
            ],
            "staff@example.com": ["new_order sent fr"],
        },
        # 20.00 / 6 = 3.33; the new invoice names the large shirt alone: 23.00 / 6 = 3.83.
        documents=["F-2026-0001 20.00 VAT 3.33", "AV-2026-0001 20.00 VAT 3.33 takes back F-2026-0001", "F-2026-0002 23.00 VAT 3.83"],
    )
    assert (ReturnCase.objects.get().state, ReturnCase.objects.get().ending) == ("closed", "exchange")
    assert [row.sku for row in order.invoices.latest("id").lines.all()] == ["SHIRT-L"]


def test_an_exchange_for_a_cheaper_size_gives_the_difference_back(ines, time_passes):
    order = make_order("PAID", items={"SHIRT-L": 1}, email="lea@example.com")
    ship(order, ines, "6A1")
    time_passes()
    exchange(order, ines, come_back(order, ines), "SHIRT-M")
    assert aftermath_of(order).money.balance == "3.00 to give back"
    click(RefundWish(order_id=order.pk, actor=ines, amount=Decimal(3), reason="The smaller shirt is cheaper"))
    time_passes()
    assert aftermath_of(order) == Aftermath(
        statuses="PAID SHIPPED",
        money=Money(total="43.00", vat="7.17", paid="23.00", refunded="3.00", credited="23.00", balance="settled"),
        stock={"MUG": "20/0", "POT": "5/0", "SHIRT-M": "4/0 3/0", "SHIRT-L": "4/0 4/1 3/0 4/0"},
        events="placed shipment return return return edit refund",
        last="Refund recorded · €3.00 given back · The smaller shirt is cheaper",
        mails={
            "lea@example.com": ["order_confirmation sent fr", "shipped sent fr 6A1", "refund_recorded sent fr"],
            "staff@example.com": ["new_order sent fr"],
        },
        documents=[],
    )
