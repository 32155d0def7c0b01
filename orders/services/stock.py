"""What orders and clerks do to stock: the only writer of counters and ledger (domain, section 2)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from orders.choices import StockEffect
from orders.errors import InvalidWish, NotAllowed, NotEnoughStock
from orders.models import Draft, DraftReservation, OrderEvent, OrderLine, Shop, Status, StockMovement, Variant
from orders.services.change import PlannedChange, PlannedDecision, PlannedMovement, PlannedTakeover
from orders.services.wishes import Actor, Plan


@dataclass(frozen=True)
class Pieces:
    """Where the pieces of one line are."""

    quantity: int
    shelf: int
    lost: int
    back: int
    shipped: int

    @classmethod
    def of(cls, line: OrderLine, change: PlannedChange | None = None) -> "Pieces":
        """The pieces of `line` as they are, or as they will be after `change`."""
        quantity, shelf, lost, back, shipped = line.quantity, line.pieces_shelf, line.pieces_lost, line.pieces_back, line.pieces_shipped
        if change is not None and change.removes(line):
            return cls(0, 0, 0, 0, 0)
        if change is not None:
            quantity = change.quantities.get(line.pk, quantity)
            for decision in change.decisions:
                if decision.line is line:
                    shelf, lost, back = shelf + decision.shelf, lost + decision.lost, back + decision.back
            shipped += sum(row.quantity for _s, rows in change.new_shipments for row in rows if row.line_id == line.pk)
            voided = {shipment.pk for shipment in change.voided_shipments}
            if voided:
                shipped -= sum(r.quantity for s in change.voided_shipments for r in s.lines.all() if r.line_id == line.pk)
        return cls(quantity, shelf, lost, back, shipped)

    @property
    def open(self) -> int:
        return self.quantity - self.shelf - self.lost

    @property
    def shipped_open(self) -> int:
        """Open pieces that are in a parcel."""
        return min(self.open, max(0, self.shipped - self.back))

    @property
    def unshipped(self) -> int:
        """Open pieces that no parcel names."""
        return self.open - self.shipped_open

    def wanted(self, payment: Status, fulfilment: Status) -> tuple[int, int]:
        """(committed, consumed) that the statuses ask of these pieces."""
        if payment.releases:
            return 0, self.lost
        if fulfilment.goods_left:
            return 0, self.lost + self.open
        holds = payment.stock_effect == StockEffect.HOLD and not fulfilment.releases_unshipped
        return (self.unshipped if holds else 0), self.lost + self.shipped_open


def settle(plan: Plan) -> None:
    """Plan the movements that bring every line to what its statuses ask. Repeating it moves nothing.

    Orders are served in the plan's order; one that would take more than is available is refused with `NotEnoughStock`, unless
    the variant may be sold below zero or the wish oversells knowingly. Lines that stock does not follow are left alone.
    """
    world = plan.world
    counters = {pk: (variant.on_hand, variant.committed) for pk, variant in world.variants.items()}
    for change in list(plan.changes):
        counters = before = _hand_over(change, counters)
        if not world.shop.stock_control:
            continue
        after = dict(before)
        taken: dict[int, int] = defaultdict(int)
        for line in change.lines:
            movement = _movement(line, change, world.variants, after)
            if movement:
                change.movements.append(movement)
                taken[movement.variant.pk] += movement.available_before - movement.available_after
            elif line.variant_id and not line.stock_followed:
                change.stock_ignored.append(line)
        short = next((v for v in world.variants.values() if taken.get(v.pk, 0) > 0 and after[v.pk][0] - after[v.pk][1] < 0), None)
        if short and not (short.allows_oversell or plan.wish.oversell):
            plan.refuse(change, _shortage(short, change, before[short.pk], taken[short.pk]))
            continue
        if short and plan.wish.oversell and not short.allows_oversell and not plan.wish.actor.may("orders.oversell_variant"):
            plan.refuse(change, NotAllowed(_("You may not sell below zero.")))
            continue
        counters = after
        _mark_oversold(change, is_short=short is not None)


def _hand_over(change: PlannedChange, counters: dict[int, tuple[int, int]]) -> dict[int, tuple[int, int]]:
    """The counters once the pieces that the change's draft kept are free for its order."""
    after = dict(counters)
    for takeover in change.takeovers:
        on_hand, committed = after[takeover.variant.pk]
        takeover.on_hand_before, takeover.committed_before = on_hand, committed
        after[takeover.variant.pk] = (on_hand, committed - takeover.pieces)
    return after


