"""Every page of the back office opens with a bounded number of queries, however many rows there are."""

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse

from invoices.services import issue_invoice
from orders.models import Draft
from tests.invoices.makers import make_seller
from tests.makers import ROBOT, make_clerk, make_draft, make_order, make_shop, make_variant, set_status

pytestmark = pytest.mark.django_db
BUDGET = 36  # the frame with session and user costs about 9, a page behind a redirect pays session and user twice


@pytest.fixture
def owner(client):
    make_shop()
    make_seller()
    make_variant("MUG", on_hand=100, low_stock_limit=99)
    for _number in range(3):
        fill()
    client.force_login(make_clerk(superuser=True))
    return client


def fill():
    order = make_order("PAID", items={"MUG": 2, "POT": 1}, tags=("Gift",), staff_note="Handle with care")
    set_status(order, fulfilment="SHIPPED", tracking_number=f"6A{order.pk}")
    issue_invoice(order.pk, actor=ROBOT)
    Draft.objects.create(body=make_draft().as_json(), created_at="2026-11-01T10:00Z", customer_name="Paul Castel")
    quote = {"kind": "quote", "expires_at": "2126-11-01T10:00Z", "email": "paul@example.com"}
    Draft.objects.create(body=make_draft().as_json(), created_at="2026-11-01T10:00Z", customer_name="Paul Castel", **quote)


def pages():
    """Every list and the page of the newest row, of every registered model."""
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        row = model._default_manager.order_by("-pk").first()
        for address in (f"{name}_changelist", f"{name}_change"):
            try:
                yield reverse(address, args=[row.pk] if address.endswith("_change") and row else [])
            except NoReverseMatch:
                continue
    for name in (
        "index",
        "all_data",
        "search",
        "orders_order_add",
        "orders_import",
        "orders_order_bulk_jobs",
        "orders_order_packing",
        "orders_variant_ledger",
        "orders_order_tracking_file",
        "password_change",
    ):
        yield reverse(f"admin:{name}")
    quote = Draft.objects.filter(kind="quote").latest("pk")
    yield f"{reverse('admin:orders_order_add')}?draft={quote.public_id}"
    yield reverse("mail:quote", args=[quote.public_id])


def test_every_page_opens_within_its_budget(owner):
    found, wrong = {}, {}
    for address in pages():
        with CaptureQueriesContext(connection) as queries:
            status = owner.get(address, follow=True).status_code
        found[address] = len(queries)
        if status not in (200, 403) or len(queries) > BUDGET:
            wrong[address] = (status, len(queries))
    assert wrong == {}
    assert len(found) > 35


def test_more_rows_cost_no_more_queries(owner):
    def counts():
        found = {}
        for address in pages():
            owner.get(address)
            with CaptureQueriesContext(connection) as queries:
                owner.get(address)
            found[address.rsplit("/", 3)[0] if address.endswith("/change/") else address] = len(queries)
        return found

    before = counts()
    for _number in range(6):
        fill()
    after = counts()
    assert {address: (before[address], count) for address, count in after.items() if count > before.get(address, count) + 1} == {}
