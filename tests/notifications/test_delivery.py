"""What becomes of a mail between the outbox and the mail server."""

from datetime import timedelta

import pytest
from django.utils import timezone

from notifications import delivery, services
from notifications.integrity import find_problems
from notifications.models import DeliveryAccount, OutgoingEmail
from notifications.releasing import release_due
from orders.errors import InvalidWish, NotAllowed, OrderError
from orders.services.plan import Actor
from tests.makers import ROBOT, make_clerk, make_order, make_shop, set_status
from tests.notifications.smtp import start_server

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def shop():
    return make_shop(staff_addresses="")


@pytest.fixture
def mailbox(settings, shop):
    server, mailbox = start_server()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.DEFAULT_FROM_EMAIL = "orders@shop.example"
    yield mailbox
    server.stop()


def confirmed(**fields):
    """An order whose confirmation is ready to go."""
    order = make_order(payment="PAID", **fields)
    return order.mails.get(kind="order_confirmation")


def again(mail):
    return OutgoingEmail.objects.get(pk=mail.pk)


def make_due(mail):
    OutgoingEmail.objects.filter(pk=mail.pk).update(next_at=timezone.now())


def test_a_mail_arrives_with_its_headers(mailbox):
    mail = confirmed(email="lea@example.com")
    assert delivery.deliver().sent == 1
    (message,) = mailbox.messages
    assert str(message["From"]) == "Comptoir du Lierre <orders@shop.example>"
    assert str(message["To"]) == "Léa Martin <lea@example.com>"
    assert (message["Reply-To"], message["Auto-Submitted"], message["Content-Language"]) == ("shop@example.com", "auto-generated", "fr")
    assert message["Message-ID"] == mail.message_id == f"<order.{mail.order.public_id}@shop.example>"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert message.get_body(("plain",)).get_content().split() == mail.text.split()
    mail = again(mail)
    assert (mail.state, mail.attempts, mail.last_code, mail.is_kept) == ("sent", 1, 250, False)
    assert mail.sent_at
    assert mail.handoff_at


def test_later_mails_of_an_order_join_its_thread(mailbox):
    mail = confirmed()
    set_status(mail.order, fulfilment="SHIPPED")
    delivery.deliver()
    delivery.deliver()
    first, second = mailbox.messages
    assert second["In-Reply-To"] == first["Message-ID"]
    assert second["Message-ID"] != first["Message-ID"]


def test_one_connection_carries_a_round(mailbox):
    for _number in range(4):
        confirmed()
    assert delivery.deliver().sent == 4
    assert mailbox.connections == 1


def test_a_recipient_refused_for_good_is_dead_at_once(mailbox):
    mailbox.answers["gone@example.com"] = "550 5.1.1 no such user"
    bad, good = confirmed(email="gone@example.com"), confirmed()
    done = delivery.deliver()
    assert (done.sent, done.failed) == (1, 1)
    bad = again(bad)
    assert (bad.state, bad.last_code, bad.last_error, bad.handoff_at) == ("dead", 550, "5.1.1 no such user", None)
    assert again(good).state == "sent"


def test_a_full_mailbox_is_tried_again_later(mailbox):
    mailbox.answers["full@example.com"] = "452 4.2.2 mailbox full"
    mail = confirmed(email="full@example.com")
    delivery.deliver()
    mail = again(mail)
    assert (mail.state, mail.attempts, mail.last_error) == ("failed", 1, "4.2.2 mailbox full")
    assert timedelta(seconds=40) < mail.next_at - timezone.now() < timedelta(seconds=80)
    del mailbox.answers["full@example.com"]
    assert delivery.deliver().sent == 0
    make_due(mail)
    assert delivery.deliver().sent == 1
    assert [attempt.result for attempt in mail.tries.order_by("id")] == ["refused", "sent"]


