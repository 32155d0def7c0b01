"""The manual order as it stands: what was typed, what it costs, what creating it would set off. Reads only."""

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from orders.admin.draft_sums import sums_of, tax_reasons
from orders.admin.effects import Effect, effects_of
from orders.admin.form_rows import shown_rows
from orders.admin.manual_order_desk import Desk, desk_of
from orders.admin.manual_order_form import LineForm, LineFormSet, OrderForm, catalogue_price, draft_of
from orders.admin.order_numbers import upcoming_number
from orders.admin.why import Why
from orders.choices import Axis
from orders.drafts import DraftLine, OrderDraft
from orders.errors import InvalidWish, NotEnoughStock, OrderError
from orders.models import Customer, Draft, OrderLine, PaymentMethod, ShippingMethod, Shop, Status, Variant
from orders.services.intake import PlaceWish
from orders.services.plan import Actor, Plan, PlannedChange, plan
from orders.services.pricing import PricedDraft, price_draft
from orders.services.world import load_world

OVERSELL = "orders.oversell_variant"
_SURCHARGE = re.compile(r"surcharges\[(\d+)\]")
_ITEM = re.compile(r"items\[(\d+)\](?:\.(\w+))?")
# Fields of refusals that only say that something is not there yet.
MISSING = frozenset({"customer_name", "items"})


@dataclass
class Offer:
    """What the shop offers on the form, read once per request."""

    shop: Shop = field(default_factory=Shop.current)

    @cached_property
    def methods(self) -> list[ShippingMethod]:
        return list(ShippingMethod.objects.filter(is_active=True))

    @cached_property
    def payments(self) -> list[PaymentMethod]:
        return list(PaymentMethod.objects.filter(is_active=True))

    @cached_property
    def statuses(self) -> list[Status]:
        return list(Status.objects.filter(axis=Axis.PAYMENT, is_active=True))

    @property
    def paid_code(self) -> str:
        """The status that "Paid now" sets: the first one that counts as paid."""
        return next((status.code for status in self.statuses if status.counts_as_paid), "")

    @property
    def paid_codes(self) -> frozenset[str]:
        return frozenset(status.code for status in self.statuses if status.counts_as_paid)

    @property
    def unpaid_code(self) -> str:
        return next((status.code for status in self.statuses if status.is_initial), "")

    def is_online(self, method: str) -> bool:
        return any(payment.name == method and payment.is_online for payment in self.payments)


@dataclass
class Row:
    """One item as the form shows it."""

    index: int
    form: LineForm
    typed: DraftLine
    variant: Variant | None
    line: OrderLine | None
    is_counted: bool
    asked: int
    kept: int

    @property
    def title(self) -> str:
        """What the item is called beside its fields."""
        return self.typed.name or (str(self.variant) if self.variant else _("free item"))

    @property
    def available(self) -> int | None:
        """Pieces that this order can have, with those its draft keeps; None where nothing counts them."""
        return self.variant.available + self.kept if self.variant and self.is_counted else None

    @property
    def is_short(self) -> bool:
        return self.available is not None and self.asked > self.available

    @property
    def missing(self) -> int:
        return self.asked - max(self.available or 0, 0)

    @property
    def total(self) -> Decimal | None:
        return self.line.amount - self.line.line_discount if self.line else None

    @property
    def overridden(self) -> Decimal | None:
        """The catalogue's price where another one was typed."""
        return catalogue_price(self.typed, self.variant) if self.typed.price is not None else None

    @property
    def net_price(self) -> Decimal | None:
        """The price where it differs from the catalogue's because the buyer owes no VAT here."""
        if (
            self.line is None
            or self.variant is None
            or self.typed.price is not None
            or self.line.price == catalogue_price(self.typed, self.variant)
        ):
            return None
        return self.line.price


