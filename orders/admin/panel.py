"""The consequence panel: a wish is planned and shown, then applied exactly as shown, or shown again with the reason."""

import json
from dataclasses import dataclass, field

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from orders.admin.cautions import warnings
from orders.admin.conflicts import Conflict, find_conflict, is_stale, picked
from orders.admin.effects import Effect, effects_of
from orders.admin.places import order_url, within
from orders.admin.refund_page import refund_facts
from orders.admin.wishes import FORMS, Ticks, WishForm, subject_of
from orders.errors import InvalidWish, NotAllowed, NotEnoughStock, OrderError, StaleOrder
from orders.models import Order
from orders.services.plan import Actor, Plan, PlannedChange, apply, plan
from orders.services.undo import latest_change

# A mail is a page of its own in a sandboxed frame; it brings its own styles and nothing else.
MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'"


@dataclass
class View:
    """What one look at a wish found."""

    form: WishForm
    plan: Plan | None = None
    change: PlannedChange | None = None
    refusal: OrderError | None = None
    effects: list[Effect] = field(default_factory=list)

    @property
    def digest(self) -> str:
        return self.change.digest() if self.change else ""

    @property
    def is_unchanged(self) -> bool:
        return self.plan is not None and self.change is None and self.refusal is None


def panel_view(request: HttpRequest, site: AdminSite, pk: int, name: str, part: int = 0) -> HttpResponse:
    """Show what a wish about one order would do, or do it. The caller has checked the right to see the order."""
    order = _order_or_404(pk)
    data = picked(request.POST) if request.method == "POST" else request.GET
    view = look(data, order, request, name, part)
    if request.method != "POST":
        return _show(request, site, view, name, part)
    if "preview" in data:
        return _preview(request, site, view, data, name=name, part=part)
    if is_stale(data, order, view.form):
        return show_conflict(request, site, view, data, name=name, part=part)
    if not view.form.is_valid():
        return _show(request, site, view, name, part, status=_status_of(view.refusal))
    shown = look(QueryDict(data.get("shown", "")), order, request, name, part)
    if view.is_unchanged:
        messages.info(request, _("Nothing to change: the order is already so."))
        return done(request, order)
    if data.get("version") != str(order.version) or data.get("seen", "") != shown.digest:
        return _show(request, site, view, name, part, status=409, note=_stale_note(order))
    if _moved(view, shown):
        note = _("Look at what this does, then apply it. Nothing is saved yet.")
        return _show(request, site, view, name, part, note=note)
    if view.refusal or view.plan is None:
        return _show(request, site, view, name, part, status=_status_of(view.refusal))
    outcome = apply(view.plan.wish, seen={order.pk: view.digest})
    for error in outcome.refusals.values():
        order = _order_or_404(pk)  # it may have moved between the look and the locks
        if isinstance(error, StaleOrder) and is_stale(data, order, view.form):
            return show_conflict(request, site, look(data, order, request, name, part), data, name=name, part=part)
        view, note = look(data, order, request, name, part), _stale_note(order) if isinstance(error, StaleOrder) else str(error)
        return _show(request, site, view, name, part, status=_status_of(error), note=note)
    return done(request, order, to=view.form.after())


def _preview(request: HttpRequest, site: AdminSite, view: View, data: QueryDict, *, name: str, part: int) -> HttpResponse:
    """What the typed fields would do. Where the order moved since the form was opened, that is said, with what others did left alone."""
    order = view.form.order
    if is_stale(data, order, view.form):
        view, note = look(find_conflict(view.form, data).data, order, request, name, part), _merging_note(order)
        return _show(request, site, view, name, part, moved=note, can_go_on=True)
    was_moved = data.get("version", "") not in ("", str(order.version))
    return _show(request, site, view, name, part, moved=_moved_note(order) if was_moved else "")


