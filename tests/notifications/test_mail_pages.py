"""The pages of mails: the undo bar, the outbox, texts, what customers open."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.base import ContentFile
from django.test import RequestFactory
from django.utils import timezone

from notifications import carts, delivery
from notifications.downloads import link_to
from notifications.models import EmailTemplate, MailSwitch, OutgoingEmail
from notifications.undo_bar import undo_bars
from orders.drafts import DraftLine, OrderDraft
from orders.models import DigitalFile, Draft, Order, OrderEvent
from orders.services.plan import Actor
from tests.makers import make_clerk, make_order, make_shop, make_variant, set_status

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shop():
    return make_shop()


@pytest.fixture
def user():
    return make_clerk(superuser=True)


@pytest.fixture
def office(client, user):
    client.force_login(user)
    return client


def bars(user):
    request = RequestFactory().get("/")
    request.user = user
    return undo_bars(request)


def ship(user, order=None):
    return set_status(order or make_order(payment="PAID"), actor=Actor.clerk(user), fulfilment="SHIPPED").event


def test_the_bar_says_what_waits_and_until_when(user):
    event = ship(user)
    (bar,) = bars(user)
    assert (bar.number, bar.text, bar.waits, bar.held) == (f"#{event.order.number}", "now Shipped", "1 e-mail waits", 1)
    assert bar.release_at == event.mails.get().release_at
    assert (bar.undo_url, bar.send_url) == (f"/mail/undo/{event.pk}/", f"/mail/send-now/{event.pk}/")


def test_the_bar_is_the_clerks_own_and_goes_with_its_time(user):
    event = ship(user)
    assert bars(make_clerk(username="other")) == []
    OrderEvent.objects.filter(pk=event.pk).update(at=timezone.now() - timedelta(minutes=30))
    assert bars(user) == []


def test_the_bar_costs_one_query_without_changes_and_two_with(user, django_assert_num_queries):
    with django_assert_num_queries(1):
        bars(user)
    ship(user)
    with django_assert_num_queries(2):
        bars(user)


def test_several_orders_of_one_click_are_one_bar(user):
    from orders.services.plan import apply
    from orders.services.status import StatusWish

    ids = [make_order(payment="PAID").pk for _number in range(3)]
    apply(StatusWish(ids=ids, actor=Actor.clerk(user), fulfilment="PROCESSING"))
    (bar,) = bars(user)
    assert (bar.number, bar.waits) == ("3 orders", "3 e-mails wait")


def test_undo_from_the_bar_takes_everything_back(office, user):
    event = ship(user)
    response = office.post(f"/mail/undo/{event.pk}/", {"next": "/admin/"})
    assert response["Location"] == "/admin/"
    assert Order.objects.get(pk=event.order_id).fulfilment_status.code == "AWAITING_PROCESSING"
    assert event.mails.get().state == "cancelled"
    assert bars(user) == []


def test_send_now_from_the_bar_ends_the_waiting(office, user):
    event = ship(user)
    office.post(f"/mail/send-now/{event.pk}/")
    assert event.mails.get().state == "queued"
    assert bars(user) == []
    office.post(f"/mail/undo/{event.pk}/")
    assert Order.objects.get(pk=event.order_id).fulfilment_status.code == "SHIPPED"


def test_nobody_undoes_the_change_of_somebody_else(office, user):
    event = ship(make_clerk(username="other", superuser=True))
    assert office.post(f"/mail/undo/{event.pk}/").status_code == 404
    assert office.post("/mail/send-now/999999/").status_code == 404


def test_a_redirect_never_leaves_the_back_office(office, user):
    event = ship(user)
    assert office.post(f"/mail/send-now/{event.pk}/", {"next": "https://evil.example/"})["Location"] == "/admin/"


def test_the_outbox_lists_and_finds(office, user):
    order = make_order(payment="PAID", email="marsh@example.com")
    page = office.get("/admin/notifications/outgoingemail/").content.decode()
    assert f"Commande {order.number} enregistrée" in page
    for query, found in (
        ("q=marsh", True),
        (f"q=%23{order.number}", True),
        ("q=nobody", False),
        ("state=sent", False),
        ("kind=new_order", False),
    ):
        assert (
            f"Commande {order.number} enregistrée" in office.get(f"/admin/notifications/outgoingemail/?{query}").content.decode()
        ) is found


def test_the_outbox_costs_the_same_for_many_mails(office, django_assert_max_num_queries):
    for _number in range(6):
        make_order(payment="PAID")
    with django_assert_max_num_queries(22):
        office.get("/admin/notifications/outgoingemail/")


def test_a_mail_shows_its_answers_and_its_body_in_a_frame(office, shop):
    mail = make_order(payment="PAID").mails.get(kind="order_confirmation")
    delivery.deliver()
    page = office.get(f"/admin/notifications/outgoingemail/{mail.pk}/change/").content.decode()
    assert f'sandbox src="/mail/{mail.pk}/body/"' in page
    body = office.get(f"/mail/{mail.pk}/body/")
    assert body["Content-Security-Policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert body.content.decode() == mail.html


def test_mails_are_read_and_sent_by_those_who_may(client):
    mail = make_order(payment="PAID").mails.get(kind="order_confirmation")
    assert client.get(f"/mail/{mail.pk}/body/").status_code == 302
    client.force_login(make_clerk(username="x"))
    assert client.get(f"/mail/{mail.pk}/body/").status_code == 403
    assert client.get("/admin/notifications/outgoingemail/").status_code == 403
    client.post(f"/mail/{mail.pk}/stop/")
    assert client.post("/mail/pause/", {"paused": "1"}).status_code == 403
    assert OutgoingEmail.objects.get(pk=mail.pk).state == "queued"


def test_stopping_and_sending_again_from_the_page(office):
    mail = make_order(payment="PAID").mails.get(kind="order_confirmation")
    office.post(f"/mail/{mail.pk}/stop/")
    assert OutgoingEmail.objects.get(pk=mail.pk).state == "cancelled"
    office.post(f"/mail/{mail.pk}/send-again/", {"to": "new@example.com"})
    assert mail.resends.get().recipient == "new@example.com"


def test_pausing_stops_the_post_and_going_on_starts_it(office, shop):
    office.post("/mail/pause/", {"paused": "1"})
    assert type(shop).current().mail_paused is True
    assert "Paused: nothing is sent" in office.get("/admin/notifications/outgoingemail/").content.decode()
    office.post("/mail/pause/", {"paused": "0"})
    assert type(shop).current().mail_paused is False


def test_a_switch_turns_a_mail_off(office):
    office.post("/admin/notifications/emailtemplate/switch/", {"kind": "delivered", "on": "0"})
    assert MailSwitch.objects.get().is_on is False
    assert "delivered" not in MailSwitch.on()
    assert office.get("/admin/notifications/emailtemplate/").status_code == 200


def test_a_text_is_previewed_saved_and_reset(office):
    address = "/admin/notifications/emailtemplate/status_changed/en/"
    text = {"subject": "News", "preheader": "", "body": "# Hello\n\n{{ order.status_change }}\n\nBye {{ customer.name }}"}
    assert office.get(address).status_code == 200
    preview = office.post(f"{address}preview/", text)
    assert "Bye Anaïs Lefèvre" in preview.content.decode()
    assert not EmailTemplate.objects.exists()
    office.post(address, text)
    assert EmailTemplate.objects.get().subject == "News"
    office.post(address, {"reset": "1"})
    assert EmailTemplate.objects.get().is_active is False


def test_a_broken_text_is_refused_at_its_field_and_loses_nothing(office):
    address = "/admin/notifications/emailtemplate/status_changed/en/"
    response = office.post(address, {"subject": "News", "body": "# Hello\n\n{{ order.secret }} kept"})
    assert response.status_code == 422
    page = response.content.decode()
    assert "There is no order.secret in this mail." in page
    assert "{{ order.secret }} kept" in page
    assert office.post(f"{address}preview/", {"subject": "x", "body": "{% load x %}"}).status_code == 422


def bought_file():
    variant = make_variant("EBOOK", digital=True)
    return DigitalFile.objects.create(product=variant.product, name="guide.pdf", file=ContentFile(b"%PDF", "guide.pdf"), size=4)


def test_bought_files_come_with_the_payment_and_open_behind_their_link(client, shop):
    bought = bought_file()
    order = make_order(payment="AWAITING_PAYMENT", items={"EBOOK": 1})
    assert not order.mails.filter(kind="downloads").exists()
    set_status(order, payment="PAID")
    mail = order.mails.get(kind="downloads")
    assert not order.mails.filter(kind="delivered").exists()
    link = next(word for word in mail.text.split() if "/mail/file/" in word)
    path = link.split("8000")[1]
    assert b"".join(client.get(path).streaming_content) == b"%PDF"
    for _number in range(shop.download_limit - 1):
        client.get(path)
    assert client.get(path).status_code == 403
    assert bought.name in mail.text


def test_a_file_closes_with_the_order_and_with_its_time(client):
    bought = bought_file()
    order = make_order(payment="PAID", items={"EBOOK": 1})
    path = link_to(order, bought).split("8000")[1]
    assert client.get(path + "x/").status_code == 404
    set_status(order, payment="CANCELLED")
    assert client.get(path).status_code == 403


def make_cart(hours=3, **fields):
    """An English cart of two bowls, last touched `hours` ago."""
    body = OrderDraft(lines=(DraftLine(name="Bowl", quantity=2, price=Decimal("12")),)).as_json()
    values = {"kind": "cart", "email": "eve@example.com", "customer_name": "Eve", "language": "en", "total": 24, "body": body} | fields
    cart = Draft.objects.create(created_at=timezone.now(), **values)
    Draft.objects.filter(pk=cart.pk).update(updated_at=timezone.now() - timedelta(hours=hours))
    return cart


def test_a_cart_is_reminded_of_once_two_hours_after(client):
    cart = make_cart()
    make_cart(hours=1, email="young@example.com")
    assert [carts.remind_due(), carts.remind_due()] == [1, 0]
    mail = cart.mails.get()
    assert (mail.kind, mail.state, mail.subject) == ("abandoned_cart", "queued", "Your cart at Comptoir du Lierre")
    assert "2 × Bowl: €24.00" in mail.text
    assert "/mail/no-reminders/" in mail.unsubscribe_url


@pytest.mark.parametrize("fields", [{"source": "ecwid"}, {"kind": "quote"}, {"email": ""}, {"unsubscribed": True}, {"email": "nowhere"}])
def test_no_reminder_goes_to_other_drafts(fields):
    make_cart(**fields)
    assert carts.remind_due() == 0
    assert not OutgoingEmail.objects.exists()


def test_reminders_stop_on_the_button_and_not_on_the_visit(client):
    cart = make_cart()
    path = carts.stop_url(cart).split("8000")[1]
    assert client.get(path).status_code == 200
    assert Draft.objects.get(pk=cart.pk).unsubscribed is False
    assert client.post(path).status_code == 200
    assert Draft.objects.get(pk=cart.pk).unsubscribed is True
    assert client.post(path.replace("no-reminders/", "no-reminders/x")).status_code == 404