@dataclass
class Sheet:
    """Everything the page shows about the order being made."""

    data: QueryDict
    offer: Offer
    form: OrderForm
    lines: Any
    draft: OrderDraft
    variants: dict[int, Variant]
    priced: PricedDraft | None
    plan: Plan
    refusal: OrderError | None
    may_oversell: bool
    customer: Customer | None
    desk: Desk

    @property
    def is_valid(self) -> bool:
        return bool(self.form.is_valid() and self.lines.is_valid())

    @property
    def currency(self) -> str:
        return self.draft.currency or self.offer.shop.currency

    @property
    def change(self) -> PlannedChange | None:
        return self.plan.changes[0] if self.plan.changes else None

    @property
    def digest(self) -> str:
        """What of this sheet must still hold when the order is created: the plan and the amount."""
        if self.change is None:
            return ""
        return hashlib.sha256(f"{self.change.digest()} {self.change.order.total}".encode()).hexdigest()

    @cached_property
    def rows(self) -> list[Row]:
        lines = self.priced.lines if self.priced else []
        asked: Counter[int] = Counter()
        for wanted in self.draft.lines:
            asked[wanted.variant_id or 0] += wanted.quantity
        rows = []
        for index, form in enumerate(self.lines.forms):
            typed = self.draft.lines[index]
            variant = self.variants.get(typed.variant_id or 0)
            counted = bool(variant and variant.is_tracked and self.offer.shop.stock_control)
            line = lines[index] if index < len(lines) else None
            rows.append(
                Row(index, form, typed, variant, line, counted, asked[typed.variant_id or 0], self.desk.kept.get(typed.variant_id or 0, 0))
            )
        return rows

    @property
    def short_rows(self) -> list[Row]:
        return [row for row in self.rows if row.is_short]

    @property
    def asks_to_oversell(self) -> bool:
        """The order can only be made by selling below zero knowingly."""
        return isinstance(self.refusal, NotEnoughStock) or self.form.value("oversell")

    @cached_property
    def effects(self) -> list[Effect]:
        """Everything that creating sets off, or why it doesn't come."""
        return effects_of(self.plan, self.change) if self.change else []

    @property
    def vat_groups(self) -> list[Any]:
        return [group for group in self.priced.vat.groups if group.vat] if self.priced else []

    @cached_property
    def sums(self) -> dict[str, Why]:
        """The sum behind each figure."""
        return sums_of(self.priced, self.draft, self.offer.shop) if self.priced else {}

    @property
    def tax_reasons(self) -> list[str]:
        return list(tax_reasons(self.priced, self.draft, self.offer.shop)) if self.priced else []

    @property
    def only_misses_something(self) -> bool:
        """The refusal speaks of a field that nobody has filled in yet."""
        place = self.refusal.field if self.refusal else ""
        match = _ITEM.match(place)
        return place in MISSING or bool(match and match[2] in ("name", "price") and not self.data.get(f"items-{match[1]}-{match[2]}"))

    def show_errors(self, error: OrderError) -> None:
        """Put a refusal beside the field that it names, else above the form."""
        if match := _ITEM.match(error.field):
            index, name = int(match[1]), match[2] or "name"
            form = self.lines.forms[index]
            form.add_error(name if name in form.fields and name != "variant" else "name", str(error))
            return
        if match := _SURCHARGE.match(error.field):
            self._add_error(f"surcharge-{match[1]}-amount", error)
            return
        name = error.field.split("[")[0]
        name = {"reserved_until": "reserve_until", "expires_at": "valid_until"}.get(name, name)
        if name in self.desk.form.fields:
            self.desk.form.add_error(name, str(error))
            return
        self._add_error({"discounts": "discount_value", "payment_status": "payment_method"}.get(name, name), error)

    def _add_error(self, name: str, error: OrderError) -> None:
        self.form.add_error(name if name in self.form.fields else None, str(error))

    def surcharge_rows(self) -> list[dict[str, Any]]:
        return shown_rows(self.form, self.data, "surcharge")


def look_at(data: QueryDict, *, base: OrderDraft, user: Any, row: Draft | None = None) -> Sheet:
    """What `data` (the form's fields) means and would do, on top of what the stored draft `base` of `row` holds beyond the form."""
    offer = Offer()
    form = OrderForm(data, shop=offer.shop, methods=offer.methods, payments=offer.payments)
    lines = LineFormSet(data, prefix="items")
    form.is_valid()
    lines.is_valid()
    ids: set[int] = {row.cleaned_data["variant"] for row in lines.forms if row.cleaned_data.get("variant")}
    variants = {v.pk: v for v in Variant.objects.filter(pk__in=ids).select_related("product", "product__tax_class")} if ids else {}
    draft = draft_of(form, lines, base=base, paid_code=offer.paid_code, variants=variants)
    may_oversell = user.has_perm(OVERSELL)
    wish = PlaceWish(
        draft=draft,
        actor=Actor.clerk(user),
        number=upcoming_number(offer.shop),
        draft_row=row if row is not None and row.order_id is None else None,
        skip=frozenset(data.getlist("shown")) - frozenset(data.getlist("go")),
        oversell=bool(may_oversell and form.value("oversell")),
    )
    priced, refusal = _price(wish)
    if not draft.payment_status and offer.is_online(draft.payment_method) and priced and priced.order.total > 0:
        # An online method counts as paid when the online shop reports it; a clerk says so by "Paid now".
        wish.draft = draft = replace(draft, payment_status=offer.unpaid_code)
    planned = plan(wish)
    customer = None
    if draft.customer_id and user.has_perm("orders.view_customer"):
        customer = Customer.objects.filter(pk=draft.customer_id).first()
    sheet = Sheet(
        data=data,
        offer=offer,
        form=form,
        lines=lines,
        draft=draft,
        variants=variants,
        priced=priced,
        plan=planned,
        refusal=refusal or next(iter(planned.refusals.values()), None),
        may_oversell=may_oversell,
        customer=customer,
        desk=desk_of(row, draft, data),
    )
    if isinstance(sheet.refusal, InvalidWish) and not sheet.only_misses_something:
        sheet.show_errors(sheet.refusal)
    return sheet


def _price(wish: PlaceWish) -> tuple[PricedDraft | None, OrderError | None]:
    """Totals, also where the order can't be placed yet."""
    world = load_world([], variant_ids=wish.variant_ids())
    try:
        return price_draft(wish.draft, world, world.variants, {v.sku: v for v in world.variants.values()}), None
    except OrderError as error:
        return None, error
