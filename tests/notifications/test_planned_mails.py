"""Which mail a change sends, to whom, when, and why none goes."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications.models import MailSwitch, OutgoingEmail
from orders.errors import CannotUndo
from orders.models import Order
from orders.services.editing import DetailsWish
from orders.services.fulfilment import ShipmentWish, TrackingWish
from orders.services.payments import RefundWish
from orders.services.plan import Actor, NotGoing, apply, plan
from orders.services.status import StatusWish
from orders.services.stock import adjust_stock
from orders.services.undo import UndoWish
from tests.makers import ROBOT, make_clerk, make_draft, make_order, make_shop, make_variant, set_status

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture(autouse=True)
def shop():
    return make_shop()


@pytest.fixture
def clerk():
    return Actor.clerk(make_clerk(superuser=True))


def mails(order, **fields):
    rows = OutgoingEmail.objects.filter(order=order, audience="customer", **fields).order_by("id")
    return [(mail.kind, mail.state) for mail in rows]


def reasons(wish):
    (change,) = plan(wish).changes
    return [c.reason for c in change.consequences if isinstance(c, NotGoing)]


def test_a_placed_order_is_confirmed_and_staff_are_told():
    order = make_order(payment="PAID", items={"MUG": 2})
    assert mails(order) == [("order_confirmation", "queued")]
    mail = order.mails.get(kind="new_order")
    assert (mail.recipient, mail.state, mail.audience, mail.language) == ("staff@example.com", "queued", "staff", "fr")
    assert mail.reply_to == order.email
    assert order.mails.get(kind="order_confirmation").subject == f"Commande {order.number} enregistrée"


def test_an_unpaid_order_is_told_how_to_pay(shop):
    shop.bank_details = "IBAN FR76 3000 6000 0112"
    shop.save()
    order = make_order(payment="AWAITING_PAYMENT")
    mail = order.mails.get(kind="order_confirmation")
    assert mail.subject == f"Commande {order.number} enregistrée, en attente de paiement"
    assert "IBAN FR76 3000 6000 0112" in mail.text
    assert "IBAN FR76 3000 6000 0112" in mail.html


def test_shipping_sends_its_own_mail_with_the_number(clerk):
    order = make_order(payment="PAID")
    set_status(order, actor=clerk, fulfilment="SHIPPED", tracking_number="6A210", carrier="Colissimo")
    mail = order.mails.get(kind="shipped")
    assert (mail.state, mail.about, mail.release_at > mail.created_at) == ("held", "6A210", True)
    assert "6A210" in mail.text
    assert not order.mails.filter(kind="status_changed").exists()


def test_the_general_mail_names_both_statuses(clerk):
    order = make_order(payment="PAID")
    set_status(order, actor=clerk, fulfilment="PROCESSING")
    mail = order.mails.get(kind="status_changed")
    assert mail.subject == f"Commande {order.number}\u00a0: Traitement"
    assert "Paiement\u00a0: Payé · Exécution\u00a0: Traitement" in mail.text


def test_both_axes_in_one_wish_send_one_mail():
    order = make_order(payment="AWAITING_PAYMENT")
    set_status(order, payment="PAID", fulfilment="SHIPPED")
    assert mails(order) == [("order_confirmation", "queued"), ("shipped", "queued")]


def test_delivered_switched_off_sends_nothing_and_says_so():
    order = make_order(payment="PAID", fulfilment="SHIPPED")
    MailSwitch.objects.create(kind="delivered", is_on=False)
    wish = StatusWish(ids=[order.pk], actor=Actor.api("shop"), fulfilment="DELIVERED")
    assert reasons(wish) == ["This mail is switched off in the settings."]
    apply(wish).or_raise()
    assert mails(order) == [("order_confirmation", "queued")]


def test_a_status_that_mails_nobody_says_so():
    order = make_order(payment="PAID")
    order.fulfilment_status._meta.model.objects.filter(code="PROCESSING").update(mails_customer=False)
    wish = StatusWish(ids=[order.pk], actor=Actor.api("shop"), fulfilment="PROCESSING")
    assert reasons(wish) == ["Processing is set to mail nobody."]


def test_no_customer_mail_silences_the_customer_but_not_staff():
    order = make_order(payment="PAID", no_customer_mail=True)
    assert mails(order) == []
    assert order.mails.filter(kind="new_order").count() == 1


def test_an_order_without_address_says_why_nobody_is_mailed():
    order = make_order(payment="PAID", email="")
    wish = StatusWish(ids=[order.pk], actor=Actor.api("shop"), fulfilment="PROCESSING")
    assert reasons(wish) == ["The order has no e-mail address."]


def test_a_language_without_texts_falls_back_and_says_so(clerk):
    order = make_order(payment="PAID", language="ar")
    (change,) = plan(StatusWish(ids=[order.pk], actor=clerk, fulfilment="PROCESSING")).changes
    (mail,) = [c for c in change.consequences if c.key.startswith("mail:status")]
    assert mail.language == "fr"
    assert "There are no texts in Arabic; the shop’s language is used." in mail.describe().lines


def test_a_later_change_replaces_the_waiting_mail(clerk):
    order = make_order(payment="PAID")
    set_status(order, actor=clerk, fulfilment="PROCESSING")
    set_status(order, actor=clerk, fulfilment="SHIPPED")
    assert mails(order) == [("order_confirmation", "queued"), ("status_changed", "cancelled"), ("shipped", "held")]


def test_a_change_on_the_other_axis_replaces_nothing(clerk):
    order = make_order(payment="AWAITING_PAYMENT")
    set_status(order, actor=clerk, fulfilment="PROCESSING")
    set_status(order, actor=clerk, payment="PAID")
    assert mails(order)[1:] == [("status_changed", "held"), ("status_changed", "held")]


def test_a_return_to_what_the_customer_knows_sends_none(clerk):
    order = make_order(payment="PAID")
    set_status(order, actor=clerk, fulfilment="PROCESSING")
    set_status(order, actor=clerk, fulfilment="SHIPPED")
    set_status(order, actor=clerk, fulfilment="AWAITING_PROCESSING")
    assert mails(order)[1:] == [("status_changed", "cancelled"), ("shipped", "cancelled")]


def test_after_release_each_change_mails(clerk):
    order = make_order(payment="PAID")
    set_status(order, actor=clerk, fulfilment="PROCESSING")
    order.mails.filter(kind="status_changed").update(state="sent")
    set_status(order, actor=clerk, fulfilment="AWAITING_PROCESSING")
    assert mails(order)[1:] == [("status_changed", "sent"), ("status_changed", "held")]


def test_undo_stops_the_waiting_mail(clerk):
    order = make_order(payment="PAID")
    event = set_status(order, actor=clerk, fulfilment="SHIPPED").event
    apply(UndoWish(order_id=order.pk, event_id=event.pk, actor=clerk)).or_raise()
    mail = order.mails.get(kind="shipped")
    assert (mail.state, mail.cancelled_reason) == ("cancelled", "undone")
    assert Order.objects.get(pk=order.pk).fulfilment_status.code == "AWAITING_PROCESSING"


@pytest.mark.parametrize("state", ["queued", "sending", "sent", "failed", "dead"])
def test_a_change_whose_mail_left_can_not_be_undone(clerk, state):
    order = make_order(payment="PAID")
    event = set_status(order, actor=clerk, fulfilment="SHIPPED").event
    order.mails.filter(event=event).update(state=state)
    outcome = apply(UndoWish(order_id=order.pk, event_id=event.pk, actor=clerk))
    assert isinstance(outcome.refusals[order.pk], CannotUndo)
    assert Order.objects.get(pk=order.pk).fulfilment_status.code == "SHIPPED"


def test_undoing_a_replacement_brings_the_first_mail_back(clerk):
    order = make_order(payment="PAID")
    set_status(order, actor=clerk, fulfilment="PROCESSING")
    event = set_status(order, actor=clerk, fulfilment="SHIPPED").event
    apply(UndoWish(order_id=order.pk, event_id=event.pk, actor=clerk)).or_raise()
    assert mails(order)[1:] == [("status_changed", "held"), ("shipped", "cancelled")]


def test_an_unticked_mail_is_not_written(clerk):
    order = make_order(payment="PAID")
    set_status(order, actor=clerk, fulfilment="SHIPPED", skip=frozenset({f"mail:shipped:{order.email}"}))
    assert mails(order) == [("order_confirmation", "queued")]


def test_a_personal_word_stands_in_the_mail(clerk):
    order = make_order(payment="PAID")
    set_status(order, actor=clerk, fulfilment="PROCESSING", personal_word="Votre broderie est faite.\n<b>Merci</b>")
    mail = order.mails.get(kind="status_changed")
    assert "Message de Comptoir du Lierre" in mail.text
    assert "Votre broderie est faite.<br>&lt;b&gt;Merci&lt;/b&gt;" in mail.html


def test_a_second_parcel_with_a_number_is_told_once(clerk):
    order = make_order(payment="PAID", items={"MUG": 3})
    line = order.lines.get()
    apply(ShipmentWish(order_id=order.pk, actor=clerk, quantities={line.pk: 1}, tracking_number="A1")).or_raise()
    order.mails.filter(kind="shipped").update(state="sent")
    apply(ShipmentWish(order_id=order.pk, actor=clerk, quantities={line.pk: 1}, tracking_number="A1")).or_raise()
    apply(ShipmentWish(order_id=order.pk, actor=clerk, quantities={line.pk: 1}, tracking_number="A2")).or_raise()
    assert list(order.mails.filter(kind="shipped").order_by("id").values_list("about", flat=True)) == ["A1", "A2"]


def test_a_changed_number_is_told_as_such(clerk):
    order = make_order(payment="PAID")
    set_status(order, actor=clerk, fulfilment="SHIPPED", tracking_number="OLD")
    order.mails.filter(kind="shipped").update(state="sent")
    shipment = order.shipments.get()
    apply(TrackingWish(order_id=order.pk, shipment_id=shipment.pk, actor=clerk, tracking_number="NEW")).or_raise()
    mail = order.mails.get(about="NEW")
    assert (mail.text_name, mail.subject) == ("tracking_changed", f"Commande {order.number}\u00a0: nouveau numéro de suivi")


def test_a_number_changed_in_time_is_never_called_changed(clerk):
    order = make_order(payment="PAID")
    set_status(order, actor=clerk, fulfilment="SHIPPED", tracking_number="OLD")
    shipment = order.shipments.get()
    apply(TrackingWish(order_id=order.pk, shipment_id=shipment.pk, actor=clerk, tracking_number="NEW")).or_raise()
    rows = order.mails.filter(kind="shipped").order_by("id").values_list("text_name", "about", "state")
    assert list(rows) == [("shipped", "OLD", "cancelled"), ("shipped", "NEW", "held")]


def test_a_refund_sends_one_mail_that_names_the_status(clerk):
    order = make_order(payment="PAID", items={"MUG": 2})
    wish = RefundWish(order_id=order.pk, actor=clerk, amount=order.total / 2, reason="ébréché", client_key="k")
    apply(wish).or_raise()
    assert [kind for kind, _state in mails(order)] == ["order_confirmation", "refund_recorded"]
    mail = order.mails.get(kind="refund_recorded")
    assert "Remboursement de 12,00\u00a0€" in mail.subject
    assert "Partiellement remboursé" in mail.text


def test_cancelling_says_whether_money_comes_back(clerk):
    unpaid = make_order(payment="AWAITING_PAYMENT")
    paid = make_order(payment="PAID")
    for order in (unpaid, paid):
        set_status(order, actor=clerk, payment="CANCELLED")
    assert "Aucune somme n’a été prélevée." in unpaid.mails.get(kind="status_changed").text
    assert "lorsque votre remboursement sera enregistré" in " ".join(paid.mails.get(kind="status_changed").text.split())


def test_low_stock_is_told_once_per_crossing():
    make_variant("BOWL", on_hand=8, low_stock_limit=5)
    make_order(payment="PAID", items={"BOWL": 2})
    make_order(payment="PAID", items={"BOWL": 2})
    make_order(payment="PAID", items={"BOWL": 1})
    (mail,) = OutgoingEmail.objects.filter(kind="low_stock")
    assert (mail.audience, mail.recipient, mail.state) == ("staff", "staff@example.com", "queued")
    assert "de 6 à 4" in mail.text


def test_copies_go_to_staff_where_the_shop_wants_them(clerk):
    MailSwitch.objects.create(kind="copy_to_staff", is_on=True)
    order = make_order(payment="PAID")
    set_status(order, actor=clerk, fulfilment="SHIPPED")
    copy = order.mails.get(kind="shipped", audience="staff")
    assert (copy.recipient, copy.state) == ("staff@example.com", "held")


def test_a_bulk_change_asks_as_much_as_a_single_one(clerk):
    orders = [make_order(payment="PAID").pk for _number in range(8)]
    asked = []
    for ids in (orders[:1], orders):
        with CaptureQueriesContext(connection) as queries:
            plan(StatusWish(ids=ids, actor=clerk, fulfilment="PROCESSING"))
        asked.append(sum("notifications_" in query["sql"] for query in queries))
    assert asked == [3, 3]


def test_placing_by_staff_waits_and_the_staff_mail_does_not(clerk):
    from orders.services.intake import place_order

    order = place_order(make_draft(), actor=clerk)
    assert order.mails.get(kind="order_confirmation").state == "held"
    assert order.mails.get(kind="new_order").state == "queued"


def test_a_waiting_tracking_number_is_not_lost_when_the_order_goes_on(clerk):
    order = make_order(payment="PAID")
    set_status(order, actor=clerk, fulfilment="SHIPPED", tracking_number="6A210")
    set_status(order, actor=clerk, fulfilment="DELIVERED")
    assert mails(order, event__source="clerk") == [("shipped", "held"), ("delivered", "held")]


def test_a_waiting_tracking_number_is_stopped_when_the_parcel_does_not_leave(clerk):
    order = make_order(payment="PAID")
    set_status(order, actor=clerk, fulfilment="SHIPPED", tracking_number="6A210")
    set_status(order, actor=clerk, fulfilment="PROCESSING")
    assert ("shipped", "cancelled") in mails(order)


def test_no_customer_mail_stops_what_waits(clerk):
    order = make_order(payment="PAID")
    set_status(order, actor=clerk, fulfilment="SHIPPED")
    apply(DetailsWish(ids=[order.pk], actor=clerk, values={"no_customer_mail": True})).or_raise()
    assert ("shipped", "cancelled") in mails(order)


def test_a_correction_that_crosses_the_limit_tells_staff_once():
    variant = make_variant("MUG", on_hand=10, low_stock_limit=5)
    adjust_stock(variant.pk, -4, reason="broken", actor=ROBOT)
    assert not OutgoingEmail.objects.filter(kind="low_stock").exists()
    for _again in range(2):
        adjust_stock(variant.pk, -1, reason="broken", actor=ROBOT)
    mail = OutgoingEmail.objects.get(kind="low_stock")
    assert (mail.recipient, mail.state, mail.order) == ("staff@example.com", "queued", None)
    assert "Une correction du stock a fait passer le disponible de 6 à 5" in mail.text
