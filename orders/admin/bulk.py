"""The panel for many orders: the same plan, its consequences counted, the orders left out named with their reason."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_htmx.http import HttpResponseClientRedirect

from orders.admin.effects import StockRow, stock_rows
from orders.choices import Axis
from orders.models import Status
from orders.money import format_money
from orders.services.plan import Actor, NotGoing, Plan, PlannedChange, apply, plan
from orders.services.status import StatusWish

MOST_ORDERS = 200
SHOWN = 8


@dataclass
class Group:
    """Consequences of one kind over all orders, with one tick for all of them."""

    name: str
    icon: str
    title: str
    is_optional: bool
    is_on: bool
    is_absent: bool
    keys: list[str] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    when: str = ""

    @property
    def shown_rows(self) -> list[str]:
        more = len(self.rows) - SHOWN
        return self.rows[:SHOWN] + ([_("and %(count)d more") % {"count": more}] if more > 0 else [])


def bulk_view(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Show what another status would do to the ticked orders, or do it. The caller has checked the right to see orders."""
    data = request.POST if request.method == "POST" else request.GET
    ids = chosen_ids(data)
    if not ids:
        messages.info(request, _("Tick the orders first."))
        return redirect("admin:orders_order_changelist")
    # Planned without the ticks first: that is what the digests of the page stand for, and it names what can be unticked.
    bare = plan(_wish(request, data, ids))
    wish = _wish(request, data, ids, skip=_unticked(bare, data))
    planned = plan(wish)
    if request.method != "POST" or "preview" in data:
        return _show(request, site, planned, bare, data)
    seen, shown = bare.digests(), _shown_digests(data)
    moved = {pk for pk, digest in seen.items() if shown.get(pk) != digest}
    outcome = apply(wish, seen={pk: "" if pk in moved else digest for pk, digest in planned.digests().items()})
    return _done(request, len(outcome.events), [f"#{_number(planned, pk)}: {error}" for pk, error in outcome.refusals.items()])


def chosen_ids(data: QueryDict) -> list[int]:
    """The ticked orders, each once, in the order of the page."""
    return list(dict.fromkeys(int(pk) for pk in data.getlist("ids") if pk.isdecimal() and len(pk) < 18))[:MOST_ORDERS]


def _wish(request: HttpRequest, data: QueryDict, ids: list[int], *, skip: frozenset[str] = frozenset()) -> StatusWish:
    record = ("record" in data) if data.get("filled") == "1" else None
    return StatusWish(
        ids=ids,
        actor=Actor.clerk(request.user),
        payment=data.get("payment", ""),
        fulfilment=data.get("fulfilment", ""),
        skip=skip,
        record=record,
    )


def _unticked(bare: Plan, data: QueryDict) -> frozenset[str]:
    if data.get("filled") != "1":
        return frozenset()
    off = set(data.getlist("optional")) - set(data.getlist("on"))
    return frozenset(key for group in groups_of(bare.changes) if group.name in off for key in group.keys)


def groups_of(changes: Iterable[PlannedChange]) -> list[Group]:
    """Consequences by kind and title, most telling first: what happens, then what does not."""
    groups: dict[str, Group] = {}
    for change in changes:
        for consequence in change.consequences:
            item = consequence.describe()
            absent = isinstance(consequence, NotGoing)
            name = f"{type(consequence).__name__}:{item.icon}:{item.lines[0] if absent and item.lines else ''}"
            if name not in groups:
                groups[name] = Group(name, item.icon, item.title, consequence.optional, consequence.is_on, absent, when=item.when)
            group = groups[name]
            group.keys.append(consequence.key)
            group.is_on = group.is_on and consequence.is_on
            detail = item.subject or (", ".join(item.lines) if item.lines else item.title)
            group.rows.append(f"#{change.order.number} {change.order.customer_name}: {detail}")
    for group in groups.values():
        if len(group.rows) > 1:
            group.title = _group_title(group)
    return sorted(groups.values(), key=lambda group: group.is_absent)


def _group_title(group: Group) -> str:
    count = len(group.rows)
    if group.is_absent:
        return ngettext("%(title)s: %(count)d order", "%(title)s: %(count)d orders", count) % {"title": group.title, "count": count}
    if group.icon == "mail":
        return ngettext("%(count)d e-mail", "%(count)d e-mails", count) % {"count": count}
    return ngettext("%(count)d document", "%(count)d documents", count) % {"count": count}


