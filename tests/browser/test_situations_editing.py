"""Shop situations as staff meet them on the screen: a placed order is edited, and its invoice follows."""

import re
from decimal import Decimal

from django.utils import timezone
from playwright.sync_api import expect

from tests.browser.hand import Effort, walk
from tests.makers import make_order
from tests.orders.situations.outcome import Aftermath, Money, aftermath_of

YEAR = timezone.now().year
LEA = "lea@example.com"


def paid_and_invoiced(day, **fields):
    order = make_order("PAID", email=LEA, **fields)
    day()
    return order


@walk(1, Effort(keys=11, letters=10))
def test_a_gift_is_added_after_payment_by_keyboard_alone(office, day, hand):
    order = paid_and_invoiced(day, items={"MUG": 2})  # 2 × 12.00, a sixth of it VAT
    hand.begin()
    hand.press("j", "Enter")
    office.wait_for_url(re.compile("/change/"))
    hand.press("e")
    office.wait_for_url(re.compile("/edit/"))
    hand.press("/")
    hand.type("POT")
    hand.press("Enter")
    expect(office.get_by_label("Price of Pot")).to_have_value("30.00")
    hand.press("Shift+Tab", "Shift+Tab", "Shift+Tab", "Control+A")  # back over "remove" and the quantity to the price
    hand.type("0")
    said = office.locator("#edit-result")
    expect(said).to_contain_text(re.compile(r"Nothing to pay\s*€0.00"))
    expect(said).to_contain_text("1 piece is reserved")
    expect(said).to_contain_text("€24.00 is credited, €24.00 is invoiced.")
    expect(said).to_contain_text(LEA)
    hand.press("Control+Enter")
    expect(office.locator("#edit-note")).to_have_text(f"Say why: invoice F-{YEAR}-0001 is issued already.")
    expect(office.locator("#id_reason")).to_be_focused()  # nothing was saved, and the field is at hand
    hand.type("A gift")
    expect(office.locator("#edit-note")).to_have_count(0)
    hand.press("Control+Enter")
    office.wait_for_url(re.compile("/change/"))
    hand.took(1)
    day()
    assert aftermath_of(order) == Aftermath(
        statuses="PAID AWAITING_PROCESSING",
        money=Money(total="24.00", vat="4.00", paid="24.00", refunded="0.00", credited="0.00", balance="settled"),
        stock={"MUG": "20/0 20/2", "POT": "5/0 5/1"},
        events="placed edit",
        last="Order edited · Pot:  → × 1 · 1 piece reserved · A gift",
        mails={
            LEA: [
                "order_confirmation sent fr",
                f"invoice sent fr with F-{YEAR}-0001",
                f"invoice sent fr with F-{YEAR}-0002 AV-{YEAR}-0001",
            ],
            "staff@example.com": ["new_order sent fr"],
        },
        documents=[
            f"F-{YEAR}-0001 24.00 VAT 4.00",
            f"AV-{YEAR}-0001 24.00 VAT 4.00 takes back F-{YEAR}-0001",
            f"F-{YEAR}-0002 24.00 VAT 4.00",
        ],
    )


@walk(3, Effort(clicks=6, keys=1, letters=36))
def test_a_wrong_billing_address_is_corrected_after_the_invoice_on_the_phone(office, day, hand):
    office.set_viewport_size({"width": 390, "height": 844})
    order = paid_and_invoiced(day, items={"MUG": 2})
    hand.begin()
    hand.click("#order-rows tr >> nth=0")
    hand.click(office.get_by_role("link", name="Edit", exact=True))
    hand.click("text=Shipping and billing address")
    hand.put("#id_billing-street", "12 rue des Roses")
    said = office.locator("#edit-result")
    expect(said).to_contain_text("€24.00 is credited, €24.00 is invoiced.")
    expect(said).to_contain_text(re.compile(r"Nothing to pay\s*€0.00"))
    expect(said).not_to_contain_text("piece")
    hand.click("#id_reason")
    hand.type("Wrong billing street")
    hand.click("#edit-save")
    office.wait_for_url(re.compile("/change/"))
    hand.took(3)
    day()
    assert aftermath_of(order) == Aftermath(
        statuses="PAID AWAITING_PROCESSING",
        money=Money(total="24.00", vat="4.00", paid="24.00", refunded="0.00", credited="0.00", balance="settled"),
        stock={"MUG": "20/0 20/2", "POT": "5/0"},
        events="placed edit",
        last="Order edited · Billing address, street: 4 rue des Lilas → 12 rue des Roses · Wrong billing street",
        mails={
            LEA: [
                "order_confirmation sent fr",
                f"invoice sent fr with F-{YEAR}-0001",
                f"invoice sent fr with F-{YEAR}-0002 AV-{YEAR}-0001",
            ],
            "staff@example.com": ["new_order sent fr"],
        },
        documents=[
            f"F-{YEAR}-0001 24.00 VAT 4.00",
            f"AV-{YEAR}-0001 24.00 VAT 4.00 takes back F-{YEAR}-0001",
            f"F-{YEAR}-0002 24.00 VAT 4.00",
        ],
    )


@walk(5, Effort(clicks=9, keys=2, letters=22))
def test_a_forgotten_coupon_is_given_and_paid_back_in_french(in_french, day, hand):
    page = in_french
    order = paid_and_invoiced(day, items={"MUG": 3}, shipping_method="Colissimo", shipping_cost=Decimal("4.90"))
    hand.begin()
    hand.click("#order-rows tr >> nth=0")
    hand.click(page.get_by_role("link", name="Modifier", exact=True))
    hand.put("#id_coupon_code", "WELCOME10")
    hand.click("[name=discount-0-kind]")
    hand.press("End", "Enter")
    hand.put("[name=discount-0-value]", "10")
    hand.click("#id_reason")
    hand.type("Code oublie")
    # A tenth of 36.00 is 3.60; a sixth of 37.30 is 6.22.
    said = page.locator("#edit-result")
    expect(said).to_contain_text(re.compile(r"À rendre\s*3,60\s€"))
    expect(said).to_contain_text(re.compile(r"40,90\s€ .*37,30\s€"))
    hand.click("#edit-save")
    page.wait_for_url(re.compile("/change/"))
    hand.click("text=Enregistrer le remboursement")
    result = page.locator("#page-result")
    expect(result).to_contain_text(re.compile(r"Un remboursement de 3,60\s€"))
    expect(result).to_contain_text(LEA)
    expect(result).not_to_contain_text("avoir")  # the new invoice says it already
    hand.click("#panel-apply")
    page.wait_for_url(re.compile("/change/"))
    hand.took(5)
    day()
    assert aftermath_of(order) == Aftermath(
        statuses="PAID AWAITING_PROCESSING",
        money=Money(total="37.30", vat="6.22", paid="40.90", refunded="3.60", credited="0.00", balance="settled"),
        stock={"MUG": "20/0 20/3", "POT": "5/0"},
        events="placed edit refund",
        last="Refund recorded · €3.60 given back",
        mails={
            LEA: [
                "order_confirmation sent fr",
                f"invoice sent fr with F-{YEAR}-0001",
                f"invoice sent fr with F-{YEAR}-0002 AV-{YEAR}-0001",
                "refund_recorded sent fr",
            ],
            "staff@example.com": ["new_order sent fr"],
        },
        documents=[
            f"F-{YEAR}-0001 40.90 VAT 6.82",
            f"AV-{YEAR}-0001 40.90 VAT 6.82 takes back F-{YEAR}-0001",
            f"F-{YEAR}-0002 37.30 VAT 6.22",
        ],
    )
