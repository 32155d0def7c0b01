"""Placing an order: numbers, first statuses, customers, totals."""

from decimal import Decimal

import pytest

from orders.drafts import DraftDiscount, DraftLine, OrderDraft
from orders.errors import InvalidWish, NotAllowed, NotEnoughStock
from orders.models import Customer, Draft, Order, PaymentMethod
from orders.services.intake import place_draft, place_order
from orders.services.plan import Actor
from tests.makers import ROBOT, make_clerk, make_draft, make_order, make_shop, make_variant, stock_of

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def test_numbers_follow_the_shop_and_skip_imported_ones():
    make_shop(order_prefix="C-", order_digits=4)
    first = make_order()
    Order.objects.filter(pk=first.pk).update(number="C-0002", source=Order.ECWID)
    assert make_order().number == "C-0003"


def test_an_offline_method_awaits_payment_an_online_one_is_paid():
    PaymentMethod.objects.create(name="Card", is_online=True)
    assert make_order(payment_method="Transfer").payment_status.code == "AWAITING_PAYMENT"
    paid = make_order(payment_method="Card")
    assert (paid.payment_status.code, paid.paid_total) == ("PAID", Decimal(12))


def test_a_failed_online_payment_is_cancelled_and_holds_no_stock():
    make_variant("MUG", on_hand=10)
    assert make_order(payment_failed=True).payment_status.code == "CANCELLED"
    assert stock_of("MUG") == (10, 0)


def test_nothing_to_pay_takes_the_shops_setting():
    free = {"discounts": (DraftDiscount(kind="PERCENT", value=Decimal(100)),)}
    assert make_order(**free).payment_status.code == "PAID"
    make_shop(zero_total_status="AWAITING_PAYMENT")
    assert make_order(**free).payment_status.code == "AWAITING_PAYMENT"


def test_a_gift_card_that_pays_everything_makes_the_order_paid():
    make_shop(zero_total_status="AWAITING_PAYMENT")
    order = make_order(gift_card_amount=Decimal("12.00"))
    assert (order.total, order.payment_status.code, order.paid_total) == (Decimal(0), "PAID", Decimal(0))


def test_totals_hold_discount_shipping_and_the_tax_they_include():
    order = make_order(items={"MUG": 2}, discounts=(DraftDiscount(label="Friend", value=Decimal(4)),), shipping_cost=Decimal("4.00"))
    assert (order.subtotal, order.discount, order.shipping_cost, order.total) == (24, 4, 4, 24)
    assert order.tax == Decimal("4.00")


def test_a_custom_item_needs_no_catalogue():
    order = make_order(items={}, lines=(DraftLine(name="Engraving", quantity=1, price=Decimal("9.90"), vat_rate=Decimal(20)),))
    line = order.lines.get()
    assert (line.name, line.variant, order.total) == ("Engraving", None, Decimal("9.90"))


def test_customers_are_matched_by_mail_then_phone():
    first = make_order(email="Lea@Example.com", phone="+33 6 12 34 56 78")
    by_mail = make_order(email="lea@example.com")
    by_phone = make_order(email="", phone="+33612345678")
    assert first.customer == by_mail.customer == by_phone.customer
    assert Customer.objects.count() == 1


def test_a_shared_phone_number_brings_nobody_elses_address():
    make_order(email="first@example.com", phone="+33 6 12 34 56 78")
    other = make_order(email="", phone="+33 6 12 34 56 78", customer_name="Other Person")
    assert other.email == ""


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"lines": ()}, "items"),
        ({"lines": (DraftLine(name="", quantity=1, price=Decimal(1)),)}, "items[0].name"),
        ({"lines": (DraftLine(name="A", quantity=0, price=Decimal(1)),)}, "items[0].quantity"),
        ({"lines": (DraftLine(name="A", quantity=1),)}, "items[0].price"),
        ({"lines": (DraftLine(name="A", quantity=1, price=Decimal("NaN")),)}, "items[0].price"),
        ({"lines": (DraftLine(name="A", quantity=1, price=Decimal(1), discount=Decimal(2)),)}, "items[0].discount"),
        ({"discounts": (DraftDiscount(value=Decimal(99)),)}, "discounts"),
        ({"gift_card_amount": Decimal(99)}, "gift_card_amount"),
        ({"payment_status": "NONSENSE"}, "payment_status"),
        ({"customer_name": "", "email": "", "billing": None, "shipping": None}, "customer_name"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_placed(fields, field):
    with pytest.raises(InvalidWish) as refused:
        place_order(make_draft(**fields), actor=ROBOT)
    assert refused.value.field == field
    assert Order.objects.count() == 0


def test_out_of_stock_names_the_item():
    make_variant("MUG", on_hand=1)
    with pytest.raises(NotEnoughStock, match="MUG is out of stock: 2 asked, 1 available") as refused:
        place_order(make_draft({"MUG": 2}), actor=ROBOT)
    assert refused.value.field == "items[0].quantity"


def test_overselling_needs_the_right_and_marks_the_order():
    make_variant("MUG", on_hand=1)
    clerk = make_clerk("orders.add_order")
    with pytest.raises(NotAllowed):
        place_order(make_draft({"MUG": 2}), actor=Actor.clerk(clerk), oversell=True)
    order = place_order(make_draft({"MUG": 2}), actor=ROBOT, oversell=True)
    order.refresh_from_db()
    assert (order.is_oversold, stock_of("MUG")) == (True, (1, 2))


def test_placing_a_draft_twice_makes_one_order():
    body = make_draft().as_json()
    row = Draft.objects.create(body=body, created_at="2026-11-01T10:00Z")
    first = place_draft(row, actor=ROBOT)
    again = place_draft(Draft.objects.get(pk=row.pk), actor=ROBOT)
    assert (first.pk, Order.objects.count()) == (again.pk, 1)


def test_a_stale_copy_of_a_draft_makes_no_second_order():
    row = Draft.objects.create(body=make_draft().as_json(), created_at="2026-11-01T10:00Z")
    stale = Draft.objects.get(pk=row.pk)
    first = place_draft(row, actor=ROBOT)
    assert place_draft(stale, actor=ROBOT).pk == first.pk


def test_a_draft_survives_its_journey_through_json():
    draft = make_draft(discounts=(DraftDiscount(value=Decimal("1.50")),), shipping_cost=Decimal("4.90"))
    assert OrderDraft.from_json(draft.as_json()) == draft


def test_a_buyer_who_owes_no_tax_pays_the_net_price():
    order = make_order(items={"MUG": 1}, tax_exempt=True)
    assert (order.total, order.tax) == (Decimal("10.00"), Decimal(0))
