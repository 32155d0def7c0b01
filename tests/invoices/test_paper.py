"""What stands on paper, read back from the PDF itself."""

import subprocess
from decimal import Decimal
from io import BytesIO

import pikepdf
import pytest
from django.utils import timezone

from invoices import pdf
from invoices.errors import RenderFailed
from invoices.glyphs import missing_characters
from invoices.models import Invoice
from invoices.printing import job_of_invoice
from invoices.rendering import make_file, stored_file
from invoices.services import credit_invoice
from invoices.sheets import order_sheet, packing_slip
from orders.drafts import DraftDiscount, DraftLine, Person
from orders.models import Note, Order
from tests.invoices.makers import make_invoice, make_seller
from tests.makers import LEA, ROBOT, make_order

pytestmark = [pytest.mark.django_db, pytest.mark.pango]
D = Decimal
COMPANY = Person(name="Le Goff", company="Maison Le Goff", street="27 quai de la Fosse", postcode="44000", city="Nantes", country="FR")


def read(content):
    """The text of a PDF, its spaces made plain."""
    text = subprocess.run(["pdftotext", "-layout", "-", "-"], input=content, capture_output=True, check=True).stdout.decode()
    return " ".join(text.replace("\u202f", " ").replace("\u00a0", " ").split())


def assert_holds(text, *parts):
    missing = [part for part in parts if part not in text]
    assert not missing, f"{missing} not in {text}"


def test_an_invoice_holds_every_mention_the_law_asks_for():
    make_seller(siret="81234567600017")
    order = make_order(
        fulfilment="SHIPPED",
        billing=COMPANY,
        shipping=COMPANY,
        tax_id="FR65912345675",
        language="en",
        po_number="PO 7",
        items={"MUG": 3},
        shipping_cost=D("4.90"),
    )
    invoice = make_invoice(order)
    text = read(stored_file(make_file(invoice.pk)))
    assert_holds(text, "Invoice", invoice.number, "Issue date", "Supply date", "Due date", "Your reference PO 7")
    assert_holds(
        text, "Comptoir du Lierre SARL", "capital of 10 000 €", "14 rue des Olivettes", "SIREN 812 345 676", "RCS Nantes 812 345 676"
    )
    assert_holds(text, "VAT no. FR 19 812 345 676", "Customer SIREN 912 345 675", "Customer VAT no. FR 65 912 345 675", "Maison Le Goff")
    assert_holds(text, "3 10.00 20% 30.00", "Shipping €4.08", "Total excl. VAT €34.08", "Total VAT €6.82", "Total incl. VAT €40.90")
    assert_holds(text, "20% 34.08 6.82", "Amount due €40.90", "No discount for early payment", "L. 441-10", "€40", "IBAN FR76 3000 6000")


def test_a_consumers_paid_invoice_asks_for_nothing():
    make_seller()
    text = read(stored_file(make_file(make_invoice(make_order("PAID", language="en")).pk)))
    assert_holds(text, "Balance €0.00", "Already paid −€12.00")
    assert "IBAN" not in text
    assert "Late payment" not in text


def test_a_credit_note_names_what_it_corrects_and_counts_backwards():
    make_seller()
    invoice = make_invoice(make_order("PAID", language="en"))
    note = credit_invoice(invoice.pk, actor=ROBOT, issue_key="a", reason_text="two cups arrived broken")
    text = read(stored_file(make_file(note.pk)))
    assert_holds(text, "Credit note", f"Cancels invoice {invoice.number}", "−10.00", "Total credited −€12.00", "two cups arrived broken")


def test_the_file_is_built_as_pdf_a_with_tags_and_all_fonts():
    make_seller()
    invoice = make_file(make_invoice(make_order("PAID", language="en")).pk)
    with pikepdf.open(invoice.pdf.path) as document, document.open_metadata() as metadata:
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "B")
        assert document.Root.OutputIntents[0].DestOutputProfile.N == 3
        assert document.Root.MarkInfo.Marked
        assert str(document.Root.Lang) == "en"
        assert document.trailer.ID[0]
        fonts = [font for page in document.pages for font in page.Resources.Font.values()]
        assert all("/FontFile" in str(list(font.DescendantFonts[0].FontDescriptor.keys())) for font in fonts)
        assert "/JavaScript" not in str(document.Root.keys())


def test_the_frozen_copy_gives_the_same_bytes_again():
    seller = make_seller()
    invoice = make_file(make_invoice().pk)
    seller.legal_name = "Another shop"
    seller.save()
    Order.objects.update(customer_name="Somebody else")
    assert pdf.print_apart(job_of_invoice(Invoice.objects.get(pk=invoice.pk))) == stored_file(invoice)


def test_sixty_lines_run_over_pages_with_their_header_on_each():
    make_seller()
    lines = tuple(DraftLine(name=f"Item number {n}", price=D(n), vat_category="S", vat_rate=D(20)) for n in range(1, 61))
    invoice = make_file(make_invoice(make_order("PAID", lines=lines, language="en")).pk)
    text = read(stored_file(invoice))
    assert text.count("Description") == 3
    assert all(text.count(f"Item number {n} ") == 1 for n in range(1, 61))
    assert_holds(text, "Page 3 / 3")


