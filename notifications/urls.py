"""Addresses of mails: bodies, the buttons of undo bar and outbox, and what customers open from a mail."""

from django.urls import path

from notifications import quote_views, views

app_name = "mail"
urlpatterns = [
    path("<int:mail_id>/body/", views.body, name="body"),
    path("<int:mail_id>/send-again/", views.resend, name="resend"),
    path("<int:mail_id>/stop/", views.cancel, name="cancel"),
    path("<int:mail_id>/release/", views.release, name="release"),
    path("pause/", views.pause, name="pause"),
    path("send-now/<int:event_id>/", views.send_now, name="send_now"),
    path("undo/<int:event_id>/", views.undo, name="undo"),
    path("quotes/<uuid:public_id>/", quote_views.quote, name="quote"),
    path("file/<str:token>/", views.file, name="file"),
    path("no-reminders/<str:token>/", views.stop_reminders_view, name="stop_reminders"),
]
