"""The page that edits a placed order as a proposal: recomputed while a clerk types, kept until it is saved or given up."""

import json
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from orders.admin.edit_back import pieces_of_return
from orders.admin.edit_meanwhile import show_new_items, take_over
from orders.admin.edit_overlaps import labels_of_keys
from orders.admin.edit_sheet import EditSheet, first_edit, look_at
from orders.admin.form_rows import add_item, add_pieces, change_rows, drop_item
from orders.admin.manual_order import MAIL_POLICY, article_meant, articles_found
from orders.admin.manual_order_form import line_data
from orders.admin.places import order_url, within
from orders.admin.timeline import History
from orders.drafts import DraftLine
from orders.edits import OrderEdit
from orders.errors import OrderError, StaleOrder
from orders.finding import on_sale
from orders.models import Order, OrderEvent, OrderProposal, Shop, Status
from orders.money import format_number
from orders.people import name_of, readers_of_orders
from orders.rights import require
from orders.services.counter_edit import counter_edit, rebased
from orders.services.plan import Actor, plan
from orders.services.pricing import TaxTable
from orders.services.proposing import accept_proposal, keep_proposal, open_proposal, wish_of, withdraw_proposal
from orders.services.repricing import Content

FOLDER = "admin/orders/edit"
CHANGE = "orders.change_order"


def edit_view(request: HttpRequest, site: AdminSite, pk: int) -> HttpResponse:
    """GET shows the open proposal of an order, or a new one (`?revert=` an event of an edit: what takes it back); POST recomputes,
    edits, saves or withdraws it. The caller has checked the right to see the order."""
    require(request.user, CHANGE)
    order = Order.objects.with_statuses().defer("search").filter(pk=pk).first()
    if order is None:
        raise Http404
    if order.deleted_at is not None:
        messages.error(request, _("This order was deleted."))
        return _go(request, order_url(request, order))
    if "suggest" in request.GET:
        return _suggest(request, order)
    row = open_proposal(order)
    if "mail" in request.GET:
        return _mail(request, row, request.GET["mail"])
    if request.method != "POST" or not {"version", "do"} & set(request.POST):
        return _open(request, site, order, row)
    return _answer(request, site, order, row)


def _open(request: HttpRequest, site: AdminSite, order: Order, row: OrderProposal | None) -> HttpResponse:
    base = OrderEdit.from_json(row.body) if row else None
    note = ""
    if case := _number_in(request.GET, "exchange"):
        if row is None:
            base = _exchange(order, case)
        elif row.body.get("return_id") != case:
            note = _("Somebody is editing this order already: save that edit or give it up, then exchange.")
    if wanted := request.GET.get("revert", ""):
        event = _edit_event(order, wanted)
        if event is None:
            raise Http404
        if row is None:
            base = counter_edit(event)
        else:
            note = _("Somebody is editing this order already: save that edit or give it up, then take the earlier one back.")
    latest, opens = _latest_event(order), "exchange" in request.GET
    sheet = look_at(order, user=request.user, row=row, base=base, data=None, latest_event=latest, is_exchange=opens)
    if row is not None and sheet.is_stale and sheet.since.only_notes:
        sheet = _rebase(request, order, row, sheet)
    return _page(request, site, sheet, note)


def _answer(request: HttpRequest, site: AdminSite, order: Order, row: OrderProposal | None) -> HttpResponse:
    data = request.POST.copy()
    verb, _colon, value = data.get("do", "" if request.headers.get("HX-Request") else "typed").partition(":")
    if verb == "withdraw":
        if row is not None:
            withdraw_proposal(row, actor=Actor.clerk(request.user))
        messages.info(request, _("The edit is given up. The order is as it was."))
        return _go(request, order_url(request, order))
    done = _saved_before(order, data) if row is None else None
    if done is not None:
        return _after_colleague(request, site, order, done, data)
    is_new_form = data.get("version") != str(order.version) and show_new_items(data, order)
    base = _base_of(order, row, data)
    _edit_fields(data, verb, value, order=order)
    if verb == "drop" and value.isdecimal() and base is not None:
        base = replace(base, added=(*base.added[: int(value)], *base.added[int(value) + 1 :]))
    sheet = look_at(order, user=request.user, row=row, base=base, data=data, latest_event=_latest_event(order))
    row = _keep(sheet, request)
    note = ""
    if verb == "rebase" and row is not None:
        sheet = _rebase(request, order, row, sheet)
    elif verb == "keep":
        if sheet.is_valid:
            messages.success(request, _("The edit is kept. Nothing of the order has changed yet."))
            return _go(request, order_url(request, order))
        note = _("Some fields need a look.")
    elif verb == "accept":
        done_url, note = _accept(sheet, request)
        if done_url:
            return _go(request, done_url)
        order = Order.objects.with_statuses().defer("search").get(pk=order.pk)
        if order.version != sheet.order.version:
            sheet = look_at(order, user=request.user, row=open_proposal(order), base=sheet.edit, data=data, latest_event=sheet.base_event)
    if not verb and not is_new_form:
        return render(request, f"{FOLDER}/changes.html", _context(request, sheet, note))
    return _page(request, site, sheet, note, status=200)


