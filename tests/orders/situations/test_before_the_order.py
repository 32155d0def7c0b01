"""What comes before an order: a call on the phone, a quote that is accepted, one that expires, and an old order wanted again."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from notifications.models import OutgoingEmail
from notifications.quotes import mail_quote
from orders.drafts import DraftDiscount, DraftLine, DraftSurcharge, OrderDraft
from orders.errors import NotAllowed, NotEnoughStock, QuoteExpired
from orders.models import Draft, Order, ShippingMethod, Variant
from orders.services.intake import place_draft, place_order
from orders.services.plan import Actor
from orders.services.reordering import line_left_out, order_again
from orders.services.reserving import make_quote, release_expired, reserve, settle_prices
from tests.makers import LEA, make_clerk, make_draft, make_order, make_variant, stock_of
from tests.orders.situations.outcome import Aftermath, Money, aftermath_of, problems, situation

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
TOLD = {"staff@example.com": ["new_order sent fr"]}


@situation(26, "Phone order with a price override, a discount, a tip, more pieces than there are, paid at the counter")
def test_a_phone_order_is_written_down_as_it_was_agreed(invoicing, ines, time_passes):
    wanted = make_draft(
        lines=(DraftLine(sku="POT", quantity=6, price=Decimal("25.00")), DraftLine(sku="MUG", quantity=2)),
        discounts=(DraftDiscount("Fidélité", "PERCENT", Decimal(10)),),
        surcharges=(DraftSurcharge("Pourboire", Decimal("2.00"), "tip"),),
        shipping_cost=Decimal("4.90"),
        payment_method="Espèces",
        payment_status="PAID",
        payment_reference="Ticket 41",
        email="lea@example.com",
    )
    with pytest.raises(NotEnoughStock, match="POT is out of stock: 6 asked, 5 available"):
        place_order(wanted, actor=ines)
    with pytest.raises(NotAllowed, match="You may not sell below zero"):
        place_order(wanted, actor=Actor.clerk(make_clerk("orders.add_order")), oversell=True)
    assert (Order.objects.count(), stock_of("POT"), stock_of("MUG")) == (0, (5, 0), (20, 0))
    order = place_order(wanted, actor=ines, oversell=True)
    assert [mail.state for mail in order.mails.filter(audience="customer")] == ["held", "held"]
    time_passes()
    assert aftermath_of(order) == Aftermath(
        statuses="PAID AWAITING_PROCESSING",
        # 6 × 25.00 + 2 × 12.00 = 174.00, less 17.40, plus 4.90 and a tip of 2.00 = 163.50; VAT (156.60 + 4.90) / 6 = 26.92
        money=Money(total="163.50", vat="26.92", paid="163.50", refunded="0.00", credited="0.00", balance="settled"),
        stock={"MUG": "20/0 20/2", "POT": "5/0 5/6"},
        events="placed",
        last="Order placed · €163.50 received, Espèces · 8 pieces reserved",
        mails={"lea@example.com": ["order_confirmation sent fr", "invoice sent fr with F-2026-0001"]} | TOLD,
        documents=["F-2026-0001 161.50 VAT 26.92"],  # a tip is outside of VAT and not invoiced
    )
    assert (order.is_oversold, order.payments.get().reference, order.number) == (True, "Ticket 41", "3")  # two numbers were drawn in vain


def offer(actor, pieces):
    """A quote to Zoé of some mugs and 4.90 of shipping, good for thirty days; their pieces are kept for a week."""
    lines = (DraftLine(variant_id=Variant.objects.get(sku="MUG").pk, quantity=pieces),)
    body = OrderDraft(lines=lines, customer_name="Zoé", email="zoe@example.com", billing=LEA, shipping=LEA, shipping_cost=Decimal("4.90"))
    row = Draft.objects.create(body=body.as_json(), created_at=timezone.now(), customer_name="Zoé", email="zoe@example.com", language="fr")
    make_quote(row, timezone.now() + timedelta(days=30), actor=actor)
    reserve(row, timezone.now() + timedelta(days=7), actor=actor)
    mail_quote(row, actor=actor)
    return row


@situation(27, "Quote mailed with its pieces kept: one accepted and placed, one expired")
def test_a_quote_keeps_its_pieces_and_its_price_until_its_day(ines, time_passes, clock):
    accepted, late = offer(ines, 3), offer(ines, 2)
    time_passes()
    Variant.objects.filter(sku="MUG").update(price=Decimal("15.00"))
    order = place_draft(accepted, actor=ines)
    clock.shift(timedelta(days=8))
    assert (release_expired(), release_expired()) == (1, 0)
    time_passes(timedelta(days=23))
    with pytest.raises(QuoteExpired, match="This quote has expired: keep its prices or renew them first"):
        place_draft(late, actor=ines)
    assert aftermath_of(order) == Aftermath(
        statuses="AWAITING_PAYMENT AWAITING_PROCESSING",
        # At the promised 12.00: 36.00 + 4.90 = 40.90, VAT 40.90 / 6 = 6.82
        money=Money(total="40.90", vat="6.82", paid="0.00", refunded="0.00", credited="0.00", balance="40.90 to pay"),
        # Kept: 3, then 2 more. The order takes its 3 over without a gap, the late quote gives its 2 back.
        stock={"MUG": "20/0 20/3 20/5 20/2 20/5 20/3", "POT": "5/0"},
        events="placed",
        last="Order placed",  # its pieces were kept before
        mails={"zoe@example.com": ["quote sent fr with (quote)"] * 2 + ["order_confirmation sent fr"]} | TOLD,
        documents=["quote 40.90"],
    )
    settle_prices(late, renew=True, actor=ines)
    again = place_draft(late, actor=ines)
    assert (again.total, stock_of("MUG")) == (Decimal("34.90"), (20, 5))  # 2 × 15.00 + 4.90: the price of today
    assert problems() == []


@situation(28, "Order again: the price rose and one article left the catalogue")
def test_an_old_order_is_placed_again_at_todays_prices_without_what_is_no_longer_sold(invoicing, ines, time_passes):
    method = ShippingMethod.objects.create(name="Colis", rate=Decimal("4.90"))
    make_variant("BOWL", on_hand=4, price="8.00", name="Bol")
    old = make_order("PAID", items={"MUG": 2, "BOWL": 1}, shipping_method="Colis", email="lea@example.com")
    time_passes()
    before = aftermath_of(old)
    Variant.objects.filter(sku="MUG").update(price=Decimal("13.50"))
    Variant.objects.filter(sku="BOWL").update(is_active=False)
    method.rate = Decimal("5.90")
    method.save()
    row = order_again(old, actor=ines)
    [left_out] = row.left_out
    assert (left_out["name"], left_out["quantity"], Decimal(left_out["price"])) == ("Bol", 1, Decimal("8.00"))
    assert line_left_out(left_out).price == Decimal("8.00")  # may be added as a free item
    order = place_draft(row, actor=ines)
    time_passes()
    assert aftermath_of(order) == Aftermath(
        statuses="AWAITING_PAYMENT AWAITING_PROCESSING",
        # 2 × 13.50 + 5.90 = 32.90, VAT 32.90 / 6 = 5.48; then it was 2 × 12.00 + 8.00 + 4.90
        money=Money(total="32.90", vat="5.48", paid="0.00", refunded="0.00", credited="0.00", balance="32.90 to pay"),
        stock={"BOWL": "4/0 4/1", "MUG": "20/0 20/2 20/4", "POT": "5/0"},
        events="placed",
        last="Order placed · 2 pieces reserved",
        mails={"lea@example.com": ["order_confirmation sent fr"]} | TOLD,
        documents=[],
    )
    assert (before.money.total, aftermath_of(old).money, aftermath_of(old).mails) == ("36.90", before.money, before.mails)
    assert OutgoingEmail.objects.filter(order=old).count() == 3
