"""Every page of the back office: right at two widths, in two languages, light and dark, usable by everybody, without complaint."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from orders.models import Carrier, Customer, Draft, Order, Product, ReturnCase, Status, Variant
from orders.services.plan import apply
from orders.services.returns import ReturnRequestWish
from tests.makers import ROBOT, make_draft, make_order, make_variant, set_status

SERIOUS = {"serious", "critical"}


@pytest.fixture
def filled(office):
    make_variant("MUG", on_hand=10, low_stock_limit=8)
    order = make_order("PAID", items={"MUG": 3}, customer_comment="Leave it at the door", tags=("Gift",), staff_note="Handle with care")
    set_status(order, fulfilment="SHIPPED", tracking_number="6A21904471082", carrier="Colissimo")
    apply(ReturnRequestWish(order_id=order.pk, actor=ROBOT, pieces={order.lines.get().pk: 1}, note="It cracked")).or_raise()
    make_order(items={"MUG": 1})
    Draft.objects.create(body=make_draft().as_json(), created_at="2026-11-01T10:00Z", customer_name="Paul Castel")
    quote = {"kind": "quote", "expires_at": "2126-11-01T10:00Z", "email": "paul@example.com"}
    Draft.objects.create(body=make_draft().as_json(), created_at="2026-11-01T10:00Z", customer_name="Paul Castel", **quote)
    return office


def addresses():
    order = Order.objects.order_by("id").first()
    return [
        "/admin/",
        "/admin/orders/order/?view=all",
        "/admin/orders/order/?q=lea&payment=PAID&placed=30-days",
        "/admin/orders/order/?placed_from=2026-13-45&product=a-very-long-name-that-somebody-typed-into-the-filter",
        "/admin/orders/order/filters/?payment=PAID",
        "/admin/orders/order/views/",
        f"/admin/orders/order/{order.pk}/change/",
        f"/admin/orders/order/{order.pk}/status/?fulfilment=DELIVERED",
        f"/admin/orders/order/{order.pk}/refund/",
        f"/admin/orders/order/{order.pk}/cancel/",
        f"/admin/orders/order/{order.pk}/ask_return/",
        f"/admin/orders/order/{order.pk}/receive_return/{ReturnCase.objects.get().pk}/",
        "/admin/orders/order/returns/",
        f"/admin/orders/order/{order.pk}/edit/",
        "/admin/orders/order/add/",
        f"/admin/orders/order/add/?draft={Draft.objects.get(kind='quote').public_id}",
        f"/mail/quotes/{Draft.objects.get(kind='quote').public_id}/",
        "/admin/orders/order/packing/",
        f"/admin/orders/order/packing/{Order.objects.order_by('id').last().pk}/",
        f"/admin/orders/order/{Order.objects.order_by('id').last().pk}/pack/",
        "/admin/orders/order/tracking/",
        "/admin/orders/carrier/",
        f"/admin/orders/carrier/{Carrier.objects.first().pk}/change/",
        "/admin/orders/draft/",
        "/admin/orders/variant/",
        "/admin/orders/variant/ledger/",
        "/admin/orders/variant/ledger/?since=2026-11-02&until=2026-11-01",
        f"/admin/orders/variant/{Variant.objects.get().pk}/change/",
        "/admin/orders/product/",
        f"/admin/orders/product/{Product.objects.get().pk}/change/",
        "/admin/orders/customer/",
        f"/admin/orders/customer/{Customer.objects.first().pk}/change/",
        "/admin/orders/status/",
        f"/admin/orders/status/{Status.objects.first().pk}/change/",
        "/admin/orders/shop/",
        "/admin/orders/import/",
        "/admin/invoices/invoice/",
        "/admin/notifications/outgoingemail/",
        "/admin/notifications/emailtemplate/",
        "/admin/all-data/",
        "/admin/staff/",
        "/admin/staff/roles/",
        "/admin/account/",
    ]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_pages_open_without_complaint_and_fit_the_phone(filled, live_server, language):
    filled.context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
    for width in (1440, 390):
        filled.set_viewport_size({"width": width, "height": 844})
        for address in addresses():
            response = filled.goto(filled.base + address)
            assert response.status == 200, address
            wide = filled.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{address} is {wide} wide at {width}"
            assert filled.evaluate("document.documentElement.lang") == language


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_pages_are_usable_by_everybody(filled, scheme, width):
    filled.emulate_media(color_scheme=scheme)
    filled.set_viewport_size({"width": width, "height": 844})
    axe = Axe()
    found = {}
    for address in addresses():
        filled.goto(filled.base + address)
        violations = axe.run(filled, options={"preload": False}).response["violations"]
        if bad := [f"{v['id']}: {v['nodes'][0]['target']}" for v in violations if v["impact"] in SERIOUS]:
            found[address] = bad
    assert found == {}
