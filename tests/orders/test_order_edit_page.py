"""The page that edits an order, without scripts: what it shows, keeps, refuses and saves, and who may."""

import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from invoices.services import issue_invoice
from orders.drafts import DraftDiscount, DraftLine
from orders.models import Order, OrderEvent, OrderProposal, Shop, Variant
from orders.services.editing import NoteWish
from orders.services.plan import apply
from tests.invoices.makers import make_seller
from tests.makers import ROBOT, make_clerk, make_order, make_shop, make_variant, quantity_edit, stock_of
from tests.orders.editing_form import form_of

pytestmark = pytest.mark.django_db
BUDGET = 30  # the frame and one look at the order


@pytest.fixture
def staff(client):
    make_shop()
    make_variant("MUG", on_hand=10)
    make_variant("POT", on_hand=5, price="30.00")
    client.force_login(make_clerk("orders.view_order", "orders.change_order", username="ines"))
    return client


def place(order):
    return f"/admin/orders/order/{order.pk}/edit/"


def send(client, order, page, do="typed", **typed):
    return client.post(place(order), form_of(page, **typed) | {"do": do})


def save(client, order, page, **typed):
    """Type, look at what it does, save."""
    looked = send(client, order, page, **typed)
    return send(client, order, looked, "accept")


def field(order, name, sku="MUG"):
    return f"line-{order.lines.get(sku=sku, is_removed=False).pk}-{name}"


def test_a_price_whose_vat_is_taken_off_says_what_it_becomes(staff):
    order = make_order(items={"POT": 2})
    page = send(staff, order, staff.get(place(order)), tax_exempt="on", prices="net")
    assert page.context["sheet"].line_rows[0].worked_out_price == Decimal(25)  # 30.00 less 20 %
    row = page.content.decode().split(f'id="was-price-{order.lines.get().pk}"')[1][:200]
    assert ('<del class="small">€30.00</del>' in row, ">€25.00</b>" in row) == (True, True)
    typed = send(staff, order, page, **{field(order, "price", "POT"): "20.00"})
    assert typed.context["sheet"].line_rows[0].worked_out_price is None
    assert "choose the prices “as sold, with VAT taken off or added”" in page.content.decode()


def test_an_exempt_customer_pays_what_was_sold_without_its_vat(staff):
    order = make_order(items={"MUG": 2})
    Variant.objects.filter(sku="MUG").update(price=Decimal("15.00"))
    totals = []
    for prices in ("keep", "net", "recompute"):
        sheet = send(staff, order, staff.get(place(order)), tax_exempt="on", prices=prices).context["sheet"]
        totals.append((sheet.change.after("tax"), sheet.total.after))
    # 2 × 12.00 were sold, VAT in them or not; the catalogue asks 2 × 15.00 today, 12.50 each without VAT.
    assert totals == [(Decimal(0), Decimal("24.00")), (Decimal(0), Decimal("20.00")), (Decimal(0), Decimal("25.00"))]


def test_the_page_shows_old_and_new_and_changes_nothing(staff):
    order = make_order(items={"MUG": 2}, discounts=(DraftDiscount("Ten", "PERCENT", Decimal(10)),))
    page = send(staff, order, staff.get(place(order)), **{field(order, "quantity"): "3"})
    sheet = page.context["sheet"]
    rows = {row.name: (row.before, row.after) for row in (*sheet.sums, sheet.total)}
    assert rows["Subtotal"] == (Decimal(24), Decimal(36))
    assert rows["Discount"] == (Decimal("-2.40"), Decimal("-3.60"))
    assert rows["Total"] == (Decimal("21.60"), Decimal("32.40"))
    assert sheet.button == "Save 1 change"
    assert (Order.objects.get().version, stock_of("MUG")) == (order.version, (10, 2))


def test_saving_takes_a_look_first(staff):
    order = make_order(items={"MUG": 2})
    answer = send(staff, order, staff.get(place(order)), "accept", **{field(order, "quantity"): "3"})
    assert "look at what this does" in answer.content.decode()
    assert Order.objects.get().total == Decimal(24)
    assert send(staff, order, answer, "accept").status_code == 302
    assert Order.objects.get().total == Decimal(36)


def test_articles_are_added_by_sku_removed_and_put_back(staff):
    order = make_order(items={"MUG": 2})
    page = send(staff, order, staff.get(place(order)), article_search="POT")
    page = send(staff, order, page, f"remove:{order.lines.get().pk}")
    assert [row.state for row in page.context["sheet"].line_rows] == ["removed"]
    page = send(staff, order, page, f"back:{order.lines.get().pk}")
    assert [row.state for row in page.context["sheet"].line_rows] == [""]
    send(staff, order, page, "accept")
    assert (Order.objects.get().total, stock_of("POT")) == (Decimal(54), (5, 1))


def test_several_pieces_are_added_in_one_line(staff):
    order = make_order(items={"MUG": 2})
    page = send(staff, order, staff.get(place(order)), article_search="3 x POT")
    send(staff, order, page, "accept")
    # 2 x 12.00 + 3 x 30.00
    assert (Order.objects.get().total, stock_of("POT")) == (Decimal(114), (5, 3))


