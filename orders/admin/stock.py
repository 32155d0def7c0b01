"""Stock: what is there, what is promised, why, and the two ways to change it: add or take away, with a reason."""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from orders.admin.lists import ShopPages
from orders.admin.stock_history import history_of, what_differs
from orders.admin.stock_ledger import ledger_file, ledger_view
from orders.errors import OrderError
from orders.finding import find_variants, scanned_variant
from orders.models import DraftReservation, OrderLine, StockMovement, Variant
from orders.rights import require
from orders.services.plan import Actor
from orders.services.stock import adjust_stock

ADJUST = "orders.adjust_stock"
PAGE = 50
ORDERS_NAMED = 6
DAYS_SOLD = 30
LOW = Q(is_tracked=True, on_hand__lte=F("committed") + F("low_stock_limit"))
OVERSOLD = Q(is_tracked=True, on_hand__lt=F("committed"))
SHOWN: dict[str, tuple[Any, Q]] = {
    "": (gettext_lazy("All"), Q()),
    "low": (gettext_lazy("Low"), LOW),
    "oversold": (gettext_lazy("Oversold"), OVERSOLD),
    "free": (gettext_lazy("Not counted"), Q(is_tracked=False)),
}
LEDGER: dict[str, tuple[Any, Q]] = {
    "": (gettext_lazy("All"), Q()),
    "on_hand": (gettext_lazy("On hand"), ~Q(delta_on_hand=0)),
    "committed": (gettext_lazy("Reservations"), ~Q(delta_committed=0)),
}


class AdjustForm(forms.Form):
    """How many pieces to add or take away, and why."""

    delta = forms.CharField(
        label=gettext_lazy("Pieces"),
        max_length=12,
        widget=forms.TextInput({"inputmode": "text", "autocomplete": "off", "placeholder": "+5"}),
        help_text=gettext_lazy("+5 adds five, −2 takes two away."),
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=400, widget=forms.TextInput({"list": "stock-reasons"}))
    key = forms.CharField(widget=forms.HiddenInput, max_length=80)

    def clean_delta(self) -> int:
        text = self.cleaned_data["delta"].replace("\u2212", "-").replace(" ", "")
        try:
            return int(text)
        except ValueError:
            raise forms.ValidationError(_("Enter how many pieces to add or take away, such as 5 or -2.")) from None


class ReceiveForm(forms.Form):
    reference = forms.CharField(
        label=gettext_lazy("Delivery"), max_length=300, help_text=gettext_lazy("Such as the number of the delivery note.")
    )
    key = forms.CharField(widget=forms.HiddenInput, max_length=60)


class ReceivedForm(forms.Form):
    """One line of a delivery."""

    sku = forms.CharField(label=gettext_lazy("SKU or barcode"), max_length=120, required=False)
    pieces = forms.IntegerField(
        label=gettext_lazy("Pieces"),
        required=False,
        min_value=1,
        max_value=1_000_000,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )
    variant: Variant | None = None

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        sku, pieces = values.get("sku", ""), values.get("pieces")
        if sku:
            self.variant = scanned_variant(sku) or Variant.objects.filter(sku=sku).first()
            if self.variant is None:
                self.add_error("sku", _("No article has this SKU or barcode."))
            elif not self.variant.is_tracked:
                self.add_error("sku", _("The stock of %(sku)s is not tracked.") % {"sku": self.variant.sku})
        if sku and pieces is None and "pieces" not in self.errors:
            self.add_error("pieces", _("Enter how many pieces arrived."))
        if pieces and not sku:
            self.add_error("sku", _("Enter the SKU of what arrived."))
        return values


ReceivedFormSet = forms.formset_factory(ReceivedForm, extra=4, max_num=500, absolute_max=500)


@dataclass(frozen=True)
class Why:
    """The arithmetic behind the counters, summed from the ledger."""

    sums: list[dict[str, Any]]
    holding: list[OrderLine]
    kept: list[DraftReservation]
    more_orders: int
    on_hand: int
    committed: int
    is_true: bool

    @property
    def available(self) -> int:
        return self.on_hand - self.committed