def show_conflict(request: HttpRequest, site: AdminSite, view: View, data: QueryDict, *, name: str, part: int = 0) -> HttpResponse:
    """The order moved while the form was open: show both changes, merged where they do not overlap. Nothing is saved yet."""
    conflict = find_conflict(view.form, data)
    merged = look(conflict.data, view.form.order, request, name, part)
    return _show(request, site, merged, name, part, status=409, conflict=conflict)


def mail_view(request: HttpRequest, pk: int, name: str, part: int = 0) -> HttpResponse:
    """The mail that a wish would send, exactly as it will arrive, as a page of its own."""
    view = look(request.GET, _order_or_404(pk), request, name, part)
    key = request.GET.get("key", "")
    wanted = next((c for c in view.change.consequences if c.key == key), None) if view.change else None
    if wanted is None:
        raise Http404
    item = wanted.describe()
    response = HttpResponse(item.html) if item.html else HttpResponse(item.text, content_type="text/plain; charset=utf-8")
    response.headers["Content-Security-Policy"] = MAIL_POLICY
    return response


def look(data: QueryDict, order: Order, request: HttpRequest, name: str, part: int) -> View:
    """Plan what `data` asks for, as far as it is complete."""
    form = FORMS[name](data, subject_of(order, Actor.clerk(request.user), part=part))
    if not form.is_valid():
        # A form that opens with a field to fill in is not planned yet: without its right it says so all the same.
        refused = form.refused()
        return View(form, refusal=NotAllowed(refused) if refused else None)
    optional, wanted = set(data.getlist("optional")), set(data.getlist("on"))
    try:
        wish = form.wish(Ticks(skip=frozenset(optional - wanted), oversell=data.get("oversell") == "on"))
        planned = plan(wish)
    except OrderError as error:
        return View(form, refusal=error)
    change = planned.changes[0] if planned.changes else None
    refusal = next(iter(planned.refusals.values()), None)
    return View(form, planned, change, refusal, effects_of(planned, change) if change else [])


