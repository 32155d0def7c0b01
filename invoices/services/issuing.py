"""Issues invoices: number, frozen copy and hash in one transaction, the file afterwards."""

from collections.abc import Sequence
from decimal import Decimal

from django.db import transaction
from django.db.models import OuterRef, Subquery, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from invoices.doorbell import ring_for_file
from invoices.errors import CannotIssue, Problem
from invoices.models import (
    Invoice,
    InvoiceCounter,
    InvoiceEvent,
    InvoiceLine,
    InvoiceVatGroup,
    PendingDocument,
    SellerProfile,
)
from invoices.services.drafting import draft_invoice
from invoices.services.numbers import default_series, draw_number
from invoices.services.preconditions import blocking, order_link, problems_of
from invoices.services.sealing import seal
from invoices.services.seller import freeze_logo
from orders.errors import NotAllowed
from orders.models import Order, Shop
from orders.search import INVOICE, add_fact
from orders.services.plan import Actor

KEY_LENGTH = 120


def uncredited_invoices(order_ids: Sequence[int]) -> dict[int, Invoice]:
    """Per order the issued invoice that no credit notes have taken back entirely; `remaining` on it says what is left."""
    credited = (
        Invoice.objects.credit_notes()
        .filter(refers=OuterRef("pk"))
        .order_by()
        .values("refers")
        .annotate(total=Sum("gross"))
        .values("total")
    )
    found = {}
    for invoice in Invoice.objects.invoices().filter(order__in=order_ids).annotate(credited=Subquery(credited)).order_by("id"):
        invoice.remaining = invoice.gross - (invoice.credited or Decimal(0))
        if invoice.remaining or (not invoice.gross and invoice.credited is None):
            found[invoice.order_id] = invoice
    return found


def credited_by_hand(invoice: Invoice) -> bool:
    """Whether a credit note took something off `invoice` that the order does not know of: no refund stands behind it."""
    of_refunds = PendingDocument.objects.filter(order=invoice.order_id, trigger=PendingDocument.Trigger.REFUND)
    notes = Invoice.objects.credit_notes().filter(refers=invoice)
    return notes.exclude(pk__in=of_refunds.exclude(invoice=None).values("invoice")).exists()


def preconditions(order: Order, kind: str = PendingDocument.Kind.INVOICE) -> list[Problem]:
    """Everything that stands against issuing a document for `order` now, blocking problems first. Reads only."""
    invoice = uncredited_invoices([order.pk]).get(order.pk)
    if kind == PendingDocument.Kind.CREDIT_NOTE:
        return [] if invoice else [_nothing_to_credit(order)]
    if invoice:
        return [already_invoiced(invoice)]
    seller = SellerProfile.current()
    return problems_of(draft_invoice(order, shop=Shop.current(), seller=seller, now=timezone.now()), order, seller)


def already_invoiced(invoice: Invoice) -> Problem:
    text = _("Invoice %(number)s stands for this order. Credit it before issuing another.") % {"number": invoice.number}
    return Problem("already_invoiced", "order", text)


def _nothing_to_credit(order: Order) -> Problem:
    return Problem("nothing_to_credit", "order", _("There is no invoice to credit."), order_link(order))


def issue_invoice(order_id: int, *, actor: Actor, issue_key: str = "", external_confirmed: bool = False) -> Invoice:
    """Issue the tax invoice of an order. The same `issue_key` again returns the same invoice.

    Raises NotAllowed without invoices.issue_invoice, CannotIssue with every problem; then no number is drawn. An order whose
    documents come from another system is invoiced only with `external_confirmed`.
    """
    if not actor.may("invoices.issue_invoice"):
        raise NotAllowed(_("You may not issue invoices."))
    with transaction.atomic():
        order = Order.objects.select_for_update(of=("self",)).select_related("payment_status").get(pk=order_id)
        key = (issue_key or f"invoice:{order.pk}:{order.version}")[:KEY_LENGTH]
        if issued := Invoice.objects.filter(issue_key=key).first():
            return issued
        if standing := uncredited_invoices([order.pk]).get(order.pk):
            raise CannotIssue([already_invoiced(standing)])
        if order.deleted_at:
            raise CannotIssue([Problem("deleted", "order", _("This order is deleted."))])
        seller = SellerProfile.current()
        draft = draft_invoice(order, shop=Shop.current(), seller=seller, now=timezone.now())
        problems = blocking(problems_of(draft, order, seller, external_confirmed=external_confirmed))
        if problems:
            raise CannotIssue(problems)
        freeze_logo(draft.invoice.seller)
        issue(draft.invoice, draft.lines, draft.groups, actor=actor, issue_key=key)
        PendingDocument.objects.filter(
            order=order,
            kind=PendingDocument.Kind.INVOICE,
            state__in=(PendingDocument.State.WAITING, PendingDocument.State.NEEDS_STAFF),
        ).update(state=PendingDocument.State.ISSUED, invoice=draft.invoice, reasons=[])
    return draft.invoice


