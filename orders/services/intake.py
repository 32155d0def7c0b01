"""Placing orders: from a draft to an order with its number, first statuses, opening payment and customer."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from orders.choices import Axis
from orders.drafts import OrderDraft
from orders.errors import DraftPlaced, InvalidWish, QuoteExpired, StaleOrder
from orders.models import (
    Customer,
    Draft,
    DraftReservation,
    Note,
    NumberCounter,
    Order,
    OrderEvent,
    Payment,
    PaymentMethod,
    Shop,
    Status,
    Variant,
)
from orders.search import digits_of
from orders.services.change import PlannedTakeover
from orders.services.contact import check_slot
from orders.services.payments import valid_amount
from orders.services.plan import Actor, Outcome, PlannedChange, Wish, World, apply
from orders.services.pricing import price_draft
from orders.services.status import carry_consequences

COUNTER = "orders"


@dataclass(kw_only=True)
class PlaceWish(Wish):
    """Make an order of `draft`. `number` is drawn before (`draw_number`); a plan that only shows may leave it empty."""

    draft: OrderDraft
    number: str = ""
    public_id: uuid.UUID = field(default_factory=uuid.uuid4)
    draft_row: Draft | None = None

    def variant_ids(self) -> Iterable[int]:
        named = {*(row.variant_id for row in self.draft.lines if row.variant_id), *(v.pk for v in self._by_sku.values())}
        return named | {row.variant_id for row in self._reserved()}

    def _reserved(self) -> list[DraftReservation]:
        """What the draft keeps now."""
        if self.draft_row is None or self.draft_row.reserved_until is None:
            return []
        return list(DraftReservation.objects.filter(draft=self.draft_row).order_by("variant"))

    @cached_property
    def _by_sku(self) -> dict[str, Variant]:
        skus = {row.sku for row in self.draft.lines if row.sku and not row.variant_id}
        return {v.sku: v for v in Variant.objects.filter(sku__in=skus).select_related("product__tax_class")} if skus else {}

    def plan_new(self, world: World) -> PlannedChange:
        """Raises NotAllowed without orders.add_order, InvalidWish naming the field; NotEnoughStock comes from settling."""
        self.require("orders.add_order", _("You may not create orders."))
        draft = self.draft
        if self.draft_row is not None and has_expired(self.draft_row, world.now):
            raise QuoteExpired(_("This quote has expired: keep its prices or renew them first."), field="expires_at")
        if draft.external_id and Order.objects.filter(source=Order.OWN, external_id=draft.external_id).exists():
            raise InvalidWish(_("An order with the external id %(id)s exists already.") % {"id": draft.external_id}, field="external_id")
        check_slot(draft.pickup_at, draft.pickup_until)
        by_sku = {sku: world.variants[v.pk] for sku, v in self._by_sku.items() if v.pk in world.variants}
        priced = price_draft(draft, world, world.variants, by_sku)
        new = priced.order
        new.number, new.public_id = self.number, self.public_id
        new.customer = find_customer(draft)
        if new.customer is not None:
            _copy_customer(new, new.customer, is_named=draft.customer_id is not None)
        if not (new.customer_name or new.email or new.phone):
            raise InvalidWish(_("An order needs a customer name, an e-mail address or a phone number."), field="customer_name")
        if new.customer is None:
            new.customer = _new_customer(new, draft)
        new.language = new.language or world.shop.language
        payment, fulfilment = self._first_statuses(new, world)
        change = PlannedChange(
            order=new,
            kind=OrderEvent.Kind.PLACED,
            payment=payment,
            fulfilment=fulfilment,
            payment_before=None,
            fulfilment_before=None,
            lines=priced.lines,
            addresses=priced.addresses,
            discounts=priced.discounts,
            surcharges=priced.surcharges,
            personal_word=self.personal_word,
        )
        if self.draft_row is not None:
            change.facts["draft_id"] = self.draft_row.pk
            self._take_over(change, world)
        if draft.tags:
            change.facts["tags"] = list(draft.tags)
        if draft.staff_note.strip():
            change.notes.append(Note(author=self.actor.user, author_name=self.actor.name, text=draft.staff_note.strip(), at=world.now))
        paid = new.total if payment.counts_as_paid else Decimal(0)
        if draft.paid_amount is not None and new.total > 0:
            paid = valid_amount(draft.paid_amount, new, field="paid_amount")
        if paid > 0:
            reference = draft.payment_reference or draft.transaction_id
            received = draft.paid_at or draft.placed_at or world.now
            change.payments.append(Payment(amount=paid, method=draft.payment_method, reference=reference, received_at=received))
        carry_consequences(change, world)
        return change

    def _take_over(self, change: PlannedChange, world: World) -> None:
        """The pieces that the draft kept are the order's, without a moment in which others could have them."""
        for row in self._reserved():
            if row.variant_id not in world.variants:
                raise StaleOrder(_("This draft changed meanwhile. Nothing was saved; look at it again."))
            change.takeovers.append(PlannedTakeover(row, world.variants[row.variant_id]))

    def _first_statuses(self, order: Order, world: World) -> tuple[Status, Status]:
        draft = self.draft
        fulfilment = _chosen(draft.fulfilment_status, Axis.FULFILMENT, world) or world.initial(Axis.FULFILMENT)
        payment = _chosen(draft.payment_status, Axis.PAYMENT, world)
        if payment and payment.counts_as_paid and draft.paid_amount is not None and draft.paid_amount < order.total:
            payment = world.initial(Axis.PAYMENT)  # a part of the money: the rest is awaited
        if payment is None:
            payment = world.status(Axis.PAYMENT, first_payment_status(order, draft, world.shop))
        return payment, fulfilment


