"""The one door: a wish is planned (reads only), shown, then applied under locks exactly as planned, or refused.

A wish names orders and what should become of them. `plan(wish)` tells everything that would happen; `apply(wish)` makes it
happen in chunks of one transaction each. What else a change sets off (documents, mails) is added by the planners that
`settings.CONSEQUENCE_PLANNERS` names; orders knows neither.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from orders.choices import ChangeSource
from orders.errors import NotAllowed, OrderError, StaleOrder
from orders.models import (
    Note,
    Order,
    OrderAddress,
    OrderDiscount,
    OrderEvent,
    OrderLine,
    OrderSurcharge,
    Payment,
    Refund,
    RefundLine,
    Shipment,
    ShipmentLine,
    Shop,
    Status,
    Variant,
)

CHUNK = 200  # orders per transaction: long enough to be set-based, short enough not to hold locks for seconds


@dataclass(frozen=True)
class Actor:
    """Who wants a change, and through which face."""

    source: ChangeSource
    user: Any = None
    name: str = ""

    @classmethod
    def clerk(cls, user: AbstractBaseUser | Any) -> "Actor":
        return cls(ChangeSource.CLERK, user, user.get_full_name() or user.get_username())

    @classmethod
    def api(cls, name: str) -> "Actor":
        return cls(ChangeSource.API, None, name)

    @classmethod
    def task(cls, name: str = "") -> "Actor":
        return cls(ChangeSource.TASK, None, name)

    @property
    def is_staff(self) -> bool:
        """A person in the back office: what they cause waits out the undo window."""
        return self.source == ChangeSource.CLERK

    def may(self, permission: str) -> bool:
        """Programs may do what their face lets through; people need the right."""
        return self.user is None or self.user.has_perm(permission)


@dataclass(frozen=True)
class PanelItem:
    """How a consequence is shown before the click. Texts are in the reader's language, bodies in the recipient's."""

    icon: str
    title: str
    lines: tuple[str, ...] = ()
    when: str = ""
    subject: str = ""
    html: str = ""
    text: str = ""


@dataclass(kw_only=True)
class Consequence:
    """Something a change sets off beyond the order. Subclasses add their facts and know how to save themselves."""

    key: str  # stable within the order, such as "mail:shipped:lea@example.com"; staff untick by it
    optional: bool = True
    is_on: bool = True

    def facts(self) -> tuple[Any, ...]:
        """What must still hold when it is applied; never rendered bodies."""
        return (self.key, self.is_on)

    def describe(self) -> PanelItem:
        raise TypeError(f"{type(self).__name__} does not say what it does")

    @classmethod
    def save_all(cls, items: Sequence[tuple["PlannedChange", Self]]) -> None:
        """Insert the rows of all items at once; `change.event` and `change.order` are saved by then. Only rows and on_commit."""


@dataclass(kw_only=True)
class NotGoing(Consequence):
    """Something the reader may expect and that will not happen, with the reason."""

    icon: str
    title: str
    reason: str
    optional: bool = False

    def describe(self) -> PanelItem:
        return PanelItem(icon=self.icon, title=self.title, lines=(self.reason,))


@dataclass
class PlannedDecision:
    """`shelf` pieces go back on the shelf, `lost` pieces are gone; `back` of them had left in a shipment."""

    line: OrderLine
    shelf: int
    lost: int
    source: str
    back: int = 0
    reverses_id: int | None = None


@dataclass
class PlannedMovement:
    """What settling one line does to one variant, with the variant's counters before."""

    line: OrderLine
    variant: Variant
    delta_on_hand: int
    delta_committed: int
    on_hand_before: int
    committed_before: int

    @property
    def available_before(self) -> int:
        return self.on_hand_before - self.committed_before

    @property
    def available_after(self) -> int:
        return self.available_before + self.delta_on_hand - self.delta_committed


