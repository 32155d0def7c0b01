"""Changing many orders from the list: counted first, queued by the button, with a receipt per order."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from orders.admin import bulk
from orders.bulk.working import work
from orders.models import BulkJob, Order, OrderEvent, Tag
from tests.makers import make_clerk, make_order, make_shop, make_variant, set_status, stock_of

pytestmark = pytest.mark.django_db
BULK = reverse("admin:orders_order_bulk")
LIST = reverse("admin:orders_order_changelist")


@pytest.fixture
def staff(client):
    make_shop()
    client.force_login(make_clerk(superuser=True))
    return client


def form_of(response) -> dict[str, list[str]]:
    """What a browser would send of the panel."""
    page, data = response.content.decode(), {}
    form = page[page.index('id="panel-form"') : page.index("</form>", page.index('id="panel-form"'))]
    for tag in re.findall(r"<input[^>]*>", form):
        if re.search('type="(checkbox|radio)"', tag) and " checked" not in tag:
            continue
        value = re.search(r'value="([^"]*)"', tag)
        name = re.search(r'name="([^"]*)"', tag).group(1)
        data.setdefault(name, []).append(value.group(1) if value else "on")
    return data


def opened(client, orders, **asked):
    return client.get(BULK, {"ids": [order.pk for order in orders]} | asked)


def press(client, shown, **typed):
    """The panel's button: back comes the job with what it did."""
    response = client.post(shown.context["action"], form_of(shown) | typed)
    assert response.status_code == 302, response.content.decode()[:2000]
    job = BulkJob.objects.get(public_id=response["Location"].rstrip("/").rsplit("/", 1)[1])
    work(job.pk)
    job.refresh_from_db()
    return job


def ticked(client, shown, *groups):
    """The panel after groups with something against them were ticked, and no other."""
    return client.post(shown.context["action"], form_of(shown) | {"also": groups, "preview": "1"})


def test_many_orders_ship_together_as_announced(staff):
    make_variant("MUG", on_hand=10)
    orders = [make_order("PAID", items={"MUG": 2}) for _ in range(3)]
    shown = opened(staff, orders, fulfilment="SHIPPED")
    (row,) = shown.context["stock"]
    assert (row.on_hand, row.committed) == ((10, 4), (6, 0))
    assert [group.title for group in shown.context["groups"] if group.icon == "mail"] == ["3 e-mails"]
    assert stock_of("MUG") == (10, 6)
    assert press(staff, shown).state == "done"
    assert stock_of("MUG") == (4, 0)
    assert Order.objects.filter(fulfilment_status__code="SHIPPED").count() == 3


def test_the_first_mail_can_be_read_before_the_click(staff):
    order = make_order("PAID")
    shown = opened(staff, [order, make_order("PAID")], fulfilment="SHIPPED")
    mail = next(group for group in shown.context["groups"] if group.icon == "mail")
    assert order.number in staff.get(mail.example_url).content.decode()


def test_nothing_changes_before_the_worker_comes(staff):
    shown = opened(staff, [make_order("PAID")], fulfilment="SHIPPED")
    response = staff.post(shown.context["action"], form_of(shown))
    assert BulkJob.objects.get().state == "queued"
    page = staff.get(response["Location"]).content.decode()
    assert "Fulfilment → Shipped for 1 order" in page
    assert 'hx-trigger="every 1s"' in page
    assert Order.objects.filter(fulfilment_status__code="SHIPPED").count() == 0


def test_an_order_that_moved_meanwhile_is_left_out_with_its_reason(staff):
    first, second = make_order("PAID"), make_order("PAID")
    shown = opened(staff, [first, second], fulfilment="SHIPPED")
    set_status(first, fulfilment="PROCESSING")
    job = press(staff, shown)
    page = staff.get(reverse("admin:orders_order_bulk_job", args=[job.public_id])).content.decode()
    assert "1 × This order changed meanwhile. Nothing was saved; look at it again." in page
    assert set(Order.objects.values_list("fulfilment_status__code", flat=True)) == {"PROCESSING", "SHIPPED"}


