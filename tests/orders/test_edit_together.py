"""Two people in one edit: what one saves is not wanted again by the other, and what the other typed is not lost."""

from decimal import Decimal

import pytest
from django.test import Client

from orders.drafts import DraftLine
from orders.edits import OrderEdit
from orders.models import OrderEvent, OrderProposal, Variant
from orders.services.plan import apply
from orders.services.proposing import EditWish
from tests.makers import ROBOT, make_clerk, make_order, make_shop, make_variant, stock_of
from tests.orders.editing_form import form_of

pytestmark = pytest.mark.django_db
RIGHTS = ("orders.view_order", "orders.change_order")


@pytest.fixture
def order():
    make_shop()
    make_variant("BOWL", on_hand=20)
    make_variant("SOAP", on_hand=20, price="5.00")
    return make_order(items={"BOWL": 11})


@pytest.fixture
def ines():
    return signed_in("ines")


@pytest.fixture
def paul():
    return signed_in("paul")


def signed_in(name):
    client = Client()
    client.force_login(make_clerk(*RIGHTS, username=name))
    return client


def place(order):
    return f"/admin/orders/order/{order.pk}/edit/"


def send(client, order, page, do="typed", **typed):
    return client.post(place(order), form_of(page, **typed) | ({"do": do} if do else {}), headers={"HX-Request": "true"} if not do else {})


def soap_saved_while_paul_types(order, ines, paul):
    soap = Variant.objects.get(sku="SOAP").pk
    added = send(ines, order, ines.get(place(order)), f"article:{soap}")
    bowls = f"line-{order.lines.get().pk}-quantity"
    typed = send(paul, order, paul.get(place(order)), **{bowls: "8"})
    send(ines, order, added, "accept")  # the first press looks: the proposal changed under it
    looked = send(ines, order, added)
    assert send(ines, order, looked, "accept").status_code == 302
    order.refresh_from_db()
    return typed, bowls


def test_what_a_colleague_saved_is_not_added_a_second_time(order, ines, paul):
    typed, _bowls = soap_saved_while_paul_types(order, ines, paul)
    assert (order.total, stock_of("SOAP")) == (Decimal("137.00"), (20, 1))  # 11 × 12.00 + 5.00
    page = send(paul, order, typed, "")  # the next keystroke
    sheet = page.context["sheet"]
    assert (page["HX-Retarget"], "ines saved this edit meanwhile" in page.content.decode()) == ("#edit", True)
    assert ([line.line.sku for line in sheet.line_rows], len(sheet.added_rows), sheet.form.errors) == (["BOWL", "SOAP"], 0, {})
    assert (sheet.is_stale, sheet.total.after) == (False, Decimal("101.00"))  # his 8 × 12.00 + 5.00 are still his to save
    assert send(paul, order, send(paul, order, page), "accept").status_code == 302
    order.refresh_from_db()
    assert (order.total, stock_of("SOAP"), stock_of("BOWL")) == (Decimal("101.00"), (20, 1), (20, 8))


def test_a_save_after_a_colleagues_save_keeps_what_else_was_typed(order, ines, paul):
    typed, bowls = soap_saved_while_paul_types(order, ines, paul)
    page = send(paul, order, typed, "accept", **{bowls: "7"})
    assert (page.status_code, page.context["sheet"].total.after) == (200, Decimal("89.00"))
    assert OrderProposal.objects.get(state="open").author.username == "paul"
    assert page.context["sheet"].button == "Save 1 change"


def test_an_edit_saved_with_two_clicks_is_saved_once(order, ines):
    soap = Variant.objects.get(sku="SOAP").pk
    looked = send(ines, order, ines.get(place(order)), f"article:{soap}")
    looked = send(ines, order, looked, reason="By phone")
    for _click in range(2):
        assert send(ines, order, looked, "accept").status_code == 302
    order.refresh_from_db()
    assert (order.total, order.events.filter(kind=OrderEvent.Kind.EDIT).count()) == (Decimal("137.00"), 1)
    assert not OrderProposal.objects.filter(state="open").exists()


def test_an_item_that_came_meanwhile_is_shown_and_asked_nothing(order, ines, paul):
    bowls = f"line-{order.lines.get().pk}-quantity"
    typed = send(paul, order, paul.get(place(order)), **{bowls: "8"})
    soap = Variant.objects.get(sku="SOAP").pk
    edit = OrderEdit(added=(DraftLine(variant_id=soap, quantity=1),))
    apply(EditWish(order_id=order.pk, edit=edit, actor=ROBOT)).or_raise()
    page = send(paul, order, typed, "")
    sheet = page.context["sheet"]
    assert (page["HX-Retarget"], [row.line.sku for row in sheet.line_rows], sheet.form.errors) == ("#edit", ["BOWL", "SOAP"], {})
    assert b"Somebody changed this order since you began" in page.content
    assert b"nothing of the order has changed" not in page.content
