"""An invoice is issued once, completely, with the next number, or not at all."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import transaction

from invoices.errors import CannotIssue
from invoices.integrity import find_problems
from invoices.models import Invoice, InvoiceCounter, InvoiceSeries, SellerProfile
from invoices.services import credit_invoice, issue_invoice, preconditions
from orders.drafts import DraftDiscount, DraftLine, DraftSurcharge, Person
from orders.errors import NotAllowed
from orders.models import ExternalDocument, Order, OrderAddress, OrderLine, Product
from orders.services.payments import PaymentWish
from orders.services.plan import Actor, apply
from tests.invoices.makers import amounts, make_invoice, make_seller
from tests.makers import LEA, ROBOT, make_clerk, make_order

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
GERMAN = Person(name="Nordlicht GmbH", company="Nordlicht GmbH", street="Kastanienallee 40", postcode="10435", city="Berlin", country="DE")


def codes(error):
    return [problem.code for problem in error.value.problems]


def test_an_invoice_says_what_the_customer_paid():
    make_seller()
    invoice = make_invoice(shipping_cost=Decimal("4.90"), discounts=(DraftDiscount(kind="PERCENT", value=Decimal(10)),))
    assert amounts(invoice) == (Decimal("31.08"), Decimal("6.22"), Decimal("37.30"))
    assert (invoice.gross, invoice.paid, invoice.due) == (invoice.order.total, Decimal("37.30"), 0)
    assert [group.base for group in invoice.vat_groups.all()] == [Decimal("31.08")]
    assert list(find_problems()) == []


def test_numbers_follow_each_other_and_credit_notes_have_their_own():
    make_seller()
    with time_machine.travel(datetime(2026, 11, 24, 12, tzinfo=UTC)):
        first, second = make_invoice(), make_invoice()
        note = credit_invoice(first.pk, actor=ROBOT, issue_key="a")
    assert [first.number, second.number, note.number] == ["F-2026-0001", "F-2026-0002", "AV-2026-0001"]
    assert (first.previous_hash, second.previous_hash) == ("", first.hash)


def test_a_number_that_was_rolled_back_is_drawn_again():
    make_seller()
    orders = [make_order("PAID"), make_order("PAID")]
    with transaction.atomic():
        issue_invoice(orders[0].pk, actor=ROBOT)
        transaction.set_rollback(True)
    assert issue_invoice(orders[1].pk, actor=ROBOT).sequence == 1


def test_an_invoice_of_new_years_night_belongs_to_the_shops_year():
    make_seller()
    with time_machine.travel(datetime(2026, 12, 31, 23, 30, tzinfo=UTC)):
        invoice = make_invoice()
    assert (invoice.number, invoice.issue_date) == ("F-2027-0001", date(2027, 1, 1))


def test_the_chain_runs_on_into_the_next_year():
    make_seller()
    with time_machine.travel(datetime(2026, 12, 30, 12, tzinfo=UTC)):
        last = make_invoice()
    with time_machine.travel(datetime(2027, 1, 2, 12, tzinfo=UTC)):
        first = make_invoice()
    assert (first.number, first.previous_hash) == ("F-2027-0001", last.hash)
    assert list(find_problems()) == []


def test_dates_never_go_backwards_in_a_series():
    make_seller()
    with time_machine.travel(datetime(2026, 11, 24, 12, tzinfo=UTC)):
        make_invoice()
    with time_machine.travel(datetime(2026, 11, 23, 12, tzinfo=UTC)):
        assert make_invoice().issue_date == date(2026, 11, 24)
    with time_machine.travel(datetime(2026, 11, 20, 12, tzinfo=UTC)), pytest.raises(CannotIssue) as error:
        make_invoice()
    assert codes(error) == ["date_backwards"]


def test_a_double_click_issues_one_invoice():
    make_seller()
    order = make_order("PAID")
    first = issue_invoice(order.pk, actor=ROBOT, issue_key="form:1")
    assert issue_invoice(order.pk, actor=ROBOT, issue_key="form:1") == first
    with pytest.raises(CannotIssue) as error:
        issue_invoice(order.pk, actor=ROBOT, issue_key="form:2")
    assert (codes(error), Invoice.objects.count()) == (["already_invoiced"], 1)


def test_after_a_full_credit_note_the_order_may_be_invoiced_again():
    make_seller()
    invoice = make_invoice()
    credit_invoice(invoice.pk, actor=ROBOT, issue_key="a")
    assert issue_invoice(invoice.order_id, actor=ROBOT, issue_key="again").sequence == 2


def test_test_orders_have_a_series_of_their_own():
    make_seller()
    assert make_invoice(is_test=True).number.startswith("TEST-F-")
    assert make_invoice().sequence == 1


def test_everything_missing_is_said_at_once_and_no_number_is_drawn():
    make_seller(legal_name="", siren="", vat_id="", street="")
    order = make_order("PAID", billing=None, shipping=None)
    with pytest.raises(CannotIssue) as error:
        issue_invoice(order.pk, actor=ROBOT)
    assert set(codes(error)) == {"seller_name", "seller_address", "seller_siren", "seller_vat_id", "buyer_country"}
    assert not InvoiceCounter.objects.exists()


def test_issuing_needs_the_right():
    make_seller()
    order = make_order("PAID")
    with pytest.raises(NotAllowed):
        issue_invoice(order.pk, actor=Actor.clerk(make_clerk("invoices.view_invoice")))


def test_goods_to_a_business_in_the_eu_leave_without_vat():
    make_seller()
    order = make_order("PAID", billing=GERMAN, shipping=GERMAN, tax_id="DE123456788", tax_id_valid=True, language="en")
    invoice = make_invoice(order)
    group = invoice.vat_groups.get()
    assert (group.category, group.vat, group.exemption_code) == ("K", 0, "VATEX-EU-IC")
    assert "art. 262 ter I du CGI" in group.exemption_text
    assert "Article 138" in group.exemption_text


def test_without_country_of_delivery_no_vat_free_invoice_and_no_number():
    make_seller()
    order = make_order("PAID", billing=GERMAN, shipping=GERMAN, tax_id="DE123456788", tax_id_valid=True)
    OrderAddress.objects.filter(order=order, kind="shipping").update(country="")
    with pytest.raises(CannotIssue) as error:
        issue_invoice(order.pk, actor=ROBOT)
    assert codes(error) == ["ic_delivery"]
    assert make_invoice().sequence == 1


def test_a_vat_id_that_was_not_found_valid_blocks():
    make_seller()
    order = make_order("PAID", billing=GERMAN, shipping=GERMAN, tax_id="DE123456788", tax_id_valid=True)
    Order.objects.filter(pk=order.pk).update(tax_id_valid=False)
    with pytest.raises(CannotIssue) as error:
        issue_invoice(order.pk, actor=ROBOT)
    assert codes(error) == ["buyer_vat_id_invalid"]


def test_a_french_business_without_siren_warns_before_the_reform_and_blocks_after():
    seller = make_seller()
    company = Person(name="Le Goff", company="Maison Le Goff", street="27 quai de la Fosse", postcode="44000", city="Nantes", country="FR")
    order = make_order("PAID", billing=company, shipping=company)
    assert [(p.code, p.blocks) for p in preconditions(order) if p.code == "buyer_siren"] == [("buyer_siren", False)]
    with time_machine.travel(datetime(2027, 9, 1, 12, tzinfo=UTC)):
        assert next((p.code, p.blocks) for p in preconditions(order)) == ("buyer_siren", True)
    assert seller.fr_reform_from == date(2027, 9, 1)


def test_the_three_payment_notes_stand_on_business_invoices_only():
    make_seller()
    company = Person(name="Le Goff", company="Maison Le Goff", street="27 quai de la Fosse", postcode="44000", city="Nantes", country="FR")
    business = make_invoice(make_order(billing=company, shipping=company, tax_id="FR65912345675", language="en"))
    consumer = make_invoice(make_order(language="en"))
    assert sum("L. 441-10" in note for note in business.notes) == sum("D. 441-5" in note for note in business.notes) == 1
    assert not [note for note in consumer.notes if "payment" in note]
    assert business.buyer["siren"] == "912345675"


def test_a_small_business_names_its_exemption_and_charges_nothing():
    make_seller(vat_regime=SellerProfile.VatRegime.FRANCHISE, vat_id="")
    order = make_order("PAID", tax_exempt=True)
    invoice = make_invoice(order)
    group = invoice.vat_groups.get()
    assert (group.category, invoice.vat, group.exemption_code) == ("E", 0, "VATEX-FR-FRANCHISE")
    assert group.exemption_text == "TVA non applicable, art. 293 B du CGI"


def test_gift_cards_and_taxed_items_never_share_an_invoice():
    make_seller()
    order = make_order("PAID", items={"MUG": 1, "CARD": 1})
    OrderLine.objects.filter(order=order, sku="CARD").update(vat_category="O", vat_rate=0)
    with pytest.raises(CannotIssue) as error:
        issue_invoice(order.pk, actor=ROBOT)
    assert "out_of_scope_mixed" in codes(error)


def test_a_gift_card_is_a_payment_and_a_tip_is_not_invoiced():
    make_seller()
    tip = (DraftSurcharge(label="Tip", amount=Decimal("2.00"), kind="tip"),)
    order = make_order("PAID", items={"MUG": 3}, gift_card_amount=Decimal("10.00"), surcharges=tip)
    invoice = make_invoice(order)
    assert (order.total, invoice.gross, invoice.due) == (Decimal("28.00"), Decimal("36.00"), 0)


def test_an_order_whose_total_does_not_fit_its_items_is_not_invoiced():
    make_seller()
    order = make_order("PAID")
    Order.objects.filter(pk=order.pk).update(total=Decimal("13.00"))
    with pytest.raises(CannotIssue) as error:
        issue_invoice(order.pk, actor=ROBOT)
    assert codes(error) == ["gross"]


def test_an_order_invoiced_elsewhere_asks_first():
    make_seller()
    order = make_order("PAID")
    ExternalDocument.objects.create(order=order, number="2024-17")
    with pytest.raises(CannotIssue) as error:
        issue_invoice(order.pk, actor=ROBOT)
    assert codes(error) == ["external_documents"]
    assert issue_invoice(order.pk, actor=ROBOT, external_confirmed=True).sequence == 1


def test_what_was_issued_keeps_its_names_and_rates():
    seller = make_seller()
    invoice = make_invoice()
    Product.objects.update(name="Something else")
    OrderLine.objects.update(name="Something else", vat_rate=5)
    OrderAddress.objects.update(name="Somebody else")
    seller.legal_name = "Another shop"
    seller.save()
    invoice.refresh_from_db()
    assert (invoice.lines.get().name, invoice.lines.get().vat_rate) == ("Article MUG", 20)
    assert (invoice.buyer["name"], invoice.seller["legal_name"]) == ("Léa Martin", "Comptoir du Lierre SARL")


def test_strange_names_are_invoiced_without_their_control_characters():
    make_seller()
    order = make_order("PAID", lines=(DraftLine(name="Mug \x07 <script> 😀", price=Decimal(5), vat_category="S", vat_rate=Decimal(20)),))
    assert make_invoice(order).lines.get().name == "Mug  <script> 😀"


@pytest.mark.parametrize("pattern", ["F-{yyyy}", "F {yyyy}-{n}", "F-{n}", "É-{yyyy}-{n}", "A" * 30 + "{yyyy}-{n:08}"])
def test_a_pattern_that_could_repeat_or_break_a_number_is_refused(pattern):
    with pytest.raises(ValidationError):
        InvoiceSeries(code="X", kind="invoice", pattern=pattern, reset="yearly").clean()


def test_a_monthly_series_writes_its_month():
    assert InvoiceSeries(code="X", pattern="{code}{yy}{mm}-{n:05}", reset="monthly").number(7, date(2026, 3, 1)) == "X2603-00007"


def test_lea_is_a_consumer():
    make_seller()
    invoice = make_invoice(make_order("PAID", billing=LEA, shipping=LEA))
    assert (invoice.buyer_kind, invoice.buyer_country, invoice.process) == ("consumer", "FR", "B2")


def test_nothing_that_has_not_left_has_a_day_of_supply():
    make_seller()
    assert make_invoice(make_order("PAID", items={"MUG": 1})).supply_date is None
    shipped = make_invoice(make_order("PAID", "SHIPPED", items={"MUG": 1}))
    assert shipped.supply_date == shipped.issue_date


def test_an_order_paid_in_two_says_which_payment_was_the_last():
    make_seller()
    order = make_order(items={"MUG": 3}, language="en")
    for amount, day in (("16.00", 20), ("20.00", 24)):
        moment = datetime(2026, 11, day, 12, tzinfo=UTC)
        apply(PaymentWish(order_id=order.pk, actor=ROBOT, amount=Decimal(amount), method="Card", received_at=moment)).or_raise()
    words = make_invoice(order).payment["text"].replace("\xa0", " ")
    assert words == "Paid. The last payment came by Card on 24 November 2026."
