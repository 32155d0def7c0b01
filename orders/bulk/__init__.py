"""Bulk actions: what many orders are asked at once, worked on by a task, with a receipt that says what became of each."""
