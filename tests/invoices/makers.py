"""A seller that may invoice, and invoices of orders."""

from decimal import Decimal
from typing import Any

from invoices.models import Invoice, SellerProfile
from invoices.services import issue_invoice
from orders.models import Order
from tests.makers import ROBOT, make_order, make_shop


def make_seller(**fields: Any) -> SellerProfile:
    """A French seller with everything an invoice needs; invoices by hand unless told otherwise."""
    make_shop()
    seller = SellerProfile.current()
    values = {
        "legal_name": "Comptoir du Lierre SARL",
        "legal_form": "SARL",
        "capital": "10 000 €",
        "street": "14 rue des Olivettes",
        "postcode": "44000",
        "city": "Nantes",
        "country": "FR",
        "siren": "812345676",
        "rcs_city": "Nantes",
        "vat_id": "FR19812345676",
        "iban": "FR7630006000011234567890189",
        "auto_issue": SellerProfile.AutoIssue.NEVER,
    } | fields
    for name, value in values.items():
        setattr(seller, name, value)
    seller.save()
    return seller


def make_invoice(order: Order | None = None, **fields: Any) -> Invoice:
    """An issued invoice of a paid order (of three mugs unless told otherwise)."""
    order = order or make_order("PAID", items=fields.pop("items", {"MUG": 3}), **fields)
    return issue_invoice(order.pk, actor=ROBOT)


def amounts(invoice: Invoice) -> tuple[Decimal, Decimal, Decimal]:
    """(net, VAT, gross) with the currency's decimals."""
    invoice.refresh_from_db()
    return tuple(value.quantize(Decimal("0.01")) for value in (invoice.net, invoice.vat, invoice.gross))  # type: ignore[return-value]
