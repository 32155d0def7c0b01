"""What was issued stays as it was: by service, by model, by SQL, by file."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, models, transaction
from django.db.models.deletion import ProtectedError

from invoices.errors import FileChanged, Immutable
from invoices.integrity import find_problems
from invoices.models import Invoice, InvoiceCounter, InvoiceEvent, InvoiceLine
from invoices.rendering import make_file, restore_file, stored_file
from invoices.triggers import missing_triggers, unprotect
from tests.invoices.makers import make_invoice, make_seller

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def invoice():
    make_seller()
    return make_invoice()


def test_querysets_refuse_to_change_or_delete(invoice):
    for attempt in (
        lambda: Invoice.objects.filter(pk=invoice.pk).update(gross=1),
        lambda: Invoice.objects.filter(pk=invoice.pk).delete(),
        lambda: Invoice.objects.bulk_update([invoice], ["gross"]),
        lambda: InvoiceLine.objects.update(name="x"),
        lambda: InvoiceLine.objects.all().delete(),
        lambda: InvoiceEvent.objects.all().delete(),
    ):
        with pytest.raises(Immutable):
            attempt()
    assert list(find_problems()) == []


def test_rows_refuse_to_be_saved_or_deleted(invoice):
    invoice.gross = 1
    for attempt in (invoice.save, lambda: invoice.save(update_fields=["gross"]), invoice.delete, invoice.lines.get().save):
        with pytest.raises(Immutable):
            attempt()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invoices_invoice SET gross = 1",
        "UPDATE invoices_invoice SET hash = 'x'",
        "DELETE FROM invoices_invoice",
        "UPDATE invoices_invoiceline SET net = 1",
        "DELETE FROM invoices_invoiceline",
        "UPDATE invoices_invoicevatgroup SET vat = 1",
        "DELETE FROM invoices_invoiceevent",
        "UPDATE invoices_invoicecounter SET last_number = 0",
        "DELETE FROM invoices_invoicecounter",
    ],
)
def test_the_database_itself_refuses(invoice, statement):
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert list(find_problems()) == []


def test_the_file_is_named_once(invoice):
    Invoice.objects.filter(pk=invoice.pk).update(pdf="a.pdf", pdf_sha256="x", pdf_size=1)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        Invoice.objects.filter(pk=invoice.pk).update(pdf="b.pdf")


def test_an_order_with_an_invoice_is_kept(invoice):
    with pytest.raises(ProtectedError):
        invoice.order.delete()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"buyer_name": "Somebody else"}, "do not match its hash"),
        ({"net": 1}, "do not add up"),
        ({"previous_hash": "0" * 64}, "does not link"),
    ],
)
def test_a_change_behind_the_triggers_is_found(invoice, change, said):
    unprotect(connection)
    models.QuerySet(Invoice).update(**change)
    problems = list(find_problems())
    assert any(said in problem for problem in problems)
    assert any("trigger" in problem for problem in problems)
    with pytest.raises(CommandError):
        call_command("verify_invoices", skip_checks=True)


def test_a_hole_in_a_series_is_found(invoice):
    make_invoice()
    unprotect(connection)
    for table in (InvoiceLine, InvoiceEvent):
        models.QuerySet(table).filter(invoice=invoice)._raw_delete("default")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM invoices_invoicevatgroup WHERE invoice_id = %s", [invoice.pk])
        cursor.execute("DELETE FROM invoices_invoice WHERE id = %s", [invoice.pk])
    assert any("is missing" in problem and "number 1 " in problem for problem in find_problems())


def test_all_triggers_stand(invoice):
    assert missing_triggers(connection) == []
    assert InvoiceCounter.objects.get().last_number == 1


@pytest.mark.pango
def test_one_changed_byte_of_the_file_is_found_and_mended_only_with_the_same_bytes(invoice):
    invoice = make_file(invoice.pk)
    content = stored_file(invoice)
    with Path(invoice.pdf.path).open("r+b") as stored:
        stored.seek(2000)
        stored.write(bytes([content[2000] ^ 1]))
    with pytest.raises(FileChanged):
        stored_file(invoice)
    assert invoice.events.filter(kind="verify_failed").count() == 1
    assert any("its file was changed" in problem for problem in find_problems())
    restore_file(invoice)
    assert stored_file(invoice) == content
    assert list(find_problems()) == []
