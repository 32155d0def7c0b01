"""Changing statuses: what a change of either axis brings with it (domain, section 1). Only this file and intake write statuses."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from orders.choices import Axis
from orders.errors import InvalidWish, NotAllowed
from orders.models import LineDecision, Order, OrderEvent, Payment, Refund, Shipment, ShipmentLine, Status
from orders.search import fold
from orders.services.change import PlannedChange, PlannedDecision
from orders.services.limits import check_refund
from orders.services.stock import Pieces, decide_release
from orders.services.wishes import OrdersWish
from orders.services.world import World

STATUS_RIGHTS: dict[str, str] = {Axis.PAYMENT: "orders.change_payment_status", Axis.FULFILMENT: "orders.change_order_status"}
RECORD_RIGHTS: dict[str, str] = {Status.Record.PAYMENT: "orders.record_payment", Status.Record.REFUND: "orders.refund_order"}


@dataclass(kw_only=True)
class StatusWish(OrdersWish):
    """Set one or both statuses of orders; both axes in one wish make one event, so one mail.

    `lost_lines`: lines whose pieces do not go back on the shelf when the order is cancelled or refunded.
    `returned`: pieces per line that come back with a status that asks for them, as (shelf, lost).
    `record`: whether the payment or refund that the status proposes is written; None takes the status' own default.
    """

    payment: str = ""
    fulfilment: str = ""
    reason: str = ""
    carrier: str = ""
    tracking_number: str = ""
    lost_lines: frozenset[int] = frozenset()
    returned: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    record: bool | None = None
    method: str = ""
    reference: str = ""
    is_offered_only: bool = True

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """The change of one order. Raises StaleOrder, NotAllowed, InvalidWish."""
        self.check_version(order)
        change = world.change_of(order, OrderEvent.Kind.STATUS)
        change.personal_word, change.reason = self.personal_word, self.reason
        if self.payment:
            change.payment = self._target(Axis.PAYMENT, self.payment, order, world)
        if self.fulfilment:
            change.fulfilment = self._target(Axis.FULFILMENT, self.fulfilment, order, world)
        if change.status_changes:
            self._check_rights(change)
        carry_consequences(
            change, world, lost_lines=self.lost_lines, record=self._record(change), method=self.method, reference=self.reference
        )
        for refund, _lines in change.refunds:
            check_refund(self.actor, refund.amount, order.currency)
        self._take_back(change)
        self._ship(change, world)
        return change

    def _target(self, axis: Axis, code: str, order: Order, world: World) -> Status:
        try:
            target = world.status(axis, code)
        except KeyError:
            raise InvalidWish(_("There is no status %(code)s.") % {"code": code}, field=f"{axis}_status") from None
        current = order.payment_status_id if axis == Axis.PAYMENT else order.fulfilment_status_id
        if target.pk == current or not self.is_offered_only:
            return target
        if not target.is_active:
            raise InvalidWish(_("The status %(name)s is retired.") % {"name": target}, field=f"{axis}_status")
        if target.offered_when == Status.OfferedWhen.LOCAL_DELIVERY and not world.shop.local_delivery:
            raise InvalidWish(
                _("The status %(name)s is offered while the shop has local delivery.") % {"name": target}, field=f"{axis}_status"
            )
        return target

    def _check_rights(self, change: PlannedChange) -> None:
        """A right per axis: who packs parcels does not say what is paid."""
        if change.fulfilment_changes:
            self.require(STATUS_RIGHTS[Axis.FULFILMENT], _("You may not change the fulfilment status of orders."))
        if change.payment_changes:
            self.require(STATUS_RIGHTS[Axis.PAYMENT], _("You may not change the payment status of orders."))
        if change.payment_changes and change.payment.releases:
            self.require("orders.cancel_order", _("You may not cancel orders."))

    def _record(self, change: PlannedChange) -> bool | None:
        """Whether to write the proposed payment or refund: never silently without the right to record it."""
        right = RECORD_RIGHTS.get(str(change.payment.proposes_record))
        if right is None or self.actor.may(right):
            return self.record
        if self.record:
            raise NotAllowed(_("You may not record payments or refunds."))
        return False

    def _take_back(self, change: PlannedChange) -> None:
        if change.fulfilment.asks != Status.Asks.RETURNED_PIECES or not any(shelf or lost for shelf, lost in self.returned.values()):
            return
        self.require("orders.ship_order", _("You may not record returns."))
        if change.payment.releases:
            raise InvalidWish(_("The order is %(status)s: its pieces are back already.") % {"status": change.payment})
        decide_returned(change, self.returned)

    def _ship(self, change: PlannedChange, world: World) -> None:
        number = self.tracking_number.strip()
        known = {s.tracking_number for s in change.shipments}
        if not number or number in known or not change.fulfilment.goods_left:
            return
        self.require("orders.ship_order", _("You may not record shipments."))
        add_shipment(change, world, carrier=self.carrier, tracking_number=number)


def carry_consequences(
    change: PlannedChange,
    world: World,
    *,
    lost_lines: Iterable[int] = (),
    record: bool | None = None,
    method: str = "",
    reference: str = "",
) -> None:
    """What the new statuses bring by their columns: pieces given back or taken again, the record of money, digital delivery."""
    before, after = change.payment_before, change.payment
    if before is not None and before.pk != after.pk:
        if after.releases and not before.releases:
            decide_release(change, lost_lines)
        if before.releases and not after.releases:
            reverse_release(change, world)
        wants_record = after.record_by_default if record is None else record
        if wants_record:
            _record_money(change, world, method=method, reference=reference)
    if change.is_new or change.payment_changes:
        _deliver_digital(change, world)


def _deliver_digital(change: PlannedChange, world: World) -> None:
    waits = change.fulfilment.is_initial
    all_digital = bool(change.lines) and all(line.is_digital for line in change.lines)
    if change.payment.auto_delivers and change.payment.counts_as_paid and waits and all_digital and world.shop.digital_auto_delivery:
        change.fulfilment = world.status(Axis.FULFILMENT, "DELIVERED")


def _record_money(change: PlannedChange, world: World, *, method: str, reference: str) -> None:
    order = change.order
    if change.payment.proposes_record == Status.Record.PAYMENT and change.balance_after > 0:
        change.payments.append(
            Payment(amount=change.balance_after, method=method or order.payment_method, reference=reference, received_at=world.now)
        )
    rest = change.paid_after - change.refunded_after
    if change.payment.proposes_record == Status.Record.REFUND and rest > 0:
        refund = Refund(
            amount=rest,
            credited=min(rest, order.total - order.credited_total),
            method=method or order.payment_method,
            reference=reference,
            reason=change.reason,
            refunded_at=world.now,
        )
        change.refunds.append((refund, []))


def reverse_release(change: PlannedChange, world: World) -> None:
    """Leaving a status that gave pieces back: take back what that change decided, not what refunds or returns decided."""
    rows = LineDecision.objects.filter(line__in=[line.pk for line in change.lines], source=LineDecision.Source.STATUS, reversed_by=None)
    reverse_decisions(change, [row for row in rows if row.shelf + row.lost > 0])


def reverse_decisions(change: PlannedChange, rows: Iterable[LineDecision]) -> None:
    """Plan the opposite of each row. What a reopening took back becomes a release decision again when the reopening is undone."""
    by_pk = {line.pk: line for line in change.lines}
    for row in rows:
        change.decisions.append(
            PlannedDecision(
                by_pk[row.line_id],
                shelf=-row.shelf,
                lost=-row.lost,
                back=-row.back,
                source=LineDecision.Source.STATUS if row.shelf + row.lost < 0 and change.payment.releases else LineDecision.Source.UNDO,
                reverses_id=row.pk,
            )
        )


def decide_returned(change: PlannedChange, returned: Mapping[int, tuple[int, int]]) -> None:
    """Pieces that came back: on the shelf or lost. Refuses more than went out and is still out."""
    by_pk = {line.pk: line for line in change.lines}
    for pk, (shelf, lost) in returned.items():
        if not shelf and not lost:
            continue
        line = by_pk.get(pk)
        if line is None:
            raise InvalidWish(_("This item is not on the order."), field=f"line-{pk}")
        pieces = Pieces.of(line, change)
        before = change.payment_before or change.payment, change.fulfilment_before or change.fulfilment
        out = pieces.shipped_open
        if before[1].goods_left or change.fulfilment.goods_left:
            out = pieces.open
        if shelf < 0 or lost < 0 or shelf + lost > out:
            raise InvalidWish(
                _("%(name)s: %(asked)d pieces come back, but only %(out)d are out.")
                % {"name": line.name, "asked": shelf + lost, "out": out},
                field=f"line-{pk}",
            )
        change.decisions.append(
            PlannedDecision(line, shelf=shelf, lost=lost, back=min(shelf + lost, pieces.shipped_open), source=LineDecision.Source.RETURN)
        )


def add_shipment(
    change: PlannedChange,
    world: World,
    *,
    carrier: str,
    tracking_number: str,
    quantities: Mapping[int, int] | None = None,
) -> None:
    """Plan a parcel with `quantities` per line, or with everything that no parcel names yet. Refuses more than that."""
    rows = []
    for line in change.lines:
        left = Pieces.of(line, change).unshipped if not line.is_digital else 0
        wanted = left if quantities is None else quantities.get(line.pk, 0)
        if wanted < 0 or wanted > left:
            raise InvalidWish(
                _("%(name)s: %(asked)d to ship, but %(left)d are left.") % {"name": line.name, "asked": wanted, "left": left},
                field=f"line-{line.pk}",
            )
        if wanted:
            rows.append(ShipmentLine(line=line, quantity=wanted))
    carrier = carrier or change.order.shipping_carrier
    known = world.carriers.get(fold(carrier)) if carrier and tracking_number else None
    shipment = Shipment(
        carrier=carrier,
        tracking_number=tracking_number,
        tracking_url=known.url_for(tracking_number) if known else "",
        shipped_at=world.now,
    )
    change.new_shipments.append((shipment, rows))
