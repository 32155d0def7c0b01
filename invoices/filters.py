"""What the orders list can ask about documents."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from invoices.models import Invoice, PendingDocument
from orders.filtering import YesNoFilter
from orders.listing import having


def document_filters() -> dict[str, Any]:
    """Orders with an invoice, and orders with a document that waits for staff."""
    return {
        "invoiced": YesNoFilter(label=_("Invoiced"), condition=lambda: having(Invoice.objects.filter(kind=Invoice.Kind.INVOICE))),
        "needs_staff": YesNoFilter(
            label=_("Document needs staff"),
            condition=lambda: having(PendingDocument.objects.filter(state=PendingDocument.State.NEEDS_STAFF)),
        ),
    }
