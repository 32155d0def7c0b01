"""Small changes made on the page of an order itself: tags, who has it, when to look again, hold. Each is one click and can be undone."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict
from django.utils.translation import gettext as _

from orders.admin.panel import done, look, show_conflict
from orders.admin.wishes import FORMS, WishForm, subject_of
from orders.errors import OrderError, StaleOrder
from orders.models import Order
from orders.people import readers_of_orders
from orders.rights import require
from orders.services.editing import DetailsWish, HoldWish
from orders.services.plan import Actor, Wish, apply

TRIES = 3


def quick_view(request: HttpRequest, site: AdminSite, pk: int) -> HttpResponse:
    """Do the small change that `do` names. One that somebody else made differently meanwhile is shown as a conflict first."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    what, data = request.POST.get("do", ""), request.POST
    if what not in MAKERS:
        raise Http404
    require(request.user, "orders.change_order")
    order = _order_or_404(pk)
    for _try in range(TRIES):
        if conflict := _conflict(request, site, order, what):
            return conflict
        try:
            apply(MAKERS[what](order, Actor.clerk(request.user), data)).or_raise()
        except StaleOrder as error:
            if order.deleted_at is not None:
                messages.error(request, str(error))
                break
            order = _order_or_404(pk)  # it moved between the look and the locks: look again
            continue
        except OrderError as error:
            messages.error(request, str(error))
        break
    return done(request, order, ANCHORS[what])


def _order_or_404(pk: int) -> Order:
    order = Order.objects.with_statuses().select_related("assignee").defer("search").filter(pk=pk).first()
    if order is None:
        raise Http404
    return order


def _conflict(request: HttpRequest, site: AdminSite, order: Order, what: str) -> HttpResponse | None:
    """The page of the conflict where the field is no longer as the reader saw it and not yet as they want it."""
    if what not in FIELDS or request.POST.get("version") == str(order.version):
        return None
    form_name, name = FIELDS[what]
    form = FORMS[form_name](QueryDict(), subject_of(order, Actor.clerk(request.user)))
    seen, wanted = request.POST.get("opened", ""), request.POST.get("value", "").strip()
    if form.opened[name] in (seen, wanted):
        return None
    data = _as_form(form, request.POST, {name: wanted} | ({"held": "1"} if what == "hold" else {}), {name: seen})
    return show_conflict(request, site, look(data, order, request, form_name, 0), data, name=form_name)


def _as_form(form: WishForm, sent: QueryDict, wanted: dict[str, str], seen: dict[str, str]) -> QueryDict:
    """One field as the whole form, opened when the page was: the other fields stay as they are."""
    data = QueryDict(mutable=True)
    for name, text in (form.opened | wanted).items():
        data[name] = text
    data["filled"], data["opened"] = "1", json.dumps(form.opened | seen)
    data["version"], data["since"] = sent.get("version", ""), sent.get("since", "")
    if "in" in sent:
        data["in"] = str(sent["in"])
    return data


def _details(order: Order, actor: Actor, **wanted: Any) -> DetailsWish:
    return DetailsWish(ids=[order.pk], actor=actor, versions={order.pk: order.version}, **wanted)


def _add_tag(order: Order, actor: Actor, data: QueryDict) -> Wish:
    return _details(order, actor, add_tags=[name.strip() for name in data.get("value", "").split(",") if name.strip()])


def _remove_tag(order: Order, actor: Actor, data: QueryDict) -> Wish:
    return _details(order, actor, remove_tags=[data.get("value", "")])


def _assign(order: Order, actor: Actor, data: QueryDict) -> Wish:
    value = data.get("value", "")
    person = next((person for person in readers_of_orders() if str(person.pk) == value), None)
    if value and person is None:
        raise OrderError(_("This person may not see orders, or has left."))
    return _details(order, actor, values={"assignee_id": person.pk if person else None})


def _follow_up(order: Order, actor: Actor, data: QueryDict) -> Wish:
    text = data.get("value", "")
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        raise OrderError(_("Enter a date such as 2026-11-30.")) from None
    return _details(order, actor, values={"follow_up_on": day})


def _hold(order: Order, actor: Actor, data: QueryDict) -> Wish:
    return HoldWish(ids=[order.pk], actor=actor, versions={order.pk: order.version}, held=True, reason=data.get("value", ""))


def _unhold(order: Order, actor: Actor, data: QueryDict) -> Wish:
    return HoldWish(ids=[order.pk], actor=actor, versions={order.pk: order.version}, held=False)


MAKERS: dict[str, Callable[[Order, Actor, QueryDict], Wish]] = {
    "add-tag": _add_tag,
    "remove-tag": _remove_tag,
    "assign": _assign,
    "follow-up": _follow_up,
    "hold": _hold,
    "unhold": _unhold,
}
# What two people can want differently: the form and its field. Tags are added and removed one by one.
FIELDS = {"assign": ("details", "assignee"), "follow-up": ("details", "follow_up_on"), "hold": ("hold", "reason")}
ANCHORS = {"add-tag": "#h-tags", "remove-tag": "#h-tags", "assign": "#h-work", "follow-up": "#h-work", "hold": "", "unhold": ""}
