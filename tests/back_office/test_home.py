"""Home: its figures and what it says has to be settled."""

from datetime import timedelta
from decimal import Decimal
from itertools import count

import pytest
from django.urls import reverse
from django.utils import timezone

from ecwid_orders.attention import matters
from ecwid_orders.home import last_actions, sales_of, work_of
from orders.bulk.jobs import propose, start
from orders.bulk.working import work
from orders.models import BulkJob, Order, OrderEvent, Shop, Status
from tests.makers import make_clerk, make_order, make_shop, make_variant, set_status

pytestmark = pytest.mark.django_db
_clerks = count(1)


@pytest.fixture(autouse=True)
def shop():
    return make_shop()


def to_settle(rf, *rights):
    request = rf.get("/")
    request.user = make_clerk(*rights, username=f"clerk{next(_clerks)}", superuser=not rights)
    return [matter.title for matter in matters(request, Status.objects.all())]


def placed(order, **ago):
    Order.objects.filter(pk=order.pk).update(placed_at=timezone.now() - timedelta(**ago))


def test_sales_of_today_leave_cancelled_orders_out():
    make_order("PAID", items={"MUG": 2})
    make_order("AWAITING_PAYMENT", items={"MUG": 1})
    set_status(make_order("PAID", items={"MUG": 1}), payment="CANCELLED")
    sales = sales_of(Shop.current())
    assert (sales.of_today, sales.paid_today, sales.unpaid_today) == (Decimal(36), Decimal(24), Decimal(12))
    assert (sales.orders_today, sales.paid_orders_today) == (2, 1)


def test_the_chart_shows_fourteen_days_and_today_last():
    make_order("PAID", items={"MUG": 1})
    placed(make_order("PAID", items={"MUG": 2}), days=7)
    bars = sales_of(Shop.current()).bars
    assert [bar.sales for bar in bars] == [Decimal(0)] * 6 + [Decimal(24)] + [Decimal(0)] * 6 + [Decimal(12)]
    assert (bars[6].height, bars[13].height, bars[13].is_today) == ("60.0", "30.0", True)


def test_today_is_compared_with_the_same_weekday():
    make_order("PAID", items={"MUG": 1})
    assert sales_of(Shop.current()).versus_week_ago is None
    placed(make_order("PAID", items={"MUG": 2}), days=7)
    assert sales_of(Shop.current()).versus_week_ago == Decimal(-50)


def test_the_mean_order_answers_for_itself(client):
    make_order("PAID", items={"MUG": 1})
    placed(make_order("PAID", items={"MUG": 4}), days=20)
    sales = sales_of(Shop.current())
    assert (sales.of_month, sales.orders_of_month, sales.basket) == (Decimal(60), 2, Decimal("30.00"))
    client.force_login(make_clerk(superuser=True))
    page = client.get("/admin/").content.decode()
    assert 'mean order, 30 days: <button class="why" type="button" popovertarget="why-basket">€30.00' in page
    assert '<th scope="row">Orders, last 30 days</th><td>÷ 2</td>' in page


def test_work_counts_each_open_order_where_it_stands():
    make_order("PAID", items={"MUG": 1})
    make_order("PAID", "PROCESSING", items={"MUG": 1})
    make_order("AWAITING_PAYMENT", items={"MUG": 1})
    make_order("PAID", "DELIVERED", items={"MUG": 1})
    work = work_of(Status.objects.all())
    assert (work.to_process, work.to_ship, work.late, work.unpaid) == (2, 2, 0, 1)
    assert {step.status.code: step.orders for step in work.steps} == {"AWAITING_PROCESSING": 2, "PROCESSING": 1, "AWAITING_PAYMENT": 1}


def test_a_paid_order_that_stays_is_to_settle(rf):
    order = make_order("PAID", items={"MUG": 1})
    assert to_settle(rf) == []
    placed(order, days=4)
    assert to_settle(rf, "orders.view_order") == ["1 paid order is not shipped after 3 days"]


def test_money_to_give_back_and_money_to_come_are_to_settle(rf):
    placed(make_order("AWAITING_PAYMENT", items={"MUG": 1}), days=8)
    set_status(make_order("PAID", items={"MUG": 1}), payment="CANCELLED")
    assert to_settle(rf) == ["1 refund is due", "1 payment is awaited for 7 days or more"]


