"""The refund page says what is recorded and credited, and keeps what was typed where the shop refuses."""

from decimal import Decimal

import pytest

from invoices.services import issue_invoice
from orders.drafts import DraftLine
from orders.models import Order
from orders.services.payments import PaymentWish, RefundWish
from orders.services.plan import apply
from tests.invoices.makers import make_seller
from tests.makers import ROBOT, make_clerk, make_order

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def staff(client):
    make_seller()
    client.force_login(make_clerk(superuser=True))
    return client


@pytest.fixture
def overpaid(staff):
    """Worth 57.10 (36.00 at 20 %, 21.10 at 5.5 %), of which 77.10 came."""
    rows = [("Bowl", 3, "12.00", "20"), ("Tea", 2, "10.55", "5.5")]
    lines = tuple(DraftLine(name=name, quantity=q, price=D(p), vat_category="S", vat_rate=D(r)) for name, q, p, r in rows)
    order = make_order("PAID", lines=lines, language="en")
    issue_invoice(order.pk, actor=ROBOT)
    apply(PaymentWish(order_id=order.pk, actor=ROBOT, amount=D(20))).or_raise()
    return order


def page_of(staff, order, kind="refund", **typed):
    address = f"/admin/orders/order/{order.pk}/{kind}/"
    return staff.post(address, {"filled": "1", "preview": "1", "set_status": "on"} | typed) if typed else staff.get(address)


def test_what_was_paid_too_much_goes_back_and_the_order_stays_paid(staff, overpaid):
    page = staff.get(f"/admin/orders/order/{overpaid.pk}/refund/?amount=20.0000")
    words = " ".join(page.content.decode().split())
    assert 'value="20.00"' in words
    assert "Only what was paid too much goes back. The order still comes to €57.10, so no credit note follows." in words
    assert "The payment status stays Paid." in words
    assert (page.context_data["taxes"], page.context_data["paper"]) == ([], None)
    apply(RefundWish(order_id=overpaid.pk, actor=ROBOT, amount=D(20))).or_raise()
    order = Order.objects.get()
    assert (order.payment_status.code, order.credited_total, order.balance) == ("PAID", 0, 0)


def test_a_refund_beyond_what_was_paid_too_much_is_a_refund(staff, overpaid):
    page = page_of(staff, overpaid, amount="30.00")
    # 10.00 of 57.10 go off the goods: 6.30 at 20 % (VAT 1.05), 3.70 at 5.5 % (VAT 0.19).
    assert [(tax.amount, tax.vat) for tax in page.context_data["taxes"]] == [(D("6.30"), D("1.05")), (D("3.70"), D("0.19"))]
    assert page.context_data["too_much"] == 20
    apply(RefundWish(order_id=overpaid.pk, actor=ROBOT, amount=D(30))).or_raise()
    assert Order.objects.get().payment_status.code == "PARTIALLY_REFUNDED"


def test_the_page_says_the_vat_of_its_credit_note(staff, overpaid):
    apply(RefundWish(order_id=overpaid.pk, actor=ROBOT, amount=D(20))).or_raise()
    page = page_of(staff, overpaid, amount="28.55")
    # Half of each rate: 18.00 with 3.00 of VAT, 10.55 with 0.55.
    assert [(tax.amount, tax.vat) for tax in page.context_data["taxes"]] == [(D("18.00"), D("3.00")), (D("10.55"), D("0.55"))]
    assert page.context_data["paper"].sums[1:3] == (("VAT 20%", "−€3.00"), ("VAT 5.5%", "−€0.55"))


def test_a_refused_refund_leaves_the_figures_on_the_page(staff):
    order = make_order("PAID", items={"MUG": 3})
    page = page_of(staff, order, **{f"quantity-{order.lines.get().pk}": "2", "amount": "90"})
    assert "Only €36.00 can still be refunded." in page.content.decode()
    assert [row.amount for row in page.context_data["refund_rows"]] == [D("24.00")]
    assert (page.context_data["value"], page.context_data["difference"]) == (90, 66)


@pytest.mark.parametrize("amount", ["0", "-5"])
def test_nothing_and_less_than_nothing_are_refused_in_one_way(staff, amount):
    for order, kind in ((make_order(items={"MUG": 3}), "payment"), (make_order("PAID", items={"MUG": 3}), "refund")):
        words = page_of(staff, order, kind, amount=amount).content.decode()
        assert "Enter an amount above zero." in words
        assert "or more." not in words
