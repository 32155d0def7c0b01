"""The phone: what stands in the bar fits, and long words break instead of pushing the page."""

from orders.models import Order
from tests.makers import make_order

ADDRESS = "https://www.example.com/" + "campaign" * 15


def test_every_place_of_the_bar_stands_on_one_line(office):
    office.set_viewport_size({"width": 390, "height": 844})
    office.goto(f"{office.base}/admin/")
    heights = office.locator(".nav > a:visible > span:visible:not(.count)").evaluate_all("all => all.map(one => one.offsetHeight)")
    assert len(heights) == 4
    assert max(heights) == min(heights)


def test_a_long_address_breaks_inside_the_order_page(office):
    order = make_order("PAID", items={"MUG": 1})
    Order.objects.filter(pk=order.pk).update(provenance={"referer": ADDRESS})
    office.set_viewport_size({"width": 390, "height": 844})
    office.goto(f"{office.base}/admin/orders/order/{order.pk}/change/")
    assert ADDRESS in office.locator(".facts").all_inner_texts()[-1]
    assert office.evaluate("document.documentElement.scrollWidth") == 390