def test_low_stock_is_a_reminder_until_it_is_below_zero(rf):
    cup = make_variant("CUP", on_hand=2, low_stock_limit=5, allows_oversell=True)
    assert to_settle(rf, "orders.view_variant") == ["1 article is running low"]
    make_order("PAID", items={cup.sku: 3})
    assert to_settle(rf) == ["1 article is sold below zero"]


def test_a_clerk_without_rights_is_asked_nothing(rf, client):
    placed(make_order("PAID", items={"MUG": 1}), days=4)
    clerk = make_clerk()
    request = rf.get("/")
    request.user = clerk
    assert matters(request, Status.objects.all()) == []
    client.force_login(clerk)
    page = client.get(reverse("admin:index"))
    assert page.context["home"] is None
    assert "Sales today" not in page.content.decode()


def test_home_costs_the_same_whatever_the_shop_holds(client, django_assert_max_num_queries):
    for _number in range(3):
        placed(make_order("PAID", items={"MUG": 1}), days=5)
    client.force_login(make_clerk(superuser=True))
    with django_assert_max_num_queries(21):
        page = client.get(reverse("admin:index")).content.decode()
    assert "3 paid orders are not shipped after 3 days" in page
    assert 'role="img"' in page


def test_orders_to_follow_up_come_up_for_who_has_them_and_for_all_where_nobody_does(rf):
    today, request = timezone.localdate(), rf.get("/")
    request.user, other = make_clerk(username="ines", superuser=True), make_clerk(username="paul", superuser=True)
    mine, free, theirs, later = (make_order("PAID") for _number in range(4))
    Order.objects.filter(pk=mine.pk).update(follow_up_on=today, assignee=request.user)
    Order.objects.filter(pk=free.pk).update(follow_up_on=today)
    Order.objects.filter(pk=theirs.pk).update(follow_up_on=today, assignee=other)
    Order.objects.filter(pk=later.pk).update(follow_up_on=today + timedelta(days=1))
    (matter,) = matters(request, Status.objects.all())
    assert matter.title == "2 orders to follow up"
    assert [(reason.label, reason.why) for reason in matter.reasons] == [
        (f"#{mine.number}", "due today, in your hands"),
        (f"#{free.number}", "due today, in nobody’s hands"),
    ]


def test_who_may_see_no_money_sees_the_work_instead_of_the_sales(client):
    make_order("PAID", items={"MUG": 1})
    placed(make_order("AWAITING_PAYMENT", items={"MUG": 1}), days=20)
    client.force_login(make_clerk("orders.view_order", "orders.ship_order"))
    page = client.get(reverse("admin:index"))
    assert (page.context["home"].sales, page.context["home"].work.to_ship) == (None, 1)
    assert "Sales today" not in page.content.decode()
    assert "payment is awaited" not in page.content.decode()
    assert "€" not in page.content.decode()
    assert "Ready for pickup" in page.content.decode()


def test_a_bulk_action_is_one_line_with_its_receipt_and_what_came_before_stays(client):
    owner = make_clerk(username="owner", superuser=True)
    job = propose("tag", {"add": ["gift"]}, [make_order("PAID").pk for _number in range(9)], user=owner)
    start(job, {})
    work(job.pk)
    assert OrderEvent.objects.filter(batch=job.public_id).count() == 9

    client.force_login(owner)
    first, second = client.get(reverse("admin:index")).context["home"].actions[:2]

    assert first.title == "Add the tag gift for 9 orders"
    assert first.receipt == reverse("admin:orders_order_bulk_job", args=[job.public_id])
    assert (second.title, second.event.kind) == ("", "placed")
    client.force_login(make_clerk("orders.view_order", username="paul"))
    page = client.get(reverse("admin:index"))
    assert page.context["home"].actions[0].receipt == ""
    assert "Add the tag gift for 9 orders" in page.content.decode()


def test_a_bulk_action_of_hundreds_hides_nothing_that_happened_before():
    numbers = [make_order("PAID").number for _number in range(3)]
    owner = make_clerk(superuser=True)
    job = BulkJob.objects.create(kind="tag", wish={"add": ["gift"]}, actor=owner, created_at=timezone.now(), total=250, state="done")
    event = {"kind": "details", "source": "web", "at": timezone.now(), "batch": job.public_id, "order": Order.objects.first()}
    OrderEvent.objects.bulk_create(OrderEvent(**event) for _number in range(250))
    actions = last_actions(Status.objects.all(), owner)
    assert [action.title for action in actions] == ["Add the tag gift for 250 orders", "", "", ""]
    assert [action.event.order.number for action in actions[1:]] == numbers[::-1]
