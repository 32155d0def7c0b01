"""Shop situations as staff meet them on the screen: an order on the phone, and a quote."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from orders.models import Customer, Draft, Order, PaymentMethod, ShippingMethod, Variant
from orders.services.reserving import release_expired
from tests.browser.hand import Effort, walk
from tests.makers import stock_of
from tests.orders.situations.outcome import Aftermath, Money, aftermath_of

YEAR = timezone.now().year
ZOE = "zoe@example.com"


@pytest.fixture(autouse=True)
def zoe(day):
    ShippingMethod.objects.create(name="Colissimo", rate=Decimal("4.90"))
    PaymentMethod.objects.create(name="Cash")
    return Customer.objects.create(name="Zoé Petit", email=ZOE, email_key=ZOE, city="Lyon", country="FR", language="fr")


@walk(26, Effort(keys=36, letters=31))
def test_a_phone_order_is_written_down_by_keyboard_alone(office, day, hand):
    hand.begin()
    hand.press("c")
    expect(office.locator("#customer-search")).to_be_focused()
    hand.type("zoe")
    hand.press("Enter")
    expect(office.locator("#article-search")).to_be_focused()
    for number, text in enumerate(("6 x pot", "2 x mug")):
        hand.type(text)
        hand.press("Enter")
        expect(office.locator(f"#id_items-{number}-quantity")).to_have_value(text[0])
    hand.tab_to(office.get_by_label("Price of Pot"))
    hand.type("25")
    hand.tab_to("[name=oversell]")  # five pots are there
    hand.press("Space")
    hand.press("Control+ArrowDown")
    hand.press("c")
    hand.press("Control+ArrowDown")
    hand.press("c")
    hand.tab_to("#id_paid_now")
    hand.press("Space", "Tab", "Tab")  # over the amount: all of it
    hand.type("Ticket 41")
    hand.press("Control+ArrowDown", "Control+ArrowDown", "Control+ArrowDown", "End", "Tab")
    hand.type("10")
    hand.press("Tab", "Enter")
    hand.tab_to("[name=surcharge-0-kind]")
    hand.press("t", "Tab")
    hand.type("2")
    # 6 × 25.00 + 2 × 12.00 = 174.00, less 17.40, plus 4.90 and a tip of 2.00; a sixth of 156.60 + 4.90 is VAT.
    said = office.locator("#effects")
    expect(said).to_contain_text("An order of €163.50")
    expect(said).to_contain_text("8 pieces are reserved")
    expect(said).to_contain_text("The order is marked oversold")
    expect(said).to_contain_text("A payment of €163.50")
    expect(said).to_contain_text("An invoice is issued")
    expect(said).to_contain_text("€161.50")
    expect(said).to_contain_text(ZOE)
    hand.press("Control+Enter")
    office.wait_for_url(re.compile("/change/"))
    hand.took(26)
    day()
    order = Order.objects.get()
    assert aftermath_of(order) == Aftermath(
        statuses="PAID AWAITING_PROCESSING",
        money=Money(total="163.50", vat="26.92", paid="163.50", refunded="0.00", credited="0.00", balance="settled"),
        stock={"MUG": "20/0 20/2", "POT": "5/0 5/6"},
        events="placed",
        last="Order placed · €163.50 received, Cash · 8 pieces reserved",
        mails={
            ZOE: ["order_confirmation sent fr", f"invoice sent fr with F-{YEAR}-0001"],
            "staff@example.com": ["new_order sent fr"],
        },
        documents=[f"F-{YEAR}-0001 161.50 VAT 26.92"],  # a tip is outside of VAT and not invoiced
    )
    assert (order.is_oversold, order.payments.get().reference) == (True, "Ticket 41")


def begin_draft(hand):
    """Three mugs for Zoé, kept for her."""
    hand.begin()
    hand.click(hand.page.locator("main .page-actions").get_by_role("link", name="New order"))
    expect(hand.page.locator("#customer-search")).to_be_focused()
    hand.type("zoe")
    hand.press("Enter")
    expect(hand.page.locator("#article-search")).to_be_focused()
    hand.type("3 x mug")
    hand.press("Enter")
    expect(hand.page.locator("#id_items-0-quantity")).to_have_value("3")
    hand.click("button[value=reserve]")
    expect(hand.page.locator("#desk-state")).to_contain_text("3 pieces are reserved until")
    assert stock_of("MUG") == (20, 3)


@walk(27, Effort(clicks=6, keys=2, letters=10))
def test_a_quote_keeps_its_pieces_and_is_placed_as_promised(office, day, hand):
    begin_draft(hand)
    hand.click("button[value=quote]")
    hand.click("text=Mail the quote")
    said = office.locator("main aside")
    expect(said).to_contain_text(ZOE)
    expect(said).to_contain_text("French")
    expect(said).to_contain_text("No order is made, no money and no stock moves.")
    hand.click("text=Mail the quote now")
    office.wait_for_url(re.compile("draft="))
    day()
    # Zoé calls: she takes it.
    said = office.locator("#effects")
    expect(said).to_contain_text("An order of €36.00")
    expect(said).to_contain_text("3 × MUG were kept by this draft.")
    expect(said).to_contain_text("No payment is recorded.")
    expect(said).to_contain_text(ZOE)
    hand.click("text=Create order")
    office.wait_for_url(re.compile(r"/change/"))
    hand.took(27)
    day()
    assert aftermath_of(Order.objects.get()) == Aftermath(
        statuses="AWAITING_PAYMENT AWAITING_PROCESSING",
        money=Money(total="36.00", vat="6.00", paid="0.00", refunded="0.00", credited="0.00", balance="36.00 to pay"),
        stock={"MUG": "20/0 20/3 20/0 20/3", "POT": "5/0"},
        events="placed",
        last="Order placed",  # its pieces were kept before
        mails={
            ZOE: ["quote sent fr with (quote)", "order_confirmation sent fr"],
            "staff@example.com": ["new_order sent fr"],
        },
        documents=["quote 36.00"],
    )


def test_a_quote_that_expires_gives_its_pieces_back_and_asks_before_it_is_placed(office, day, hand):
    begin_draft(hand)
    hand.click("button[value=quote]")
    expect(office.locator("#h-desk")).to_have_text("Quote")
    Draft.objects.update(expires_at=timezone.now() - timedelta(hours=1), reserved_until=timezone.now() - timedelta(hours=1))
    release_expired()
    Variant.objects.filter(sku="MUG").update(price=Decimal("15.00"))
    hand.click(office.get_by_role("link", name="Drafts and carts"))
    hand.click(office.get_by_role("link", name="Zoé Petit"))
    expect(office.locator("#expired-quote")).to_contain_text("Mug: €12.00 in the quote, €15.00 in the catalogue today")
    expect(office.locator("#effects")).not_to_contain_text("An order of")
    hand.click("text=Renew them from the catalogue")
    expect(office.locator("#effects")).to_contain_text("An order of €45.00")
    expect(office.locator("#effects")).to_contain_text("3 pieces are reserved")
    hand.click("text=Create order")
    office.wait_for_url(re.compile(r"/change/"))
    day()
    assert aftermath_of(Order.objects.get()) == Aftermath(
        statuses="AWAITING_PAYMENT AWAITING_PROCESSING",
        money=Money(total="45.00", vat="7.50", paid="0.00", refunded="0.00", credited="0.00", balance="45.00 to pay"),
        stock={"MUG": "20/0 20/3 20/0 20/3", "POT": "5/0"},
        events="placed",
        last="Order placed · 3 pieces reserved",
        mails={ZOE: ["order_confirmation sent fr"], "staff@example.com": ["new_order sent fr"]},
        documents=[],
    )