def has_expired(row: Draft, now: datetime) -> bool:
    """Whether `row` is a quote past its date whose prices nobody has kept or renewed since."""
    settled = row.prices_settled_at is not None and row.expires_at is not None and row.prices_settled_at >= row.expires_at
    return row.kind == Draft.Kind.QUOTE and row.expires_at is not None and row.expires_at <= now and not settled


def first_payment_status(order: Order, draft: OrderDraft, shop: Shop) -> str:
    """Code of the first payment status (domain, section 1, First statuses)."""
    if draft.payment_failed:
        return "CANCELLED"
    if order.total == Decimal(0):
        return "PAID" if order.gift_card_amount > 0 else shop.zero_total_status
    online = PaymentMethod.objects.filter(name=draft.payment_method, is_online=True).exists() if draft.payment_method else False
    return "PAID" if online else "AWAITING_PAYMENT"


def place_order(
    draft: OrderDraft,
    *,
    actor: Actor,
    skip: frozenset[str] = frozenset(),
    oversell: bool = False,
    personal_word: str = "",
    seen: dict[int, str] | None = None,
) -> Order:
    """Place `draft` and give back the saved order. Raises OrderError, and then nothing is kept but a gap in the numbers.

    The number is drawn in a short transaction of its own, before. Totals are worked out unless the draft brings its own.
    """
    wish = PlaceWish(draft=draft, actor=actor, number=draw_number(), skip=skip, oversell=oversell, personal_word=personal_word)
    return _order_of(apply(wish, seen=seen))


def place_draft(
    row: Draft,
    *,
    actor: Actor,
    skip: frozenset[str] = frozenset(),
    oversell: bool = False,
    personal_word: str = "",
    seen: dict[int, str] | None = None,
) -> Order:
    """Place a stored draft, quote or cart once: asking again, even at the same moment, gives back the same order."""
    if row.order is not None:
        return row.order
    wish = PlaceWish(
        draft=OrderDraft.from_json(row.body),
        actor=actor,
        number=draw_number(),
        skip=skip,
        oversell=oversell,
        personal_word=personal_word,
        draft_row=row,
    )
    try:
        return _order_of(apply(wish, seen=seen))
    except DraftPlaced:
        row.refresh_from_db()
        assert row.order is not None
        return row.order


def _order_of(outcome: Outcome) -> Order:
    outcome.or_raise()
    assert outcome.event is not None
    return outcome.event.order


def draw_number() -> str:
    """The next order number of the shop, never one that an imported order has already."""
    shop = Shop.current()
    while True:
        with transaction.atomic():
            NumberCounter.objects.get_or_create(name=COUNTER)
            NumberCounter.objects.filter(name=COUNTER).update(last=F("last") + 1)
            last = NumberCounter.objects.get(name=COUNTER).last
        number = format_number(shop, last)
        if not Order.objects.filter(number=number).exists():
            return number


def format_number(shop: Shop, value: int) -> str:
    return f"{shop.order_prefix}{value:0{shop.order_digits}d}{shop.order_suffix}"


def find_customer(draft: OrderDraft) -> Customer | None:
    """The customer of a draft: the named one, else by e-mail, else by phone."""
    if draft.customer_id:
        return Customer.objects.filter(pk=draft.customer_id).first()
    email = draft.email.strip().casefold()
    if email:
        return Customer.objects.filter(email_key=email).order_by("pk").first()
    phone = digits_of(draft.phone)
    return Customer.objects.filter(phone_digits=phone).order_by("pk").first() if len(phone) >= 6 else None


def _copy_customer(order: Order, customer: Customer, *, is_named: bool) -> None:
    """Fill in what the draft left empty; the address only of a customer whom somebody chose: a phone number may be shared."""
    for name, value in (
        ("customer_name", customer.name or customer.company),
        ("email", customer.email if is_named else ""),
        ("phone", customer.phone),
        ("customer_group", customer.group),
        ("language", customer.language),
    ):
        if not getattr(order, name):
            setattr(order, name, value)
    order.no_customer_mail = order.no_customer_mail or customer.no_mail


def _new_customer(order: Order, draft: OrderDraft) -> Customer:
    person = draft.billing or draft.shipping
    customer = Customer(
        name=order.customer_name,
        email=order.email,
        email_key=order.email.casefold(),
        phone=order.phone,
        phone_digits=digits_of(order.phone)[:40],
        group=order.customer_group,
        language=order.language,
        tax_id=order.tax_id,
        tax_id_valid=order.tax_id_valid,
        tax_exempt=order.tax_exempt,
        accepts_marketing=order.accepts_marketing,
        source=order.source,
    )
    if person is not None:
        customer.company, customer.street, customer.postcode = person.company, person.street, person.postcode
        customer.city, customer.state, customer.country = person.city, person.state, person.country
    return customer


def _chosen(code: str, axis: str, world: World) -> Status | None:
    if not code:
        return None
    try:
        status = world.status(axis, code)
    except KeyError:
        raise InvalidWish(_("There is no status %(code)s.") % {"code": code}, field=f"{axis}_status") from None
    if status.offered_when == Status.OfferedWhen.LOCAL_DELIVERY and not world.shop.local_delivery:
        raise InvalidWish(_("The status %(name)s is offered while the shop has local delivery.") % {"name": status}, field=f"{axis}_status")
    return status
