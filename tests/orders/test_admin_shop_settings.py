"""Statuses, settings, tokens, drafts and carts in the back office."""

import re

import pytest

from orders.api.tokens import find_token
from orders.models import ApiToken, Carrier, Draft, Order, Shop, Status, TaxClass
from orders.services.fulfilment import ShipmentWish
from orders.services.plan import apply
from tests.makers import ROBOT, make_clerk, make_draft, make_order, make_shop, make_variant, stock_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shop():
    return make_shop()


@pytest.fixture(autouse=True)
def boss(client):
    user = make_clerk(superuser=True)
    client.force_login(user)
    return user


def status(code):
    return Status.objects.get(code=code)


def change(client, row, **values):
    """Send the form of a status back with changes."""
    html = client.get(f"/admin/orders/status/{row.pk}/change/")
    form = html.context["adminform"].form
    data = {name: form[name].value() for name in form.fields if form[name].value() not in (None, "") and form[name].value() is not False}
    return client.post(f"/admin/orders/status/{row.pk}/change/", {k: v for k, v in (data | values).items() if v is not None})


def test_a_custom_status_does_what_its_base_does(client):
    client.post(
        "/admin/orders/status/add/",
        {"base": status("SHIPPED").pk, "tone": "teal", "name_en": "With the engraver", "name_fr": "Chez le graveur"},
    )
    made = status("WITH_THE_ENGRAVER")
    assert (made.base.code, made.goods_left, made.own_mail, made.tone) == ("SHIPPED", True, "shipped", "teal")
    assert made.names == {"en": "With the engraver", "fr": "Chez le graveur"}
    assert not made.is_initial


def test_names_are_changed_per_language_without_json(client):
    change(client, status("PROCESSING"), name_en="In the workshop", name_fr="À l’atelier")
    assert status("PROCESSING").names == {"en": "In the workshop", "fr": "À l’atelier"}


def test_a_status_needs_a_name(client):
    html = change(client, status("PROCESSING"), name_en="", name_fr="").content.decode()
    assert "Give a name in at least one language." in html
    assert status("PROCESSING").names["en"] == "Processing"


def test_a_built_in_status_keeps_what_it_means(client):
    change(client, status("SHIPPED"), goods_left=None, counts_as_paid="on", code="X", stock_effect="release")
    assert (status("SHIPPED").goods_left, status("SHIPPED").counts_as_paid, status("SHIPPED").stock_effect) == (True, False, "hold")


def test_a_changed_stock_effect_moves_no_old_order_and_says_so(client):
    make_order(items={"MUG": 2})
    response = change(client, status("AWAITING_PAYMENT"), stock_effect="wait")
    page = client.get(response.url).content.decode()
    assert "1 order with this status keeps its stock as it is" in page
    assert stock_of("MUG") == (10, 2)


def test_a_used_status_is_retired_with_a_replacement_only(client):
    make_order(items={"MUG": 1}, fulfilment="PROCESSING")
    html = change(client, status("PROCESSING"), is_active=None).content.decode()
    assert "Orders have this status: say which one replaces it." in html
    change(client, status("PROCESSING"), is_active=None, replaced_by=status("SHIPPED").pk)
    assert (status("PROCESSING").is_active, status("PROCESSING").replaced_by.code) == (False, "SHIPPED")
    assert Order.objects.get().fulfilment_status.code == "PROCESSING"


def test_a_first_status_can_not_be_retired(client):
    change(client, status("AWAITING_PROCESSING"), is_active=None)
    assert status("AWAITING_PROCESSING").is_active


@pytest.mark.parametrize("code", ["PAID", "WITH_ORDERS"])
def test_only_an_unused_custom_status_is_deleted(client, code):
    client.post("/admin/orders/status/add/", {"base": status("PROCESSING").pk, "tone": "teal", "name_en": "With orders"})
    make_order(items={"MUG": 1}, fulfilment="WITH_ORDERS")
    assert client.post(f"/admin/orders/status/{status(code).pk}/delete/", {"post": "yes"}).status_code == 403
    client.post("/admin/orders/status/add/", {"base": status("PROCESSING").pk, "tone": "teal", "name_en": "Unused"})
    client.post(f"/admin/orders/status/{status('UNUSED').pk}/delete/", {"post": "yes"})
    assert not Status.objects.filter(code="UNUSED").exists()


def settings_fields(client, **changes):
    form = client.get("/admin/orders/shop/1/change/").context["adminform"].form
    data = {name: form[name].value() for name in form.fields if form[name].value() not in (None, "") and form[name].value() is not False}
    return data | changes


def test_settings_are_saved_and_say_the_next_number(client):
    client.post("/admin/orders/shop/1/change/", settings_fields(client, order_prefix="C-", order_digits="4", currency="usd"))
    assert (Shop.current().order_prefix, Shop.current().currency) == ("C-", "USD")
    assert "The next order gets the number C-0001." in client.get("/admin/orders/shop/1/change/").content.decode()


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("staff_addresses", "a@example.com\nnonsense", "“nonsense” is no e-mail address."),
        ("accent_color", "green", "Use the form #1f4d3a."),
        ("currency", "EURO", "at most 3 characters"),
        ("time_zone", "Mars/Olympus", "Select a valid choice."),
    ],
)
def test_a_wrong_setting_is_named_and_nothing_is_saved(client, field, value, text):
    html = client.post("/admin/orders/shop/1/change/", settings_fields(client, name="Other", **{field: value})).content.decode()
    assert text in html
    assert Shop.current().name == "Comptoir du Lierre"


