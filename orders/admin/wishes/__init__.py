"""What a clerk fills in before a change of one order: each form knows its fields and the wish they add up to."""

from orders.admin.wishes.base import Subject, Ticks, WishForm
from orders.admin.wishes.contact import ContactForm
from orders.admin.wishes.editing import DetailsForm, HoldForm
from orders.admin.wishes.ending import CancelForm, DeleteForm, RestoreForm
from orders.admin.wishes.goods import ReturnForm, ShipmentForm, TrackingForm
from orders.admin.wishes.money import PaymentForm, RefundForm, TakeBackPaymentForm
from orders.admin.wishes.packing import PackForm
from orders.admin.wishes.returns import (
    ApproveReturnForm,
    AskReturnForm,
    CloseReturnForm,
    InspectReturnForm,
    ReceiveReturnForm,
    RefuseReturnForm,
)
from orders.admin.wishes.status import StatusForm
from orders.models import Order, Shop, Status
from orders.services.plan import Actor

__all__ = ["FORMS", "OF_A_PART", "Subject", "Ticks", "WishForm", "subject_of"]

FORMS: dict[str, type[WishForm]] = {
    "status": StatusForm,
    "payment": PaymentForm,
    "unpay": TakeBackPaymentForm,
    "refund": RefundForm,
    "shipment": ShipmentForm,
    "tracking": TrackingForm,
    "pack": PackForm,
    "return": ReturnForm,
    "cancel": CancelForm,
    "remove": DeleteForm,
    "restore": RestoreForm,
    "ask_return": AskReturnForm,
    "approve_return": ApproveReturnForm,
    "refuse_return": RefuseReturnForm,
    "receive_return": ReceiveReturnForm,
    "inspect_return": InspectReturnForm,
    "close_return": CloseReturnForm,
    "hold": HoldForm,
    "details": DetailsForm,
    "contact": ContactForm,
}

# Changes of one part of an order: the address names the payment, the parcel or the return.
OF_A_PART = frozenset({"approve_return", "refuse_return", "receive_return", "inspect_return", "close_return", "tracking", "unpay"})


def subject_of(order: Order, actor: Actor, *, part: int = 0) -> Subject:
    """The order with what its forms read."""
    lines = list(order.lines.filter(is_removed=False).select_related("variant").order_by("position", "id"))
    shop = Shop.current()
    offered = Status.objects.offered(local_delivery=shop.local_delivery) | Status.objects.filter(
        pk__in=[order.payment_status_id, order.fulfilment_status_id]
    )
    return Subject(order, lines, actor, part, {(s.axis, s.code): s for s in offered})
