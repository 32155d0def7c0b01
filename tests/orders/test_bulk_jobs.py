"""Bulk jobs as workers meet them: results with the change, a stop, a killed worker, a lost lease, an undo."""

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.bulk import working
from orders.bulk.claiming import LEASE, LeaseLost, claim_job
from orders.bulk.jobs import Answer, clean_away, counts_of, due_jobs, go_on, propose, start, stop, undo
from orders.bulk.wishing import wish_of
from orders.bulk.working import change_chunk, work
from orders.errors import CannotUndo
from orders.models import BulkItem, BulkJob, Order, OrderEvent
from orders.services.plan import Actor, plan
from tests.makers import make_clerk, make_order, make_shop, make_variant, set_status, stock_of

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
SHIPPED = {"axis": "fulfilment", "code": "SHIPPED"}


@pytest.fixture(autouse=True)
def clerk():
    make_shop()
    make_variant("MUG", on_hand=50)
    return make_clerk(superuser=True)


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(working, "CHUNK", 2)


def ask(clerk, orders, kind="status", wish=None, **choices):
    """A job as its panel would leave it: every order with the digest that was shown."""
    job = propose(kind, wish or SHIPPED, [order.pk for order in orders], user=clerk)
    if kind == "status":
        digests = plan(wish_of(job, [order.pk for order in orders], Actor.clerk(clerk)), render=False).digests()
        for item in job.items.all():
            BulkItem.objects.filter(pk=item.pk).update(seen=digests.get(item.order_id, ""))
    assert start(job, choices)
    return BulkJob.objects.get(pk=job.pk)


def states(job):
    return list(job.items.order_by("position").values_list("state", flat=True))


def shipped():
    return Order.objects.filter(fulfilment_status__code="SHIPPED").count()


def test_each_order_has_its_line_on_the_receipt(clerk):
    done, already, moved = make_order("PAID"), make_order("PAID", "SHIPPED"), make_order("PAID")
    job = ask(clerk, [done, already, moved])
    set_status(moved, fulfilment="PROCESSING")
    work(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, states(job)) == ("done", 3, ["done", "unchanged", "refused"])
    first, _second, third = job.items.order_by("position")
    assert first.event == OrderEvent.objects.filter(order=done).first()
    assert third.message == "This order changed meanwhile. Nothing was saved; look at it again."


def test_the_button_pressed_twice_is_one_job(clerk):
    job = propose("status", SHIPPED, [make_order("PAID").pk], user=clerk)
    assert [start(job), start(job)] == [True, False]
    work(job.pk)
    assert start(job) is False
    assert OrderEvent.objects.filter(kind="status").count() == 1


def test_all_events_of_a_job_are_one_click(clerk, small_chunks):
    job = ask(clerk, [make_order("PAID") for _ in range(5)])
    work(job.pk)
    assert set(OrderEvent.objects.filter(kind="status").values_list("batch", flat=True)) == {job.public_id}


def test_a_stop_in_the_middle_keeps_the_rest_waiting(clerk, small_chunks, monkeypatch):
    job = ask(clerk, [make_order("PAID") for _ in range(5)])
    change = working.change_chunk
    monkeypatch.setattr(working, "change_chunk", lambda *args: (change(*args), stop(job)))
    work(job.pk)
    job.refresh_from_db()
    assert (job.state, states(job)) == ("stopped", ["done", "done", "waiting", "waiting", "waiting"])
    assert shipped() == 2
    monkeypatch.setattr(working, "change_chunk", change)
    assert go_on(job)
    work(job.pk)
    assert (shipped(), counts_of(job)["done"]) == (5, 5)


