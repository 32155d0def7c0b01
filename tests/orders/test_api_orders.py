"""The online shop places orders: Ecwid's create body in, number out, every refusal with field and reason."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from orders.api.tokens import issue_token, revoke_token
from orders.models import AnsweredRequest, ApiToken, Draft, Order, OrderEvent
from tests.makers import make_order, make_shop, make_variant, set_status, stock_of

pytestmark = pytest.mark.django_db
ORDERS = "/api/v3/1/orders"


def body(**fields):
    """Two mugs for Léa by their SKU, unless said otherwise."""
    return {
        "email": "lea@example.com",
        "billingPerson": {"name": "Léa Martin", "street": "4 rue des Lilas", "city": "Nantes", "postalCode": "44000", "countryCode": "FR"},
        "items": [{"sku": "MUG", "quantity": 2}],
    } | fields


@pytest.fixture
def post(client):
    make_shop()
    make_variant("MUG", on_hand=10, price="12.00", name="Mug")
    _token, secret = issue_token("Storefront")

    def send(data, *, path=ORDERS, key="", token=secret, content_type="application/json"):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if key:
            headers["Idempotency-Key"] = key
        return client.post(path, data if isinstance(data, (str, bytes)) else json.dumps(data), content_type=content_type, headers=headers)

    return send


def refusal(answer):
    return answer.status_code, answer.json().get("errors", answer.json()["errorMessage"])


def test_an_order_is_placed_and_answered_with_its_number(post):
    answer = post(body())
    order = Order.objects.get()
    assert (answer.status_code, answer.json()) == (200, {"id": order.pk, "orderid": order.number})
    assert answer["Location"] == f"{ORDERS}/{order.pk}"
    assert [(line.name, line.quantity, line.price) for line in order.lines.all()] == [("Mug", 2, Decimal(12))]
    assert (order.source, order.total, order.tax, order.payment_status.code) == ("own", Decimal(24), Decimal(4), "AWAITING_PAYMENT")
    assert stock_of("MUG") == (10, 2)
    event = OrderEvent.objects.get()
    assert (event.kind, event.source, event.actor_name) == ("placed", "api", "Storefront")


def test_the_create_body_of_the_samples_keeps_its_totals(post):
    sample = body(
        subtotal=30, total=40, tax=0, paymentMethod="Phone order", paymentStatus="PAID", fulfillmentStatus="AWAITING_PROCESSING",
        items=[{"price": 15, "weight": 0.32, "sku": "00004", "quantity": 2, "name": "Cherry"}],
        shippingOption={"shippingMethodName": "Fast Delivery", "shippingRate": 10, "fulfillmentType": "DELIVERY"},
        externalOrderId="2", pricesIncludeTax=False, disableAllCustomerNotifications=True, privateAdminNotes="By Sunday.",
    )  # fmt: skip
    assert post(sample).status_code == 200
    order = Order.objects.get()
    assert (order.subtotal, order.shipping_cost, order.tax, order.total) == (Decimal(30), Decimal(10), Decimal(0), Decimal(40))
    assert (order.paid_total, order.external_id, order.delivery_kind, order.no_customer_mail) == (Decimal(40), "2", "DELIVERY", True)
    assert order.notes.get().text == "By Sunday."


def test_discount_and_coupon_of_a_body_lower_the_total(post):
    answer = post(body(discount=2, couponDiscount=3, discountCoupon={"code": "SPRING", "discount": 3, "discountType": "ABS"}))
    assert answer.status_code == 200
    order = Order.objects.get()
    assert (order.discount, order.coupon_discount, order.coupon_code, order.total) == (Decimal(2), Decimal(3), "SPRING", Decimal(19))


WRONG = {
    "a negative quantity": ({"items": [{"sku": "MUG", "quantity": -1}]}, "items[0].quantity", "expected a whole number above 0, got -1"),
    "no items": ({"items": []}, "items", "the order has no items"),
    "an unknown SKU without a price": (
        {"items": [{"sku": "NONE", "name": "x", "quantity": 1}]}, "items[0].price", "An item without a known SKU needs a price."),
    "an item without a name": ({"items": [{"price": 2, "quantity": 1}]}, "items[0].name", "missing"),
    "an unknown status": ({"paymentStatus": "MAYBE"}, "paymentStatus", 'there is no status "MAYBE"'),
    "an unfinished cart": ({"paymentStatus": "INCOMPLETE"}, "paymentStatus", "an unfinished cart is not an order"),
    "a total that is a text": ({"subtotal": "x"}, "subtotal", 'expected a number, got "x"'),
    "NUL": ({"email": "a\x00@example.com"}, "email", "the text holds a NUL character"),
    "half a character": ({"email": "\ud800"}, "email", "the text holds half a character (a lone surrogate)"),
    "nobody": (
        {"email": "", "billingPerson": {}}, "billingPerson.name", "An order needs a customer name, an e-mail address or a phone number.",
    ),
    "local delivery that is not offered": (
        {"fulfillmentStatus": "OUT_FOR_DELIVERY"},
        "fulfillmentStatus",
        "The status Out for delivery is offered while the shop has local delivery.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=list(WRONG))
def test_a_wrong_body_is_refused_with_field_and_reason(post, wrong):
    fields, field, message = WRONG[wrong]
    assert refusal(post(body(**fields))) == (400, [{"field": field, "message": message}])
    assert Order.objects.count() == 0


def test_numbers_that_are_none_are_refused(post):
    text = json.dumps(body(total="X"))
    assert refusal(post(text.replace('"X"', "NaN"))) == (400, [{"field": "total", "message": "NaN is not a number"}])
    assert refusal(post(text.replace('"X"', "1e400"))) == (400, [{"field": "total", "message": "the number 1E+400 is out of range"}])


def test_what_is_no_json_is_refused_with_its_place(post):
    assert refusal(post("{")) == (
        400,
        "The body is not JSON: line 1, column 2: Expecting property name enclosed in double quotes.",
    )
    assert refusal(post(b'{"a": "\xe9"}')) == (400, "The body is not UTF-8 text: byte 7.")
    assert refusal(post("[" * 200_000))[0] == 400
    assert refusal(post("7")) == (400, [{"field": "", "message": "expected an order as an object, got 7"}])


def test_a_body_of_more_than_five_megabytes_is_refused(post):
    assert refusal(post(json.dumps(body(note="x" * 5_300_000)))) == (413, "The body is larger than 5 MB.")


def test_other_content_than_json_is_refused(post):
    assert post("a=1", content_type="application/x-www-form-urlencoded").status_code == 415


def test_out_of_stock_names_the_sku(post):
    answer = post(body(items=[{"sku": "MUG", "quantity": 11}]))
    assert answer.status_code == 409
    assert {name: answer.json()[name] for name in ("errorCode", "sku", "asked", "available")} == {
        "errorCode": "OUT_OF_STOCK", "sku": "MUG", "asked": 11, "available": 10,
    }  # fmt: skip
    assert (Order.objects.count(), stock_of("MUG")) == (0, (10, 0))


def test_an_external_id_that_was_placed_before_is_a_conflict(post):
    assert post(body(externalOrderId="web-7")).status_code == 200
    assert refusal(post(body(externalOrderId="web-7"))) == (
        409,
        [{"field": "externalOrderId", "message": "An order with the external id web-7 exists already."}],
    )


def test_a_repeated_key_gets_the_same_answer(post):
    first, second = post(body(), key="abc"), post(body(), key="abc")
    assert (second.status_code, second.json(), second["Location"]) == (200, first.json(), first["Location"])
    assert (Order.objects.count(), AnsweredRequest.objects.get().order_id) == (1, first.json()["id"])


def test_a_key_with_another_body_is_refused(post):
    post(body(), key="abc")
    answer = post(body(email="other@example.com"), key="abc")
    assert (answer.status_code, answer.json()["errorCode"], Order.objects.count()) == (422, "KEY_REUSED", 1)


def test_a_refused_request_leaves_its_key_free(post):
    assert post(body(items=[{"sku": "MUG", "quantity": 11}]), key="abc").status_code == 409
    assert AnsweredRequest.objects.count() == 0
    assert post(body(), key="abc").status_code == 200


def test_tokens_open_their_own_store_only(post):
    assert post(body(), token="").status_code == 401
    assert post(body(), token="nonsense").status_code == 401
    assert post(body(), token="")["WWW-Authenticate"] == "Bearer"
    assert post(body(), path="/api/v3/2/orders").status_code == 404
    revoke_token(ApiToken.objects.get())
    assert post(body()).status_code == 401
    assert Order.objects.count() == 0


def test_a_secret_is_stored_as_a_hash():
    token, secret = issue_token("Storefront", store_id="7")
    assert (token.prefix, token.store_id, len(token.secret_hash)) == (secret[:12], "7", 64)
    assert secret not in json.dumps(ApiToken.objects.values("name", "prefix", "secret_hash", "store_id")[0])


def test_an_unfinished_cart_makes_no_draft(post):
    post(body(paymentStatus="INCOMPLETE"))
    assert Draft.objects.count() == 0


def test_an_order_is_read_in_the_form_it_came(client):
    make_shop()
    order = make_order(payment="PAID", items={"MUG": 2})
    set_status(order, fulfilment="SHIPPED", carrier="Colissimo", tracking_number="6A1")
    _token, secret = issue_token("Storefront")
    answer = client.get(f"{ORDERS}/{order.pk}", headers={"Authorization": f"Bearer {secret}"})
    data = json.loads(answer.content, parse_float=Decimal)
    assert (data["id"], data["internalId"], data["total"]) == (order.number, order.pk, 24)
    assert (data["paymentStatus"], data["fulfillmentStatus"]) == ("PAID", "SHIPPED")
    assert [(row["sku"], row["quantity"], row["price"]) for row in data["items"]] == [("MUG", 2, 12)]
    assert data["shipments"][0]["tracking"]["trackingNumber"] == "6A1"


def test_other_methods_are_refused(client):
    _token, secret = issue_token("Storefront")
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.delete(ORDERS, headers=headers).status_code == 405
    assert client.get(f"{ORDERS}/99999", headers=headers).json() == {"errorCode": "NOT_FOUND", "errorMessage": "Not found."}


def test_the_api_takes_and_tells_slot_and_day(post):
    slot = {"pickupTime": "2030-05-02 08:00:00 +0000", "pickupTimeEnd": "2030-05-02 10:00:00 +0000", "deliveryDate": "2030-05-02"}
    assert post(body(**slot)).status_code == 200
    order = Order.objects.get()
    assert (order.pickup_until, order.delivery_on) == (datetime(2030, 5, 2, 10, tzinfo=UTC), date(2030, 5, 2))
    refused = post(body(deliveryDate="tomorrow"))
    assert (refused.status_code, "deliveryDate" in refused.content.decode()) == (400, True)