def _movement(
    line: OrderLine, change: PlannedChange, variants: dict[int, Variant], counters: dict[int, tuple[int, int]]
) -> PlannedMovement | None:
    variant = variants.get(line.variant_id) if line.variant_id else None
    if variant is None or not line.stock_followed:
        return None
    committed, consumed = _wanted(line, change) if variant.is_tracked else (0, 0)
    delta_committed, delta_on_hand = committed - line.committed, line.consumed - consumed
    if not delta_committed and not delta_on_hand:
        return None
    on_hand_before, committed_before = counters[variant.pk]
    counters[variant.pk] = (on_hand_before + delta_on_hand, committed_before + delta_committed)
    return PlannedMovement(line, variant, delta_on_hand, delta_committed, on_hand_before, committed_before)


def _wanted(line: OrderLine, change: PlannedChange) -> tuple[int, int]:
    """(committed, consumed) of a line after the change; a deleted order keeps nothing but what is lost."""
    pieces = Pieces.of(line, change)
    return (0, pieces.lost) if change.is_deleted_after else pieces.wanted(change.payment, change.fulfilment)


def _shortage(variant: Variant, change: PlannedChange, counters: tuple[int, int], taken: int) -> NotEnoughStock:
    available = counters[0] - counters[1]
    position = next((i for i, line in enumerate(change.lines) if line.variant_id == variant.pk), 0)
    return NotEnoughStock(
        _("%(sku)s is out of stock: %(asked)d asked, %(available)d available.")
        % {"sku": variant.sku, "asked": taken, "available": max(available, 0)},
        sku=variant.sku,
        asked=taken,
        available=max(available, 0),
        field=f"items[{position}].quantity",
    )


def _mark_oversold(change: PlannedChange, *, is_short: bool) -> None:
    holds = any(_wanted(line, change) != (0, 0) for line in change.lines)
    oversold = is_short or (change.order.is_oversold and holds and not change.fulfilment.goods_left)
    if oversold != change.order.is_oversold and change.movements:
        change.fields["is_oversold"] = (change.order.is_oversold, oversold)


def decide_release(change: PlannedChange, lost_lines: Iterable[int] = ()) -> None:
    """Entering a status that gives pieces back: every piece that had left goes on the shelf, or is lost on the named lines."""
    lost_lines = set(lost_lines)
    before_payment, before_fulfilment = change.payment_before or change.payment, change.fulfilment_before or change.fulfilment
    for line in change.lines:
        pieces = Pieces.of(line, change)
        gone = pieces.wanted(before_payment, before_fulfilment)[1] - pieces.lost if line.stock_followed and line.variant_id else 0
        if gone > 0:
            is_lost = line.pk in lost_lines
            change.decisions.append(
                PlannedDecision(
                    line,
                    shelf=0 if is_lost else gone,
                    lost=gone if is_lost else 0,
                    back=min(gone, pieces.shipped_open),
                    source="status",
                )
            )


def write_movements(changes: Sequence[PlannedChange], actor: Actor) -> None:
    """Write the planned movements of saved changes: counters, ledger, caches on the lines. Variants are locked by the caller."""
    rows: list[StockMovement] = []
    deltas: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for change in changes:
        for takeover in change.takeovers:
            deltas[takeover.variant.pk][1] -= takeover.pieces
            rows.append(_taken_over(takeover, change, actor))
        for movement in change.movements:
            delta = deltas[movement.variant.pk]
            delta[0] += movement.delta_on_hand
            delta[1] += movement.delta_committed
            movement.line.committed += movement.delta_committed
            movement.line.consumed -= movement.delta_on_hand
            rows.append(
                StockMovement(
                    variant_id=movement.variant.pk,
                    kind=StockMovement.Kind.SETTLE,
                    delta_on_hand=movement.delta_on_hand,
                    delta_committed=movement.delta_committed,
                    on_hand_after=movement.on_hand_before + movement.delta_on_hand,
                    committed_after=movement.committed_before + movement.delta_committed,
                    line=movement.line,
                    order=change.order,
                    event=change.event,
                    actor_name=actor.name,
                    at=change.event.at if change.event else timezone.now(),
                )
            )
    _move_counters(deltas)
    StockMovement.objects.bulk_create(rows, batch_size=500)
    if taken := [takeover.reservation.pk for change in changes for takeover in change.takeovers]:
        DraftReservation.objects.filter(pk__in=taken).delete()


def _taken_over(takeover: PlannedTakeover, change: PlannedChange, actor: Actor) -> StockMovement:
    return StockMovement(
        variant_id=takeover.variant.pk,
        kind=StockMovement.Kind.RESERVE,
        delta_committed=-takeover.pieces,
        on_hand_after=takeover.on_hand_before,
        committed_after=takeover.committed_before - takeover.pieces,
        draft_id=takeover.reservation.draft_id,
        order=change.order,
        event=change.event,
        actor_name=actor.name,
        at=change.event.at if change.event else timezone.now(),
    )


