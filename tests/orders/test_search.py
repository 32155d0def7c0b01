"""The search box: everything staff remember about an order finds it, in any spelling, alone and together."""

from datetime import timedelta
from decimal import Decimal
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection
from django.http import QueryDict
from django.utils import timezone

from orders.drafts import Person
from orders.finding import find_customers
from orders.listing import keyset_page, newest
from orders.models import Customer, Order
from orders.search import fact, find_orders, together
from orders.services.contact import ContactWish
from orders.services.editing import HoldWish, NoteWish
from orders.services.payments import PaymentWish
from orders.services.plan import apply
from tests.makers import ROBOT, make_order, make_shop, make_variant, set_status

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

LEA = Person(
    name="Léa Dubreuil",
    company="Salon Les Glycines",
    street="27 cours Mirabeau",
    street2="Bâtiment B",
    postcode="13100",
    city="Aix-en-Provence",
    country="FR",
    phone="+33 6 12 34 56 78",
)


OTHER = Person(name="Someone Else", street="1 Other Street", postcode="99999", city="Elsewhere", country="US")


def found(text: str) -> list[int]:
    return sorted(find_orders(Order.objects.all(), text).values_list("pk", flat=True))


@pytest.fixture
def order():
    make_shop()
    make_variant("BOL-Ø14", name="Bol en grès")
    make_order(customer_name="Someone Else", email="else@example.org", phone="0700000000", billing=OTHER, shipping=OTHER)
    return make_order(
        items={"BOL-Ø14": 1},
        customer_name="Léa Dubreuil",
        email="lea.dubreuil@example.com",
        phone="06 98 76 54 32",
        billing=LEA,
        shipping=LEA,
        transaction_id="ch_9F2kQ",
        po_number="BC-118",
        coupon_code="BIENVENUE",
        customer_comment="Sonnez chez le voisin",
    )


@pytest.mark.parametrize(
    "text",
    [
        "LEA",
        "léa dub",
        "dubreuil lea",
        "a.dubreuil@exa",
        "glycines",
        "cours mirabeau",
        "batiment",
        "13100",
        "aix-en",
        "bol-ø14",
        "BOL-Ø",
        "gres bol",
        "9f2kq",
        "bc-118",
        "bienvenue",
        "voisin",
        "lea 13100 grès",
        "du",
        "lé du",
        "l",
    ],
)
def test_everything_that_staff_remember_finds_the_order(order, text):
    assert found(text) == [order.pk]


@pytest.mark.parametrize(
    "text",
    [
        "06 12 34 56 78",
        "0612345678",
        "+33612345678",
        "+33 (0)6 12 34 56 78",
        "0033 6 12 34",
        "3456 78",
        "06.12.34",
        "98 76 54",
        "33698765432",
    ],
)
def test_a_phone_number_is_found_in_any_spelling(order, text):
    assert found(text) == [order.pk]


@pytest.mark.parametrize("text", ["zzz", "lea zzz", "%", "b_l-ø", "\\", '"', "lea OR zzz", "NOT zzz", "*", "(", "06 12 34 57", "éa\x00zzz"])
def test_what_no_order_holds_finds_nothing_and_breaks_nothing(order, text):
    assert found(text) == []


def test_an_empty_text_finds_all(order):
    assert len(found("")) == len(found("  ")) == len(found("#")) == 2


def test_a_number_is_found_with_and_without_its_sign(order):
    Order.objects.filter(pk=order.pk).update(number="7041", search=together([fact("N", "7041")], kept=order.search))
    assert found("7041") == found("#7041") == found("#70") == [order.pk]
    assert found("#041") == []


def test_an_order_with_exactly_this_number_stands_first_among_phones(order):
    now = timezone.now()
    others = [make_order(phone=f"06 12 70 41 {n:02}", placed_at=now + timedelta(minutes=n)) for n in range(3)]
    Order.objects.filter(pk=order.pk).update(number="7041", search=together([fact("N", "7041")], kept=order.search))
    page = keyset_page(find_orders(Order.objects.all(), "7041"), QueryDict("q=7041"))
    assert [row.pk for row in page.orders] == [order.pk, *(other.pk for other in reversed(others))]
    assert page.orders[0].number == "7041"


