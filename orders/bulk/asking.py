"""What a bulk action can ask: the right it needs, how many orders it takes at most, and how it is said in words."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.choices import Axis
from orders.models import BulkJob, Status
from orders.services.status import STATUS_RIGHTS

Kind = BulkJob.Kind

RIGHTS: dict[str, str] = {
    Kind.STATUS: "orders.change_order_status",
    Kind.TAG: "orders.change_order",
    Kind.ASSIGN: "orders.change_order",
    Kind.HOLD: "orders.change_order",
    Kind.TRACKING: "orders.ship_order",
    Kind.PRINT: "orders.print_order",
    Kind.EXPORT: "orders.export_order",
}
# Measured: planning 5,000 orders takes about three seconds, a sheet a sixth of one; more than this nobody reads before a click.
MOST: dict[str, int] = {
    Kind.STATUS: 5_000,
    Kind.TAG: 5_000,
    Kind.ASSIGN: 5_000,
    Kind.HOLD: 5_000,
    Kind.TRACKING: 5_000,
    Kind.PRINT: 500,
    Kind.EXPORT: 200_000,
}
CHANGES = (Kind.STATUS, Kind.TAG, Kind.ASSIGN, Kind.HOLD, Kind.TRACKING)  # change orders, and can be undone
PAPER = (Kind.PRINT, Kind.EXPORT)  # make a file, in the queue of the worker that makes files
SHEETS, SLIPS = "sheets", "slips"
ORDERS, ITEMS = "orders", "items"


def right_for(kind: str, wish: Mapping[str, Any]) -> str:
    """The permission that asking for this needs; undoing asks for the rights of what it takes back, order by order."""
    if kind == Kind.STATUS and wish.get("axis") in STATUS_RIGHTS:
        return STATUS_RIGHTS[wish["axis"]]
    return RIGHTS.get(kind, "orders.view_order")


def title_of(job: BulkJob, statuses: Mapping[tuple[str, str], Status] | None = None) -> str:
    """The action in words: "Fulfilment → Shipped for 300 orders". `statuses` by axis and code, where many titles are written."""
    count = {"count": job.total}
    for_orders = ngettext("%(what)s for %(count)d order", "%(what)s for %(count)d orders", job.total)
    if job.kind == Kind.UNDO and job.undoes:
        # Only what was changed is taken back: fewer orders than were chosen.
        return _("Undo: %(what)s") % {"what": for_orders % (count | {"what": what_of(job.undoes, statuses)})}
    return for_orders % (count | {"what": what_of(job, statuses)})


def what_of(job: BulkJob, statuses: Mapping[tuple[str, str], Status] | None = None) -> str:
    """What is asked, without how many orders."""
    wish = job.wish
    match job.kind:
        case Kind.STATUS:
            known = statuses if statuses is not None else statuses_by_code([(wish["axis"], wish["code"])])
            status = known.get((wish["axis"], wish["code"]))
            return f"{Axis(wish['axis']).label} → {status or wish['code']}"
        case Kind.TAG:
            names = ", ".join(wish.get("add") or wish.get("remove") or ())
            return (_("Add the tag %(names)s") if wish.get("add") else _("Remove the tag %(names)s")) % {"names": names}
        case Kind.ASSIGN:
            return _("Assign to %(name)s") % {"name": wish["name"]} if wish.get("assignee") else _("Assign to nobody")
        case Kind.HOLD:
            return _("Put on hold") if wish.get("held") else _("Take off hold")
        case Kind.TRACKING:
            return _("Tracking numbers of a file")
        case Kind.PRINT:
            return _("Order sheets") if wish.get("what") == SHEETS else _("Packing slips")
        case Kind.EXPORT:
            return _("Export as %(format)s") % {"format": str(wish.get("format", "csv")).upper()}
    return str(job.get_kind_display())


def statuses_by_code(wanted: Iterable[tuple[str, str]] = ()) -> dict[tuple[str, str], Status]:
    """Statuses by axis and code: those wanted, or all."""
    codes = {code for _axis, code in wanted}
    found: Any = Status.objects.select_related("base")
    return {(status.axis, status.code): status for status in (found.filter(code__in=codes) if codes else found)}
