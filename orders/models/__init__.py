"""Everything the orders app stores."""

from orders.models.bulk import BulkItem, BulkJob
from orders.models.customer import Customer
from orders.models.event import Note, NoteFile, NoteMention, OrderEvent
from orders.models.intake import AnsweredRequest, ApiToken, Draft, DraftReservation, RawDocument
from orders.models.order import (
    ExternalDocument,
    Order,
    OrderAddress,
    OrderDiscount,
    OrderLine,
    OrderSurcharge,
    Tag,
)
from orders.models.packing import Packing
from orders.models.payment import Payment, Refund, RefundLine
from orders.models.product import DigitalFile, Product, Variant
from orders.models.proposal import OrderProposal
from orders.models.returns import ReturnCase, ReturnCaseLine
from orders.models.shipment import Shipment, ShipmentLine
from orders.models.staff import Role, SavedView, StaffProfile
from orders.models.status import Status, StatusAlias
from orders.models.stock import LineDecision, StockMovement
from orders.models.store import (
    Carrier,
    NumberCounter,
    PaymentMethod,
    ShippingMethod,
    Shop,
    TaxClass,
    TaxRate,
)

__all__ = [
    "AnsweredRequest",
    "ApiToken",
    "BulkItem",
    "BulkJob",
    "Carrier",
    "Customer",
    "DigitalFile",
    "Draft",
    "DraftReservation",
    "ExternalDocument",
    "LineDecision",
    "Note",
    "NoteFile",
    "NoteMention",
    "NumberCounter",
    "Order",
    "OrderAddress",
    "OrderDiscount",
    "OrderEvent",
    "OrderLine",
    "OrderProposal",
    "OrderSurcharge",
    "Packing",
    "Payment",
    "PaymentMethod",
    "Product",
    "RawDocument",
    "Refund",
    "RefundLine",
    "ReturnCase",
    "ReturnCaseLine",
    "Role",
    "SavedView",
    "Shipment",
    "ShipmentLine",
    "ShippingMethod",
    "Shop",
    "StaffProfile",
    "Status",
    "StatusAlias",
    "StockMovement",
    "Tag",
    "TaxClass",
    "TaxRate",
    "Variant",
]
