"""Any edit taken back by its counter-edit restores the order to the cent and the piece, on both databases."""

from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as rounds
from hypothesis import strategies as st

from orders.drafts import DraftDiscount, DraftLine
from orders.edits import KEEP, NET, RECOMPUTE, DiscountEdit, LineEdit, OrderEdit, SurchargeEdit
from orders.errors import OrderError
from orders.integrity import find_problems
from orders.models import Variant
from orders.services.counter_edit import counter_edit
from orders.services.plan import apply
from orders.services.proposing import EditWish
from orders.services.undo import UndoWish
from tests.makers import ROBOT, make_order, make_shop, make_variant
from tests.orders.test_order_edits import everything

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases, pytest.mark.slow]
cents = st.integers(0, 5000).map(lambda coins: Decimal(coins) / 100)
few = st.integers(1, 7)
modes = st.sampled_from([KEEP, RECOMPUTE])


@st.composite
def edits(draw):
    """(changes of two items, more items, columns, discounts, surcharges, modes): numbers that mean nothing on purpose."""
    lines = []
    for _line in range(2):
        values = {}
        if draw(st.booleans()):
            values["quantity"] = draw(few)
        if draw(st.booleans()):
            values["price"] = draw(cents)
        lines.append({"is_removed": True} if draw(st.integers(0, 4)) == 0 else values)
    columns = draw(st.fixed_dictionaries({}, optional={"tax_exempt": st.booleans(), "shipping_cost": cents, "gift_card_amount": cents}))
    kinds = st.sampled_from(["ABS", "PERCENT"])
    discount = st.builds(DiscountEdit, st.just("D"), kinds, cents.map(lambda amount: amount % 100))
    return {
        "lines": lines,
        "added": draw(st.lists(st.tuples(few, cents), max_size=2)),
        "columns": columns,
        "discounts": draw(st.none() | st.lists(discount, max_size=2).map(tuple)),
        "surcharges": draw(st.none() | st.lists(st.builds(SurchargeEdit, st.just("S"), cents), max_size=2).map(tuple)),
        "prices": draw(modes | st.just(NET)),
        "discounts_by": draw(modes),
    }


@given(drawn=edits(), by_undo=st.booleans())
@rounds(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_edit_then_counter_edit_restores_totals_stock_and_lines(drawn, by_undo):
    with transaction.atomic():
        make_shop()
        make_variant("MUG", on_hand=30, price="12.35")
        make_variant("POT", on_hand=30, price="29.99")
        discount = DraftDiscount("Ten", "PERCENT", Decimal(10))
        order = make_order("PAID", items={"MUG": 3, "POT": 1}, discounts=(discount,), shipping_cost=Decimal("4.90"))
        before, pot = everything(order), Variant.objects.get(sku="POT")
        lines = order.lines.order_by("position")
        wanted = OrderEdit(
            lines=tuple(LineEdit(line.pk, **values) for line, values in zip(lines, drawn["lines"], strict=True) if values),
            added=tuple(DraftLine(variant_id=pot.pk, quantity=quantity, price=price) for quantity, price in drawn["added"]),
            **{name: value for name, value in drawn.items() if name not in ("lines", "added")},
        )
        try:
            outcome = apply(EditWish(order_id=order.pk, edit=wanted, actor=ROBOT)).or_raise()
        except OrderError:
            assert everything(order) == before
        else:
            assert list(find_problems()) == []
            if outcome.event:
                back = UndoWish(order_id=order.pk, event_id=outcome.event.pk, actor=ROBOT)
                counter = EditWish(order_id=order.pk, edit=counter_edit(outcome.event), actor=ROBOT)
                apply(back if by_undo else counter).or_raise()
            assert everything(order) == before
            assert list(find_problems()) == []
        transaction.set_rollback(True)
