"""Tests with real transactions may empty the database; the triggers stand again afterwards."""

import pytest
from django.db import connection

from invoices.triggers import missing_triggers
from tests.invoices.makers import make_invoice, make_seller

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.both_databases]


@pytest.mark.parametrize("_round", [1, 2])
def test_every_test_starts_with_the_first_number_and_all_triggers(_round):
    make_seller()
    assert make_invoice().sequence == 1
    assert missing_triggers(connection) == []
