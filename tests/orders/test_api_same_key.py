"""The same Idempotency-Key from several threads at once: one order, one answer."""

import json

import pytest
from django.db import IntegrityError
from django.test import Client

from orders.api import views
from orders.api.tokens import issue_token
from orders.models import AnsweredRequest, Order
from tests.makers import make_shop, make_variant, stock_of
from tests.orders.test_races import run_together

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.postgres]
ORDERS = "/api/v3/1/orders"
BODY = json.dumps({"email": "lea@example.com", "items": [{"sku": "MUG", "quantity": 1}]})


@pytest.fixture
def secret():
    make_shop()
    make_variant("MUG", on_hand=50)
    return issue_token("Storefront")[1]


def send_together(count, secret, *, key):
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": key}

    def send():
        # The signal that tells a test client of an error reaches the clients of all threads: look at the answers instead.
        answer = Client(raise_request_exception=False).post(ORDERS, BODY, content_type="application/json", headers=headers)
        return answer.status_code, answer.json() if answer.status_code == 200 else None

    return run_together(*[send] * count)


def test_ten_requests_with_one_key_make_one_order(secret):
    answers = send_together(10, secret, key="same")
    assert [status for status, _body in answers] == [200] * 10
    assert len({body["id"] for _status, body in answers}) == 1
    assert (Order.objects.count(), stock_of("MUG"), AnsweredRequest.objects.count()) == (1, (50, 1), 1)


def test_without_the_claim_they_make_several(monkeypatch, secret):
    """The control: the key is looked up, but not claimed before the order is placed."""
    monkeypatch.setattr(AnsweredRequest.objects, "create", lambda **values: AnsweredRequest(**values))
    monkeypatch.setattr(AnsweredRequest, "save", lambda self, **options: None)
    send_together(10, secret, key="same")
    assert Order.objects.count() > 1


def test_a_request_that_fails_hands_the_key_to_the_next(monkeypatch, secret):
    place, failed = views._place, []

    def fail_first(draft, token):
        if not failed:
            failed.append(True)
            raise IntegrityError("the first one dies after its claim")
        return place(draft, token)

    monkeypatch.setattr(views, "_place", fail_first)
    answers = send_together(4, secret, key="same")
    assert sorted(status for status, _body in answers) == [200, 200, 200, 500]
    assert len({body["id"] for status, body in answers if status == 200}) == 1
    assert Order.objects.count() == 1
