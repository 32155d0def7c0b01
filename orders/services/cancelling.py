"""Cancelling an order as one change: statuses, pieces, money, documents and mail together (domain, section 3)."""

from dataclasses import dataclass
from decimal import Decimal

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from orders.errors import InvalidWish
from orders.models import Order, Refund
from orders.services.limits import check_refund
from orders.services.plan import PlannedChange, World
from orders.services.status import StatusWish


class CancelReason(models.TextChoices):
    """Why orders are cancelled, for reports; a text of one's own may stand beside it."""

    CUSTOMER = "customer", pgettext_lazy("reason of a cancellation", "The customer asked for it")
    NO_STOCK = "no_stock", pgettext_lazy("reason of a cancellation", "Out of stock")
    FRAUD = "fraud", pgettext_lazy("reason of a cancellation", "Suspicion of fraud")
    UNPAID = "unpaid", pgettext_lazy("reason of a cancellation", "Never paid")
    OTHER = "other", pgettext_lazy("reason of a cancellation", "Another reason")


@dataclass(kw_only=True)
class CancelWish(StatusWish):
    """Cancel one order: Cancelled, with Will not deliver where nothing has left, in one event, so one mail.

    `refund` records what is still here as given back; without it the money stays and the order counts as a refund due.
    The reason is for staff: neither the refund nor a document takes it over.
    """

    why: str = CancelReason.OTHER
    refund: bool = False
    stops_delivery: bool = True

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """Raises what StatusWish raises, InvalidWish for an order that is cancelled already or another reason without words."""
        if order.payment_status.releases:
            self.check_version(order)
            raise InvalidWish(_("The order is %(status)s already.") % {"status": order.payment_status})
        if self.why == CancelReason.OTHER and not self.reason.strip():
            raise InvalidWish(_("Say why the order is cancelled."), field="reason")
        self.payment, self.record = "CANCELLED", False
        self.fulfilment = "WILL_NOT_DELIVER" if self.stops_delivery and nothing_left(order, world) else ""
        change = super().plan_order(order, world)
        change.facts["cancelled"] = self.why
        change.reason = self._words()
        rest = change.paid_after - change.refunded_after
        if self.refund and rest > 0:
            self._give_back(change, world, rest)
        return change

    def _give_back(self, change: PlannedChange, world: World, rest: Decimal) -> None:
        self.require("orders.refund_order", _("You may not record refunds."))
        order = change.order
        check_refund(self.actor, rest, order.currency)
        refund = Refund(
            amount=rest,
            credited=max(Decimal(0), min(rest, order.total - order.credited_total)),
            method=self.method or order.payment_method,
            reference=self.reference,
            refunded_at=world.now,
        )
        change.refunds.append((refund, []))

    def _words(self) -> str:
        label = "" if self.why == CancelReason.OTHER else str(CancelReason(self.why).label)
        return ". ".join(part for part in (label, self.reason.strip()) if part)[:400]


def nothing_left(order: Order, world: World) -> bool:
    """Whether no piece of the order has left the shop: then it will not be delivered at all."""
    return not order.fulfilment_status.goods_left and not any(line.pieces_shipped for line in world.lines.get(order.pk, []))
