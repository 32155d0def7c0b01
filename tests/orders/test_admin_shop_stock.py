"""Stock and products in the back office: added and taken away, never typed over; what was sold stays."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from orders.admin.stock import why
from orders.models import Product, StockMovement, Variant
from tests.makers import make_clerk, make_order, make_shop, make_tax_class, make_variant, stock_of

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40


@pytest.fixture(autouse=True)
def shop():
    return make_shop()


@pytest.fixture
def keeper(client):
    user = make_clerk("orders.view_variant", "orders.adjust_stock")
    client.force_login(user)
    return user


@pytest.fixture
def boss(client):
    user = make_clerk(superuser=True)
    client.force_login(user)
    return user


def adjust(client, variant, delta, reason="Stocktake", key="k1"):
    return client.post(f"/admin/orders/variant/{variant.pk}/adjust/", {"delta": delta, "reason": reason, "key": key}, follow=True)


def test_pieces_are_added_to_what_is_there_with_who_and_why(client, keeper):
    variant = make_variant("MUG", on_hand=10)
    adjust(client, variant, "\u22122", "Broken")
    row = StockMovement.objects.first()
    assert stock_of("MUG") == (8, 0)
    assert (row.delta_on_hand, row.on_hand_after, row.reason, row.actor_name, row.kind) == (-2, 8, "Broken", "clerk", "adjust")


@pytest.mark.both_databases
def test_a_second_click_moves_nothing(client, keeper):
    variant = make_variant("MUG", on_hand=10)
    adjust(client, variant, "+5")
    adjust(client, variant, "+5")
    assert stock_of("MUG") == (15, 0)


@pytest.mark.parametrize(
    ("delta", "reason", "field"), [("0", "x", "delta"), ("many", "x", "delta"), ("5", " ", "reason"), ("9999999", "x", "delta")]
)
def test_a_wrong_correction_names_the_field_and_moves_nothing(client, keeper, delta, reason, field):
    variant = make_variant("MUG", on_hand=10)
    html = adjust(client, variant, delta, reason).content.decode()
    assert re.search(rf'id="id_{field}-error" class="error"', html)
    assert stock_of("MUG") == (10, 0)


def test_correcting_needs_the_right(client):
    client.force_login(make_clerk("orders.view_variant"))
    variant = make_variant("MUG", on_hand=10)
    assert adjust(client, variant, "+5").status_code == 403
    assert "Correct the stock" not in client.get(f"/admin/orders/variant/{variant.pk}/change/").content.decode()


def test_the_arithmetic_of_available_comes_from_the_ledger(client, keeper):
    variant = make_variant("MUG", on_hand=10)
    make_order(items={"MUG": 2}, fulfilment="SHIPPED")
    held = make_order(items={"MUG": 3})
    found = why(Variant.objects.get(pk=variant.pk))
    assert [(row["kind"], row["on_hand"]) for row in found.sums] == [("settle", -2), ("opening", 10)]
    assert [row["name"] for row in found.sums] == ["Shipped with orders, less what came back", "Opening stock"]
    assert [(line.order.number, line.committed) for line in found.holding] == [(held.number, 3)]
    assert (found.on_hand, found.committed, found.available, found.is_true) == (8, 3, 5, True)


def test_a_counter_that_is_not_its_ledger_is_said_on_the_page(client, keeper):
    variant = make_variant("MUG", on_hand=10)
    Variant.objects.filter(pk=variant.pk).update(on_hand=12)
    html = client.get(f"/admin/orders/variant/{variant.pk}/change/").content.decode()
    assert "On hand is 12, its movements add up to 10." in html


def test_the_list_shows_low_and_oversold_first_and_filters_them(client, keeper):
    make_variant("FULL", on_hand=50, low_stock_limit=5)
    make_variant("LOW", on_hand=2, low_stock_limit=5)
    make_variant("SHORT", on_hand=1)
    Variant.objects.filter(sku="SHORT").update(committed=3)

    def skus(**query):
        return [v.sku for v in client.get("/admin/orders/variant/", query).context["page_of_variants"]]

    assert skus() == ["SHORT", "LOW", "FULL"]
    assert skus(show="oversold") == ["SHORT"]
    assert skus(show="low") == ["LOW"]
    assert skus(q="ful") == ["FULL"]


@pytest.mark.both_databases
def test_goods_are_received_line_by_line_or_not_at_all(client, keeper):
    make_variant("MUG", on_hand=10)
    make_variant("BOWL", on_hand=0, barcode="4006381333931")
    rows = {"reference": "BR-1", "key": "d1", "rows-TOTAL_FORMS": "2", "rows-INITIAL_FORMS": "0", "rows-0-sku": "MUG", "rows-0-pieces": "4"}
    wrong = client.post("/admin/orders/variant/receive/", rows | {"rows-1-sku": "NONE", "rows-1-pieces": "1"})
    assert "No article has this SKU or barcode." in wrong.content.decode()
    assert stock_of("MUG") == (10, 0)
    right = rows | {"rows-1-sku": "4006381333931", "rows-1-pieces": "6"}
    client.post("/admin/orders/variant/receive/", right)
    client.post("/admin/orders/variant/receive/", right)
    assert (stock_of("MUG"), stock_of("BOWL")) == ((14, 0), (6, 0))


def product_fields(**changes):
    values = {
        "name": "Bowl",
        "tax_class": str(make_tax_class().pk),
        "is_active": "on",
        "variants-TOTAL_FORMS": "1",
        "variants-INITIAL_FORMS": "0",
        "variants-0-sku": "BOWL",
        "variants-0-price": "24,50",
        "variants-0-is_tracked": "on",
        "variants-0-is_active": "on",
        "variants-0-position": "0",
        "variants-0-opening": "7",
        "files-TOTAL_FORMS": "0",
        "files-INITIAL_FORMS": "0",
    }
    return values | changes


def test_a_new_product_opens_its_stock_in_the_ledger(client, boss):
    client.post("/admin/orders/product/add/", product_fields())
    variant = Variant.objects.get(sku="BOWL")
    row = variant.movements.get()
    assert (str(variant.price), variant.on_hand, row.kind, row.delta_on_hand) == ("24.5000", 7, "opening", 7)


def test_a_product_form_never_types_over_a_counter(client, boss):
    client.post("/admin/orders/product/add/", product_fields())
    variant = Variant.objects.get(sku="BOWL")
    changed = product_fields(
        **{"variants-INITIAL_FORMS": "1", "variants-0-id": variant.pk, "variants-0-product": variant.product_id, "variants-0-on_hand": "99"}
    )
    client.post(f"/admin/orders/product/{variant.product_id}/change/", changed | {"name": "Deep bowl"})
    assert (Product.objects.get().name, stock_of("BOWL")) == ("Deep bowl", (7, 0))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"variants-0-price": "cheap"}, "Enter a number such as 12.50."),
        ({"variants-0-price": "-1"}, "Enter 0 or more."),
        ({"variants-0-sku": ""}, "This field is required."),
        ({"variants-TOTAL_FORMS": "0"}, "A product needs at least one variant with a SKU and a price."),
        ({"image": SimpleUploadedFile("a.png", b"<svg onload=alert(1)>")}, "Choose a PNG, JPEG or WebP image."),
    ],
)
def test_a_wrong_product_says_what_is_wrong_and_saves_nothing(client, boss, changes, text):
    assert text in client.post("/admin/orders/product/add/", product_fields(**changes)).content.decode()
    assert not Product.objects.exists()


def test_a_sold_product_is_archived_not_deleted(client, boss):
    make_order(items={"MUG": 1})
    product = Product.objects.get()
    assert client.post(f"/admin/orders/product/{product.pk}/delete/", {"post": "yes"}).status_code == 403
    assert "it is archived" in client.get(f"/admin/orders/product/{product.pk}/change/").content.decode()


def test_an_image_is_served_to_staff_by_what_its_bytes_say(client, boss):
    client.post("/admin/orders/product/add/", product_fields(image=SimpleUploadedFile("a.png", PNG)))
    address = f"/admin/orders/product/{Product.objects.get().pk}/image/"
    response = client.get(address)
    assert (response["Content-Type"], b"".join(response.streaming_content)) == ("image/png", PNG)
    client.force_login(make_clerk("orders.view_order", username="other"))
    assert client.get(address).status_code == 404


@pytest.mark.both_databases
def test_products_are_found_by_a_variants_sku(client, boss):
    make_variant("BOL-NUIT", name="Bol à thé")
    for text in ("bol-n", "the bol", "BOL A"):
        assert len(client.get("/admin/orders/product/", {"q": text}).context["cl"].result_list) == 1, text