def test_the_panel_names_orders_that_cannot_have_it(staff):
    make_variant("MUG", on_hand=3)
    reopened = make_order("CANCELLED", items={"MUG": 3})
    make_order("PAID", items={"MUG": 2})
    unpaid = make_order("AWAITING_PAYMENT", items={"MUG": 1})
    shown = ticked(staff, opened(staff, [reopened, unpaid], payment="PAID"), "released")
    assert shown.context["left_out"] == [(reopened.pk, reopened.number, "MUG is out of stock: 3 asked, 0 available.")]
    assert shown.context["money"] == ["1 payment, €12.00"]
    job = press(staff, shown)
    assert list(job.items.values_list("state", flat=True)) == ["refused", "done"]


def test_the_record_of_money_can_be_unticked(staff):
    order = make_order("AWAITING_PAYMENT")
    shown = opened(staff, [order], payment="PAID")
    press(staff, shown, record=[])
    order.refresh_from_db()
    assert (order.payment_status.code, order.paid_total) == ("PAID", 0)


def test_the_same_button_twice_changes_once(staff):
    order = make_order("PAID")
    shown = opened(staff, [order], fulfilment="SHIPPED")
    press(staff, shown)
    press(staff, shown)
    assert (BulkJob.objects.count(), OrderEvent.objects.filter(order=order, kind="status").count()) == (1, 1)


def test_a_whole_result_is_chosen_over_all_its_pages(staff):
    make_variant("MUG", on_hand=200)
    for _ in range(120):
        make_order("PAID")
    make_order("AWAITING_PAYMENT")
    query = {"all": "1", "ids": [Order.objects.first().pk], "result": "view=to-ship&payment=PAID&after=x", "fulfilment": "SHIPPED"}
    shown = staff.get(BULK, query)
    assert shown.context["count"] == 120
    press(staff, shown)
    assert Order.objects.filter(fulfilment_status__code="SHIPPED").count() == 120


def test_the_panel_costs_the_same_for_two_orders_and_for_twenty(staff):
    make_variant("MUG", on_hand=100)
    orders = [make_order("PAID") for _ in range(20)]
    opened(staff, orders, fulfilment="SHIPPED")
    counts = []
    for some in (orders[:2], orders):
        with CaptureQueriesContext(connection) as queries:
            opened(staff, some, fulfilment="SHIPPED")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_more_than_the_limit_is_told_with_what_to_do(staff, monkeypatch):
    monkeypatch.setitem(bulk.MOST, "status", 2)
    shown = opened(staff, [make_order("PAID") for _ in range(3)], fulfilment="SHIPPED")
    assert "More than 2 orders are chosen; at most 2 go at once." in shown.content.decode()
    assert BulkJob.objects.count() == 0


@pytest.mark.parametrize("query", [{"fulfilment": "SHIPPED"}, {"action": "tag"}, {"action": "export", "all": "1"}])
def test_nothing_ticked_goes_back_to_the_list(staff, query):
    response = staff.get(BULK, query)
    assert (response.status_code, response["Location"]) == (302, LIST)


@pytest.mark.parametrize("query", [{}, {"action": "burn"}, {"fulfilment": "NONE"}])
def test_what_no_button_asks_goes_back_to_the_list(staff, query):
    response = opened(staff, [make_order()], **query)
    assert (response.status_code, response["Location"]) == (302, LIST)


@pytest.mark.parametrize(
    "asked",
    [
        {"fulfilment": "SHIPPED"},
        {"payment": "PAID"},
        *({"action": name} for name in ("tag", "untag", "assign", "hold", "print-slips", "export")),
    ],
)
def test_without_its_right_an_action_is_refused(client, asked):
    make_shop()
    client.force_login(make_clerk("orders.view_order"))
    order = make_order("PAID")
    assert opened(client, [order], **asked).status_code == 403
    assert BulkJob.objects.count() == 0


def test_who_packs_parcels_sees_no_payment_button(client):
    make_shop()
    client.force_login(make_clerk("orders.view_order", "orders.change_order_status"))
    order = make_order("PAID")
    page = client.get(LIST).content.decode()
    shown = [name in page for name in ('id="bulk-fulfilment"', 'id="bulk-payment"', 'value="export"', 'value="tag"', 'id="bulk-print"')]
    assert shown == [True, False, False, False, False]
    assert [opened(client, [order], **{axis: code}).status_code for axis, code in (("fulfilment", "SHIPPED"), ("payment", "PAID"))] == [
        200,
        403,
    ]


