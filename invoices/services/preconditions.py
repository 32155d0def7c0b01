"""Everything that stands against an invoice, found before a number is drawn."""

from collections.abc import Iterator
from decimal import Decimal

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from invoices.errors import Problem
from invoices.glyphs import missing_characters
from invoices.models import Invoice, InvoiceLine, InvoiceSeries, SellerProfile
from invoices.models.numbering import pattern_problem
from invoices.services.drafting import DocumentDraft
from invoices.services.numbers import default_series
from orders.choices import VatCategory
from orders.models import Order
from orders.money import format_money

MOST_LINES = 1_000
FRENCH_RATES = frozenset(Decimal(rate) for rate in ("20", "10", "5.5", "2.1", "8.5", "0.9", "13", "1.05", "1.75"))  # BR-FR-16
WITHOUT_TAX = frozenset(
    {VatCategory.EXEMPT, VatCategory.REVERSE_CHARGE, VatCategory.INTRA_EU, VatCategory.EXPORT, VatCategory.OUT_OF_SCOPE}
)


def problems_of(draft: DocumentDraft, order: Order, seller: SellerProfile, *, external_confirmed: bool = False) -> list[Problem]:
    """What blocks `draft`, then what only warns, each with the place where it is put right."""
    found = [*_seller_problems(draft, seller), *_buyer_problems(draft, order, seller), *_tax_problems(draft, order, seller)]
    found += [*_total_problems(draft, order), *_series_problems(order)]
    if not external_confirmed and order.external_documents.exists():
        text = _("Another system issued a document for this order already.")
        found.append(Problem("external_documents", "order", text, order_link(order)))
    found += _warnings(draft, seller)
    return sorted(found, key=lambda problem: not problem.blocks)