def _show(
    request: HttpRequest,
    site: AdminSite,
    view: View,
    name: str,
    part: int,
    *,
    status: int = 200,
    note: str = "",
    conflict: Conflict | None = None,
    moved: str = "",
    can_go_on: bool = False,
) -> HttpResponse:
    order, form = view.form.order, view.form
    is_fragment = is_partial = bool(getattr(request, "htmx", False))
    if form.page_template:  # what the page asks for anew is a part of itself; the panel is asked for by its own name
        is_fragment = is_partial and not str(request.htmx.target or "").startswith("page-")  # type: ignore[attr-defined]
    if is_partial and status == 403:
        status = 422  # the frame shows a 403 as a failed request, and this one has its reason with it
    place = [order.pk, part] if part else [order.pk]
    # Without a script nothing looks again when something is typed: a form that opens as the order is may be sent as it is.
    can_always = can_go_on or conflict is not None or (view.is_unchanged and form.merges and not is_fragment)
    refusal = view.refusal if form.is_filled or not isinstance(view.refusal, InvalidWish) else None
    context = {
        "title": form.title(),
        "order": order,
        "form": form,
        "change": view.change,
        "effects": view.effects,
        "optional_keys": [effect.key for effect in view.effects if effect.is_optional],
        "refusal": refusal,
        "oversells": bool(view.plan and view.plan.wish.oversell),
        "may_oversell": isinstance(view.refusal, NotEnoughStock) and request.user.has_perm("orders.oversell_variant"),
        "can_apply": can_always or view.change is not None or (view.refusal is None and not view.is_unchanged),
        "blocked_by": "" if can_always else _blocked_by(view),
        "conflict": conflict,
        **_opened(request, view.form, is_new=conflict is not None),
        "is_unchanged": view.is_unchanged,
        "note": note,
        "moved": moved,
        "warnings": _warnings(view, name),
        "seen": view.digest,
        "shown": _as_query(view),
        "is_held": bool(view.plan and view.plan.is_held),
        "undo_minutes": view.plan.world.shop.undo_seconds // 60 if view.plan else 0,
        "undo_seconds": view.plan.world.shop.undo_seconds if view.plan else 0,
        "has_mail": any(effect.has_body for effect in view.effects),
        "action": reverse(f"admin:orders_order_{name}", args=place),
        "mail_url": reverse(f"admin:orders_order_{name}_mail", args=place),
        "order_url": order_url(request, order),
        "within": within(request),
        "is_fragment": is_fragment,
    }
    template = "admin/orders/order/panel.html" if is_fragment else form.page_template or "admin/orders/order/panel_page.html"
    if form.page_template:
        context |= refund_facts(form, view.plan, view.change)
    response = TemplateResponse(request, template, ({} if is_fragment else site.each_context(request)) | context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _order_or_404(pk: int) -> Order:
    order = Order.objects.with_statuses().defer("search").filter(pk=pk).first()
    if order is None:
        raise Http404
    return order


def _as_query(view: View) -> str:
    """What this look was about, to be planned again when it comes back: fields, unticked effects, never the token."""
    query = QueryDict(mutable=True)
    query["filled"] = "1"
    for name in view.form.fields:
        value = view.form.data.get(name)
        if value not in (None, "", False):
            query[name] = "on" if value is True else str(value)
    skip = view.plan.wish.skip if view.plan else frozenset()
    query.setlist("optional", sorted(skip))
    if view.plan and view.plan.wish.oversell:
        query["oversell"] = "on"
    return query.urlencode()


def _moved(now: View, shown: View) -> bool:
    """The reader changed something weighty since the consequences were shown."""
    oversells = [bool(view.plan and view.plan.wish.oversell) for view in (now, shown)]
    return oversells[0] != oversells[1] or now.form.weighty_values() != shown.form.weighty_values()


def _blocked_by(view: View) -> str:
    if view.refusal is not None:
        return str(view.refusal)
    if view.is_unchanged:
        return _("The order is already so.")
    return ""


def _warnings(view: View, name: str) -> list[str]:
    """What speaks against a status or a parcel. The statuses of the order are still those of before."""
    change = view.change
    if change is None or name not in ("status", "shipment"):
        return []
    targets = [change.payment] if change.payment_changes else []
    if change.fulfilment_changes or name == "shipment":
        targets.append(change.fulfilment)
    return list(dict.fromkeys(text for target in targets for text in warnings(view.form.order, target)))


def _stale_note(order: Order) -> str:
    return _with_latest(_("The order or the stock changed meanwhile. Nothing was saved."), order)


def _moved_note(order: Order) -> str:
    return _with_latest(_("The order changed since you opened this. What you see below is worked out anew."), order)


def _merging_note(order: Order) -> str:
    return _with_latest(_("The order changed since you opened this. Apply to see both changes side by side; nothing is lost."), order)


def _with_latest(text: str, order: Order) -> str:
    latest = latest_change(order.pk)
    if latest is None:
        return text
    words = {"what": latest.get_kind_display(), "who": latest.actor_name or latest.get_source_display()}
    return f"{text} " + _("Latest change: %(what)s, %(who)s.") % words


def _status_of(error: OrderError | None) -> int:
    if isinstance(error, NotAllowed):
        return 403
    return 409 if isinstance(error, StaleOrder) else 422


def _opened(request: HttpRequest, form: WishForm, *, is_new: bool) -> dict[str, str]:
    """What the form was opened with, for a change of two people: a preview of a stale form stays the form it was."""
    if not form.merges:
        return {"version": str(form.order.version)}
    if not is_new and is_stale(request.POST, form.order, form):
        return {name: request.POST.get(name, "") for name in ("version", "opened", "since")}
    latest = form.order.events.order_by("-id").values_list("pk", flat=True).first()
    return {"version": str(form.order.version), "opened": json.dumps(form.opened), "since": str(latest or 0)}


def done(request: HttpRequest, order: Order, anchor: str = "", *, to: str = "") -> HttpResponse:
    """Back to the page of the order, within the list that the reader came from; or on `to` another page."""
    url = to or order_url(request, order) + anchor
    return HttpResponseClientRedirect(url) if getattr(request, "htmx", False) else redirect(url)