def test_a_right_lost_between_panel_and_button_is_refused(client):
    make_shop()
    clerk = make_clerk("orders.view_order", "orders.change_order")
    client.force_login(clerk)
    shown = opened(client, [make_order()], action="hold")
    clerk.user_permissions.remove(clerk.user_permissions.get(codename="change_order"))
    assert client.post(shown.context["action"], {"reason": "Fraud check"}).status_code == 403
    assert BulkJob.objects.get().state == "proposed"


def test_somebody_elses_bulk_action_is_seen_with_its_right_only(staff, client):
    job = press(staff, opened(staff, [make_order("PAID")], fulfilment="SHIPPED"))
    client.force_login(make_clerk("orders.view_order", username="paul"))
    address = reverse("admin:orders_order_bulk_job", args=[job.public_id])
    assert client.get(address).status_code == 404
    client.force_login(make_clerk("orders.view_order", "orders.view_bulkjob", username="zoe"))
    assert client.get(address).status_code == 200


def test_tags_are_counted_before_they_are_added(staff):
    tagged, bare = make_order(tags=("Gift",)), make_order()
    shown = opened(staff, [tagged, bare], action="tag")
    counted = staff.post(shown.context["action"], {"add": "Gift", "preview": "1"})
    assert (counted.context["panel_view"].counted["changed"], counted.context["panel_view"].counted["unchanged"]) == (1, 1)
    job = press(staff, counted)
    assert (job.wish, list(bare.tags.values_list("name", flat=True))) == ({"add": ["Gift"]}, ["Gift"])
    assert list(job.items.values_list("state", flat=True)) == ["unchanged", "done"]


def test_a_tag_that_is_missing_or_too_long_keeps_what_was_typed(staff):
    shown = opened(staff, [make_order()], action="tag")
    empty = staff.post(shown.context["action"], {"add": " , "})
    long = staff.post(shown.context["action"], {"add": "x" * 61})
    assert (empty.status_code, long.status_code) == (422, 422)
    assert "Choose or write at least one tag." in empty.content.decode()
    assert "is longer than 60 characters." in long.content.decode()
    assert "x" * 61 in long.content.decode()
    assert Tag.objects.count() == 0


def test_only_tags_of_these_orders_are_offered_for_removal(staff):
    tagged = make_order(tags=("Gift", "Fragile"))
    make_order(tags=("Other",))
    shown = opened(staff, [tagged], action="untag")
    assert [name for name, _label in shown.context["form"].fields["remove"].choices] == ["Fragile", "Gift"]
    press(staff, shown, remove="Gift")
    assert list(tagged.tags.values_list("name", flat=True)) == ["Fragile"]


def test_orders_are_assigned_and_held_and_let_go(staff):
    orders, paul = [make_order(), make_order()], make_clerk("orders.view_order", username="paul")
    press(staff, opened(staff, orders, action="assign"), assignee=str(paul.pk))
    held = opened(staff, orders, action="hold")
    assert "Say why the orders are put on hold." in staff.post(held.context["action"], {"reason": " "}).content.decode()
    press(staff, held, reason="Fraud check")
    assert set(Order.objects.values_list("assignee", "is_held", "hold_reason")) == {(paul.pk, True, "Fraud check")}
    released = opened(staff, orders, action="unhold")
    assert released.context["panel_view"].counted["changed"] == 2
    press(staff, released)
    press(staff, opened(staff, orders, action="assign"), assignee="")
    assert set(Order.objects.values_list("assignee", "is_held")) == {(None, False)}


def test_the_receipt_offers_an_undo_with_what_it_takes_back(staff):
    kept, moved = make_order("PAID"), make_order("PAID")
    job = press(staff, opened(staff, [kept, moved], fulfilment="SHIPPED"))
    set_status(moved, fulfilment="DELIVERED")
    address = reverse("admin:orders_order_bulk_undo", args=[job.public_id])
    offer = staff.get(address).content.decode()
    assert "Undo it for 1 order" in offer
    assert "1 × The order changed again since; this change can no longer be undone." in offer
    response = staff.post(address)
    assert staff.post(address)["Location"] == response["Location"]
    work(BulkJob.objects.get(kind="undo").pk)
    assert "Undo: Fulfilment → Shipped for 2 orders" in staff.get(response["Location"]).content.decode()
    assert list(Order.objects.order_by("pk").values_list("fulfilment_status__code", flat=True)) == ["AWAITING_PROCESSING", "DELIVERED"]


