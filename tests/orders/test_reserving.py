"""Pieces that a draft keeps: for a time, beside the ledger, handed to its order without a gap."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders.drafts import DraftLine, OrderDraft
from orders.errors import InvalidWish, NotEnoughStock, OrderError
from orders.integrity import find_problems
from orders.models import Draft, DraftReservation, StockMovement, Variant
from orders.services.intake import place_draft
from orders.services.plan import Actor
from orders.services.reserving import release, release_expired, reserve, throw_away
from tests.makers import make_clerk, make_shop, make_variant, stock_of

pytestmark = pytest.mark.django_db
ACTOR = Actor.task("test")


@pytest.fixture(autouse=True)
def shop():
    return make_shop()


def make_draft(*wanted, **facts):
    """A stored draft of (sku, quantity) pairs for Zoé."""
    skus = dict(Variant.objects.values_list("sku", "pk"))
    lines = tuple(DraftLine(variant_id=skus[sku], quantity=quantity) for sku, quantity in wanted)
    body = OrderDraft(lines=lines, customer_name="Zoé").as_json()
    return Draft.objects.create(body=body, created_at=timezone.now(), **facts)


def change(row, *wanted):
    row.body = make_draft(*wanted).body
    row.save()


def soon(hours=1):
    return timezone.now() + timedelta(hours=hours)


def test_reserved_pieces_are_committed_and_stand_in_the_ledger_with_their_draft():
    make_variant("MUG", on_hand=10)
    row = make_draft(("MUG", 3), ("MUG", 1))
    assert reserve(row, soon(), actor=ACTOR) == 4
    assert stock_of("MUG") == (10, 4)
    movement = StockMovement.objects.order_by("id").last()
    assert (movement.kind, movement.draft, movement.delta_committed, movement.committed_after) == ("reserve", row, 4, 4)
    assert list(find_problems()) == []


def test_more_than_is_there_is_refused_by_name_and_nothing_is_kept():
    make_variant("MUG", on_hand=10)
    make_variant("BOWL", on_hand=1)
    row = make_draft(("MUG", 3), ("BOWL", 2))
    with pytest.raises(NotEnoughStock, match="BOWL is out of stock: 2 asked, 1 available"):
        reserve(row, soon(), actor=ACTOR)
    assert (stock_of("MUG"), stock_of("BOWL")) == ((10, 0), (1, 0))
    assert not DraftReservation.objects.exists()


def test_a_draft_with_other_items_takes_only_the_difference():
    make_variant("MUG", on_hand=4)
    make_variant("BOWL", on_hand=4)
    row = make_draft(("MUG", 4))
    reserve(row, soon(), actor=ACTOR)
    change(row, ("MUG", 1), ("BOWL", 2))
    assert reserve(row, soon(2), actor=ACTOR) == 3
    assert (stock_of("MUG"), stock_of("BOWL")) == ((4, 1), (4, 2))
    assert list(find_problems()) == []


@pytest.mark.both_databases
def test_others_cannot_have_reserved_pieces_and_the_draft_itself_can():
    make_variant("MUG", on_hand=3)
    row, other = make_draft(("MUG", 3)), make_draft(("MUG", 1))
    reserve(row, soon(), actor=ACTOR)
    with pytest.raises(NotEnoughStock):
        place_draft(other, actor=ACTOR)
    order = place_draft(row, actor=ACTOR)
    assert stock_of("MUG") == (3, 3)
    assert not DraftReservation.objects.exists()
    moved = list(StockMovement.objects.filter(order=order).values_list("kind", "delta_committed", "committed_after"))
    assert sorted(moved) == [("reserve", -3, 0), ("settle", 3, 3)]
    assert list(find_problems()) == []


def test_an_order_that_takes_less_gives_the_rest_back():
    make_variant("MUG", on_hand=5)
    row = make_draft(("MUG", 5))
    reserve(row, soon(), actor=ACTOR)
    change(row, ("MUG", 2))
    place_draft(row, actor=ACTOR)
    assert stock_of("MUG") == (5, 2)
    assert list(find_problems()) == []


def test_an_order_that_takes_more_than_was_kept_needs_the_rest_to_be_there():
    make_variant("MUG", on_hand=3)
    row = make_draft(("MUG", 2))
    reserve(row, soon(), actor=ACTOR)
    change(row, ("MUG", 4))
    with pytest.raises(NotEnoughStock, match="4 asked, 3 available"):
        place_draft(row, actor=ACTOR)
    assert stock_of("MUG") == (3, 2)
    change(row, ("MUG", 3))
    place_draft(row, actor=ACTOR)
    assert stock_of("MUG") == (3, 3)


def test_the_sweep_gives_back_what_is_late_and_nothing_else():
    make_variant("MUG", on_hand=9)
    late, kept = make_draft(("MUG", 2)), make_draft(("MUG", 3))
    for row in (late, kept):
        reserve(row, soon(), actor=ACTOR)
    Draft.objects.filter(pk=late.pk).update(reserved_until=soon(-1))
    assert release_expired() == 1
    assert stock_of("MUG") == (9, 3)
    assert release_expired() == 0
    late.refresh_from_db()
    assert late.reserved_until is None
    assert list(find_problems()) == []


def test_deleting_a_draft_gives_back_what_it_keeps():
    make_variant("MUG", on_hand=9)
    row = make_draft(("MUG", 2))
    reserve(row, soon(), actor=ACTOR)
    throw_away(row, actor=ACTOR)
    assert stock_of("MUG") == (9, 0)
    assert not Draft.objects.filter(pk=row.pk).exists()
    assert list(find_problems()) == []


def test_a_time_that_has_passed_and_items_that_nobody_counts_are_refused():
    make_variant("TEA", is_tracked=False)
    row = make_draft(("TEA", 2))
    with pytest.raises(InvalidWish, match="still to come"):
        reserve(row, soon(-1), actor=ACTOR)
    with pytest.raises(InvalidWish, match="stock that is counted"):
        reserve(row, soon(), actor=ACTOR)


def test_a_clerk_without_the_right_reserves_nothing():
    make_variant("MUG", on_hand=9)
    with pytest.raises(OrderError, match="You may not create orders"):
        reserve(make_draft(("MUG", 1)), soon(), actor=Actor.clerk(make_clerk("orders.view_order")))
    assert stock_of("MUG") == (9, 0)


def test_integrity_names_a_draft_that_keeps_other_pieces_than_the_ledger_says():
    make_variant("MUG", on_hand=9)
    row = make_draft(("MUG", 2))
    reserve(row, soon(), actor=ACTOR)
    DraftReservation.objects.filter(draft=row).update(pieces=5)
    variant = Variant.objects.get(sku="MUG")
    assert list(find_problems()) == [f"stock: draft {row.pk} keeps 5 of variant {variant.pk}, the ledger says 2"]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "release", "change", "place", "late", "delete"]),
        st.integers(0, 2),
        st.integers(1, 5),
        st.sampled_from(["MUG", "BOWL"]),
    ),
    max_size=12,
)


@pytest.mark.both_databases
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_drafts_do_the_ledger_equals_counters_and_reservations(steps):
    with transaction.atomic():
        for sku in ("MUG", "BOWL"):
            make_variant(sku, on_hand=6)
        drafts = [make_draft(("MUG", 2), ("BOWL", 1)) for _ in range(3)]
        for verb, index, pieces, sku in steps:
            row = Draft.objects.filter(pk=drafts[index].pk).first()
            if row is None:
                continue
            try:
                _step(verb, row, pieces, sku)
            except OrderError:
                pass
            assert list(find_problems()) == []
            for variant in Variant.objects.all():
                kept = sum(r.pieces for r in variant.reservations.all())
                ordered = sum(line.committed for line in variant.order_lines.all())
                assert variant.committed == kept + ordered <= variant.on_hand
        transaction.set_rollback(True)


def _step(verb, row, pieces, sku):
    if verb == "reserve":
        reserve(row, soon(), actor=ACTOR)
    elif verb == "release":
        release(row, actor=ACTOR)
    elif verb == "change" and row.order_id is None:
        change(row, (sku, pieces))
    elif verb == "place":
        place_draft(row, actor=ACTOR)
    elif verb == "late":
        Draft.objects.filter(pk=row.pk, reserved_until__isnull=False).update(reserved_until=soon(-1))
        release_expired()
    elif verb == "delete":
        throw_away(row, actor=ACTOR)
