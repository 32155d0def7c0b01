"""Each match of a search says what it matched, in the letters that were written."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from invoices.services.issuing import issue_invoice
from orders.explaining import explain
from orders.listing import newest
from orders.models import ExternalDocument, Note, Order
from orders.search import find_orders
from orders.services.editing import NoteWish
from orders.services.plan import apply
from tests.invoices.makers import make_seller
from tests.makers import ROBOT, make_order, make_shop, make_variant, set_status
from tests.orders.test_search import LEA, OTHER

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def order():
    make_shop()
    make_seller()
    make_variant("BOL-GRS", name="Bol en Grès")
    order = make_order(
        items={"BOL-GRS": 1},
        customer_name="Léa Dubreuil",
        email="Lea.D@example.com",
        phone="06 98 76 54 32",
        billing=LEA,
        shipping=LEA,
        transaction_id="ch_9F2kQ",
        customer_comment="Bonjour, merci de sonner chez le voisin du rez-de-chaussée, M. Pétard, si je suis absente ou en vacances.",
    )
    set_status(order, fulfilment="SHIPPED", carrier="Colissimo", tracking_number="6A123456789")
    apply(NoteWish(order_id=order.pk, actor=ROBOT, text="Rappeler jeudi")).or_raise()
    return order


def reasons(text: str) -> list[tuple[str, str, str]]:
    rows = newest(find_orders(Order.objects.present(), text), 50)
    return [tuple(reason) for found in explain(rows, text).values() for reason in found]


@pytest.mark.parametrize(
    ("text", "label", "original", "marked"),
    [
        ("6a123", "Tracking", "6A123456789", "6A123"),
        ("lea.d@", "E-mail", "Lea.D@example.com", "Lea.D@"),
        ("bol-g", "SKU", "BOL-GRS", "BOL-G"),
        ("gres", "Item", "Bol en Grès", "Grès"),
        ("9f2", "Transaction", "ch_9F2kQ", "9F2"),
        ("13100", "Postcode", "13100", "13100"),
        ("batiment", "Address", "Bâtiment B", "Bâtiment"),
        ("jeudi", "Note", "Rappeler jeudi", "jeudi"),
        ("98765", "Phone", "06 98 76 54 32", "98 76 5"),
        ("+33 6 12 34", "Phone", "+33 6 12 34 56 78", "33 6 12 34"),
        ("06 12 34", "Phone", "+33 6 12 34 56 78", "6 12 34"),
    ],
)
def test_a_match_says_what_it_matched(order, text, label, original, marked):
    assert reasons(text) == [(label, original, marked)]


def test_a_long_text_is_shown_around_the_words(order):
    [(label, text, marked)] = reasons("petard")
    assert (label, marked) == ("Customer comment", "Pétard")
    assert len(text) < 95
    assert "M. Pétard, si je" in text
    assert text[0] == "…"


def test_what_the_row_shows_is_not_said_again(order):
    for text in (order.number, f"#{order.number}", "dubreuil", "aix-en-provence", ""):
        assert reasons(text) == []


def test_each_word_has_its_reason(order):
    assert [label for label, _text, _marked in reasons("dubreuil gres jeudi")] == ["Item", "Note"]


def test_the_number_of_an_issued_or_imported_document_is_found_and_shown(order):
    number = issue_invoice(order.pk, actor=ROBOT).number
    assert reasons(number.lower()) == [("Invoice", number, number)]
    assert [row.pk for row in newest(find_orders(Order.objects.all(), number), 5)] == [order.pk]
    assert ExternalDocument.objects.count() == 0


def test_a_page_is_explained_by_a_bounded_number_of_queries(order):
    counts = []
    for _round in range(2):
        rows = list(find_orders(Order.objects.present(), "gres 13100 jeudi"))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            explain(rows, "gres 13100 jeudi")
        counts.append(len(queries))
        for _more in range(3):
            other = make_order(items={"BOL-GRS": 1}, billing=LEA, shipping=OTHER)
            apply(NoteWish(order_id=other.pk, actor=ROBOT, text="jeudi")).or_raise()
    assert counts == [4, 4]
    assert Note.objects.count() == 7
