"""Credit notes take back exactly what was invoiced, in any pieces and order, and never more."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from invoices.errors import CannotIssue
from invoices.integrity import find_problems
from invoices.models import Invoice
from invoices.services import credit_invoice
from orders.drafts import DraftDiscount, DraftLine, DraftSurcharge
from tests.invoices.makers import amounts, make_invoice, make_seller
from tests.makers import ROBOT, make_order

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
D = Decimal


def goods(*items):
    return tuple(DraftLine(name=f"Item {n}", quantity=q, price=D(p), vat_category="S", vat_rate=D(r)) for n, (q, p, r) in enumerate(items))


def credit(invoice, key, **what):
    return credit_invoice(invoice.pk, actor=ROBOT, issue_key=str(key), **what)


def pieces(invoice, *counts):
    rows = invoice.lines.filter(kind="line").order_by("position")
    return {row.order_line_id: count for row, count in zip(rows, counts, strict=True) if count}


def taken_back(invoice):
    notes = Invoice.objects.filter(refers=invoice)
    return tuple(sum((getattr(note, name) for note in notes), D(0)).quantize(D("0.01")) for name in ("net", "vat", "gross"))


def test_a_full_credit_note_takes_back_every_cent():
    make_seller()
    order = make_order(
        "PAID",
        lines=goods((3, "12.50", "20"), (7, "8.90", "5.5"), (1, "7.90", "2.1")),
        discounts=(DraftDiscount(value=D("11.80"), is_coupon=True),),
        shipping_cost=D("6.90"),
    )
    invoice = make_invoice(order)
    note = credit(invoice, "a")
    assert amounts(note) == amounts(invoice)
    assert (note.refers_number, note.refers_date, note.kind) == (invoice.number, invoice.issue_date, "credit_note")
    assert {(g.rate, g.base, g.vat) for g in note.vat_groups.all()} == {(g.rate, g.base, g.vat) for g in invoice.vat_groups.all()}


def test_two_jars_are_credited_with_their_share_of_the_coupon():
    make_seller()
    order = make_order("PAID", lines=goods((10, "8.90", "5.5")), discounts=(DraftDiscount(value=D("8.90"), is_coupon=True),))
    invoice = make_invoice(order)
    note = credit(invoice, "a", lines=pieces(invoice, 2))
    assert [str(x.quantize(D("0.01"))) for x in (note.lines_net, note.allowance_net)] == ["16.87", "1.69"]
    assert amounts(note) == (D("15.18"), D("0.84"), D("16.02"))


def test_fifty_pieces_credited_one_by_one_give_back_the_invoice():
    make_seller()
    invoice = make_invoice(make_order("PAID", lines=goods((50, "12.45", "20"))))
    line = pieces(invoice, 1)
    notes = [credit(invoice, n, lines=line) for n in range(50)]
    assert {note.gross for note in notes} == {D("12.45")}
    assert taken_back(invoice) == amounts(invoice) == (D("518.75"), D("103.75"), D("622.50"))
    with pytest.raises(CannotIssue) as error:
        credit(invoice, "one more", lines=line)
    assert error.value.code == "nothing_left"


def test_seven_pieces_credited_as_three_and_four():
    make_seller()
    invoice = make_invoice(make_order("PAID", lines=goods((7, "8.90", "5.5"))))
    credit(invoice, "a", lines=pieces(invoice, 3))
    credit(invoice, "b", lines=pieces(invoice, 4))
    assert taken_back(invoice) == amounts(invoice) == (D("59.05"), D("3.25"), D("62.30"))


def test_an_amount_is_spread_over_the_rates_and_the_rest_completes_it():
    make_seller()
    invoice = make_invoice(make_order("PAID", lines=goods((1, "24.00", "20"), (1, "10.55", "5.5"))))
    note = credit(invoice, "a", amount=D("10.00"), reason="goodwill", reason_text="late parcel")
    assert (note.gross, note.vat_groups.count(), note.notes[0].endswith("late parcel")) == (D("10.00"), 2, True)
    rest = credit(invoice, "b")
    assert rest.gross == invoice.gross - 10
    assert taken_back(invoice) == amounts(invoice)
    assert list(find_problems()) == []


def test_more_than_is_left_is_refused_with_what_is_left():
    make_seller()
    invoice = make_invoice(make_order("PAID", lines=goods((2, "12.00", "20"))))
    credit(invoice, "a", amount=D("20.00"))
    for what in ({"amount": D("4.01")}, {"lines": pieces(invoice, 1)}, {"lines": {}, "shipping": D(1)}, {"lines": {0: 1}}):
        with pytest.raises(CannotIssue) as error:
            credit(invoice, "b", **what)
        assert error.value.code == "over_credit"
    assert credit(invoice, "b", amount=D("4.00")).gross == D("4.00")


def test_the_same_key_credits_once():
    make_seller()
    invoice = make_invoice()
    assert credit(invoice, "a") == credit(invoice, "a")
    assert Invoice.objects.credit_notes().count() == 1


def test_a_credit_note_is_not_credited():
    make_seller()
    note = credit(make_invoice(), "a")
    with pytest.raises(CannotIssue) as error:
        credit(note, "b")
    assert error.value.code == "is_credit_note"


def test_shipping_is_credited_with_its_own_share_of_vat():
    make_seller()
    order = make_order("PAID", lines=goods((1, "24.00", "20"), (1, "10.55", "5.5")), shipping_cost=D("6.00"))
    invoice = make_invoice(order)
    note = credit(invoice, "a", lines={}, shipping=D("6.00"))
    assert (note.gross, note.charge_net, note.lines_net) == (D("6.00"), note.net, 0)
    credit(invoice, "b")
    assert taken_back(invoice) == amounts(invoice)


class AnyCredits(TestCase):
    @settings(max_examples=25, deadline=None)
    @given(
        items=st.lists(
            st.tuples(st.integers(1, 6), st.sampled_from(["0.99", "12.45", "8.90", "3.33"]), st.sampled_from(["20", "5.5", "2.1"])),
            min_size=1,
            max_size=4,
        ),
        discount=st.integers(0, 50),
        steps=st.lists(st.integers(0, 3), min_size=1, max_size=5),
    )
    def test_any_credits_sum_up_to_the_invoice(self, items, discount, steps):
        make_seller()
        order = make_order(
            "PAID", lines=goods(*items), discounts=(DraftDiscount(kind="PERCENT", value=D(discount)),), shipping_cost=D("4.90")
        )
        invoice = make_invoice(order)
        for number, step in enumerate(steps):
            try:
                if step == 3:
                    credit(invoice, f"{invoice.pk}:{number}", amount=D("1.00"))
                else:
                    credit(invoice, f"{invoice.pk}:{number}", lines=pieces(invoice, *([1] + [0] * (len(items) - 1))), shipping=D(step))
            except CannotIssue:
                continue
        if taken_back(invoice)[2] < amounts(invoice)[2]:
            credit(invoice, f"{invoice.pk}:rest")
        assert taken_back(invoice) == amounts(invoice)
        assert list(find_problems()) == []


def test_shipping_that_is_given_back_takes_no_surcharge_along():
    make_seller()
    surcharge = DraftSurcharge(label="Gift wrap", amount=D("3.60"))
    order = make_order("PAID", lines=goods((2, "12.00", "20")), shipping_cost=D("6.90"), surcharges=(surcharge,), language="en")
    invoice = make_invoice(order)
    note = credit(invoice, "a", lines=pieces(invoice, 1), shipping=D("6.90"))
    # 12.00 and 6.90 incl. 20 %: 10.00 and 5.75.
    assert list(note.lines.order_by("position").values_list("name", "net")) == [("Item 0", D("10.00")), ("Shipping", D("5.75"))]
    rest = credit(invoice, "b", lines={}, shipping=D("1.80"))  # by hand: shipping and handling
    assert list(rest.lines.values_list("name", "net")) == [("Gift wrap", D("1.50"))]
