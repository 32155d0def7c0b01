"""`{% order_documents order as documents %}` for the order page."""

from typing import Any

from django import template

from invoices.panel import OrderDocuments, documents_of
from orders.models import Order

register = template.Library()


@register.simple_tag(takes_context=True)
def order_documents(context: Any, order: Order) -> OrderDocuments:
    """Documents of an order with the buttons that this reader may press."""
    request = context.get("request")
    return documents_of(order, request.user if request else None)
