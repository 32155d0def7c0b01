"""Exchanging on the page that edits an order, without scripts."""

from decimal import Decimal

import pytest

from orders.models import Order, OrderProposal, ReturnCase, Variant
from orders.services.plan import apply
from orders.services.returns import InspectReturnWish, ReceiveReturnWish, ReturnRequestWish
from tests.makers import CLERK, make_clerk, make_order, make_shop, make_variant, set_status, stock_of
from tests.orders.editing_form import form_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    make_shop()
    make_variant("BOWL", on_hand=5, price="15.00")
    client.force_login(make_clerk("orders.view_order", "orders.change_order", "orders.refund_order", username="ines"))
    return client


@pytest.fixture
def order():
    order = make_order("PAID", items={"MUG": 2})
    set_status(order, fulfilment="SHIPPED")
    return order


def place(order):
    return f"/admin/orders/order/{order.pk}/edit/"


def send(client, order, page, do="typed", **typed):
    return client.post(place(order), form_of(page, **typed) | {"do": do})


def back(order, name="quantity"):
    return f"back-{order.lines.get(sku='MUG').pk}-{name}"


def test_an_exchange_is_shown_kept_and_saved(staff, order):
    page = send(staff, order, staff.get(f"{place(order)}?exchange=0"), **{back(order): "1", back(order, "fate"): "lost"})
    page = send(staff, order, page, f"article:{Variant.objects.get(sku='BOWL').pk}")
    sheet = page.context["sheet"]
    assert (sheet.button, sheet.credited.after, sheet.balance.after) == ("Save 2 changes", Decimal(-12), Decimal(3))
    assert OrderProposal.objects.get().body["taken_back"] == [
        {"line_id": order.lines.get(sku="MUG").pk, "quantity": 1, "shelf": 0, "lost": 1}
    ]
    assert send(staff, order, page, "accept").status_code == 302
    order.refresh_from_db()
    assert (order.total, order.balance, stock_of("MUG"), stock_of("BOWL")) == (Decimal(39), Decimal(3), (8, 0), (4, 0))


def test_the_pieces_of_an_inspected_return_are_filled_in(staff, order):
    line = order.lines.get()
    apply(ReturnRequestWish(order_id=order.pk, actor=CLERK, pieces={line.pk: 1})).or_raise()
    case = ReturnCase.objects.get()
    apply(ReceiveReturnWish(order_id=order.pk, actor=CLERK, case_id=case.pk, pieces={line.pk: 1})).or_raise()
    apply(InspectReturnWish(order_id=order.pk, actor=CLERK, case_id=case.pk, pieces={line.pk: (1, 0)})).or_raise()
    page = staff.get(f"{place(order)}?exchange={case.pk}")
    assert (form_of(page)[back(order)], page.context["title"]) == ("1", f"Exchange on #{order.number}")
    page = send(staff, order, page, f"article:{Variant.objects.get(sku='BOWL').pk}")
    send(staff, order, page, "accept")
    case.refresh_from_db()
    assert (case.state, case.ending, Order.objects.get().balance, stock_of("MUG")) == ("closed", "exchange", Decimal(3), (9, 0))
    words = staff.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    assert "Take this edit back" not in words
    assert "€12.00 taken off for an exchange" in words
    assert "€0.00 given back" not in words


def test_the_order_says_what_an_exchange_took_off_and_what_it_is_worth(staff, order):
    page = send(staff, order, staff.get(f"{place(order)}?exchange=0"), **{back(order): "1"})
    send(staff, order, send(staff, order, page, f"article:{Variant.objects.get(sku='BOWL').pk}"), "accept")
    page = staff.get(f"/admin/orders/order/{order.pk}/change/")
    words = " ".join(page.content.decode().split())
    # 24.00 and a bowl at 15.00 were sold, a mug at 12.00 came back.
    assert [str(page.context_data[name]) for name in ("exchanged_off", "given_off", "worth")] == ["12.0000", "0", "27.0000"]
    assert '<dd class="strong">€27.00</dd>' in words
    assert "1 exchanged" in words
    assert "1 refunded" not in words


@pytest.mark.parametrize("count", ["3", "x", "-1"])
def test_more_than_the_customer_has_is_refused_beside_the_field(staff, order, count):
    page = send(staff, order, staff.get(place(order)), "accept", **{back(order): count})
    assert "Enter a whole number from 0 to 2." in page.content.decode()
    assert Order.objects.get().credited_total == 0


def test_what_did_not_leave_yet_is_edited_not_exchanged(staff):
    order = make_order("PAID", items={"MUG": 2})
    assert not staff.get(place(order)).context["sheet"].back_rows


def test_whoever_may_not_refund_sees_no_exchange(client, order):
    make_shop()
    client.force_login(make_clerk("orders.view_order", "orders.change_order"))
    assert b"what comes back" not in client.get(place(order)).content


def test_as_many_pieces_back_as_out_are_said_both(staff, order):
    page = send(staff, order, staff.get(f"{place(order)}?exchange=0"), **{back(order): "1"})
    page = send(staff, order, page, f"article:{Variant.objects.get(sku='BOWL').pk}")
    assert "Back to the stock: 1. Leaving it: 1." in [effect.title for effect in page.context["sheet"].effects]
