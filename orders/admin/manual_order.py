"""The manual order form: one page that recomputes while a clerk types, keeps its draft, and creates the order once."""

import uuid
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from orders.admin.form_rows import add_item, add_pieces, change_rows, drop_item
from orders.admin.manual_order_desk import DESK_VERBS, desk_data, do_at_desk
from orders.admin.manual_order_form import data_of, line_data, person_of
from orders.admin.manual_order_sheet import Offer, Sheet, look_at
from orders.admin.order_numbers import upcoming_number
from orders.drafts import DraftLine, OrderDraft
from orders.errors import OrderError, StaleOrder
from orders.finding import MOST_SUGGESTIONS, find_customers, find_variants, kind_of_contact, on_sale, scanned_variant, split_count
from orders.models import Customer, Draft, Order, Shop, Variant
from orders.money import format_number
from orders.rights import require
from orders.services.intake import PlaceWish, place_draft
from orders.services.plan import Actor, plan
from orders.services.pricing import TaxTable
from orders.services.reserving import with_catalogue_prices

FOLDER = "admin/orders/manual_order"
SEE_CUSTOMERS = "orders.view_customer"
# A mail brings its own styles and nothing else.
MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'"


def manual_order_view(request: HttpRequest, admin_site: AdminSite) -> HttpResponse:
    """The page at admin:orders_order_add. GET shows it (`?draft=` reloads a draft), POST recomputes, edits or creates."""
    require(request.user, "orders.add_order")
    if request.method == "POST":
        return _answer(request, admin_site)
    if suggest := request.GET.get("suggest"):
        return _suggest(request, suggest)
    if key := request.GET.get("mail"):
        return _mail(request, key)
    row = _draft_row(request, request.GET.get("draft"))
    if row is not None and row.order_id:
        return HttpResponseRedirect(order_url(row.order_id))
    offer = Offer()
    base = OrderDraft.from_json(row.body) if row else _new_draft(request, offer)
    ids = {line.variant_id for line in base.lines if line.variant_id}
    variants = Variant.objects.in_bulk(ids) if ids else {}
    data = data_of(base, shop=offer.shop, paid_codes=offer.paid_codes, methods=offer.methods, variants=variants)
    data["draft"] = str(row.public_id if row else uuid.uuid4())
    for name, text in desk_data(row).items():
        data[name] = text
    return _page(request, admin_site, look_at(data, base=base, user=request.user, row=row), row)


def order_url(pk: int) -> str:
    return reverse("admin:orders_order_change", args=[pk])


def draft_url(row: Draft) -> str:
    """Where a draft is taken up again."""
    return f"{reverse('admin:orders_order_add')}?draft={row.public_id}"


def customers_found(text: str, customers: QuerySet[Customer]) -> list[Customer]:
    """Suggestions with what each customer ordered so far."""
    found = find_customers(customers, text).annotate(order_count=Count("orders"))
    return list(found.order_by("-order_count", "name")[:MOST_SUGGESTIONS])


def articles_found(text: str) -> list[Variant]:
    found = list(find_variants(on_sale(), text).order_by("product__name", "position")[:MOST_SUGGESTIONS])
    exact = scanned_variant(text)
    return [exact, *(v for v in found if v != exact)][:MOST_SUGGESTIONS] if exact else found


def article_meant(text: str) -> tuple[Variant | None, int]:
    """The article that a text typed or scanned means, and how many: "3 x MUG" are three. A SKU that reads like that wins."""
    if exact := scanned_variant(text):
        return exact, 1
    pieces, rest = split_count(text)
    return next(iter(articles_found(rest)), None), pieces


def _new_draft(request: HttpRequest, offer: Offer) -> OrderDraft:
    wanted = request.GET.get("customer", "")
    customer = _known_customers(request).filter(pk=wanted).first() if wanted.isdecimal() and len(wanted) < 18 else None
    if customer is None:
        return OrderDraft(language=offer.shop.language)
    data = QueryDict(mutable=True)
    _take_customer(data, customer)
    return look_at(data, base=OrderDraft(language=offer.shop.language), user=request.user).draft


def _known_customers(request: HttpRequest) -> QuerySet[Customer]:
    """Customers that the person may see; nobody for who may only type them in."""
    return Customer.objects.all() if request.user.has_perm(SEE_CUSTOMERS) else Customer.objects.none()


def _draft_row(request: HttpRequest, public_id: str | None, *, permission: str = "orders.change_draft") -> Draft | None:
    if not public_id:
        return None
    try:
        row = Draft.objects.filter(public_id=public_id).first()
    except ValidationError as error:
        raise Http404 from error
    if row is None and request.method == "GET":
        raise Http404
    user: Any = request.user
    if row is not None and row.created_by_id != user.pk:
        require(user, permission)
    return row


