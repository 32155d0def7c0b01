"""Addresses of mails: previews, send now, undo, and what customers open from a mail."""

app_name = "mail"
urlpatterns: list = []