def test_a_free_item_and_a_discount_are_typed(staff):
    order = make_order(items={"MUG": 2})
    page = send(staff, order, staff.get(place(order)), "custom", article_search="Gift wrap")
    typed = {
        "items-0-price": "6",
        "discount-0-label": "Sorry",
        "discount-0-value": "5",
        "surcharge-0-amount": "2",
        "surcharge-0-kind": "tip",
    }
    assert save(staff, order, page, **typed).status_code == 302
    order.refresh_from_db()
    assert (order.subtotal, order.discount, order.tips_total, order.total) == (Decimal(30), Decimal(5), Decimal(2), Decimal(27))
    assert order.discounts.get().label == "Sorry"


def test_what_is_typed_wrong_is_named_and_not_lost(staff):
    order = make_order(items={"MUG": 2})
    page = send(staff, order, staff.get(place(order)), "accept", **{field(order, "quantity"): "two", field(order, "price"): "9.50"})
    form = page.context["sheet"].form
    assert form.errors[field(order, "quantity")] == ["Enter a whole number above 0."]
    assert form[field(order, "quantity")].value() == "two"
    assert form[field(order, "price")].value() == "9.50"
    assert Order.objects.get().total == Decimal(24)


def test_leaving_keeps_the_proposal_and_the_order_says_who_edits(staff):
    order = make_order(items={"MUG": 2})
    assert send(staff, order, staff.get(place(order)), "keep", **{field(order, "price"): "9.50"}).status_code == 302
    assert "Being edited by ines" in staff.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    assert form_of(staff.get(place(order)))[field(order, "price")] == "9.50"


def test_opening_the_page_leaves_no_trace(staff):
    order = make_order(items={"MUG": 2})
    page = staff.get(place(order))
    send(staff, order, page)
    assert not OrderProposal.objects.exists()
    assert send(staff, order, page, "accept").status_code == 302
    assert Order.objects.get().version == order.version


def test_a_parallel_change_refuses_and_shows_what_changed(staff):
    order = make_order(items={"MUG": 2, "POT": 1})
    page = send(staff, order, staff.get(place(order)), **{field(order, "price"): "10", field(order, "quantity", "POT"): "2"})
    apply(quantity_edit(order, 3, sku="POT")).or_raise()
    refused = send(staff, order, page, "accept")
    assert "Somebody changed this order since you began" in refused.content.decode()
    assert refused.context["overlaps"] == [("Article POT, quantity", "3", "2")]
    assert Order.objects.get().total == Decimal("114.00")
    taken = send(staff, order, refused, "rebase")
    assert form_of(taken)[field(order, "quantity", "POT")] == "3"
    assert send(staff, order, taken, "accept").status_code == 302
    assert Order.objects.get().total == Decimal("110.00")


def test_a_parallel_change_of_a_field_nobody_touched_is_not_undone(staff):
    order = make_order(items={"MUG": 2})
    page = staff.get(place(order))
    apply(quantity_edit(order, 4)).or_raise()
    stale = send(staff, order, page, **{field(order, "price"): "10"})
    assert OrderProposal.objects.get().body["lines"][0]["quantity"] is None
    send(staff, order, send(staff, order, stale, "rebase"), "accept")
    assert Order.objects.get().total == Decimal("40.00")


def test_a_note_in_between_stops_nothing(staff):
    order = make_order(items={"MUG": 2})
    send(staff, order, staff.get(place(order)), "keep", **{field(order, "price"): "10"})
    apply(NoteWish(order_id=order.pk, text="Call back", actor=ROBOT)).or_raise()
    page = staff.get(place(order))
    assert "Somebody changed" not in page.content.decode()
    assert send(staff, order, page, "accept").status_code == 302
    assert Order.objects.get().total == Decimal("20.00")


def test_a_second_click_saves_once(staff):
    order = make_order(items={"MUG": 2})
    page = send(staff, order, staff.get(place(order)), **{field(order, "quantity"): "3"})
    assert [send(staff, order, page, "accept").status_code for _click in range(2)] == [302, 302]
    assert OrderEvent.objects.filter(kind="edit").count() == 1


def test_an_edit_is_taken_back_from_the_history(staff):
    order = make_order(items={"MUG": 2}, discounts=(DraftDiscount("Ten", "PERCENT", Decimal(10)),))
    save(staff, order, send(staff, order, staff.get(place(order)), article_search="POT"), **{field(order, "quantity"): "1"})
    event = OrderEvent.objects.get(kind="edit")
    page = staff.get(f"{place(order)}?revert={event.pk}")
    assert page.context["sheet"].total.after == Decimal("21.60")
    assert send(staff, order, page, "accept").status_code == 302
    back = OrderEvent.objects.filter(kind="edit").latest("pk")
    assert (Order.objects.get().total, back.facts["reverts"], stock_of("POT")) == (Decimal("21.60"), event.pk, (5, 0))


