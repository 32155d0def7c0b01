"""Shop situations as staff meet them on the screen: goods come back, are exchanged, or only some of them leave."""

import re
from decimal import Decimal

from django.utils import timezone
from playwright.sync_api import expect

from tests.browser.hand import Effort, walk
from tests.makers import CLERK, make_order, make_variant, set_status
from tests.orders.situations.outcome import Aftermath, Money, aftermath_of

YEAR = timezone.now().year
LEA = "lea@example.com"
FIRST = ["order_confirmation sent fr", f"invoice sent fr with F-{YEAR}-0001", "shipped sent fr 6A1"]
STAFF = {"staff@example.com": ["new_order sent fr"]}


def sent(day, **fields):
    """A paid and invoiced order of Léa's that left yesterday."""
    order = make_order("PAID", email=LEA, **fields)
    day()
    set_status(order, actor=CLERK, fulfilment="SHIPPED", tracking_number="6A1", carrier="Colissimo")
    day()
    return order


def choose(hand, name):
    """Open the other actions of the order and take one."""
    hand.click("button[popovertarget=more-menu]")
    hand.click(f"#more-menu >> text={name}")


def said(page):
    """The consequence panel once it is here."""
    expect(page.locator("#panel-apply")).to_be_visible()
    return page.locator("#panel")


def confirm(hand):
    hand.click("#panel-apply")
    expect(hand.page.locator("#panel")).to_be_hidden()


@walk(4, Effort(clicks=17, keys=2, letters=19))
def test_a_size_is_exchanged_and_the_difference_paid(office, day, hand):
    make_variant("SHIRT-M", on_hand=4, price="20.00", name="Shirt M")
    make_variant("SHIRT-L", on_hand=4, price="23.00", name="Shirt L")
    order = sent(day, items={"SHIRT-M": 1})
    hand.begin()
    hand.click("#order-rows tr >> nth=0")
    choose(hand, "Open a return")
    expect(office.locator("#panel [name^=quantity]")).to_be_focused()
    hand.type("1")
    expect(said(office)).to_contain_text("No stock moves, no e-mail goes.")
    confirm(hand)
    returns = office.locator("section[aria-labelledby=h-returns]")
    hand.click(returns.get_by_role("link", name="Parcel is here"))
    expect(said(office)).to_contain_text("No stock moves before.")
    confirm(hand)
    hand.click(returns.get_by_role("link", name="Inspect"))
    expect(said(office)).to_contain_text("1 piece comes back to the stock")
    confirm(hand)
    hand.click(returns.get_by_role("link", name="Exchange"))
    office.wait_for_url(re.compile("/edit/"))
    hand.press("/")
    hand.type("SHIRT-L")
    hand.press("Enter")
    result = office.locator("#edit-result")
    expect(result).to_contain_text(re.compile(r"Left to pay\s*€3.00"))
    expect(result).to_contain_text("SHIRT-L")
    expect(result).to_contain_text("€20.00 is credited, €23.00 is invoiced.")
    expect(result).to_contain_text(LEA)
    hand.click("#id_reason")
    hand.type("The size")
    hand.click("#edit-save")
    office.wait_for_url(re.compile("/change/"))
    hand.click(office.get_by_role("link", name="Payment received"))
    expect(said(office)).to_contain_text("A payment of €3.00")
    confirm(hand)
    choose(hand, "Add a parcel")
    hand.click("#panel [name=tracking_number]")
    hand.type("6A2")
    expect(said(office)).to_contain_text("A parcel: 6A2")
    expect(said(office)).to_contain_text(LEA)
    confirm(hand)
    hand.took(4)
    day()
    assert aftermath_of(order) == Aftermath(
        statuses="PAID SHIPPED",
        # 20.00 + 23.00 were sold, a sixth of 43.00 is 7.17; 20.00 came back, 20.00 + 3.00 are paid.
        money=Money(total="43.00", vat="7.17", paid="23.00", refunded="0.00", credited="20.00", balance="settled"),
        stock={"MUG": "20/0", "POT": "5/0", "SHIRT-M": "4/0 4/1 3/0 4/0", "SHIRT-L": "4/0 3/0"},
        events="placed status return return return edit payment shipment",
        last="Shipment recorded · parcel of 1 piece 6A2",
        mails=STAFF | {LEA: [*FIRST, f"invoice sent fr with F-{YEAR}-0002 AV-{YEAR}-0001", "shipped sent fr 6A2"]},
        documents=[
            f"F-{YEAR}-0001 20.00 VAT 3.33",
            f"AV-{YEAR}-0001 20.00 VAT 3.33 takes back F-{YEAR}-0001",
            f"F-{YEAR}-0002 23.00 VAT 3.83",
        ],
    )


