"""Mails that bring an invoice or a credit note: they wait for it, carry it, or go without."""

from email import message_from_bytes, policy
from pathlib import Path

import pytest
from django.core.files.base import ContentFile

from invoices.models import Invoice, PendingDocument, SellerProfile
from invoices.services import release_documents
from notifications import delivery, services
from notifications.messages import message_of
from notifications.models import OutgoingEmail
from orders.edits import OrderEdit
from orders.models import Shop
from orders.services.payments import RefundWish
from orders.services.plan import Actor, apply
from orders.services.proposing import EditWish
from orders.services.undo import UndoWish
from tests.invoices.makers import make_invoice, make_seller
from tests.makers import make_clerk, make_order, set_status

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.7 the very bytes"


@pytest.fixture
def clerk():
    return Actor.clerk(make_clerk(superuser=True))


@pytest.fixture(autouse=True)
def seller():
    return make_seller(attach_to_mail=True, auto_issue=SellerProfile.AutoIssue.PAID)


def make_files():
    """What the rendering task does, without Pango."""
    import hashlib

    for invoice in Invoice.objects.filter(pdf=""):
        invoice.pdf.save(f"{invoice.number}.pdf", ContentFile(PDF), save=False)
        Invoice.objects.filter(pk=invoice.pk).update(
            pdf=invoice.pdf.name, pdf_sha256=hashlib.sha256(PDF).hexdigest(), pdf_size=len(PDF), render_state=Invoice.RenderState.READY
        )


def paid_by(clerk):
    order = make_order(payment="AWAITING_PAYMENT")
    event = set_status(order, actor=clerk, payment="PAID").event
    return order, event, order.mails.get(kind="status_changed")


def again(mail):
    return OutgoingEmail.objects.get(pk=mail.pk)


def test_the_mail_waits_for_the_invoice_and_brings_it(clerk):
    order, event, mail = paid_by(clerk)
    assert (mail.state, mail.waits_for_document) == ("held", True)
    services.release_now([event.pk], clerk)
    assert again(mail).state == "held"
    release_documents(event_ids=[event.pk])
    delivery.release_due()
    assert again(mail).state == "held"
    make_files()
    delivery.release_due()
    mail = again(mail)
    number = order.invoices.get().number
    assert (mail.state, mail.attachments[0]["number"]) == ("queued", number)
    message = message_from_bytes(message_of(mail, Shop.current()).as_bytes(), policy=policy.default)
    (attachment,) = message.iter_attachments()
    assert (attachment.get_filename(), attachment.get_content()) == (f"{number}.pdf", PDF)


def test_no_mail_prints_the_number_of_an_invoice(clerk):
    order, event, mail = paid_by(clerk)
    release_documents(event_ids=[event.pk])
    number = order.invoices.get().number
    assert number not in mail.text + mail.html + mail.subject
    assert "Facture (PDF)" in mail.text


def test_a_document_that_needs_staff_keeps_the_mail_until_it_is_sent_without(clerk):
    _order, event, mail = paid_by(clerk)
    PendingDocument.objects.update(state=PendingDocument.State.NEEDS_STAFF)
    services.release_now([event.pk], clerk)
    assert again(mail).state == "held"
    services.release_mail(mail.pk, clerk, without_documents=True)
    assert (again(mail).state, again(mail).attachments) == ("queued", [])


def test_a_document_that_is_not_issued_lets_the_mail_go_without(clerk):
    _order, event, mail = paid_by(clerk)
    PendingDocument.objects.update(state=PendingDocument.State.CANCELLED)
    services.release_now([event.pk], clerk)
    assert (again(mail).state, again(mail).attachments) == ("queued", [])


def test_the_confirmation_does_not_wait_for_the_invoice():
    order = make_order(payment="PAID")
    states = dict(order.mails.filter(audience="customer").values_list("kind", "state"))
    assert states == {"order_confirmation": "queued", "invoice": "held"}


