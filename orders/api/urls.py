"""Addresses of the API; the paths are Ecwid's."""

from django.urls import path

from orders.api.views import OneOrder, Orders

app_name = "api"
urlpatterns = [
    path("v3/<str:store>/orders", Orders.as_view(), name="orders"),
    path("v3/<str:store>/orders/<str:number>", OneOrder.as_view(), name="order"),
]