@dataclass
class PlannedChange:
    """One order as it will be. `order` and `lines` keep their old values until the change is saved."""

    order: Order
    kind: OrderEvent.Kind
    payment: Status
    fulfilment: Status
    payment_before: Status | None
    fulfilment_before: Status | None
    lines: list[OrderLine]
    addresses: list[OrderAddress]
    shipments: list[Shipment] = field(default_factory=list)  # parcels that count, before this change
    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    quantities: dict[int, int] = field(default_factory=dict)  # line id: new quantity
    decisions: list[PlannedDecision] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    refunds: list[tuple[Refund, list[RefundLine]]] = field(default_factory=list)
    new_shipments: list[tuple[Shipment, list[ShipmentLine]]] = field(default_factory=list)
    voided_shipments: list[Shipment] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    discounts: list[OrderDiscount] = field(default_factory=list)  # of a new order
    surcharges: list[OrderSurcharge] = field(default_factory=list)  # of a new order
    undoes: OrderEvent | None = None
    reason: str = ""
    personal_word: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    stock_ignored: list[OrderLine] = field(default_factory=list)
    movements: list[PlannedMovement] = field(default_factory=list)
    consequences: list[Consequence] = field(default_factory=list)
    event: OrderEvent | None = None  # set when saved

    @property
    def is_new(self) -> bool:
        return self.order.pk is None

    @property
    def status_changes(self) -> bool:
        return self.payment_changes or self.fulfilment_changes

    @property
    def payment_changes(self) -> bool:
        return self.payment_before is not None and self.payment_before.pk != self.payment.pk

    @property
    def fulfilment_changes(self) -> bool:
        return self.fulfilment_before is not None and self.fulfilment_before.pk != self.fulfilment.pk

    @property
    def paid_after(self) -> Decimal:
        return self.order.paid_total + sum((p.amount for p in self.payments), Decimal(0))

    @property
    def refunded_after(self) -> Decimal:
        return self.order.refunded_total + sum((r.amount for r, _lines in self.refunds), Decimal(0))

    @property
    def credited_after(self) -> Decimal:
        return self.order.credited_total + sum((r.credited for r, _lines in self.refunds), Decimal(0))

    @property
    def total_after(self) -> Decimal:
        return self.fields["total"][1] if "total" in self.fields else self.order.total

    @property
    def balance_after(self) -> Decimal:
        return self.total_after - self.credited_after - self.paid_after + self.refunded_after

    @property
    def changes_anything(self) -> bool:
        return bool(
            self.is_new
            or self.status_changes
            or self.fields
            or self.quantities
            or self.decisions
            or self.payments
            or self.refunds
            or self.new_shipments
            or self.voided_shipments
            or self.notes
            or self.movements
            or self.undoes
        )

    def after(self, name: str) -> Any:
        """The value of an order column once the change is applied."""
        return self.fields[name][1] if name in self.fields else getattr(self.order, name)

    def address(self, kind: str) -> OrderAddress | None:
        return next((address for address in self.addresses if address.kind == kind), None)

    def current_shipments(self) -> list[Shipment]:
        """Parcels that count after the change, oldest first."""
        voided = {shipment.pk for shipment in self.voided_shipments}
        return [s for s in self.shipments if s.pk not in voided] + [s for s, _lines in self.new_shipments]

    def add(self, consequence: Consequence) -> None:
        self.consequences.append(consequence)

    def digest(self) -> str:
        """Identifies what the reader saw; a different digest under the lock means the world moved on."""
        facts = [
            self.order.version if not self.is_new else 0,
            self.payment.pk,
            self.fulfilment.pk,
            sorted((name, str(new)) for name, (_old, new) in self.fields.items()),
            sorted(self.quantities.items()),
            [(d.line.pk, d.shelf, d.lost) for d in self.decisions],
            [str(p.amount) for p in self.payments],
            [str(r.amount) for r, _lines in self.refunds],
            [(s.tracking_number, [(row.line_id, row.quantity) for row in rows]) for s, rows in self.new_shipments],
            [(m.variant.pk, m.delta_on_hand, m.delta_committed) for m in self.movements],
            [c.facts() for c in self.consequences],
        ]
        return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()


