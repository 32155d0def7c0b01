"""The history of an order: every change with old and new values and its source, mails and documents, filtered by links."""

from datetime import datetime
from decimal import Decimal

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from invoices.services import issue_invoice
from orders.choices import ChangeSource
from orders.models import BulkItem, BulkJob, Order
from orders.services.contact import ContactWish
from orders.services.editing import DetailsWish, HoldWish, NoteWish
from orders.services.payments import RefundWish
from orders.services.plan import Actor, apply
from orders.templatetags.orders import moment
from tests.invoices.makers import make_seller
from tests.makers import ROBOT, make_clerk, make_order, make_shop, make_variant, quantity_edit, set_status

pytestmark = pytest.mark.django_db


@pytest.fixture
def ines(client):
    make_shop()
    make_variant("MUG", on_hand=50)
    ines = make_clerk(username="ines", superuser=True)
    client.force_login(ines)
    return ines


def page_of(client, order, query="", **headers):
    return client.get(reverse("admin:orders_order_change", args=[order.pk]) + query, headers=headers)


def changes_of(client, order):
    return page_of(client, order).context["entries"][0].changes


def test_old_and_new_values_of_a_contact_are_told(client, ines):
    order, phone = make_order("PAID", phone="01"), "02"
    wish = ContactWish(
        order_id=order.pk, actor=Actor.clerk(ines), values={"phone": phone}, addresses={"shipping.country": "BE", "shipping.city": "Liège"}
    )
    apply(wish).or_raise()
    assert sorted(changes_of(client, order)) == [
        ("Phone", "01", "02"),
        ("Shipping address, city", "Nantes", "Liège"),
        ("Shipping address, country", "France", "Belgium"),
    ]


def test_people_are_told_by_name_and_tags_one_by_one(client, ines):
    order, paul = make_order("PAID", tags=("Old",)), make_clerk("orders.view_order", username="paul")
    wish = DetailsWish(ids=[order.pk], actor=Actor.clerk(ines), values={"assignee_id": paul.pk}, add_tags=["Gift"], remove_tags=["Old"])
    apply(wish).or_raise()
    assert changes_of(client, order) == [("Assignee", "nobody", "paul"), ("Tag", "", "Gift"), ("Tag", "Old", "")]


def test_every_amount_that_an_edit_changed_is_told(client, ines):
    order = make_order("PAID", items={"MUG": 3})
    apply(quantity_edit(order, 2, actor=Actor.clerk(ines))).or_raise()
    found = {what: (old, new) for what, old, new in changes_of(client, order)}
    assert found["Article MUG"] == ("× 3", "× 2")
    assert (found["Total"], found["Tax"]) == (("€36.00", "€24.00"), ("€6.00", "€4.00"))


def test_each_entry_says_where_it_came_from(client, ines):
    order = make_order("PAID")
    for source in (ChangeSource.API, ChangeSource.IMPORT, ChangeSource.CLERK):
        apply(HoldWish(ids=[order.pk], actor=Actor(source, None, "x"), held=True, reason=source.label)).or_raise()
    entries = page_of(client, order).context["entries"]
    assert [entry.source for entry in entries] == ["Back office", "Import", "Online shop", "Automatic"]
    assert [entry.source_icon for entry in entries] == ["circle-user", "download", "globe", "clock"]


@pytest.fixture
def told(ines):
    """An order with one of everything."""
    make_seller(auto_issue="never")
    order, clerk = make_order("AWAITING_PAYMENT", items={"MUG": 3}), Actor.clerk(ines)
    apply(NoteWish(order_id=order.pk, actor=clerk, text="Rang twice")).or_raise()
    apply(HoldWish(ids=[order.pk], actor=clerk, held=True, reason="Address")).or_raise()
    set_status(order, payment="PAID", record=True)
    set_status(order, fulfilment="SHIPPED", tracking_number="6A1")
    issue_invoice(order.pk, actor=ROBOT)
    return order


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("", ["status", "status", "hold", "note", "placed"]),
        ("?t=status", ["status", "status", "placed"]),
        ("?t=money", ["status"]),
        ("?t=stock", ["status", "placed"]),
        ("?t=edits", ["hold"]),
        ("?t=notes", ["note"]),
        ("?t=mails", []),
        ("?t=documents", []),
        ("?src=clerk", ["hold", "note"]),
        ("?t=notes&src=api", []),
        ("?t=nonsense&src=nonsense", ["status", "status", "hold", "note", "placed"]),
    ],
)
def test_the_history_is_filtered_by_links(client, told, query, kinds):
    assert [entry.event.kind for entry in page_of(client, told, query).context["entries"]] == kinds


def history(page):
    text = page.content.decode()
    return text[text.index('id="history"') : text.index("</section>", text.index('id="history"'))]


