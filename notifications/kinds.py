"""The mails there are (domain, section 4): what each is for, who gets it, and which texts it has."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    """What a mail is about; each has its own switch."""

    ORDER_CONFIRMATION = "order_confirmation", _("Order confirmation")
    STATUS_CHANGED = "status_changed", _("Status changed")
    SHIPPED = "shipped", _("Shipped")
    READY_FOR_PICKUP = "ready_for_pickup", _("Ready for pickup")
    DELIVERED = "delivered", _("Delivered")
    DOWNLOADS = "downloads", _("Downloads")
    REFUND_RECORDED = "refund_recorded", _("Refund recorded")
    INVOICE = "invoice", _("Invoice or credit note")
    QUOTE = "quote", _("Quote")
    ABANDONED_CART = "abandoned_cart", _("Unfinished cart")
    NEW_ORDER = "new_order", _("New order")
    LOW_STOCK = "low_stock", _("Low stock")
    MENTION = "mention", _("Named in a note")
    INVITATION = "invitation", _("Invitation")
    FORGOTTEN = "forgotten", _("Forgotten password")


class Text(models.TextChoices):
    """A text of a mail; some kinds choose between several."""

    ORDER_CONFIRMATION = "order_confirmation", _("Order confirmation")
    ORDER_AWAITING_PAYMENT = "order_awaiting_payment", _("Order confirmation, awaiting payment")
    STATUS_CHANGED = "status_changed", _("Status changed")
    ORDER_CANCELLED = "order_cancelled", _("Order cancelled, nothing was paid")
    ORDER_CANCELLED_PAID = "order_cancelled_paid", _("Order cancelled, money was paid")
    SHIPPED = "shipped", _("Shipped")
    TRACKING_CHANGED = "tracking_changed", _("Tracking number changed")
    READY_FOR_PICKUP = "ready_for_pickup", _("Ready for pickup")
    DELIVERED = "delivered", _("Delivered")
    DOWNLOADS = "downloads", _("Downloads")
    REFUND_RECORDED = "refund_recorded", _("Refund recorded")
    INVOICE = "invoice", _("Invoice or credit note")
    QUOTE = "quote", _("Quote")
    ABANDONED_CART = "abandoned_cart", _("Unfinished cart")
    NEW_ORDER = "new_order", _("New order (staff)")
    LOW_STOCK = "low_stock", _("Low stock (staff)")
    MENTION = "mention", _("Named in a note (staff)")
    INVITATION = "invitation", _("Invitation (staff)")
    FORGOTTEN = "forgotten", _("Forgotten password (staff)")


STAFF_KINDS = frozenset({Kind.NEW_ORDER, Kind.LOW_STOCK, Kind.MENTION, Kind.INVITATION, Kind.FORGOTTEN})
# They hold a link that chooses a password: always on, never sent to another address, read only by who manages the person.
ACCOUNT_KINDS = frozenset({Kind.INVITATION, Kind.FORGOTTEN})
# Mails that tell where an order stands; at most one of them per event, and a held one is replaced by the next.
STATUS_KINDS = frozenset({Kind.STATUS_CHANGED, Kind.SHIPPED, Kind.READY_FOR_PICKUP, Kind.DELIVERED})

KIND_OF_TEXT = {
    Text.ORDER_AWAITING_PAYMENT: Kind.ORDER_CONFIRMATION,
    Text.ORDER_CANCELLED: Kind.STATUS_CHANGED,
    Text.ORDER_CANCELLED_PAID: Kind.STATUS_CHANGED,
    Text.TRACKING_CHANGED: Kind.SHIPPED,
} | {Text(kind.value): kind for kind in Kind}

# What a text must never lose when staff edit it (documents/email, "What a shop may change").
REQUIRED = {
    Text.ORDER_AWAITING_PAYMENT: ("bank.facts",),
    Text.STATUS_CHANGED: ("order.status_change",),
    Text.SHIPPED: ("shipment.facts",),
    Text.TRACKING_CHANGED: ("shipment.facts",),
    Text.READY_FOR_PICKUP: ("pickup.facts",),
    Text.DOWNLOADS: ("order.files",),
    Text.REFUND_RECORDED: ("refund.amount",),
    Text.QUOTE: ("quote.total",),
    Text.ABANDONED_CART: ("cart.lines_table",),
    Text.INVITATION: ("account.url",),
    Text.FORGOTTEN: ("account.url",),
}
