"""The manual order form: what a clerk types becomes an order, once, with what was shown."""

import re
from decimal import Decimal

import pytest
from django.urls import reverse

from orders.admin.amounts import read_amount
from orders.admin.manual_order_form import read_options
from orders.drafts import OrderDraft, Person
from orders.models import Customer, Draft, Order, PaymentMethod, ShippingMethod
from tests.makers import make_clerk, make_order, make_shop, make_variant, stock_of

pytestmark = pytest.mark.django_db
URL = "/admin/orders/order/add/"


@pytest.fixture(autouse=True)
def shop():
    return make_shop()


@pytest.fixture
def clerk(client):
    user = make_clerk("orders.add_order", "orders.view_order", "orders.view_draft", "orders.view_customer")
    client.force_login(user)
    return user


def page(client, **query):
    response = client.get(URL, query)
    assert response.status_code == 200
    return response


def fields_of(response):
    """What a browser would send back."""
    html = response.content.decode()
    form = response.context["sheet"]
    found = {name: value for name, value in form.data.items() if name != "do" and not name.endswith("search")}
    found["seen"] = re.search(r'name="seen" value="([^"]*)"', html)[1]
    return found


def send(client, data, *, htmx=False, **changes):
    return client.post(URL, data | changes, headers={"HX-Request": "true"} if htmx else {})


def filled(client, skus=("MUG",), **changes):
    """The form with these articles scanned and Zoé as the customer, as it stands after the server's answer."""
    data = fields_of(page(client))
    for sku in skus:
        data = fields_of(send(client, data, article_search=sku, do="typed"))
    return fields_of(send(client, data, **{"customer_name": "Zoé", "email": "zoe@example.com"} | changes))


def test_without_the_script_the_work_goes_on_at_the_articles(client, clerk):
    Customer.objects.create(name="Zoé Petit", email="zoe@example.com", email_key="zoe@example.com", country="FR")
    found = {"customer_search": "zoe", "do": "typed"}
    assert 'id="article-search" autofocus' in send(client, fields_of(page(client)), **found).content.decode()
    # With it the focus is kept by the script, wherever it is.
    assert 'id="article-search" autofocus' not in send(client, fields_of(page(client)), htmx=True, **found).content.decode()


def test_scanning_a_sku_adds_it_and_scanning_it_again_adds_one(client, clerk):
    make_variant("MUG")
    data = filled(client, ("mug", "MUG"))
    assert data["items-TOTAL_FORMS"] == "1"
    assert (data["items-0-quantity"], data["items-0-price"]) == ("2", "12.00")


def test_creating_makes_the_order_that_was_shown(client, clerk):
    make_variant("MUG", on_hand=10)
    ShippingMethod.objects.create(name="Post", rate=Decimal("4.90"))
    data = filled(
        client, ("MUG",), **{"items-0-quantity": "3", "discount_kind": "PERCENT", "discount_value": "10", "shipping_method": "Post"}
    )
    response = send(client, data, do="place")
    order = Order.objects.get()
    assert response.url == reverse("admin:orders_order_change", args=[order.pk])
    assert (order.total, order.discount, order.customer_name) == (Decimal("37.30"), Decimal("3.60"), "Zoé")
    assert stock_of("MUG") == (10, 3)


def test_a_free_item_with_price_and_vat_needs_no_catalogue(client, clerk):
    data = fields_of(send(client, fields_of(page(client)), do="custom"))
    typed = {
        "items-0-name": "Engraving",
        "items-0-price": "1.200,50",
        "items-0-vat_rate": "5,5",
        "items-0-options": "Text: Léa",
        "phone": "06 12 34 56 78",
    }
    data = fields_of(send(client, data, **typed))
    send(client, data, do="place")
    line = Order.objects.get().lines.get()
    assert (line.name, line.price, line.vat_rate, line.options) == (
        "Engraving",
        Decimal("1200.50"),
        Decimal("5.5"),
        [{"name": "Text", "value": "Léa"}],
    )


@pytest.mark.both_databases
def test_a_double_click_makes_one_order(client, clerk):
    make_variant("MUG")
    data = filled(client)
    first, second = send(client, data, do="place"), send(client, data, do="place")
    assert first.url == second.url
    assert Order.objects.count() == 1


