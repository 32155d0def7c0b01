"""Thirty things that happen in a shop after an order is placed; the table in docs/situations.md names them."""