def test_eight_tries_and_it_is_dead(mailbox):
    mailbox.answers["full@example.com"] = "452 4.2.2 mailbox full"
    mail = confirmed(email="full@example.com")
    for _number in range(9):
        make_due(mail)
        delivery.deliver()
    mail = again(mail)
    assert (mail.state, mail.attempts, mail.tries.count()) == ("dead", 8, 8)


def test_pauses_grow_to_four_hours():
    assert delivery.pause_after(1) <= timedelta(minutes=1.2)
    assert timedelta(minutes=51) <= delivery.pause_after(7) <= timedelta(minutes=77)
    assert delivery.pause_after(20) <= timedelta(hours=4.8)


def test_content_refused_by_the_server_was_not_taken(mailbox):
    mailbox.data_answers["spam@example.com"] = "554 5.7.1 looks like spam"
    mail = confirmed(email="spam@example.com")
    delivery.deliver()
    mail = again(mail)
    assert (mail.state, mail.last_code, mail.ambiguous) == ("dead", 554, False)


def test_silence_after_the_dot_is_doubtful_and_repeated_byte_for_byte(mailbox):
    mailbox.drop.add("lea@example.com")
    mail = confirmed(email="lea@example.com")
    delivery.deliver()
    mail = again(mail)
    assert (mail.state, mail.ambiguous, mail.attempts) == ("failed", True, 1)
    mailbox.drop.clear()
    make_due(mail)
    delivery.deliver()
    (_to, first), (_to2, second) = mailbox.taken
    assert first == second
    assert again(mail).state == "sent"


def test_an_unreachable_server_burns_no_attempt(settings, shop):
    from tests.notifications.smtp import free_port

    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    mail = confirmed()
    assert delivery.deliver().sent == 0
    mail, account = again(mail), DeliveryAccount.current()
    assert (mail.state, mail.attempts, mail.lease_token) == ("queued", 0, "")
    assert account.failures == 1
    assert account.open_until > timezone.now()
    assert "ConnectionRefusedError" in account.last_error


def test_while_the_breaker_is_open_nothing_is_tried(mailbox):
    DeliveryAccount.objects.create(name="default", open_until=timezone.now() + timedelta(minutes=1), failures=1)
    confirmed()
    assert delivery.deliver().sent == 0
    DeliveryAccount.objects.update(open_until=timezone.now() - timedelta(seconds=1))
    assert delivery.deliver().sent == 1
    assert DeliveryAccount.current().failures == 0


def test_without_a_mail_server_mails_are_kept(shop, settings):
    settings.EMAIL_BACKEND = "notifications.delivery.KeepingBackend"
    mail = confirmed()
    delivery.deliver()
    mail = again(mail)
    assert (mail.state, mail.is_kept, mail.tries.get().result) == ("sent", True, "kept")


def test_a_demo_shop_never_reaches_the_server(mailbox, shop):
    shop.is_demo = True
    shop.save()
    mail = confirmed()
    delivery.deliver()
    assert mailbox.taken == []
    assert again(mail).is_kept is True


def test_paused_mail_waits(mailbox, shop):
    shop.mail_paused = True
    shop.save()
    mail = confirmed()
    delivery.sweep()
    assert (again(mail).state, mailbox.taken) == ("queued", [])


def test_held_mails_go_when_their_time_has_come(mailbox):
    clerk = Actor.clerk(make_clerk(superuser=True))
    order = confirmed().order
    set_status(order, actor=clerk, fulfilment="SHIPPED")
    mail = order.mails.get(kind="shipped")
    delivery.sweep()
    assert again(mail).state == "held"
    OutgoingEmail.objects.filter(pk=mail.pk).update(release_at=timezone.now())
    delivery.sweep()
    assert again(mail).state == "sent"


def test_one_recipient_gets_the_mails_of_an_order_in_their_order(mailbox):
    mail = confirmed()
    set_status(mail.order, fulfilment="PROCESSING")
    token = "one"
    (first,) = delivery.claim(token)
    assert first.pk == mail.pk
    assert delivery.claim("two") == []


