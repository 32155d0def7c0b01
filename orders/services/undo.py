"""Taking a change back: new entries that reverse, never a deletion (domain, section 4)."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from orders.choices import Axis
from orders.errors import CannotUndo
from orders.models import Order, OrderEvent, Payment, Refund, RefundLine
from orders.services.plan import OneOrderWish, PlannedChange, World
from orders.services.status import reverse_decisions

UNDOABLE = (
    OrderEvent.Kind.STATUS,
    OrderEvent.Kind.PAYMENT,
    OrderEvent.Kind.REFUND,
    OrderEvent.Kind.SHIPMENT,
    OrderEvent.Kind.RETURN,
    OrderEvent.Kind.EDIT,
    OrderEvent.Kind.HOLD,
    OrderEvent.Kind.DETAILS,
)
RIGHTS: dict[str, str] = {
    OrderEvent.Kind.SHIPMENT: "orders.ship_order",
    OrderEvent.Kind.RETURN: "orders.ship_order",
    OrderEvent.Kind.EDIT: "orders.change_order",
    OrderEvent.Kind.HOLD: "orders.change_order",
    OrderEvent.Kind.DETAILS: "orders.change_order",
    OrderEvent.Kind.PAYMENT: "orders.record_payment",
    OrderEvent.Kind.REFUND: "orders.refund_order",
}
TRANSPARENT = (OrderEvent.Kind.NOTE,)  # a note after a change does not stand in the way of undoing it


def latest_change(order_id: int) -> OrderEvent | None:
    """The order's latest event that is not a note: the only one that can be undone."""
    return OrderEvent.objects.filter(order=order_id).exclude(kind__in=TRANSPARENT).order_by("-id").first()


@dataclass(kw_only=True)
class UndoWish(OneOrderWish):
    """Take back the order's latest change (`event_id` must still be it)."""

    event_id: int

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """Raises CannotUndo where the change is not the latest or is undone already, NotAllowed without the right to change."""
        event = latest_change(order.pk)
        change = world.change_of(order, OrderEvent.Kind.UNDO)
        if event is not None and event.undoes_id == self.event_id:
            return change  # undone already: a double click costs nothing
        if event is None or event.pk != self.event_id:
            raise CannotUndo(_("The order changed again since; this change can no longer be undone."))
        if event.kind not in UNDOABLE:
            raise CannotUndo(_("This can't be undone."))
        change.undoes = event
        self._check_rights(event, world)
        self._restore_values(change, event, world)
        reverse_decisions(change, event.decisions.filter(reversed_by=None))
        self._reverse_money(change, event)
        change.voided_shipments = list(event.shipments.filter(voided_by=None).prefetch_related("lines"))
        return change

    def _check_rights(self, event: OrderEvent, world: World) -> None:
        """Taking a change back needs the rights that making it needed, and those of what comes back."""
        rights = {RIGHTS.get(str(event.kind), "orders.change_order_status")}
        if event.payments.exists():
            rights.add("orders.record_payment")
        if event.refunds.exists():
            rights.add("orders.refund_order")
        before = event.changes.get("payment_status", {}).get("from")
        if before and world.status(Axis.PAYMENT, before).releases:
            rights.add("orders.cancel_order")
        for right in sorted(rights):
            self.require(right, _("You may not undo this change."))

    def _restore_values(self, change: PlannedChange, event: OrderEvent, world: World) -> None:
        order = change.order
        for name, pair in event.changes.items():
            if name == "quantities":
                change.quantities = {int(pk): row["from"] for pk, row in pair.items()}
            elif name == "payment_status":
                change.payment = world.status(Axis.PAYMENT, pair["from"])
            elif name == "fulfilment_status":
                change.fulfilment = world.status(Axis.FULFILMENT, pair["from"])
            elif name != "is_oversold":
                old = _python(order, name, pair["from"])
                if getattr(order, name) != old:
                    change.fields[name] = (getattr(order, name), old)
        for name, opposite in (("add_tags", "remove_tags"), ("remove_tags", "add_tags")):
            if event.facts.get(name):
                change.facts[opposite] = event.facts[name]

    def _reverse_money(self, change: PlannedChange, event: OrderEvent) -> None:
        now = timezone.now()
        for payment in event.payments.filter(reversed_by=None):
            change.payments.append(
                Payment(amount=-payment.amount, method=payment.method, reference=payment.reference, received_at=now, reverses=payment)
            )
        for refund in event.refunds.filter(reversed_by=None):
            rows: list[RefundLine] = []
            counter = Refund(
                amount=-refund.amount,
                credited=-refund.credited,
                shipping=-refund.shipping,
                method=refund.method,
                reason=refund.reason,
                refunded_at=now,
                reverses=refund,
            )
            change.refunds.append((counter, rows))


def _python(order: Order, name: str, value: Any) -> Any:
    """A value of an event's JSON as the column's type."""
    column: Any = order._meta.get_field(name.removesuffix("_id")) if name.endswith("_id") else order._meta.get_field(name)
    if value is None or column.is_relation:
        return value
    return column.to_python(value)