def test_a_stopped_action_says_what_waits_and_goes_on(staff):
    shown = opened(staff, [make_order("PAID")], fulfilment="SHIPPED")
    staff.post(shown.context["action"], form_of(shown))
    job = BulkJob.objects.get()
    address = reverse("admin:orders_order_bulk_stop", args=[job.public_id])
    assert staff.get(address).status_code == 405
    page = staff.post(address, follow=True).content.decode()
    assert "Stopped after 0 of 1. What is done stays done." in page
    assert "1 order still waits." in page
    staff.post(reverse("admin:orders_order_bulk_go_on", args=[job.public_id]))
    work(job.pk)
    assert Order.objects.get().fulfilment_status.code == "SHIPPED"


def test_the_receipt_costs_the_same_for_few_and_many_and_turns_pages(staff):
    make_variant("MUG", on_hand=100)
    counts = []
    for many in (3, 60):
        job = press(staff, opened(staff, [make_order("PAID") for _ in range(many)], fulfilment="SHIPPED"))
        address = reverse("admin:orders_order_bulk_job", args=[job.public_id])
        with CaptureQueriesContext(connection) as queries:
            page = staff.get(address)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 24
    assert len(staff.get(address + page.context["more_url"]).context["items"]) == 10


def test_the_left_out_orders_are_found_in_the_list_and_in_the_table(staff):
    moved, fine = make_order("PAID"), make_order("PAID")
    shown = opened(staff, [moved, fine], fulfilment="SHIPPED")
    set_status(moved, fulfilment="PROCESSING")
    job = press(staff, shown)
    receipt = staff.get(reverse("admin:orders_order_bulk_job", args=[job.public_id]) + "?show=refused")
    assert [item.order_id for item in receipt.context["items"]] == [moved.pk]
    assert [order.pk for order in staff.get(receipt.context["left_out_url"]).context["page"].orders] == [moved.pk]
    table = b"".join(staff.get(receipt.context["results_url"]).streaming_content).decode("utf-8-sig").splitlines()
    assert table[0] == "Order,Customer,Result,Reason"
    assert table[2] == f"{fine.number},Léa Martin,changed,"


def test_the_list_of_bulk_actions_shows_ones_own(staff):
    job = press(staff, opened(staff, [make_order("PAID")], fulfilment="SHIPPED"))
    opened(staff, [make_order("PAID")], fulfilment="SHIPPED")
    shown = staff.get(reverse("admin:orders_order_bulk_jobs"))
    assert [(line.job, line.title) for line in shown.context["jobs"]] == [(job, "Fulfilment → Shipped for 1 order")]


def test_a_running_receipt_asks_again_and_reads_itself_anew_at_the_end(staff):
    shown = opened(staff, [make_order("PAID")], fulfilment="SHIPPED")
    staff.post(shown.context["action"], form_of(shown))
    job = BulkJob.objects.get()
    address = reverse("admin:orders_order_bulk_progress", args=[job.public_id])
    assert "It begins in a moment." in staff.get(address, headers={"HX-Request": "true"}).content.decode()
    work(job.pk)
    assert staff.get(address, headers={"HX-Request": "true"})["HX-Refresh"] == "true"


def test_an_old_panel_says_that_nothing_was_asked(staff):
    shown = opened(staff, [make_order("PAID")], fulfilment="SHIPPED")
    BulkJob.objects.update(created_at=timezone.now())
    job = BulkJob.objects.get()
    page = staff.get(reverse("admin:orders_order_bulk_job", args=[job.public_id]), follow=True).content.decode()
    assert "Nothing was asked yet. Choose the orders again." in page
    assert shown.context["job"] == job


def test_all_of_a_result_with_a_wrong_filter_is_refused_with_the_reason(client):
    make_shop()
    make_order()
    client.force_login(make_clerk(superuser=True))
    data = {"all": "1", "result": "placed_from=2026-13-45", "action": "tag"}

    response = client.get(reverse("admin:orders_order_bulk"), data, follow=True)

    assert "a filter of the list makes no sense: Placed from: 2026-13-45 is no date. Correct it" in response.content.decode()
    assert BulkJob.objects.count() == 0
