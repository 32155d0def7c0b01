"""Why is this number 3? Every figure of an order shows its sum, each term with its row, and says where it does not add up."""

import re
from decimal import Decimal

import pytest
from django.urls import reverse

from orders.drafts import DraftDiscount, DraftSurcharge
from orders.models import Order, Variant
from orders.services.payments import PaymentWish, RefundPiece, RefundWish
from orders.services.plan import apply
from orders.services.stock import adjust_stock
from tests.makers import ROBOT, make_clerk, make_order, make_shop, make_variant

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    make_shop()
    client.force_login(make_clerk(superuser=True))
    return client


def page_of(staff, order):
    return staff.get(reverse("admin:orders_order_change", args=[order.pk]))


def rows(why):
    return [(term.label, term.figure) for term in why.terms]


def test_a_total_names_its_parts(staff):
    make_variant("MUG", price="12.00")
    order = make_order(
        "PAID",
        items={"MUG": 3},
        shipping_cost=Decimal("6.90"),
        discounts=(DraftDiscount(label="Autumn", value=Decimal(2)),),
        surcharges=(DraftSurcharge(label="Tip", amount=Decimal(1), kind="tip"),),
    )
    whys = page_of(staff, order).context["whys"]
    assert rows(whys["total"]) == [("Subtotal", "€36.00"), ("Discount", "−€2.00"), ("Shipping", "+€6.90"), ("Tips", "+€1.00")]
    assert (whys["total"].figure, whys["total"].result, whys["total"].differs) == ("€41.90", "€41.90", "")
    assert rows(whys["subtotal"]) == [("3 × Article MUG", "€36.00")]
    assert rows(whys["discount"]) == [("Autumn", "€2.00")]


def test_the_vat_is_shown_per_rate(staff):
    make_variant("MUG", price="12.00")
    order = make_order("PAID", items={"MUG": 3})
    why = page_of(staff, order).context["whys"]["tax"]
    assert rows(why) == [("20% of €30.00", "€6.00")]
    assert (why.figure, why.result, why.differs) == ("€6.00", "€6.00", "")
    assert why.remarks == ["The prices include this VAT: it is a part of the total."]


def test_a_balance_names_every_payment_and_refund(staff):
    order = make_order("AWAITING_PAYMENT", items={"MUG": 3})
    apply(PaymentWish(order_id=order.pk, actor=ROBOT, amount=Decimal(30), method="Card")).or_raise()
    line = order.lines.get()
    apply(RefundWish(order_id=order.pk, actor=ROBOT, pieces=[RefundPiece(line.pk, 1, shelf=1)], reason="Chipped")).or_raise()
    page = page_of(staff, order)
    why, payment, refund = page.context["whys"]["balance"], order.payments.get(), order.refunds.get()
    assert [(term.label, term.figure, term.href) for term in why.terms] == [
        ("Total of the order", "€36.00", "#sum-total"),
        ("Taken off by a refund", "−€12.00", f"#refund-{refund.pk}"),
        ("Received, Card", "−€30.00", f"#payment-{payment.pk}"),
        ("Given back", "+€12.00", f"#refund-{refund.pk}"),
    ]
    assert (why.figure, why.result, why.differs) == ("€6.00", "€6.00", "")


def test_every_term_leads_to_a_row_of_the_page(staff):
    make_variant("MUG", price="12.00", weight=Decimal("0.4"))
    order = make_order("PAID", items={"MUG": 3, "POT": 1}, discounts=(DraftDiscount(label="Autumn", value=Decimal(2)),))
    line = order.lines.first()
    apply(RefundWish(order_id=order.pk, actor=ROBOT, pieces=[RefundPiece(line.pk, 1, shelf=1)])).or_raise()
    page = page_of(staff, order).content.decode()
    wanted = set(re.findall(r'<th scope="row"><a class="link" href="#([^"]+)"', page))
    assert {f"line-{line.pk}", "sum-subtotal", "sum-discount", "sum-total"} <= wanted
    assert wanted - set(re.findall(r' id="([^"]+)"', page)) == set()


def test_a_figure_that_does_not_add_up_says_so(staff):
    order = make_order("PAID", items={"MUG": 3})
    Order.objects.filter(pk=order.pk).update(total=Decimal("40.00"), totals_warning=["The total is 4.00 more than its parts."])
    why = page_of(staff, order).context["whys"]["total"]
    assert (why.figure, why.result) == ("€40.00", "€36.00")
    assert why.differs == "These rows give €36.00; the order says €40.00. The figure of the order stands as it came."


def test_vat_that_is_not_the_rate_times_the_base_says_the_exact_figure(staff):
    make_variant("CARD", price="28.29")
    why = page_of(staff, make_order("PAID", items={"CARD": 1})).context["whys"]["tax"]
    assert [(term.label, term.figure, term.remark) for term in why.terms] == [
        ("20% of €23.58", "€4.71", "exactly 4.715 of €28.29 with VAT")
    ]
    assert why.remarks[1:] == ["Fractions of a cent are shared out so that the parts make the total."]
    plain = page_of(staff, make_order("PAID", items={"MUG": 3})).context["whys"]["tax"]
    assert ([term.remark for term in plain.terms], len(plain.remarks)) == ([""], 1)


def test_a_tax_without_data_gives_the_reason(staff):
    order = make_order("PAID", items={"MUG": 3})
    Order.objects.filter(pk=order.pk).update(source="ecwid")
    order.lines.update(vat_rate=None, other_taxes=[])
    why = page_of(staff, order).context["whys"]["tax"]
    assert why.remarks == ["“Article MUG” came without tax data."]


def test_a_long_order_names_the_first_items_and_counts_the_rest(staff):
    order = make_order("PAID", items={f"SKU-{number:02}": 1 for number in range(15)})
    terms = rows(page_of(staff, order).context["whys"]["subtotal"])
    assert (len(terms), terms[-1]) == (13, ("and 3 more", "…"))


def test_the_stock_is_worked_out_from_the_ledger_order_by_order(staff):
    mug = make_variant("MUG", on_hand=10)
    adjust_stock(mug.pk, -1, reason="broken", actor=ROBOT)
    order, other = make_order("PAID", items={"MUG": 3}), make_order("PAID", items={"MUG": 2})
    page = staff.get(reverse("admin:orders_order_why", args=[order.pk, mug.pk]), headers={"HX-Request": "true"}).content.decode()
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    for row in (
        "Opening stock +10",
        "Adjustment −1",
        "On hand 9",
        f"Reserved for #{other.number} −2",
        "Reserved for this order −3",
        "Available 4",
    ):
        assert row in text
    assert f'href="#line-{order.lines.get().pk}"' in page
    assert "do not" not in text


def test_a_counter_that_is_wrong_is_told(staff):
    mug = make_variant("MUG", on_hand=10)
    order = make_order("PAID", items={"MUG": 3})
    Variant.objects.filter(pk=mug.pk).update(on_hand=8)
    page = staff.get(reverse("admin:orders_order_why", args=[order.pk, mug.pk])).content.decode()
    assert "The movements add up to 10 on hand and 3 reserved; the counters say 8 and 3." in page


def test_only_articles_of_the_order_are_explained(staff):
    order, other = make_order("PAID", items={"MUG": 1}), make_variant("POT")
    assert staff.get(reverse("admin:orders_order_why", args=[order.pk, other.pk])).status_code == 404
