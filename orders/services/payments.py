"""Money received and given back: recorded, never moved (domain, section 3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Sum
from django.utils.translation import gettext as _

from orders.choices import Axis
from orders.errors import InvalidWish
from orders.models import LineDecision, Order, OrderEvent, OrderLine, Payment, Refund, RefundLine, ReturnCase
from orders.money import format_money, round_money
from orders.services.limits import check_refund
from orders.services.plan import OneOrderWish, PlannedChange, PlannedDecision, World
from orders.services.returns import closing
from orders.services.status import carry_consequences
from orders.services.stock import Pieces

MOST_MONEY = Decimal("999999999")


@dataclass(kw_only=True)
class PaymentWish(OneOrderWish):
    """Record that `amount` (the order's currency) was received. With `set_paid` an order that is paid up becomes Paid."""

    amount: Decimal
    method: str = ""
    reference: str = ""
    received_at: datetime | None = None
    set_paid: bool = True

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """Raises StaleOrder, NotAllowed without orders.record_payment, InvalidWish for an amount that is not above zero."""
        self.check_version(order)
        self.require("orders.record_payment", _("You may not record payments."))
        amount = valid_amount(self.amount, order)
        change = world.change_of(order, OrderEvent.Kind.PAYMENT)
        change.personal_word = self.personal_word
        change.payments.append(
            Payment(
                amount=amount,
                method=self.method or order.payment_method,
                reference=self.reference,
                received_at=self.received_at or world.now,
            )
        )
        unpaid = not change.payment.counts_as_paid and not change.payment.releases
        if self.set_paid and unpaid and change.balance_after <= 0:
            change.payment = world.status(Axis.PAYMENT, "PAID")
            carry_consequences(change, world, record=False)
        return change


@dataclass(kw_only=True)
class TakeBackPaymentWish(OneOrderWish):
    """A payment was recorded that never came: a row of the opposite amount takes it back. Nothing is deleted or given back.

    With `set_unpaid` an order that is no longer paid up awaits payment again.
    """

    payment_id: int
    reason: str
    set_unpaid: bool = True

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """Raises StaleOrder, NotAllowed without orders.record_payment, InvalidWish without a reason, for a payment of another order
        and for one whose money was given back."""
        self.require("orders.record_payment", _("You may not record payments."))
        change = world.change_of(order, OrderEvent.Kind.PAYMENT)
        payment = Payment.objects.filter(order=order, pk=self.payment_id, amount__gt=0).select_related("reversed_by").first()
        if payment is None:
            raise InvalidWish(_("This payment is not on the order."))
        if not payment.can_be_taken_back:
            return change  # taken back already: a double click costs nothing
        self.check_version(order)
        change.reason, change.personal_word = self.reason.strip()[:400], self.personal_word
        if not change.reason:
            raise InvalidWish(_("Say why the payment is taken back."), field="reason")
        if payment.amount > order.refundable:
            left = format_money(order.refundable, order.currency)
            raise InvalidWish(_("Only %(left)s of the money is still here: the rest was given back.") % {"left": left})
        change.payments.append(
            Payment(amount=-payment.amount, method=payment.method, reference=payment.reference, received_at=world.now, reverses=payment)
        )
        if self.set_unpaid and change.payment.counts_as_paid and change.balance_after > 0:
            change.payment = world.status(Axis.PAYMENT, "AWAITING_PAYMENT")
            carry_consequences(change, world, record=False)
        return change


@dataclass(frozen=True)
class RefundPiece:
    """Refunded pieces of a line; of these `shelf` go back on the shelf, `lost` are gone, the rest stays with the customer."""

    line_id: int
    quantity: int
    shelf: int = 0
    lost: int = 0
    amount: Decimal | None = None  # None: the line's share, discounts included


@dataclass(kw_only=True)
class RefundWish(OneOrderWish):
    """Record money given back: for pieces, shipping, or an amount. The same `client_key` again changes nothing."""

    pieces: Sequence[RefundPiece] = ()
    shipping: Decimal = Decimal(0)
    amount: Decimal | None = None  # None: pieces plus shipping
    reason: str = ""
    method: str = ""
    reference: str = ""
    client_key: str = ""
    set_status: bool = True
    is_exchange: bool = False  # nothing is given back: the order is worth that much less, and what replaces it is added to it
    return_id: int = 0  # the inspected return that the money is given for: it ends with it

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """Raises StaleOrder, NotAllowed without orders.refund_order or above one's limit, InvalidWish naming the field; never above
        what was paid."""
        self.require("orders.refund_order", _("You may not record refunds."))
        change = world.change_of(order, OrderEvent.Kind.REFUND)
        if self.client_key and Refund.objects.filter(order=order, client_key=self.client_key).exists():
            return change
        self.check_version(order)
        change.reason, change.personal_word = self.reason, self.personal_word
        self.add_to(change, world)
        if self.is_exchange:
            return change
        everything = change.refunded_after >= change.paid_after
        too_much = not change.refunds[-1][0].credited and not (everything and order.total)  # the order is worth what it was
        # A cancelled order stays so while part of its money is still here: "Partially refunded" would take its pieces again.
        if self.set_status and not too_much and (everything or not change.payment.releases):
            change.payment = world.status(Axis.PAYMENT, "REFUNDED" if everything else "PARTIALLY_REFUNDED")
            carry_consequences(change, world, record=False)
        return change

    def add_to(self, change: PlannedChange, world: World) -> None:
        """Add the refund to `change`, with the pieces that it decides about and the return that it ends. Raises as `plan_order` does."""
        self.require("orders.refund_order", _("You may not record refunds."))
        order = change.order
        rows = self._refund_lines(change)
        amount = self._amount(order, rows)
        check_refund(self.actor, amount, order.currency)
        overpaid = max(Decimal(0), -change.balance_after)
        credited = amount if rows or self.shipping else max(Decimal(0), amount - overpaid)
        refund = Refund(
            amount=Decimal(0) if self.is_exchange else amount,
            credited=min(credited, order.total - order.credited_total) if credited > 0 else Decimal(0),
            shipping=self.shipping,
            method=self.method or order.payment_method,
            reference=self.reference,
            reason=self.reason,
            client_key=self.client_key,
            refunded_at=world.now,
        )
        change.refunds.append((refund, rows))
        if self.return_id:
            ending = ReturnCase.Ending.EXCHANGE if self.is_exchange else ReturnCase.Ending.REFUND
            change.returns.append(closing(order, self.return_id, ending.value))

    def _amount(self, order: Order, rows: list[RefundLine]) -> Decimal:
        amount = self.amount
        if amount is None:
            amount = sum((row.amount for row in rows), Decimal(0)) + self.shipping
        amount = valid_amount(amount, order)
        left = order.shipping_cost - refunded_shipping(order)
        if not self.shipping.is_finite() or not 0 <= self.shipping <= max(left, Decimal(0)):
            raise InvalidWish(
                _("Of the shipping, %(left)s can be refunded.") % {"left": format_money(left, order.currency)}, field="shipping"
            )
        if self.is_exchange and amount > order.total - order.credited_total:
            left = format_money(order.total - order.credited_total, order.currency)
            raise InvalidWish(_("Only %(left)s of the order is left to exchange.") % {"left": left}, field="amount")
        if not self.is_exchange and amount > order.refundable:
            raise InvalidWish(
                _("Only %(left)s can still be refunded.") % {"left": format_money(order.refundable, order.currency)}, field="amount"
            )
        return amount

    def _refund_lines(self, change: PlannedChange) -> list[RefundLine]:
        by_pk = {line.pk: line for line in change.lines}
        refunded = refunded_pieces(change.order.pk) if self.pieces else {}
        rows = []
        for piece in self.pieces:
            line = by_pk.get(piece.line_id)
            name = f"line-{piece.line_id}"
            if line is None:
                raise InvalidWish(_("This item is not on the order."), field=name)
            # In an exchange the edit may move the quantity, too: what it takes off can't come back as well, what it adds is not sold yet.
            left = min(line.quantity, Pieces.of(line, change).quantity) - refunded.get(line.pk, 0)
            if not 0 < piece.quantity <= left:
                raise InvalidWish(_("%(name)s: %(left)d pieces can still be refunded.") % {"name": line.name, "left": left}, field=name)
            pieces = Pieces.of(line, change)
            decided = piece.shelf + piece.lost
            if min(piece.shelf, piece.lost) < 0 or decided > min(piece.quantity, pieces.open):
                raise InvalidWish(_("%(name)s: more pieces decided than refunded.") % {"name": line.name}, field=name)
            if decided:
                gone_first = change.fulfilment.goods_left
                back = min(decided, pieces.shipped_open) if gone_first else max(0, decided - pieces.unshipped)
                change.decisions.append(
                    PlannedDecision(line, shelf=piece.shelf, lost=piece.lost, back=back, source=LineDecision.Source.REFUND)
                )
            share = share_of_pieces(change.order, line, refunded.get(line.pk, 0), piece.quantity)
            amount = share if piece.amount is None else piece.amount
            if not amount.is_finite() or not 0 <= amount <= share:
                raise InvalidWish(
                    _("%(name)s: at most %(most)s.") % {"name": line.name, "most": format_money(share, change.order.currency)}, field=name
                )
            rows.append(RefundLine(line=line, quantity=piece.quantity, amount=amount))
        return rows


def valid_amount(amount: Decimal, order: Order, *, field: str = "amount") -> Decimal:
    """`amount` rounded to the order's currency. Raises InvalidWish where it is no number above zero."""
    if not amount.is_finite() or not 0 < amount <= MOST_MONEY:
        raise InvalidWish(_("Enter an amount above zero."), field=field)
    return round_money(amount, order.currency)


def refunded_shipping(order: Order) -> Decimal:
    """Shipping given back so far, undone refunds left out."""
    rows = Refund.objects.filter(order=order, reverses=None, reversed_by=None)
    return rows.aggregate(shipping=Sum("shipping"))["shipping"] or Decimal(0)


def refunded_pieces(order_id: int) -> dict[int, int]:
    """Pieces refunded so far per line id, undone refunds left out."""
    rows = (
        RefundLine.objects.filter(refund__order=order_id, refund__reverses=None, refund__reversed_by=None)
        .values_list("line_id")
        .annotate(pieces=Sum("quantity"))
    )
    return dict(rows)


def share_of_pieces(order: Order, line: OrderLine, before: int, quantity: int) -> Decimal:
    """What `quantity` pieces of a line cost the customer, discounts shared and tax included; `before` pieces were refunded already.

    Cumulative, so that refunding piece by piece gives back exactly the line's total.
    """
    whole = line.amount - line.line_discount - line.discount_share - line.coupon_share
    if not order.prices_include_tax and not line.price_includes_tax:
        whole += line.tax

    def upto(count: int) -> Decimal:
        return round_money(whole * count / line.quantity, order.currency)

    return upto(before + quantity) - upto(before)