@dataclass
class World:
    """What a wish may read while it is planned: orders with their parts, statuses, the shop, one clock."""

    shop: Shop
    statuses: dict[int, Status]
    now: datetime
    orders: dict[int, Order] = field(default_factory=dict)
    lines: dict[int, list[OrderLine]] = field(default_factory=dict)
    addresses: dict[int, list[OrderAddress]] = field(default_factory=dict)
    shipments: dict[int, list[Shipment]] = field(default_factory=dict)
    variants: dict[int, Variant] = field(default_factory=dict)

    def status(self, axis: str, code: str) -> Status:
        """The status with this code; raises KeyError where there is none."""
        return self._by_code[(axis, code)]

    def initial(self, axis: str) -> Status:
        return next(s for s in self.statuses.values() if s.axis == axis and s.is_initial)

    @cached_property
    def _by_code(self) -> dict[tuple[str, str], Status]:
        return {(s.axis, s.code): s for s in self.statuses.values()}

    def change_of(self, order: Order, kind: OrderEvent.Kind) -> PlannedChange:
        """A change of `order` that changes nothing yet."""
        payment, fulfilment = self.statuses[order.payment_status_id], self.statuses[order.fulfilment_status_id]
        return PlannedChange(
            order=order,
            kind=kind,
            payment=payment,
            fulfilment=fulfilment,
            payment_before=payment,
            fulfilment_before=fulfilment,
            lines=self.lines.get(order.pk, []),
            addresses=self.addresses.get(order.pk, []),
            shipments=self.shipments.get(order.pk, []),
        )


@dataclass(kw_only=True)
class Wish:
    """What somebody wants of some orders. Subclasses say what becomes of one order; the engine does the rest.

    `skip` holds keys of optional consequences that were unticked; `oversell` sells below zero knowingly (a right of its own);
    `versions` are the versions the actor saw, per order id.
    """

    actor: Actor
    skip: frozenset[str] = frozenset()
    oversell: bool = False
    versions: Mapping[int, int] = field(default_factory=dict)
    personal_word: str = ""

    def order_ids(self) -> Sequence[int]:
        """Orders that the wish is about; none for a wish that makes an order."""
        return ()

    def variant_ids(self) -> Iterable[int]:
        """Variants beyond those of the orders' lines (a new order's)."""
        return ()

    def plan_order(self, order: Order, world: "World") -> PlannedChange:
        """The change of one order. Raises OrderError to refuse it."""
        raise TypeError(f"{type(self).__name__} changes no order")

    def plan_new(self, world: "World") -> PlannedChange:
        """The order that the wish makes. Raises OrderError to refuse it."""
        raise TypeError(f"{type(self).__name__} makes no order")

    def require(self, permission: str, refusal: str) -> None:
        """Raises NotAllowed with `refusal` where the actor lacks the right."""
        if not self.actor.may(permission):
            raise NotAllowed(refusal)

    def check_version(self, order: Order) -> None:
        """Raises StaleOrder where the order was deleted or is no longer as the actor saw it."""
        if order.deleted_at is not None:
            raise StaleOrder(_("This order was deleted."))
        if self.versions.get(order.pk, order.version) != order.version:
            raise StaleOrder(_("This order changed meanwhile. Nothing was saved; look at it again."))


@dataclass(kw_only=True)
class OneOrderWish(Wish):
    order_id: int

    def order_ids(self) -> Sequence[int]:
        return (self.order_id,)


@dataclass(kw_only=True)
class OrdersWish(Wish):
    ids: Sequence[int]

    def order_ids(self) -> Sequence[int]:
        return self.ids


