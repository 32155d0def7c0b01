"""What becomes of documents: created, updated, older, unchanged; money, stock, customers, statuses (domain, section 3)."""

import json
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from orders.integrity import find_problems
from orders.models import Customer, Draft, Order, OrderEvent, RawDocument, Status, StockMovement
from orders.services.intake import place_draft
from tests.makers import ROBOT, make_clerk, make_shop, make_variant, set_status, stock_of
from tests.orders.ecwid_documents import became, document, item, run

pytestmark = pytest.mark.django_db


def test_everything_of_a_document_stands_on_the_order():
    run(document(orderComments="Ring twice", privateAdminNotes="Fragile", loyalty={"earned": 3}, refererUrl="https://example.com/"))
    order = Order.objects.get()
    assert (order.number, order.source, order.customer_name, order.email) == ("A1", "ecwid", "Léa Martin", "lea@example.com")
    assert order.placed_at.isoformat() == "2024-09-04T07:22:09+00:00"
    assert [(line.sku, line.quantity, line.price) for line in order.lines.all()] == [("MUG", 2, Decimal(12))]
    assert (order.customer_comment, order.notes.get().text) == ("Ring twice", "Fragile")
    assert (order.additional, order.provenance) == ({"loyalty": {"earned": 3}}, {"refererUrl": "https://example.com/"})
    assert "lea martin" in order.search
    assert "fragile" in order.search
    assert order.raw_documents.get().identity == "A1"


def test_field_names_in_other_cases_are_the_same_fields():
    run({name.upper(): value for name, value in document().items()})
    assert Order.objects.get().total == Decimal(24)


def test_the_same_document_again_is_unchanged():
    assert became(run(document(), document())) == ["created", "unchanged"]
    assert OrderEvent.objects.count() == 1


def test_another_layout_of_the_same_document_is_unchanged():
    run(document(total=24.0))
    body = dict(reversed(document(total=24).items()))
    assert became(run(body)) == ["unchanged"]


def test_a_later_document_updates_and_says_what_changed():
    run(document())
    report = run(document(paymentStatus="CANCELLED", total=20, discount=4))
    order = Order.objects.get()
    assert became(report) == ["updated"]
    assert (order.total, order.discount, order.payment_status.code, order.version) == (Decimal(20), Decimal(4), "CANCELLED", 2)
    event = order.events.first()
    assert (event.kind, event.changes["payment_status"]) == ("updated", {"from": "PAID", "to": "CANCELLED"})
    assert event.changes["total"] == {"from": "24.0000", "to": "20.0000"}


def test_what_a_later_document_does_not_name_stays():
    run(document(customerGroup="Gold", orderComments="Ring twice"))
    run(document(orderComments=""))
    order = Order.objects.get()
    assert (order.customer_group, order.customer_comment) == ("Gold", "")


def test_an_older_document_is_kept_out():
    run(document(updateDate="2024-09-05 10:00:00 +0000"))
    report = run(document(total=99, updateDate="2024-09-04 10:00:00 +0000"))
    assert became(report) == ["older"]
    assert Order.objects.get().total == Decimal(24)


def test_bodies_without_a_number_are_known_by_their_content():
    assert became(run(document(id=...), document(id=..., total=25), document(id=...))) == ["created", "created", "unchanged"]


def test_the_full_document_of_a_body_with_an_external_id_is_the_same_order():
    run(document(id=..., externalOrderId="web-7"))
    assert Order.objects.get().number == "EXT-web-7"
    assert became(run(document("K8XTQ", externalOrderId="web-7"))) == ["updated"]
    assert Order.objects.get().number == "K8XTQ"


def test_two_orders_may_name_the_same_external_id():
    assert became(run(document("A1", externalOrderId="2"), document("A2", externalOrderId="2"))) == ["created", "created"]
    assert Order.objects.get(number="A2").additional["externalOrderId"] == "2"


