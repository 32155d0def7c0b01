"""An edit and somebody else at the same moment, on real threads and PostgreSQL."""

from collections import Counter

import pytest

from orders.drafts import DraftLine
from orders.edits import LineEdit, OrderEdit
from orders.errors import OrderError
from orders.integrity import find_problems
from orders.models import Order, OrderEvent, OrderProposal, Variant
from orders.services.fulfilment import ShipmentWish
from orders.services.plan import apply
from orders.services.proposing import accept_proposal, keep_proposal
from tests.makers import ROBOT, make_order, make_variant, stock_of
from tests.racing import run_together, without_locks

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.postgres]


def begun(order, **wanted):
    edit = OrderEdit(**wanted)
    return keep_proposal(order, edit, actor=ROBOT, base_version=order.version, base_event=order.events.latest("pk").pk)


def accept_six_times(order):
    make = DraftLine(variant_id=Variant.objects.get(sku="POT").pk)
    row = begun(order, added=(make,))
    jobs = [lambda pk=row.pk: accept_proposal(OrderProposal.objects.get(pk=pk), actor=ROBOT) for _click in range(6)]
    return run_together(*jobs)


def test_a_proposal_accepted_six_times_at_once_is_one_edit():
    make_variant("POT", on_hand=20)
    order = make_order("PAID", items={"MUG": 1})
    accept_six_times(order)
    assert OrderEvent.objects.filter(kind="edit").count() == 1
    assert (order.lines.count(), stock_of("POT"), list(find_problems())) == (2, (20, 1), [])


def test_without_the_lock_the_edit_is_made_once_all_the_same():
    """The proposal's own state is the second barrier: whoever comes later is rolled back with everything."""
    make_variant("POT", on_hand=20)
    for _round in range(5):
        order = make_order("PAID", items={"MUG": 1})
        with without_locks():
            accept_six_times(order)
        assert OrderEvent.objects.filter(kind="edit", order=order).count() == 1
    assert list(find_problems()) == []


def test_removing_an_item_against_shipping_it_does_one_of_the_two():
    make_variant("MUG", on_hand=50)
    make_variant("POT", on_hand=50)
    outcomes = Counter()
    for _round in range(6):
        order = make_order("PAID", items={"MUG": 1, "POT": 1})
        line = order.lines.get(sku="MUG")
        row = begun(order, lines=(LineEdit(line.pk, is_removed=True),))
        ship = ShipmentWish(order_id=order.pk, quantities={line.pk: 1}, actor=ROBOT)
        edited, shipped = run_together(lambda row=row: accept_proposal(row, actor=ROBOT), lambda wish=ship: apply(wish).or_raise())
        line.refresh_from_db()
        assert isinstance(edited, OrderError) is not isinstance(shipped, OrderError)
        assert line.is_removed is not bool(line.pieces_shipped)
        outcomes[line.is_removed] += 1
    assert sum(outcomes.values()) == 6
    assert list(find_problems()) == []


def test_two_who_begin_at_once_work_on_one_proposal():
    order = make_order(items={"MUG": 1})
    line = order.lines.get()
    edits = [OrderEdit(lines=(LineEdit(line.pk, quantity=quantity),)) for quantity in (2, 3)]
    rows = run_together(*(lambda edit=edit: keep_proposal(order, edit, actor=ROBOT, base_version=1, base_event=0) for edit in edits))
    assert len({row.pk for row in rows}) == 1
    assert Order.objects.get().version == order.version
