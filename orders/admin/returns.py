"""Returns as staff see them: a card on the page of their order, and one list of all that wait for somebody."""

from dataclasses import dataclass

from django.contrib.admin import AdminSite
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from orders.models import Order, ReturnCase, ReturnCaseLine
from orders.models.returns import OPEN_STATES

State = ReturnCase.State
PAGE = 100
# Per state: the step that leads on, and others that are possible.
NEXT: dict[str, tuple[str, tuple[str, ...]]] = {
    State.REQUESTED: ("approve_return", ("refuse_return", "receive_return")),
    State.APPROVED: ("receive_return", ("refuse_return",)),
    State.RECEIVED: ("inspect_return", ()),
    State.INSPECTED: ("refund", ("exchange", "close_return")),
}
TONES: dict[str, str] = {
    State.REQUESTED: "warning",
    State.APPROVED: "info",
    State.RECEIVED: "warning",
    State.INSPECTED: "warning",
}


@dataclass(frozen=True)
class Step:
    """A button: the name of its form, what it says, where it leads."""

    name: str
    label: str
    url: str


@dataclass(frozen=True)
class CaseRow:
    """A return with what can be done next."""

    case: ReturnCase
    lines: list[ReturnCaseLine]
    tone: str
    first: Step | None
    others: list[Step]


def cases_of(order: Order) -> list[CaseRow]:
    """The returns of an order, newest first; those that were withdrawn stay in the history only."""
    return [_row(case) for case in _with_lines(ReturnCase.objects.filter(order=order).exclude(state=State.WITHDRAWN))]


def returns_view(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """The open returns of all orders, those that waited longest first, or all of them. The caller has checked the right."""
    wanted = request.GET.get("state", "")
    cases = ReturnCase.objects.filter(order__deleted_at=None)
    if wanted == "all":
        cases = cases.exclude(state=State.WITHDRAWN).order_by("-moved_at", "-id")
    else:
        states = [wanted] if wanted in OPEN_STATES else list(OPEN_STATES)
        cases = cases.filter(state__in=states).order_by("moved_at", "id")
    rows = [_row(case) for case in _with_lines(cases.select_related("order"))[:PAGE]]
    choices = [("", _("Open")), *((state.value, str(state.label)) for state in OPEN_STATES), ("all", pgettext("returns", "All"))]
    context = {
        "title": _("Returns"),
        "rows": rows,
        "choices": [(key, label, key == (wanted if wanted == "all" or wanted in OPEN_STATES else "")) for key, label in choices],
        "has_more": len(rows) == PAGE,
    }
    return TemplateResponse(request, "admin/orders/returns.html", site.each_context(request) | context)


def _with_lines(cases: QuerySet[ReturnCase]) -> QuerySet[ReturnCase]:
    lines = ReturnCaseLine.objects.select_related("line").order_by("id")
    return cases.select_related("refund").prefetch_related(Prefetch("lines", lines))


def _row(case: ReturnCase) -> CaseRow:
    labels = {
        "approve_return": _("Approve"),
        "refuse_return": _("Refuse"),
        "receive_return": _("Parcel is here"),
        "inspect_return": _("Inspect"),
        "refund": _("Refund"),
        "exchange": _("Exchange"),
        "close_return": _("Close"),
    }
    first, others = NEXT.get(case.state, ("", ()))
    return CaseRow(
        case,
        list(case.lines.all()),
        TONES.get(case.state, ""),
        _step(case, first, labels) if first else None,
        [_step(case, name, labels) for name in others],
    )


def _step(case: ReturnCase, name: str, labels: dict[str, str]) -> Step:
    if name in ("refund", "exchange"):
        page, query = ("refund", "return_id") if name == "refund" else ("edit", "exchange")
        return Step(name, labels[name], reverse(f"admin:orders_order_{page}", args=[case.order_id]) + f"?{query}={case.pk}")
    return Step(name, labels[name], reverse(f"admin:orders_order_{name}", args=[case.order_id, case.pk]))
