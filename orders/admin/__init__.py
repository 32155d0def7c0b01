"""The pages of orders in the back office."""

from orders.admin import orders

__all__ = ["orders"]