@walk(7, Effort(clicks=14, keys=1, letters=22))
def test_the_rest_of_a_partial_shipment_is_cancelled(office, day, hand):
    order = make_order("PAID", email=LEA, items={"MUG": 3})
    day()
    hand.begin()
    hand.click("#order-rows tr >> nth=0")
    choose(hand, "Add a parcel")
    expect(office.locator("#panel [name^=quantity]")).to_be_focused()
    hand.type("1")
    hand.click("#panel [name=tracking_number]")
    hand.type("6A1")
    expect(said(office)).to_contain_text("1 piece leaves the stock")
    expect(said(office)).to_contain_text("A parcel: 6A1")
    expect(said(office)).to_contain_text(LEA)
    confirm(hand)
    day()
    choose(hand, "Refund")
    hand.put(f"#panel-quantity-{order.lines.get().pk}", "2")
    hand.click("#panel-reason")
    hand.type("One mug is enough")
    result = office.locator("#page-result")
    expect(result).to_contain_text("A refund of €24.00")
    expect(result).to_contain_text("2 pieces are free again")
    expect(result.locator("article.paper")).to_contain_text("−€24.00")
    expect(result).to_contain_text(LEA)
    hand.click("#panel-apply")
    office.wait_for_url(re.compile("/change/"))
    hand.click("#fulfilment-button")
    hand.click(office.locator("#fulfilment-menu a", has_text="Shipped"))
    confirm(hand)
    hand.took(7)
    day()
    assert aftermath_of(order) == Aftermath(
        statuses="PARTIALLY_REFUNDED SHIPPED",
        money=Money(total="36.00", vat="6.00", paid="36.00", refunded="24.00", credited="24.00", balance="settled"),
        stock={"MUG": "20/0 20/3 19/2 19/0", "POT": "5/0"},
        events="placed shipment refund status",
        last="Awaiting processing → Shipped",
        mails=STAFF | {LEA: [*FIRST, f"refund_recorded sent fr with AV-{YEAR}-0001"]},
        documents=[f"F-{YEAR}-0001 36.00 VAT 6.00", f"AV-{YEAR}-0001 24.00 VAT 4.00 takes back F-{YEAR}-0001"],
    )


@walk(8, Effort(clicks=11, keys=1, letters=1))
def test_goods_come_back_and_the_shipping_is_kept_in_french_on_the_phone(in_french, day, hand):
    page = in_french
    page.set_viewport_size({"width": 390, "height": 844})
    order = sent(day, items={"MUG": 2}, shipping_method="Colissimo", shipping_cost=Decimal("4.90"))
    hand.begin()
    hand.click("#order-rows tr >> nth=0")
    choose(hand, "Ouvrir un retour")
    hand.put("#panel [name^=quantity]", "2")
    expect(said(page)).to_contain_text("Aucun stock ne bouge, aucun e-mail ne part.")
    confirm(hand)
    returns = page.locator("section[aria-labelledby=h-returns]")
    hand.click(returns.get_by_role("link", name="Colis arrivé"))
    expect(said(page).locator("thead")).to_contain_text("Reçu")
    confirm(hand)
    hand.click(returns.get_by_role("link", name="Contrôler"))
    expect(said(page)).to_contain_text("2 pièces reviennent en stock")
    confirm(hand)
    hand.click(returns.get_by_role("link", name="Rembourser"))
    result = page.locator("#page-result")
    expect(result).to_contain_text(re.compile(r"Un remboursement de 24,00\s€"))
    expect(result).to_contain_text(LEA)
    expect(result.locator("article.paper")).to_contain_text(re.compile(r"−24,00\s€"))
    expect(page.locator("#page-sums")).to_contain_text(re.compile(r"Restera remboursable\s*4,90\s€"))
    expect(result).not_to_contain_text("en stock")  # that was the inspection
    hand.click("#panel-apply")
    page.wait_for_url(re.compile("/change/"))
    hand.took(8)
    day()
    assert aftermath_of(order) == Aftermath(
        statuses="PARTIALLY_REFUNDED SHIPPED",
        # A sixth of 28.90 is 4.82, of 24.00 it is 4.00.
        money=Money(total="28.90", vat="4.82", paid="28.90", refunded="24.00", credited="24.00", balance="settled"),
        stock={"MUG": "20/0 20/2 18/0 20/0", "POT": "5/0"},
        events="placed status return return return refund",
        last="Refund recorded · Paid → Partially refunded · €24.00 given back · The return is closed",
        mails=STAFF | {LEA: [*FIRST, f"refund_recorded sent fr with AV-{YEAR}-0001"]},
        documents=[f"F-{YEAR}-0001 28.90 VAT 4.82", f"AV-{YEAR}-0001 24.00 VAT 4.00 takes back F-{YEAR}-0001"],
    )
