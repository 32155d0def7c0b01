"""Manual orders: several surcharges and tips, a part paid now, a time slot; and the same in exports."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.utils import timezone

from orders.drafts import DraftSurcharge, OrderDraft
from orders.errors import InvalidWish
from orders.exporting import columns_of, rows_of_orders
from orders.integrity import find_problems
from orders.models import Draft, Order, PaymentMethod, Shop
from tests.makers import make_clerk, make_order, make_shop, make_variant
from tests.orders.test_manual_order import fields_of, filled, page, send

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture(autouse=True)
def shop():
    make_variant("MUG", price="12.00")
    return make_shop()


@pytest.fixture
def clerk(client):
    user = make_clerk("orders.add_order", "orders.view_order", "orders.view_draft", "orders.view_customer")
    client.force_login(user)
    return user


def rows(*rows):
    found = {"surcharge-count": str(len(rows))}
    for index, (label, amount, kind) in enumerate(rows):
        found |= {f"surcharge-{index}-label": label, f"surcharge-{index}-amount": amount, f"surcharge-{index}-kind": kind}
    return found


def placed(client, **typed):
    data = fields_of(send(client, filled(client), **typed))
    send(client, data, do="place")
    return Order.objects.with_statuses().get()


def test_an_order_has_several_surcharges_and_tips(client, clerk):
    wanted = rows(("Wrap", "2.50", "surcharge"), ("Express", "4", "surcharge"), ("", "1", "tip"), ("For Zoé", "2", "tip"), ("", "", "tip"))
    order = placed(client, **wanted)
    assert [(row.label, row.amount, row.kind) for row in order.surcharges.order_by("pk")] == [
        ("Wrap", D("2.50"), "surcharge"),
        ("Express", D("4"), "surcharge"),
        ("", D("1"), "tip"),
        ("For Zoé", D("2"), "tip"),
    ]
    # 12.00 + 6.50 + 3.00; VAT is a sixth of 18.50, the tips lie outside of it.
    assert (order.total, order.surcharges_total, order.tips_total, order.tax) == (D("21.50"), D("6.50"), D("3.00"), D("3.08"))


def test_a_button_adds_a_row_and_another_takes_one_away(client, clerk):
    data = fields_of(send(client, filled(client), do="row:surcharge", **rows(("Wrap", "2", "surcharge"))))
    assert data["surcharge-count"] == "2"
    data = fields_of(send(client, data, do="surcharge:0", **{"surcharge-1-amount": "3", "surcharge-1-label": "Express"}))
    assert OrderDraft.from_json(Draft.objects.get().body).surcharges == (DraftSurcharge("Express", D(3)),)


def test_a_wrong_amount_of_a_surcharge_is_said_beside_it(client, clerk):
    response = send(client, filled(client), do="place", **rows(("Wrap", "much", "surcharge")))
    assert "surcharge-0-amount" in response.context["form"].errors
    assert not Order.objects.exists()


def test_a_part_paid_now_leaves_the_rest_to_pay(client, clerk):
    PaymentMethod.objects.create(name="Cash")
    order = placed(client, paid_now="on", paid_amount="5,00", payment_method="Cash", payment_reference="Till 7")
    payment = order.payments.get()
    assert (payment.amount, payment.method, payment.reference) == (D("5.00"), "Cash", "Till 7")
    assert (order.payment_status.code, order.paid_total, order.balance_due) == ("AWAITING_PAYMENT", D("5.00"), D("7.00"))
    assert list(find_problems()) == []


def test_the_whole_paid_now_is_paid(client, clerk):
    order = placed(client, paid_now="on", paid_amount="12.00")
    assert (order.payment_status.code, order.paid_total, order.balance) == ("PAID", D("12.00"), 0)


def test_nothing_is_no_payment(client, clerk):
    response = send(client, filled(client), do="place", paid_now="on", paid_amount="0")
    assert response.context["form"].errors["paid_amount"] == ["Enter an amount above zero."]


def test_a_pickup_has_a_beginning_and_an_end(client, clerk):
    order = placed(client, pickup_at="2030-05-02T10:00", pickup_until="2030-05-02T12:00", delivery_on="2030-05-02")
    assert [timezone.localtime(moment).hour for moment in (order.pickup_at, order.pickup_until)] == [10, 12]
    assert order.delivery_on == date(2030, 5, 2)


def test_a_pickup_that_ends_before_it_begins_is_refused(client, clerk):
    response = send(client, filled(client), do="place", pickup_at="2030-05-02T10:00", pickup_until="2030-05-02T09:00")
    assert response.context["form"].errors["pickup_until"] == ["The pickup ends before it begins."]
    with pytest.raises(InvalidWish, match="from when"):
        make_order(pickup_until=datetime(2030, 5, 2, 9, tzinfo=UTC))


def test_a_draft_keeps_all_of_it():
    draft = OrderDraft(
        paid_amount=D("5.00"), pickup_at=datetime(2030, 5, 2, 9, tzinfo=UTC), pickup_until=datetime(2030, 5, 2, 10, tzinfo=UTC)
    )
    assert OrderDraft.from_json(draft.as_json()) == draft


def test_the_form_of_a_stored_draft_shows_what_was_typed(client, clerk):
    send(client, filled(client), paid_now="on", paid_amount="5", pickup_until="2030-05-02T12:00", **rows(("Wrap", "2", "surcharge")))
    data = fields_of(page(client, draft=str(Draft.objects.get().public_id)))
    assert (data["paid_amount"], data["pickup_until"], data["surcharge-0-amount"], data["surcharge-count"]) == (
        "5.00",
        "2030-05-02T12:00",
        "2.00",
        "2",
    )


def test_an_export_tells_slot_and_day():
    moment = datetime(2030, 5, 2, 8, tzinfo=UTC)
    order = make_order(delivery_on=date(2030, 5, 2), pickup_at=moment, pickup_until=moment.replace(hour=10))
    (row,) = rows_of_orders([order.pk], "orders", Shop.current())
    found = {str(column.title): column.value(row) for column in columns_of("orders", personal=False)}
    assert found["Wanted delivery date"] == date(2030, 5, 2)
    assert (found["Pickup from"], found["Pickup until"]) == (datetime(2030, 5, 2, 10), datetime(2030, 5, 2, 12))
