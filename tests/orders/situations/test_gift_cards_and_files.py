"""A gift card on a placed order, and an order of files only."""

from dataclasses import replace
from decimal import Decimal

import pytest

from orders.drafts import DraftDiscount
from orders.edits import OrderEdit
from orders.models import DigitalFile
from orders.services.payments import PaymentWish, RefundPiece, RefundWish
from orders.services.plan import apply
from orders.services.proposing import EditWish
from tests.makers import make_order, make_variant
from tests.orders.situations.outcome import Aftermath, Money, aftermath_of, situation

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
TOLD = {"staff@example.com": ["new_order sent fr"]}


def gift_card(order, actor, amount, code, reason=""):
    columns = {"gift_card_amount": Decimal(amount), "gift_card_code": code}
    return apply(EditWish(order_id=order.pk, actor=actor, edit=OrderEdit(columns=columns, reason=reason))).or_raise()


@situation(29, "Gift card added to and taken from a placed order")
def test_a_gift_card_pays_its_part_and_leaves_discount_and_vat_alone(invoicing, ines, time_passes):
    group = DraftDiscount("Grossiste", "PERCENT", Decimal(10), base="CUSTOMER_GROUP")
    order = make_order("AWAITING_PAYMENT", items={"MUG": 5}, discounts=(group,), email="lea@example.com")
    time_passes()
    gift_card(order, ines, 20, "NOEL")
    placed = Aftermath(
        statuses="AWAITING_PAYMENT AWAITING_PROCESSING",
        # 5 × 12.00 = 60.00, 10 % off = 54.00, VAT 54.00 / 6 = 9.00; the card pays 20.00 of it
        money=Money(total="34.00", vat="9.00", paid="0.00", refunded="0.00", credited="0.00", balance="34.00 to pay"),
        stock={"MUG": "20/0 20/5", "POT": "5/0"},
        events="placed edit",
        last="Order edited · Gift card: €0.00 → €20.00 · Gift card code:  → NOEL · Total: €54.00 → €34.00",
        mails={"lea@example.com": ["order_confirmation sent fr"]} | TOLD,
        documents=[],
    )
    assert aftermath_of(order) == placed
    apply(PaymentWish(order_id=order.pk, actor=ines, amount=Decimal(34), method="Virement")).or_raise()
    time_passes()
    gift_card(order, ines, 0, "", reason="The card had expired")
    time_passes()
    order.refresh_from_db()
    assert aftermath_of(order) == replace(
        placed,
        statuses="PAID AWAITING_PROCESSING",
        money=Money(total="54.00", vat="9.00", paid="34.00", refunded="0.00", credited="0.00", balance="20.00 to pay"),
        events="placed edit payment edit",
        last="Order edited · Gift card: €20.00 → €0.00 · Gift card code: NOEL →  · Total: €34.00 → €54.00 · The card had expired",
        mails={"lea@example.com": ["order_confirmation sent fr", "status_changed sent fr with F-2026-0001"]} | TOLD,
        documents=["F-2026-0001 54.00 VAT 9.00"],  # a gift card is a payment: the invoice is the same with and without
    )
    assert (order.discount, order.lines.get().discount_share) == (Decimal("6.00"), Decimal("6.00"))
    assert order.invoices.get().payment["gift_card"] == "20"


@situation(30, "Digital order: paid, delivered by itself, refunded later")
def test_an_order_of_files_is_delivered_by_its_payment_and_refunded(invoicing, ines, time_passes, client):
    ebook = make_variant("EBOOK", digital=True, price="9.90")
    DigitalFile.objects.create(product=ebook.product, name="livre.pdf", size=84_000)
    order = make_order("AWAITING_PAYMENT", items={"EBOOK": 1}, email="lea@example.com")
    time_passes()
    apply(PaymentWish(order_id=order.pk, actor=ines, amount=Decimal("9.90"), reference="VIR 30")).or_raise()
    time_passes()
    paid = Aftermath(
        statuses="PAID DELIVERED",
        # VAT 9.90 / 6 = 1.65
        money=Money(total="9.90", vat="1.65", paid="9.90", refunded="0.00", credited="0.00", balance="settled"),
        stock={"MUG": "20/0", "POT": "5/0"},
        events="placed payment",
        last="Payment recorded · Awaiting payment → Paid · Awaiting processing → Delivered · €9.90 received",
        mails={"lea@example.com": ["order_confirmation sent fr", "downloads sent fr", "invoice sent fr with F-2026-0001"]} | TOLD,
        documents=["F-2026-0001 9.90 VAT 1.65"],
    )
    assert aftermath_of(order) == paid
    files = order.mails.get(kind="downloads")
    link = next(word for word in files.text.split() if "/mail/file/" in word).partition("/mail/")[2]
    assert "livre.pdf (84 Ko)" in files.text.replace("\u00a0", " ")
    assert "rue des Lilas" not in files.text + order.mails.get(kind="order_confirmation").text  # files go nowhere
    piece = RefundPiece(order.lines.get().pk, 1)
    apply(RefundWish(order_id=order.pk, actor=ines, pieces=[piece], reason="Fichier illisible")).or_raise()
    time_passes()
    assert aftermath_of(order) == replace(
        paid,
        statuses="REFUNDED DELIVERED",
        money=Money(total="9.90", vat="1.65", paid="9.90", refunded="9.90", credited="9.90", balance="settled"),
        events="placed payment refund",
        last="Refund recorded · Paid → Refunded · €9.90 given back · Fichier illisible",
        mails={"lea@example.com": [*paid.mails["lea@example.com"], "refund_recorded sent fr with AV-2026-0001"]} | TOLD,
        documents=["F-2026-0001 9.90 VAT 1.65", "AV-2026-0001 9.90 VAT 1.65 takes back F-2026-0001"],
    )
    assert client.get(f"/mail/{link}").status_code == 403  # what was given back is no longer to be fetched
