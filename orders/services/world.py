"""What a wish may read: orders with their parts, statuses, the shop; read in a constant number of queries, locked in one order."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from django.utils import timezone

from orders.models import Carrier, Order, OrderAddress, OrderEvent, OrderLine, Shipment, Shop, Status, Variant
from orders.search import fold
from orders.services.change import PlannedChange


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

    def tags_of(self, order: Order) -> set[str]:
        """Names of the order's tags; read for all orders at once when somebody asks first."""
        return self._tags.get(order.pk, set())

    @cached_property
    def _tags(self) -> dict[int, set[str]]:
        found: dict[int, set[str]] = defaultdict(set)
        for pk, name in Order.tags.through.objects.filter(order__in=list(self.orders)).values_list("order_id", "tag__name"):
            found[pk].add(name)
        return dict(found)

    @cached_property
    def carriers(self) -> dict[str, Carrier]:
        """Carriers by their folded name: orders of an import write them in any case."""
        return {fold(carrier.name): carrier for carrier in Carrier.objects.all()}

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
        world.lines[pk] = known.lines.get(pk, [])
        world.addresses[pk] = known.addresses.get(pk, [])
        world.shipments[pk] = known.shipments.get(pk, [])
    if stale:
        lines = OrderLine.objects.filter(order__in=stale, is_removed=False).order_by("order_id", "position", "id")
        world.lines |= _grouped(lines)
        world.addresses |= _grouped(OrderAddress.objects.filter(order__in=stale))
        world.shipments |= _grouped(Shipment.objects.filter(order__in=stale, voided_by=None).order_by("shipped_at", "id"))


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
