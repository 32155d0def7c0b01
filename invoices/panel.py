"""The documents of one order, as the order page shows them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from invoices.models import Invoice, PendingDocument
from orders.models import Order
from orders.money import format_money


@dataclass(frozen=True)
class DocumentRow:
    """One issued, waiting or stopped document."""

    title: str
    state: str = ""
    happened: str = ""  # what the history says of it
    amount: str = ""
    tone: str = ""
    reasons: tuple[dict[str, str], ...] = ()
    release_at: Any = None
    open_url: str = ""
    download_url: str = ""
    credit_url: str = ""
    file_url: str = ""
    release_url: str = ""
    icon: str = "file-text"
    issued_at: Any = None
    issued_by: str = ""


@dataclass(frozen=True)
class OrderDocuments:
    """Rows, newest first, and where the buttons lead; an empty address means the button is not for this reader."""

    rows: tuple[DocumentRow, ...]
    sheet_url: str
    slip_url: str
    issue_url: str
    issue_key: str

    def __iter__(self) -> Iterator[DocumentRow]:
        return iter(self.rows)

    def __bool__(self) -> bool:
        return True


def documents_of(order: Order, user: Any = None) -> OrderDocuments:
    """What the order page shows, in two queries; without `user` every button is there."""

    def may(right: str) -> bool:
        return user is None or user.has_perm(right)

    issued = list(order.invoices.order_by("-id"))
    waiting = list(
        order.pending_documents.filter(state__in=(PendingDocument.State.WAITING, PendingDocument.State.NEEDS_STAFF)).order_by("-id")
    )
    credited: dict[int, Any] = {}
    for note in issued:
        if note.refers_id:
            credited[note.refers_id] = credited.get(note.refers_id, 0) + note.gross
    rows = [_waiting_row(document, order, may) for document in waiting]
    rows += [_issued_row(invoice, credited, may) for invoice in issued]
    stands = any(not i.is_credit_note and (credited.get(i.pk) is None or credited[i.pk] < i.gross) for i in issued)
    wants_invoice = any(document.kind == PendingDocument.Kind.INVOICE for document in waiting)
    can_issue = may("invoices.issue_invoice") and not stands and not wants_invoice and not order.deleted_at
    prints = may("orders.print_order")
    return OrderDocuments(
        rows=tuple(rows),
        sheet_url=reverse("documents:order_sheet", args=[order.pk]) if prints else "",
        slip_url=reverse("documents:packing_slip", args=[order.pk]) if prints else "",
        issue_url=reverse("documents:issue", args=[order.pk]) if can_issue else "",
        issue_key=uuid4().hex,
    )


def _waiting_row(document: PendingDocument, order: Order, may: Any) -> DocumentRow:
    needs_staff = document.state == PendingDocument.State.NEEDS_STAFF
    is_invoice = document.kind == PendingDocument.Kind.INVOICE
    right = "invoices.issue_invoice" if is_invoice else "invoices.credit_invoice"
    return DocumentRow(
        title=str(document.get_kind_display()),
        state=_waiting_words(is_invoice=is_invoice, needs_staff=needs_staff),
        amount=format_money(document.amount if is_invoice else -document.amount, order.currency) if document.amount else "",
        tone="warning" if needs_staff else "",
        reasons=tuple(document.reasons),
        release_at=None if needs_staff else document.release_at,
        release_url=reverse("documents:release", args=[document.pk]) if may(right) else "",
        icon="triangle-alert" if needs_staff else "clock",
    )


def _waiting_words(*, is_invoice: bool, needs_staff: bool) -> str:
    """Words per kind: in French an invoice is feminine and a credit note is not."""
    if is_invoice:
        return pgettext("invoice", "needs you before it can be issued") if needs_staff else pgettext("invoice", "will be issued")
    return pgettext("credit note", "needs you before it can be issued") if needs_staff else pgettext("credit note", "will be issued")


def _issued_row(invoice: Invoice, credited: dict[int, Any], may: Any) -> DocumentRow:
    url = reverse("documents:invoice", args=[invoice.public_id]) if may("invoices.view_invoice") else ""
    taken = credited.get(invoice.pk)
    state, tone = "", ""
    if invoice.render_state == Invoice.RenderState.FAILED:
        state, tone = _("the file could not be made"), "danger"
    elif taken is not None:
        state = pgettext("invoice", "credited entirely") if taken >= invoice.gross else pgettext("invoice", "credited in part")
    open_to_credit = not invoice.is_credit_note and (taken is None or taken < invoice.gross)
    return DocumentRow(
        title=f"{invoice.get_kind_display()} {invoice.number}",
        state=state,
        amount=format_money(invoice.sign * invoice.gross, invoice.currency),
        tone=tone,
        happened=pgettext("credit note", "issued") if invoice.is_credit_note else pgettext("invoice", "issued"),
        issued_at=invoice.issued_at,
        issued_by=invoice.issued_by_name,
        open_url=url,
        download_url=f"{url}?download=1" if url else "",
        credit_url=reverse("documents:credit", args=[invoice.public_id]) if open_to_credit and may("invoices.credit_invoice") else "",
        file_url=reverse("documents:make_file", args=[invoice.public_id])
        if invoice.render_state == Invoice.RenderState.FAILED and may("invoices.issue_invoice")
        else "",
    )
