"""Credits invoices: in full, by pieces, or by an amount; what all credit notes take back never exceeds the invoice.

Credits are cumulative (invoices design, section 8): a credit note is what everything credited so far comes to, less what the
credit notes before it came to. So fifty credits of one piece each give back exactly the invoice, to the cent.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from invoices import wording
from invoices.errors import CannotIssue, Problem
from invoices.models import Invoice, InvoiceLine, InvoiceVatGroup, SellerProfile
from invoices.services.drafting import TEMPLATE_VERSION, retain_until, today_in, unit_net
from invoices.services.issuing import KEY_LENGTH, issue
from invoices.services.ledger import ZERO, Key, Ledger, Row, key_of
from orders.errors import NotAllowed
from orders.models import Order, Shop
from orders.money import format_money, round_money
from orders.services.plan import Actor
from orders.tax import split_by_largest_remainder
from orders.vat import nets_of


def credit_invoice(
    invoice_id: int,
    *,
    actor: Actor,
    reason: str = Invoice.Reason.CANCEL,
    reason_text: str = "",
    lines: Mapping[int, int] | None = None,
    shipping: Decimal | None = None,
    amount: Decimal | None = None,
    issue_key: str,
) -> Invoice:
    """Issue a credit note for an invoice; the same `issue_key` again returns the same credit note.

    Nothing named: everything that is left. `lines` (order line id: pieces) with `shipping` (as charged): those. `amount` (in the
    invoice's currency, VAT included): spread over the VAT groups by what is left of each.
    Raises NotAllowed without invoices.credit_invoice, CannotIssue when nothing or less is left, or for a credit note.
    """
    if not actor.may("invoices.credit_invoice"):
        raise NotAllowed(_("You may not issue credit notes."))
    with transaction.atomic():
        order_id = Invoice.objects.values_list("order", flat=True).get(pk=invoice_id)
        Order.objects.select_for_update(of=("self",)).get(pk=order_id)
        invoice = Invoice.objects.select_for_update(of=("self",)).select_related("order", "series").get(pk=invoice_id)
        issue_key = issue_key[:KEY_LENGTH]
        if issued := Invoice.objects.filter(issue_key=issue_key).first():
            return issued
        if invoice.is_credit_note:
            raise CannotIssue([Problem("is_credit_note", "invoice", _("A credit note can't be credited; issue a new invoice."))])
        note, note_lines, groups = draft_credit(
            invoice, reason=reason, reason_text=reason_text, lines=lines, shipping=shipping, amount=amount
        )
        issue(note, note_lines, groups, actor=actor, issue_key=issue_key)
    return note


def draft_credit(
    invoice: Invoice,
    *,
    reason: str = Invoice.Reason.CANCEL,
    reason_text: str = "",
    lines: Mapping[int, int] | None = None,
    shipping: Decimal | None = None,
    amount: Decimal | None = None,
) -> tuple[Invoice, list[InvoiceLine], list[InvoiceVatGroup]]:
    """The credit note as `credit_invoice` would issue it now, without a number; reads only. Raises CannotIssue as it does."""
    ledger = Ledger.of(invoice)
    if not ledger.remaining and (invoice.gross or invoice.credit_notes.exists()):
        raise CannotIssue([Problem("nothing_left", "amount", _("Invoice %(number)s is credited entirely.") % {"number": invoice.number})])
    with override(invoice.locale):
        rows = _rows(ledger, lines=lines, shipping=shipping, amount=amount)
    return _credit_note(ledger, rows, reason=reason, reason_text=reason_text)


def _rows(ledger: Ledger, *, lines: Mapping[int, int] | None, shipping: Decimal | None, amount: Decimal | None) -> list[Row]:
    if amount is not None:
        return _rows_of_amount(ledger, amount)
    if lines is None and shipping is None:
        return _rows_of_rest(ledger)
    wanted = {}
    for line in ledger.lines:
        asked = (lines or {}).get(line.order_line_id or 0)
        if line.kind != InvoiceLine.Kind.LINE or asked is None:
            continue
        pieces, left = Decimal(asked), ledger.pieces_left(line)
        if not 0 < pieces <= left:
            raise CannotIssue([_over(_("%(name)s: %(left)d pieces are left to credit.") % {"name": line.name, "left": left})])
        wanted[line.pk] = pieces
    if len(wanted) != len(lines or {}):
        raise CannotIssue([_over(_("This item is not on the invoice."))])
    rows = _piece_rows(ledger, wanted)
    return rows + _charge_rows(ledger, shipping or ZERO)


def _over(text: str) -> Problem:
    return Problem("over_credit", "amount", text)


def _piece_rows(ledger: Ledger, wanted: Mapping[int, Decimal]) -> list[Row]:
    rows = []
    for line in ledger.lines:
        if line.pk in wanted:
            before = ledger.credited_pieces.get(line.pk, ZERO)
            amount_before, share_before = ledger.part(line, before)
            amount, share = ledger.part(line, before + wanted[line.pk])
            rows.append(
                Row(
                    line,
                    key_of(line),
                    line.price_includes_tax,
                    amount - amount_before,
                    quantity=wanted[line.pk],
                    share=share - share_before,
                    name=line.name,
                )
            )
    return rows


def _charge_rows(ledger: Ledger, wanted: Decimal) -> list[Row]:
    """Of shipping, which an invoice names first (its parts per rate bear one name); of other charges only what is more than it."""
    charges = [line for line in ledger.lines if line.kind == InvoiceLine.Kind.CHARGE]
    left = [ledger.charge_left(line) for line in charges]
    if not 0 <= wanted <= sum(left, ZERO):
        raise CannotIssue([_over(_("Only %(left)s of the shipping is left to credit.") % {"left": sum(left, ZERO).normalize()})])
    first = [amount if line.name == charges[0].name else ZERO for line, amount in zip(charges, left, strict=True)]
    others = [amount - own for amount, own in zip(left, first, strict=True)]
    shipping = min(wanted, sum(first, ZERO))
    parts = [own + other for own, other in zip(_split(ledger, shipping, first), _split(ledger, wanted - shipping, others), strict=True)]
    return [
        Row(line, key_of(line), line.price_includes_tax, part, kind=InvoiceLine.Kind.CHARGE, name=line.name)
        for line, part in zip(charges, parts, strict=True)
        if part
    ]


def _split(ledger: Ledger, amount: Decimal, weights: list[Decimal]) -> Sequence[Decimal]:
    return split_by_largest_remainder(amount, weights, exponent=ledger.invoice.exponent) if amount else [ZERO] * len(weights)


def _rows_of_rest(ledger: Ledger) -> list[Row]:
    """Everything that is left; what was credited as an amount stands in it with the opposite sign."""
    pieces = {line.pk: ledger.pieces_left(line) for line in ledger.lines if line.kind == InvoiceLine.Kind.LINE and ledger.pieces_left(line)}
    charges = [line for line in ledger.lines if line.kind == InvoiceLine.Kind.CHARGE and ledger.charge_left(line)]
    rows = _piece_rows(ledger, pieces)
    rows += [
        Row(line, key_of(line), line.price_includes_tax, ledger.charge_left(line), kind=InvoiceLine.Kind.CHARGE, name=line.name)
        for line in charges
    ]
    for key, amount in ledger.loose.items():
        if amount:
            rows.append(Row(None, key, True, -amount, kind=InvoiceLine.Kind.ALLOWANCE, name=_("Credited before")))
    return rows


def _rows_of_amount(ledger: Ledger, amount: Decimal) -> list[Row]:
    amount = round_money(amount, ledger.invoice.currency)
    if not 0 < amount <= ledger.remaining:
        left = format_money(ledger.remaining, ledger.invoice.currency)
        raise CannotIssue([_over(_("Only %(left)s of this invoice are left to credit.") % {"left": left})])
    keys = [key for key in ledger.groups if ledger.left(key) > 0]
    parts = split_by_largest_remainder(amount, [ledger.left(key) for key in keys], exponent=ledger.invoice.exponent)
    name = _("Credit on invoice %(number)s") % {"number": ledger.invoice.number}
    return [Row(None, key, True, part, name=name) for key, part in zip(keys, parts, strict=True) if part]


def _credit_note(
    ledger: Ledger, rows: list[Row], *, reason: str, reason_text: str
) -> tuple[Invoice, list[InvoiceLine], list[InvoiceVatGroup]]:
    invoice = ledger.invoice
    if not rows:
        raise CannotIssue([_over(_("Nothing was chosen to credit."))])
    credited = _group_credits(ledger, rows)
    lines = _credit_lines(ledger, rows, credited)
    note = _note_header(invoice, reason=reason, reason_text=reason_text)
    groups = []
    for key, (base, vat) in credited.items():
        original = ledger.groups[key]
        groups.append(
            InvoiceVatGroup(
                tax_country=key[0],
                category=key[1],
                rate=original.rate,
                base=base,
                vat=vat,
                exemption_code=original.exemption_code,
                exemption_text=original.exemption_text,
            )
        )
    kinds = InvoiceLine.Kind
    note.lines_net = sum((line.net for line in lines if line.kind == kinds.LINE), ZERO)
    note.allowance_net = sum((line.net for line in lines if line.kind == kinds.ALLOWANCE), ZERO)
    note.charge_net = sum((line.net for line in lines if line.kind == kinds.CHARGE), ZERO)
    note.net = sum((group.base for group in groups), ZERO)
    note.vat = sum((group.vat for group in groups), ZERO)
    note.gross = note.net + note.vat
    note.paid, note.due = note.gross, ZERO
    return note, lines, groups


def _group_credits(ledger: Ledger, rows: list[Row]) -> dict[Key, tuple[Decimal, Decimal]]:
    """Base and VAT that this credit note takes back per group, never more than what is left of it."""
    places = ledger.invoice.exponent
    touched = {row.key for row in rows}
    complete = ledger.is_complete(rows)
    after = ledger.sums(rows)
    credited = {}
    for key, group in ledger.groups.items():
        if key not in touched:
            continue
        base_before, vat_before = ledger.taken.get(key, (ZERO, ZERO))
        if complete:
            base, vat = group.base, group.vat
        else:
            base, vat = after[key].settle(group.rate, places)
        base, vat = base - base_before, vat - vat_before
        if base + vat > ledger.left(key):
            left = format_money(ledger.remaining, ledger.invoice.currency)
            raise CannotIssue([_over(_("Only %(left)s of this invoice are left to credit.") % {"left": left})])
        credited[key] = (base, vat)
    return credited


def _credit_lines(ledger: Ledger, rows: list[Row], credited: Mapping[Key, tuple[Decimal, Decimal]]) -> list[InvoiceLine]:
    """Rows with nets that sum to the base of each group; discount shares taken back as one allowance per group."""
    places = ledger.invoice.exponent
    kinds = InvoiceLine.Kind
    all_rows = list(rows)
    discount = next((line.name for line in ledger.lines if line.kind == kinds.ALLOWANCE), "")
    for key in credited:
        for includes_tax in (True, False):
            share = sum((row.share for row in rows if row.key == key and row.includes_tax == includes_tax), ZERO)
            if share:
                all_rows.append(Row(None, key, includes_tax, -share, kind=kinds.ALLOWANCE, name=discount))
    for key, (base, _vat) in credited.items():
        own = [row for row in all_rows if row.key == key]
        plain = [row for row in own if not row.includes_tax]
        taxed = [row for row in own if row.includes_tax]
        for row in plain:
            row.net = row.amount
        rest = base - sum((row.net for row in plain), ZERO)
        if taxed:
            for row, net in zip(taxed, nets_of([row.amount for row in taxed], rest, key[2], exponent=places), strict=True):
                row.net = net
    order = {kinds.LINE: 0, kinds.ALLOWANCE: 1, kinds.CHARGE: 2}
    all_rows.sort(key=lambda row: order[InvoiceLine.Kind(row.kind)])
    return [_line(row, position, places) for position, row in enumerate(all_rows, 1)]


def _line(row: Row, position: int, places: int) -> InvoiceLine:
    source = row.source
    sign = -1 if row.kind == InvoiceLine.Kind.ALLOWANCE else 1
    country, category, rate = row.key
    return InvoiceLine(
        position=position,
        kind=row.kind,
        order_line_id=source.order_line_id if source else None,
        refers_line=source,
        sku=source.sku if source else "",
        name=row.name,
        options=source.options if source else "",
        quantity=row.quantity,
        unit_price=source.unit_price if source else sign * row.amount,
        unit_net=unit_net(row.net, row.quantity, places) if row.kind == InvoiceLine.Kind.LINE else sign * row.net,
        price_includes_tax=row.includes_tax,
        amount_input=sign * row.amount,
        allowance_share=row.share,
        net=sign * row.net,
        vat_category=category,
        vat_rate=rate,
        tax_country=country,
        exemption_code=source.exemption_code if source else "",
        exemption_text=source.exemption_text if source else "",
        reason_code=source.reason_code if source else "95" if sign < 0 else "",
        is_digital=source.is_digital if source else False,
    )


_COPIED = [
    "is_simplified",
    "is_test",
    "order",
    "order_number",
    "locale",
    "currency",
    "exponent",
    "tax_point_code",
    "buyer_kind",
    "buyer_name",
    "buyer_country",
    "seller",
    "buyer",
    "ship_to",
    "tax_id_check",
    "snapshot_version",
]


def _note_header(invoice: Invoice, *, reason: str, reason_text: str) -> Invoice:
    """Seller and buyer stay those of the invoice: it is that document which is corrected (CGI 289-I-5)."""
    seller = SellerProfile.current()
    day = today_in(Shop.current(), timezone.now())
    note = Invoice(**{name: getattr(invoice, name) for name in _COPIED})
    note.kind = Invoice.Kind.CREDIT_NOTE
    note.refers, note.refers_number, note.refers_date = invoice, invoice.number, invoice.issue_date
    note.reason, note.reason_text = reason, wording.clean(reason_text)[:400]
    note.order_version = invoice.order.version
    note.process = invoice.process
    note.issue_date, note.supply_date = day, invoice.supply_date
    note.template_version = TEMPLATE_VERSION
    note.retain_until = retain_until(day, seller.fiscal_year_start_month)
    note.payment = {}
    with override(invoice.locale):
        notes = [_("Reason: %(reason)s") % {"reason": note.reason_text or str(Invoice.Reason(reason).label)}]
        if invoice.buyer_kind != Invoice.BuyerKind.CONSUMER and str(seller.country) == "FR" and invoice.vat:
            notes.append(
                _("VAT deducted by the buyer: to be paid back up to the amount of this credit note (Article 272 of the French tax code).")
            )
    note.notes = notes
    return note
