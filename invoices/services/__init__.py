"""The doors of the invoices app."""

from invoices.services.crediting import credit_invoice
from invoices.services.issuing import issue_invoice, preconditions, uncredited_invoices
from invoices.services.releasing import release_document, release_documents

__all__ = ["credit_invoice", "issue_invoice", "preconditions", "release_document", "release_documents", "uncredited_invoices"]
