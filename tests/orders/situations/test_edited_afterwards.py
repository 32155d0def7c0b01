"""What is put right after the order was paid and invoiced: a gift, a missing article, an address, a coupon, a tax id, a price."""

from dataclasses import replace
from decimal import Decimal

import pytest

from invoices.services import issue_invoice
from orders.drafts import DraftLine
from orders.edits import NET, DiscountEdit, LineEdit, OrderEdit
from orders.errors import InvalidWish
from orders.models import Order, Variant
from orders.services.fulfilment import ShipmentWish
from orders.services.payments import PaymentWish, RefundWish
from orders.services.proposing import EditWish
from orders.services.stock import adjust_stock
from tests.makers import make_order, make_variant
from tests.orders.situations.outcome import Aftermath, Money, aftermath_of, click, situation

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
CONFIRMED = {"staff@example.com": ["new_order sent fr"]}


def edit(order, actor, **wanted):
    """Save an edit as its page does, of the order as it is now."""
    version = Order.objects.get(pk=order.pk).version
    return click(EditWish(order_id=order.pk, actor=actor, versions={order.pk: version}, edit=OrderEdit(**wanted)))


def line_of(order, sku="MUG"):
    return order.lines.get(sku=sku, is_removed=False).pk


@situation(1, "Gift added after payment")
def test_a_gift_after_payment_takes_a_piece_and_costs_nothing(ines, invoicing, time_passes):
    order = make_order("PAID", items={"MUG": 2}, email="lea@example.com")
    time_passes()
    pot = Variant.objects.get(sku="POT").pk
    edit(order, ines, added=(DraftLine(variant_id=pot, price=Decimal(0)),), reason="Thank you for waiting")
    time_passes()
    assert aftermath_of(order) == Aftermath(
        statuses="PAID AWAITING_PROCESSING",
        money=Money(total="24.00", vat="4.00", paid="24.00", refunded="0.00", credited="0.00", balance="settled"),
        stock={"MUG": "20/0 20/2", "POT": "5/0 5/1"},
        events="placed edit",
        last="Order edited · Article POT:  → × 1 · 1 piece reserved · Thank you for waiting",
        mails={
            "lea@example.com": [
                "order_confirmation sent fr",
                "invoice sent fr with F-2026-0001",
                "invoice sent fr with F-2026-0002 AV-2026-0001",
            ]
        }
        | CONFIRMED,
        # The gift stands on the invoice with 0.00, so the invoice is replaced by one of the same amount.
        documents=["F-2026-0001 24.00 VAT 4.00", "AV-2026-0001 24.00 VAT 4.00 takes back F-2026-0001", "F-2026-0002 24.00 VAT 4.00"],
    )


@situation(2, "One of three articles is out of stock")
def test_an_article_that_is_missing_is_taken_off_and_given_back(ines, invoicing, time_passes, pause):
    make_variant("BOWL", on_hand=1, price="8.00")
    order = make_order("PAID", items={"MUG": 1, "POT": 1, "BOWL": 1}, email="lea@example.com")
    time_passes()
    adjust_stock(Variant.objects.get(sku="BOWL").pk, -1, reason="Broken on the shelf", actor=ines)
    edit(order, ines, lines=(LineEdit(line_of(order, "BOWL"), is_removed=True),), reason="The bowl is out of stock")
    pause()
    click(RefundWish(order_id=order.pk, actor=ines, amount=Decimal(8), reason="The bowl is out of stock"))
    click(ShipmentWish(order_id=order.pk, actor=ines, carrier="Colissimo", tracking_number="6A1"))
    time_passes()
    assert aftermath_of(order) == Aftermath(
        statuses="PAID SHIPPED",
        # 12 + 30 + 8 = 50.00, VAT 50 / 6 = 8.33; without the bowl 42.00, VAT 7.00. The 8.00 were paid too much: nothing is credited.
        money=Money(total="42.00", vat="7.00", paid="50.00", refunded="8.00", credited="0.00", balance="settled"),
        stock={"BOWL": "1/0 1/1 0/1 0/0", "MUG": "20/0 20/1 19/0", "POT": "5/0 5/1 4/0"},
        events="placed edit refund shipment",
        last="Shipment recorded · Awaiting processing → Shipped · parcel of 2 pieces Colissimo 6A1 · 2 pieces left the stock",
        mails={
            "lea@example.com": [
                "order_confirmation sent fr",
                "invoice sent fr with F-2026-0001",
                "invoice sent fr with F-2026-0002 AV-2026-0001",
                "refund_recorded sent fr",
                "shipped sent fr 6A1",
            ]
        }
        | CONFIRMED,
        documents=["F-2026-0001 50.00 VAT 8.33", "AV-2026-0001 50.00 VAT 8.33 takes back F-2026-0001", "F-2026-0002 42.00 VAT 7.00"],
    )


