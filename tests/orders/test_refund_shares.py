"""Partial refunds to the cent: together they give back the order and its VAT, however it is cut."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders.models import Order, OrderLine, Refund, RefundLine
from orders.services.payments import share_of_pieces
from orders.services.refund_shares import tax_shares
from orders.tax import vat_of_order

ZERO = Decimal(0)
CENTS = st.integers(1, 9999).map(lambda cents: Decimal(cents) / 100)
RATES = st.sampled_from([Decimal("20"), Decimal("5.5"), Decimal("2.1"), ZERO])


def refund(amount, **fields):
    return Refund(amount=amount, credited=amount, **fields)


@st.composite
def orders(draw):
    """An order of a few lines, with a discount shared over them and shipping, that has no row in the database."""
    lines = []
    for pk in range(1, draw(st.integers(1, 4)) + 1):
        line = OrderLine(pk=pk, name=f"Line {pk}", quantity=draw(st.integers(1, 5)), price=draw(CENTS), vat_rate=draw(RATES))
        line.vat_category, line.vat_country = "S" if line.vat_rate else "Z", "FR"
        lines.append(line)
    order = Order(currency="EUR", source=Order.OWN, shipping_cost=draw(st.one_of(st.just(ZERO), CENTS)))
    order.subtotal = sum((line.amount for line in lines), ZERO)
    order.discount = min(draw(st.one_of(st.just(ZERO), CENTS)), order.subtotal)
    result = vat_of_order(order, lines, [])
    for line, share in zip(lines, result.discount_shares, strict=True):
        line.discount_share = share
    order.total = order.subtotal - order.discount + order.shipping_cost
    return order, lines, result


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(orders(), st.data())
def test_all_partial_refunds_together_are_the_order_and_its_vat(made, data):
    order, lines, result = made
    earlier, before = [], dict.fromkeys([line.pk for line in lines], 0)
    given_back, vat = ZERO, ZERO

    def book(booked, rows):
        nonlocal given_back, vat
        if booked.amount:
            vat += sum((share.vat for share in tax_shares(order, lines, [], earlier, (booked, rows))), ZERO)
            given_back += booked.amount
            earlier.append((booked, rows))

    for line in data.draw(st.permutations(lines)):
        while before[line.pk] < line.quantity:
            pieces = data.draw(st.integers(1, line.quantity - before[line.pk]))
            amount = share_of_pieces(order, line, before[line.pk], pieces)
            before[line.pk] += pieces
            book(refund(amount), [RefundLine(line=line, quantity=pieces, amount=amount)])
    shipping = data.draw(st.integers(0, int(order.shipping_cost * 100)).map(lambda cents: Decimal(cents) / 100))
    book(refund(shipping, shipping=shipping), [])
    book(refund(order.shipping_cost - shipping), [])  # the rest as an amount
    assert (given_back, vat) == (order.total, result.vat)


@settings(deadline=None, max_examples=40)
@given(orders(), st.data())
def test_amounts_cut_anywhere_give_back_the_vat_too(made, data):
    order, lines, result = made
    left, earlier, vat = order.total, [], ZERO
    while left:
        cut = min(data.draw(st.integers(max(1, int(order.total * 10)), max(1, int(order.total * 50)))) / Decimal(100), left)
        shares = tax_shares(order, lines, [], earlier, (refund(cut), []))
        assert sum((share.amount for share in shares), ZERO) == cut
        vat += sum((share.vat for share in shares), ZERO)
        earlier.append((refund(cut), []))
        left -= cut
    assert vat == result.vat


def test_a_refund_names_the_vat_of_each_rate():
    book, tea = (
        OrderLine(pk=pk, name=name, quantity=2, price=Decimal(price), vat_category="S", vat_rate=Decimal(rate), vat_country="FR")
        for pk, name, price, rate in ((1, "Bowl", "24", "20"), (2, "Tea", "10.55", "5.5"))
    )
    order = Order(currency="EUR", source=Order.OWN, subtotal=Decimal("69.10"), total=Decimal("69.10"))
    rows = [RefundLine(line=book, quantity=1, amount=Decimal(24)), RefundLine(line=tea, quantity=2, amount=Decimal("21.10"))]
    shares = tax_shares(order, [book, tea], [], [], (refund(Decimal("45.10")), rows))
    assert [(share.rate, share.amount, share.vat) for share in shares] == [
        (Decimal("20"), Decimal("24"), Decimal("4.00")),
        (Decimal("5.5"), Decimal("21.10"), Decimal("1.10")),
    ]


@pytest.mark.parametrize("warning", [["subtotal"]])
def test_no_vat_is_proposed_where_the_order_does_not_know_its_own(warning):
    order = Order(currency="EUR", source=Order.ECWID, totals_warning=warning)
    assert tax_shares(order, [], [], [], (refund(Decimal(1)), [])) == []
