"""The pages of orders in the back office."""

from orders.admin import customers, drafts, orders, products, shop, statuses, stock, tokens

__all__ = ["customers", "drafts", "orders", "products", "shop", "statuses", "stock", "tokens"]
