"""Drafts and quotes at the form: prices, discounts, dates, reservations, quotes that expire, copies, ordering again."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from orders.drafts import DraftLine, OrderDraft
from orders.models import Draft, Order, Product, StockMovement, Variant
from orders.services.plan import Actor
from orders.services.reordering import order_again
from tests.makers import make_clerk, make_order, make_shop, make_variant, stock_of
from tests.orders.test_manual_order import fields_of, filled, page, send

TIP = {"surcharge-count": "1", "surcharge-0-kind": "tip", "surcharge-0-amount": "1"}
pytestmark = pytest.mark.django_db
ACTOR = Actor.task("test")


@pytest.fixture(autouse=True)
def shop():
    return make_shop()


@pytest.fixture
def clerk(client):
    user = make_clerk("orders.add_order", "orders.view_order", "orders.view_draft", "orders.view_customer", "orders.delete_draft")
    client.force_login(user)
    return user


def opened(client):
    """The newest draft opened anew."""
    return fields_of(page(client, draft=Draft.objects.order_by("-pk").first().public_id))


def price_of(sku, amount):
    Variant.objects.filter(sku=sku).update(price=Decimal(amount))


def test_a_discount_on_an_item_is_an_amount_or_a_share(client, clerk):
    make_variant("MUG", price="12.00")
    data = filled(client, **{"items-0-quantity": "3", "items-0-discount": "10 %"})
    send(client, data, do="place")
    assert (Order.objects.get().lines.get().line_discount, Order.objects.get().total) == (Decimal("3.60"), Decimal("32.40"))
    data = filled(client, **{"items-0-quantity": "3", "items-0-discount": "5"})
    send(client, data, do="place")
    assert Order.objects.order_by("-pk").first().total == Decimal("31.00")


def test_a_share_follows_the_quantity_and_is_kept_as_a_share(client, clerk):
    make_variant("MUG", price="12.00")
    send(client, filled(client, **{"items-0-quantity": "2", "items-0-discount": "25%"}))
    data = opened(client)
    assert data["items-0-discount"] == "25\u00a0%"
    response = send(client, data, **{"items-0-quantity": "4"})
    assert response.context["sheet"].priced.order.total == Decimal("36.00")


def test_more_than_everything_off_an_item_is_refused_beside_the_field(client, clerk):
    make_variant("MUG")
    response = send(client, filled(client), do="place", **{"items-0-discount": "120 %"})
    assert response.context["sheet"].lines.forms[0].errors["discount"] == ["Enter at most 100\u00a0%."]


def test_a_typed_price_stands_against_the_catalogues_and_one_click_takes_that(client, clerk):
    make_variant("MUG", price="12.00")
    response = send(client, filled(client), **{"items-0-price": "9"})
    assert response.context["sheet"].rows[0].overridden == Decimal("12.00")
    response = send(client, fields_of(response), do="price:0")
    assert (response.context["sheet"].rows[0].overridden, fields_of(response)["items-0-price"]) == (None, "12.00")


def test_an_order_is_written_down_later_with_the_day_its_money_came(client, clerk):
    make_variant("MUG")
    data = filled(client, placed_at="2026-11-02T09:30", paid_now="on", paid_on="2026-11-05", payment_method="", payment_reference="CHQ 7")
    send(client, data, do="place")
    order = Order.objects.get()
    assert timezone.localtime(order.placed_at).strftime("%Y-%m-%d %H:%M") == "2026-11-02 09:30"
    payment = order.payments.get()
    assert (timezone.localdate(payment.received_at).isoformat(), payment.reference) == ("2026-11-05", "CHQ 7")


def test_an_order_of_tomorrow_is_refused(client, clerk):
    make_variant("MUG")
    tomorrow = (timezone.localtime() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    response = send(client, filled(client), do="place", placed_at=tomorrow)
    assert response.context["form"].errors["placed_at"] == ["This moment is still to come. Leave it empty for now."]
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("country", "reason"),
    [
        ("FR", "Goes to France: the VAT of the shop's own country applies."),
        ("BE", "Goes to Belgium: the shop has no rate for it, so the VAT of France applies."),
        ("CH", "Goes to Switzerland, outside the EU: no VAT (export)."),
    ],
)
def test_the_page_says_which_vat_applies_and_why(client, clerk, country, reason):
    make_variant("MUG")
    response = send(client, filled(client), billing_country=country)
    assert response.context["sheet"].tax_reasons == [reason]


def test_every_figure_shows_its_sum(client, clerk):
    make_variant("MUG", price="12.00")
    response = send(client, filled(client), shipping_label="Courier", shipping_cost="5", discount_value="2", **TIP)
    sums = response.context["sheet"].sums
    assert [(term.label, term.figure) for term in sums["total"].terms] == [
        ("Subtotal", "€12.00"),
        ("Discount", "\u2212€2.00"),
        ("Shipping", "+€5.00"),
        ("Tips", "+€1.00"),
    ]
    assert (sums["total"].result, sums["total"].differs) == ("€16.00", "")


def test_a_draft_has_a_name_and_a_copy_of_its_own(client, clerk):
    make_variant("MUG")
    data = fields_of(send(client, filled(client), draft_name="Window"))
    response = send(client, data, do="duplicate")
    first, copy = Draft.objects.order_by("pk")
    assert (first.name, copy.name, copy.body["lines"], copy.reserved_until) == ("Window", "Copy of Window", first.body["lines"], None)
    assert response.url.endswith(str(copy.public_id))


def test_reserving_at_the_form_keeps_pieces_that_the_order_takes_over(client, clerk):
    make_variant("MUG", on_hand=2)
    send(client, filled(client, **{"items-0-quantity": "2"}), do="reserve")
    assert stock_of("MUG") == (2, 2)
    data = opened(client)
    response = send(client, data)
    assert (response.context["sheet"].rows[0].available, response.context["sheet"].rows[0].is_short) == (2, False)
    send(client, fields_of(response), do="place")
    assert stock_of("MUG") == (2, 2)
    assert Order.objects.count() == 1


def test_what_cannot_be_reserved_is_said_beside_the_date(client, clerk):
    make_variant("MUG", on_hand=1)
    response = send(client, filled(client, **{"items-0-quantity": "2"}), do="reserve")
    assert response.context["sheet"].desk.form.errors["reserve_until"] == ["MUG is out of stock: 2 asked, 1 available."]
    assert stock_of("MUG") == (1, 0)


def test_the_card_says_where_items_and_reservation_differ_and_frees_the_pieces(client, clerk):
    make_variant("MUG", on_hand=5)
    send(client, filled(client), do="reserve")
    response = send(client, opened(client), **{"items-0-quantity": "3"})
    assert response.context["sheet"].desk.differences == ["MUG: 1 kept, 3 asked"]
    send(client, fields_of(response), do="release")
    assert stock_of("MUG") == (5, 0)


def test_a_quote_keeps_its_prices_while_the_catalogue_moves(client, clerk):
    make_variant("MUG", price="12.00")
    send(client, filled(client), do="quote")
    price_of("MUG", "15.00")
    data = opened(client)
    assert (Draft.objects.get().kind, data["items-0-price"]) == ("quote", "12.00")
    send(client, data, do="place")
    assert Order.objects.get().total == Decimal("12.00")


def test_what_is_added_to_a_quote_is_promised_too(client, clerk):
    make_variant("MUG", price="12.00")
    make_variant("BOWL", price="20.00")
    send(client, filled(client), do="quote")
    send(client, opened(client), article_search="BOWL", do="typed")
    price_of("BOWL", "25.00")
    send(client, opened(client), do="place")
    assert Order.objects.get().total == Decimal("32.00")


def test_a_quote_without_french_vat_stays_a_net_price(client, clerk):
    make_variant("MUG", price="12.00")
    send(client, filled(client, billing_country="CH"), do="quote")
    price_of("MUG", "15.00")
    send(client, opened(client), do="place")
    assert (Order.objects.get().total, Order.objects.get().tax) == (Decimal("10.00"), Decimal("0.00"))


@pytest.mark.parametrize(("answer", "total"), [("prices:keep", "12.00"), ("prices:renew", "15.00")])
def test_an_expired_quote_is_placed_once_somebody_said_what_becomes_of_its_prices(client, clerk, answer, total):
    make_variant("MUG", price="12.00")
    send(client, filled(client), do="quote")
    price_of("MUG", "15.00")
    Draft.objects.update(expires_at=timezone.now() - timedelta(days=1))
    response = send(client, opened(client), do="place")
    assert "This quote has expired" in response.content.decode()
    assert response.context["sheet"].desk.moved_prices == [{"name": "Article MUG", "then": Decimal("12.0000"), "now": Decimal("15.0000")}]
    assert not Order.objects.exists()
    send(client, opened(client), do=answer)
    send(client, opened(client), do="place")
    assert Order.objects.get().total == Decimal(total)


def test_a_quote_back_to_a_draft_follows_the_catalogue(client, clerk):
    make_variant("MUG", price="12.00")
    send(client, filled(client), do="quote")
    price_of("MUG", "15.00")
    send(client, opened(client), do="unquote")
    assert (Draft.objects.get().kind, opened(client)["items-0-price"]) == ("draft", "15.00")


def test_ordering_again_asks_todays_prices_and_copies_the_customer(client, clerk):
    make_variant("MUG", price="12.00")
    order = make_order(items={"MUG": 2})
    price_of("MUG", "15.00")
    response = client.post(reverse("admin:orders_order_again", args=[order.pk]))
    row = Draft.objects.get()
    assert (response.url.endswith(str(row.public_id)), row.reorder_of, row.left_out) == (True, order, [])
    data = opened(client)
    assert (data["items-0-price"], data["items-0-quantity"], data["email"]) == ("15.00", "2", order.email)
    assert data["billing_city"] == order.addresses.get(kind="billing").city
    assert Order.objects.count() == 1


def test_what_is_no_longer_sold_is_listed_with_what_to_do(client, clerk):
    make_variant("MUG", price="12.00")
    make_variant("OLD", price="7.00", name="Old bowl")
    order = make_order(items={"MUG": 1, "OLD": 2})
    Product.objects.filter(name="Old bowl").update(is_active=False)
    row = order_again(order, actor=ACTOR)
    assert [(item["name"], item["quantity"], Decimal(item["price"])) for item in row.left_out] == [("Old bowl", 2, Decimal("7.00"))]
    Draft.objects.update(created_by=clerk)
    assert "Old bowl" in page(client, draft=row.public_id).content.decode()
    send(client, opened(client), do="take:0")
    row.refresh_from_db()
    [mug, bowl] = OrderDraft.from_json(row.body).lines
    assert (bowl.name, bowl.price, bowl.quantity, bowl.variant_id, row.left_out) == ("Old bowl", Decimal("7.00"), 2, None, [])
    assert mug == DraftLine(variant_id=Variant.objects.get(sku="MUG").pk, quantity=1)


def test_deleting_a_draft_in_the_list_gives_its_pieces_back(client, clerk):
    make_variant("MUG", on_hand=5)
    send(client, filled(client), do="reserve")
    row = Draft.objects.get()
    response = client.post(reverse("admin:orders_draft_delete", args=[row.pk]), {"post": "yes"})
    assert (response.status_code, stock_of("MUG"), Draft.objects.count()) == (302, (5, 0), 0)


def test_the_articles_page_names_the_draft_that_keeps_its_pieces(client, clerk):
    mug = make_variant("MUG", on_hand=5)
    send(client, filled(client, draft_name="Window"), do="reserve")
    client.force_login(make_clerk("orders.view_variant", username="stock"))
    html = client.get(reverse("admin:orders_variant_change", args=[mug.pk])).content.decode()
    assert "Window" in html
    assert StockMovement.objects.filter(draft__name="Window").count() == 1