def test_a_dead_worker_loses_nothing(mailbox):
    mail = confirmed()
    delivery.claim("dead worker")
    assert delivery.deliver().sent == 0
    OutgoingEmail.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    delivery.sweep()
    mail = again(mail)
    assert (mail.state, mail.attempts, mail.ambiguous) == ("sent", 2, False)
    assert [attempt.result for attempt in mail.tries.order_by("id")] == ["lost", "sent"]


def test_a_worker_that_died_after_the_hand_off_leaves_a_doubt(mailbox):
    mail = confirmed()
    delivery.claim("dead worker")
    past = timezone.now() - timedelta(seconds=1)
    OutgoingEmail.objects.update(lease_until=past, handoff_at=past)
    delivery.requeue_lost()
    assert (again(mail).state, again(mail).ambiguous) == ("failed", True)


def test_a_worker_whose_lease_is_over_sends_nothing(mailbox):
    mail = confirmed()
    (claimed,) = delivery.claim("slow")
    OutgoingEmail.objects.update(lease_token="other")
    assert delivery._mark_handoff(claimed, "slow") is False
    assert again(mail).handoff_at is None


def test_what_could_not_be_tried_in_time_is_given_back(mailbox):
    mails = [confirmed() for _number in range(3)]
    assert delivery.deliver(seconds=0).sent == 0
    assert {again(mail).state for mail in mails} == {"queued"}


def test_send_again_is_the_same_body_in_a_row_of_its_own(mailbox):
    mail = confirmed()
    delivery.deliver()
    clerk = Actor.clerk(make_clerk("notifications.send_outgoingemail"))
    row = services.resend(mail.pk, clerk, to="other@example.com")
    assert services.resend(mail.pk, clerk, to="other@example.com") == row
    delivery.deliver()
    assert [address for address, _content in mailbox.taken] == [mail.recipient, "other@example.com"]
    assert (row.html, row.resend_of_id, row.message_id != mail.message_id) == (mail.html, mail.pk, True)


def test_stopping_and_repeating_need_the_right_and_a_fitting_state(mailbox):
    mail = confirmed()
    nobody, clerk = Actor.clerk(make_clerk(username="x")), Actor.clerk(make_clerk("notifications.send_outgoingemail"))
    for act in (services.cancel, services.resend, services.release_mail):
        with pytest.raises(NotAllowed):
            act(mail.pk, nobody)
    with pytest.raises(OrderError, match="still on its way"):
        services.resend(mail.pk, clerk)
    services.cancel(mail.pk, clerk)
    assert again(mail).cancelled_reason == "staff:clerk"
    with pytest.raises(OrderError, match="no longer be stopped"):
        services.cancel(mail.pk, clerk)
    with pytest.raises(InvalidWish):
        services.resend(mail.pk, clerk, to="nowhere")
    assert delivery.deliver().sent == 0


def test_send_now_does_not_wait_out_the_undo_time(mailbox):
    clerk = Actor.clerk(make_clerk(superuser=True))
    order = confirmed().order
    event = set_status(order, actor=clerk, fulfilment="SHIPPED").event
    assert services.release_now([event.pk], clerk) == 1
    assert order.mails.get(kind="shipped").state == "queued"
    assert services.release_now([event.pk], clerk) == 0


def test_integrity_names_mails_that_are_stuck(shop):
    mails = [confirmed() for _number in range(3)]
    assert list(find_problems()) == []
    late = timezone.now() - timedelta(hours=2)
    for mail, values in zip(
        mails,
        ({"state": "sending", "lease_until": late}, {"state": "held", "release_at": late}, {"state": "queued", "next_at": late}),
        strict=True,
    ):
        OutgoingEmail.objects.filter(pk=mail.pk).update(**values)
    assert len(list(find_problems())) == 3


def test_releasing_twice_releases_once(shop):
    confirmed()
    OutgoingEmail.objects.update(state="held", release_at=timezone.now())
    assert [release_due(), release_due()] == [1, 0]


def test_programs_may_release_what_they_caused(shop):
    assert services.release_now([], ROBOT) == 0
