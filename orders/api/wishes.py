"""Turns Ecwid's create body into the wish to place an order, and keeps its answer for a request that comes twice."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from orders.api.parsing import split_problems
from orders.api.refusals import WrongFields
from orders.choices import Axis
from orders.drafts import OrderDraft, StoredTotals
from orders.importers.ecwid.document import EcwidDocument
from orders.importers.ecwid.parsing import InvalidDocument, parse_document
from orders.importers.ecwid.rows import draft_of, order_values
from orders.importers.ecwid.statuses import StatusTable, UnknownStatus
from orders.models import AnsweredRequest, ApiToken, Order, Shop
from orders.services.change import PlannedChange
from orders.services.intake import PlaceWish


@dataclass(kw_only=True)
class ApiWish(PlaceWish):
    """Place an order and keep its answer under the request's key, in one transaction: a second request with this key, however
    close, ends in IntegrityError and changes nothing."""

    token: ApiToken | None = None
    key: str = ""
    body_hash: str = ""

    def saved(self, changes: Sequence[PlannedChange]) -> None:
        if self.token is None:
            return
        order = changes[0].order
        AnsweredRequest.objects.create(
            token=self.token, key=self.key, body_hash=self.body_hash, status_code=200, answer=answer_for(order), order=order
        )


def answer_for(order: Order) -> dict[str, Any]:
    return {"id": order.pk, "orderid": order.number}


def draft_from_body(body: Any) -> OrderDraft:
    """The draft that a body describes. Raises WrongFields naming every wrong field."""
    try:
        document = parse_document(body, is_wish=True)
    except InvalidDocument as error:
        raise WrongFields(split_problems(error.problems)) from None
    if document.is_cart:
        raise WrongFields([("paymentStatus", _("an unfinished cart is not an order"))])
    draft = draft_of(document, order_values(document))
    return replace(
        draft,
        external_id=document.external_id,
        placed_at=document.values.get("placed_at"),
        transaction_id=document.values.get("transaction_id", ""),
        payment_status=_code(Axis.PAYMENT, document.payment_code),
        fulfilment_status=_code(Axis.FULFILMENT, document.fulfilment_code),
        totals=_kept_totals(document, draft),
    )


def _code(axis: Axis, code: str) -> str:
    if not code:
        return ""
    try:
        return StatusTable().find(axis, code).code
    except UnknownStatus as error:
        raise WrongFields(split_problems([str(error)])) from None


def _kept_totals(document: EcwidDocument, draft: OrderDraft) -> StoredTotals | None:
    """Totals to keep as the shop stated them: all that working them out again would change.

    Where prices include tax and the parts add up, the service finds the same total and the VAT inside it, which a body need not name.
    """
    stated = draft.totals
    included = Shop.current().prices_include_tax if draft.prices_include_tax is None else draft.prices_include_tax
    if stated is None or any(row.price is None for row in draft.lines):
        return None
    if not included:
        return stated
    subtotal = sum((row.price * row.quantity for row in draft.lines if row.price is not None), Decimal(0))
    added = subtotal + (draft.shipping_cost or Decimal(0)) + draft.handling_fee + sum((row.amount for row in draft.surcharges), Decimal(0))
    total = added - stated.discount - stated.coupon_discount - draft.gift_card_amount
    return None if (subtotal, total) == (stated.subtotal, stated.total) else stated