@situation(3, "Wrong billing address found after the invoice")
def test_a_wrong_billing_address_is_put_right_by_a_new_invoice(ines, invoicing, time_passes):
    order = make_order("PAID", items={"MUG": 2}, email="lea@example.com")
    time_passes()
    with pytest.raises(InvalidWish, match="Say why: invoice F-2026-0001 is issued already") as refused:
        edit(order, ines, addresses={"billing.street": "14 rue des Lilas"})
    assert refused.value.field == "reason"
    edit(order, ines, addresses={"billing.street": "14 rue des Lilas"}, reason="The number of the house was wrong")
    time_passes()
    assert aftermath_of(order) == Aftermath(
        statuses="PAID AWAITING_PROCESSING",
        money=Money(total="24.00", vat="4.00", paid="24.00", refunded="0.00", credited="0.00", balance="settled"),
        stock={"MUG": "20/0 20/2", "POT": "5/0"},
        events="placed edit",
        last="Order edited · Billing address, street: 4 rue des Lilas → 14 rue des Lilas · The number of the house was wrong",
        mails={
            "lea@example.com": [
                "order_confirmation sent fr",
                "invoice sent fr with F-2026-0001",
                "invoice sent fr with F-2026-0002 AV-2026-0001",
            ]
        }
        | CONFIRMED,
        documents=["F-2026-0001 24.00 VAT 4.00", "AV-2026-0001 24.00 VAT 4.00 takes back F-2026-0001", "F-2026-0002 24.00 VAT 4.00"],
    )
    streets = [invoice.buyer["street"] for invoice in order.invoices.order_by("id")]
    assert streets == ["4 rue des Lilas", "4 rue des Lilas", "14 rue des Lilas"]


@situation(5, "Coupon forgotten")
def test_a_forgotten_coupon_is_taken_off_and_given_back(ines, invoicing, time_passes, pause):
    order = make_order("PAID", items={"MUG": 3}, email="lea@example.com")
    time_passes()
    coupon = DiscountEdit("Welcome", "PERCENT", Decimal(10), base="COUPON")
    edit(order, ines, discounts=(coupon,), columns={"coupon_code": "WELCOME10"}, reason="The coupon was forgotten")
    assert aftermath_of(order).money.balance == "3.60 to give back"
    pause()
    click(RefundWish(order_id=order.pk, actor=ines, amount=Decimal("3.60"), reason="Coupon WELCOME10"))
    time_passes()
    assert aftermath_of(order) == Aftermath(
        statuses="PAID AWAITING_PROCESSING",
        # 36.00 less 10 % = 32.40, of which 32.40 / 6 = 5.40 is VAT.
        money=Money(total="32.40", vat="5.40", paid="36.00", refunded="3.60", credited="0.00", balance="settled"),
        stock={"MUG": "20/0 20/3", "POT": "5/0"},
        events="placed edit refund",
        last="Refund recorded · €3.60 given back · Coupon WELCOME10",
        mails={
            "lea@example.com": [
                "order_confirmation sent fr",
                "invoice sent fr with F-2026-0001",
                "invoice sent fr with F-2026-0002 AV-2026-0001",
                "refund_recorded sent fr",
            ]
        }
        | CONFIRMED,
        documents=["F-2026-0001 36.00 VAT 6.00", "AV-2026-0001 36.00 VAT 6.00 takes back F-2026-0001", "F-2026-0002 32.40 VAT 5.40"],
    )


@situation(6, "Tax-exempt customer found later")
def test_an_exempt_customer_found_later_gets_the_vat_back(ines, invoicing, time_passes, pause):
    order = make_order("PAID", items={"MUG": 2}, email="lea@example.com", language="en", shipping_cost=Decimal("6.00"))
    time_passes()
    Variant.objects.filter(sku="MUG").update(price=Decimal("15.00"))  # dearer since: what was sold stays as it was sold
    exempt = {"tax_id": "FR19812345676", "tax_id_valid": True, "tax_exempt": True, "shipping_cost": Decimal("5.00")}
    edit(order, ines, columns=exempt, prices=NET, reason="A diplomatic mission")
    pause()
    click(RefundWish(order_id=order.pk, actor=ines, amount=Decimal("5.00"), reason="VAT of an exempt customer"))
    time_passes()
    assert aftermath_of(order) == Aftermath(
        statuses="PAID AWAITING_PROCESSING",
        # 24.00 + 6.00 = 30.00 with VAT 5.00; without it 2 × 10.00 + 5.00 = 25.00.
        money=Money(total="25.00", vat="0.00", paid="30.00", refunded="5.00", credited="0.00", balance="settled"),
        stock={"MUG": "20/0 20/2", "POT": "5/0"},
        events="placed edit refund",
        last="Refund recorded · €5.00 given back · VAT of an exempt customer",
        mails={
            "lea@example.com": [
                "order_confirmation sent en",
                "invoice sent en with F-2026-0001",
                "invoice sent en with F-2026-0002 AV-2026-0001",
                "refund_recorded sent en",
            ]
        }
        | CONFIRMED,
        documents=["F-2026-0001 30.00 VAT 5.00", "AV-2026-0001 30.00 VAT 5.00 takes back F-2026-0001", "F-2026-0002 25.00 VAT 0.00"],
    )
    new = order.invoices.latest("id")
    assert [(group.category, group.base) for group in new.vat_groups.all()] == [("E", Decimal("25.00"))]
    assert new.buyer["vat_id"] == "FR19812345676"