def test_a_killed_worker_repeats_and_loses_nothing(clerk, small_chunks, monkeypatch):
    job = ask(clerk, [make_order("PAID", items={"MUG": 2}) for _ in range(5)])
    change, chunks = working.change_chunk, []

    def die_after_the_first(*args):
        change(*args)
        chunks.append(1)
        raise SystemExit

    monkeypatch.setattr(working, "change_chunk", die_after_the_first)
    with pytest.raises(SystemExit):
        work(job.pk)
    monkeypatch.setattr(working, "change_chunk", change)
    assert due_jobs(is_paper=False) == []
    assert due_jobs(is_paper=False, now=timezone.now() + LEASE * 2) == [job.pk]
    BulkJob.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    work(job.pk)
    assert (states(job), shipped(), stock_of("MUG")) == (["done"] * 5, 5, (40, 0))
    assert OrderEvent.objects.filter(kind="status").count() == 5


def test_a_worker_that_lost_its_lease_writes_nothing(clerk):
    orders = [make_order("PAID", items={"MUG": 2}) for _ in range(2)]
    job = ask(clerk, orders)
    slow = claim_job(job.pk)
    quick = claim_job(job.pk, now=timezone.now() + LEASE * 2)
    assert quick is not None
    with pytest.raises(LeaseLost):
        change_chunk(slow, list(job.items.all()), Actor.clerk(clerk))
    assert (states(job), shipped(), stock_of("MUG")) == (["waiting"] * 2, 0, (50, 4))
    with pytest.raises(LeaseLost):
        slow.end("done")


def test_nobody_takes_a_job_that_somebody_works_on(clerk):
    job = ask(clerk, [make_order("PAID")])
    assert claim_job(job.pk) is not None
    assert claim_job(job.pk) is None
    assert work(job.pk) is False
    assert shipped() == 0


def test_a_job_that_gets_nowhere_is_given_up_with_its_reason(clerk):
    job = ask(clerk, [make_order("PAID")])
    for turn in range(6):
        claim_job(job.pk, now=timezone.now() + LEASE * 2 * turn)
    job.refresh_from_db()
    assert (job.state, states(job)) == ("failed", ["refused"])
    assert job.error == "The work was cut off 5 times without getting further. Tell whoever runs the server."


@pytest.mark.parametrize(
    ("column", "reason"), [("is_active", "clerk no longer works here."), ("is_superuser", "clerk may no longer do this.")]
)
def test_somebody_who_lost_their_right_meanwhile_changes_nothing(clerk, column, reason):
    job = ask(clerk, [make_order("PAID")])
    setattr(clerk, column, False)
    clerk.save()
    work(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error, states(job)) == ("failed", reason, ["refused"])
    assert shipped() == 0


def test_the_undo_of_a_job_takes_back_what_can_be(clerk):
    orders = [make_order("PAID", items={"MUG": 2}) for _ in range(3)]
    job = ask(clerk, orders)
    work(job.pk)
    set_status(orders[1], fulfilment="DELIVERED")
    undoing = undo(BulkJob.objects.get(pk=job.pk), user=clerk)
    assert undo(BulkJob.objects.get(pk=job.pk), user=clerk) == undoing
    work(undoing.pk)
    assert states(undoing) == ["done", "refused", "done"]
    assert undoing.items.get(state="refused").message == "The order changed again since; this change can no longer be undone."
    assert (shipped(), stock_of("MUG")) == (0, (48, 4))


def test_the_undo_of_many_costs_the_same_queries_as_of_two(clerk):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for many in (2, 12):
        job = ask(clerk, [make_order("PAID") for _ in range(many)])
        work(job.pk)
        undoing = undo(BulkJob.objects.get(pk=job.pk), user=clerk)
        with CaptureQueriesContext(connection) as queries:
            work(undoing.pk)
        assert states(undoing) == ["done"] * many
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_what_runs_or_changed_nothing_is_not_undone(clerk):
    job = ask(clerk, [make_order("PAID", "SHIPPED")])
    with pytest.raises(CannotUndo, match="still runs"):
        undo(job, user=clerk)
    work(job.pk)
    with pytest.raises(CannotUndo, match="Nothing was changed"):
        undo(BulkJob.objects.get(pk=job.pk), user=clerk)


