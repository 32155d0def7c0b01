"""What the list's bulk bar opens: a panel that says what would become of the chosen orders. Its job waits for the button."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from orders.admin.bulk_panels import Panel, panel_of
from orders.admin.bulk_selection import Selection, selection_of
from orders.admin.bulk_status import propose_status
from orders.bulk.asking import MOST, ORDERS, SHEETS, SLIPS, right_for
from orders.bulk.jobs import propose
from orders.choices import Axis
from orders.models import BulkJob, Status
from orders.rights import require

Kind = BulkJob.Kind


@dataclass(frozen=True)
class Asked:
    """What a button of the bar asks, before anything was chosen in its panel."""

    kind: str
    wish: dict[str, Any] = field(default_factory=dict)


ACTIONS = {
    "tag": Asked(Kind.TAG, {"add": []}),
    "untag": Asked(Kind.TAG, {"remove": []}),
    "assign": Asked(Kind.ASSIGN, {"assignee": None}),
    "hold": Asked(Kind.HOLD, {"held": True, "reason": ""}),
    "unhold": Asked(Kind.HOLD, {"held": False}),
    "print-sheets": Asked(Kind.PRINT, {"what": SHEETS}),
    "print-slips": Asked(Kind.PRINT, {"what": SLIPS}),
    "export": Asked(Kind.EXPORT, {"format": "xlsx", "rows": ORDERS}),
}


def bulk_view(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Show what a bulk action would do to the chosen orders. The caller has checked the right to see orders.

    Refuses (403) without the right to the action; more orders than it takes are told, with what to do instead.
    """
    asked = asked_of(request.POST if request.method == "POST" else request.GET)
    if asked is None:
        messages.info(request, _("Choose what is to be done with the orders."))
        return redirect("admin:orders_order_changelist")
    require(request.user, right_for(asked.kind, asked.wish))
    most = MOST[asked.kind]
    selection = selection_of(request, most=most, is_counted=asked.kind == Kind.EXPORT)
    if selection.wrong:
        why = _("No order is chosen, because a filter of the list makes no sense: %(wrong)s. Correct it or take it away.")
        messages.error(request, why % {"wrong": selection.wrong})
        return redirect(reverse("admin:orders_order_changelist") + f"?{selection.result}")
    if not selection.total:
        messages.info(request, _("Tick the orders first."))
        return redirect("admin:orders_order_changelist")
    if selection.is_more_than(most):
        return show_panel(request, site, "too_many", {"title": _("Too many orders at once"), "most": most, "kind": asked.kind})
    if asked.kind == Kind.STATUS:
        _job, context = propose_status(request.user, asked.wish | _place(request), selection.ids)
        return show_panel(request, site, "panel", context)
    job = propose(asked.kind, _wish(asked, selection) | _place(request), selection.ids, user=request.user, total=selection.total)
    return show_form(request, site, panel_of(job, request.user))


def asked_of(data: QueryDict) -> Asked | None:
    """What a button of the bar asks; None for something that no button of ours asks."""
    for axis in Axis:
        if code := data.get(axis.value, ""):
            known = Status.objects.filter(axis=axis, code=code).exists()
            return Asked(Kind.STATUS, {"axis": axis.value, "code": code}) if known else None
    return ACTIONS.get(data.get("action", ""))


def _wish(asked: Asked, selection: Selection) -> dict[str, Any]:
    if asked.kind != Kind.EXPORT:
        return dict(asked.wish)
    # An export reads a whole result while it writes; only ticked orders are named one by one.
    return asked.wish | ({"ids": selection.ids} if selection.result is None else {"result": selection.result})


def _place(request: HttpRequest) -> dict[str, Any]:
    """The view and the filters that the orders were chosen in: the receipt leads back there."""
    result = (request.POST if request.method == "POST" else request.GET).get("result", "")
    return {"from": result} if result and len(result) < 2000 else {}


def show_form(request: HttpRequest, site: AdminSite, panel: Panel, *, status: int = 200) -> HttpResponse:
    """The panel of an action that asks for something: a tag, a name, a reason, a format."""
    return show_panel(request, site, "form", panel.context(), status=status)


def show_panel(request: HttpRequest, site: AdminSite, name: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A panel as the drawer beside the list, or as a page of its own."""
    is_fragment = bool(getattr(request, "htmx", False))
    template = f"admin/orders/order/bulk_{name}.html"
    context = {"list_url": reverse("admin:orders_order_changelist"), "is_fragment": is_fragment, "panel": template} | context
    response = TemplateResponse(
        request,
        template if is_fragment else "admin/orders/order/bulk_page.html",
        ({} if is_fragment else site.each_context(request)) | context,
        status=status,
    )
    patch_vary_headers(response, ["HX-Request"])
    return response


def offered(statuses: Iterable[Status], *, local_delivery: bool) -> dict[str, list[Status]]:
    """What the bulk bar offers per axis: active statuses; of those a shop without local delivery does not use, none."""
    found: dict[str, list[Status]] = {axis.value: [] for axis in Axis}
    for status in statuses:
        if status.is_active and (local_delivery or status.offered_when != Status.OfferedWhen.LOCAL_DELIVERY):
            found[status.axis].append(status)
    return found