def test_money_drops_the_noise_of_binary_fractions():
    run(document(total=24.000000000000004, subtotal=23.999999999999996))
    order = Order.objects.get()
    assert (order.total, order.subtotal, order.totals_warning) == (Decimal(24), Decimal(24), [])


def test_a_paid_order_opens_with_its_payment_and_an_unpaid_one_without():
    run(document("A1"), document("A2", paymentStatus="AWAITING_PAYMENT"))
    assert list(Order.objects.order_by("number").values_list("paid_total", flat=True)) == [Decimal(24), Decimal(0)]
    run(document("A2", paymentStatus="PAID"))
    assert [row.amount for row in Order.objects.get(number="A2").payments.all()] == [Decimal(24)]


def test_refunds_are_stored_once_however_often_they_are_told():
    refund = {"date": "2024-09-06 10:00:00 +0000", "amount": 5, "reason": "Chipped"}
    run(document(refundedAmount=5))
    run(document(refundedAmount=5, refunds=[refund]))
    run(document(refundedAmount=8, refunds=[refund, {"date": "2024-09-07 10:00:00 +0000", "amount": 3}]))
    order = Order.objects.get()
    assert (order.refunded_total, sorted(row.amount for row in order.refunds.all())) == (Decimal(8), [Decimal(3), Decimal(5)])
    assert list(find_problems()) == []


def test_old_codes_mean_our_statuses_and_unknown_custom_ones_are_made():
    run(document("A1", paymentStatus="accepted", fulfillmentStatus="NEW"), document("A2", fulfillmentStatus="CUSTOM_FULFILLMENT_STATUS_2"))
    order = Order.objects.get(number="A1")
    assert (order.payment_status.code, order.fulfilment_status.code) == ("PAID", "AWAITING_PROCESSING")
    custom = Order.objects.get(number="A2").fulfilment_status
    assert (custom.name_in("en"), custom.base_code, custom.is_custom) == ("Custom 2", "AWAITING_PROCESSING", True)
    assert Status.objects.filter(code="CUSTOM_FULFILLMENT_STATUS_2").count() == 1


def test_an_unfinished_cart_is_a_draft_until_its_order_comes():
    run(document(paymentStatus="INCOMPLETE"))
    cart = Draft.objects.get()
    assert (Order.objects.count(), cart.kind, cart.external_id, cart.total) == (0, "cart", "A1", Decimal(24))
    assert became(run(document())) == ["created"]
    cart.refresh_from_db()
    assert cart.order == Order.objects.get()
    assert became(run(document(paymentStatus="INCOMPLETE", total=30))) == ["older"]


def test_an_imported_cart_can_be_placed_with_its_own_totals():
    make_shop()
    run(document(paymentStatus="INCOMPLETE", total=20, discount=4))
    order = place_draft(Draft.objects.get(), actor=ROBOT)
    assert (order.total, order.discount, order.totals_warning) == (Decimal(20), Decimal(4), [])


def test_customers_are_found_by_their_id_then_by_e_mail():
    run(document("A1", customerId=7), document("A2", customerId=7, email="new@example.com"), document("A3", email="LEA@example.com"))
    assert Customer.objects.count() == 1
    assert Customer.objects.get().orders.count() == 3


def test_stock_stays_alone_unless_asked():
    make_variant("MUG", on_hand=10)
    run(document(fulfillmentStatus="SHIPPED"))
    line = Order.objects.get().lines.get()
    assert (stock_of("MUG"), line.variant.sku, line.stock_followed) == ((10, 0), "MUG", False)


def test_stock_follows_exact_skus_when_asked_and_sells_below_zero():
    make_variant("MUG", on_hand=3)
    run(document("A1"), document("A2", fulfillmentStatus="SHIPPED"), document("A3", items=[item(sku="mug")]), move_stock=True)
    assert stock_of("MUG") == (1, 2)
    run(document("A4", items=[item(quantity=4)], subtotal=48, total=48), move_stock=True)
    assert stock_of("MUG") == (1, 6)
    assert Order.objects.get(number="A4").is_oversold is True
    assert list(find_problems()) == []