def _mail(request: HttpRequest, key: str) -> HttpResponse:
    """The mail that creating the stored draft would send, as a page of its own in the frame of the form."""
    row = _draft_row(request, request.GET.get("draft"), permission="orders.view_draft")
    if row is None:
        raise Http404
    wish = PlaceWish(draft=OrderDraft.from_json(row.body), actor=Actor.clerk(request.user), number=upcoming_number(Shop.current()))
    planned = plan(wish)
    found = next((c for change in planned.changes for c in change.consequences if c.key == key), None)
    if found is None:
        raise Http404
    item = found.describe()
    response = HttpResponse(item.html) if item.html else HttpResponse(item.text, content_type="text/plain; charset=utf-8")
    response.headers["Content-Security-Policy"] = MAIL_POLICY
    return response


def _answer(request: HttpRequest, admin_site: AdminSite) -> HttpResponse:
    data = request.POST.copy()
    row = _draft_row(request, data.setdefault("draft", str(uuid.uuid4())))
    if row is not None and row.order_id:
        return _go(request, order_url(row.order_id))
    base = OrderDraft.from_json(row.body) if row else OrderDraft()
    verb, _colon, value = data.get("do", "" if request.headers.get("HX-Request") else "typed").partition(":")
    if verb == "remove" and value.isdecimal():
        base = replace(base, lines=(*base.lines[: int(value)], *base.lines[int(value) + 1 :]))
    if verb == "price" and value.isdecimal():
        _use_catalogue(data, int(value), base)
    _edit(data, verb, value, customers=_known_customers(request))
    sheet = look_at(data, base=base, user=request.user, row=row)
    row = sheet.desk.row = _keep(row, sheet, request)
    note = ""
    if verb in DESK_VERBS:
        url, note = _at_desk(verb, value, row, sheet, request)
        if url:
            return _go(request, url)
    if verb == "keep":
        if sheet.is_valid:
            messages.success(request, _("The draft is kept."))
            return _go(request, draft_url(row) if row else reverse("admin:orders_order_add"))
        note = _("Some fields need a look.")
    if verb == "place":
        order, note = _place(row, sheet, request)
        if order is not None:
            return _go(request, order_url(order.pk))
    if not verb:
        return render(request, f"{FOLDER}/changes.html", _context(request, sheet, row, note))
    return _page(request, admin_site, sheet, row, note)


def _edit(data: QueryDict, verb: str, value: str, *, customers: QuerySet[Customer]) -> None:
    """Change the fields as a button asks."""
    if verb == "typed":
        _take_typed(data, customers)
    elif verb == "customer" and value.isdecimal():
        customer = customers.filter(pk=value).first()
        if customer is not None:
            _take_customer(data, customer)
    elif verb == "new-customer":
        for name, text in kind_of_contact(data.get("customer_search", "")).items():
            data[name] = text
        data["customer_id"] = data["customer_search"] = ""
    elif verb == "unlink":
        data["customer_id"] = ""
    elif verb == "article" and value.isdecimal():
        variant = on_sale().filter(pk=value).first()
        if variant is not None:
            _add_article(data, variant)
    elif verb == "custom":
        rate = TaxTable(str(Offer().shop.country)).domestic_rate(None)
        add_item(data, {"name": data.get("article_search", "").strip(), "quantity": 1, "vat_rate": format_number(rate)})
    elif verb == "remove" and value.isdecimal():
        drop_item(data, int(value))
    else:
        change_rows(data, verb, value)


def _take_typed(data: QueryDict, customers: QuerySet[Customer]) -> None:
    """The return key: a scanned SKU or the first article found is added, the only customer found is taken."""
    text = data.get("article_search", "").strip()
    if text:
        variant, pieces = article_meant(text)
        if variant is not None:
            _add_article(data, variant, pieces)
        return
    text = data.get("customer_search", "").strip()
    if text:
        found = customers_found(text, customers)
        if len(found) == 1:
            _take_customer(data, found[0])


def _take_customer(data: QueryDict, customer: Customer) -> None:
    values = {
        "customer_id": str(customer.pk),
        "customer_name": customer.name or customer.company,
        "email": customer.email,
        "phone": customer.phone,
        "tax_id": customer.tax_id,
        "customer_search": "",
    }
    if customer.language:
        values["language"] = customer.language
    for name, value in values.items():
        data[name] = value
    for name, ticked in (
        ("tax_id_valid", customer.tax_id_valid),
        ("tax_exempt", customer.tax_exempt),
        ("no_customer_mail", customer.no_mail),
    ):
        data.pop(name, None)
        if ticked:
            data[name] = "on"
    if customer.street or customer.city or customer.country:
        for name, value in person_of(customer).items():
            data[name] = value
        data["same_address"] = "on"


def _add_article(data: QueryDict, variant: Variant, pieces: int = 1) -> None:
    """Add pieces: to the item that is there already, else as a new item."""
    if not add_pieces(data, variant, pieces):
        line = DraftLine(variant_id=variant.pk, quantity=pieces)
        add_item(data, line_data(line, Offer().shop.currency, {variant.pk: variant}))


def _use_catalogue(data: QueryDict, index: int, base: OrderDraft) -> None:
    """Put the catalogue's price back into an item's field."""
    pk = data.get(f"items-{index}-variant", "")
    variant = Variant.objects.filter(pk=pk).first() if pk.isdecimal() and len(pk) < 18 else None
    if variant is not None:
        line = base.lines[index] if index < len(base.lines) else DraftLine()
        line = replace(line, variant_id=variant.pk, price=None)
        data[f"items-{index}-price"] = line_data(line, Offer().shop.currency, {variant.pk: variant})["price"]


