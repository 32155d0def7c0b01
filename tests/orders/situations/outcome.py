"""What a situation leaves behind, stated in one piece, so that anything more or less than a test says fails it.

assert aftermath_of(order) == Aftermath(
    statuses="PAID SHIPPED",
    money=Money(total="24.00", vat="4.00", paid="24.00", refunded="0.00", credited="0.00", balance="settled"),
    stock={"MUG": "20/0 20/2 18/0", "POT": "5/0"},
    events="placed shipment",
    last="Shipment recorded · Awaiting processing → Shipped · parcel of 2 pieces · 2 pieces left the stock",
    mails={"lea@example.com": ["order_confirmation sent fr", "shipped sent fr"], "staff@example.com": ["new_order sent fr"]},
    documents=["F-2026-0001 24.00 VAT 4.00"],
)
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q
from django.utils import translation

import invoices.integrity
import notifications.integrity
import orders.integrity
from invoices.consequences import CancelDocument, IssueDocument
from invoices.models import Invoice, PendingDocument
from notifications.consequences import CancelMail, SendMail
from notifications.models import OutgoingEmail
from orders.admin.timeline import History
from orders.balances import BALANCES
from orders.models import Draft, Order, OrderEvent, Status, StockMovement, Variant
from orders.services.plan import PlannedChange, Wish, apply, plan

SITUATIONS: dict[int, tuple[str, str]] = {}  # number: title, and the name of its test


def situation(number: int, title: str) -> Callable:
    """Marks the test that plays a situation of the table in docs/situations.md. A number stands once."""

    def register(test: Callable) -> Callable:
        assert number not in SITUATIONS, f"situation {number} is played twice"
        SITUATIONS[number] = (title, test.__name__)
        return test

    return register


def click(wish: Wish) -> OrderEvent:
    """Look at the panel of one order's change, then confirm it: what happens is what the panel announced, no more and no less."""
    shown = plan(wish)
    for error in shown.refusals.values():
        raise error
    (change,) = shown.changes
    event = apply(wish, seen=shown.digests()).or_raise().event
    assert event is not None
    assert rows_of(event) == announced(change)
    return event


def announced(change: PlannedChange) -> dict[str, list]:
    """Stock, money, mails and documents that a panel names."""
    going = [consequence for consequence in change.consequences if consequence.is_on]
    mails = [(mail.kind, recipient) for mail in going if isinstance(mail, SendMail) for recipient in (*mail.recipients, *mail.copies)]
    return {
        "stock": sorted((move.variant.sku, move.delta_on_hand, move.delta_committed) for move in change.movements),
        "money": sorted([row.amount for row in change.payments] + [-row.amount for row, _pieces in change.refunds]),
        "mails": sorted(mails),
        "documents": sorted((item.kind, item.amount) for item in going if isinstance(item, IssueDocument)),
        "stopped": sorted(item.key for item in going if isinstance(item, (CancelMail, CancelDocument))),
    }


def rows_of(event: OrderEvent) -> dict[str, list]:
    """What an event wrote, in the same words."""
    mails = [f"mail:cancel:{pk}" for pk in event.stopped_mails.values_list("pk", flat=True)]
    documents = [f"document:cancel:{pk}" for pk in event.cancelled_documents.values_list("pk", flat=True)]
    refunds = event.order.refunds.filter(event=event).values_list("amount", flat=True)
    return {
        "stock": sorted(event.movements.values_list("variant__sku", "delta_on_hand", "delta_committed")),
        "money": sorted([*event.order.payments.filter(event=event).values_list("amount", flat=True), *(-amount for amount in refunds)]),
        "mails": sorted(event.mails.values_list("kind", "recipient")),
        "documents": sorted(event.pending_documents.values_list("kind", "amount")),
        "stopped": sorted(mails + documents),
    }


@dataclass(frozen=True, kw_only=True)
class Money:
    """Amounts of an order with their cents; `balance` is "settled", "6.00 to pay" or "6.00 to give back"."""

    total: str
    vat: str
    paid: str
    refunded: str
    credited: str
    balance: str


@dataclass(frozen=True, kw_only=True)
class Aftermath:
    """An order and all that it set off. Every field must be said.

    `statuses`: both codes. `stock`: each tracked article of the shop with its counters "on hand/committed" after every movement,
    the opening first. `events`: kinds, oldest first; `last` is what the order's page says of the last one. `mails`: by recipient,
    "kind state language", then what the mail is about and the numbers of its papers. `documents`: issued ones as "number gross VAT
    amount" and what they take back, then those that are not issued.
    """

    statuses: str
    money: Money
    stock: dict[str, str]
    events: str
    last: str
    mails: dict[str, list[str]]
    documents: list[str]


