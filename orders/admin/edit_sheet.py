"""The edit of an order as it stands: what was typed, what it costs, what saving it would set off. Reads only."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.admin.edit_back import BackRow, back_fields, back_rows, most_back, taken_back
from orders.admin.edit_form import EditForm, added_forms, edit_of
from orders.admin.edit_rows import AddedRow, LineRow, SumRow
from orders.admin.edit_texts import data_of, overlaid, texts_of
from orders.admin.effects import Effect, effects_of
from orders.admin.form_rows import amount_name, shown_rows
from orders.choices import VatCategory
from orders.edits import KEEP, RECOMPUTE, OrderEdit
from orders.errors import InvalidWish, NotEnoughStock, OrderError
from orders.models import Order, OrderLine, OrderProposal, Variant
from orders.services.counter_edit import Since, since
from orders.services.plan import Actor, Plan, PlannedChange, plan
from orders.services.proposing import EditWish
from orders.services.repricing import Content, follows_its_rows, keeps_a_difference

_LINE = re.compile(r"line:(\d+):(\w+)")
_ITEM = re.compile(r"(items|discounts|surcharges)\[(\d+)\](?:\.(\w+))?")


@dataclass
class EditSheet:
    """Everything the page shows about the edit."""

    order: Order
    data: QueryDict
    edit: OrderEdit
    form: EditForm
    items: Any
    variants: dict[int, Variant]
    wish: EditWish
    plan: Plan
    before: Content
    restored: list[OrderLine]
    row: OrderProposal | None
    opened: Mapping[str, str]
    since: Since
    may_oversell: bool
    base_version: int
    base_event: int
    most_back: Mapping[int, int]
    is_exchange: bool
    refusal: OrderError | None = None

    @property
    def is_valid(self) -> bool:
        return bool(self.form.is_valid() and self.items.is_valid())

    @property
    def change(self) -> PlannedChange | None:
        return self.plan.changes[0] if self.plan.changes else None

    @property
    def after(self) -> Content | None:
        return self.wish.looked[1] if self.wish.looked else None

    @property
    def currency(self) -> str:
        return self.order.currency

    @property
    def is_stale(self) -> bool:
        return self.base_version != self.order.version

    @property
    def digest(self) -> str:
        """What of this sheet must still hold when it is saved."""
        return self.change.digest() if self.change else ""

    @cached_property
    def line_rows(self) -> list[LineRow]:
        after = {line.pk: line for line in self.after.lines if line.pk} if self.after else {}
        back = {line.pk for line in self.restored}
        lines = sorted([*self.before.lines, *self.restored], key=lambda line: (line.position, line.pk))
        return [LineRow(line, after.get(line.pk), self.edit.line(line.pk), self.form, line.pk in back) for line in lines]

    @cached_property
    def added_rows(self) -> list[AddedRow]:
        added = [line for line in self.after.lines if line.pk is None] if self.after else []
        rows = []
        for index, form in enumerate(self.items.forms):
            variant = self.variants.get(self.edit.added[index].variant_id or 0)
            rows.append(AddedRow(index, form, added[index] if index < len(added) else None, variant))
        return rows

    def discount_rows(self) -> list[dict[str, Any]]:
        return shown_rows(self.form, self.data, "discount")

    def surcharge_rows(self) -> list[dict[str, Any]]:
        return shown_rows(self.form, self.data, "surcharge")

    @cached_property
    def back_rows(self) -> list[BackRow]:
        """Items of which pieces can come back in exchange."""
        return back_rows(self.form, self.most_back, self.before.lines)

    @property
    def credited(self) -> SumRow:
        """What refunds and exchanges take off the total."""
        after = self.change.credited_after if self.change else self.order.credited_total
        return SumRow(_("Comes back"), -self.order.credited_total, -after)

    def places(self) -> list[tuple[str, str, list[Any]]]:
        names = ("name", "company", "street", "street2", "postcode", "city", "region", "country", "phone")
        titles = (("shipping", _("Shipping address")), ("billing", _("Billing address")))
        return [(kind, title, [self.form[f"{kind}-{name}"] for name in names]) for kind, title in titles]

    def plain_fields(self) -> list[Any]:
        """Fields outside the table of items, whose errors come back with every look."""
        tabled = {"oversell", "difference", *(f"line-{line.pk}" for line in self.form.rows_of_lines)}
        bare = ("label", "-kind", "-fate")
        fields = [bound for bound in self.form.visible_fields() if bound.name not in tabled and bound.name[-5:] not in bare]
        return [bound for bound in fields if bound.name.rpartition("-")[0] not in tabled]

    @property
    def places_moved(self) -> bool:
        return bool(self.edit.addresses) or any(bound.errors for _kind, _title, fields in self.places() for bound in fields)

    @cached_property
    def sums(self) -> list[SumRow]:
        """Sums before and after, those that are nothing on both sides left out; the total comes last."""
        names = {
            "subtotal": _("Subtotal"),
            "discount": _("Discount"),
            "coupon_discount": _("Coupon"),
            "shipping_cost": _("Shipping"),
            "handling_fee": _("Handling fee"),
            "surcharges_total": _("Surcharges"),
            "tips_total": _("Tip"),
            "tax": _("of which VAT") if self.order.prices_include_tax else _("VAT"),
            "gift_card_amount": _("Gift card"),
        }
        taken = ("discount", "coupon_discount", "gift_card_amount")
        rows = []
        for name, label in names.items():
            sign = -1 if name in taken else 1
            old, new = getattr(self.order, name) * sign, self._after(name) * sign
            if old or new or name == "subtotal":
                rows.append(SumRow(label, old, new))
        return rows

    def _after(self, name: str) -> Decimal:
        if self.change is not None:
            return Decimal(self.change.after(name))
        return Decimal(getattr(self.after.order if self.after else self.order, name))

    @property
    def total(self) -> SumRow:
        return SumRow(_("Total"), self.order.total, self._after("total"))

    @property
    def difference(self) -> Decimal:
        """What the total is beyond its parts, kept from an import."""
        if not keeps_a_difference(self.order) or self.edit.difference == RECOMPUTE:
            return Decimal(0)
        from_parts = sum((row.before for row in self.sums), Decimal(0))
        if self.order.prices_include_tax:
            from_parts -= self.order.tax
        return self.order.total - from_parts

    @property
    def asks_about_difference(self) -> bool:
        return keeps_a_difference(self.order)

    @cached_property
    def vat_groups(self) -> list[tuple[str, Decimal, Decimal, Decimal]]:
        """VAT per rate after the edit: category in words, rate, base, VAT; nothing where one rate says it all."""
        if self.after is None:
            return []
        names = dict(VatCategory.choices)
        groups = [(str(names.get(g.category, "")), g.rate, g.base, g.vat) for g in self.after.vat().groups]
        return groups if len(groups) > 1 or (groups and not groups[0][1]) else []

    @property
    def balance(self) -> SumRow:
        """What is left to pay (negative: what was paid too much)."""
        moved = self.total.after - self.total.before + self.credited.after - self.credited.before
        return SumRow(_("Balance"), self.order.balance, self.order.balance + moved)

    @cached_property
    def effects(self) -> list[Effect]:
        """Stock, documents, mails: what the sums above do not say."""
        if self.change is None:
            return []
        return [effect for effect in effects_of(self.plan, self.change) if not effect.differences]

    @property
    def count(self) -> int:
        """How many changes the button saves."""
        again = self.change is not None and not self.edit.keys
        return len(self.edit.keys) or int(again)

    @property
    def button(self) -> str:
        if not self.count:
            return _("Save changes")
        return ngettext("Save %(count)d change", "Save %(count)d changes", self.count) % {"count": self.count}

    @property
    def asks_to_oversell(self) -> bool:
        return isinstance(self.refusal, NotEnoughStock) or bool(self.form.cleaned_data.get("oversell"))

    @property
    def reason_is_missing(self) -> bool:
        return bool(self.change and self.change.needs_reason and not self.edit.reason)

    def show_error(self, error: OrderError) -> None:
        """Put a refusal beside the field that it names, else above the form."""
        if match := _LINE.fullmatch(error.field):
            self._add_error(f"line-{match[1]}-{match[2]}", error)
        elif (match := _ITEM.match(error.field)) and match[1] != "items":
            self._add_error(f"{match[1].removesuffix('s')}-{match[2]}-{match[3]}", error)
        elif match and not isinstance(error, NotEnoughStock) and int(match[2]) < len(self.items.forms):
            form = self.items.forms[int(match[2])]
            form.add_error(match[3] if match[3] in form.fields and match[3] != "variant" else "name", str(error))
        elif error.field in ("discounts", "surcharges"):
            kind = error.field.removesuffix("s")
            self._add_error(f"{kind}-0-{amount_name(kind)}", error)
        elif not isinstance(error, NotEnoughStock):
            name = f"{error.field}-quantity" if error.field.startswith("back-") else error.field.replace(".", "-")
            self._add_error(name, error)

    def _add_error(self, name: str, error: OrderError) -> None:
        self.form.add_error(name if name in self.form.fields else None, str(error))


def opened_texts(data: Mapping[str, Any]) -> dict[str, str]:
    """What the fields said when the form was opened; nothing where that can't be read."""
    try:
        found = json.loads(str(data.get("opened") or "{}"))
    except ValueError:
        return {}
    return {str(name): str(text) for name, text in found.items()} if isinstance(found, dict) else {}