def test_what_an_edit_removed_is_put_back_by_taking_it_back(staff):
    order = make_order(items={"MUG": 2, "POT": 1})
    save(staff, order, send(staff, order, staff.get(place(order)), f"remove:{order.lines.get(sku='POT').pk}"))
    page = staff.get(f"{place(order)}?revert={OrderEvent.objects.get(kind='edit').pk}")
    assert [row.state for row in page.context["sheet"].line_rows] == ["", "back"]
    send(staff, order, send(staff, order, page), "accept")
    assert (Order.objects.get().total, order.lines.get(sku="POT").is_removed, stock_of("POT")) == (Decimal(54), False, (5, 1))


def test_a_reason_is_asked_when_an_invoice_exists(staff):
    make_seller()
    order = make_order("PAID", items={"MUG": 2})
    issue_invoice(order.pk, actor=ROBOT)
    page = send(staff, order, staff.get(place(order)), **{field(order, "quantity"): "3"})
    assert "A credit note and a new invoice are issued" in page.content.decode()
    refused = send(staff, order, page, "accept")
    assert "Say why" in refused.context["sheet"].form.errors["reason"][0]
    assert Order.objects.get().total == Decimal(24)
    assert send(staff, order, refused, "accept", reason="One more by phone").status_code == 302
    assert OrderEvent.objects.filter(kind="edit").get().reason == "One more by phone"


def test_the_mail_that_brings_the_new_invoice_can_be_read_first(staff):
    make_seller(attach_to_mail=True)
    order = make_order("PAID", items={"MUG": 2})
    issue_invoice(order.pk, actor=ROBOT)
    page = send(staff, order, staff.get(place(order)), **{field(order, "quantity"): "3"})
    (mail,) = [effect for effect in page.context["sheet"].effects if effect.has_body]
    answer = staff.get(place(order), {"mail": mail.key})
    assert (answer.status_code, "default-src 'none'" in answer["Content-Security-Policy"]) == (200, True)
    assert "<html" in answer.content.decode()
    assert staff.get(place(order), {"mail": "mail:nothing"}).status_code == 404


def test_selling_below_zero_is_offered_only_with_the_right(staff):
    order = make_order(items={"MUG": 2})
    page = send(staff, order, staff.get(place(order)), **{field(order, "quantity"): "13"})
    assert "You may not sell below zero" in page.content.decode()
    staff.force_login(make_clerk(superuser=True, username="owner"))
    page = send(staff, order, page, oversell="on")
    assert send(staff, order, page, "accept").status_code == 302
    assert (Order.objects.get().is_oversold, stock_of("MUG")) == (True, (10, 13))


def test_who_may_not_change_orders_may_not_edit_them(staff):
    order = make_order(items={"MUG": 2})
    staff.force_login(make_clerk("orders.view_order", username="reader"))
    assert [staff.get(place(order)).status_code, staff.post(place(order)).status_code] == [403, 403]
    assert f'href="{place(order)}' not in staff.get(f"/admin/orders/order/{order.pk}/change/").content.decode()


def test_another_currency_asks_for_a_price(staff):
    order = make_order(items={"MUG": 2}, currency="USD")
    assert Shop.current().currency == "EUR"
    page = send(staff, order, staff.get(place(order)), article_search="POT")
    assert "The catalogue has no price in USD" in page.content.decode()


def test_a_long_order_is_edited_like_a_short_one(staff):
    lines = tuple(DraftLine(name=f"Print {index}", price=Decimal(2), vat_rate=Decimal(20)) for index in range(160))
    order = make_order(lines=lines)
    page = send(staff, order, staff.get(place(order)), **{f"line-{order.lines.earliest('position').pk}-quantity": "2"})
    assert send(staff, order, page, "accept").status_code == 302
    assert Order.objects.get().total == Decimal(322)


def test_more_items_cost_no_more_queries(staff):
    def count(order):
        staff.get(place(order))
        with CaptureQueriesContext(connection) as queries:
            staff.get(place(order))
        return len(queries)

    for index in range(12):
        make_variant(f"A{index}")
    one, many = make_order(items={"MUG": 1}), make_order(items={f"A{index}": 1 for index in range(12)})
    few = count(one)
    assert count(many) == few
    assert few <= BUDGET


def test_a_button_adds_another_surcharge(staff):
    order = make_order(items={"MUG": 1})
    page = send(staff, order, staff.get(place(order)), "row:surcharge", **{"surcharge-0-amount": "2"})
    page = send(staff, order, page, **{"surcharge-1-amount": "3", "surcharge-1-kind": "tip"})
    send(staff, order, page, "accept")
    order.refresh_from_db()
    assert (order.surcharges_total, order.tips_total, order.total) == (Decimal(2), Decimal(3), Decimal(17))


def test_the_quantity_on_the_order_leads_to_its_field(staff):
    order = make_order(items={"MUG": 2, "POT": 1})
    address = f"{place(order)}?at={order.lines.get(sku='POT').pk}"
    assert address in staff.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    page = staff.get(address).content.decode()
    (tag,) = [tag for tag in re.findall(r"<input[^>]*autofocus[^>]*>", page) if "line-" in tag]
    assert f'name="{field(order, "quantity", "POT")}"' in tag