def test_nothing_is_created_that_was_not_shown(client, clerk):
    make_variant("MUG", on_hand=10)
    data = filled(client)
    response = send(client, data, do="place", **{"items-0-quantity": "2"})
    assert "Nothing was created yet" in response.content.decode()
    assert Order.objects.count() == 0
    send(client, fields_of(response), do="place")
    assert Order.objects.get().lines.get().quantity == 2


def test_the_draft_is_kept_from_the_first_change_and_its_address_reloads_it(client, clerk):
    make_variant("MUG")
    data = fields_of(page(client))
    assert Draft.objects.count() == 0
    send(client, data, htmx=True, customer_name="Zoé", billing_city="Lyon")
    row = Draft.objects.get()
    assert OrderDraft.from_json(row.body).billing == Person(city="Lyon")
    assert page(client, draft=row.public_id).context["form"]["customer_name"].value() == "Zoé"


def test_a_missing_customer_is_named_and_nothing_is_lost(client, clerk):
    make_variant("MUG")
    data = filled(client, customer_name="", email="", staff_note="Ring twice")
    response = send(client, data, do="place")
    assert response.context["form"].errors["customer_name"] == ["An order needs a customer name, an e-mail address or a phone number."]
    assert response.context["form"]["staff_note"].value() == "Ring twice"
    assert Order.objects.count() == 0


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("items-0-quantity", "0"),
        ("items-0-quantity", "two"),
        ("items-0-price", "abc"),
        ("items-0-discount", "99"),
        ("discount_value", "99"),
        ("shipping_cost", "-1"),
        ("email", "zoe@"),
    ],
)
def test_a_wrong_field_is_marked_keeps_its_text_and_creates_nothing(client, clerk, field, text):
    make_variant("MUG")
    response = send(client, filled(client), do="place", **{field: text})
    html = response.content.decode()
    assert re.search(rf'id="id_{field}-error" class="error"', html)
    assert re.search(rf'name="{field}"[^>]*value="{text}"|value="{text}"[^>]*name="{field}"', html)
    assert Order.objects.count() == 0


def test_out_of_stock_is_said_before_placing_and_overselling_needs_right_and_tick(client, clerk):
    make_variant("MUG", on_hand=1)
    data = filled(client, ("MUG", "MUG"))
    response = send(client, data, oversell="on", do="place")
    assert "You may not sell below zero" in response.content.decode()
    client.force_login(make_clerk("orders.add_order", "orders.oversell_variant", "orders.change_draft", username="boss"))
    shown = send(client, data, oversell="on")
    send(client, fields_of(shown), do="place")
    assert Order.objects.get().is_oversold
    assert stock_of("MUG") == (1, 2)


def test_paid_now_records_a_payment_with_its_reference(client, clerk):
    make_variant("MUG")
    PaymentMethod.objects.create(name="Cash")
    data = filled(client, paid_now="on", payment_method="Cash", payment_reference="R-7")
    send(client, data, do="place")
    order = Order.objects.get()
    payment = order.payments.get()
    assert (order.payment_status.code, payment.amount, payment.method, payment.reference) == ("PAID", Decimal(12), "Cash", "R-7")


def test_an_online_method_is_not_paid_by_a_clerks_order(client, clerk):
    make_variant("MUG")
    PaymentMethod.objects.create(name="Card", is_online=True)
    send(client, filled(client, payment_method="Card"), do="place")
    assert Order.objects.get().payment_status.code == "AWAITING_PAYMENT"


def test_the_country_of_delivery_decides_the_vat(client, clerk):
    make_variant("MUG", price="12.00")
    data = filled(client, billing_country="US", same_address="on")
    send(client, data, do="place")
    order = Order.objects.get()
    assert (order.total, order.tax, order.lines.get().vat_category) == (Decimal(10), Decimal(0), "G")


@pytest.mark.both_databases
def test_a_customer_is_found_without_accents_and_fills_the_form(client, clerk):
    make_order(customer_name="Zoé Lefèvre", email="zoe@example.com", items={"MUG": 1})
    found = client.get(URL, {"suggest": "customers", "customer_search": "lefevre zo"})
    customer = Customer.objects.get()
    assert f"customer:{customer.pk}" in found.content.decode()
    data = fields_of(send(client, fields_of(page(client)), do=f"customer:{customer.pk}"))
    assert (data["customer_id"], data["email"], data["billing_city"]) == (str(customer.pk), "zoe@example.com", "Nantes")


def test_an_unknown_customer_is_made_from_what_was_typed(client, clerk):
    for typed, field in (("new@example.com", "email"), ("06 12 34 56 78", "phone"), ("Nadia", "customer_name")):
        data = fields_of(send(client, fields_of(page(client)), customer_search=typed, do="new-customer"))
        assert data[field] == typed