@dataclass
class Plan:
    """Everything a wish would do: a change per order, refusals with their reason, orders already as wished."""

    wish: Wish
    world: World
    changes: list[PlannedChange] = field(default_factory=list)
    refusals: dict[int, OrderError] = field(default_factory=dict)
    unchanged: list[int] = field(default_factory=list)

    def refuse(self, change: PlannedChange, error: OrderError) -> None:
        """Take a change out of the plan; planners call it while they look at `changes`."""
        self.refusals[change.order.pk or 0] = error
        self.changes = [other for other in self.changes if other is not change]

    @property
    def release_at(self) -> datetime:
        """When customer mails and rule-issued documents of this plan may leave: staff can take a change back until then."""
        if self.wish.actor.is_staff:
            return self.world.now + timedelta(seconds=self.world.shop.undo_seconds)
        return self.world.now

    @property
    def is_held(self) -> bool:
        return self.release_at > self.world.now

    def digests(self) -> dict[int, str]:
        return {change.order.pk or 0: change.digest() for change in self.changes}


@dataclass
class Outcome:
    """What became of a wish."""

    events: list[OrderEvent] = field(default_factory=list)
    refusals: dict[int, OrderError] = field(default_factory=dict)
    unchanged: list[int] = field(default_factory=list)

    @property
    def event(self) -> OrderEvent | None:
        """The event of a wish about one order."""
        return self.events[0] if self.events else None

    def or_raise(self) -> Self:
        """For wishes about one order: raise its refusal."""
        for error in self.refusals.values():
            raise error
        return self


def plan(wish: Wish, *, render: bool = True) -> Plan:
    """Tell what `wish` would do. Reads only."""
    return _plan(wish, list(wish.order_ids()), lock=False, render=render)


def apply(wish: Wish, *, seen: Mapping[int, str] | None = None, on_chunk: Callable[[Outcome], None] | None = None) -> Outcome:
    """Do what the plan says, in chunks of one transaction each, or refuse the orders that can't have it.

    Mails are rendered in the plan, before the locks. Under the locks only facts are planned again: where their digest differs
    from what the clerk saw (`seen`: digest per order id, 0 for a new order), that order is refused with `StaleOrder`.
    Asking for what is already so changes nothing: a double click costs nothing.
    """
    outcome = Outcome()
    ids = list(wish.order_ids())
    for chunk in _chunked(ids) if ids else [[]]:
        part = _apply_chunk(wish, chunk, seen)
        outcome.events += part.events
        outcome.refusals |= part.refusals
        outcome.unchanged += part.unchanged
        if on_chunk:
            on_chunk(part)
    return outcome


def _apply_chunk(wish: Wish, ids: list[int], seen: Mapping[int, str] | None) -> Outcome:
    from orders.services.writing import save_changes  # noqa: PLC0415 (the writer needs the types above)

    looked = _plan(wish, ids, lock=False, render=True)
    prepared = {c.order.pk or 0: c for c in looked.changes}
    with transaction.atomic():
        locked = _plan(wish, ids, known=looked.world, lock=True, render=False)
        for change in list(locked.changes):
            key = change.order.pk or 0
            digest = change.digest()
            if seen is not None and key in seen and seen[key] != digest:
                locked.refuse(change, StaleOrder(_("This order changed meanwhile. Nothing was saved; look at it again.")))
            elif key not in prepared or prepared[key].digest() != digest:
                _render_again(wish, locked, change)
            else:
                change.consequences = prepared[key].consequences
        save_changes(locked)
    return Outcome(
        events=[change.event for change in locked.changes if change.event],
        refusals=locked.refusals,
        unchanged=locked.unchanged,
    )


def _render_again(wish: Wish, locked: Plan, change: PlannedChange) -> None:
    """The order moved between preparing and locking, and nobody had seen a plan: make its consequences anew, from locked facts."""
    change.consequences = []
    alone = Plan(wish, locked.world, [change])
    _ask_planners(alone, render=True)
    if not alone.changes:
        locked.refuse(change, alone.refusals[change.order.pk or 0])


