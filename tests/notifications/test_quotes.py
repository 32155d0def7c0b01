"""Quotes: printed without a number, mailed at once with the paper, kept as they were handed out."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from invoices.models import Quote
from invoices.quotes import quote_job, stored_quote
from notifications.messages import message_of
from notifications.models import MailSwitch, OutgoingEmail
from notifications.quotes import mail_quote
from notifications.services import resend
from orders.drafts import DraftLine, OrderDraft, Person
from orders.errors import OrderError
from orders.models import Draft, Shop
from orders.services.plan import Actor
from orders.services.reserving import make_quote, take_up, throw_away, was_handed_out
from tests.makers import make_clerk, make_shop, make_variant

pytestmark = pytest.mark.django_db
ACTOR = Actor.task("test")


@pytest.fixture(autouse=True)
def shop():
    return make_shop()


def make_offer(*, language="en", **facts):
    mug = make_variant("MUG", price="12.00")
    body = OrderDraft(
        lines=(DraftLine(variant_id=mug.pk, quantity=3), DraftLine(name="Engraving", price=Decimal(4), vat_rate=Decimal(20))),
        customer_name="Zoé Petit",
        email="zoe@example.com",
        language=language,
        billing=Person(name="Zoé Petit", city="Lyon", postcode="69001", country="FR"),
        shipping_cost=Decimal("4.90"),
    )
    values = {"body": body.as_json(), "customer_name": "Zoé Petit", "email": "zoe@example.com", "language": language} | facts
    row = Draft.objects.create(created_at=timezone.now(), **values)
    make_quote(row, timezone.now() + timedelta(days=30), actor=ACTOR)
    return row


def test_the_paper_says_it_is_no_invoice_until_when_it_holds_and_bears_no_number():
    html = quote_job(make_offer(), language="en").html
    assert "This document is not an invoice." in html
    assert "Valid until" in html
    assert "€44.90" in html
    assert "INV" not in html
    assert "Order " not in html


def test_a_mailed_quote_goes_at_once_with_the_stored_paper():
    row = make_offer()
    mail = mail_quote(row, actor=ACTOR, personal_word="See you on Friday.")
    assert (mail.state, mail.kind, mail.recipient, mail.draft, mail.order) == ("queued", "quote", "zoe@example.com", row, None)
    assert mail.release_at <= timezone.now()
    assert "See you on Friday." in mail.text
    assert "€44.90" in mail.text
    quote = Quote.objects.get()
    message = message_of(mail, Shop.current())
    [paper] = list(message.iter_attachments())
    assert paper.get_content() == stored_quote(quote)
    assert stored_quote(quote).startswith(b"%PDF")
    assert message_of(mail, Shop.current()).as_bytes() == message.as_bytes()


def test_two_clicks_mail_one_quote_and_a_change_mails_another():
    row = make_offer()
    assert mail_quote(row, actor=ACTOR) == mail_quote(row, actor=ACTOR)
    row.body = row.body | {"shipping_cost": "9.90"}
    row.save()
    mail_quote(row, actor=ACTOR)
    assert [(mail.kind, len(mail.attachments)) for mail in OutgoingEmail.objects.all()] == [("quote", 1), ("quote", 1)]
    assert sorted(Quote.objects.values_list("total", flat=True)) == [Decimal("44.90"), Decimal("49.90")]


def test_the_quote_speaks_the_customers_language():
    mail = mail_quote(make_offer(language="fr"), actor=ACTOR)
    assert mail.subject == "Votre devis de Comptoir du Lierre"
    assert "44,90" in mail.text
    assert mail.attachments[0]["name"].startswith("Devis-")


def test_sending_it_again_brings_the_same_paper():
    mail = mail_quote(make_offer(), actor=ACTOR)
    OutgoingEmail.objects.update(state="sent")
    again = resend(mail.pk, ACTOR, to="paul@example.com")
    assert again.attachments == mail.attachments


def test_an_expired_quote_a_draft_and_a_missing_address_are_not_mailed():
    row = make_offer()
    for values, reason in (
        ({"email": ""}, "no usable e-mail address"),
        ({"email": "zoe@example.com", "expires_at": timezone.now() - timedelta(days=1)}, "has expired"),
        ({"kind": Draft.Kind.DRAFT}, "Make a quote of this draft first"),
    ):
        Draft.objects.filter(pk=row.pk).update(**values)
        row.refresh_from_db()
        with pytest.raises(OrderError, match=reason):
            mail_quote(row, actor=ACTOR)
    assert not OutgoingEmail.objects.exists()


def test_a_shop_that_switched_quotes_off_mails_none():
    row = make_offer()
    MailSwitch.objects.create(kind="quote", is_on=False)
    with pytest.raises(OrderError, match="switched off"):
        mail_quote(row, actor=ACTOR)


def test_the_page_shows_the_mail_first_and_the_button_sends_it(client):
    row = make_offer()
    client.force_login(make_clerk("orders.add_order", "orders.view_draft", "orders.change_draft"))
    url = reverse("mail:quote", args=[row.public_id])
    page = client.get(url).content.decode()
    assert "zoe@example.com" in page
    assert "No order is made" in page
    assert "€44.90" in client.get(url, {"body": "1"}).content.decode()
    assert not OutgoingEmail.objects.exists()
    assert client.post(url, {"do": "send", "word": ""}).status_code == 302
    assert OutgoingEmail.objects.get().recipient == "zoe@example.com"


def test_the_quote_prints_and_only_for_who_may_see_the_draft(client):
    row = make_offer()
    client.force_login(make_clerk("orders.add_order", "orders.view_draft"))
    printed = client.get(reverse("documents:quote", args=[row.public_id]))
    assert (printed.status_code, printed["Content-Type"], printed.content[:4]) == (200, "application/pdf", b"%PDF")
    client.force_login(make_clerk("orders.add_order", username="other"))
    assert client.get(reverse("documents:quote", args=[row.public_id])).status_code == 403


def test_handed_out_paper_opens_as_it_was(client):
    row = make_offer()
    mail_quote(row, actor=ACTOR)
    row.body = row.body | {"shipping_cost": "9.90"}
    row.save()
    client.force_login(make_clerk("orders.add_order", "orders.view_draft"))
    quote = Quote.objects.get()
    assert client.get(reverse("documents:kept_quote", args=[quote.public_id])).content == stored_quote(quote)


def test_a_quote_that_a_customer_has_is_closed_not_deleted(client):
    row = make_offer()
    mail = mail_quote(row, actor=ACTOR)
    client.force_login(make_clerk("orders.view_draft", "orders.delete_draft", "orders.add_order", "orders.change_draft", username="ines"))
    page = client.get(reverse("admin:orders_draft_delete", args=[row.pk])).content.decode()
    assert "What the customer received stays readable" in page
    client.post(reverse("admin:orders_draft_delete", args=[row.pk]), {"post": "yes"}, follow=True)
    row.refresh_from_db()
    assert row.closed_at is not None
    assert (OutgoingEmail.objects.get().draft, stored_quote(Quote.objects.get())[:4]) == (row, b"%PDF")
    OutgoingEmail.objects.update(state="sent")
    assert resend(mail.pk, actor=ACTOR).draft == row
    listed = {state: str(row) in client.get("/admin/orders/draft/", {"state": state}).content.decode() for state in ("", "quote", "closed")}
    assert listed == {"": False, "quote": False, "closed": True}


def test_a_closed_draft_is_taken_up_again():
    row = make_offer()
    mail_quote(row, actor=ACTOR)
    assert throw_away(row, actor=ACTOR) is False
    take_up(row, actor=ACTOR)
    assert Draft.objects.get().closed_at is None


def test_a_quote_that_nobody_has_is_deleted():
    row = make_offer()
    assert not was_handed_out(row)
    assert throw_away(row, actor=ACTOR) is True
    assert not Draft.objects.exists()