@admin.register(Variant)
class StockAdmin(ShopPages):
    """The list beside the article; counters are never typed over."""

    search_fields = ("sku",)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("receive/", wrap(self.receive_view), name="orders_variant_receive"),
            path("ledger/", wrap(self.ledger_view), name="orders_variant_ledger"),
            path("ledger/file/", wrap(self.ledger_file_view), name="orders_variant_ledger_file"),
            path("<int:pk>/adjust/", wrap(self.adjust_view), name="orders_variant_adjust"),
            *super().get_urls(),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Variant | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        self._check(request)
        context = self._list(request)
        if request.headers.get("HX-Request"):
            return render(request, "admin/orders/variant/pick_list.html", context)
        return self._show(request, context)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        self._check(request)
        if not object_id.isdecimal():
            raise Http404
        return self._show(request, self._list(request) | self._detail(request, int(object_id)))

    def adjust_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Add or take away pieces. The key of the form makes a second click cost nothing."""
        self._check(request, ADJUST)
        form = AdjustForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                done = adjust_stock(
                    pk,
                    form.cleaned_data["delta"],
                    reason=form.cleaned_data["reason"],
                    actor=Actor.clerk(request.user),
                    key=form.cleaned_data["key"],
                )
            except Variant.DoesNotExist as error:
                raise Http404 from error
            except OrderError as error:
                form.add_error(error.field if error.field in form.fields else None, str(error))
            else:
                messages.success(request, _("On hand now: %(count)d.") % {"count": done.on_hand_after})
                return HttpResponseRedirect(reverse("admin:orders_variant_change", args=[pk]))
        context = self._list(request) | self._detail(request, pk)
        return self._show(request, context | ({"form": form} if request.method == "POST" else {}))

    def receive_view(self, request: HttpRequest) -> HttpResponse:
        """Goods received: all lines of a delivery, or none."""
        self._check(request, ADJUST)
        data = request.POST if request.method == "POST" else None
        form = ReceiveForm(data, initial={"key": str(uuid.uuid4())})
        rows = ReceivedFormSet(data, prefix="rows")
        if request.method == "POST" and form.is_valid() and rows.is_valid():
            arrived = [row for row in rows.forms if row.variant is not None]
            if arrived:
                self._receive(form, arrived, request)
                text = ngettext("%(count)d article received.", "%(count)d articles received.", len(arrived)) % {"count": len(arrived)}
                messages.success(request, text)
                return HttpResponseRedirect(reverse("admin:orders_variant_changelist"))
            form.add_error(None, _("Enter what arrived."))
        context = self.admin_site.each_context(request) | {"title": _("Receive goods"), "opts": self.opts, "form": form, "rows": rows}
        return TemplateResponse(request, "admin/orders/variant/receive.html", context)

    def ledger_view(self, request: HttpRequest) -> HttpResponse:
        """Every movement of every article, filtered."""
        self._check(request)
        return ledger_view(request, self.admin_site, self.opts)

    def ledger_file_view(self, request: HttpRequest) -> HttpResponseBase:
        self._check(request)
        return ledger_file(request, self.admin_site, self.opts)

    def _receive(self, form: ReceiveForm, arrived: list[ReceivedForm], request: HttpRequest) -> None:
        actor = Actor.clerk(request.user)
        # In the order of the articles, as every writer of stock locks them.
        ordered = sorted(enumerate(arrived), key=lambda pair: pair[1].variant.pk if pair[1].variant else 0)
        with transaction.atomic():
            for index, row in ordered:
                assert row.variant is not None
                adjust_stock(
                    row.variant.pk,
                    row.cleaned_data["pieces"],
                    reason=form.cleaned_data["reference"],
                    actor=actor,
                    key=f"{form.cleaned_data['key']}-{index}",
                    kind=StockMovement.Kind.RECEIVE,
                )

    def _check(self, request: HttpRequest, permission: str = "") -> None:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        if permission:
            require(request.user, permission)

    def _show(self, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        shared = self.admin_site.each_context(request) | {"title": _("Stock"), "opts": self.opts}
        return TemplateResponse(request, "admin/orders/variant/stock.html", shared | context)

    def _list(self, request: HttpRequest) -> dict[str, Any]:
        text, show = request.GET.get("q", "").strip(), request.GET.get("show", "")
        variants: QuerySet[Variant] = Variant.objects.filter(is_active=True).select_related("product")
        variants = find_variants(variants, text).filter(SHOWN.get(show, SHOWN[""])[1])
        ordered = variants.annotate(left=F("on_hand") - F("committed")).order_by("-is_tracked", "left", "product__name", "position")
        page = Paginator(ordered, PAGE).get_page(request.GET.get("p"))
        counts = Variant.objects.filter(is_active=True).aggregate(
            all=Count("pk"), oversold=Count("pk", filter=OVERSOLD), low=Count("pk", filter=LOW & ~OVERSOLD)
        )
        return {
            "text": text,
            "show": show,
            "choices": [(value, label) for value, (label, _only) in SHOWN.items()],
            "page_of_variants": page,
            "counts": counts,
            "may_adjust": request.user.has_perm(ADJUST),
        }

    def _detail(self, request: HttpRequest, pk: int) -> dict[str, Any]:
        variant = Variant.objects.select_related("product").filter(pk=pk).first()
        if variant is None:
            raise Http404
        ledger = request.GET.get("ledger", "")
        movements = variant.movements.select_related("order", "event", "draft").filter(LEDGER.get(ledger, LEDGER[""])[1])
        since = timezone.now() - timedelta(days=DAYS_SOLD)
        sold = variant.movements.filter(kind=StockMovement.Kind.SETTLE, at__gte=since).aggregate(n=Sum("delta_on_hand"))["n"] or 0
        return {
            "variant": variant,
            "why": why(variant),
            "differs": what_differs(variant),
            "history": history_of(variant) if variant.is_tracked else None,
            "sold": -sold,
            "days": DAYS_SOLD,
            "ledger": ledger,
            "ledger_choices": [(value, label) for value, (label, _only) in LEDGER.items()],
            "movements": Paginator(movements.order_by("-id"), PAGE).get_page(request.GET.get("m")),
            "form": AdjustForm(initial={"key": str(uuid.uuid4())}),
            "reasons": [_("Stocktake"), _("Broken"), _("Lost"), _("Found"), _("Given away")],
            "may_see_product": request.user.has_perm("orders.view_product"),
        }


def _term(kind: str) -> str:
    """What a term of the sum says: orders take pieces away by being shipped, and give some back."""
    return _("Shipped with orders, less what came back") if kind == StockMovement.Kind.SETTLE else str(StockMovement.Kind(kind).label)


def why(variant: Variant) -> Why:
    """The terms that give on hand, committed and available, from the ledger itself; false where the counters differ."""
    sums = list(variant.movements.order_by().values("kind").annotate(on_hand=Sum("delta_on_hand"), committed=Sum("delta_committed")))
    position = list(StockMovement.Kind.values)
    ordered = sorted(sums, key=lambda row: position.index(row["kind"]))
    terms = [row | {"name": _term(row["kind"])} for row in ordered]
    holding = OrderLine.objects.filter(variant=variant, committed__gt=0).select_related("order").order_by("-order_id")
    named = list(holding[:ORDERS_NAMED])
    on_hand, committed = sum(row["on_hand"] for row in sums), sum(row["committed"] for row in sums)
    return Why(
        sums=[row for row in terms if row["on_hand"]],
        holding=named,
        kept=list(variant.reservations.select_related("draft").order_by("-draft")),
        more_orders=max(holding.count() - len(named), 0) if len(named) == ORDERS_NAMED else 0,
        on_hand=on_hand,
        committed=committed,
        is_true=(on_hand, committed) == (variant.on_hand, variant.committed),
    )
