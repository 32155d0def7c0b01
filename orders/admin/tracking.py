"""The page that takes a carrier's file: pasted or uploaded, looked at line by line, then applied as a bulk job with a receipt."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from orders.admin.bulk_status import groups_of, stock_of
from orders.bulk.tracking import Line, Look, look_at
from orders.carrier_files import CARRIER, LARGEST, ORDER, TRACKING, Columns, rows_of_text, text_of_file
from orders.errors import InvalidWish
from orders.models import Carrier
from orders.rights import require

SHOWN = 300  # lines of the preview; those with a problem come first
RIGHT = "orders.ship_order"


def tracking_view(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Look at pasted numbers; nothing is saved here. The button of the preview starts the job. The caller has checked the right
    to see orders."""
    require(request.user, RIGHT)
    text, error, look = "", "", None
    if request.method == "POST":
        text = request.POST.get("text", "")
        try:
            if upload := request.FILES.get("file"):
                text = text_of_file(upload.name or "", upload.read(LARGEST + 1))
            look = _look(request, text, is_new="file" in request.FILES or request.POST.get("looked") != text.strip()[:200])
        except InvalidWish as refusal:
            error = str(refusal)
    context = site.each_context(request) | {
        "title": _("Tracking numbers from a file"),
        "text": text,
        "looked": text.strip()[:200],
        "error": error,
        "carriers": list(Carrier.objects.filter(is_active=True).values_list("name", flat=True)),
        "carrier": request.POST.get("carrier", ""),
        "list_url": reverse("admin:orders_order_changelist"),
    }
    if look is not None:
        context |= _shown(look)
    return TemplateResponse(request, "admin/orders/order/tracking.html", context, status=422 if error else 200)


def _look(request: HttpRequest, text: str, *, is_new: bool) -> Look:
    rows = rows_of_text(text)
    if not rows:
        raise InvalidWish(_("Paste the lines of the carrier’s file, or choose the file."))
    roles = request.POST.getlist("role")
    columns = None if is_new or not any(roles) else Columns.of(roles)
    return look_at(rows, user=request.user, columns=columns, carrier=request.POST.get("carrier", "")[:200])


def _shown(look: Look) -> dict[str, Any]:
    lines = sorted(look.lines, key=_rank)
    names = {ORDER: _("Order number"), TRACKING: _("Tracking number"), CARRIER: _("Carrier")}
    roles = [("", pgettext("column of a file", "not used")), *names.items()]
    columns = []
    for place in range(look.width):
        sample = next((line.cells[place] for line in look.lines if place < len(line.cells) and line.cells[place]), "")
        head = look.heading[place] if place < len(look.heading) else ""
        columns.append({"head": head, "sample": sample, "role": look.columns.role_of(place)})
    lacking = [names[role] for role in (ORDER, TRACKING) if getattr(look.columns, role) < 0]
    return {
        "look": look,
        "lines": lines[:SHOWN],
        "hidden": max(len(lines) - SHOWN, 0),
        "columns": columns,
        "roles": roles,
        "lacking": lacking,
        "count": len(look.changes),
        "mails": sum(line.mails for line in look.lines),
        "groups": groups_of(look.changes),
        "stock": stock_of(look.changes),
        "undo_minutes": look.planned.world.shop.undo_seconds // 60 if look.planned else 0,
        "action": reverse("admin:orders_order_bulk_start", args=[look.job.public_id]) if look.job else "",
    }


def _rank(line: Line) -> tuple[int, int]:
    return (0 if line.problem else 2 if line.is_same else 1, line.position)
