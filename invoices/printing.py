"""Invoices and credit notes on paper: from the frozen copy only, never from the order or current settings."""

from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import override, pgettext

from invoices import wording
from invoices.documents import Block, Fact, Page, Row, Transfer, address_lines, job_of, letterhead, sum_by_name
from invoices.images import epc_code
from invoices.models import Invoice, InvoiceLine
from invoices.pdf import Job
from invoices.wording import long_date
from orders.choices import DeliveryKind
from orders.money import format_money, format_number, format_percent


def job_of_invoice(invoice: Invoice) -> Job:
    """The print job of an issued document: the same one gives the same bytes."""
    with override(invoice.locale):
        page = page_of_invoice(invoice)
    return job_of(page, "documents/invoice.html", logo=invoice.seller["logo"], identifier=invoice.public_id.hex)


def page_of_invoice(invoice: Invoice) -> Page:
    """What the page shows, in the document's language (which is active)."""
    language, currency = invoice.locale, invoice.currency
    lines = list(invoice.lines.all())
    groups = list(invoice.vat_groups.all())
    is_taxed = any(group.rate for group in groups)
    word = _("Credit note") if invoice.is_credit_note else _("Invoice")
    home = invoice.seller["country"]
    unit = _("amounts in %(currency)s, excluding VAT") if is_taxed else _("amounts in %(currency)s")
    letter = letterhead(invoice.seller, language)
    if invoice.is_credit_note:
        letter |= {"thanks": "", "intro": ""}
    return Page(
        **letter,
        title=f"{word} {invoice.number}",
        heading=word,
        number=invoice.number,
        corrects=_corrects(invoice),
        is_test=invoice.is_test,
        running_right=long_date(invoice.issue_date, language),
        recipient=address_lines(invoice.buyer, language=language, home=home),
        facts=_facts(invoice),
        blocks=_blocks(invoice, home),
        caption=pgettext("document", "Items"),
        unit=unit % {"currency": wording.currency_name(currency, language)},
        unit_label=pgettext("excluding VAT", "Unit price") if is_taxed else _("Unit price"),
        amount_label=pgettext("excluding VAT", "Amount") if is_taxed else _("Amount"),
        shows_vat=is_taxed,
        rows=tuple(_row(line, invoice) for line in lines if line.kind == InvoiceLine.Kind.LINE),
        sums=_sums(invoice, lines, is_taxed=is_taxed),
        vat_rows=tuple(
            (
                format_percent(group.rate, language) + (f" ({group.tax_country})" if _is_abroad(group.tax_country, home) else ""),
                _bare(invoice, invoice.sign * group.base),
                _bare(invoice, invoice.sign * group.vat),
            )
            for group in groups
            if is_taxed
        ),
        exemptions=tuple(dict.fromkeys(group.exemption_text for group in groups if group.exemption_text)),
        transfer=_transfer(invoice),
        notes=tuple(invoice.notes),
        created=invoice.issued_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def _is_abroad(country: str, home: str) -> bool:
    return bool(country) and country != home


def _corrects(invoice: Invoice) -> tuple[str, ...]:
    if not invoice.is_credit_note or invoice.refers is None:
        return ()
    entire = invoice.gross == invoice.refers.gross
    first = _("Cancels invoice %(number)s") if entire else _("Corrects part of invoice %(number)s")
    return (
        first % {"number": invoice.refers_number},
        _("of %(day)s") % {"day": long_date(invoice.refers_date, invoice.locale)},
    )


def _facts(invoice: Invoice) -> tuple[Fact, ...]:
    language, buyer = invoice.locale, invoice.buyer
    facts = [Fact(_("Issue date"), long_date(invoice.issue_date, language))]
    if not invoice.is_credit_note:
        if invoice.supply_date:
            facts.append(Fact(_("Supply date"), long_date(invoice.supply_date, language)))
        if invoice.due and invoice.due_date:
            facts.append(Fact(_("Due date"), long_date(invoice.due_date, language), "due"))
    facts.append(Fact(_("Order"), invoice.order_number))
    if buyer["reference"]:
        facts.append(Fact(_("Your reference"), buyer["reference"]))
    if buyer["siren"] and not invoice.is_credit_note:
        facts.append(Fact(_("Customer SIREN"), wording.spaced(buyer["siren"], (3, 3))))
    if buyer["vat_id"]:
        facts.append(Fact(_("Customer VAT no."), wording.spaced_vat_id(buyer["vat_id"])))
    return tuple(facts)


def _blocks(invoice: Invoice, home: str) -> tuple[Block, ...]:
    if invoice.is_credit_note:
        return ()
    place = invoice.ship_to
    if place.get("kind") == DeliveryKind.PICKUP:
        delivery = Block(_("Pickup"), (place.get("method") or _("At the shop"), *filter(None, [place.get("pickup")])))
    elif not place.get("kind"):
        delivery = Block(_("Delivery"), (_("By electronic means"),))
    elif place.get("same"):
        delivery = Block(_("Deliver to"), (_("To the billing address"),))
    else:
        delivery = Block(_("Deliver to"), address_lines(place, language=invoice.locale, home=home))
    return (delivery, Block(pgettext("document", "Payment"), (invoice.payment["text"],)))


def _row(line: InvoiceLine, invoice: Invoice) -> Row:
    language = invoice.locale
    options = [line.options] if line.options else []
    if line.discount_net:
        options.append(_("Discount on this item: %(amount)s") % {"amount": format_money(-line.discount_net, invoice.currency, language)})
    decimals = max(invoice.exponent, -int(line.unit_net.normalize().as_tuple().exponent))
    if decimals > 2:
        decimals = 4 if decimals <= 4 else 6
    return Row(
        sku=line.sku,
        name=line.name,
        options=" · ".join(options),
        quantity=format_number(line.quantity, language),
        unit=format_number(line.unit_net, language, decimals=max(decimals, invoice.exponent)),
        vat=format_percent(line.vat_rate, language),
        amount=_bare(invoice, invoice.sign * line.net),
    )


def _sums(invoice: Invoice, lines: list[InvoiceLine], *, is_taxed: bool) -> tuple[Fact, ...]:
    kinds = InvoiceLine.Kind
    sign = invoice.sign

    def money(amount: Decimal) -> str:
        return format_money(amount, invoice.currency, invoice.locale)

    sums = [Fact(pgettext("excluding VAT", "Items subtotal") if is_taxed else _("Items subtotal"), money(sign * invoice.lines_net))]
    parts = [(line.name, -line.net) for line in lines if line.kind == kinds.ALLOWANCE]
    parts += [(line.name, line.net) for line in lines if line.kind == kinds.CHARGE]
    sums += [Fact(name, money(sign * amount)) for name, amount in sum_by_name(parts).items()]
    if invoice.is_credit_note:
        if is_taxed:
            sums += [Fact(_("Total excl. VAT"), money(-invoice.net)), Fact(_("Total VAT"), money(-invoice.vat), "gap")]
        sums.append(Fact(_("Total credited"), money(-invoice.gross), "due"))
        return tuple(sums)
    if is_taxed:
        sums += [Fact(_("Total excl. VAT"), money(invoice.net)), Fact(_("Total VAT"), money(invoice.vat))]
    sums.append(Fact(_("Total incl. VAT") if is_taxed else _("Total"), money(invoice.gross), "gross"))
    sums.append(Fact(_("Already paid"), money(-invoice.paid) if invoice.paid else money(Decimal(0)), "gap"))
    sums.append(Fact(_("Amount due") if invoice.due else _("Balance"), money(invoice.due), "due"))
    return tuple(sums)


def _transfer(invoice: Invoice) -> Transfer | None:
    payment = invoice.payment
    if not invoice.due or not payment.get("iban"):
        return None
    # Ordinary spaces: WeasyPrint moves lines that can't break below the code beside them.
    groups = [payment["iban"][start : start + 4] for start in range(0, len(payment["iban"]), 4)]
    lines = [payment["holder"], f"IBAN {' '.join(groups[:4])}", " ".join(groups[4:]), f"BIC {payment['bic']}" if payment["bic"] else ""]
    lines.append(_("Reference %(number)s") % {"number": invoice.number})
    code = ""
    if invoice.currency == "EUR":
        code = epc_code(holder=payment["holder"], iban=payment["iban"], bic=payment["bic"], amount=invoice.due, reference=invoice.number)
    return Transfer(tuple(line for line in lines if line), code)


def _bare(invoice: Invoice, amount: Decimal) -> str:
    return format_money(amount, invoice.currency, invoice.locale, symbol=False)
