"""The page of one order: everything about it, read in a constant number of queries."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.admin import AdminSite
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.admin.customer_value import values_of
from orders.admin.history_filter import EVENTS, HistoryFilter
from orders.admin.order_facts import extra_fields, facts_of
from orders.admin.order_notes import suggestions
from orders.admin.order_work import work_of
from orders.admin.places import page_of, steps, within
from orders.admin.returns import cases_of
from orders.admin.status_menu import choices, next_step
from orders.admin.stock import why as why_stock
from orders.admin.timeline import History
from orders.admin.why import Figures, Why
from orders.choices import Axis
from orders.known import shop_of, statuses_of
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
    Variant,
)
from orders.money import format_money, format_number
from orders.parcelled import parcelled_of
from orders.people import name_of, readers_of_orders
from orders.services.proposing import open_proposal
from orders.services.removal import deletion_of
from orders.services.stock import Pieces

OTHERS = 3  # other orders of the customer that the page names


@dataclass(frozen=True)
class Item:
    """A line with where its pieces are."""

    line: OrderLine
    pieces: Pieces
    refunded: int
    exchanged: int
    why: Why

    @property
    def states(self) -> list[str]:
        """What happened to the pieces, as far as something did."""
        pieces = self.pieces
        found = [
            (pieces.shipped, ngettext("%(count)d shipped", "%(count)d shipped", pieces.shipped)),
            (pieces.shelf, ngettext("%(count)d back on the shelf", "%(count)d back on the shelf", pieces.shelf)),
            (pieces.lost, ngettext("%(count)d lost", "%(count)d lost", pieces.lost)),
            (self.refunded, ngettext("%(count)d refunded", "%(count)d refunded", self.refunded)),
            (self.exchanged, ngettext("%(count)d exchanged", "%(count)d exchanged", self.exchanged)),
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
    """The order page, or only its history where that is asked for. The caller has checked the right to see it."""
    if not object_id.isdecimal() or len(object_id) > 18:
        raise Http404
    order = Order.objects.with_statuses().select_related("customer", "assignee").defer("search").filter(pk=object_id).first()
    if order is None:
        raise Http404
    chosen = HistoryFilter.of(request.GET)
    facts = page_facts(request, order, chosen)
    facts["page_url"] = page_of(order.pk, within(request))
    if getattr(request, "htmx", False) and request.htmx.target == "history":  # type: ignore[attr-defined]
        response = TemplateResponse(request, "admin/orders/order/history_fragment.html", facts)
    else:
        title = _("Order #%(number)s") % {"number": order.number}
        facts |= {"title": title, "steps": steps(request, order), "within": within(request)}
        response = TemplateResponse(request, "admin/orders/order/order_page.html", site.each_context(request) | facts | context)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def why_view(request: HttpRequest, site: AdminSite, pk: int, part: int) -> HttpResponse:
    """Why a variant of the order has as many pieces as it has: worked out from the ledger, as a fragment or a page."""
    order = Order.objects.defer("search").filter(pk=pk).first()
    variant = Variant.objects.select_related("product").filter(pk=part, order_lines__order=pk).distinct().first()
    if order is None or variant is None:
        raise Http404
    lines = list(order.lines.filter(variant=variant, is_removed=False))
    context = {"order": order, "variant": variant, "why": why_stock(variant), "own_lines": {line.pk for line in lines}}
    context |= {"page_url": page_of(order.pk, within(request))}
    if getattr(request, "htmx", False):
        return TemplateResponse(request, "admin/orders/order/why_stock.html", context)
    title = _("Stock of %(sku)s") % {"sku": variant.sku}
    return TemplateResponse(request, "admin/orders/order/why_page.html", site.each_context(request) | context | {"title": title})


def page_facts(request: HttpRequest, order: Order, chosen: HistoryFilter) -> dict[str, Any]:
    """What the templates of the page read."""
    shop, user = shop_of(request), request.user
    statuses = statuses_of(request)
    lines = list(order.lines.filter(is_removed=False).select_related("variant").order_by("position", "id"))
    for line in lines:
        line.order = order
    refund_lines = RefundLine.objects.select_related("line")
    refunds = list(
        Refund.objects.filter(order=order).select_related("reversed_by").prefetch_related(Prefetch("lines", refund_lines)).order_by("id")
    )
    payments = list(Payment.objects.filter(order=order).select_related("reversed_by").order_by("id"))
    shipment_lines = ShipmentLine.objects.select_related("line")
    shipments = list(Shipment.objects.filter(order=order).prefetch_related(Prefetch("lines", shipment_lines)).order_by("shipped_at", "id"))
    notes = list(order.notes.prefetch_related("files").order_by("id"))
    surcharges, discounts = list(order.surcharges.order_by("id")), list(order.discounts.order_by("id"))
    figures = Figures(order, lines, discounts, surcharges, payments, refunds)
    people = readers_of_orders()
    events = chosen.events(order)
    shown = events if chosen.shows_all else events[:EVENTS]
    history = History(
        order,
        {(s.axis, s.code): s for s in statuses},
        payments,
        refunds,
        shipments,
        notes,
        people={person.pk: name_of(person) for person in people},
    )
    return {
        "order": order,
        "shop": shop,
        "items": items_of(figures),
        "worth": order.total - order.credited_total,
        "given_off": sum((refund.credited for refund in refunds if refund.amount), Decimal(0)),
        "exchanged_off": sum((refund.credited for refund in refunds if not refund.amount), Decimal(0)),
        "whys": figures.all(),
        "pieces": sum(line.quantity for line in lines),
        "weight": sum((line.weight * line.quantity for line in lines if line.weight), Decimal(0)),
        "all_digital": bool(lines) and all(line.is_digital for line in lines),
        "discounts": discounts,
        "surcharges": [row for row in surcharges if row.kind == OrderSurcharge.Kind.SURCHARGE],
        "tips": [row for row in surcharges if row.kind == OrderSurcharge.Kind.TIP],
        "payments": payments,
        "refunds": refunds,
        "shipments": [shipment for shipment in shipments if not shipment.voided_by_id],
        **_left(order, lines),
        "returns": cases_of(order),
        "deletion": deletion_of(order) if order.deleted_at else None,
        "parcelled": parcelled_of(order, lines),
        **_addresses(order.addresses.all()),
        "notes": threads_of(notes),
        "mention_people": suggestions([person for person in people if person != user]),
        "work": work_of(order, people, user),
        "external_documents": list(order.external_documents.order_by("id")),
        "payment_choices": choices(Axis.PAYMENT, order, lines, statuses, shop),
        "fulfilment_choices": choices(Axis.FULFILMENT, order, lines, statuses, shop),
        "next_step": next_step(order, lines, statuses, shop),
        "chosen": chosen,
        "entries": history.entries(shown),
        "mail_events": chosen.mail_events(order),
        "latest_event": events[0].pk if events and not chosen.is_set else 0,
        "origin": events[-1].get_source_display() if events and events[-1].kind == OrderEvent.Kind.PLACED else "",
        "proposal": open_proposal(order),
        "more_events": len(events) > len(shown),
        "customer_orders": customer_orders(order),
        "has_more": _has_more(user, order, lines),
        "sees_money": any(user.has_perm(f"orders.{right}") for right in ("view_sales", "record_payment", "refund_order")),
        "provenance": [*facts_of(order.provenance), *((f"{_('Coupon')} {name}", text) for name, text in facts_of(order.coupon))],
        "additional": facts_of(order.additional),
        "extra_fields": extra_fields(order.extra_fields),
    }


def _left(order: Order, lines: list[OrderLine]) -> dict[str, bool]:
    """Whether there are pieces left to ship, and to take back."""
    pieces = [] if order.payment_status.releases else [Pieces.of(line) for line in lines if not line.is_digital]
    gone = order.fulfilment_status.goods_left
    return {
        "left_to_ship": any(piece.unshipped for piece in pieces),
        "left_to_return": any(piece.open if gone else piece.shipped_open for piece in pieces),
    }


def _has_more(user: Any, order: Order, lines: list[OrderLine]) -> bool:
    """Whether the menu of other actions has one for this person (more_menu.html)."""

    def may(*rights: str) -> bool:
        return any(user.has_perm(f"orders.{right}") for right in rights)

    if may("print_order", "delete_order") or order.deleted_at:
        return may("print_order", "delete_order")
    if may("record_payment", "change_order", "add_order") or (may("refund_order") and order.refundable > 0):
        return True
    if may("cancel_order") and may("change_payment_status") and not order.payment_status.releases:
        return True
    return may("ship_order") and any(_left(order, lines).values())


def _addresses(rows: Iterable[OrderAddress]) -> dict[str, Any]:
    addresses = {address.kind: address for address in rows}
    billing, delivery = addresses.get(OrderAddress.Kind.BILLING), addresses.get(OrderAddress.Kind.SHIPPING)
    same = bool(billing and delivery and billing.as_lines() == delivery.as_lines())
    return {"billing": billing, "delivery": delivery, "same_address": same}


def items_of(figures: Figures) -> list[Item]:
    """The lines of the items card."""
    refunded: Counter[int] = Counter()
    exchanged: Counter[int] = Counter()
    for refund in figures.refunds:
        if refund.reverses_id or hasattr(refund, "reversed_by"):
            continue
        for row in refund.lines.all():
            (refunded if refund.amount else exchanged)[row.line_id] += row.quantity
    return [Item(line, Pieces.of(line), refunded[line.pk], exchanged[line.pk], figures.of_line(line)) for line in figures.lines]


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
    """What the customer's orders in this order's currency came to, and the newest others. None without a customer. Two queries."""
    if order.customer_id is None:
        return None
    placed = Order.objects.present().filter(customer=order.customer_id)
    value = next(iter(values_of(placed.filter(currency=order.currency))), None)
    others = placed.exclude(pk=order.pk).with_statuses().defer("search").order_by("-placed_at", "-id")
    is_first = value is not None and value.since is not None and value.since >= order.placed_at
    return {"value": value, "others": list(others[:OTHERS]), "is_first": is_first}