def _plan(wish: Wish, ids: list[int], *, known: World | None = None, lock: bool, render: bool) -> Plan:
    from orders.services.stock import settle  # noqa: PLC0415 (settling needs the types above)

    world = load_world(ids, variant_ids=wish.variant_ids(), lock=lock, known=known)
    planned = Plan(wish, world)
    for key in ids or [0]:
        try:
            if not key:
                planned.changes.append(wish.plan_new(world))
            elif key in world.orders:
                planned.changes.append(wish.plan_order(world.orders[key], world))
            else:
                raise StaleOrder(_("This order no longer exists."))
        except OrderError as error:
            planned.refusals[key] = error
    settle(planned)
    for change in list(planned.changes):
        if not change.changes_anything:
            planned.unchanged.append(change.order.pk)
            planned.changes.remove(change)
    _ask_planners(planned, render=render)
    return planned


def _ask_planners(planned: Plan, *, render: bool) -> None:
    for path in settings.CONSEQUENCE_PLANNERS:
        if planned.changes:
            import_string(path)(planned, render=render)
    for change in planned.changes:
        for consequence in change.consequences:
            if consequence.optional and consequence.key in planned.wish.skip:
                consequence.is_on = False


def load_world(ids: Iterable[int], *, variant_ids: Iterable[int] = (), lock: bool = False, known: World | None = None) -> World:
    """Read orders with their parts in a constant number of queries; with `lock`, orders then variants, each in id order.

    `known` is the same world read a moment ago: the parts of an order whose version still stands are not read again, because
    every change of a part raises it.
    """
    ids = sorted(set(ids))
    now = timezone.now()
    if known is None:
        statuses = {s.pk: s for s in Status.objects.select_related("base")}
        world = World(shop=Shop.current(), statuses=statuses, now=now)
    else:
        world = World(shop=known.shop, statuses=known.statuses, now=now)
    if ids:
        orders = Order.objects.filter(pk__in=ids).order_by("pk")
        world.orders = {order.pk: order for order in (orders.select_for_update() if lock else orders)}
        for order in world.orders.values():
            order.payment_status = world.statuses[order.payment_status_id]
            order.fulfilment_status = world.statuses[order.fulfilment_status_id]
        _load_parts(world, known)
    _load_variants(world, set(variant_ids), lock=lock)
    for lines in world.lines.values():
        for line in lines:
            line.order = world.orders[line.order_id]
            if line.variant_id:
                line.variant = world.variants.get(line.variant_id)
    return world


def _load_parts(world: World, known: World | None) -> None:
    stale = []
    for pk, order in world.orders.items():
        before = known.orders.get(pk) if known else None
        if known is None or before is None or before.version != order.version:
            stale.append(pk)
            continue
        for parts, kept in ((known.lines, world.lines), (known.addresses, world.addresses), (known.shipments, world.shipments)):
            if pk in parts:
                kept[pk] = parts[pk]  # type: ignore[index]
    if stale:
        lines = OrderLine.objects.filter(order__in=stale, is_removed=False).order_by("order_id", "position", "id")
        world.lines |= _grouped(lines)
        world.addresses |= _grouped(OrderAddress.objects.filter(order__in=stale))
        world.shipments |= _grouped(Shipment.objects.filter(order__in=stale, voided_by=None).order_by("id"))


def _load_variants(world: World, wanted: set[int], *, lock: bool) -> None:
    wanted |= {line.variant_id for lines in world.lines.values() for line in lines if line.variant_id}
    if not wanted:
        return
    # Variants in id order, or two orders sharing two products deadlock.
    variants = Variant.objects.filter(pk__in=wanted).order_by("pk")
    if lock:
        variants = variants.select_for_update(of=("self",))
    world.variants = {v.pk: v for v in variants.select_related("product", "product__tax_class")}


def _grouped(rows: Iterable[Any]) -> dict[int, list[Any]]:
    grouped = defaultdict(list)
    for row in rows:
        grouped[row.order_id].append(row)
    return dict(grouped)


def _chunked(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]