def stock_of(changes: Iterable[PlannedChange]) -> list[StockRow]:
    """The counters before the first and after the last order, per variant."""
    rows: dict[int, StockRow] = {}
    for change in changes:
        for row in stock_rows(change):
            first = rows.get(row.variant.pk, row)
            rows[row.variant.pk] = StockRow(row.variant, (first.on_hand[0], row.on_hand[1]), (first.committed[0], row.committed[1]))
    return list(rows.values())


def money_of(changes: Iterable[PlannedChange]) -> list[str]:
    """The payments and refunds that are recorded, as one sentence per currency."""
    payments: dict[str, list[Decimal]] = defaultdict(list)
    refunds: dict[str, list[Decimal]] = defaultdict(list)
    for change in changes:
        payments[change.order.currency] += [payment.amount for payment in change.payments]
        refunds[change.order.currency] += [refund.amount for refund, _rows in change.refunds]
    sentences = []
    for currency, amounts in payments.items():
        if amounts:
            words = {"count": len(amounts), "sum": format_money(sum(amounts, Decimal(0)), currency)}
            sentences.append(ngettext("%(count)d payment, %(sum)s", "%(count)d payments, %(sum)s together", len(amounts)) % words)
    for currency, amounts in refunds.items():
        if amounts:
            words = {"count": len(amounts), "sum": format_money(sum(amounts, Decimal(0)), currency)}
            sentences.append(ngettext("%(count)d refund, %(sum)s", "%(count)d refunds, %(sum)s together", len(amounts)) % words)
    return sentences


def _show(request: HttpRequest, site: AdminSite, planned: Plan, bare: Plan, data: QueryDict) -> HttpResponse:
    is_fragment = bool(getattr(request, "htmx", False))
    axis = Axis.PAYMENT if data.get("payment") else Axis.FULFILMENT
    target = Status.objects.filter(axis=axis, code=data.get(axis, "")).first()
    count = len(planned.changes)
    record = planned.wish.record if isinstance(planned.wish, StatusWish) else None
    context = {
        "title": ngettext("Change %(count)d order", "Change %(count)d orders", count) % {"count": count},
        "axis": axis.value,
        "target": target,
        "ids": list(planned.wish.order_ids()),
        "count": count,
        "groups": groups_of(planned.changes),
        "stock": stock_of(planned.changes),
        "money": money_of(planned.changes),
        "can_record": bool(target and target.proposes_record),
        "records": bool(target and target.record_by_default) if record is None else record,
        "left_out": [(pk, _number(planned, pk), str(error)) for pk, error in planned.refusals.items()],
        "unchanged": len(planned.unchanged),
        "seen": json.dumps(bare.digests()),
        "action": reverse("admin:orders_order_bulk"),
        "list_url": reverse("admin:orders_order_changelist"),
        "is_held": planned.is_held,
        "is_fragment": is_fragment,
    }
    template = "admin/orders/order/bulk_panel.html" if is_fragment else "admin/orders/order/bulk_page.html"
    response = TemplateResponse(request, template, ({} if is_fragment else site.each_context(request)) | context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _shown_digests(data: QueryDict) -> dict[int, str]:
    try:
        return {int(pk): str(digest) for pk, digest in json.loads(data.get("seen", "{}")).items()}
    except (ValueError, AttributeError):
        return {}


def _number(planned: Plan, pk: int) -> str:
    order = planned.world.orders.get(pk)
    return order.number if order else str(pk)


def _done(request: HttpRequest, count: int, left_out: list[str]) -> HttpResponse:
    messages.success(request, ngettext("%(count)d order changed.", "%(count)d orders changed.", count) % {"count": count})
    if left_out:
        messages.warning(request, _("Left out: %(orders)s") % {"orders": "; ".join(left_out)})
    url = reverse("admin:orders_order_changelist")
    return HttpResponseClientRedirect(url) if getattr(request, "htmx", False) else redirect(url)


def offered(statuses: Iterable[Status], *, local_delivery: bool) -> dict[str, list[Status]]:
    """What the bulk bar offers per axis: active statuses; of those a shop without local delivery does not use, none."""
    found: dict[str, list[Status]] = {axis.value: [] for axis in Axis}
    for status in statuses:
        if status.is_active and (local_delivery or status.offered_when != Status.OfferedWhen.LOCAL_DELIVERY):
            found[status.axis].append(status)
    return found