def test_a_changed_file_is_never_sent(clerk):
    _order, event, mail = paid_by(clerk)
    release_documents(event_ids=[event.pk])
    make_files()
    services.release_now([event.pk], clerk)
    Path(Invoice.objects.get().pdf.path).write_bytes(b"other bytes")
    delivery.deliver()
    delivery.deliver()
    assert (again(mail).state, "not the one that was issued" in again(mail).last_error) == ("failed", True)


def test_a_refund_brings_its_credit_note(clerk):
    order = make_invoice().order
    apply(RefundWish(order_id=order.pk, actor=clerk, amount=order.total, reason="x", client_key="k")).or_raise()
    mail = order.mails.get(kind="refund_recorded")
    assert [row["kind"] for row in mail.attachments] == ["credit_note"]
    assert "Avoir (PDF)" in mail.text


def corrected(clerk):
    """An invoiced order whose address was put right: the mail that brings its new invoice."""
    order = make_invoice().order
    edit = OrderEdit(addresses={"billing.street": "5 rue des Lilas"}, reason="The house")
    event = apply(EditWish(order_id=order.pk, actor=clerk, edit=edit)).or_raise().event
    return event, order.mails.get(event=event)


def test_an_invoice_that_replaces_one_comes_with_its_credit_note(clerk):
    event, mail = corrected(clerk)
    assert ("Facture (PDF)" in mail.text, "Avoir (PDF)" in mail.text) == (True, True)
    release_documents(event_ids=[event.pk])
    make_files()
    services.release_now([event.pk], clerk)
    note, new = Invoice.objects.order_by("id")[1:]
    assert (again(mail).state, [row["document"] for row in again(mail).attachments]) == ("queued", [new.pk, note.pk])


def test_it_waits_for_the_file_of_the_credit_note_too(clerk):
    event, mail = corrected(clerk)
    release_documents(event_ids=[event.pk])
    make_files()
    Invoice.objects.filter(kind="credit_note").update(render_state=Invoice.RenderState.PENDING)
    services.release_now([event.pk], clerk)
    assert again(mail).state == "held"


def test_a_second_correction_stops_the_mail_of_the_first(clerk):
    first, mail = corrected(clerk)
    edit = OrderEdit(addresses={"billing.street": "6 rue des Lilas"}, reason="The house again")
    second = apply(EditWish(order_id=first.order_id, actor=clerk, edit=edit)).or_raise().event
    release_documents(event_ids=[first.pk, second.pk])
    make_files()
    services.release_now([first.pk, second.pk], clerk)
    last = first.order.mails.get(event=second)
    assert ((again(mail).state, again(mail).cancelled_reason), again(last).state) == (("cancelled", "no_document"), "queued")
    assert [row["number"][:2] for row in again(last).attachments] == ["F-", "AV"]


def test_an_unticked_invoice_is_not_announced(clerk):
    order = make_order(payment="AWAITING_PAYMENT")
    set_status(order, actor=clerk, payment="PAID", skip=frozenset({"document:invoice"}))
    mail = order.mails.get(kind="status_changed")
    assert (mail.attachments, "PDF" in mail.text) == ([], False)


def test_undo_stops_the_mail_and_its_invoice_together(clerk):
    order, event, mail = paid_by(clerk)
    apply(UndoWish(order_id=order.pk, event_id=event.pk, actor=clerk)).or_raise()
    assert again(mail).state == "cancelled"
    assert PendingDocument.objects.get(event=event).state == "cancelled"


def test_shops_that_attach_nothing_mail_at_once(clerk, seller):
    seller.attach_to_mail = False
    seller.save()
    order = make_order(payment="PAID")
    assert list(order.mails.filter(audience="customer").values_list("kind", flat=True)) == ["order_confirmation"]


def test_a_later_status_leaves_the_mail_that_brings_the_invoice(clerk):
    order, _event, mail = paid_by(clerk)
    set_status(order, actor=clerk, payment="PARTIALLY_REFUNDED")
    assert (again(mail).state, again(mail).waits_for_document) == ("held", True)


def test_a_cancellation_stops_the_mail_with_its_invoice(clerk):
    order, _event, mail = paid_by(clerk)
    set_status(order, actor=clerk, payment="CANCELLED")
    assert again(mail).state == "cancelled"