def aftermath_of(order: Order) -> Aftermath:
    """Everything as it is in the database now; fails where caches, ledgers, documents, filters or announcements contradict each other."""
    assert problems() == []
    for document in PendingDocument.objects.filter(order=order, state=PendingDocument.State.ISSUED).select_related("invoice"):
        edits = order.events.filter(kind="edit", id__gt=document.event_id, at__lt=document.invoice.issued_at)  # what waits follows them
        assert document.invoice.gross == document.amount or edits, f"{document.invoice} is not over {document.amount}, as was announced"
    order = Order.objects.with_statuses().get(pk=order.pk)
    assert_found_by_balance(order)
    return Aftermath(
        statuses=f"{order.payment_status.code} {order.fulfilment_status.code}",
        money=money_of(order),
        stock=ledger(),
        events=" ".join(order.events.order_by("id").values_list("kind", flat=True)),
        last=last_words(order),
        mails=mails_of(order),
        documents=documents_of(order),
    )


def problems() -> list[str]:
    """What the product's own proofs find."""
    return [line for app in (orders, invoices, notifications) for line in app.integrity.find_problems()]


def money_of(order: Order) -> Money:
    balance = "settled"
    if order.balance_due:
        balance = f"{_cents(order.balance_due)} to pay"
    if order.refund_due:
        balance = f"{_cents(order.refund_due)} to give back"
    return Money(
        total=_cents(order.total),
        vat=_cents(order.tax),
        paid=_cents(order.paid_total),
        refunded=_cents(order.refunded_total),
        credited=_cents(order.credited_total),
        balance=balance,
    )


def assert_found_by_balance(order: Order) -> None:
    """The filter of the list says the same of the balance as the order itself."""
    expected = {"due"} if order.balance_due else {"refund"} if order.refund_due else {"settled"}
    if order.refund_due and not order.payment_status.releases:
        expected.add("overpaid")
    assert {name for name, (_label, found) in BALANCES.items() if Order.objects.filter(found(), pk=order.pk).exists()} == expected


def ledger() -> dict[str, str]:
    """The counters of every tracked article after each of its movements."""
    found = {}
    for variant in Variant.objects.filter(is_tracked=True).order_by("sku"):
        rows = StockMovement.objects.filter(variant=variant).order_by("id").values_list("on_hand_after", "committed_after")
        found[variant.sku] = " ".join(f"{on_hand}/{committed}" for on_hand, committed in rows)
    return found


def last_words(order: Order) -> str:
    """What the order's page says of the last event, in English."""
    statuses = {(status.axis, status.code): status for status in Status.objects.all()}
    notes = order.notes.select_related("event")
    with translation.override("en"):
        history = History(order, statuses, order.payments.all(), order.refunds.all(), order.shipments.all(), notes)
        (entry,) = history.entries([order.events.latest("id")])
        moves = [f"{old} → {new}" for old, new in entry.moves]
        changes = [f"{what}: {old} → {new}" for what, old, new in sorted(entry.changes)]  # as they are stored they come in any order
        note = [entry.note.text] if entry.note else []
        return " · ".join([*filter(None, [entry.title]), *moves, *changes, *entry.effects, *note])


def mails_of(order: Order) -> dict[str, list[str]]:
    """Mails by recipient, oldest first: those of the order, and those that belong to no order (quotes, low stock)."""
    found: dict[str, list[str]] = {}
    for mail in OutgoingEmail.objects.filter(Q(order=order) | Q(order=None)).order_by("id"):
        state = mail.cancelled_reason if mail.state == OutgoingEmail.State.CANCELLED else mail.state
        papers = [str(row.get("number", f"({row.get('kind', 'quote')})")) for row in mail.attachments]
        said = [mail.kind, state, mail.language, mail.about, *(["with", *papers] if papers else [])]
        found.setdefault(mail.recipient, []).append(" ".join(part for part in said if part))
    return found


def documents_of(order: Order) -> list[str]:
    """Issued invoices and credit notes, then waiting or stopped ones, then quotes of the draft the order came from."""
    found = []
    for invoice in Invoice.objects.filter(order=order).order_by("id"):
        takes_back = f" takes back {invoice.refers_number}" if invoice.is_credit_note else ""
        found.append(f"{invoice.number} {_cents(invoice.gross)} VAT {_cents(invoice.vat)}{takes_back}")
    for document in PendingDocument.objects.filter(order=order).exclude(state=PendingDocument.State.ISSUED).order_by("id"):
        found.append(f"{document.kind} {document.state} {_cents(document.amount)}")
    for draft in Draft.objects.filter(order=order):
        found += [f"quote {_cents(quote.total)}" for quote in draft.quotes.order_by("id")]
    return found


def _cents(amount: Decimal) -> str:
    exact = amount.quantize(Decimal("0.01"))
    assert exact == amount, f"{amount} is no amount of cents"
    return str(exact)
