"""Documents through the browser: rights, double clicks, downloads that are verified, reasons instead of errors."""

from pathlib import Path

import pytest
from django.urls import reverse

from invoices import pdf, views
from invoices.errors import PdfUnavailable
from invoices.models import Invoice, PendingDocument
from invoices.panel import documents_of
from invoices.rendering import make_file
from orders.models import ExternalDocument
from tests.invoices.makers import make_invoice, make_seller
from tests.makers import make_clerk, make_order, make_variant

pytestmark = pytest.mark.django_db


def sign_in(client, *rights, superuser=False):
    client.force_login(make_clerk(*rights, superuser=superuser))


def url(name, *args):
    return reverse(f"documents:{name}", args=args)


def test_without_signing_in_there_is_no_document(client):
    make_seller()
    invoice = make_invoice()
    for address in (url("order_sheet", invoice.order_id), url("packing_slip", invoice.order_id), url("invoice", invoice.public_id)):
        answer = client.get(address)
        assert (answer.status_code, "login" in answer["Location"]) == (302, True)


def test_rights_are_asked_one_by_one(client):
    make_seller()
    invoice = make_invoice()
    sign_in(client, "orders.view_order")
    assert client.get(url("order_sheet", invoice.order_id)).status_code == 403
    assert client.get(url("invoice", invoice.public_id)).status_code == 403
    assert client.post(url("issue", invoice.order_id)).status_code == 403
    assert client.get(url("credit", invoice.public_id)).status_code == 403


def test_issuing_takes_a_post(client):
    make_seller()
    sign_in(client, superuser=True)
    assert client.get(url("issue", make_order("PAID").pk)).status_code == 405


def test_a_double_click_on_issue_makes_one_invoice(client):
    make_seller()
    order = make_order("PAID")
    sign_in(client, superuser=True)
    for _click in range(2):
        assert client.post(url("issue", order.pk), {"issue_key": "k1"}).status_code == 302
    assert Invoice.objects.count() == 1


def test_what_stands_against_it_is_said_with_its_place(client):
    make_seller(siren="")
    order = make_order("PAID")
    sign_in(client, superuser=True)
    client.post(url("issue", order.pk), {"issue_key": "k1"})
    answer = client.get(reverse("admin:invoices_sellerprofile_change", args=[1]))
    said = [str(message) for message in answer.context["messages"]]
    assert len(said) == 1
    assert "SIREN" in said[0]
    assert reverse("admin:invoices_sellerprofile_change", args=[1]) in said[0]


def test_an_order_invoiced_elsewhere_asks_before_issuing(client):
    make_seller()
    order = make_order("PAID")
    ExternalDocument.objects.create(order=order, number="2024-17")
    sign_in(client, superuser=True)
    assert "2024-17" in client.post(url("issue", order.pk), {"issue_key": "k1"}).content.decode()
    client.post(url("issue", order.pk), {"issue_key": "k1", "external_confirmed": "1"})
    assert Invoice.objects.count() == 1


def test_crediting_by_pieces_amount_and_rest(client):
    make_seller()
    invoice = make_invoice(items={"MUG": 3})
    line = invoice.lines.get()
    sign_in(client, superuser=True)
    address = url("credit", invoice.public_id)
    assert "Article MUG" in client.get(address).content.decode()
    for key, what in enumerate(
        ({"what": "pieces", f"line_{line.order_line_id}": 1}, {"what": "amount", "amount": "5.00"}, {"what": "rest"})
    ):
        for _click in range(2):
            client.post(address, {"issue_key": f"k{key}", "reason_text": "broken"} | what)
    assert [note.gross for note in Invoice.objects.credit_notes().order_by("id")] == [12, 5, 19]


def test_too_much_credit_is_refused_on_the_form(client):
    make_seller()
    invoice = make_invoice(items={"MUG": 1})
    sign_in(client, superuser=True)
    answer = client.post(url("credit", invoice.public_id), {"issue_key": "k", "what": "amount", "amount": "12.01"})
    assert answer.status_code == 400
    assert "12.00" in answer.content.decode()
    assert not Invoice.objects.credit_notes().exists()


@pytest.mark.pango
def test_the_invoice_opens_downloads_and_is_verified(client):
    make_seller()
    invoice = make_invoice()
    sign_in(client, "invoices.view_invoice")
    opened = client.get(url("invoice", invoice.public_id))
    assert (opened.status_code, opened["Content-Type"], opened.content[:4]) == (200, "application/pdf", b"%PDF")
    saved = client.get(url("invoice", invoice.public_id), {"download": "1"})
    assert saved["Content-Disposition"].startswith("attachment")
    assert invoice.number in saved["Content-Disposition"]
    assert [e.kind for e in invoice.events.order_by("id")] == ["issued", "rendered", "opened", "downloaded"]
    invoice.refresh_from_db()
    with Path(invoice.pdf.path).open("ab") as stored:
        stored.write(b"x")
    assert client.get(url("invoice", invoice.public_id)).status_code == 500


