"""An invoice that is issued after money was given back says what is left of the order, to the cent."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from invoices.integrity import find_problems
from invoices.models import Invoice
from invoices.services import credit_invoice, issue_invoice
from invoices.services.issuing import uncredited_invoices
from invoices.services.releasing import release_documents
from orders.drafts import DraftDiscount, DraftLine
from orders.edits import OrderEdit, TakenBack
from orders.errors import CannotUndo, InvalidWish
from orders.models import Order
from orders.services.counter_edit import counter_edit
from orders.services.payments import RefundPiece, RefundWish
from orders.services.plan import apply
from orders.services.proposing import EditWish
from orders.services.undo import UndoWish
from tests.invoices.makers import amounts, make_invoice, make_seller
from tests.makers import CLERK, ROBOT, make_order, make_shop, quantity_edit
from tests.orders.ecwid_documents import document, item, run

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
D = Decimal


@pytest.fixture(autouse=True)
def seller():
    return make_seller()


def goods(*items, **fields):
    rows = [DraftLine(name=f"Item {n}", quantity=q, price=D(p), vat_category="S", vat_rate=D(r)) for n, (q, p, r) in enumerate(items)]
    return make_order("PAID", lines=tuple(rows), language="en", **fields)


def refund(order, *pieces, **what):
    lines = list(order.lines.order_by("position"))
    rows = [RefundPiece(lines[index].pk, count, **more) for index, count, more in ((*p, {})[:3] for p in pieces)]
    apply(RefundWish(order_id=order.pk, pieces=rows, actor=ROBOT, **what)).or_raise()


def rows_of(invoice):
    return [(row.kind, row.name, int(row.quantity), row.net) for row in invoice.lines.order_by("position")]


def test_pieces_that_came_back_are_not_invoiced():
    order = goods((3, "12.00", "20"))
    refund(order, (0, 1))
    invoice = make_invoice(order)
    # 2 × 12.00 incl. 20 %: base 20.00, VAT 4.00.
    assert amounts(invoice) == (D("20.00"), D("4.00"), D("24.00"))
    assert rows_of(invoice) == [("line", "Item 0", 2, D("20.00"))]
    assert (invoice.due, invoice.paid) == (0, D("24.00"))


def test_the_discount_share_goes_with_the_pieces():
    order = goods((10, "8.90", "5.5"), discounts=(DraftDiscount(value=D("8.90"), is_coupon=True),))
    refund(order, (0, 2))  # 17.80 less 1.78 = 16.02
    invoice = make_invoice(order)
    # 8 × 8.90 = 71.20, coupon 7.12: gross 64.08, base 64.08 / 1.055 = 60.74, VAT 3.34.
    assert amounts(invoice) == (D("60.74"), D("3.34"), D("64.08"))
    assert invoice.gross + D("16.02") == order.total


def test_an_amount_without_pieces_stands_as_given_back_before():
    order = goods((1, "24.00", "20"), (1, "10.55", "5.5"))
    refund(order, amount=D("10.00"))
    invoice = make_invoice(order)
    # 24.55 left; 10.00 over 24.00 : 10.55 is 6.95 : 3.05, so 17.05 at 20 % and 7.50 at 5.5 %.
    assert [(g.rate, g.base, g.vat) for g in invoice.vat_groups.order_by("-rate")] == [
        (D("20"), D("14.21"), D("2.84")),
        (D("5.5"), D("7.11"), D("0.39")),
    ]
    assert {row.name for row in invoice.lines.filter(kind="allowance")} == {"Refunded before"}


def test_shipping_that_was_given_back_is_not_invoiced():
    order = goods((2, "12.00", "20"), shipping_cost=D("4.90"))
    refund(order, (0, 1), shipping=D("4.90"))
    assert amounts(make_invoice(order)) == (D("10.00"), D("2.00"), D("12.00"))


def test_what_was_kept_of_a_returned_piece_is_charged():
    order = goods((2, "12.00", "20"))
    refund(order, (0, 1, {"amount": D("10.00")}))
    invoice = make_invoice(order)
    # One piece at 12.00 and 2.00 kept of the other: 14.00 incl. 20 %.
    assert amounts(invoice) == (D("11.67"), D("2.33"), D("14.00"))
    assert rows_of(invoice)[1][:2] == ("charge", "Kept of returned items")


def test_an_undone_refund_is_invoiced_again():
    order = goods((2, "12.00", "20"))
    refund(order, (0, 1))
    apply(UndoWish(order_id=order.pk, event_id=order.events.latest("pk").pk, actor=ROBOT)).or_raise()
    assert make_invoice(order).gross == D("24.00")


def test_an_edit_is_not_undone_once_an_invoice_says_it():
    """The invoice would say 36.00 for an order of 24.00: a further edit corrects both."""
    order = make_order("PAID", items={"MUG": 2})
    event = apply(quantity_edit(order, 3)).or_raise().event
    assert make_invoice(order).gross == D("36.00")
    with pytest.raises(CannotUndo, match="correct it with a credit note"):
        apply(UndoWish(order_id=order.pk, event_id=event.pk, actor=ROBOT)).or_raise()
    assert Order.objects.get(pk=order.pk).total == D("36.00")


def test_an_exchange_taken_back_leaves_no_invoice_that_says_too_much():
    """What came back stays taken off: the invoice of 36.00 is replaced by one of 24.00."""
    order = make_order("PAID", items={"MUG": 3})
    make_invoice(order)
    line = order.lines.get()
    edit = OrderEdit(added=(DraftLine(name="Bowl", price=D("9.00")),), taken_back=(TakenBack(line.pk, 1, shelf=1),), reason="Swap")
    swap = apply(EditWish(order_id=order.pk, edit=edit, actor=CLERK)).or_raise().event
    counter = replace(counter_edit(swap), reason="Kept it")
    apply(EditWish(order_id=order.pk, edit=counter, actor=CLERK)).or_raise()
    release_documents(now=timezone.now() + timedelta(hours=1))
    left = uncredited_invoices([order.pk])[order.pk]
    assert (left.remaining, Order.objects.get(pk=order.pk).credited_total) == (D("24.00"), D("12.00"))


def test_the_first_of_two_edits_is_invoiced_though_the_second_is_taken_back():
    """The new invoice of the first made room for that of the second; the old one of 24.00 is still wrong."""
    order = make_order("PAID", items={"MUG": 2})
    make_invoice(order)
    apply(quantity_edit(order, 3, actor=CLERK, reason="One more")).or_raise()
    second = apply(quantity_edit(order, 4, actor=CLERK, reason="Another")).or_raise().event
    apply(EditWish(order_id=order.pk, edit=replace(counter_edit(second), reason="No"), actor=CLERK)).or_raise()
    release_documents(now=timezone.now() + timedelta(hours=1))
    assert uncredited_invoices([order.pk])[order.pk].remaining == D("36.00")


def test_an_edit_that_no_invoice_prints_is_undone():
    order = make_order("PAID", items={"MUG": 2})
    edit = OrderEdit(columns={"payment_method": "Cheque"})
    event = apply(EditWish(order_id=order.pk, edit=edit, actor=ROBOT)).or_raise().event
    make_invoice(order)
    assert apply(UndoWish(order_id=order.pk, event_id=event.pk, actor=ROBOT)).or_raise().event


def test_a_piece_left_is_credited_on_the_new_invoice():
    order = goods((3, "3.33", "20"), discounts=(DraftDiscount(value=D("0.99")),))
    refund(order, (0, 1))
    invoice = make_invoice(order)
    refund(order, (0, 2))
    note = credit_invoice(invoice.pk, actor=ROBOT, issue_key="rest")
    assert amounts(note) == amounts(invoice) == (D("5.00"), D("1.00"), D("6.00"))
    assert list(find_problems()) == []


def imported(quantity=4, **fields):
    """Four pieces at 12.00 incl. 20 %: VAT 8.00, as the document stored it."""
    tax = 2.0 * quantity
    taxes = [{"name": "TVA", "value": 20, "total": tax, "taxOnDiscountedSubtotal": tax, "includeInPrice": True}]
    parts = {"tax": tax, "total": 12.0 * quantity, "subtotal": 12.0 * quantity, "items": [item(quantity=quantity, taxes=taxes, tax=tax)]}
    run(document("A1", **(parts | fields)))
    return Order.objects.get(number="A1")


@pytest.mark.parametrize(("what", "gross"), [({"pieces": 1}, "36.00"), ({"amount": D("10.00")}, "38.00")])
def test_an_imported_order_keeps_its_stored_taxes(what, gross):
    order = imported()
    if pieces := what.pop("pieces", 0):
        refund(order, (0, pieces))
    else:
        refund(order, **what)
    invoice = make_invoice(order)
    # 36.00 holds 6.00 of VAT; of 38.00 it is 8.00 × 38 / 48 = 6.33.
    assert amounts(invoice)[1:] == ({"36.00": D("6.00"), "38.00": D("6.33")}[gross], D(gross))


class AnyRefunds(TestCase):
    @settings(max_examples=40, deadline=None)
    @given(
        items=st.lists(
            st.tuples(st.integers(1, 6), st.sampled_from(["0.99", "12.45", "8.90", "3.33"]), st.sampled_from(["20", "5.5", "2.1"])),
            min_size=1,
            max_size=4,
        ),
        discount=st.integers(0, 50),
        is_net=st.booleans(),
        steps=st.lists(st.tuples(st.integers(0, 4), st.integers(1, 3), st.booleans()), min_size=1, max_size=4),
    )
    def test_the_invoice_is_the_order_less_its_refunds(self, items, discount, is_net, steps):
        make_seller()
        make_shop(prices_include_tax=not is_net)
        order = goods(*items, discounts=(DraftDiscount(kind="PERCENT", value=D(discount)),), shipping_cost=D("4.90"))
        for which, count, ships in steps:
            try:
                if which == 4:
                    refund(order, amount=D("1.00"))
                else:
                    refund(order, (which % len(items), count), shipping=D("1.00") if ships else D(0))
            except InvalidWish:
                continue
        order = Order.objects.get(pk=order.pk)
        if not any(line.quantity > sum(r.quantity for r in line.refund_lines.all()) for line in order.lines.all()):
            return
        invoice = issue_invoice(order.pk, actor=ROBOT)
        assert invoice.gross == order.total - order.credited_total
        assert order.prices_include_tax is not is_net
        credit_invoice(invoice.pk, actor=ROBOT, issue_key=f"{invoice.pk}:rest")
        assert sum(note.gross for note in Invoice.objects.filter(refers=invoice)) == invoice.gross
        assert list(find_problems()) == []
