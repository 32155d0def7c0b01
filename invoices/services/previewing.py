"""What a credit note will say, before it is issued: the same draft, shown to staff instead of numbered."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from invoices.errors import CannotIssue
from invoices.models import Invoice, InvoiceLine
from invoices.services.crediting import draft_credit
from orders.money import format_money, format_number, format_percent
from orders.services.change import Paper, TaxShare


def preview_credit(invoice: Invoice, details: Mapping[str, Any]) -> Paper | None:
    """The credit note that `details` of a waiting document lead to; None where none can be issued. Reads only."""
    try:
        note, lines, groups = _drafted(invoice, details)
    except CannotIssue:
        return None

    def money(amount: Decimal) -> str:
        return format_money(-amount, invoice.currency)

    rows = []
    for line in lines:
        is_counted = line.kind == InvoiceLine.Kind.LINE and line.refers_line is not None
        name = f"{format_number(line.quantity)} × {line.name}" if is_counted else line.name or str(line.get_kind_display())
        rows.append((name, money(line.net if line.kind != InvoiceLine.Kind.ALLOWANCE else -line.net)))
    sums = [(_("Total without VAT"), money(note.net))]
    sums += [(_("VAT %(rate)s") % {"rate": format_percent(group.rate)}, money(group.vat)) for group in groups if group.vat]
    sums.append((_("Total credited"), money(note.gross)))
    words = {"number": invoice.number, "date": date_format(invoice.issue_date, "DATE_FORMAT")}
    remark = _("On invoice %(number)s of %(date)s. The number is given when it is issued.") % words
    taxes = tuple(TaxShare(group.rate, group.base + group.vat, group.vat) for group in groups)
    return Paper(_("Credit note"), remark, tuple(rows), tuple(sums), taxes)


def _drafted(invoice: Invoice, details: Mapping[str, Any]) -> Any:
    if details.get("mode") == "rest":
        return draft_credit(invoice)
    amount = Decimal(details["amount"])
    if details.get("mode") == "pieces":
        pieces = {int(pk): quantity for pk, quantity in details["pieces"].items()}
        try:
            drafted = draft_credit(invoice, lines=pieces, shipping=Decimal(details["shipping"]))
            if drafted[0].gross == amount:
                return drafted
        except CannotIssue:
            pass  # the money given back is not what the pieces cost: the money decides, as it does when it is issued
    return draft_credit(invoice, amount=min(amount, invoice.remaining))