def _move_counters(deltas: dict[int, list[int]]) -> None:
    if not deltas:
        return
    # Added in the database, so that a counter is right even where a lock is a no-op; integers only, nothing to escape.
    listed = ", ".join(f"({pk:d}, {on_hand:d}, {committed:d})" for pk, (on_hand, committed) in sorted(deltas.items()))
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH v(id, d_on_hand, d_committed) AS (VALUES {listed}) UPDATE orders_variant"  # noqa: S608
            " SET on_hand = on_hand + v.d_on_hand, committed = committed + v.d_committed FROM v WHERE orders_variant.id = v.id"
        )


def adjust_stock(
    variant_id: int, delta: int, *, reason: str, actor: Actor, key: str = "", kind: str = StockMovement.Kind.ADJUST
) -> StockMovement:
    """Add `delta` pieces (negative: take away) to what is on hand, with a reason. The same `key` again changes nothing.

    Raises NotAllowed without the right orders.adjust_stock, InvalidWish for a zero delta, a missing reason, or a variant whose
    stock is not tracked.
    """
    if not actor.may("orders.adjust_stock"):
        raise NotAllowed(_("You may not adjust stock."))
    if not delta or abs(delta) > 1_000_000:
        raise InvalidWish(_("Enter how many pieces to add or take away, such as 5 or -2."), field="delta")
    if not reason.strip():
        raise InvalidWish(_("Say why the stock changes."), field="reason")
    with transaction.atomic():
        variant = Variant.objects.select_for_update().get(pk=variant_id)
        if key and (done := StockMovement.objects.filter(variant=variant, key=key).first()):
            return done
        if not variant.is_tracked:
            raise InvalidWish(_("The stock of %(sku)s is not tracked.") % {"sku": variant.sku}, field="delta")
        Variant.objects.filter(pk=variant.pk).update(on_hand=F("on_hand") + delta)
        movement = StockMovement.objects.create(
            variant=variant,
            kind=kind,
            delta_on_hand=delta,
            on_hand_after=variant.on_hand + delta,
            committed_after=variant.committed,
            actor_name=actor.name,
            reason=reason.strip()[:400],
            key=key,
            at=timezone.now(),
        )
        for path in settings.STOCK_WATCHERS:
            import_string(path)(movement)
        return movement


def hold_for_draft(draft: Draft, wanted: Mapping[int, int], variants: Mapping[int, Variant], *, actor: Actor) -> int:
    """Bring what `draft` keeps to `wanted` (pieces by variant): all of it, or NotEnoughStock and nothing. Returns the pieces kept.

    The caller has locked the draft and `variants`, which hold every variant that is wanted or kept now. What is not tracked is
    never kept, and pieces given back are given back even where stock control is switched off.
    """
    kept = {row.variant_id: row for row in DraftReservation.objects.filter(draft=draft)}
    goal = {pk: pieces for pk, pieces in wanted.items() if pieces > 0 and variants[pk].is_tracked}
    deltas: dict[int, list[int]] = {}
    rows: list[StockMovement] = []
    for pk in sorted(kept.keys() | goal.keys()):
        variant, before = variants[pk], kept[pk].pieces if pk in kept else 0
        delta = goal.get(pk, 0) - before
        if not delta:
            continue
        if delta > variant.available and delta > 0 and not variant.allows_oversell:
            asked, available = goal[pk], max(variant.available + before, 0)
            text = _("%(sku)s is out of stock: %(asked)d asked, %(available)d available.")
            words = {"sku": variant.sku, "asked": asked, "available": available}
            raise NotEnoughStock(text % words, sku=variant.sku, asked=asked, available=available, field="reserved_until")
        deltas[pk] = [0, delta]
        rows.append(
            StockMovement(
                variant=variant,
                kind=StockMovement.Kind.RESERVE,
                delta_committed=delta,
                on_hand_after=variant.on_hand,
                committed_after=variant.committed + delta,
                draft=draft,
                actor_name=actor.name,
                at=timezone.now(),
            )
        )
    _move_counters(deltas)
    StockMovement.objects.bulk_create(rows, batch_size=500)
    DraftReservation.objects.filter(draft=draft).exclude(variant__in=goal).delete()
    for pk, pieces in goal.items():
        DraftReservation.objects.update_or_create(draft=draft, variant_id=pk, defaults={"pieces": pieces})
    return sum(goal.values())


def stock_is_controlled() -> bool:
    return Shop.current().stock_control


def movements_of(event: OrderEvent) -> list[StockMovement]:
    """The ledger rows that an event wrote, oldest first."""
    return list(event.movements.select_related("variant").order_by("id"))