def _keep(row: Draft | None, sheet: Sheet, request: HttpRequest) -> Draft | None:
    """Store the draft from the first change on; a form nobody has typed in yet leaves no row."""
    draft = sheet.draft
    if row is not None and row.kind == Draft.Kind.QUOTE:
        draft = with_catalogue_prices(draft, keep=True)  # what is added to a quote is promised like the rest
    typed = draft.lines or sheet.data.get("draft_name", "").strip()
    if row is None and not (typed or draft.customer_name or draft.email or draft.phone or draft.customer_id or draft.staff_note):
        return None
    values: dict[str, Any] = {
        "body": draft.as_json(),
        "customer_name": (draft.customer_name or (draft.billing.name if draft.billing else ""))[:200],
        "email": draft.email[:254],
        "language": draft.language,
        "total": sheet.priced.order.total if sheet.priced else 0,
        "currency": sheet.currency,
    }
    if "draft_name" in sheet.data:
        values["name"] = str(sheet.desk.form.cleaned_data.get("draft_name") or "")
    defaults = values | {"created_at": timezone.now(), "created_by": request.user}
    row, made = Draft.objects.get_or_create(public_id=str(sheet.data["draft"]), defaults=defaults)
    if not made:
        for name, value in values.items():
            setattr(row, name, value)
        row.save(update_fields=[*values, "updated_at"])
    return row


def _place(row: Draft | None, sheet: Sheet, request: HttpRequest) -> tuple[Order | None, str]:
    """The order, or what keeps it from being made (said beside the fields too)."""
    if sheet.refusal is not None:
        if not sheet.form.errors and not any(form.errors for form in sheet.lines.forms):
            sheet.show_errors(sheet.refusal)
        return None, str(sheet.refusal)
    if not sheet.is_valid or row is None:
        return None, _("Some fields need a look.")
    if sheet.data.get("seen") != sheet.digest:
        return None, _("Nothing was created yet: look at what creating this order does, then create it.")
    wish: Any = sheet.plan.wish
    try:
        order = place_draft(row, actor=wish.actor, skip=wish.skip, oversell=wish.oversell, seen=sheet.plan.digests())
    except StaleOrder:
        return None, _("The shop changed meanwhile. Nothing was created: look at what creating this order does, then create it.")
    except OrderError as error:
        sheet.show_errors(error)
        return None, str(error)
    return order, ""


def _at_desk(verb: str, value: str, row: Draft | None, sheet: Sheet, request: HttpRequest) -> tuple[str, str]:
    """(where to go on, "") once a button of the draft's card has done its work, else ("", what stands against it)."""
    if row is None:
        return "", _("Nothing is typed yet.")
    if not sheet.is_valid:
        return "", _("Some fields need a look.")
    try:
        done = do_at_desk(verb, value, row, sheet.desk, user=request.user)
    except OrderError as error:
        sheet.show_errors(error)
        return "", str(error)
    if done is None:
        return "", ""
    shown, said = done
    if said:
        messages.success(request, said)
    return draft_url(shown), ""


def _go(request: HttpRequest, url: str) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


def _suggest(request: HttpRequest, what: str) -> HttpResponse:
    if what == "articles":
        text = request.GET.get("article_search", "").strip()
        found = articles_found(text) if text else []
        return render(request, f"{FOLDER}/articles.html", {"text": text, "articles": found, "currency": Offer().shop.currency})
    require(request.user, SEE_CUSTOMERS)
    text = request.GET.get("customer_search", "").strip()
    return render(
        request, f"{FOLDER}/customers.html", {"text": text, "customers": customers_found(text, _known_customers(request)) if text else []}
    )


def _context(request: HttpRequest, sheet: Sheet, row: Draft | None, note: str) -> dict[str, Any]:
    customer_text, article_text = sheet.data.get("customer_search", "").strip(), sheet.data.get("article_search", "").strip()
    return {
        "sheet": sheet,
        "form": sheet.form,
        "currency": sheet.currency,
        "row": row,
        "draft_id": sheet.data["draft"],
        "note": note,
        "customer_text": customer_text,
        "customers": customers_found(customer_text, _known_customers(request)) if customer_text else [],
        "article_text": article_text,
        "articles": articles_found(article_text) if article_text else [],
        "show_errors": bool(note),
    }


def _page(request: HttpRequest, admin_site: AdminSite, sheet: Sheet, row: Draft | None, note: str = "") -> HttpResponse:
    context = _context(request, sheet, row, note)
    if request.headers.get("HX-Request"):
        response = render(request, f"{FOLDER}/form.html", context)
        response["HX-Retarget"], response["HX-Reswap"] = "#new", "outerHTML"
    else:
        context |= admin_site.each_context(request) | {"title": _("New order"), "opts": Order._meta}
        response = render(request, f"{FOLDER}/page.html", context)
    if row is not None:
        response["HX-Replace-Url"] = draft_url(row)
    return response