def test_tags_go_on_and_off_many_orders_in_a_handful_of_queries(clerk):
    tagged, bare = make_order(tags=("Gift",)), make_order()
    job = ask(clerk, [tagged, bare], "tag", {"add": ["Gift", "Fragile"]})
    work(job.pk)
    assert [sorted(order.tags.values_list("name", flat=True)) for order in (tagged, bare)] == [["Fragile", "Gift"]] * 2
    off = ask(clerk, [tagged, bare], "tag", {"remove": ["Fragile"]})
    work(off.pk)
    assert [list(order.tags.values_list("name", flat=True)) for order in (tagged, bare)] == [["Gift"]] * 2
    work(undo(BulkJob.objects.get(pk=off.pk), user=clerk).pk)
    assert set(bare.tags.values_list("name", flat=True)) == {"Fragile", "Gift"}


def test_orders_are_assigned_and_held_together(clerk):
    orders = [make_order(), make_order()]
    work(ask(clerk, orders, "assign", {"assignee": clerk.pk, "name": "clerk"}).pk)
    work(ask(clerk, orders, "hold", {"held": True, "reason": "Fraud check"}).pk)
    assert list(Order.objects.values_list("assignee", "is_held", "hold_reason")) == [(clerk.pk, True, "Fraud check")] * 2
    work(ask(clerk, orders, "hold", {"held": False}).pk)
    assert list(Order.objects.values_list("is_held", "hold_reason")) == [(False, "")] * 2


def test_an_unticked_group_of_mails_stays_unsent(clerk):
    from notifications.models import OutgoingEmail

    orders = [make_order("PAID"), make_order("PAID")]
    OutgoingEmail.objects.all().delete()
    work(ask(clerk, orders, off=["SendMail:mail:"]).pk)
    assert (shipped(), OutgoingEmail.objects.count()) == (2, 0)


def test_an_order_known_to_be_left_out_stays_left_out(clerk):
    order = make_order("PAID")
    job = propose("status", SHIPPED, [order.pk], user=clerk, answers={order.pk: Answer(refusal="No stock.")})
    start(job)
    work(job.pk)
    assert (states(job), shipped(), job.items.get().message) == (["refused"], 0, "No stock.")


def test_panels_that_nobody_confirmed_go_after_a_day(clerk):
    old, young = (propose("status", SHIPPED, [make_order("PAID").pk], user=clerk) for _ in range(2))
    BulkJob.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=2))
    clean_away()
    assert list(BulkJob.objects.all()) == [young]


def test_a_bulk_action_is_one_bar_with_one_undo(clerk, client, small_chunks):
    job = ask(clerk, [make_order("PAID") for _ in range(5)])
    work(job.pk)
    client.force_login(clerk)
    (bar,) = client.get("/admin/all-data/").context["undo_bars"]
    assert (bar.number, bar.text, bar.waits) == ("5 orders", "now Shipped", "5 e-mails wait")
    assert bar.undo_url == f"/admin/orders/order/bulk/{job.public_id}/undo/"
    client.post(bar.send_url)
    work(BulkJob.objects.get(public_id=client.post(bar.undo_url)["Location"].split("/")[-2]).pk)
    undoing = BulkJob.objects.get(kind="undo")
    assert set(undoing.items.values_list("message", flat=True)) == {"The customer's mail about this change has left already."}
    assert client.get("/admin/all-data/").context["undo_bars"] == []


def test_reasons_are_written_in_the_language_of_who_asked(clerk):
    from django.utils.translation import override

    with override("fr"):
        job = ask(clerk, [make_order("PAID")])
    set_status(Order.objects.get(), fulfilment="PROCESSING")
    work(job.pk)
    assert job.items.get().message.startswith("Cette commande a changé entre-temps.")