def test_mails_and_documents_are_entries(client, told):
    number = told.invoices.get().number
    everything, mails, documents = (history(page_of(client, told, query)) for query in ("", "?t=mails", "?t=documents"))
    assert f"Invoice {number}" in everything
    assert f"Invoice {number}" in documents
    assert f"Invoice {number}" not in mails
    assert "Order placed" not in mails + documents
    assert mails.count("mail-line") == told.mails.count()
    assert "mail-line" not in documents


def test_a_filter_without_entries_says_so(client, told):
    assert "Nothing of this kind happened yet." in history(page_of(client, told, "?t=notes&src=api"))


def test_a_filter_answers_the_history_alone_and_keeps_the_list(client, told):
    page = page_of(client, told, "?t=notes&in=view%3Dheld", **{"HX-Request": "true", "HX-Target": "history"}).content.decode()
    assert page.strip().startswith('<section aria-labelledby="h-time" id="history"')
    assert "?t=status&amp;in=view%3Dheld" in page
    assert "<html" not in page


def test_a_bulk_change_leads_to_its_receipt(client, ines):
    order = make_order("PAID")
    event = set_status(order, fulfilment="PROCESSING").event
    job = BulkJob.objects.create(kind=BulkJob.Kind.STATUS, created_at=timezone.now(), total=1)
    BulkItem.objects.create(job=job, order=order, position=1, event=event)
    assert [entry.bulk for entry in page_of(client, order).context["entries"]] == [str(job.public_id), ""]


def test_the_customers_other_orders_and_worth_are_told(client, ines):
    first = make_order("PAID", items={"MUG": 1}, email="lea@example.com")
    orders = [make_order("PAID", items={"MUG": 3}, email="lea@example.com") for _number in range(4)]
    Order.objects.exclude(pk=first.pk).update(customer=first.customer)
    facts = page_of(client, orders[0]).context["customer_orders"]
    value = facts["value"]
    assert (value.count, value.kept, str(value.average), facts["is_first"]) == (5, 156, "31.20", False)
    assert [order.pk for order in facts["others"]] == [orders[3].pk, orders[2].pk, orders[1].pk]
    assert page_of(client, first).context["customer_orders"]["is_first"] is True


def test_the_page_steps_through_the_list_it_came_from(client, ines):
    held = [make_order("PAID") for _number in range(3)]
    make_order("PAID")
    for order in held:
        apply(HoldWish(ids=[order.pk], actor=ROBOT, held=True, reason="x")).or_raise()
    steps = page_of(client, held[1], "?in=view%3Dheld").context["steps"]
    place = "/admin/orders/order/%d/change/?in=view%%3Dheld"
    assert (steps.back_url, steps.previous_url, steps.next_url) == (
        "/admin/orders/order/?view=held",
        place % held[2].pk,
        place % held[0].pk,
    )
    assert page_of(client, held[2], "?in=view%3Dheld").context["steps"].previous_url == ""


def test_a_change_comes_back_to_the_same_list(client, ines):
    order = make_order("PAID")
    address = reverse("admin:orders_order_quick", args=[order.pk])
    response = client.post(address, {"do": "add-tag", "value": "Gift", "version": order.version, "in": "view=held"})
    assert response.headers["Location"] == f"/admin/orders/order/{order.pk}/change/?in=view%3Dheld#h-tags"
    panel = client.get(
        reverse("admin:orders_order_details", args=[order.pk]),
        headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver/admin/orders/order/{order.pk}/change/?in=view%3Dheld"},
    )
    assert '<input type="hidden" name="in" value="view=held">' in panel.content.decode()


def test_money_given_back_is_no_worth_of_a_customer(client, ines):
    orders = [make_order("PAID", items={"MUG": 3}, email="lea@example.com") for _number in range(3)]
    Order.objects.update(customer=orders[0].customer)
    set_status(orders[0], payment="CANCELLED")
    apply(RefundWish(order_id=orders[1].pk, actor=ROBOT, amount=Decimal("6.00"), reason="Chipped")).or_raise()
    page = page_of(client, orders[2])

    value = page.context["customer_orders"]["value"]

    assert (value.kept, str(value.average)) == (Decimal("66.00"), "33.00")
    assert [(term.label, term.figure) for term in value.why.terms] == [
        ("3 orders placed", "€108.00"),
        ("1 cancelled or refunded", "\u2212€36.00"),
        ("Taken off by refunds", "\u2212€6.00"),
    ]
    assert "€66.00" in client.get(reverse("admin:orders_customer_changelist")).content.decode()
    assert "Why €66.00?" in client.get(reverse("admin:orders_customer_change", args=[orders[0].customer_id])).content.decode()


@time_machine.travel("2026-11-24 12:00:00Z", tick=False)
def test_a_day_without_a_time_is_shown_without_one():
    assert moment(timezone.make_aware(datetime(2026, 11, 20))) == "20 Nov"
    assert moment(timezone.make_aware(datetime(2026, 11, 20, 16, 26))) == "20 Nov 16:26"
    assert moment(timezone.make_aware(datetime(2026, 11, 24))) == "24 Nov"