def blocking(problems: list[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.blocks]


def order_link(order: Order) -> str:
    return _link("admin:orders_order_change", order.pk)


def seller_link() -> str:
    return _link("admin:invoices_sellerprofile_change", 1)


def _link(name: str, *args: object) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def _seller_problems(draft: DocumentDraft, seller: SellerProfile) -> Iterator[Problem]:
    link = seller_link()
    needed = [
        ("legal_name", "seller_name", _("The shop's registered name is missing.")),
        ("street", "seller_address", _("The shop's street is missing in the invoice settings.")),
        ("postcode", "seller_address", _("The shop's postcode is missing in the invoice settings.")),
        ("city", "seller_address", _("The shop's city is missing in the invoice settings.")),
        ("country", "seller_country", _("The shop's country is missing in the invoice settings.")),
    ]
    for name, code, text in needed:
        if not getattr(seller, name):
            yield Problem(code, f"seller.{name}", text, link)
    if str(seller.country) == "FR" and not seller.siren:
        yield Problem("seller_siren", "seller.siren", _("A French shop needs its SIREN on invoices."), link)
    charges_vat = any(group.rate for group in draft.groups)
    if charges_vat and not seller.vat_id:
        yield Problem("seller_vat_id", "seller.vat_id", _("VAT is charged, but the shop's VAT id is missing."), link)
    if charges_vat and seller.vat_regime == SellerProfile.VatRegime.FRANCHISE:
        yield Problem("franchise_charges_vat", "seller.vat_regime", _("The shop charges no VAT, but this order has VAT."), link)


def _buyer_problems(draft: DocumentDraft, order: Order, seller: SellerProfile) -> Iterator[Problem]:
    invoice, link = draft.invoice, order_link(order)
    if not invoice.buyer_name:
        yield Problem("buyer_name", "buyer.name", _("The customer's name is missing."), link)
    if not invoice.buyer_country:
        yield Problem("buyer_country", "buyer.country", _("The country of the billing address is missing."), link)
    french = invoice.buyer_kind == Invoice.BuyerKind.BUSINESS and invoice.buyer_country == "FR" == str(seller.country)
    if french and not invoice.buyer["siren"]:
        yield Problem(
            "buyer_siren",
            "buyer.siren",
            _("A French business buyer needs a SIREN or VAT id on the invoice."),
            link,
            blocks=invoice.issue_date >= seller.fr_reform_from,
        )


def _tax_problems(draft: DocumentDraft, order: Order, seller: SellerProfile) -> Iterator[Problem]:
    invoice, link = draft.invoice, order_link(order)
    if draft.tax_problem:
        yield Problem("import_taxes", "vat", draft.tax_problem, link)
        return
    categories = {group.category for group in draft.groups}
    if "" in categories:
        yield Problem("vat_unknown", "vat", _("The VAT of at least one item is not known."), link)
    if VatCategory.OUT_OF_SCOPE in categories and len(categories) > 1:
        text = _("Items outside the scope of VAT, such as gift cards, can't stand on an invoice with taxed items.")
        yield Problem("out_of_scope_mixed", "vat", text, link)
    for group in draft.groups:
        if bool(group.rate) != (group.category == VatCategory.STANDARD) and group.category:
            yield Problem("rate_and_category", "vat", _("A VAT rate does not fit its category."), link)
            break
    if categories & {VatCategory.INTRA_EU, VatCategory.REVERSE_CHARGE}:
        if not seller.vat_id:
            yield Problem("seller_vat_id", "seller.vat_id", _("Invoices without VAT need the shop's VAT id."), seller_link())
        if not order.tax_id:
            yield Problem("buyer_vat_id", "buyer.vat_id", _("An invoice without VAT needs the customer's VAT id."), link)
        elif not order.tax_id_valid:
            yield Problem("buyer_vat_id_invalid", "buyer.vat_id", _("The customer's VAT id was not found valid."), link)
    if categories & {VatCategory.INTRA_EU, VatCategory.EXPORT} and not invoice.ship_to.get("country"):
        text = _("Goods leave without VAT only when the country of delivery is known.")
        yield Problem("ic_delivery", "ship_to.country", text, link)


def _total_problems(draft: DocumentDraft, order: Order) -> Iterator[Problem]:
    rows = [line for line in draft.lines if line.kind == InvoiceLine.Kind.LINE]
    if not draft.tax_problem and not rows:
        yield Problem("no_lines", "lines", _("The order has no items."), order_link(order))
    if len(rows) > MOST_LINES:
        yield Problem("too_many_lines", "lines", _("An invoice holds at most %(most)d items.") % {"most": MOST_LINES}, order_link(order))
    if draft.tax_problem:
        return
    if draft.invoice.gross != draft.expected:
        text = _("The invoice would be %(gross)s, the order says %(total)s.") % {
            "gross": format_money(draft.invoice.gross, order.currency),
            "total": format_money(draft.expected, order.currency),
        }
        yield Problem("gross", "gross", text, order_link(order))


def _series_problems(order: Order) -> Iterator[Problem]:
    series = default_series(InvoiceSeries.Kind.INVOICE, is_test=order.is_test)
    link = _link("admin:invoices_invoiceseries_changelist")
    if series is None:
        yield Problem("series", "series", _("No number series is active for invoices."), link)
    elif problem := pattern_problem(series.pattern, series.reset):
        yield Problem("series", "series", problem, link)


def _warnings(draft: DocumentDraft, seller: SellerProfile) -> Iterator[Problem]:
    if str(seller.country) == "FR":
        if not seller.rcs_city:
            yield Problem("seller_rcs", "seller.rcs_city", _("The city of registration (RCS) is missing."), seller_link(), blocks=False)
        unusual = [g for g in draft.groups if g.category == "S" and g.tax_country in ("", "FR") and g.rate.normalize() not in FRENCH_RATES]
        if unusual:
            yield Problem("french_rate", "vat", _("A VAT rate is not one of the French rates."), blocks=False)
    invoice = draft.invoice
    texts = [*invoice.buyer.values(), *invoice.ship_to.values(), *(line.name + line.options for line in draft.lines)]
    missing = missing_characters("".join(str(text) for text in texts))
    if missing:
        text = _("These characters can't be printed and are replaced: %(characters)s") % {"characters": " ".join(missing[:20])}
        yield Problem("glyphs", "fonts", text, blocks=False)