def test_the_order_sheet_says_that_it_is_no_invoice():
    make_seller()
    order = make_order(customer_comment="Ring twice", shipping_cost=D("4.90"), discounts=(DraftDiscount(label="Friends", value=D(2)),))
    Note.objects.create(order=order, author_name="Inès", text="Wrap it well", at=timezone.now())
    text = read(pdf.print_here(order_sheet(order, language="en")))
    assert_holds(text, f"Order {order.number}", "This document is not an invoice", "Awaiting payment", "Ring twice", "Wrap it well", "Inès")
    assert_holds(text, "Discount −€2.00", "Shipping €4.90", "Total €14.90", "including VAT €2.48", "Léa Martin", order.email)
    assert "Wrap it well" not in read(pdf.print_here(order_sheet(order, language="en", with_notes=False)))


def test_a_packing_slip_has_no_prices():
    make_seller()
    order = make_order(items={"MUG": 3}, extra_fields=({"title": "Gift message", "value": "Happy birthday"},))
    text = read(pdf.print_here(packing_slip(order, language="en")))
    assert_holds(text, "Packing slip", "3", "Article MUG", "Happy birthday", "3 items, 1 line", "Packed by")
    assert "12.00" not in text
    assert "Total" not in text


def test_characters_without_a_glyph_are_replaced_and_explained():
    make_seller()
    order = make_order(
        "PAID", billing=Person(name="李明 Zoë", street="1 rue A", city="Paris", postcode="75001", country="FR"), language="en"
    )
    invoice = make_file(make_invoice(order).pk)
    text = read(stored_file(invoice))
    assert_holds(text, "\ufffd\ufffd Zoë", "stands for a character that these fonts do not hold")
    assert missing_characters("李明 Zoë €\u202f\u2212") == ["李", "明"]


def test_arabic_runs_from_right_to_left():
    make_seller()
    order = make_order("PAID", billing=Person(name="ليلى بنعلي", street="12 rue A", city="Marseille", postcode="13001", country="FR"))
    html = job_of_invoice(make_invoice(order)).html
    assert '<bdi dir="rtl">ليلى بنعلي</bdi>' in html
    sheet = order_sheet(order, language="ar")
    assert '<html lang="ar" dir="rtl">' in sheet.html
    assert '<bdi dir="ltr">' in sheet.html
    assert pdf.print_here(sheet).startswith(b"%PDF")


def test_markup_in_names_is_text():
    make_seller()
    order = make_order(
        "PAID", lines=(DraftLine(name="<b>Mug</b> & <script>", price=D(5), vat_category="S", vat_rate=D(20)),), language="en"
    )
    job = job_of_invoice(make_invoice(order))
    assert "&lt;script&gt;" in job.html
    assert_holds(read(pdf.print_here(job)), "<b>Mug</b> & <script>")


SECRET = "a-secret-of-the-server"


@pytest.mark.parametrize(
    "payload",
    [
        "<img src='file://{path}'>",
        "<link rel=stylesheet href='file://{path}'>",
        "<style>@import url(file://{path});</style>",
        "<style>@font-face {{ font-family: X; src: url(file://{path}) }} body {{ font-family: X }}</style>",
        "<object data='file://{path}'></object>",
        "<embed src='file://{path}'>",
        "<base href='file://{folder}/'><img src='secret.txt'>",
        "<link rel=attachment href='file://{path}'>",
        "<a rel=attachment href='file://{path}'>x</a>",
        "<img src='http://127.0.0.1:9/x.png'>",
        "<div style='background: url(http://127.0.0.1:9/x.png)'>x</div>",
        "<svg xmlns='http://www.w3.org/2000/svg'><image href='file://{path}'/></svg>",
        "<img src='{path}'>",
        "<img src='asset:../print.css'>",
        "<a rel=attachment href='data:text/plain,a-secret-of-the-server'>x</a>",
    ],
)
def test_nothing_of_the_server_gets_into_a_document(payload, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    html = f"<html lang=en><title>x</title><body>{payload.format(path=secret, folder=tmp_path)}</body></html>"
    with pikepdf.open(BytesIO(pdf.print_here(pdf.Job(html)))) as document:
        assert not list(document.attachments)
        streams = b"".join(
            o.read_bytes() for o in document.objects if isinstance(o, pikepdf.Stream) and "/DCTDecode" not in str(o.get("/Filter"))
        )
    assert SECRET.encode() not in streams


def test_a_page_that_takes_too_much_is_stopped(monkeypatch):
    monkeypatch.setattr(pdf, "SECONDS", -9.98)  # less than a process takes to start
    with pytest.raises(RenderFailed):
        pdf.print_apart(pdf.Job("<p>x</p>"))


def test_a_crash_while_printing_keeps_the_number_and_can_be_tried_again(monkeypatch):
    make_seller()
    invoice = make_invoice()

    def crash(job):
        raise RenderFailed("no memory left")

    monkeypatch.setattr("invoices.rendering.print_apart", crash)
    for _attempt in range(3):
        with pytest.raises(RenderFailed):
            make_file(invoice.pk)
    invoice.refresh_from_db()
    assert (invoice.render_state, invoice.render_error, invoice.sequence) == ("failed", "no memory left", 1)
    monkeypatch.undo()
    assert make_file(invoice.pk).render_state == "ready"


def test_lea_gets_her_address_in_the_window():
    make_seller()
    text = read(stored_file(make_file(make_invoice(make_order("PAID", billing=LEA, shipping=LEA, language="fr")).pk)))
    assert_holds(text, "Léa Martin", "4 rue des Lilas", "44000 Nantes", "12,00 €", "20 %")
