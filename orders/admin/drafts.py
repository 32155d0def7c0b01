"""Drafts, quotes and unfinished carts: the list, and the page where a cart becomes an order."""

import hashlib
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from orders.admin.effects import Effect, effects_of
from orders.admin.lists import ShopPages
from orders.admin.manual_order import draft_url, order_url
from orders.admin.order_numbers import upcoming_number
from orders.drafts import OrderDraft
from orders.errors import OrderError
from orders.models import Draft, DraftReservation, Order, Shop, Variant
from orders.rights import require
from orders.services.intake import PlaceWish, place_draft
from orders.services.plan import Actor, Plan, plan
from orders.services.reordering import order_again
from orders.services.reserving import throw_away, was_handed_out


class StateFilter(admin.SimpleListFilter):
    """Tabs of the list; what became an order leaves the first one."""

    title = gettext_lazy("State")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("draft", _("Drafts")),
            ("quote", _("Quotes")),
            ("cart", _("Unfinished carts")),
            ("placed", _("Placed")),
            ("closed", pgettext("drafts", "Closed")),
        ]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        return [first | {"display": pgettext("drafts", "Open")}, *others]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "placed":
            return queryset.exclude(order=None)
        if self.value() == "closed":
            return queryset.exclude(closed_at=None).filter(order=None)
        open_ones = queryset.filter(order=None, closed_at=None)
        return open_ones.filter(kind=self.value()) if self.value() else open_ones


@admin.register(Draft)
class DraftAdmin(ShopPages):
    """Made by the manual order form and by imports; never by a form of its own."""

    change_list_template = "admin/orders/draft/list.html"
    search_fields = ("name", "customer_name", "email")
    list_filter = (StateFilter,)
    list_select_related = ("order", "created_by")
    ordering = ("-updated_at", "-id")
    list_intro = gettext_lazy("What is not an order yet: drafts and quotes of staff, and carts that visitors of the shop left.")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_delete_permission(request, obj) and (obj is None or obj.order_id is None))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What a draft keeps is given back first, so it stands in nobody's way."""
        deleted, counts, needed, protected = super().get_deleted_objects(objs, request)
        if any(was_handed_out(row) for row in objs):
            return [_("What the customer received stays readable, with this draft. It is closed and leaves the list.")], {}, set(), []
        kept = {str(row) for row in DraftReservation.objects.filter(draft__in=objs).select_related("variant__product")}
        return deleted, counts, needed, [item for item in protected if not any(name in str(item) for name in kept)]

    def delete_model(self, request: HttpRequest, obj: Draft) -> None:
        throw_away(obj, actor=Actor.clerk(request.user))

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> HttpResponse:
        if not Draft.objects.filter(pk=obj_id).exists():
            return super().response_delete(request, obj_display, obj_id)
        messages.success(request, _("%(draft)s is closed. Its quotes and mails stay readable.") % {"draft": obj_display})
        return HttpResponseRedirect(reverse("admin:orders_draft_changelist"))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Draft]) -> None:
        for row in queryset.order_by("pk"):
            throw_away(row, actor=Actor.clerk(request.user))

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """A draft opens in the form; a cart is shown with what placing it would do."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        if row.order_id and row.kind != Draft.Kind.CART:
            return HttpResponseRedirect(order_url(row.order_id))
        may_place = request.user.has_perm("orders.add_order")
        if row.kind != Draft.Kind.CART and may_place:
            return HttpResponseRedirect(draft_url(row))
        page = CartPage(row, request)
        if request.method == "POST":
            if not may_place:
                raise PermissionDenied
            order = page.place()
            if order is not None:
                return HttpResponseRedirect(order_url(order.pk))
        context = self.admin_site.each_context(request) | {
            "title": str(row),
            "opts": self.opts,
            "page": page,
            "row": row,
            "may_place": may_place and not row.order_id,
            "may_delete": self.has_delete_permission(request, row),
            "form_url": draft_url(row),
        }
        return TemplateResponse(request, "admin/orders/draft/cart.html", context)


def again_view(request: HttpRequest, site: AdminSite, pk: int) -> HttpResponse:
    """Order again: POST makes a draft of an old order at today's prices and opens it."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    require(request.user, "orders.add_order")
    order = Order.objects.present().filter(pk=pk).first()
    if order is None:
        raise Http404
    row = order_again(order, actor=Actor.clerk(request.user))
    return HttpResponseRedirect(draft_url(row))


class CartPage:
    """One cart with what placing it would do."""

    def __init__(self, row: Draft, request: HttpRequest) -> None:
        self.row, self.request = row, request
        self.draft = OrderDraft.from_json(row.body)
        data = request.POST
        skip = frozenset(data.getlist("shown")) - frozenset(data.getlist("go"))
        self.wish = PlaceWish(draft=self.draft, actor=Actor.clerk(request.user), number=upcoming_number(Shop.current()), skip=skip)
        self.plan: Plan | None = None if row.order_id else plan(self.wish)
        self.note = ""

    @property
    def change(self) -> Any:
        return self.plan.changes[0] if self.plan and self.plan.changes else None

    @property
    def refusal(self) -> OrderError | None:
        return next(iter(self.plan.refusals.values()), None) if self.plan else None

    @property
    def effects(self) -> list[Effect]:
        return effects_of(self.plan, self.change) if self.plan and self.change else []

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.change.digest().encode()).hexdigest() if self.change else ""

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The items: priced where they can be, else as they stand in the cart."""
        if self.change:
            return [
                {"name": line.name, "sku": line.sku, "quantity": line.quantity, "price": line.price, "total": line.amount}
                for line in self.change.lines
            ]
        ids = {line.variant_id for line in self.draft.lines if line.variant_id}
        variants = Variant.objects.select_related("product").in_bulk(ids) if ids else {}
        rows = []
        for line in self.draft.lines:
            variant = variants.get(line.variant_id or 0)
            price = line.price if line.price is not None else (variant.price if variant else None)
            rows.append(
                {
                    "name": line.name or str(variant or line.sku),
                    "sku": line.sku or (variant.sku if variant else ""),
                    "quantity": line.quantity,
                    "price": price,
                    "total": price * line.quantity if price is not None else None,
                }
            )
        return rows

    def place(self) -> Order | None:
        """The order of this cart; None with a note where it can't be placed as it was shown."""
        if self.row.order_id:
            return self.row.order
        if self.refusal is not None:
            self.note = str(self.refusal)
            return None
        if self.request.POST.get("seen") != self.digest:
            self.note = _("The shop changed meanwhile. Nothing was created: look at what placing does, then place it.")
            return None
        assert self.plan is not None
        try:
            order = place_draft(self.row, actor=self.wish.actor, skip=self.wish.skip, seen=self.plan.digests())
        except OrderError as error:
            self.note = str(error)
            return None
        messages.success(self.request, _("The cart became the order #%(number)s.") % {"number": order.number})
        return order
