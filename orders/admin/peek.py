"""The peek card: an order at a glance beside the list, without leaving it."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import patch_vary_headers

from orders.admin.status_menu import next_step
from orders.models import Order, OrderAddress, Shop, Status

MOST_LINES = 8
MOST_NOTES = 3


def peek_view(request: HttpRequest, site: AdminSite, pk: int) -> HttpResponse:
    """A fragment with what a clerk needs to decide; without htmx the page of the order. The caller has checked the right to see."""
    order = Order.objects.present().with_statuses().select_related("assignee").defer("search").filter(pk=pk).first()
    if order is None:
        raise Http404
    if not getattr(request, "htmx", False):
        return redirect(reverse("admin:orders_order_change", args=[pk]))
    response = TemplateResponse(request, "admin/orders/order/peek.html", peek_facts(order) | {"within": request.GET.get("in", "")})
    patch_vary_headers(response, ["HX-Request"])
    return response


def peek_facts(order: Order) -> dict[str, Any]:
    """What the card shows, in a constant number of queries."""
    lines = list(order.lines.filter(is_removed=False).order_by("position", "id"))
    addresses = {address.kind: address for address in order.addresses.all()}
    statuses = list(Status.objects.select_related("base"))
    notes = list(order.notes.order_by("-id")[:MOST_NOTES])
    return {
        "order": order,
        "lines": lines[:MOST_LINES],
        "more_lines": max(len(lines) - MOST_LINES, 0),
        "delivery": addresses.get(OrderAddress.Kind.SHIPPING) or addresses.get(OrderAddress.Kind.BILLING),
        "notes": notes,
        "tag_names": [tag.name for tag in order.tags.all()],
        "last_event": order.events.order_by("-id").first(),
        "next_step": next_step(order, lines, statuses, Shop.current()),
    }
