"""The same Idempotency-Key from several threads at once: one order, one answer."""

import json

import pytest
from django.db import IntegrityError
from django.test import Client

from orders.api import wishes
from orders.api.tokens import issue_token
from orders.models import AnsweredRequest, Order
from tests.makers import make_shop, make_variant, stock_of
from tests.racing import run_together

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.postgres]
ORDERS = "/api/v3/1/orders"
BODY = json.dumps({"email": "lea@example.com", "items": [{"sku": "MUG", "quantity": 1}]})


@pytest.fixture
def secret():
    make_shop()
    make_variant("MUG", on_hand=50)
    return issue_token("Storefront")[1]


def send_together(count, secret, *, key, body=BODY):
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": key}

    def send():
        # The signal that tells a test client of an error reaches the clients of all threads: look at the answers instead.
        answer = Client(raise_request_exception=False).post(ORDERS, body, content_type="application/json", headers=headers)
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
    send_together(10, secret, key="same")
    assert Order.objects.count() > 1


def test_the_last_piece_belongs_to_the_key_not_to_the_request(secret):
    make_variant("LAST", on_hand=1)
    body = BODY.replace("MUG", "LAST")
    answers = send_together(6, secret, key="same", body=body)
    assert {status for status, _body in answers} == {200}
    assert (Order.objects.count(), stock_of("LAST")) == (1, (1, 1))


def test_a_request_that_fails_leaves_the_key_to_the_next(monkeypatch, secret):
    answer_for, failed = wishes.answer_for, []

    def fail_first(order):
        if not failed:
            failed.append(True)
            raise IntegrityError("the first one dies when its order is written")
        return answer_for(order)

    monkeypatch.setattr(wishes, "answer_for", fail_first)
    answers = send_together(4, secret, key="same")
    assert [status for status, _body in answers].count(200) >= 3
    assert len({body["id"] for status, body in answers if status == 200}) == 1
    assert Order.objects.count() == 1