def test_removing_an_item_keeps_the_others(client, clerk):
    for sku in ("MUG", "BOWL"):
        make_variant(sku)
    data = fields_of(send(client, filled(client, ("MUG", "BOWL")), do="remove:0"))
    send(client, data, do="place")
    assert [line.sku for line in Order.objects.get().lines.all()] == ["BOWL"]


def test_the_answer_while_typing_holds_totals_and_effects_only(client, clerk):
    make_variant("MUG")
    html = send(client, filled(client), htmx=True, **{"items-0-quantity": "4"}).content.decode()
    assert 'id="total-figure" aria-live="polite" hx-swap-oob="true">€48.00' in html
    assert "4 pieces are reserved" in html
    assert "<form" not in html


def test_the_mail_is_read_as_it_will_arrive_in_the_customers_language(client, clerk):
    make_variant("MUG")
    data = filled(client, language="fr")
    key = next(
        effect.key for effect in page(client, draft=data["draft"]).context["sheet"].effects if effect.has_body and effect.is_optional
    )
    mail = client.get(URL, {"draft": data["draft"], "mail": key})
    assert "default-src 'none'" in mail["Content-Security-Policy"]
    assert "Zoé" in mail.content.decode()
    assert client.get(URL, {"draft": data["draft"], "mail": "nothing"}).status_code == 404


def test_an_unticked_mail_is_not_sent(client, clerk):
    make_variant("MUG")
    data = filled(client)
    sheet = page(client, draft=data["draft"]).context["sheet"]
    key = next(effect.key for effect in sheet.effects if effect.is_optional)
    shown = send(client, data, shown=[key])
    assert not next(effect for effect in shown.context["sheet"].effects if effect.key == key).is_on
    send(client, fields_of(shown) | {"shown": [key]}, do="place")
    assert Order.objects.get().events.get().facts["skipped"] == [key]


def test_without_the_right_there_is_no_form(client):
    client.force_login(make_clerk("orders.view_order"))
    assert client.get(URL).status_code == 403
    assert client.post(URL, {}).status_code == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"draft": "no-uuid"},
        {"email": "a\x00b", "customer_name": "Zoé"},
        {"article_search": "\x00", "do": "typed"},
        {"customer_search": "((([", "do": "typed"},
        {"items-TOTAL_FORMS": "1", "items-0-variant": "9" * 30, "items-0-quantity": "1"},
        {"items-TOTAL_FORMS": "nonsense"},
        {"customer_id": "9" * 30},
        {"do": "customer:x"},
        {"do": "remove:99"},
        {"language": "xx", "billing_country": "??", "pickup_at": "soon"},
    ],
)
@pytest.mark.both_databases
def test_nonsense_is_answered_and_creates_nothing(client, clerk, changes):
    data = fields_of(page(client))
    assert send(client, data, **changes).status_code in (200, 404)
    assert Order.objects.count() == 0


def test_somebody_elses_draft_stays_theirs(client, clerk):
    row = Draft.objects.create(created_at="2026-11-01T10:00Z", body={})
    assert client.get(URL, {"draft": row.public_id}).status_code == 403


def test_the_number_of_queries_does_not_grow_with_the_items(client, clerk, django_assert_max_num_queries):
    skus = [f"SKU{n}" for n in range(12)]
    for sku in skus:
        make_variant(sku)
    data = filled(client, skus)
    with django_assert_max_num_queries(30):
        send(client, data, htmx=True)
    with django_assert_max_num_queries(34):
        page(client, draft=data["draft"])


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("28,00", "28"),
        ("28.00", "28"),
        ("1 234,50", "1234.5"),
        ("1,234.50", "1234.5"),
        ("1.234,50", "1234.5"),
        ("1,234", "1234"),
        ("12 €", "12"),
        ("", None),
    ],
)
def test_amounts_are_read_as_people_type_them(text, amount):
    assert read_amount(text) == (Decimal(amount) if amount else None)


@pytest.mark.parametrize("text", ["abc", "1e400", "NaN", "--1", "1,2,3.4.5", "1" * 20])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(ValueError):
        read_amount(text)


def test_options_are_read_from_one_line():
    assert read_options("Size: L; Engraving: Léa") == ({"name": "Size", "value": "L"}, {"name": "Engraving", "value": "Léa"})
