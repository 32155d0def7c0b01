"""Statuses and what they set off: both axes, names per language, statuses of the shop's own."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from orders.admin.lists import ShopPages
from orders.admin.names import NAME_FIELDS, NamesForm, with_names
from orders.choices import Axis, StockEffect
from orders.errors import OrderError
from orders.listing import bounded_counts, counted_text
from orders.models import Order, Status
from orders.services.status_rows import add_custom_status, check_retirement, is_used

MOVERS = frozenset({"stock_effect", "goods_left"})


class PlainStatusForm(NamesForm):
    class Meta:
        model = Status
        exclude = ("names",)
        labels = {"is_active": gettext_lazy("Offered in menus")}
        help_texts = {
            "tone": gettext_lazy("The colour of its pill. Only a status that waits for somebody is tinted."),
            "position": gettext_lazy("Smaller numbers come first in menus."),
            "mails_customer": gettext_lazy("Off: a change to this status mails nobody; the panel says so."),
            "stock_effect": gettext_lazy("Whether orders with this status hold their pieces, or wait and take them later."),
            "goods_left": gettext_lazy("Pieces of orders with this status are out of the shop: they leave what is on hand."),
            "record_by_default": gettext_lazy("The panel proposes to record the money; this ticks the proposal."),
            "replaced_by": gettext_lazy("For a status that is no longer offered: what to use instead."),
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        status = self.instance
        if "stock_effect" in self.fields:
            choices = [choice for choice in StockEffect.choices if choice[0] != StockEffect.RELEASE]
            self.fields["stock_effect"] = forms.ChoiceField(
                label=self.fields["stock_effect"].label, choices=choices, help_text=self.fields["stock_effect"].help_text
            )
        if "replaced_by" in self.fields:
            others = Status.objects.filter(axis=status.axis, is_active=True).exclude(pk=status.pk)
            self.fields["replaced_by"].queryset = others  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        if values.get("is_active"):
            values["replaced_by"] = None
        elif values.get("is_active") is False and not self.errors:
            try:
                check_retirement(self.instance, values.get("replaced_by"))
            except OrderError as error:
                self.add_error(error.field if error.field in self.fields else None, str(error))
        return values


class NewStatusForm(NamesForm):
    """A custom status: a base, names and a tone; the rest is copied."""

    class Meta:
        model = Status
        fields = ("base", "tone")
        labels = {"base": gettext_lazy("Does the same as")}
        help_texts = {"base": gettext_lazy("Stock, mails and documents follow this status; reports and the API show it.")}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        base = self.fields["base"]
        base.required = True
        grouped = [(axis.label, [(s.pk, str(s)) for s in Status.objects.filter(base=None, axis=axis)]) for axis in Axis]
        base.queryset = Status.objects.filter(base=None)  # type: ignore[attr-defined]
        base.choices = [("", "–"), *grouped]  # type: ignore[attr-defined]


StatusForm = with_names(PlainStatusForm)
AddStatusForm = with_names(NewStatusForm)


@admin.register(Status)
class StatusAdmin(ShopPages):
    """Built-in statuses keep what they mean; names, colours, mails and stock effect are the shop's."""

    change_form_template = "admin/orders/status/form.html"
    list_intro = gettext_lazy(
        "Every order has one status for its payment and one for its fulfilment. What a status sets off stands beside it."
    )

    def get_form(self, request: HttpRequest, obj: Status | None = None, change: bool = False, **options: Any) -> Any:
        return super().get_form(request, obj, change, **(options | {"form": StatusForm if obj else AddStatusForm}))

    def get_fieldsets(self, request: HttpRequest, obj: Status | None = None) -> Any:
        if obj is None:
            return [(None, {"fields": ("base", "tone")}), (_("Names"), {"fields": NAME_FIELDS})]
        effects = ["mails_customer"]
        if obj.axis == Axis.PAYMENT and obj.stock_effect != StockEffect.RELEASE:
            effects.append("stock_effect")
        if obj.axis == Axis.FULFILMENT and obj.is_custom:
            effects.append("goods_left")
        if obj.proposes_record:
            effects.append("record_by_default")
        retire = [] if obj.is_initial else [(_("Retire"), {"fields": ("is_active", "replaced_by")})]
        return [
            (_("Names"), {"fields": NAME_FIELDS}),
            (_("Look"), {"fields": ("tone", "waits_for_staff", "position")}),
            (_("What it sets off"), {"fields": tuple(effects)}),
            *retire,
        ]

    def has_delete_permission(self, request: HttpRequest, obj: Status | None = None) -> bool:
        """Only a custom status that no order has; others are retired."""
        return bool(super().has_delete_permission(request, obj) and obj is not None and obj.is_custom and not is_used(obj))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        statuses = list(Status.objects.select_related("base", "replaced_by"))
        orders = Order.objects.present()
        counts = bounded_counts(orders.filter(**{f"{status.axis}_status": status}) for status in statuses)
        rows = list(zip(statuses, map(counted_text, counts), strict=True))
        axes = [
            {
                "label": axis.label,
                "name": axis.value,
                "rows": [{"status": s, "count": count, "does": in_words(s)} for s, count in rows if s.axis == axis],
            }
            for axis in Axis
        ]
        context = self.admin_site.each_context(request) | {
            "title": _("Statuses"),
            "opts": self.opts,
            "axes": axes,
            "intro": self.list_intro,
            "has_add_permission": self.has_add_permission(request),
        }
        return TemplateResponse(request, "admin/orders/status/list.html", context)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any) -> HttpResponse:
        status: Status | None = context.get("original")
        if status is not None:
            column = "payment_status" if status.axis == Axis.PAYMENT else "fulfilment_status"
            context |= {"does": in_words(status), "order_count": Order.objects.present().filter(**{column: status}).count()}
        return super().render_change_form(request, context, *args, **options)

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        if change:
            return super().save_form(request, form, change)
        return add_custom_status(form.cleaned_data["base"], names=form.typed_names(), tone=form.cleaned_data["tone"])

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """A status has no parts."""

    def save_model(self, request: HttpRequest, obj: Status, form: Any, change: bool) -> None:
        if not change:
            return  # made by save_form
        super().save_model(request, obj, form, change)
        moved = MOVERS & set(form.changed_data)
        column = "payment_status" if obj.axis == Axis.PAYMENT else "fulfilment_status"
        count = Order.objects.present().filter(**{column: obj}).count() if moved else 0
        if count:
            text = ngettext(
                "%(count)d order with this status keeps its stock as it is; its next change follows the new rule and shows what moves.",
                "%(count)d orders with this status keep their stock as it is; their next change follows the new rule and shows what moves.",
                count,
            )
            messages.warning(request, text % {"count": count})


def in_words(status: Status) -> list[str]:
    """What a status sets off, by its columns."""
    own_mail = str(status.get_own_mail_display()) if status.own_mail else _("mails the change of status")
    told = [
        (status.counts_as_paid, _("counts as paid")),
        (status.stock_effect == StockEffect.RELEASE, _("gives the pieces back")),
        (status.stock_effect == StockEffect.WAIT, _("takes no pieces yet")),
        (status.goods_left, _("goods have left")),
        (status.releases_unshipped, _("gives back what was not shipped")),
        (True, own_mail if status.mails_customer else _("mails nobody")),
        (status.sends_downloads, _("sends downloads")),
        (status.auto_delivers, _("delivers all-digital orders")),
        (status.document_trigger, _("may issue the invoice")),
        (status.proposes_record, _("proposes to record %(what)s") % {"what": status.get_proposes_record_display()}),
        (status.proposes_credit, _("proposes %(what)s") % {"what": status.get_proposes_credit_display()}),
        (status.asks, _("asks for %(what)s") % {"what": status.get_asks_display()}),
        (status.offered_when, _("offered %(when)s") % {"when": status.get_offered_when_display()}),
    ]
    return [text for holds, text in told if holds]
