"""Numbers and single documents under real threads on PostgreSQL; each race has a control that fails without its lock."""

from functools import partial
from unittest import mock

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Max

from invoices.errors import CannotIssue
from invoices.integrity import find_problems
from invoices.models import Invoice, InvoiceCounter
from invoices.services import credit_invoice, issue_invoice, numbers
from tests.invoices.makers import make_invoice, make_seller
from tests.makers import ROBOT, make_order, make_variant
from tests.racing import run_together, without_locks

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.postgres]


class PowerCut(Exception):
    """The transaction is rolled back after the number was drawn."""


def issue_all(order_ids, *, cut_every=0):
    """Issue each order; every n-th attempt is rolled back and tried again."""
    for place, pk in enumerate(order_ids):
        if cut_every and place % cut_every == 0:
            try:
                with transaction.atomic():
                    issue_invoice(pk, actor=ROBOT)
                    raise PowerCut
            except PowerCut:
                pass
        issue_invoice(pk, actor=ROBOT)


def test_eight_threads_draw_numbers_without_a_gap():
    make_seller()
    make_variant("MUG", on_hand=1000)
    orders = [make_order("PAID").pk for _ in range(8 * 40)]
    shares = [orders[start::8] for start in range(8)]
    results = run_together(*(lambda share=share: issue_all(share, cut_every=5) for share in shares))
    assert [result for result in results if result] == []
    assert sorted(Invoice.objects.values_list("sequence", flat=True)) == list(range(1, 321))
    assert (InvoiceCounter.objects.get().last_number, list(find_problems())) == (320, [])


def test_counting_what_is_there_draws_numbers_twice():
    """The control: the usual MAX(n) + 1 instead of the counter's row."""
    make_seller()
    make_variant("MUG", on_hand=1000)
    orders = [make_order("PAID").pk for _ in range(8 * 5)]

    def raise_by_counting(series, period):
        last = Invoice.objects.filter(series=series, period=period).aggregate(n=Max("sequence"))["n"] or 0
        counter, _made = InvoiceCounter.objects.get_or_create(series=series, period=period)
        counter.last_number = last + 1
        return counter

    with mock.patch.object(numbers, "_raise_counter", raise_by_counting):
        results = run_together(*(lambda share=orders[n::8]: issue_all(share) for n in range(8)))
    assert any(isinstance(result, IntegrityError) for result in results)


def test_two_clicks_at_once_issue_one_invoice():
    make_seller()
    order = make_order("PAID")
    results = run_together(*(lambda key=key: issue_invoice(order.pk, actor=ROBOT, issue_key=key) for key in "abcd"))
    assert sorted(type(result).__name__ for result in results) == ["CannotIssue", "CannotIssue", "CannotIssue", "Invoice"]
    assert order.invoices.count() == 1


def test_without_the_lock_two_clicks_issue_two_invoices():
    make_seller()
    most = 0
    for number in range(15):
        order = make_order("PAID", items={f"MUG{number}": 1})
        jobs = [partial(issue_invoice, order.pk, actor=ROBOT, issue_key=f"{number}{key}") for key in "abcdefgh"]
        with without_locks():
            run_together(*jobs)
        most = max(most, order.invoices.count())
        if most > 1:
            break
    assert most > 1


def test_two_full_credit_notes_at_once_become_one():
    make_seller()
    invoice = make_invoice()
    results = run_together(*(lambda key=key: credit_invoice(invoice.pk, actor=ROBOT, issue_key=key) for key in "abcd"))
    assert sum(isinstance(result, CannotIssue) for result in results) == 3
    assert (Invoice.objects.credit_notes().count(), list(find_problems())) == (1, [])
