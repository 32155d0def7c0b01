"""Reservations at the same moment, on real threads and PostgreSQL: never more than there is, never two orders, never a gap."""

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.drafts import DraftLine, OrderDraft
from orders.errors import DraftPlaced, NotEnoughStock
from orders.integrity import find_problems
from orders.models import Draft, DraftReservation, Order, Variant
from orders.services.intake import place_draft, place_order
from orders.services.reserving import release_expired, reserve
from tests.makers import ROBOT, make_draft, make_shop, make_variant, stock_of
from tests.racing import run_together, without_locks

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.postgres]


def stored(sku, pieces):
    line = DraftLine(variant_id=Variant.objects.get(sku=sku).pk, quantity=pieces)
    return Draft.objects.create(body=OrderDraft(lines=(line,), customer_name="Zoé").as_json(), created_at=timezone.now())


def keep(row):
    return lambda: reserve(Draft.objects.get(pk=row.pk), timezone.now() + timedelta(hours=1), actor=ROBOT)


def test_of_ten_drafts_that_want_the_last_piece_one_keeps_it():
    make_shop()
    make_variant("MUG", on_hand=1)
    rows = [stored("MUG", 1) for _ in range(10)]
    results = run_together(*(keep(row) for row in rows))
    assert sorted(type(result).__name__ for result in results) == ["NotEnoughStock"] * 9 + ["int"]
    assert (stock_of("MUG"), DraftReservation.objects.count(), list(find_problems())) == ((1, 1), 1, [])


def test_without_the_lock_the_last_piece_is_kept_twice():
    make_shop()
    kept = 0
    for round_ in range(15):
        make_variant(f"MUG{round_}", on_hand=1)
        rows = [stored(f"MUG{round_}", 1) for _ in range(8)]
        with without_locks():
            results = run_together(*(keep(row) for row in rows))
        kept = max(kept, sum(result == 1 for result in results))
        if kept > 1:
            break
    assert kept > 1


def test_placing_a_reserved_draft_leaves_no_gap_for_others():
    make_shop()
    for round_ in range(12):
        sku = f"MUG{round_}"
        make_variant(sku, on_hand=2)
        row = stored(sku, 2)
        keep(row)()
        others = [make_draft({sku: 1}) for _ in range(6)]
        mine, *theirs = run_together(
            lambda row=row: place_draft(Draft.objects.get(pk=row.pk), actor=ROBOT),
            *(lambda draft=draft: place_order(draft, actor=ROBOT) for draft in others),
        )
        assert isinstance(mine, Order)
        assert {type(result) for result in theirs} == {NotEnoughStock}
    assert list(find_problems()) == []


def test_reserving_placing_and_the_sweep_at_once_agree():
    make_shop()
    for round_ in range(10):
        sku = f"MUG{round_}"
        make_variant(sku, on_hand=5)
        row = stored(sku, 2)
        keep(row)()
        results = run_together(
            lambda row=row: place_draft(Draft.objects.get(pk=row.pk), actor=ROBOT), keep(row), keep(row), release_expired
        )
        assert isinstance(results[0], Order)
        assert all(isinstance(result, (int, DraftPlaced, Order)) for result in results), results
        release_expired()
        assert (stock_of(sku), DraftReservation.objects.count()) == ((5, 2), 0)
    assert list(find_problems()) == []
