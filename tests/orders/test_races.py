"""Two people at the same moment, on real threads and PostgreSQL; each race has a control that fails without its lock."""

import random
import time
from collections import Counter
from decimal import Decimal
from types import SimpleNamespace
from unittest import mock

import pytest
from django.db import OperationalError

from orders.errors import NotEnoughStock, OrderError, StaleOrder
from orders.integrity import find_problems
from orders.models import Draft, Order, OrderEvent, Variant
from orders.services import world
from orders.services.intake import draw_number, place_draft, place_order
from orders.services.payments import RefundWish
from orders.services.plan import apply, plan
from orders.services.status import StatusWish
from tests.makers import ROBOT, make_draft, make_order, make_variant
from tests.racing import run_together, without_locks

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.postgres]


def buy_last_mug(drafts):
    return run_together(*(lambda draft=draft: place_order(draft, actor=ROBOT) for draft in drafts))


def test_fifty_buyers_of_the_last_item_make_one_order():
    make_variant("MUG", on_hand=1)
    drafts = [make_draft({"MUG": 1}) for _ in range(50)]
    results = [result for start in range(0, 50, 10) for result in buy_last_mug(drafts[start : start + 10])]
    assert Counter(type(result) for result in results) == {Order: 1, NotEnoughStock: 49}, results
    assert (Variant.objects.get().committed, list(find_problems())) == (1, [])


def test_without_the_lock_the_last_item_is_sold_twice():
    sold = 0
    for round_ in range(15):
        make_variant(f"MUG{round_}", on_hand=1)
        with without_locks():
            results = buy_last_mug([make_draft({f"MUG{round_}": 1}) for _ in range(8)])
        sold = max(sold, sum(isinstance(result, Order) for result in results))
        if sold > 1:
            break
    assert sold > 1


def test_opposite_item_orders_never_deadlock():
    make_variant("A", on_hand=500)
    make_variant("B", on_hand=500)
    drafts = [make_draft({"A": 1, "B": 1}) if i % 2 else make_draft({"B": 1, "A": 1}) for i in range(40)]
    results = [
        result
        for start in range(0, 40, 8)
        for result in run_together(*(lambda d=d: place_order(d, actor=ROBOT) for d in drafts[start : start + 8]))
    ]
    assert all(isinstance(result, Order) for result in results)
    assert [v.committed for v in Variant.objects.order_by("sku")] == [40, 40]


def lock_as_asked(world, wanted, *, lock):
    """The control: variants locked one by one, in any order, instead of by id in one statement."""
    ids = list(wanted)
    random.shuffle(ids)
    for pk in ids:
        variants = Variant.objects.select_related("product__tax_class")
        world.variants[pk] = (variants.select_for_update(of=("self",)) if lock else variants).get(pk=pk)
        time.sleep(0.02)


def test_without_one_order_of_locks_opposite_orders_deadlock():
    make_variant("A", on_hand=500)
    make_variant("B", on_hand=500)
    refused = []
    for _round in range(10):
        drafts = [make_draft({"A": 1, "B": 1}) for _ in range(8)]
        with mock.patch.object(world, "_load_variants", lock_as_asked):
            results = run_together(*(lambda d=d: place_order(d, actor=ROBOT) for d in drafts))
        refused += [result for result in results if isinstance(result, OperationalError)]
        if refused:
            break
    assert "deadlock" in str(refused[0])


def set_six_times(order, fulfilment):
    wish = StatusWish(ids=[order.pk], actor=ROBOT, fulfilment=fulfilment)
    return run_together(*(lambda: apply(wish) for _ in range(6)))


def test_a_status_set_six_times_at_once_changes_once():
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", items={"MUG": 3})
    set_six_times(order, "SHIPPED")
    assert OrderEvent.objects.filter(order=order, kind="status").count() == 1
    assert (Variant.objects.get().on_hand, list(find_problems())) == (7, [])


def test_without_the_lock_a_status_changes_more_than_once():
    make_variant("MUG", on_hand=20)
    events = 0
    for _round in range(15):
        order = make_order("PAID", items={"MUG": 1})
        with without_locks():
            set_six_times(order, "PROCESSING")  # moves no stock, so that no CHECK stands in for the lock
        events = max(events, OrderEvent.objects.filter(order=order, kind="status").count())
        if events > 1:
            break
    assert events > 1


def test_two_clerks_with_the_same_look_change_it_once():
    order = make_order(items={"MUG": 1})
    wishes = [StatusWish(ids=[order.pk], actor=ROBOT, payment=code) for code in ("PAID", "CANCELLED")]
    seen = [plan(wish).digests() for wish in wishes]
    results = run_together(*(lambda w=w, s=s: apply(w, seen=s) for w, s in zip(wishes, seen, strict=True)))
    assert sorted(len(result.events) for result in results) == [0, 1]
    refused = [error for result in results for error in result.refusals.values()]
    assert [type(error) for error in refused] == [StaleOrder]


def test_two_refunds_of_the_rest_give_it_back_once():
    order = make_order("PAID", items={"MUG": 1})
    wishes = [RefundWish(order_id=order.pk, actor=ROBOT, amount=Decimal(12)) for _ in range(4)]
    results = run_together(*(lambda w=w: apply(w).or_raise() for w in wishes))
    assert sum(not isinstance(result, OrderError) for result in results) == 1
    assert Order.objects.get().refunded_total == Decimal(12)


def place_in_five_windows():
    row = Draft.objects.create(body=make_draft().as_json(), created_at="2026-11-01T10:00Z")
    copies = [Draft.objects.get(pk=row.pk) for _ in range(5)]
    return run_together(*(lambda c=c: place_draft(c, actor=ROBOT) for c in copies))


def test_one_draft_placed_from_five_windows_makes_one_order():
    make_variant("MUG", on_hand=10)
    results = place_in_five_windows()
    assert {result.pk for result in results} == {Order.objects.get().pk}
    assert Variant.objects.get().committed == 1


def test_without_its_condition_a_draft_becomes_several_orders():
    make_variant("MUG", on_hand=100)
    unguarded = SimpleNamespace(objects=SimpleNamespace(filter=lambda pk, order: Draft.objects.filter(pk=pk)))
    for _round in range(15):
        with mock.patch("orders.services.writing.Draft", unguarded):
            made = {result.pk for result in place_in_five_windows()}
        if len(made) > 1:
            return
    pytest.fail("the draft was one order each time")


def test_numbers_drawn_at_once_differ():
    results = run_together(*(lambda: [draw_number() for _ in range(20)] for _ in range(6)))
    numbers = [number for result in results for number in result]
    assert len(set(numbers)) == 120