def _after_colleague(request: HttpRequest, site: AdminSite, order: Order, done: OrderProposal, data: QueryDict) -> HttpResponse:
    """The edit of this form was saved already: on to the order where nothing else was typed, else what was typed beside it."""
    latest = _latest_event(order)
    take_over(data, order, done, latest)
    sheet = look_at(order, user=request.user, row=None, base=None, data=data, latest_event=latest)
    if sheet.edit.is_empty and data.get("do") == "accept":
        return _go(request, order_url(request, order))
    _keep(sheet, request)
    who = done.event.actor_name if done.event else done.author_name
    note = _("%(who)s saved this edit meanwhile. The order is shown as it is now; what you typed beside that is still yours to save.")
    return _page(request, site, sheet, note % {"who": who})


def _accept(sheet: EditSheet, request: HttpRequest) -> tuple[str, str]:
    """Where to go when the edit is made, or what keeps it from being made (said beside the fields too)."""
    order = sheet.order
    if not sheet.is_valid:
        return "", _("Some fields need a look.") if sheet.refusal is None else str(sheet.refusal)
    if sheet.refusal is not None:
        return "", str(sheet.refusal)
    if sheet.is_stale and not sheet.since.only_notes:
        return "", _("Somebody changed this order since you began. Nothing was saved: look at what changed, then take your edit over.")
    if sheet.change is None or sheet.row is None:
        if sheet.row is not None:
            withdraw_proposal(sheet.row, actor=sheet.wish.actor)
        messages.info(request, _("Nothing to change: the order is already so."))
        return order_url(request, order), ""
    if sheet.data.get("seen") != sheet.digest:
        return "", _("Nothing was saved yet: look at what this does, then save it.")
    wish = sheet.wish
    try:
        accept_proposal(sheet.row, actor=wish.actor, skip=wish.skip, oversell=wish.oversell, seen={order.pk: sheet.digest})
    except StaleOrder as error:
        return "", str(error)
    except OrderError as error:
        sheet.show_error(error)
        return "", str(error)
    return order_url(request, order), ""


def _saved_before(order: Order, data: QueryDict) -> OrderProposal | None:
    """The proposal of a form that was sent twice: it was saved with the first click."""
    wanted = data.get("proposal", "")
    if not wanted.isdecimal() or len(wanted) > 18:
        return None
    return order.proposals.filter(pk=wanted, state=OrderProposal.State.ACCEPTED).select_related("event").first()


def _base_of(order: Order, row: OrderProposal | None, data: QueryDict) -> OrderEdit | None:
    if row is not None:
        return OrderEdit.from_json(row.body)
    if case := _number_in(data, "return_id"):
        return _exchange(order, case)
    event = _edit_event(order, data.get("reverts", ""))
    return counter_edit(event) if event else None


def _number_in(data: QueryDict, name: str) -> int:
    """A number that an address or a field names; 0 for anything else."""
    text = data.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 18 else 0


def _exchange(order: Order, return_id: int) -> OrderEdit:
    """An edit that takes the pieces of a return back (0: those that the clerk names)."""
    lines = list(order.lines.filter(is_removed=False).order_by("position", "id"))
    base = first_edit(Content.of(order, lines, []))
    return replace(base, taken_back=pieces_of_return(order, return_id), return_id=return_id)


def _edit_fields(data: QueryDict, verb: str, value: str, *, order: Order) -> None:
    """Change the fields as a button asks."""
    text = data.get("article_search", "").strip()
    if verb == "typed" and text:
        variant, pieces = article_meant(text)
        if variant is not None:
            _add_article(data, variant, order, pieces=pieces)
    elif verb == "article" and value.isdecimal():
        variant = on_sale().filter(pk=value).first()
        if variant is not None:
            _add_article(data, variant, order)
    elif verb == "custom":
        rate = TaxTable(str(Shop.current().country)).domestic_rate(None)
        add_item(data, {"name": text, "quantity": 1, "vat_rate": format_number(rate)})
    elif verb == "remove" and value.isdecimal():
        data[f"line-{value}-removed"] = "on"
    elif verb == "back" and value.isdecimal():
        data.pop(f"line-{value}-removed", None)
    elif verb == "drop" and value.isdecimal():
        drop_item(data, int(value))
    else:
        change_rows(data, verb, value)


def _add_article(data: QueryDict, variant: Any, order: Order, *, pieces: int = 1) -> None:
    """Add pieces: to the item that the edit adds already, else as a new item."""
    if not add_pieces(data, variant, pieces):
        add_item(data, line_data(DraftLine(variant_id=variant.pk, quantity=pieces), order.currency, {variant.pk: variant}))


