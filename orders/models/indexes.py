"""The indexes of the table of orders: one for each way that the list, Home and the search box ask, with what they ask about."""

from django.db import models
from django.db.models.functions import Length

from orders.models.balance import balance_sign, status_with_money

ORDER_INDEXES: list[models.Index] = [
    # The views of the list. The columns after the id are those that their counts ask about: told from the index alone.
    models.Index(fields=["payment_status", "-placed_at", "-id", "deleted_at"], name="order_by_payment"),
    models.Index(fields=["fulfilment_status", "-placed_at", "-id", "deleted_at"], name="order_by_fulfilment"),
    models.Index(
        fields=["fulfilment_status", "payment_status", "-placed_at", "-id", "deleted_at", "is_held", "delivery_kind"],
        name="order_by_both_statuses",
    ),
    # Newest first, with what the sales of the last thirty days are summed from.
    models.Index(
        fields=["-placed_at", "-id", "deleted_at", "currency", "payment_status", "total", "credited_total"],
        name="order_newest_first",
    ),
    models.Index(fields=["customer", "-placed_at"], name="order_by_customer"),
    models.Index(fields=["number"], name="order_by_number"),
    models.Index(fields=["email"], name="order_by_email"),
    # The other sorts of the list, each with the id that makes it whole.
    models.Index(fields=["total", "id"], name="order_by_total"),
    models.Index(fields=["customer_name", "id"], name="order_by_name"),
    models.Index(fields=["updated_at", "id"], name="order_by_change"),
    models.Index(Length("number"), "number", "id", name="order_by_number_length"),
    # Filters of the list, newest first; those that few orders answer hold these few only.
    models.Index(fields=["payment_method", "-placed_at", "-id"], name="order_by_payment_method"),
    models.Index(fields=["shipping_method", "-placed_at", "-id"], name="order_by_shipping_method"),
    models.Index(fields=["delivery_kind", "-placed_at", "-id"], name="order_by_delivery"),
    models.Index(fields=["source", "-placed_at", "-id"], name="order_by_source"),
    models.Index(fields=["assignee", "-placed_at"], name="order_by_assignee", condition=models.Q(assignee__isnull=False)),
    models.Index(fields=["-placed_at", "-id", "deleted_at", "is_held"], name="order_held", condition=models.Q(is_held=True)),
    models.Index(fields=["-placed_at", "-id", "deleted_at", "is_oversold"], name="order_oversold", condition=models.Q(is_oversold=True)),
    models.Index(fields=["follow_up_on"], name="order_follow_up", condition=models.Q(follow_up_on__isnull=False)),
    models.Index(fields=["pickup_at"], name="order_pickup", condition=models.Q(pickup_at__isnull=False)),
    models.Index(fields=["coupon_code", "-placed_at"], name="order_by_coupon"),
    # Cancelled orders that keep money, told from the index alone: the refunds that are due.
    models.Index(status_with_money(), models.F("placed_at").desc(), models.F("id").desc(), name="order_money_kept"),
    models.Index(balance_sign(), models.F("placed_at").desc(), models.F("id").desc(), name="order_by_balance"),
    models.Index(fields=["deleted_at", "-placed_at", "-id"], name="order_deleted", condition=models.Q(deleted_at__isnull=False)),
]
