"""Orders that come to nothing: cancelled unpaid, cancelled paid and invoiced, deleted and restored, and one that can't be deleted."""

from dataclasses import replace
from decimal import Decimal

import pytest

from orders.errors import InvalidWish
from orders.models import Order
from orders.services.cancelling import CancelWish
from orders.services.intake import place_order
from orders.services.plan import apply
from orders.services.removal import DeleteWish, RestoreWish
from tests.makers import make_draft, make_order
from tests.orders.situations.outcome import Aftermath, Money, aftermath_of, situation

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

TOLD = {"staff@example.com": ["new_order sent fr"]}
POST = {"shipping_cost": Decimal("4.90"), "email": "lea@example.com"}


def one_line(text):
    return text.replace("\n", " ")


@situation(16, "Unpaid order cancelled")
def test_an_order_that_nobody_paid_is_cancelled_and_its_pieces_are_free_again(invoicing, ines, time_passes):
    order = make_order("AWAITING_PAYMENT", items={"MUG": 2}, **POST)
    time_passes()
    apply(CancelWish(ids=[order.pk], actor=ines, why="unpaid")).or_raise()
    time_passes()
    assert aftermath_of(order) == Aftermath(
        statuses="CANCELLED WILL_NOT_DELIVER",
        # 2 × 12.00 + 4.90 = 28.90, of which 28.90 / 6 = 4.82 is VAT; nothing is asked of a cancelled order
        money=Money(total="28.90", vat="4.82", paid="0.00", refunded="0.00", credited="0.00", balance="settled"),
        stock={"MUG": "20/0 20/2 20/0", "POT": "5/0"},
        events="placed status",
        last="Awaiting payment → Cancelled · Awaiting processing → Will not deliver · 2 pieces free again · Never paid",
        mails={
            "lea@example.com": ["order_confirmation sent fr", "status_changed sent fr"],
        }
        | TOLD,
        documents=[],
    )
    assert "Aucune somme n’a été prélevée." in one_line(order.mails.get(kind="status_changed").text)


@situation(17, "Paid and invoiced order cancelled")
def test_a_paid_order_is_cancelled_with_its_money_its_invoice_and_its_pieces(invoicing, ines, time_passes):
    order = make_order("PAID", items={"MUG": 2}, **POST)
    time_passes()
    apply(CancelWish(ids=[order.pk], actor=ines, why="fraud", reason="Stolen card", refund=True, reference="re_17")).or_raise()
    time_passes()
    assert aftermath_of(order) == Aftermath(
        statuses="CANCELLED WILL_NOT_DELIVER",
        money=Money(total="28.90", vat="4.82", paid="28.90", refunded="28.90", credited="28.90", balance="settled"),
        stock={"MUG": "20/0 20/2 20/0", "POT": "5/0"},
        events="placed status",
        last="Paid → Cancelled · Awaiting processing → Will not deliver · €28.90 given back · 2 pieces free again"
        " · Suspicion of fraud. Stolen card",
        mails={
            "lea@example.com": [
                "order_confirmation sent fr",
                "invoice sent fr with F-2026-0001",
                "refund_recorded sent fr with AV-2026-0001",
                "status_changed sent fr",
            ],
        }
        | TOLD,
        documents=["F-2026-0001 28.90 VAT 4.82", "AV-2026-0001 28.90 VAT 4.82 takes back F-2026-0001"],
    )
    told = order.mails.get(kind="status_changed")
    assert "Votre règlement de 28,90\u00a0€ vous est remboursé." in one_line(told.text)
    read = [mail.text + mail.html for mail in order.mails.filter(audience="customer")] + order.invoices.latest("id").notes
    assert not any("fraud" in text or "Stolen" in text for text in read)  # why it is cancelled stays with the staff


@situation(24, "Test order deleted with a reason, then restored")
def test_an_order_deleted_by_mistake_comes_back_with_its_pieces_its_mail_and_its_invoice(invoicing, ines, time_passes):
    order = place_order(make_draft({"MUG": 2, "POT": 1}, payment_status="PAID", email="lea@example.com"), actor=ines)
    apply(DeleteWish(order_id=order.pk, actor=ines, reason="A test of ours")).or_raise()
    time_passes()
    assert not Order.objects.present().filter(pk=order.pk).exists()
    deleted = Aftermath(
        statuses="PAID AWAITING_PROCESSING",
        money=Money(total="54.00", vat="9.00", paid="54.00", refunded="0.00", credited="0.00", balance="settled"),
        stock={"MUG": "20/0 20/2 20/0", "POT": "5/0 5/1 5/0"},
        events="placed deleted",
        last="Deleted · 3 pieces free again · A test of ours",
        mails={"lea@example.com": ["order_confirmation deleted fr", "invoice deleted fr with (invoice)"]} | TOLD,
        documents=["invoice cancelled 54.00"],
    )
    assert aftermath_of(order) == deleted
    apply(RestoreWish(order_id=order.pk, actor=ines)).or_raise()
    time_passes()
    assert aftermath_of(order) == replace(
        deleted,
        stock={"MUG": "20/0 20/2 20/0 20/2", "POT": "5/0 5/1 5/0 5/1"},
        events="placed deleted restored",
        last="Restored · 3 pieces reserved",
        mails={"lea@example.com": ["order_confirmation sent fr", "invoice sent fr with F-2026-0001"]} | TOLD,
        documents=["F-2026-0001 54.00 VAT 9.00"],
    )


@situation(25, "Deleting an invoiced order is refused; it is cancelled instead")
def test_an_invoiced_order_is_not_deleted_but_cancelled_as_the_refusal_says(invoicing, ines, time_passes):
    order = make_order("PAID", items={"MUG": 2}, email="lea@example.com")
    time_passes()
    before = aftermath_of(order)
    with pytest.raises(InvalidWish, match=r"Invoice F-2026-0001 was issued for this order: it can't be deleted. Cancel it instead"):
        apply(DeleteWish(order_id=order.pk, actor=ines, reason="Entered twice")).or_raise()
    assert aftermath_of(order) == before
    apply(CancelWish(ids=[order.pk], actor=ines, why="other", reason="Entered twice")).or_raise()
    time_passes()
    assert aftermath_of(order) == Aftermath(
        statuses="CANCELLED WILL_NOT_DELIVER",
        money=Money(total="24.00", vat="4.00", paid="24.00", refunded="0.00", credited="0.00", balance="24.00 to give back"),
        stock={"MUG": "20/0 20/2 20/0", "POT": "5/0"},
        events="placed status",
        last="Paid → Cancelled · Awaiting processing → Will not deliver · 2 pieces free again · Entered twice",
        mails={
            "lea@example.com": [
                "order_confirmation sent fr",
                "invoice sent fr with F-2026-0001",
                "status_changed sent fr with AV-2026-0001",
            ],
        }
        | TOLD,
        documents=["F-2026-0001 24.00 VAT 4.00", "AV-2026-0001 24.00 VAT 4.00 takes back F-2026-0001"],
    )