def test_a_tracking_page_is_a_web_address_with_its_number(client):
    for url in ("javascript:alert({number})", "https://post.example.com/", "https://{number}.example.com/"):
        client.post("/admin/orders/carrier/add/", {"name": "Post", "tracking_url": url})
    assert not Carrier.objects.filter(name="Post").exists()


def test_a_tax_class_has_names_and_a_rate_per_country(client):
    rows = {
        "rates-TOTAL_FORMS": "2",
        "rates-INITIAL_FORMS": "0",
        "rates-0-country": "FR",
        "rates-0-rate": "5,5",
        "rates-1-country": "BE",
        "rates-1-rate": "6",
    }
    client.post(
        "/admin/orders/taxclass/add/", {"name_en": "Books", "name_fr": "Livres", "code": "books", "category": "S", "position": "9"} | rows
    )
    made = TaxClass.objects.get(code="books")
    assert made.names == {"en": "Books", "fr": "Livres"}
    assert [(str(rate.country), str(rate.rate)) for rate in made.rates.order_by("country")] == [("BE", "6.00"), ("FR", "5.50")]


def test_a_tokens_secret_is_shown_once_and_works_until_it_is_revoked(client):
    response = client.post("/admin/orders/apitoken/add/", {"name": "Storefront", "store_id": "1"})
    secret = re.search(r'<code id="secret">([^<]+)</code>', response.content.decode())[1]
    token = ApiToken.objects.get()
    assert find_token(secret) == token
    assert "no-store" in response["Cache-Control"]
    assert secret not in client.get(f"/admin/orders/apitoken/{token.pk}/change/").content.decode()
    client.post(f"/admin/orders/apitoken/{token.pk}/revoke/")
    assert find_token(secret) is None


def make_cart(**fields):
    values = {"kind": "cart", "customer_name": "Zoé", "created_at": "2026-11-01T10:00Z", "body": make_draft({"MUG": 2}).as_json()}
    return Draft.objects.create(**(values | fields))


def test_a_cart_is_placed_as_it_was_shown_once(client):
    cart = make_cart()
    address = f"/admin/orders/draft/{cart.pk}/change/"
    html = client.get(address).content.decode()
    assert "2 pieces are reserved" in html
    seen = re.search(r'name="seen" value="([^"]+)"', html)[1]
    first, second = client.post(address, {"seen": seen}), client.post(address, {"seen": seen})
    cart.refresh_from_db()
    assert first.url == second.url == f"/admin/orders/order/{cart.order_id}/change/"
    assert Order.objects.count() == 1


def test_a_cart_out_of_stock_says_so_and_is_not_placed(client):
    make_variant("MUG", on_hand=1)
    cart = make_cart()
    html = client.post(f"/admin/orders/draft/{cart.pk}/change/", {"seen": "x"}).content.decode()
    assert "MUG is out of stock: 2 asked, 1 available." in html
    assert Order.objects.count() == 0


def test_a_draft_opens_in_the_form_and_leaves_the_list_when_placed(client):
    draft = make_cart(kind="draft")
    assert client.get(f"/admin/orders/draft/{draft.pk}/change/").url == f"/admin/orders/order/add/?draft={draft.public_id}"
    Draft.objects.filter(pk=draft.pk).update(order=make_order(items={"MUG": 1}))
    assert not client.get("/admin/orders/draft/").context["cl"].result_list
    assert len(client.get("/admin/orders/draft/", {"state": "placed"}).context["cl"].result_list) == 1
    assert client.post(f"/admin/orders/draft/{draft.pk}/delete/", {"post": "yes"}).status_code == 403


def test_the_shop_begins_with_the_carriers_of_france():
    names = set(Carrier.objects.values_list("name", flat=True))
    assert {"Colissimo", "Chronopost", "Mondial Relay", "DPD", "DHL", "UPS", "GLS", "La Poste, lettre suivie"} <= names
    assert Carrier.objects.get(name="Chronopost").url_for("XY 1/2").endswith("listeNumerosLT=XY%201%2F2&langue=fr")


def test_a_carrier_in_use_is_switched_off_not_deleted(client):
    order, carrier = make_order("PAID"), Carrier.objects.get(name="DPD")
    address = f"/admin/orders/carrier/{carrier.pk}"
    assert "Delete" in client.get(f"{address}/change/").content.decode()
    apply(ShipmentWish(order_id=order.pk, actor=ROBOT, carrier="DPD", tracking_number="0991")).or_raise()
    html = client.get(f"{address}/change/").content.decode()
    assert ("https://trace.dpd.fr/fr/trace/0991" in html, "can’t be deleted" in html) == (True, True)
    assert client.post(f"{address}/delete/", {"post": "yes"}).status_code == 403
    client.post(f"{address}/change/", {"name": "DPD", "tracking_url": carrier.tracking_url})
    offered = client.get(f"/admin/orders/order/{make_order('PAID').pk}/shipment/").content.decode()
    assert ('<option value="DPD">' in offered, '<option value="DHL">' in offered) == (False, True)


def test_a_carrier_has_its_name_once(client):
    client.post("/admin/orders/carrier/add/", {"name": "  colissimo "})
    assert Carrier.objects.filter(name__iexact="colissimo").count() == 1
