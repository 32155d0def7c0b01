"""Whatever a shop does with its orders, in whatever order: money, pieces, documents and history stay true.

Three machines have a subject each, so that what belongs together meets in short sequences; the fourth has all rules.
"""

import os

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as rounds
from hypothesis.stateful import run_state_machine_as_test

from tests.orders.any_sequence.ending import Ending, Undoing
from tests.orders.any_sequence.goods import Returning, Shipping
from tests.orders.any_sequence.money import Documents, Paying, Refunding
from tests.orders.any_sequence.selling import Editing, Placing

# A longer search, for whoever changes the services: TEST_SEQUENCES=1000 script/test tests/orders/test_any_sequence.py
SEQUENCES = int(os.environ.get("TEST_SEQUENCES") or 0)


class Edits(Editing, Refunding, Shipping, Undoing, Documents):
    """Orders are changed while parts of them are shipped, refunded and invoiced."""


class Parcels(Shipping, Returning, Undoing):
    """Goods go out and come back."""


class Endings(Ending, Paying, Refunding, Shipping, Undoing):
    """Orders are paid, cancelled, deleted, and go on again."""


class ShopLife(Placing, Editing, Paying, Returning, Shipping, Ending, Undoing, Documents):
    """All rules together."""


@pytest.mark.both_databases
@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize(("machine", "sequences"), [(Edits, 9), (Parcels, 7), (Endings, 8), (ShopLife, 8)])
def test_any_sequence_of_changes_keeps_money_pieces_and_history_true(machine, sequences, settings):
    settings.CONSEQUENCE_PLANNERS = ("invoices.planner.plan_documents",)  # mails move neither money nor pieces
    run_state_machine_as_test(
        machine,
        settings=rounds(
            max_examples=SEQUENCES or sequences,
            stateful_step_count=40 if SEQUENCES else 25,
            derandomize=not SEQUENCES,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
