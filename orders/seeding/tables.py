"""The tables that a large demo shop fills, each with the columns that it names."""

from orders.models import (
    LineDecision,
    Note,
    Order,
    OrderAddress,
    OrderEvent,
    OrderLine,
    Payment,
    Refund,
    RefundLine,
    Shipment,
    ShipmentLine,
    StockMovement,
)
from orders.seeding.loading import Loader, check_now


class Tables:
    """A loader per table; rows are kept until `write` stores them, those that are named before those that name them."""

    def __init__(self) -> None:
        names = (
            "public_id number source external_id placed_at updated_at version is_test payment_status_id fulfilment_status_id customer_id"
            " customer_name email phone language currency subtotal shipping_cost tax total paid_total refunded_total credited_total"
            " shipping_vat_category shipping_vat_rate payment_method transaction_id shipping_method shipping_carrier delivery_kind"
            " customer_comment is_held hold_reason search"
        )
        self.orders = Loader(Order, names.split())
        names = "order_id kind name street city postcode country phone"
        self.addresses = Loader(OrderAddress, names.split())
        names = (
            "order_id position variant_id sku name quantity price vat_category vat_rate vat_country tax committed consumed pieces_shelf"
            " pieces_back pieces_shipped"
        )
        self.lines = Loader(OrderLine, names.split())
        self.events = Loader(OrderEvent, ["order_id", "kind", "at", "actor_name", "source", "changes", "batch"])
        self.payments = Loader(Payment, ["order_id", "event_id", "amount", "method", "reference", "received_at"])
        self.shipments = Loader(Shipment, ["order_id", "event_id", "carrier", "tracking_number", "shipped_at"])
        self.shipped = Loader(ShipmentLine, ["shipment_id", "line_id", "quantity"])
        self.decisions = Loader(LineDecision, ["line_id", "event_id", "source", "shelf", "back"])
        self.refunds = Loader(Refund, ["order_id", "event_id", "amount", "credited", "shipping", "method", "refunded_at"])
        self.refunded = Loader(RefundLine, ["refund_id", "line_id", "quantity", "amount"])
        self.notes = Loader(Note, ["order_id", "event_id", "author_name", "text", "at"])
        self.tagged = Loader(Order.tags.through, ["order_id", "tag_id"])
        names = "variant_id kind delta_on_hand delta_committed on_hand_after committed_after line_id order_id event_id actor_name reason at"
        self.movements = Loader(StockMovement, names.split())
        # In the order in which one row names another.
        self.loaders = [
            self.orders,
            self.addresses,
            self.lines,
            self.events,
            self.payments,
            self.shipments,
            self.shipped,
            self.decisions,
            self.refunds,
            self.refunded,
            self.notes,
            self.tagged,
            self.movements,
        ]

    def write(self) -> None:
        for loader in self.loaders:
            loader.write()
        check_now()
