"""Addresses of documents."""

from django.urls import path

from invoices import views

app_name = "documents"
urlpatterns = [
    path("orders/<int:order_id>/sheet.pdf", views.order_sheet_view, name="order_sheet"),
    path("orders/<int:order_id>/packing-slip.pdf", views.packing_slip_view, name="packing_slip"),
    path("orders/<int:order_id>/parcels/<int:shipment_id>/packing-slip.pdf", views.packing_slip_view, name="parcel_slip"),
    path("orders/<int:order_id>/invoice/", views.issue_view, name="issue"),
    path("invoices/<uuid:public_id>.pdf", views.invoice_view, name="invoice"),
    path("invoices/<uuid:public_id>/credit/", views.credit_view, name="credit"),
    path("invoices/<uuid:public_id>/file/", views.make_file_view, name="make_file"),
    path("quotes/<uuid:public_id>.pdf", views.quote_view, name="quote"),
    path("quotes/kept/<uuid:public_id>.pdf", views.kept_quote_view, name="kept_quote"),
    path("pending/<int:pending_id>/issue/", views.release_view, name="release"),
    path("yours/<str:token>/", views.customer_invoice_view, name="customer_invoice"),
]
