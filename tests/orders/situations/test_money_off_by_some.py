"""Money that does not fit the total: too much by mistake, too little by transfer."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.http import QueryDict

from orders.admin.list_result import result_of
from orders.services.payments import PaymentWish, RefundWish
from tests.makers import make_order
from tests.orders.situations.outcome import Aftermath, Money, aftermath_of, click, situation

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def found_by(actor, balance):
    """The orders of the list with this balance, as the clerk finds them."""
    return list(result_of(actor.user, QueryDict(f"balance={balance}")).orders)


@situation(11, "Customer paid too much, the difference is given back")
def test_what_was_paid_too_much_is_found_and_given_back(ines, invoicing, time_passes, pause):
    order = make_order("AWAITING_PAYMENT", items={"MUG": 2}, email="lea@example.com")
    make_order("AWAITING_PAYMENT", items={"MUG": 1}, email="paul@example.com")
    click(PaymentWish(order_id=order.pk, actor=ines, amount=Decimal(42), method="Bank transfer", reference="VIR 42"))
    pause()
    assert found_by(ines, "overpaid") == found_by(ines, "refund") == [order]
    assert aftermath_of(order).money.balance == "18.00 to give back"
    # The order stays Paid: what it is worth does not change.
    wish = RefundWish(
        order_id=order.pk, actor=ines, amount=Decimal(18), method="Bank transfer", reason="42.00 instead of 24.00 came", set_status=False
    )
    click(wish)
    time_passes()
    assert (found_by(ines, "overpaid"), found_by(ines, "settled")) == ([], [order])
    assert aftermath_of(order) == Aftermath(
        statuses="PAID AWAITING_PROCESSING",
        money=Money(total="24.00", vat="4.00", paid="42.00", refunded="18.00", credited="0.00", balance="settled"),
        stock={"MUG": "20/0 20/2 20/3", "POT": "5/0"},
        events="placed payment refund",
        last="Refund recorded · €18.00 given back, Bank transfer · 42.00 instead of 24.00 came",
        mails={
            "lea@example.com": ["order_confirmation sent fr", "status_changed sent fr with F-2026-0001", "refund_recorded sent fr"],
            "staff@example.com": ["new_order sent fr"],
        },
        documents=["F-2026-0001 24.00 VAT 4.00"],
    )


@situation(12, "Underpaid bank transfer, then the rest")
def test_an_underpaid_transfer_waits_for_the_rest(ines, invoicing, time_passes, pause):
    order = make_order("AWAITING_PAYMENT", items={"MUG": 2}, email="lea@example.com", payment_method="Bank transfer")
    time_passes()
    begun = Aftermath(
        statuses="AWAITING_PAYMENT AWAITING_PROCESSING",
        money=Money(total="24.00", vat="4.00", paid="0.00", refunded="0.00", credited="0.00", balance="24.00 to pay"),
        stock={"MUG": "20/0 20/2", "POT": "5/0"},
        events="placed",
        last="Order placed · 2 pieces reserved",
        mails={"lea@example.com": ["order_confirmation sent fr"], "staff@example.com": ["new_order sent fr"]},
        documents=[],
    )
    assert aftermath_of(order) == begun
    click(PaymentWish(order_id=order.pk, actor=ines, amount=Decimal(20), reference="VIR 1"))
    pause()
    # 24.00 - 20.00: nothing is told and nothing is issued before it is paid up.
    assert aftermath_of(order) == replace(
        begun,
        money=Money(total="24.00", vat="4.00", paid="20.00", refunded="0.00", credited="0.00", balance="4.00 to pay"),
        events="placed payment",
        last="Payment recorded · €20.00 received, Bank transfer",
    )
    assert found_by(ines, "due") == [order]
    click(PaymentWish(order_id=order.pk, actor=ines, amount=Decimal(4), reference="VIR 2"))
    time_passes()
    assert aftermath_of(order) == Aftermath(
        statuses="PAID AWAITING_PROCESSING",
        money=Money(total="24.00", vat="4.00", paid="24.00", refunded="0.00", credited="0.00", balance="settled"),
        stock={"MUG": "20/0 20/2", "POT": "5/0"},
        events="placed payment payment",
        last="Payment recorded · Awaiting payment → Paid · €4.00 received, Bank transfer",
        mails={
            "lea@example.com": ["order_confirmation sent fr", "status_changed sent fr with F-2026-0001"],
            "staff@example.com": ["new_order sent fr"],
        },
        documents=["F-2026-0001 24.00 VAT 4.00"],
    )
    assert (found_by(ines, "due"), found_by(ines, "settled")) == ([], [order])