def test_what_is_recorded_later_finds_the_order_too(order):
    set_status(order, fulfilment="SHIPPED", carrier="Colissimo", tracking_number="6A123456789")
    apply(NoteWish(order_id=order.pk, actor=ROBOT, text="Rappeler\nle jeudi matin")).or_raise()
    apply(PaymentWish(order_id=order.pk, actor=ROBOT, amount=Decimal(1), reference="VIR 77-AB")).or_raise()
    for text in ("6a1234", "jeudi", "77-ab", "rappeler le jeudi"):
        assert found(text) == [order.pk]


def test_a_corrected_contact_finds_the_order_by_old_and_new_words(order):
    wish = ContactWish(order_id=order.pk, actor=ROBOT, values={"email": "neu@example.net", "phone": "+49 1555 001209"})
    apply(wish).or_raise()
    assert found("neu@example.net") == found("lea.dubreuil@") == found("01555 0012") == found("98765432") == [order.pk]


def test_two_characters_find_a_name_in_a_script_without_spaces(order):
    wang = make_order(customer_name="王小雨")
    assert found("王") == found("王小") == found("小雨") == found("王小雨") == [wang.pk]


def test_the_newest_matches_come_first_whatever_their_number(order):
    now = timezone.now()
    orders = [make_order(customer_name="Marie Common", placed_at=now - timedelta(days=n)) for n in (2, 0, 5, 1)]
    wanted = [orders[i].pk for i in (1, 3, 0, 2)]
    assert [row.pk for row in newest(find_orders(Order.objects.present(), "common marie"), 6)] == wanted
    assert [row.pk for row in keyset_page(find_orders(Order.objects.present(), "common"), QueryDict()).orders] == wanted


def test_a_search_can_be_a_part_of_another_query(order):
    inner = find_orders(Order.objects.present(), "dubreuil")
    assert list(Order.objects.filter(pk__in=inner.values("pk")).values_list("pk", flat=True)) == [order.pk]
    assert Order.objects.exclude(pk__in=inner.values("pk")).count() == 1


def test_an_order_that_is_gone_or_moved_is_found_no_more(order):
    Order.objects.filter(pk=order.pk).update(search="\nC third\n")
    assert (found("dubreuil"), found("third")) == ([], [order.pk])
    Order.objects.filter(pk=order.pk).update(placed_at=timezone.now() - timedelta(days=900))
    assert found("third") == [order.pk]
    Order.objects.filter(pk=order.pk).update(search="\nC last\n", placed_at=timezone.now())
    assert (found("third"), found("last")) == ([], [order.pk])


@pytest.mark.parametrize("text", ["n'guessan", "N’Guessan", "n`guessan", "n´guessan", "jean-luc", "jean‑luc n'guessan", "Jean–Luc"])
def test_apostrophes_and_dashes_find_each_other_in_any_spelling(text):
    make_shop()
    make_variant()
    order = make_order(customer_name="Jean‐Luc N’Guessan")

    assert found(text) == [order.pk]
    assert list(find_customers(Customer.objects.all(), text).values_list("name", flat=True)) == ["Jean‐Luc N’Guessan"]


def test_orders_of_before_the_one_spelling_are_found_after_the_migration():
    make_shop()
    make_variant()
    order = make_order(customer_name="N’Guessan")
    Order.objects.filter(pk=order.pk).update(search="\nC n’guessan\n")
    assert found("n'guessan") == []

    migration = import_module("orders.migrations.0021_one_spelling_of_marks")
    migration.tell_one_spelling(apps, SimpleNamespace(connection=connection))

    assert found("n'guessan") == [order.pk]
    assert found("n’guessan") == [order.pk]


def test_the_reason_of_a_hold_finds_the_order(order):
    apply(HoldWish(ids=[order.pk], actor=ROBOT, held=True, reason="Cheque hasn’t cleared")).or_raise()
    assert found("cheque hasn't cleared") == [order.pk]


def test_orders_held_before_are_found_by_their_reason_too(order):
    Order.objects.filter(pk=order.pk).update(is_held=True, hold_reason="Adresse à vérifier")
    assert found("adresse verifier") == []
    for _twice in range(2):
        import_module("orders.migrations.0023_find_reasons_of_holds").tell_reasons(apps, SimpleNamespace(connection=connection))
    assert found("adresse verifier") == [order.pk]
    assert Order.objects.get(pk=order.pk).search.count("H adresse a verifier") == 1
