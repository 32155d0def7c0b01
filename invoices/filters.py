"""What the orders list can ask about documents."""

from typing import Any

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from invoices.models import Invoice, PendingDocument
from orders.filtering import YesNoFilter


def document_filters() -> dict[str, Any]:
    """Orders with an invoice, and orders with a document that waits for staff."""
    return {
        "invoiced": YesNoFilter(
            label=_("Invoiced"), condition=lambda: Exists(Invoice.objects.filter(order=OuterRef("pk"), kind=Invoice.Kind.INVOICE))
        ),
        "needs_staff": YesNoFilter(
            label=_("Document needs staff"),
            condition=lambda: Exists(PendingDocument.objects.filter(order=OuterRef("pk"), state=PendingDocument.State.NEEDS_STAFF)),
        ),
    }
