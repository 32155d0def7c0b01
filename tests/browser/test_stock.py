"""A figure of the stock is followed to its movements, and these to a file, by keyboard alone and on a phone too."""

import pytest

from orders.models import Variant
from orders.services.stock import adjust_stock
from tests.makers import ROBOT, make_order, make_variant


@pytest.fixture
def filled(office):
    mug = make_variant("MUG", on_hand=40, name="Blue mug")
    make_variant("POT", on_hand=5, name="Pot")
    order = make_order(items={"MUG": 3})
    adjust_stock(mug.pk, -2, reason="Broken", actor=ROBOT)
    office.order_number = order.number
    return office


def test_the_plot_has_its_table_and_the_ledger_its_file_by_keyboard(filled):
    filled.goto(f"{filled.base}/admin/orders/variant/{Variant.objects.get(sku='MUG').pk}/change/")
    filled.locator("summary", has_text="as a table").press("Enter")
    assert filled.locator("details[open] tbody td").all_inner_texts() == ["38", "3", "35"]
    filled.get_by_role("link", name="Filter and export").press("Enter")
    filled.get_by_label("Reason").fill("broken")
    filled.get_by_label("Reason").press("Enter")
    rows = filled.locator("table.shop-table tbody tr")
    assert (rows.count(), "Broken" in rows.first.inner_text()) == (1, True)
    with filled.expect_download() as file:
        filled.get_by_role("link", name="CSV").press("Enter")
    assert [line.split(",")[1] for line in file.value.path().read_text("utf-8-sig").splitlines()] == ["SKU", "MUG"]


@pytest.mark.parametrize("width", [1440, 390])
def test_every_cell_of_the_ledger_can_be_read_without_scrolling_aside(filled, width):
    filled.set_viewport_size({"width": width, "height": 844})
    filled.goto(f"{filled.base}/admin/orders/variant/ledger/?order={filled.order_number}")
    box = filled.locator("table.shop-table tbody tr td").last.bounding_box()
    assert box["x"] + box["width"] <= width
    assert filled.locator("table.shop-table tbody tr").inner_text().count("Blue mug") == 1
