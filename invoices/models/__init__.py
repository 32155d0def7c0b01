"""Everything the invoices app stores."""

from invoices.models.invoice import Invoice, InvoiceEvent, InvoiceLine, InvoiceVatGroup
from invoices.models.numbering import InvoiceCounter, InvoiceSeries
from invoices.models.pending import PendingDocument
from invoices.models.quote import Quote
from invoices.models.seller import SellerProfile

__all__ = [
    "Invoice",
    "InvoiceCounter",
    "InvoiceEvent",
    "InvoiceLine",
    "InvoiceSeries",
    "InvoiceVatGroup",
    "PendingDocument",
    "Quote",
    "SellerProfile",
]
