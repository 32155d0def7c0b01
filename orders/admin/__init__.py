"""The pages of orders in the back office."""

from orders.admin import carriers, customers, drafts, orders, products, shop, statuses, stock, tokens

__all__ = ["carriers", "customers", "drafts", "orders", "products", "shop", "statuses", "stock", "tokens"]
