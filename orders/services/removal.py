"""Deleting an order and bringing it back: it leaves the lists, gives its pieces back, and stays in the history (domain, section 6)."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from orders.errors import InvalidWish, StaleOrder
from orders.models import LineDecision, Order, OrderEvent
from orders.services.plan import OneOrderWish, PlannedChange, World
from orders.services.status import reverse_decisions
from orders.services.stock import decide_release

DELETE = "orders.delete_order"


@dataclass(kw_only=True)
class DeleteWish(OneOrderWish):
    """Delete an order, with a reason. `lost_lines`: lines whose pieces had left and do not go back on the shelf.

    An order with an invoice is refused by the app that knows of invoices.
    """

    reason: str
    lost_lines: frozenset[int] = frozenset()

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """Raises NotAllowed without orders.delete_order, StaleOrder, InvalidWish without a reason."""
        self.require(DELETE, _("You may not delete orders."))
        change = world.change_of(order, OrderEvent.Kind.DELETED)
        if order.deleted_at is not None:
            return change  # deleted already: a double click costs nothing
        self.check_version(order)
        reason = self.reason.strip()[:400]
        if not reason:
            raise InvalidWish(_("Say why the order is deleted."), field="reason")
        change.reason = reason
        if not change.payment.releases:
            decide_release(change, self.lost_lines)
        change.fields["deleted_at"] = (None, world.now)
        change.fields["deleted_reason"] = (order.deleted_reason, reason)
        return change


@dataclass(kw_only=True)
class RestoreWish(OneOrderWish):
    """Bring a deleted order back as it was: its statuses ask for their pieces again, by the rule against overselling.

    Mails and documents that the deletion stopped wait again.
    """

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """Raises NotAllowed without orders.delete_order, StaleOrder where the order changed since the actor looked."""
        self.require(DELETE, _("You may not restore orders."))
        change = world.change_of(order, OrderEvent.Kind.RESTORED)
        if order.deleted_at is None:
            return change
        if self.versions.get(order.pk, order.version) != order.version:
            raise StaleOrder(_("This order changed meanwhile. Nothing was saved; look at it again."))
        change.personal_word = self.personal_word
        deletion = deletion_of(order)
        if deletion is not None:
            change.undoes = deletion
            reverse_decisions(change, LineDecision.objects.filter(event=deletion, reversed_by=None).order_by("id"))
        change.fields["deleted_at"] = (order.deleted_at, None)
        change.fields["deleted_reason"] = (order.deleted_reason, "")
        return change


def deletion_of(order: Order) -> OrderEvent | None:
    """The event that deleted the order last: who did it, when, why."""
    return OrderEvent.objects.filter(order=order, kind=OrderEvent.Kind.DELETED).order_by("-id").first()
