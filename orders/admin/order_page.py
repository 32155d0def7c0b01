"""The page of one order: everything about it, read in a constant number of queries."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.admin import AdminSite
from django.db.models import Count, Min, Prefetch, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.admin.effects import in_words
from orders.admin.status_menu import choices, next_step
from orders.admin.timeline import History
from orders.choices import Axis
from orders.models import (
    Note,
    Order,
    OrderAddress,
    OrderEvent,
    OrderLine,
    OrderSurcharge,
    Payment,
    Refund,
    RefundLine,
    Shipment,
    ShipmentLine,
    Shop,
    Status,
)
from orders.money import format_money, format_number
from orders.services.stock import Pieces

EVENTS = 30


@dataclass(frozen=True)
class Item:
    """A line with where its pieces are."""

    line: OrderLine
    pieces: Pieces
    refunded: int

    @property
    def states(self) -> list[str]:
        """What happened to the pieces, as far as something did."""
        pieces = self.pieces
        found = [
            (pieces.shipped, ngettext("%(count)d shipped", "%(count)d shipped", pieces.shipped)),
            (pieces.shelf, ngettext("%(count)d back on the shelf", "%(count)d back on the shelf", pieces.shelf)),
            (pieces.lost, ngettext("%(count)d lost", "%(count)d lost", pieces.lost)),
            (self.refunded, ngettext("%(count)d refunded", "%(count)d refunded", self.refunded)),
        ]
        return [words % {"count": count} for count, words in found if count]

    def facts(self) -> list[tuple[str, str]]:
        """What else is known of the line: prices behind the price, shares of discounts, files, values of an import."""
        line, currency = self.line, self.line.order.currency
        amounts = [
            (_("Catalogue price"), line.product_price if line.product_price != line.price else None),
            (_("Cost"), line.cost),
            (_("Discount share"), line.discount_share or None),
            (_("Coupon share"), line.coupon_share or None),
        ]
        found = [(label, format_money(amount, currency)) for label, amount in amounts if amount is not None]
        if line.weight:
            found.append((_("Weight"), f"{format_number(line.weight)} kg"))
        for option in line.options:
            extra = {key: value for key, value in option.items() if key not in ("name", "value")}
            found += [(f"{option.get('name', '')} {key}".strip(), text) for key, text in facts_of(extra)]
        for name, value in ((_("Files"), line.downloads), (_("Discounts"), line.discounts), ("", line.additional)):
            found += [(f"{name} {key}".strip(), text) for key, text in facts_of(value)]
        if found and line.tax:
            found.append((_("Tax"), format_money(line.tax, currency)))
        return found


def order_page_view(request: HttpRequest, site: AdminSite, object_id: str, context: dict[str, Any]) -> HttpResponse:
    """The order page. The caller has checked the right to see it."""
    if not object_id.isdecimal() or len(object_id) > 18:
        raise Http404
    order = Order.objects.with_statuses().select_related("customer", "assignee").defer("search").filter(pk=object_id).first()
    if order is None:
        raise Http404
    facts = page_facts(order, all_events="events" in request.GET)
    title = _("Order #%(number)s") % {"number": order.number}
    return TemplateResponse(request, "admin/orders/order/order_page.html", site.each_context(request) | {"title": title} | facts | context)


def page_facts(order: Order, *, all_events: bool = False) -> dict[str, Any]:
    """What the templates of the page read."""
    shop = Shop.current()
    statuses = list(Status.objects.select_related("base"))
    lines = list(order.lines.filter(is_removed=False).select_related("variant").order_by("position", "id"))
    for line in lines:
        line.order = order
    payments = list(Payment.objects.filter(order=order).select_related("reversed_by").order_by("id"))
    refund_lines = RefundLine.objects.select_related("line")
    refunds = list(
        Refund.objects.filter(order=order).select_related("reversed_by").prefetch_related(Prefetch("lines", refund_lines)).order_by("id")
    )
    shipment_lines = ShipmentLine.objects.select_related("line")
    shipments = list(Shipment.objects.filter(order=order).prefetch_related(Prefetch("lines", shipment_lines)).order_by("id"))
    notes = list(order.notes.order_by("id"))
    addresses = {address.kind: address for address in order.addresses.all()}
    events = list(order.events.order_by("-id")[: None if all_events else EVENTS + 1])
    by_code = {(s.axis, s.code): s for s in statuses}
    surcharges = list(order.surcharges.order_by("id"))
    billing, delivery = addresses.get(OrderAddress.Kind.BILLING), addresses.get(OrderAddress.Kind.SHIPPING)
    return {
        "order": order,
        "shop": shop,
        "items": items_of(lines, refunds),
        "pieces": sum(line.quantity for line in lines),
        "weight": sum((line.weight * line.quantity for line in lines if line.weight), Decimal(0)),
        "all_digital": bool(lines) and all(line.is_digital for line in lines),
        "discounts": list(order.discounts.order_by("id")),
        "surcharges": [row for row in surcharges if row.kind == OrderSurcharge.Kind.SURCHARGE],
        "tips": [row for row in surcharges if row.kind == OrderSurcharge.Kind.TIP],
        "payments": payments,
        "refunds": refunds,
        "shipments": [shipment for shipment in shipments if not shipment.voided_by_id],
        "left_to_ship": not order.payment_status.releases and any(Pieces.of(line).unshipped for line in lines if not line.is_digital),
        "left_to_return": not order.payment_status.releases
        and any(
            Pieces.of(line).open if order.fulfilment_status.goods_left else Pieces.of(line).shipped_open
            for line in lines
            if not line.is_digital
        ),
        "billing": billing,
        "delivery": delivery,
        "same_address": bool(billing and delivery and billing.as_lines() == delivery.as_lines()),
        "notes": threads_of(notes),
        "tag_names": [tag.name for tag in order.tags.all()],
        "external_documents": list(order.external_documents.order_by("id")),
        "payment_choices": choices(Axis.PAYMENT, order, lines, statuses, shop),
        "fulfilment_choices": choices(Axis.FULFILMENT, order, lines, statuses, shop),
        "next_step": next_step(order, lines, statuses, shop),
        "entries": History(order, by_code, payments, refunds, shipments, notes).entries(events if all_events else events[:EVENTS]),
        "origin": events[-1].get_source_display() if events and events[-1].kind == OrderEvent.Kind.PLACED else "",
        "more_events": not all_events and len(events) > EVENTS,
        "customer_orders": customer_orders(order),
        "provenance": [*facts_of(order.provenance), *((f"{_('Coupon')} {name}", text) for name, text in facts_of(order.coupon))],
        "additional": facts_of(order.additional),
        "extra_fields": extra_fields(order.extra_fields),
    }


def items_of(lines: list[OrderLine], refunds: list[Refund]) -> list[Item]:
    """The lines of the items card."""
    refunded: dict[int, int] = {}
    for refund in refunds:
        if refund.reverses_id or hasattr(refund, "reversed_by"):
            continue
        for row in refund.lines.all():
            refunded[row.line_id] = refunded.get(row.line_id, 0) + row.quantity
    return [Item(line, Pieces.of(line), refunded.get(line.pk, 0)) for line in lines]


def threads_of(notes: list[Note]) -> list[tuple[Note, list[Note]]]:
    """Notes with the answers to them; an answer to an answer stands under the first note."""
    root: dict[int, int] = {}
    threads: dict[int, tuple[Note, list[Note]]] = {}
    for note in notes:
        first = root.get(note.parent_id or 0)
        if first is None:
            root[note.pk], threads[note.pk] = note.pk, (note, [])
        else:
            root[note.pk] = first
            threads[first][1].append(note)
    return list(threads.values())


def customer_orders(order: Order) -> dict[str, Any] | None:
    """How many orders the customer has placed, since when and for how much in this order's currency; None without a customer."""
    if order.customer_id is None:
        return None
    placed = Order.objects.present().filter(customer=order.customer_id)
    return placed.filter(currency=order.currency).aggregate(count=Count("pk"), total=Sum("total"), since=Min("placed_at"))


def extra_fields(rows: Any) -> list[tuple[str, str]]:
    """Fields that the shop added to its checkout, as title and value, empty ones left out."""
    found = []
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and row.get("value"):
            found.append((str(row.get("title") or row.get("name") or row.get("id") or ""), str(row["value"])))
    return found


def facts_of(value: Any) -> list[tuple[str, str]]:
    """Imported values that have no field of their own, flattened to name and text, empty ones left out."""
    return [(name, text) for name, text in _flat("", value) if text.strip()]


def _flat(name: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [row for key, item in value.items() for row in _flat(f"{name}.{key}" if name else str(key), item)]
    if isinstance(value, list):
        if all(not isinstance(item, (dict, list)) for item in value):
            return [(name, ", ".join(in_words(item) for item in value if item is not None))]
        return [row for position, item in enumerate(value, 1) for row in _flat(f"{name} {position}", item)]
    return [(name, in_words(value))]