def issue(invoice: Invoice, lines: Sequence[InvoiceLine], groups: Sequence[InvoiceVatGroup], *, actor: Actor, issue_key: str) -> None:
    """Draw the number, seal and insert. Inside the caller's transaction, everything checked, the order locked."""
    series = default_series(invoice.kind, is_test=invoice.is_test)
    if series is None:
        raise CannotIssue([Problem("series", "series", _("No number series is active for this kind of document."))])
    assert_sums(invoice, lines, groups)
    counter, day, number = draw_number(series, invoice.issue_date)
    invoice.series, invoice.period, invoice.sequence, invoice.number = series, counter.period, counter.last_number, number
    invoice.issue_date, invoice.issue_key = day, issue_key
    invoice.issued_at, invoice.issued_by, invoice.issued_by_name = timezone.now(), actor.user, actor.name
    invoice.previous_hash = counter.last_hash
    invoice.hash = seal(counter.last_hash, invoice, lines, groups)
    invoice.save(force_insert=True)
    for line in lines:
        line.invoice = invoice
    for group in groups:
        group.invoice = invoice
    InvoiceLine.objects.bulk_create(lines, batch_size=200)
    InvoiceVatGroup.objects.bulk_create(groups)
    record(invoice, InvoiceEvent.Kind.ISSUED, actor=actor)
    add_fact(invoice.order_id, INVOICE, number)
    InvoiceCounter.objects.filter(pk=counter.pk).update(last_hash=invoice.hash, last_issue_date=day)
    transaction.on_commit(lambda: ring_for_file(invoice.pk))


def record(invoice: Invoice, kind: str, *, actor: Actor | None = None, detail: str = "") -> None:
    """Add to what happened to a document."""
    InvoiceEvent.objects.create(
        invoice=invoice,
        kind=kind,
        at=timezone.now(),
        actor=actor.user if actor else None,
        actor_name=actor.name if actor else "",
        detail=detail[:400],
    )


def assert_sums(invoice: Invoice, lines: Sequence[InvoiceLine], groups: Sequence[InvoiceVatGroup]) -> None:
    """EN 16931, BR-CO-10 to 16 and BR-S-08. A draft that breaks one is a bug of ours: nothing is issued."""

    def total(kind: str) -> Decimal:
        return sum((line.net for line in lines if line.kind == kind), Decimal(0))

    kinds = InvoiceLine.Kind
    facts = [
        (invoice.lines_net, total(kinds.LINE)),
        (invoice.allowance_net, total(kinds.ALLOWANCE)),
        (invoice.charge_net, total(kinds.CHARGE)),
        (invoice.net, invoice.lines_net - invoice.allowance_net + invoice.charge_net),
        (invoice.net, sum((group.base for group in groups), Decimal(0))),
        (invoice.vat, sum((group.vat for group in groups), Decimal(0))),
        (invoice.gross, invoice.net + invoice.vat),
        (invoice.due, invoice.gross - invoice.paid + invoice.rounding),
    ]
    for group in groups:
        own = [
            line
            for line in lines
            if (line.tax_country, line.vat_category, line.vat_rate) == (group.tax_country, group.category, group.rate)
        ]
        base = sum((line.net if line.kind != kinds.ALLOWANCE else -line.net for line in own), Decimal(0))
        facts.append((group.base, base))
    if any(left != right for left, right in facts):
        raise CannotIssue([Problem("sums", "totals", _("The amounts of this document do not add up; it was not issued."))])
