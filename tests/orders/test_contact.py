"""Who the customer is and where the parcel goes, corrected on a placed order; and the small controls of its page."""

import pytest
from django.urls import reverse

from invoices.services import issue_invoice
from orders.errors import InvalidWish, NotAllowed
from orders.models import Order
from orders.search import find_orders
from orders.services.contact import ContactWish
from orders.services.plan import Actor, apply, plan
from orders.services.undo import UndoWish
from tests.invoices.makers import make_seller
from tests.makers import ROBOT, make_clerk, make_order, make_shop, make_variant, stock_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def ines(client):
    make_shop()
    make_variant("MUG", on_hand=10)
    ines = make_clerk(username="ines", superuser=True)
    client.force_login(ines)
    return ines


def change(order, actor=ROBOT, addresses=None, **values):
    return apply(ContactWish(order_id=order.pk, actor=actor, values=values, addresses=addresses or {})).or_raise()


def reload(order):
    return Order.objects.get(pk=order.pk)


def test_a_contact_moves_neither_money_nor_stock(ines):
    order = make_order("PAID", items={"MUG": 3})
    change(order, email="new@example.com", addresses={"shipping.street": "9 quai Malakoff"})
    after = reload(order)
    assert (after.email, after.total, after.version, stock_of("MUG")) == ("new@example.com", order.total, order.version + 1, (10, 3))
    assert order.events.first().changes == {
        "email": {"from": order.email, "to": "new@example.com"},
        "shipping.street": {"from": "4 rue des Lilas", "to": "9 quai Malakoff"},
    }


def test_an_order_is_found_by_its_new_and_its_old_contact(ines):
    order = make_order("PAID")
    change(order, customer_name="Zoé Garnier", addresses={"shipping.city": "Quimper"})
    for text in ("zoe garnier", "quimper", "léa martin", "nantes"):
        assert list(find_orders(Order.objects.all(), text)) == [order]


def test_undo_brings_contact_and_address_back(ines):
    order, clerk = make_order("PAID", phone="01 02"), Actor.clerk(ines)
    event = change(order, clerk, phone="07 08", addresses={"billing.street": "1 place Royale"}).event
    apply(UndoWish(order_id=order.pk, event_id=event.pk, actor=clerk)).or_raise()
    assert (reload(order).phone, order.addresses.get(kind="billing").street) == ("01 02", "4 rue des Lilas")


def test_another_vat_id_is_not_the_one_that_was_checked(ines):
    order = make_order("PAID", tax_id="FR40303265045")
    Order.objects.filter(pk=order.pk).update(tax_id_valid=True)
    change(order, tax_id="BE0428759497")
    assert (reload(order).tax_id, reload(order).tax_id_valid) == ("BE0428759497", False)


@pytest.mark.parametrize(
    ("values", "addresses", "field"),
    [
        ({"email": "lea@"}, {}, "email"),
        ({"customer_name": "", "email": "", "phone": ""}, {}, "customer_name"),
        ({"total": "1"}, {}, "total"),
        ({}, {"billing.country": "XX"}, "billing.country"),
        ({}, {"billing.order_id": "7"}, "billing.order_id"),
        ({}, {"elsewhere.city": "Nantes"}, "elsewhere.city"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_changes(ines, values, addresses, field):
    order = make_order("PAID")
    with pytest.raises(InvalidWish) as refusal:
        change(order, addresses=addresses, **values)
    assert (refusal.value.field, reload(order).version) == (field, order.version)


def test_only_who_may_edit_orders_changes_a_contact(ines):
    order = make_order("PAID")
    with pytest.raises(NotAllowed):
        change(order, Actor.clerk(make_clerk("orders.view_order", username="reader")), phone="07 08")


def test_an_issued_invoice_keeps_its_address_and_the_panel_says_so(ines, client):
    make_seller(auto_issue="never")
    order = make_order("PAID")
    issue_invoice(order.pk, actor=ROBOT)
    number = order.invoices.get().number
    wish = ContactWish(order_id=order.pk, actor=ROBOT, addresses={"billing.street": "1 place Royale"})
    (told,) = [consequence.describe() for consequence in plan(wish).changes[0].consequences]
    assert told.title == f"Invoice {number} keeps the name and address it was issued with"
    assert plan(ContactWish(order_id=order.pk, actor=ROBOT, values={"po_number": "7"})).changes[0].consequences == []


def test_the_form_keeps_what_was_typed_and_names_the_field(ines, client):
    order = make_order("PAID")
    address = reverse("admin:orders_order_contact", args=[order.pk])
    answer = client.post(address, {"filled": "1", "version": order.version, "email": "lea@", "customer_name": "Zoé"})
    page = answer.content.decode()
    assert (answer.status_code, reload(order).customer_name) == (422, "Léa Martin")
    assert "lea@ is no e-mail address." in page
    assert 'value="Zoé"' in page


def quick(client, order, do, value="", **fields):
    data = {"do": do, "value": value, "version": reload(order).version, "opened": "", "since": 0} | fields
    return client.post(reverse("admin:orders_order_quick", args=[order.pk]), data, follow=True)


def tags(order):
    return sorted(tag.name for tag in order.tags.all())


def test_tags_are_added_and_removed_in_one_click(ines, client):
    order = make_order("PAID", tags=("Old",))
    quick(client, order, "add-tag", "Gift, Fragile")
    quick(client, order, "remove-tag", "Old")
    assert tags(order) == ["Fragile", "Gift"]


def test_an_order_is_taken_followed_up_and_given_back(ines, client):
    order = make_order("PAID")
    quick(client, order, "assign", ines.pk)
    quick(client, order, "follow-up", "2026-12-01")
    assert (reload(order).assignee, str(reload(order).follow_up_on)) == (ines, "2026-12-01")
    quick(client, order, "assign", "", opened=ines.pk)
    quick(client, order, "follow-up", "", opened="2026-12-01")
    assert (reload(order).assignee, reload(order).follow_up_on) == (None, None)


def test_a_small_change_can_be_undone(ines, client):
    order = make_order("PAID")
    page = quick(client, order, "hold", "Address unclear").content.decode()
    assert reload(order).is_held is True
    assert f'action="{reverse("mail:undo", args=[order.events.first().pk])}"' in page
    quick(client, order, "unhold")
    assert (reload(order).is_held, reload(order).hold_reason) == (False, "")


@pytest.mark.parametrize(
    ("do", "value", "reason"),
    [
        ("hold", " ", "Say why the order is put on hold."),
        ("follow-up", "soon", "Enter a date such as 2026-11-30."),
        ("assign", "999999", "This person may not see orders, or has left."),
    ],
)
def test_a_small_change_that_makes_no_sense_says_why(ines, client, do, value, reason):
    order = make_order("PAID")
    assert reason in quick(client, order, do, value).content.decode()
    assert reload(order).version == order.version


def test_only_named_small_changes_exist(ines, client):
    order = make_order("PAID")
    assert quick(client, order, "delete").status_code == 404
    assert client.get(reverse("admin:orders_order_quick", args=[order.pk])).status_code == 405


def test_a_reader_cannot_make_small_changes(client):
    make_shop()
    order = make_order("PAID")
    client.force_login(make_clerk("orders.view_order", username="reader"))
    assert quick(client, order, "add-tag", "Gift").status_code == 403
    assert tags(order) == []