def test_an_exemption_that_was_wrong_puts_the_vat_on_again(ines):
    order = make_order("PAID", items={"MUG": 3}, tax_exempt=True)
    edit(order, ines, columns={"tax_exempt": False}, prices=NET)
    # 3 × 10.00 without VAT were paid, 3 × 12.00 are due.
    money = Money(total="36.00", vat="6.00", paid="30.00", refunded="0.00", credited="0.00", balance="6.00 to pay")
    assert aftermath_of(order).money == money
    edit(order, ines, columns={"tax_exempt": True}, prices=NET)
    assert aftermath_of(order).money == replace(money, total="30.00", vat="0.00", balance="settled")


@situation(9, "Quantity doubled by phone")
def test_a_doubled_quantity_is_paid_by_transfer(ines, invoicing, time_passes, pause):
    order = make_order("PAID", items={"MUG": 3}, email="lea@example.com")
    time_passes()
    edit(order, ines, lines=(LineEdit(line_of(order), quantity=6),), reason="Three more, by phone")
    pause()
    assert aftermath_of(order).money.balance == "36.00 to pay"
    wish = PaymentWish(order_id=order.pk, actor=ines, amount=Decimal(36), method="Bank transfer", reference="VIR 88")
    click(wish)
    time_passes()
    assert aftermath_of(order) == Aftermath(
        statuses="PAID AWAITING_PROCESSING",
        money=Money(total="72.00", vat="12.00", paid="72.00", refunded="0.00", credited="0.00", balance="settled"),
        stock={"MUG": "20/0 20/3 20/6", "POT": "5/0"},
        events="placed edit payment",
        last="Payment recorded · €36.00 received, Bank transfer",
        mails={
            "lea@example.com": [
                "order_confirmation sent fr",
                "invoice sent fr with F-2026-0001",
                "invoice sent fr with F-2026-0002 AV-2026-0001",
            ]
        }
        | CONFIRMED,
        documents=["F-2026-0001 36.00 VAT 6.00", "AV-2026-0001 36.00 VAT 6.00 takes back F-2026-0001", "F-2026-0002 72.00 VAT 12.00"],
    )


@situation(10, "Price typed wrong, corrected after the invoice")
def test_a_price_typed_wrong_is_corrected_before_it_is_paid(ines, invoicing, time_passes, pause):
    wrong = DraftLine(sku="MUG", quantity=2, price=Decimal("21.00"))
    order = make_order("AWAITING_PAYMENT", lines=(wrong,), email="lea@example.com")
    issue_invoice(order.pk, actor=ines)
    edit(order, ines, lines=(LineEdit(line_of(order), price=Decimal("12.00")),), reason="21.00 was typed instead of 12.00")
    pause()
    click(PaymentWish(order_id=order.pk, actor=ines, amount=Decimal(24), method="Bank transfer"))
    time_passes()
    assert aftermath_of(order) == Aftermath(
        statuses="PAID AWAITING_PROCESSING",
        money=Money(total="24.00", vat="4.00", paid="24.00", refunded="0.00", credited="0.00", balance="settled"),
        stock={"MUG": "20/0 20/2", "POT": "5/0"},
        events="placed edit payment",
        last="Payment recorded · Awaiting payment → Paid · €24.00 received, Bank transfer",
        mails={
            "lea@example.com": [
                "order_confirmation sent fr",
                "invoice sent fr with F-2026-0002 AV-2026-0001",
                "status_changed sent fr",
            ]
        }
        | CONFIRMED,
        # Paid, the rule would issue an invoice: one stands already.
        documents=["F-2026-0001 42.00 VAT 7.00", "AV-2026-0001 42.00 VAT 7.00 takes back F-2026-0001", "F-2026-0002 24.00 VAT 4.00"],
    )
