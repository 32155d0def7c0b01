"""Whatever a shop does with its orders, in whatever order: money, pieces, documents and history stay true."""

import os

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as rounds
from hypothesis.stateful import run_state_machine_as_test

from tests.orders.any_sequence.serving import Goods, Money

# A longer search, for whoever changes the services: TEST_SEQUENCES=3000 script/test tests/orders/test_any_sequence.py
SEQUENCES = int(os.environ.get("TEST_SEQUENCES") or 0)


class ShopLife(Money, Goods):
    """All rules together."""


@pytest.mark.both_databases
@pytest.mark.slow
@pytest.mark.django_db
def test_any_sequence_of_changes_keeps_money_pieces_and_history_true(settings):
    settings.CONSEQUENCE_PLANNERS = ("invoices.planner.plan_documents",)  # mails move neither money nor pieces
    run_state_machine_as_test(
        ShopLife,
        settings=rounds(
            max_examples=SEQUENCES or 25,
            stateful_step_count=40 if SEQUENCES else 25,
            derandomize=not SEQUENCES,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
