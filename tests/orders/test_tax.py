"""VAT per group: the examples of the design, and what must hold for any basket."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders.models import Order, OrderLine, OrderSurcharge, TaxClass
from orders.tax import (
    Charge,
    TaxedLine,
    UnusableTaxes,
    compute_vat,
    groups_of_import,
    split_by_largest_remainder,
    tax_rule,
    vat_of_import,
    vat_of_order,
)

D = Decimal


def line(amount, rate, *, net=False):
    return TaxedLine(D(amount), "S", D(rate), "FR", includes_tax=not net)


def groups(result):
    return [(str(group.base), str(group.vat)) for group in result.groups]


def test_three_pieces_with_tax_in_the_price():
    result = compute_vat([line("29.97", 20)])
    assert (groups(result), str(result.gross)) == ([("24.98", "4.99")], "29.97")


def test_missing_cents_go_to_the_lines_that_lost_most():
    result = compute_vat([line("0.03", 20)] * 3)
    assert (groups(result), str(result.gross)) == ([("0.08", "0.01")], "0.09")
    assert [str(net) for net in result.line_nets] == ["0.02", "0.03", "0.03"]


def test_net_prices_get_their_vat_on_the_sum():
    assert groups(compute_vat([line("33.33", "5.5", net=True)] * 3)) == [("99.99", "5.50")]
    assert groups(compute_vat([line("1.35", 20, net=True)] * 3)) == [("4.05", "0.81")]


def test_currencies_without_cents_and_with_three_decimals():
    yen = compute_vat([line("333", 10)] * 3 + [line("108", 8)], currency="JPY")
    assert (groups(yen), str(yen.gross)) == ([("908", "91"), ("100", "8")], "1107")
    assert groups(compute_vat([line("1.235", 5, net=True)] * 3, currency="KWD")) == [("3.705", "0.185")]


def test_a_coupon_is_spread_over_the_rates_by_largest_remainder():
    result = compute_vat([line("10.00", 20), line("10.00", "5.5"), line("10.00", 10)], discount=D("10.00"))
    assert [str(share) for share in result.discount_shares] == ["3.34", "3.33", "3.33"]
    assert (groups(result), str(result.gross)) == ([("5.55", "1.11"), ("6.32", "0.35"), ("6.06", "0.61")], "20.00")


def test_shipping_follows_the_goods():
    result = compute_vat([line("24.00", 20), line("10.55", "5.5")], charges=[Charge(D("6.00"))])
    assert [str(share.amount) for share in result.charges] == ["4.17", "1.83"]
    assert (groups(result), str(result.gross)) == ([("23.48", "4.69"), ("11.73", "0.65")], "40.55")


def test_gross_and_net_prices_in_one_basket_and_a_coupon_of_everything():
    basket = [line("24.00", 20), line("10.00", 20, net=True)]
    assert groups(compute_vat(basket)) == [("30.00", "6.00")]
    assert groups(compute_vat(basket, discount=D("34.00"))) == [("0.00", "0.00")]


def test_the_long_example_of_the_design():
    goods = [line("37.50", 20), line("62.30", "5.5"), line("11.43", 10), line("7.90", "2.1")]
    result = compute_vat(goods, discount=D("11.80"), charges=[Charge(D("6.9000"))])
    assert groups(result) == [("29.96", "5.99"), ("56.63", "3.11"), ("9.96", "1.00"), ("7.42", "0.16")]
    sums = (result.lines_net, result.allowance_net, result.charge_net, result.net, result.vat, result.gross)
    assert [str(amount) for amount in sums] == ["108.44", "10.75", "6.28", "103.97", "10.26", "114.23"]


def test_two_jars_with_their_share_of_the_coupon():
    result = compute_vat([line("17.80", "5.5")], discount=D("1.78"))
    assert [str(x) for x in (result.lines_net, result.allowance_net, result.net, result.vat)] == ["16.87", "1.69", "15.18", "0.84"]


def test_a_discount_larger_than_the_items_is_refused():
    with pytest.raises(ValueError, match="discount"):
        compute_vat([line("5.00", 20)], discount=D("5.01"))


money = st.integers(0, 100_000).map(lambda cents: D(cents) / 100)
rates = st.sampled_from(["20", "10", "5.5", "2.1", "0"])
lines = st.lists(
    st.builds(
        lambda amount, rate, net: TaxedLine(amount, "S" if rate != "0" else "Z", D(rate), "FR", includes_tax=not net),
        money,
        rates,
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=500, deadline=None)
@given(lines=lines, share=st.integers(0, 100), shipping=money)
def test_any_basket_adds_up(lines, share, shipping):
    discount = (sum(row.amount for row in lines) * share / 100).quantize(D("0.01"), rounding="ROUND_DOWN")
    result = compute_vat(lines, discount=discount, charges=[Charge(shipping)])
    assert result.net == result.lines_net - result.allowance_net + result.charge_net == sum(g.base for g in result.groups)
    assert result.gross == result.net + result.vat == sum(g.gross for g in result.groups)
    assert sum(result.discount_shares) == discount == sum(a.amount for a in result.allowances)
    assert sum(result.line_vats) + sum(result.charge_vats) == result.vat
    # A group of prices with and without tax rounds twice: the base of the first, the VAT of the second.
    assert all(abs(g.vat - g.base * g.rate / 100) <= D("0.005") * (2 + g.rate / 100) for g in result.groups)
    assert all(0 <= share <= row.amount for share, row in zip(result.discount_shares, lines, strict=True))


@settings(max_examples=300, deadline=None)
@given(lines=st.lists(st.builds(line, money, st.sampled_from(["20", "5.5", "2.1"])), min_size=1, max_size=10), shipping=money)
def test_with_tax_in_all_prices_the_gross_is_what_was_paid(lines, shipping):
    result = compute_vat(lines, charges=[Charge(shipping)])
    assert result.gross == sum(row.amount for row in lines) + shipping


@given(total=st.integers(-10_000, 10_000), weights=st.lists(st.integers(0, 1_000).map(D), min_size=1, max_size=20))
def test_a_split_loses_nothing(total, weights):
    parts = split_by_largest_remainder(D(total) / 100, weights, exponent=2)
    assert sum(parts) == D(total) / 100
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if not weight and any(weights))


STANDARD = TaxClass(pk=1, code="standard", category="S")
RATES = {(1, "FR"): D(20), (1, "NL"): D(21)}


def rule(destination, *, tax_class=STANDARD, vat_id="", exempt=False, reverse_charge=False, shop="FR"):
    found = tax_rule(
        tax_class=tax_class,
        rates=RATES,
        shop_country=shop,
        destination=destination,
        business_vat_id=vat_id,
        exempt=exempt,
        reverse_charge=reverse_charge,
    )
    return (str(found.category), found.rate, found.country)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"destination": "FR"}, ("S", D(20), "FR")),
        ({"destination": ""}, ("S", D(20), "FR")),
        ({"destination": "MC"}, ("S", D(20), "FR")),
        ({"destination": "NL"}, ("S", D(21), "NL")),
        ({"destination": "DE"}, ("S", D(20), "FR")),
        ({"destination": "DE", "vat_id": "DE123456788"}, ("K", D(0), "FR")),
        ({"destination": "DE", "vat_id": "FR19812345676"}, ("S", D(20), "FR")),
        ({"destination": "FR", "vat_id": "FR19812345676"}, ("S", D(20), "FR")),
        ({"destination": "CH"}, ("G", D(0), "FR")),
        ({"destination": "FR", "exempt": True}, ("E", D(0), "FR")),
        ({"destination": "DE", "reverse_charge": True}, ("AE", D(0), "FR")),
        ({"destination": "FR", "tax_class": TaxClass(pk=2, category="O")}, ("O", D(0), "FR")),
        ({"destination": "FR", "tax_class": None}, ("", None, "FR")),
    ],
)
def test_which_vat_applies(facts, expected):
    assert rule(**facts) == expected


def ecwid_order(**fields):
    values = {"source": "ecwid", "currency": "EUR", "prices_include_tax": True, "subtotal": D(10), "total": D(10), "tax": D("0.91")}
    return Order(**values | fields)


def ecwid_line(**fields):
    values = {
        "name": "Cup",
        "quantity": 1,
        "price": D(10),
        "tax": D("0.91"),
        "vat_category": "S",
        "vat_rate": D(10),
        "price_includes_tax": True,
    }
    return OrderLine(**values | fields)


def test_an_imported_order_keeps_the_tax_it_came_with():
    assert [(g.base, g.vat) for g in groups_of_import(ecwid_order(), [ecwid_line()])] == [(D("9.09"), D("0.91"))]


@pytest.mark.parametrize(
    ("order", "row", "reason"),
    [
        ({"totals_warning": ["subtotal"]}, {}, "do not add up"),
        ({}, {"vat_rate": None}, "without tax data"),
        ({}, {"other_taxes": [{"value": 10}, {"value": 2}]}, "two taxes"),
        ({"shipping_cost": D(5), "total": D(15)}, {}, "without tax data"),
        ({}, {"tax": D("3.00")}, "does not fit"),
        ({"total": D(11)}, {}, "the order says"),
    ],
)
def test_an_imported_order_without_sound_taxes_carries_no_invoice(order, row, reason):
    with pytest.raises(UnusableTaxes, match=reason):
        vat_of_import(ecwid_order(**order), [ecwid_line(**row)])


def test_tips_stay_outside_vat_and_surcharges_carry_it():
    order = Order(currency="EUR", prices_include_tax=True)
    extras = [OrderSurcharge(kind="tip", amount=D(5)), OrderSurcharge(kind="surcharge", amount=D("1.20"))]
    row = OrderLine(name="Cup", quantity=2, price=D(12), vat_category="S", vat_rate=D(20), line_discount=D(4))
    order.discount = D(6)  # 4 of the line, 2 of the order
    assert [(g.base, g.vat) for g in vat_of_order(order, [row], extras).groups] == [(D("16.00"), D("3.20"))]
