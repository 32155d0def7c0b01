"""The packing table: the queue of orders to pack, and one order at a time with a field for the scanner."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.db.models import Exists, F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from orders.admin.list_result import builtin_tabs
from orders.choices import DeliveryKind
from orders.errors import OrderError
from orders.models import Order, OrderAddress, OrderLine, Packing, Status
from orders.people import name_of
from orders.rights import require
from orders.services.editing import HoldWish
from orders.services.packing import CLAIM, AtAnotherTable, Box, WrongItem, box_of, count, is_fresh, put_back, scan, take
from orders.services.plan import Actor, apply
from orders.unshipped import unshipped_lines

RIGHT = "orders.ship_order"
SHOWN = 25  # orders of the queue that the page lists
MOST_COUNTED = 500
SKIPPED = "packing_skipped"  # in the session: orders that this packer passes over for now
MOST_SKIPPED = 200
SHIP, COLLECT = "ship", "collect"


@dataclass
class Waiting:
    """An order of the queue."""

    order: Order
    pieces: int = 0
    packed: int = 0
    is_rest: bool = False  # part of it left already
    packer: str = ""
    is_mine: bool = False
    is_skipped: bool = False


def queue_of(kind: str, statuses: list[Status] | None = None) -> QuerySet[Order]:
    """Orders to pack, those promised for a day first, then the oldest: the view "To ship", or what is collected at the shop."""
    statuses = statuses if statuses is not None else list(Status.objects.select_related("base"))
    if kind == COLLECT:
        waiting = [s.pk for s in statuses if s.waits_for_staff and not s.goods_left and s.own_mail != Status.OwnMail.READY_FOR_PICKUP]
        paid = [s.pk for s in statuses if s.counts_as_paid]
        orders: Any = Order.objects.present().filter(is_held=False, payment_status__in=paid, fulfilment_status__in=waiting)
        orders = orders.filter(delivery_kind=DeliveryKind.PICKUP)
    else:
        orders = next(tab.orders for tab in builtin_tabs(statuses) if tab.key == "to-ship")
    found: QuerySet[Order] = orders.filter(Exists(unshipped_lines())).defer("search")
    return found.order_by(F("delivery_on").asc(nulls_last=True), "placed_at", "id")


def packing_view(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """The queue (GET); the order of a scanned number, or the first that nobody packs (POST)."""
    require(request.user, RIGHT)
    kind = COLLECT if request.GET.get("kind", request.POST.get("kind")) == COLLECT else SHIP
    if request.method == "POST":
        return _find(request, kind)
    statuses = list(Status.objects.select_related("base"))
    queues = {key: queue_of(key, statuses) for key in (SHIP, COLLECT)}
    counts = {key: queue.order_by()[:MOST_COUNTED].count() for key, queue in queues.items()}
    rows = _waiting(request, queues[kind])
    first = next((row for row in rows if row.is_mine), None) or next((r for r in rows if not r.packer and not r.is_skipped), None)
    labels = {SHIP: _("To ship"), COLLECT: _("To be collected")}
    context = {
        "title": _("Packing"),
        "kind": kind,
        "tabs": [(key, labels[key], f"{count}+" if count == MOST_COUNTED else count) for key, count in counts.items()],
        "rows": rows,
        "more": max(counts[kind] - len(rows), 0),
        "first": first,
        "skipped": sum(row.is_skipped for row in rows),
        "packed": _just_packed(request),
    }
    return TemplateResponse(request, "admin/orders/packing/queue.html", site.each_context(request) | context)


def _find(request: HttpRequest, kind: str) -> HttpResponse:
    here = reverse("admin:orders_order_packing") + (f"?kind={kind}" if kind == COLLECT else "")
    if "again" in request.POST:
        request.session[SKIPPED] = []
        return redirect(here)
    number = request.POST.get("code", "").replace("\x00", "").strip().lstrip("#")[:80]
    if not number:
        return redirect(here)
    order = Order.objects.present().filter(number__iexact=number).order_by("-placed_at").only("pk").first()
    if order is None:
        messages.error(request, _("There is no order %(number)s.") % {"number": number})
        return redirect(here)
    return redirect("admin:orders_order_packing_table", order.pk)


def _waiting(request: HttpRequest, queue: QuerySet[Order]) -> list[Waiting]:
    """The first orders of the queue, with who packs them."""
    rows = {order.pk: Waiting(order) for order in queue[:SHOWN]}
    packings = {packing.order_id: packing for packing in Packing.objects.filter(order__in=rows).select_related("packer")}
    lines: dict[int, list[OrderLine]] = {}
    for line in OrderLine.objects.filter(order__in=rows, is_removed=False):
        lines.setdefault(line.order_id, []).append(line)
    skipped = set(request.session.get(SKIPPED, ()))
    for pk, row in rows.items():
        packing = packings.get(pk)
        box = box_of(lines.get(pk, []), packing)
        row.pieces, row.packed, row.is_skipped = box.left, box.packed, pk in skipped
        row.is_rest = any(line.pieces_shipped > line.pieces_back for line in lines.get(pk, []))
        if packing and is_fresh(packing):
            row.is_mine = packing.packer_id == request.user.pk
            row.packer = name_of(packing.packer)
    return list(rows.values())


def _just_packed(request: HttpRequest) -> dict[str, Any] | None:
    """The order that was packed a moment ago, for its packing slip."""
    wanted = request.GET.get("packed", "")
    order = Order.objects.present().defer("search").filter(pk=wanted).first() if wanted.isdecimal() and len(wanted) < 18 else None
    if order is None:
        return None
    parcel = order.shipments.filter(voided_by=None).order_by("-id").first()
    left = box_of(list(order.lines.filter(is_removed=False)), None).left
    return {"order": order, "parcel": parcel, "left": left if parcel and not order.fulfilment_status.goods_left else 0}


def packing_table_view(request: HttpRequest, site: AdminSite, pk: int) -> HttpResponse:
    """One order on the table (GET); take it, count a piece, skip it or put it on hold (POST)."""
    require(request.user, RIGHT)
    order = Order.objects.present().with_statuses().defer("search").filter(pk=pk).first()
    if order is None:
        raise Http404
    if request.method != "POST":
        return _table(request, site, order)
    acts = {"take": _take, "scan": _scan, "count": _count, "skip": _skip, "hold": _hold}
    return acts.get(request.POST.get("do", ""), _take)(request, site, order)


def _take(request: HttpRequest, site: AdminSite, order: Order) -> HttpResponse:
    try:
        take(order.pk, request.user, over="over" in request.POST)
    except AtAnotherTable as error:
        messages.error(request, str(error))
    return redirect("admin:orders_order_packing_table", order.pk)


def _scan(request: HttpRequest, site: AdminSite, order: Order) -> HttpResponse:
    code = request.POST.get("code", "").strip()
    if not code:
        packing = Packing.objects.filter(order=order, packer=request.user.pk).first()
        if _box(order, packing).is_full:  # Enter after the last piece: on to the parcel
            url = reverse("admin:orders_order_pack", args=[order.pk])
            return HttpResponseClientRedirect(url) if getattr(request, "htmx", False) else redirect(url)
        return _table(request, site, order, stop=_("Scan an article, or type its SKU."))
    return _counted(request, site, order, lambda: scan(order.pk, request.user, code))


def _count(request: HttpRequest, site: AdminSite, order: Order) -> HttpResponse:
    line, pieces = request.POST.get("line", ""), request.POST.get("to") or request.POST.get("pieces", "")
    if not (line.isdecimal() and pieces.isdecimal() and len(line) < 18 and len(pieces) < 8):
        return _table(request, site, order, stop=_("Enter how many pieces are in the box, such as 2."))
    return _counted(request, site, order, lambda: count(order.pk, request.user, line_id=int(line), pieces=int(pieces)))


def _counted(request: HttpRequest, site: AdminSite, order: Order, act: Any) -> HttpResponse:
    if blocked := _blocked(order):
        return _table(request, site, order, stop=blocked)
    try:
        said = act()
    except (WrongItem, AtAnotherTable) as error:
        return _table(request, site, order, stop=str(error))
    return _table(request, site, order, said=said or "")


def _skip(request: HttpRequest, site: AdminSite, order: Order) -> HttpResponse:
    put_back(order.pk, request.user)
    skipped = [pk for pk in request.session.get(SKIPPED, ()) if pk != order.pk]
    request.session[SKIPPED] = [*skipped, order.pk][-MOST_SKIPPED:]
    return redirect("admin:orders_order_packing")


def _hold(request: HttpRequest, site: AdminSite, order: Order) -> HttpResponse:
    reason = request.POST.get("reason", "")
    try:
        apply(HoldWish(ids=[order.pk], actor=Actor.clerk(request.user), held=True, reason=reason)).or_raise()
    except OrderError as error:
        return _table(request, site, order, stop=str(error))
    put_back(order.pk, request.user)
    messages.success(request, _("#%(number)s is on hold: %(reason)s") % {"number": order.number, "reason": reason.strip()})
    return redirect("admin:orders_order_packing")


def _box(order: Order, packing: Packing | None) -> Box:
    lines = list(order.lines.filter(is_removed=False).select_related("variant", "variant__product").order_by("position", "id"))
    return box_of(lines, packing)


def _blocked(order: Order) -> str:
    """Why nothing may be packed; nothing where all is well."""
    if order.is_held:
        return _("The order is on hold: %(reason)s") % {"reason": order.hold_reason or _("no reason given")}
    for status in (order.payment_status, order.fulfilment_status):
        if status.releases or status.releases_unshipped or status.goods_left:
            return _("The order is %(status)s: nothing is to be packed.") % {"status": status}
    return ""


def _table(request: HttpRequest, site: AdminSite, order: Order, *, stop: str = "", said: str = "") -> HttpResponse:
    packing = Packing.objects.filter(order=order).select_related("packer").first()
    other = packing if packing and packing.packer_id != request.user.pk and is_fresh(packing) else None
    box, blocked = _box(order, packing), _blocked(order)
    is_fragment = bool(getattr(request, "htmx", False))
    context: dict[str, Any] = {
        "title": _("Pack #%(number)s") % {"number": order.number},
        "order": order,
        "box": box,
        "percent": 100 * box.packed // box.left if box.left else 0,
        "stop": stop,
        "said": said,
        "blocked": blocked or ("" if box.left else _("Nothing is left to pack.")),
        "other": name_of(other.packer) if other else "",
        "other_until": other.seen_at + CLAIM if other else None,
        "other_since": other.began_at if other else None,
        "is_mine": bool(packing and packing.packer_id == request.user.pk and is_fresh(packing, timezone.now())),
        "is_unpaid": not order.payment_status.counts_as_paid and not order.payment_status.releases,
        "is_collected": order.delivery_kind == DeliveryKind.PICKUP,
        "is_fragment": is_fragment,
    }
    if is_fragment:
        response = TemplateResponse(request, "admin/orders/packing/box.html", context)
    else:
        context["address"] = order.addresses.filter(kind=OrderAddress.Kind.SHIPPING).first()
        context["parcels"] = order.shipments.filter(voided_by=None).count()
        template = "admin/orders/packing/table.html"
        response = TemplateResponse(request, template, site.each_context(request) | context, status=422 if stop else 200)
    patch_vary_headers(response, ["HX-Request"])
    return response
