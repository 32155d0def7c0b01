"""Shop situations as staff meet them on the screen: an order comes to nothing, or should never have been."""

import re
from decimal import Decimal

from django.utils import timezone
from playwright.sync_api import expect

from orders.models import Order
from tests.browser.hand import Effort, walk
from tests.makers import make_order
from tests.orders.situations.outcome import Aftermath, Money, aftermath_of

YEAR = timezone.now().year
LEA = "lea@example.com"
STAFF = {"staff@example.com": ["new_order sent fr"]}


@walk(17, Effort(clicks=5))
def test_a_paid_and_invoiced_order_is_cancelled_in_french(in_french, day, hand):
    page = in_french
    order = make_order("PAID", email=LEA, items={"MUG": 2}, shipping_cost=Decimal("4.90"))
    day()
    hand.begin()
    hand.click("#order-rows tr >> nth=0")
    hand.click("button[popovertarget=more-menu]")
    hand.click("#more-menu >> text=Annuler la commande")
    said = page.locator("#panel")
    expect(said).to_contain_text(re.compile(r"28,90\s€ (ont été reçus|.*encore à rendre)|encore à rendre"))
    hand.click(said.get_by_label(re.compile(r"Noter 28,90\s€ comme rendus")))
    expect(said).to_contain_text(re.compile(r"Un remboursement de 28,90\s€"))
    expect(said).to_contain_text("2 pièces ne sont plus réservées")
    expect(said.locator("article.paper")).to_contain_text(re.compile(r"−28,90\s€"))
    expect(said.get_by_text(LEA)).to_have_count(2)
    hand.click("#panel-apply")
    expect(said).to_be_hidden()
    hand.took(17)
    day()
    assert aftermath_of(order) == Aftermath(
        statuses="CANCELLED WILL_NOT_DELIVER",
        # A sixth of 28.90 is 4.82.
        money=Money(total="28.90", vat="4.82", paid="28.90", refunded="28.90", credited="28.90", balance="settled"),
        stock={"MUG": "20/0 20/2 20/0", "POT": "5/0"},
        events="placed status",
        last="Paid → Cancelled · Awaiting processing → Will not deliver · €28.90 given back · 2 pieces free again · À la demande du client",
        mails=STAFF
        | {
            LEA: [
                "order_confirmation sent fr",
                f"invoice sent fr with F-{YEAR}-0001",
                f"refund_recorded sent fr with AV-{YEAR}-0001",
                "status_changed sent fr",
            ]
        },
        documents=[f"F-{YEAR}-0001 28.90 VAT 4.82", f"AV-{YEAR}-0001 28.90 VAT 4.82 takes back F-{YEAR}-0001"],
    )


@walk(24, Effort(keys=28, letters=6))
def test_a_test_order_is_deleted_and_restored_by_keyboard_alone(office, day, hand):
    order = make_order("AWAITING_PAYMENT", email=LEA, items={"MUG": 2})
    day()
    hand.begin()
    hand.press("j", "Enter")
    office.wait_for_url(re.compile("/change/"))
    hand.press(".")
    hand.tab_to(office.locator("#more-menu").get_by_role("link", name="Delete the order"), key="ArrowUp")
    hand.press("Enter")
    expect(office.locator("#panel-apply")).to_be_visible()
    expect(office.locator("#panel [name=reason]")).to_be_focused()
    hand.type("A test")
    said = office.locator("#panel")
    expect(said).to_contain_text("2 pieces are free again")
    expect(said).to_contain_text("Its history stays, and it can be restored.")
    hand.press("Control+Enter")
    expect(office.get_by_text("This order is deleted.")).to_be_visible()
    expect(office.locator("#payment-button")).to_have_count(0)  # nothing can be done to it but restoring
    assert not Order.objects.present().exists()
    hand.press("g", "o")
    office.wait_for_url(re.compile("/orders/order/$"))
    expect(office.locator("#order-rows tr")).to_have_count(0)
    hand.press("Tab", "Enter")  # over the menu, into the page
    hand.tab_to(office.get_by_role("link", name=re.compile("^Deleted")))
    hand.press("Enter")
    office.wait_for_url(re.compile("view=deleted"))
    hand.press("j", "Enter")
    office.wait_for_url(re.compile("/change/"))
    hand.press(".", "Enter")
    expect(said).to_contain_text("2 pieces are reserved")
    expect(said).to_contain_text("The order is back as it was")
    expect(said).not_to_contain_text(LEA)
    hand.press("Control+Enter")
    expect(office.get_by_text("This order is deleted.")).to_have_count(0)
    hand.took(24)
    day()
    assert aftermath_of(order) == Aftermath(
        statuses="AWAITING_PAYMENT AWAITING_PROCESSING",
        money=Money(total="24.00", vat="4.00", paid="0.00", refunded="0.00", credited="0.00", balance="24.00 to pay"),
        stock={"MUG": "20/0 20/2 20/0 20/2", "POT": "5/0"},
        events="placed deleted restored",
        last="Restored · 2 pieces reserved",
        mails=STAFF | {LEA: ["order_confirmation sent fr"]},
        documents=[],
    )
