"""What bounds every edit from below, whichever way it comes: parcels, refunds, what was sold. Found by random sequences."""

from decimal import Decimal

import pytest

from orders.drafts import DraftLine
from orders.edits import LineEdit, OrderEdit, TakenBack
from orders.errors import InvalidWish
from orders.integrity import find_problems
from orders.models import Variant
from orders.services.counter_edit import counter_edit
from orders.services.fulfilment import ShipmentWish
from orders.services.payments import RefundWish
from orders.services.plan import apply
from orders.services.proposing import EditWish
from orders.services.undo import UndoWish
from tests.makers import CLERK, ROBOT, make_order, make_shop, make_variant, set_status, stock_of

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def order():
    """A paid mug, and a pot that an edit added."""
    make_shop()
    make_variant("POT", on_hand=5, price="30.00")
    return make_order("PAID", items={"MUG": 1})


def edit(order, **wanted):
    return apply(EditWish(order_id=order.pk, edit=OrderEdit(**wanted), actor=ROBOT)).or_raise().event


def add_a_pot(order):
    return edit(order, added=(DraftLine(variant_id=Variant.objects.get(sku="POT").pk),))


def take_back(order, event):
    return apply(EditWish(order_id=order.pk, edit=counter_edit(event), actor=ROBOT)).or_raise()


def test_an_edit_is_not_taken_back_once_its_item_is_in_a_parcel(order):
    event = add_a_pot(order)
    apply(ShipmentWish(order_id=order.pk, actor=ROBOT)).or_raise()
    with pytest.raises(InvalidWish, match="1 piece was shipped"):
        take_back(order, event)
    assert (stock_of("POT"), order.lines.filter(is_removed=False).count()) == ((4, 0), 2)


@pytest.mark.parametrize("wanted", [{"is_removed": True}, {"quantity": 1}])
def test_an_item_that_left_by_its_status_is_not_taken_off(wanted):
    """No parcel names it, but its pieces are with the customer: an edit would put them back on hand unseen."""
    order = make_order("PAID", "SHIPPED", items={"MUG": 2, "POT": 1})
    mug = order.lines.get(sku="MUG")
    with pytest.raises(InvalidWish, match=r"2 pieces were shipped|at least 2"):
        edit(order, lines=(LineEdit(mug.pk, **wanted),))
    mug.refresh_from_db()
    assert (mug.quantity, mug.is_removed, mug.consumed, list(find_problems())) == (2, False, 2, [])


def test_a_delivered_file_can_still_be_taken_off(order):
    make_shop()
    make_variant("PDF", digital=True)
    order = make_order("PAID", items={"PDF": 2})
    assert order.fulfilment_status.code == "DELIVERED"
    edit(order, lines=(LineEdit(order.lines.get().pk, quantity=1),))
    assert order.lines.get().quantity == 1


def test_an_edit_is_not_taken_back_below_what_refunds_took_off(order):
    event = add_a_pot(order)
    set_status(order, payment="AWAITING_PAYMENT")
    set_status(order, payment="PAID", record=True)  # 42.00 are paid
    apply(RefundWish(order_id=order.pk, actor=ROBOT, amount=Decimal(20), set_status=False)).or_raise()
    with pytest.raises(InvalidWish, match="below what refunds took off"):  # the mug alone is 12.00
        take_back(order, event)
    order.refresh_from_db()
    assert (order.total, order.credited_total, list(find_problems())) == (Decimal(42), Decimal(20), [])


@pytest.mark.parametrize(("quantity", "back"), [(1, 2), (5, 4)])
def test_what_an_edit_takes_off_or_adds_can_not_come_back_in_its_exchange(order, quantity, back):
    order = make_order("PAID", items={"MUG": 3})
    line = order.lines.get()
    with pytest.raises(InvalidWish, match="can still be refunded"):
        edit(order, lines=(LineEdit(line.pk, quantity=quantity),), taken_back=(TakenBack(line.pk, back),))


def test_amounts_that_binary_fractions_miss_add_up(order):
    """0.96 + 11.04 - 11.04 is not 0.96 where a database adds binary fractions."""
    apply(RefundWish(order_id=order.pk, actor=ROBOT, amount=Decimal("0.96"))).or_raise()
    rest = apply(RefundWish(order_id=order.pk, actor=CLERK, amount=Decimal("11.04"))).or_raise().event
    apply(UndoWish(order_id=order.pk, event_id=rest.pk, actor=ROBOT)).or_raise()
    order.refresh_from_db()
    assert (order.refunded_total, list(find_problems())) == (Decimal("0.96"), [])