@pytest.mark.pango
def test_the_customers_link_shows_one_invoice_and_expires(client, monkeypatch):
    make_seller()
    invoice = make_file(make_invoice().pk)
    link = views.customer_link(invoice)
    assert client.get(link).content[:4] == b"%PDF"
    assert client.get(link[:-4] + "AAA/").status_code == 404
    monkeypatch.setattr(views, "LINK_AGE", -1)
    assert client.get(link).status_code == 404


def test_without_pango_the_page_says_what_to_install(client, monkeypatch):
    make_seller()
    invoice = make_invoice()
    sign_in(client, superuser=True)

    def missing(*args):
        raise PdfUnavailable(pdf.HOW_TO_GET_PANGO)

    monkeypatch.setattr(pdf, "print_here", missing)
    monkeypatch.setattr("invoices.rendering.print_apart", missing)
    for address in (url("order_sheet", invoice.order_id), url("invoice", invoice.public_id)):
        answer = client.get(address)
        assert answer.status_code == 503
        assert "apt install" in answer.content.decode()
    client.logout()
    answer = client.get(views.customer_link(invoice))
    assert (answer.status_code, b"apt" in answer.content) == (503, False)


def test_a_document_that_needs_staff_is_issued_by_trying_again(client):
    seller = make_seller(auto_issue="paid", siren="")
    order = make_order("PAID")
    sign_in(client, superuser=True)
    document = PendingDocument.objects.get()
    client.post(url("release", document.pk))
    document.refresh_from_db()
    assert (document.state, documents_of(order).rows[0].reasons[0]["code"]) == ("needs_staff", "seller_siren")
    seller.siren = "812345676"
    seller.save()
    client.post(url("release", document.pk))
    assert order.invoices.count() == 1


def test_the_order_page_shows_only_the_buttons_of_the_reader():
    make_seller()
    order = make_order("PAID")
    reader = make_clerk("invoices.view_invoice")
    assert (documents_of(order, reader).issue_url, documents_of(order, reader).sheet_url) == ("", "")
    issuer = make_clerk("invoices.issue_invoice", "orders.print_order", username="issuer")
    assert documents_of(order, issuer).issue_url == url("issue", order.pk)
    invoice = make_invoice(order)
    (row,) = documents_of(order, issuer).rows
    assert (row.title, row.open_url, row.credit_url, documents_of(order, issuer).issue_url) == (f"Invoice {invoice.number}", "", "", "")


def test_lists_open_within_a_query_budget(client, django_assert_max_num_queries):
    make_seller()
    make_variant("MUG", on_hand=20)
    for _n in range(4):
        make_invoice()
    sign_in(client, superuser=True)
    with django_assert_max_num_queries(25):
        answer = client.get(reverse("admin:invoices_invoice_changelist"))
    assert answer.status_code == 200
    for name in ("invoiceseries", "pendingdocument"):
        assert client.get(reverse(f"admin:invoices_{name}_changelist")).status_code == 200
    assert client.get(reverse("admin:invoices_invoice_change", args=[Invoice.objects.first().pk])).status_code == 200


def test_invoices_are_neither_added_changed_nor_deleted_in_the_lists(client):
    make_seller()
    invoice = make_invoice()
    sign_in(client, superuser=True)
    assert client.get(reverse("admin:invoices_invoice_add")).status_code == 403
    assert client.post(reverse("admin:invoices_invoice_change", args=[invoice.pk]), {"number": "X"}).status_code == 403
    assert client.get(reverse("admin:invoices_invoice_delete", args=[invoice.pk])).status_code == 403


def test_the_seller_is_edited_on_one_page_with_texts_per_language(client):
    seller = make_seller()
    sign_in(client, superuser=True)
    address = reverse("admin:invoices_sellerprofile_change", args=[1])
    form = client.get(address).context["adminform"].form
    data = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    data = {name: value for name, value in data.items() if value not in (None, False)}
    client.post(address, data | {"thanks_text_fr": "Merci", "siren": "812 345 676", "country": "FR"})
    seller.refresh_from_db()
    assert (seller.thanks_text, seller.siren) == ({"fr": "Merci"}, "812345676")
    answer = client.post(address, data | {"siren": "812345677", "country": "FR"})
    assert "siren" in answer.context["adminform"].form.errors
