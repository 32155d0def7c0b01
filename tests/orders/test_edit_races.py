"""An edit and somebody else at the same moment, on real threads and PostgreSQL; each race has a control without its lock."""

from collections import Counter
from decimal import Decimal

import pytest

from orders.drafts import DraftLine
from orders.edits import LineEdit, OrderEdit
from orders.errors import OrderError, StaleOrder
from orders.integrity import find_problems
from orders.models import Order, OrderEvent, OrderProposal, Variant
from orders.services.fulfilment import ShipmentWish
from orders.services.plan import apply
from orders.services.proposing import EditWish, accept_proposal, keep_proposal
from tests.makers import ROBOT, make_order, make_variant, stock_of
from tests.racing import run_together, without_locks, writing_together

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


def test_without_the_lock_an_item_is_removed_and_shipped():
    make_order("PAID", items={"MUG": 5})  # so that the counters stay above zero and no CHECK stands in for the lock
    order = make_order("PAID", items={"MUG": 1, "POT": 1})
    line = order.lines.get(sku="MUG")
    row = begun(order, lines=(LineEdit(line.pk, is_removed=True),))
    ship = ShipmentWish(order_id=order.pk, quantities={line.pk: 1}, actor=ROBOT)
    with writing_together():
        run_together(lambda: accept_proposal(row, actor=ROBOT), lambda: apply(ship).or_raise())
    line.refresh_from_db()
    assert line.is_removed
    assert line.shipment_lines.exists()


def edit_at_once(order):
    """Two people change another thing each, on the order as both saw it."""
    version = {order.pk: order.version}
    line = order.lines.get()
    edits = OrderEdit(lines=(LineEdit(line.pk, quantity=3),)), OrderEdit(columns={"shipping_cost": Decimal("4.90")})
    wishes = [EditWish(order_id=order.pk, edit=edit, actor=ROBOT, versions=version) for edit in edits]
    return run_together(*(lambda wish=wish: apply(wish).or_raise() for wish in wishes))


def test_of_two_edits_of_the_same_order_the_second_is_told():
    for _round in range(4):
        order = make_order("PAID", items={"MUG": 1})
        refused = [result for result in edit_at_once(order) if isinstance(result, Exception)]
        order.refresh_from_db()
        assert [type(error) for error in refused] == [StaleOrder]
        assert order.total in (Decimal(36), Decimal("16.90"))
        assert (order.version, list(find_problems())) == (3, [])


def test_without_the_lock_both_edits_are_made_and_the_total_is_wrong():
    order = make_order("PAID", items={"MUG": 1})
    with writing_together():
        results = edit_at_once(order)
    assert not [result for result in results if isinstance(result, Exception)]
    assert [problem for problem in find_problems() if problem.startswith("money")]


def test_two_who_begin_at_once_work_on_one_proposal():
    order = make_order(items={"MUG": 1})
    line = order.lines.get()
    edits = [OrderEdit(lines=(LineEdit(line.pk, quantity=quantity),)) for quantity in (2, 3)]
    rows = run_together(*(lambda edit=edit: keep_proposal(order, edit, actor=ROBOT, base_version=1, base_event=0) for edit in edits))
    assert len({row.pk for row in rows}) == 1
    assert Order.objects.get().version == order.version
