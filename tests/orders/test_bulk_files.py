"""Files of many orders: one PDF of sheets or slips, and tables for other programs."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils import timezone

from orders.bulk import exporting, printing
from orders.bulk.jobs import clean_away, go_on, parts_of, propose, start, stop
from orders.bulk.working import work
from orders.exporting import safe_text
from orders.models import BulkJob, Order
from tests.makers import LEA, make_clerk, make_order, make_shop, make_variant

pytestmark = pytest.mark.django_db
AT = "2026-03-02T10:30:45Z"


@pytest.fixture(autouse=True)
def clerk(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    make_shop()
    return make_clerk(superuser=True)


def run(clerk, kind, wish, orders):
    job = propose(kind, wish, [] if kind == "export" else [order.pk for order in orders], user=clerk, total=len(orders))
    if kind == "export" and "result" not in wish:
        BulkJob.objects.filter(pk=job.pk).update(wish=wish | {"ids": [order.pk for order in orders]})
        job.refresh_from_db()
    start(job)
    while work(job.pk):
        pass
    return BulkJob.objects.get(pk=job.pk)


def content_of(job) -> bytes:
    with job.file.open("rb") as stream:
        return stream.read()


def rows_of(job):
    from openpyxl import load_workbook

    book = load_workbook(BytesIO(content_of(job)))
    return list(book.worksheets[0].iter_rows())


def dangerous_order(**fields):
    """An order whose customer typed formulas."""
    make_variant("MUG", name="=HYPERLINK(1)")
    order = make_order("PAID", items={"MUG": 2}, customer_name="@SUM(A1)", email="lea@example.com", **fields)
    Order.objects.filter(pk=order.pk).update(placed_at=AT, number="1001")
    return order


def test_csv_holds_exactly_these_bytes(clerk):
    order = dangerous_order(tags=("Gift",))
    job = run(clerk, "export", {"format": "csv", "rows": "items", "personal": False}, [order])
    assert content_of(job) == (
        b"\xef\xbb\xbfOrder,Placed on,Payment,Fulfilment,Currency,SKU,Item,Options,Quantity,Unit price,Amount,VAT rate in percent,VAT\r\n"
        b"1001,2026-03-02 11:30,Paid,Awaiting processing,EUR,MUG,'=HYPERLINK(1),,2,12.00,24.00,20.000,4.00\r\n"
    )
    assert (job.state, job.done, job.file_name[:7]) == ("done", 1, "orders-")


def test_french_spreadsheets_want_semicolons(clerk):
    from django.utils.translation import override

    with override("fr"):
        job = run(clerk, "export", {"format": "csv", "rows": "items", "personal": False}, [dangerous_order()])
    assert b"'=HYPERLINK(1);;2;12.00;24.00;20.000;4.00\r\n" in content_of(job)


def test_workbooks_have_typed_cells_and_no_formula(clerk):
    job = run(clerk, "export", {"format": "xlsx", "rows": "orders", "personal": True}, [dangerous_order()])
    heading, row = rows_of(job)
    cells = {title.value: cell for title, cell in zip(heading, row, strict=True)}
    assert (cells["Total"].data_type, float(cells["Total"].value), cells["Pieces"].value) == ("n", 24.0, 2)
    assert (cells["Placed on"].is_date, str(cells["Placed on"].value)) == (True, "2026-03-02 11:30:00")
    assert (cells["Customer"].data_type, cells["Customer"].value, cells["Customer"].quotePrefix) == ("s", "@SUM(A1)", True)
    assert (cells["Items"].value, cells["On hold"].value, cells["E-mail"].value) == ("2 × =HYPERLINK(1)", False, "lea@example.com")
    assert cells["Shipping address: city"].value == "Nantes"


def test_workbooks_show_amounts_by_their_currency_and_texts_as_they_are(clerk):
    order = dangerous_order(phone="+49 151 234", tags=("-x",))
    Order.objects.filter(pk=order.pk).update(currency="JPY")
    job = run(clerk, "export", {"format": "xlsx", "rows": "orders", "personal": True}, [order, make_order("PAID", phone="=1+1")])
    heading, yen, euros = rows_of(job)
    titles = [title.value for title in heading]
    at = titles.index
    assert [row[at("Total")].number_format for row in (yen, euros)] == ["#,##0", "#,##0.00"]
    assert [(row[at("Phone")].data_type, row[at("Phone")].value) for row in (yen, euros)] == [("s", "+49 151 234"), ("s", "=1+1")]
    assert (yen[at("Tags")].value, yen[at("Placed on")].number_format) == ("-x", "yyyy-mm-dd hh:mm")
    assert ("Coupon discount" in titles, "Coupon" in titles) == (True, False)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+33 6", "'+33 6"),
        ("-5", "'-5"),
        ("@x", "'@x"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("a\x00=b", "a=b"),
        ("5", "5"),
    ],
)
def test_no_text_becomes_a_formula(text, safe):
    assert safe_text(text) == safe


def test_personal_data_needs_its_right_when_the_file_is_made(clerk):
    clerk = make_clerk("orders.view_order", "orders.export_order", username="paul")
    job = run(clerk, "export", {"format": "csv", "rows": "orders", "personal": True}, [dangerous_order()])
    assert b"lea@example.com" not in content_of(job)
    assert b"E-mail" not in content_of(job)


def test_a_whole_result_is_exported_in_the_order_of_the_list(clerk, monkeypatch):
    monkeypatch.setattr(exporting, "CHUNK", 2)
    numbers = [make_order("PAID").number for _ in range(5)]
    make_order("AWAITING_PAYMENT")
    wish = {"format": "csv", "rows": "orders", "personal": False, "result": "payment=PAID&sort=placed_at"}
    job = run(clerk, "export", wish, numbers)
    assert [line.split(b",")[0].decode() for line in content_of(job).splitlines()[1:]] == numbers
    assert job.done == 5


def test_a_stopped_export_leaves_no_file(clerk, monkeypatch):
    monkeypatch.setattr(exporting, "CHUNK", 1)
    read = exporting.rows_of_orders
    monkeypatch.setattr(exporting, "rows_of_orders", lambda *args: (stop(BulkJob.objects.get()), read(*args))[1])
    job = run(clerk, "export", {"format": "csv", "rows": "orders", "personal": False}, [make_order(), make_order()])
    assert (job.state, bool(job.file), list(default_storage.listdir("."))) == ("stopped", False, [[], []])


def test_columns_and_rights_are_told_before_the_click(client):
    make_shop()
    client.force_login(make_clerk("orders.view_order", "orders.export_order", username="paul"))
    page = client.get(reverse("admin:orders_order_bulk"), {"ids": [make_order().pk], "action": "export"}).content.decode()
    assert "Without the customers’ names, addresses and contacts: you may not export personal data." in page
    assert 'name="personal"' not in page
    assert "Order, Placed on, Payment, Fulfilment, Currency, Items subtotal" in page


def test_the_file_is_for_who_may_still_have_it(clerk, client):
    job = run(clerk, "export", {"format": "csv", "rows": "orders", "personal": True}, [dangerous_order()])
    address = reverse("admin:orders_order_bulk_file", args=[job.public_id])
    client.force_login(clerk)
    assert b"".join(client.get(address).streaming_content) == content_of(job)
    client.force_login(make_clerk("orders.view_order", "orders.view_bulkjob", "orders.export_order", username="zoe"))
    assert client.get(address).status_code == 403


def test_files_go_after_a_day(clerk, client):
    job = run(clerk, "export", {"format": "csv", "rows": "orders", "personal": False}, [make_order()])
    clean_away(timezone.now() + timedelta(hours=23))
    assert default_storage.exists(job.file.name)
    client.force_login(clerk)
    assert job.file_name in client.get(reverse("admin:orders_order_bulk_job", args=[job.public_id])).content.decode()
    clean_away(timezone.now() + timedelta(hours=25))
    assert not default_storage.exists(job.file.name)
    page = client.get(reverse("admin:orders_order_bulk_job", args=[job.public_id])).content.decode()
    assert "The file was kept for 24 hours and is removed." in page
    assert client.get(reverse("admin:orders_order_bulk_file", args=[job.public_id])).status_code == 404


def pages_of(job) -> list[str]:
    import subprocess

    text = subprocess.run(["pdftotext", "-layout", "-", "-"], input=content_of(job), capture_output=True, check=True).stdout.decode()
    return text.rstrip("\f").split("\f")


@pytest.mark.pango
def test_slips_of_many_orders_are_one_pdf_in_their_order(clerk, monkeypatch):
    monkeypatch.setattr(printing, "CHUNK", 2)
    first, second, third = (make_order("PAID") for _ in range(3))
    job = run(clerk, "print", {"what": "slips"}, [third, first, second])
    titles = [f"Commande {order.number}" for order in (third, first, second)]
    assert [title in page for title, page in zip(titles, pages_of(job), strict=True)] == [True] * 3
    assert (job.state, set(job.items.values_list("state", flat=True)), parts_of(job)) == ("done", {"done"}, [])


@pytest.mark.pango
def test_a_killed_printer_goes_on_where_it_was(clerk, monkeypatch):
    monkeypatch.setattr(printing, "CHUNK", 1)
    orders = [make_order("PAID"), make_order("PAID")]
    printed, chunk = [], printing._print_chunk

    def die_after_one(claim, items):
        chunk(claim, items)
        printed.append(len(items))
        if len(printed) == 1:
            raise SystemExit

    monkeypatch.setattr(printing, "_print_chunk", die_after_one)
    with pytest.raises(SystemExit):
        run(clerk, "print", {"what": "sheets"}, orders)
    BulkJob.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    job = BulkJob.objects.get()
    work(job.pk)
    job.refresh_from_db()
    assert (job.state, printed, len(pages_of(job))) == ("done", [1, 1], 2)


def test_a_stopped_print_gives_what_is_made_and_goes_on(clerk, settings, monkeypatch, django_capture_on_commit_callbacks):
    monkeypatch.setattr(printing, "CHUNK", 1)
    settings.SHEET_PRINTER, settings.SHEET_JOINER = f"{__name__}.plain_printer", f"{__name__}.plain_joiner"
    chunk = printing._print_chunk
    monkeypatch.setattr(printing, "_print_chunk", lambda claim, items: (chunk(claim, items), stop(claim.job)))
    first, second = make_order("PAID"), make_order("PAID")
    job = run(clerk, "print", {"what": "sheets"}, [first, second])
    assert (job.state, content_of(job)) == ("stopped", f"{first.number};".encode())
    half = job.file.name
    monkeypatch.setattr("orders.bulk.jobs.ring", lambda *_args, **_options: None)
    with django_capture_on_commit_callbacks(execute=True):
        assert go_on(job)
    work(job.pk)
    job.refresh_from_db()
    assert content_of(job) == f"{first.number};{second.number};".encode()
    assert not default_storage.exists(half)


def plain_printer(what, orders, language):
    return "".join(f"{order.number};" for order in orders).encode(), {}


def plain_joiner(parts):
    return BytesIO(b"".join(part.read() for part in parts))


def test_an_order_that_can_not_be_printed_is_named(clerk, settings):
    settings.SHEET_PRINTER = "tests.orders.test_bulk_files.refusing_printer"
    gone = make_order("PAID")
    Order.objects.filter(pk=gone.pk).update(deleted_at=timezone.now())
    job = run(clerk, "print", {"what": "sheets"}, [make_order("PAID"), gone])
    assert list(job.items.values_list("state", "message")) == [("refused", "No ink."), ("refused", "This order was deleted.")]
    assert (job.state, bool(job.file)) == ("done", False)


def refusing_printer(what, orders, language):
    return b"", {order.pk: "No ink." for order in orders}


def test_addresses_of_both_kinds_are_told_apart(clerk):
    from dataclasses import replace

    order = make_order("PAID", billing=replace(LEA, city="Rennes"))
    job = run(clerk, "export", {"format": "xlsx", "rows": "orders", "personal": True}, [order])
    heading, row = rows_of(job)
    cells = {title.value: cell.value for title, cell in zip(heading, row, strict=True)}
    assert (cells["Billing address: city"], cells["Shipping address: city"], cells["Delivery country"]) == ("Rennes", "Nantes", "FR")
