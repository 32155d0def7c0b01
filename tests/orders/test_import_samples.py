"""The documented samples of Ecwid, 2014 to 2024, replayed in the order of their names."""

import json
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.urls import reverse

from orders.integrity import find_problems
from orders.models import Draft, Order, OrderEvent, Payment, RawDocument
from tests.makers import make_clerk

SAMPLES = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "ecwid-orders"
pytestmark = [pytest.mark.django_db, pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample documents are not here")]


def replay(*options: str) -> dict:
    out = StringIO()
    call_command("import_ecwid", str(SAMPLES), "--json", *options, stdout=out)
    return json.loads(out.getvalue())


def test_every_sample_becomes_an_order_or_a_cart():
    report = replay()
    assert {name: report[name] for name in ("created", "updated", "unchanged", "older", "failed")} == {
        "created": 15, "updated": 9, "unchanged": 0, "older": 0, "failed": 0,
    }  # fmt: skip
    numbers = sorted(number.split("DOC-")[0] or "DOC" for number in Order.objects.values_list("number", flat=True))
    assert numbers == ["18", "20", "DOC", "DOC", "DOC", "EXT-2", "K8XTQ", "lala1028001"]
    assert Draft.objects.count() == 7
    assert list(find_problems()) == []


def test_a_second_run_changes_nothing():
    replay()
    before = (list(Order.objects.values()), list(Draft.objects.values()), OrderEvent.objects.count(), RawDocument.objects.count())
    report = replay()
    assert (report["unchanged"], report["created"], report["updated"]) == (24, 0, 0)
    assert (list(Order.objects.values()), list(Draft.objects.values()), OrderEvent.objects.count(), RawDocument.objects.count()) == before


def test_totals_equal_those_of_the_last_document():
    report = replay()
    last = {row["number"]: Path(row["source"]) for row in report["documents"] if row["kind"] == "order"}
    for number, path in last.items():
        body = json.loads(path.read_text(), parse_float=Decimal)
        order = Order.objects.get(number=number)
        for column, name in (("subtotal", "subtotal"), ("total", "total"), ("tax", "tax"), ("discount", "discount")):
            assert getattr(order, column) == body.get(name, 0), (number, column)


def test_totals_that_do_not_add_up_are_kept_with_a_warning():
    replay()
    warned = Order.objects.exclude(totals_warning=[]).order_by("pk").values_list("total", "totals_warning")
    assert list(warned) == [
        (Decimal("37.39"), ["total: 37.39 ≠ 39.39"]),
        (Decimal(45), ["subtotal: 35 ≠ 39.95"]),
        (Decimal(45), ["subtotal: 35 ≠ 39.95"]),
    ]


def test_paid_samples_open_with_their_payment_and_keep_refunds():
    replay()
    order = Order.objects.get(number="lala1028001")
    assert (order.paid_total, order.refunded_total) == (Decimal("2014.97"), Decimal("3.5"))
    assert [row.reason for row in order.refunds.all()] == ["Testing!"]
    assert Payment.objects.filter(order=order).count() == 1


def test_the_page_of_each_imported_order_and_cart_opens(client):
    replay()
    client.force_login(make_clerk(superuser=True))
    for name, rows in (("order", Order.objects.all()), ("draft", Draft.objects.all())):
        for row in rows:
            assert client.get(reverse(f"admin:orders_{name}_change", args=[row.pk])).status_code == 200, row


def test_a_dry_run_keeps_nothing():
    report = replay("--dry-run")
    assert (report["created"], report["updated"], report["dry_run"]) == (15, 9, True)
    assert (Order.objects.count(), Draft.objects.count(), RawDocument.objects.count()) == (0, 0, 0)
