"""The frame around every page: who sees which places, what Django's own pages look like, what errors say."""

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse

from ecwid_orders.palette import find_everything
from orders.models import Shop
from tests.makers import make_clerk, make_order, make_shop, make_variant

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 16


def places(response):
    return [str(item.label) for group in response.context["nav"] for item in group.items]


def test_a_clerk_sees_the_places_of_their_rights_only(client):
    client.force_login(make_clerk("orders.view_order"))
    assert places(client.get(reverse("admin:index"))) == ["Home", "Orders", "All data"]


def test_the_present_place_is_marked(client):
    client.force_login(make_clerk(superuser=True))
    page = client.get(reverse("admin:orders_order_changelist"))
    assert [str(item.label) for group in page.context["nav"] for item in group.items if item.current] == ["Orders"]


def test_the_sidebar_counts_orders_to_process(client):
    make_shop()
    make_order("PAID", items={"MUG": 1})
    make_order("PAID", "DELIVERED", items={"MUG": 1})
    client.force_login(make_clerk("orders.view_order"))
    page = client.get(reverse("admin:index"))
    assert [item.count for group in page.context["nav"] for item in group.items] == ["", "1", ""]


def test_the_frame_costs_few_queries(client, django_assert_max_num_queries):
    make_shop()
    client.force_login(make_clerk(superuser=True))
    with django_assert_max_num_queries(7):
        client.get(reverse("admin:all_data"))


@pytest.mark.parametrize(
    "name", ["invoices_invoiceseries_changelist", "invoices_invoiceseries_add", "staff", "password_change", "all_data", "search"]
)
def test_plain_pages_stand_in_the_frame_without_inline_code(client, name):
    client.force_login(make_clerk(superuser=True))
    page = client.get(reverse(f"admin:{name}"))
    text = page.content.decode()
    assert page.status_code == 200
    assert 'class="sidebar"' in text
    assert "<style" not in text
    assert " style=" not in text
    assert "<script>" not in text


def test_signing_in_says_what_is_wrong(client):
    make_clerk()
    page = client.post(reverse("admin:login"), {"username": "clerk", "password": "wrong"})
    assert page.status_code == 200
    assert 'role="alert"' in page.content.decode()
    assert 'class="sidebar"' not in page.content.decode()


def test_a_page_that_is_not_there_offers_the_search(client):
    page = client.get("/admin-of-old/")
    assert page.status_code == 404
    assert reverse("admin:search") in page.content.decode()


def test_the_logo_is_shown_and_nothing_else(client):
    shop = make_shop()
    shop.logo.save("logo.png", ContentFile(PNG))
    answer = client.get(reverse("admin:shop_logo"))
    assert (answer.status_code, answer["Content-Type"], b"".join(answer.streaming_content)) == (200, "image/png", PNG)
    shop.logo.save("logo.svg", ContentFile(b"<svg onload='alert(1)'/>"))
    assert client.get(reverse("admin:shop_logo")).status_code == 404


def test_the_search_finds_orders_customers_articles_and_pages(rf):
    make_shop()
    make_variant("LEA-CUP", name="Tasse Léa")
    order = make_order("PAID", items={"MUG": 1})
    request = rf.get("/")
    request.user = make_clerk(superuser=True)
    found = {str(group.title): [str(line.label) for line in group.lines] for group in find_everything(request, "lea")}
    assert found["Orders"] == [f"#{order.number} Léa Martin"]
    assert found["Articles"] == ["Tasse Léa (LEA-CUP)"]
    assert [line.url for group in find_everything(request, "all dat") for line in group.lines] == [reverse("admin:all_data")]


def test_the_search_shows_nothing_without_the_right(rf):
    make_shop()
    make_order("PAID", items={"MUG": 1})
    request = rf.get("/")
    request.user = make_clerk()
    assert find_everything(request, "lea") == []


def test_the_search_answers_a_fragment_to_the_palette(client):
    client.force_login(make_clerk(superuser=True))
    fragment = client.get(reverse("admin:search"), {"q": "nothing like it"}, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    assert "nothing like it" in fragment


def test_the_shop_names_itself_on_the_sign_in_page(client):
    make_shop(name="Épicerie & fils")
    assert "Épicerie &amp; fils" in client.get(reverse("admin:login")).content.decode()
    assert Shop.objects.count() == 1
