"""The pages of orders in the back office."""

from orders.admin import customers, drafts, orders

__all__ = ["customers", "drafts", "orders"]