def first_edit(content: Content) -> OrderEdit:
    """An edit that changes nothing: discounts in percent follow the items where they did so far, all else is kept."""
    percent = any(row.kind == "PERCENT" for row in content.discounts)
    return OrderEdit(discounts_by=RECOMPUTE if percent and follows_its_rows(content) else KEEP)


def look_at(
    order: Order,
    *,
    user: Any,
    row: OrderProposal | None,
    base: OrderEdit | None,
    data: QueryDict | None,
    latest_event: int,
    is_exchange: bool = False,
) -> EditSheet:
    """What `data` (the form; None: as `base` says) means on top of `base`, and what it would do."""
    lines = list(order.lines.filter(is_removed=False).select_related("variant__product__tax_class").order_by("position", "id"))
    for line in lines:
        line.order = order
    addresses = list(order.addresses.all())
    before = Content.of(order, lines, addresses)
    base = base if base is not None else first_edit(before)
    restored = list(order.lines.filter(is_removed=True, pk__in=base.restored).select_related("variant")) if base.restored else []
    texts = texts_of(replace(before, lines=[*lines, *restored]), addresses)
    shown = overlaid(texts, base, order.currency)
    if data is None:
        ids = {line.variant_id for line in base.added if line.variant_id}
        catalogue = Variant.objects.select_related("product").in_bulk(ids) if ids else {}
        data = data_of(shown, base, catalogue, order.currency)
        base_version, base_event = (row.base_version, row.base_event) if row else (order.version, latest_event)
        opened: Mapping[str, str] = texts
    else:
        base_version, base_event = _number(data, "version", order.version), _number(data, "since", latest_event)
        opened = texts if base_version == order.version else opened_texts(data)
        if row:
            base_version, base_event = row.base_version, row.base_event
    most = most_back(order, lines, base.return_id) if user.has_perm("orders.refund_order") else {}
    names = {line.pk: line.name for line in lines}
    form = EditForm(data, [*lines, *restored], back_fields(most, names, is_return=bool(base.return_id)))
    items = added_forms(data)
    form.is_valid()
    items.is_valid()
    ids = {form.cleaned_data["variant"] for form in items.forms if form.cleaned_data.get("variant")}
    variants = {v.pk: v for v in Variant.objects.filter(pk__in=ids).select_related("product__tax_class")} if ids else {}
    edit = edit_of(form, items, base=base, shown=shown, opened=opened, variants=variants)
    edit = replace(edit, taken_back=taken_back(form, most, base))
    may_oversell = user.has_perm("orders.oversell_variant")
    wish = EditWish(
        order_id=order.pk,
        edit=edit,
        actor=Actor.clerk(user),
        skip=frozenset(data.getlist("shown")) - frozenset(data.getlist("go")),
        oversell=bool(may_oversell and form.cleaned_data.get("oversell")),
    )
    planned = plan(wish, render=True)
    sheet = EditSheet(
        order=order,
        data=data,
        edit=edit,
        form=form,
        items=items,
        variants=variants,
        wish=wish,
        plan=planned,
        before=before,
        restored=restored,
        row=row,
        opened=opened,
        since=since(order, base_event, edit) if base_version != order.version else Since(),
        may_oversell=may_oversell,
        base_version=base_version,
        base_event=base_event,
        most_back=most,
        is_exchange=bool(edit.taken_back or is_exchange),
        refusal=next(iter(planned.refusals.values()), None),
    )
    if isinstance(sheet.refusal, InvalidWish):
        sheet.show_error(sheet.refusal)
    return sheet


def _number(data: QueryDict, name: str, otherwise: int) -> int:
    text = str(data.get(name, ""))
    return int(text) if text.isdecimal() and len(text) < 18 else otherwise
