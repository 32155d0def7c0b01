"""The two status menus of an order: what is offered, what each choice sets off, what comes next."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from orders.choices import Axis, DeliveryKind
from orders.models import Order, OrderLine, Shop, Status
from orders.services.stock import Pieces


@dataclass(frozen=True)
class Choice:
    """A status in a menu. `hint` says in three words what choosing it sets off."""

    status: Status
    is_current: bool
    hint: str


def offered_statuses(axis: Axis, order: Order, statuses: Iterable[Status], shop: Shop) -> list[Status]:
    """What the menu of an axis shows: active statuses that the shop offers, and the present one."""
    current = {order.payment_status_id, order.fulfilment_status_id}
    local = shop.local_delivery  # the door refuses it otherwise
    return [
        status
        for status in statuses
        if status.axis == axis
        and (status.pk in current or (status.is_active and (local or status.offered_when != Status.OfferedWhen.LOCAL_DELIVERY)))
    ]


def choices(axis: Axis, order: Order, lines: list[OrderLine], statuses: Iterable[Status], shop: Shop) -> list[Choice]:
    """The menu of an axis."""
    current = {order.payment_status_id, order.fulfilment_status_id}
    return [
        Choice(status, status.pk in current, _("current") if status.pk in current else hint_of(status, order, lines, shop))
        for status in offered_statuses(axis, order, statuses, shop)
    ]


def hint_of(status: Status, order: Order, lines: list[OrderLine], shop: Shop) -> str:
    """What a status sets off by its columns: "e-mail · stock · perhaps a document"."""
    hints = []
    if status.mails_customer and order.email and not order.no_customer_mail:
        hints.append(_("e-mail"))
    if shop.stock_control and _moves_stock(status, order, lines):
        hints.append(_("stock"))
    if status.document_trigger or status.proposes_credit:
        hints.append(_("perhaps a document"))
    if status.proposes_record == Status.Record.PAYMENT and order.balance > 0:
        hints.append(_("payment"))
    return " · ".join(hints) or _("nothing")


def _moves_stock(status: Status, order: Order, lines: list[OrderLine]) -> bool:
    before = order.payment_status, order.fulfilment_status
    after = (status, before[1]) if status.axis == Axis.PAYMENT else (before[0], status)
    followed = [Pieces.of(line) for line in lines if line.variant_id and line.stock_followed]
    return any(pieces.wanted(*before) != pieces.wanted(*after) for pieces in followed)


def next_step(order: Order, lines: list[OrderLine], statuses: Iterable[Status], shop: Shop) -> Status | None:
    """The status that most likely comes next, read from the columns: money first, then along the way to the customer."""
    payment, fulfilment = order.payment_status, order.fulfilment_status
    if payment.releases or order.is_held or fulfilment.releases_unshipped or fulfilment.asks == Status.Asks.RETURNED_PIECES:
        return None
    statuses = list(statuses)
    if payment.waits_for_staff and order.balance > 0:
        return next((s for s in statuses if s.axis == Axis.PAYMENT and s.proposes_record == Status.Record.PAYMENT and s.is_active), None)
    is_pickup = order.delivery_kind == DeliveryKind.PICKUP
    all_digital = bool(lines) and all(line.is_digital for line in lines)
    base = fulfilment.base if fulfilment.base_id and fulfilment.base else fulfilment
    for status in offered_statuses(Axis.FULFILMENT, order, statuses, shop):
        passed = status.position <= base.position or status.is_custom or not status.is_active
        dead_end = status.releases_unshipped or status.asks == Status.Asks.RETURNED_PIECES
        for_pickup = status.own_mail == Status.OwnMail.READY_FOR_PICKUP
        for_parcels = status.asks == Status.Asks.TRACKING
        local = status.offered_when == Status.OfferedWhen.LOCAL_DELIVERY
        if passed or dead_end or (for_pickup and not is_pickup) or (for_parcels and (is_pickup or all_digital)):
            continue
        if local and order.delivery_kind != DeliveryKind.DELIVERY:
            continue
        return status
    return None