def _keep(sheet: EditSheet, request: HttpRequest) -> OrderProposal | None:
    """Store the edit from the first change on; a form nobody has typed in yet leaves no row."""
    if sheet.row is None and sheet.edit.is_empty and not sheet.edit.reason:
        return None
    sheet.row = keep_proposal(sheet.order, sheet.edit, actor=sheet.wish.actor, base_version=sheet.base_version, base_event=sheet.base_event)
    return sheet.row


def _rebase(request: HttpRequest, order: Order, row: OrderProposal, sheet: EditSheet) -> EditSheet:
    """Take the edit over to the order as it is now; where both changed the same, what the other person did stands."""
    lines = order.lines.filter(is_removed=False)
    edit = rebased(sheet.edit, sheet.since.overlaps, lines)
    row.base_version, row.base_event, row.body = order.version, _latest_event(order), edit.as_json()
    row.save(update_fields=["base_version", "base_event", "body", "updated_at"])
    return look_at(order, user=request.user, row=row, base=edit, data=None, latest_event=row.base_event)


def _edit_event(order: Order, wanted: str) -> OrderEvent | None:
    if not wanted.isdecimal() or len(wanted) > 18:
        return None
    # An exchange is undone as a whole or not at all: no edit takes back that pieces came back.
    return OrderEvent.objects.filter(pk=wanted, order=order, kind=OrderEvent.Kind.EDIT, refunds=None).first()


def _latest_event(order: Order) -> int:
    return OrderEvent.objects.filter(order=order).order_by("-id").values_list("pk", flat=True).first() or 0


def _go(request: HttpRequest, url: str) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


def _suggest(request: HttpRequest, order: Order) -> HttpResponse:
    text = request.GET.get("article_search", "").strip()
    found = articles_found(text) if text else []
    return render(request, "admin/orders/manual_order/articles.html", {"text": text, "articles": found, "currency": order.currency})


def _mail(request: HttpRequest, row: OrderProposal | None, key: str) -> HttpResponse:
    """The mail that saving the stored edit would send, as a page of its own in the frame of the form."""
    planned = plan(wish_of(row, actor=Actor.clerk(request.user))) if row else None
    found = next((c for change in planned.changes for c in change.consequences if c.key == key), None) if planned else None
    if found is None:
        raise Http404
    item = found.describe()
    response = HttpResponse(item.html) if item.html else HttpResponse(item.text, content_type="text/plain; charset=utf-8")
    response.headers["Content-Security-Policy"] = MAIL_POLICY
    return response


def _meanwhile(sheet: EditSheet) -> dict[str, Any]:
    """What others did since the edit was begun, and what of it both changed."""
    if not sheet.is_stale or sheet.since.only_notes:
        return {}
    events, order = sheet.since.events, sheet.order
    statuses = {(status.axis, status.code): status for status in Status.objects.all()}
    people = {person.pk: name_of(person) for person in readers_of_orders()}
    entries = History(order, statuses, [], [], [], list(order.notes.filter(event__in=events)), people).entries(events)
    return {"entries": entries, "overlaps": labels_of_keys(sheet.since.overlaps, sheet.edit, sheet.before)}


def _context(request: HttpRequest, sheet: EditSheet, note: str) -> dict[str, Any]:
    text = sheet.data.get("article_search", "").strip()
    order, row = sheet.order, sheet.row
    place = reverse("admin:orders_order_edit", args=[order.pk])
    query = QueryDict(mutable=True)
    if inside := within(request):
        query["in"] = inside
    return {
        "sheet": sheet,
        "form": sheet.form,
        "order": order,
        "row": row,
        "is_others": bool(row and row.author_id != request.user.pk),
        "currency": sheet.currency,
        "note": note,
        "action": f"{place}?{query.urlencode()}" if query else place,
        "mail_url": f"{place}?mail=",
        "suggest_url": f"{place}?suggest=articles",
        "order_url": order_url(request, order),
        "opened": json.dumps(sheet.opened),
        "article_text": text,
        "at": _number_in(request.GET, "at"),
        "articles": articles_found(text) if text else [],
        **_meanwhile(sheet),
    }


def _page(request: HttpRequest, site: AdminSite, sheet: EditSheet, note: str = "", *, status: int = 200) -> HttpResponse:
    context = _context(request, sheet, note)
    if request.headers.get("HX-Request"):
        response = render(request, f"{FOLDER}/fragment.html", context, status=status)
        response["HX-Retarget"], response["HX-Reswap"] = "#edit", "outerHTML"
        return response
    words = _("Exchange on #%(number)s") if sheet.is_exchange else _("Edit #%(number)s")
    title = words % {"number": sheet.order.number}
    return render(
        request, f"{FOLDER}/page.html", site.each_context(request) | context | {"title": title, "opts": Order._meta}, status=status
    )