def test_a_later_quantity_and_a_removed_line_move_the_stock_they_held():
    make_variant("MUG", on_hand=10)
    make_variant("TEA", on_hand=10)
    tea = item(id=2, sku="TEA", name="Tea", quantity=5)
    run(document(items=[item(), tea]), move_stock=True)
    run(document(items=[item(quantity=1)]), move_stock=True)
    assert (stock_of("MUG"), stock_of("TEA")) == ((10, 1), (10, 0))
    assert list(Order.objects.get().lines.filter(is_removed=True).values_list("sku", flat=True)) == ["TEA"]
    assert list(find_problems()) == []


def test_a_document_with_fewer_pieces_than_were_shipped_here_is_refused():
    make_variant("MUG", on_hand=10)
    run(document(), move_stock=True)
    set_status(Order.objects.get(), fulfilment="SHIPPED", tracking_number="6A1")
    report = run(document(items=[item(quantity=1)]))
    assert report.results[0].problems == ("$.items[0].quantity: 2 pieces were shipped or taken back here already, got 1",)
    assert list(find_problems()) == []


def test_a_dry_run_tells_and_keeps_nothing():
    make_variant("MUG", on_hand=3)
    report = run(document("A1"), document("A1", total=25), dry_run=True, move_stock=True)
    assert became(report) == ["created", "updated"]
    assert (Order.objects.count(), RawDocument.objects.count(), StockMovement.objects.filter(order__isnull=False).count()) == (0, 0, 0)


def test_an_import_mails_nobody_and_issues_nothing(settings, monkeypatch):
    asked = []
    settings.CONSEQUENCE_PLANNERS = ("tests.orders.ecwid_documents.document",)
    monkeypatch.setattr("tests.orders.ecwid_documents.document", lambda *args, **kw: asked.append(args))
    run({"id": "A1", "items": [item()], "total": 24, "paymentStatus": "PAID"})
    assert (Order.objects.count(), asked) == (1, [])


def test_tax_of_a_line_is_kept_and_missing_tax_is_not_zero():
    taxes = [{"name": "TVA", "value": 20, "total": 4, "includeInPrice": True}]
    run(document("A1", items=[item(taxes=taxes, tax=4)], tax=4, pricesIncludeTax=True), document("A2"))
    with_tax, without = Order.objects.get(number="A1").lines.get(), Order.objects.get(number="A2").lines.get()
    assert (with_tax.vat_rate, with_tax.tax, with_tax.price_includes_tax) == (Decimal(20), Decimal(4), True)
    assert (without.vat_rate, without.vat_category) == (None, "")


def test_a_file_sent_through_the_page_is_imported(client):
    client.force_login(make_clerk("orders.import_order"))
    file = SimpleUploadedFile("orders.json", json.dumps([document(), document("A2", items=[])]).encode())
    page = client.post("/admin/orders/import/", {"documents": [file]})
    assert page.status_code == 200
    assert "$.items: the order has no items" in page.content.decode()
    assert Order.objects.get().events.get().actor_name == "clerk"


def test_the_page_is_closed_to_those_who_may_not_import(client):
    client.force_login(make_clerk("orders.view_order"))
    assert client.get("/admin/orders/import/").status_code == 403


def test_a_newer_document_that_reopens_what_staff_cancelled_takes_the_pieces_again():
    make_variant("MUG", on_hand=10)
    run(document(fulfillmentStatus="SHIPPED", updateDate="2024-09-05 07:22:09 +0000"), move_stock=True)
    order = Order.objects.get()
    set_status(order, payment="CANCELLED")
    assert stock_of("MUG") == (10, 0)
    run(document(fulfillmentStatus="SHIPPED", updateDate="2024-09-06 07:22:09 +0000"), move_stock=True)
    assert (Order.objects.with_statuses().get().payment_status.code, stock_of("MUG")) == ("PAID", (8, 0))
    assert (order.lines.get().pieces_shelf, list(find_problems())) == (0, [])
