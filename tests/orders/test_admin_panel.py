"""The consequence panel: what it says is what happens, and nothing else."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

import pytest
from django.urls import reverse

from orders.models import Order, OrderEvent, Payment, Refund, Shipment, Variant
from orders.services.plan import Consequence, NotGoing, PanelItem, apply
from orders.services.status import StatusWish
from orders.services.stock import adjust_stock
from tests.makers import ROBOT, make_clerk, make_order, make_shop, make_variant, set_status, stock_of

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def staff(client):
    make_shop()
    client.force_login(make_clerk(superuser=True))
    return client


def place(order: Order, name: str, *part: int) -> str:
    return reverse(f"admin:orders_order_{name}", args=[order.pk, *part])


@dataclass(kw_only=True)
class PostCard(Consequence):
    """A mail of these tests: it remembers in a list that it was saved."""

    word: str = ""
    sent: ClassVar[list[str]] = []

    def describe(self) -> PanelItem:
        body = f"<style>p{{color:red}}</style><p>On its way. {self.word}</p>"
        return PanelItem(icon="mail", title="A card to Léa", lines=("in French",), when="in 2 min", subject="Your order", html=body)

    @classmethod
    def save_all(cls, items) -> None:
        cls.sent += [item.key for _change, item in items if item.is_on]


def plan_cards(plan, *, render: bool) -> None:
    for change in plan.changes:
        change.add(PostCard(key="card:lea", word=change.personal_word))
        change.add(NotGoing(key="sms", icon="mail-x", title="No text message", reason="There is no phone number."))


@pytest.fixture
def cards(settings):
    settings.CONSEQUENCE_PLANNERS = (f"{__name__}.plan_cards",)
    PostCard.sent.clear()
    return PostCard.sent


def fields_of(response) -> dict[str, str | list[str]]:
    """What a browser would send of the form in `response`."""
    page, data = response.content.decode(), {}
    form = page[page.index('id="panel-form"') : page.index("</form>", page.index('id="panel-form"'))]
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if not name or ('type="checkbox"' in tag and " checked" not in tag):
            continue
        given = value.group(1).replace("&amp;", "&").replace("&#x27;", "'") if value else ("on" if "checkbox" in tag else "")
        data.setdefault(name.group(1), []).append(given)
    for name, inner in re.findall(r'<select name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL):
        data[name] = re.findall(r'<option value="([^"]*)" selected', inner)
    for name, inner in re.findall(r'<textarea name="([^"]*)"[^>]*>(.*?)</textarea>', form, re.DOTALL):
        data[name] = [inner.strip()]
    return data


def reload(order: Order) -> Order:
    return Order.objects.with_statuses().get(pk=order.pk)


def test_the_panel_names_the_stock_that_leaves_and_saves_nothing(staff):
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", items={"MUG": 3})
    response = staff.get(place(order, "status"), {"fulfilment": "SHIPPED"})
    (row,) = next(effect.stock for effect in response.context["effects"] if effect.stock)
    assert (row.variant.sku, row.on_hand, row.committed, row.available) == ("MUG", (10, 7), (3, 0), (7, 7))
    assert "Nothing is saved yet" in response.content.decode()
    assert (reload(order).version, stock_of("MUG")) == (order.version, (10, 3))


def test_what_the_panel_says_is_what_happens(staff):
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", items={"MUG": 3})
    data = fields_of(staff.get(place(order, "status"), {"fulfilment": "SHIPPED"})) | {"tracking_number": "6A219", "carrier": "Colissimo"}
    response = staff.post(place(order, "status"), data)
    assert (response.status_code, response["Location"]) == (302, reverse("admin:orders_order_change", args=[order.pk]))
    assert reload(order).fulfilment_status.code == "SHIPPED"
    assert stock_of("MUG") == (7, 0)
    assert Shipment.objects.values_list("carrier", "tracking_number").get() == ("Colissimo", "6A219")


def test_the_fragment_is_the_same_form_without_the_frame(staff):
    order = make_order("PAID")
    page = staff.get(place(order, "status"), {"fulfilment": "PROCESSING"}, headers=HTMX).content.decode()
    assert "<html" not in page
    assert 'id="panel-form"' in page
    response = staff.post(place(order, "status"), fields_of(staff.get(place(order, "status"), {"fulfilment": "PROCESSING"})), headers=HTMX)
    assert response["HX-Redirect"] == reverse("admin:orders_order_change", args=[order.pk])
    assert reload(order).fulfilment_status.code == "PROCESSING"


def test_a_double_click_changes_the_status_once(staff):
    order = make_order("PAID")
    data = fields_of(staff.get(place(order, "status"), {"fulfilment": "SHIPPED"}))
    assert [staff.post(place(order, "status"), data).status_code for _ in range(2)] == [302, 302]
    assert OrderEvent.objects.filter(order=order, kind="status").count() == 1


def test_a_double_click_records_a_payment_once(staff):
    order = make_order("AWAITING_PAYMENT", items={"MUG": 3})
    data = fields_of(staff.get(place(order, "payment")))
    codes = [staff.post(place(order, "payment"), data).status_code for _ in range(2)]
    assert codes == [302, 409]
    assert Payment.objects.get().amount == Decimal("36")
    assert reload(order).payment_status.code == "PAID"


def test_a_stale_panel_saves_nothing_and_shows_the_new_plan(staff):
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", items={"MUG": 3})
    data = fields_of(staff.get(place(order, "status"), {"fulfilment": "SHIPPED"}))
    set_status(order, payment="CANCELLED")
    response = staff.post(place(order, "status"), data)
    assert response.status_code == 409
    assert "Nothing was saved" in response.content.decode()
    assert reload(order).fulfilment_status.code == "AWAITING_PROCESSING"
    assert staff.post(place(order, "status"), fields_of(response)).status_code == 302


def test_stock_that_moved_meanwhile_makes_the_panel_look_again_only_where_it_matters(staff):
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", items={"MUG": 3})
    data = fields_of(staff.get(place(order, "status"), {"fulfilment": "SHIPPED"}))
    adjust_stock(Variant.objects.get().pk, 5, reason="found", actor=ROBOT)
    assert staff.post(place(order, "status"), data).status_code == 302
    assert stock_of("MUG") == (12, 0)


def test_a_changed_weighty_field_is_shown_before_it_is_applied(staff):
    order = make_order("AWAITING_PAYMENT", items={"MUG": 3})
    data = fields_of(staff.get(place(order, "payment"))) | {"amount": "10"}
    response = staff.post(place(order, "payment"), data)
    assert (response.status_code, Payment.objects.count()) == (200, 0)
    assert "A payment of €10.00" in response.content.decode()
    assert staff.post(place(order, "payment"), fields_of(response)).status_code == 302
    assert (Payment.objects.get().amount, reload(order).payment_status.code) == (Decimal("10"), "AWAITING_PAYMENT")


def test_setting_paid_proposes_the_payment_and_unticking_it_records_none(staff):
    order = make_order("AWAITING_PAYMENT", items={"MUG": 3})
    response = staff.get(place(order, "status"), {"payment": "PAID"})
    assert "A payment of €36.00" in response.content.decode()
    data = fields_of(response)
    del data["record"]
    again = staff.post(place(order, "status"), data)
    assert staff.post(place(order, "status"), fields_of(again)).status_code == 302
    assert (reload(order).payment_status.code, Payment.objects.count()) == ("PAID", 0)


def test_cancelling_shipped_pieces_asks_per_item_whether_they_come_back(staff):
    make_variant("MUG", on_hand=10)
    make_variant("POT", on_hand=10)
    order = make_order("PAID", fulfilment="SHIPPED", items={"MUG": 3, "POT": 2})
    data = fields_of(staff.get(place(order, "status"), {"payment": "CANCELLED"}))
    lost = order.lines.get(sku="POT")
    assert f"shelf-{lost.pk}" in data
    del data[f"shelf-{lost.pk}"]
    again = staff.post(place(order, "status"), data)
    assert staff.post(place(order, "status"), fields_of(again)).status_code == 302
    assert (stock_of("MUG"), stock_of("POT")) == ((10, 0), (8, 0))


def test_returned_asks_how_many_pieces_come_back(staff):
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", fulfilment="DELIVERED", items={"MUG": 3})
    line = order.lines.get()
    data = fields_of(staff.get(place(order, "status"), {"fulfilment": "RETURNED"}))
    assert (data[f"shelf-{line.pk}"], data[f"lost-{line.pk}"]) == (["3"], ["0"])
    again = staff.post(place(order, "status"), data | {f"shelf-{line.pk}": "1", f"lost-{line.pk}": "1"})
    assert staff.post(place(order, "status"), fields_of(again)).status_code == 302
    line.refresh_from_db()
    assert (line.pieces_shelf, line.pieces_lost, stock_of("MUG")) == (1, 1, (8, 0))


def test_the_panel_asks_for_no_pieces_of_a_cancelled_order(staff):
    order = make_order("CANCELLED", items={"MUG": 2})
    asked = fields_of(staff.get(place(order, "status"), {"fulfilment": "RETURNED"}))
    assert not [name for name in asked if name.startswith(("shelf-", "lost-"))]


def test_reopening_without_stock_is_refused_in_words_and_can_be_forced_with_the_right(staff):
    make_variant("MUG", on_hand=3)
    order = make_order("CANCELLED", items={"MUG": 3})
    make_order("PAID", items={"MUG": 2})
    response = staff.get(place(order, "status"), {"payment": "PAID"})
    page = response.content.decode()
    assert "MUG is out of stock: 3 asked, 1 available." in page
    assert re.search(r'id="panel-apply"[^>]* disabled', page)
    again = staff.post(place(order, "status"), fields_of(response) | {"oversell": "on"})
    assert staff.post(place(order, "status"), fields_of(again)).status_code == 302
    assert (reload(order).is_oversold, stock_of("MUG")) == (True, (3, 5))


def test_who_may_not_change_statuses_is_told_so_and_changes_nothing(client):
    make_shop()
    client.force_login(make_clerk("orders.view_order"))
    order = make_order("PAID")
    response = client.get(place(order, "status"), {"fulfilment": "SHIPPED"})
    assert "You may not change the fulfilment status of orders." in response.content.decode()
    assert client.post(place(order, "status"), fields_of(response)).status_code == 403
    assert reload(order).version == order.version


def test_who_may_not_cancel_can_still_ship(client):
    make_shop()
    client.force_login(make_clerk("orders.view_order", "orders.change_order_status", "orders.change_payment_status"))
    order = make_order("PAID")
    assert client.post(place(order, "status"), fields_of(client.get(place(order, "status"), {"payment": "CANCELLED"}))).status_code == 403
    assert client.post(place(order, "status"), fields_of(client.get(place(order, "status"), {"fulfilment": "SHIPPED"}))).status_code == 302


def test_a_status_the_order_has_already_is_no_change(staff):
    order = make_order("PAID")
    page = staff.get(place(order, "status"), {"payment": "PAID"}).content.decode()
    assert "The order is already so: no e-mail, no movement." in page


def test_an_unknown_status_is_refused(staff):
    order = make_order("PAID")
    response = staff.get(place(order, "status"), {"payment": "BRIBED"})
    assert "There is no status BRIBED." in response.content.decode()


def test_a_refund_begins_with_nothing_and_records_what_is_entered(staff):
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", fulfilment="SHIPPED", items={"MUG": 3}, shipping_cost=Decimal("6"))
    line = order.lines.get()
    data = fields_of(staff.get(place(order, "refund")))
    assert (data[f"quantity-{line.pk}"], data["shipping"]) == (["0"], [""])
    again = staff.post(
        place(order, "refund"), data | {f"quantity-{line.pk}": "1", "shipping": "0", "reason": "broken", f"fate-{line.pk}": "lost"}
    )
    assert "A refund of €12.00" in again.content.decode()
    assert staff.post(place(order, "refund"), fields_of(again)).status_code == 302
    refund = Refund.objects.get()
    assert (refund.amount, refund.reason, reload(order).payment_status.code) == (Decimal("12"), "broken", "PARTIALLY_REFUNDED")
    assert stock_of("MUG") == (7, 0)


def test_a_refund_posted_twice_is_recorded_once(staff):
    order = make_order("PAID", items={"MUG": 3})
    filled = fields_of(staff.get(place(order, "refund"))) | {f"quantity-{order.lines.get().pk}": "3"}
    data = fields_of(staff.post(place(order, "refund"), filled))
    assert [staff.post(place(order, "refund"), data).status_code for _ in range(2)] == [302, 302]
    assert Refund.objects.get().amount == Decimal("36")


def test_more_than_was_paid_is_never_refunded(staff):
    order = make_order("PAID", items={"MUG": 3})
    response = staff.post(place(order, "refund"), fields_of(staff.get(place(order, "refund"))) | {"amount": "40"})
    assert "Only €36.00 can still be refunded." in response.content.decode()
    assert staff.post(place(order, "refund"), fields_of(response)).status_code == 422
    assert Refund.objects.count() == 0


def test_a_parcel_takes_the_pieces_it_names(staff):
    make_variant("MUG", on_hand=10)
    order = make_order("PAID", items={"MUG": 3})
    line = order.lines.get()
    again = staff.post(
        place(order, "shipment"), fields_of(staff.get(place(order, "shipment"))) | {f"quantity-{line.pk}": "2", "tracking_number": "X1"}
    )
    assert staff.post(place(order, "shipment"), fields_of(again)).status_code == 302
    line.refresh_from_db()
    assert (line.pieces_shipped, reload(order).fulfilment_status.code, stock_of("MUG")) == (2, "AWAITING_PROCESSING", (8, 1))


def test_a_parcel_gets_another_tracking_number(staff):
    order = make_order("PAID")
    set_status(order, fulfilment="SHIPPED", tracking_number="OLD", carrier="Colissimo")
    parcel = Shipment.objects.get()
    data = fields_of(staff.get(place(order, "tracking", parcel.pk))) | {"tracking_number": "NEW"}
    assert staff.post(place(order, "tracking", parcel.pk), data).status_code == 302
    assert Shipment.objects.filter(voided_by=None).values_list("tracking_number", flat=True).get() == "NEW"


def test_hold_and_release(staff):
    order = make_order("PAID")
    data = fields_of(staff.get(place(order, "hold"))) | {"reason": "Address"}
    assert staff.post(place(order, "hold"), data).status_code == 302
    assert (reload(order).is_held, reload(order).hold_reason) == (True, "Address")
    assert staff.post(place(order, "hold"), fields_of(staff.get(place(order, "hold")))).status_code == 302
    assert reload(order).is_held is False


def test_tags_and_details_change_together(staff):
    order = make_order("PAID", tags=("Gift", "Old"))
    data = fields_of(staff.get(place(order, "details"))) | {"tags": "Gift, Fragile", "no_customer_mail": "on"}
    assert staff.post(place(order, "details"), data).status_code == 302
    assert (set(reload(order).tags.values_list("name", flat=True)), reload(order).no_customer_mail) == ({"Gift", "Fragile"}, True)


def test_the_bulk_of_a_form_stays_when_a_field_is_wrong(staff):
    order = make_order("AWAITING_PAYMENT")
    data = fields_of(staff.get(place(order, "payment"))) | {"amount": "a lot", "reference": "TR-9"}
    response = staff.post(place(order, "payment"), data)
    assert response.status_code == 422
    assert fields_of(response)["reference"] == ["TR-9"]
    assert "Enter a number such as 12.50." in response.content.decode()


def test_a_change_in_between_by_the_same_wish_is_no_error(staff):
    order = make_order("PAID")
    data = fields_of(staff.get(place(order, "status"), {"fulfilment": "PROCESSING"}))
    apply(StatusWish(ids=[order.pk], actor=ROBOT, fulfilment="PROCESSING")).or_raise()
    assert staff.post(place(order, "status"), data).status_code == 302
    assert OrderEvent.objects.filter(order=order, kind="status").count() == 1


def test_a_mail_is_named_with_its_tick_and_what_stays_away_with_its_reason(staff, cards):
    order = make_order("PAID")
    page = staff.get(place(order, "status"), {"fulfilment": "SHIPPED"}).content.decode()
    for text in ("A card to Léa", "“Your order”", "in French", "in 2 min", "No text message", "There is no phone number."):
        assert text in page
    assert re.search(r'name="on" value="card:lea"[^>]* checked', page)


def test_an_unticked_mail_does_not_go_and_the_history_says_so(staff, cards):
    order = make_order("PAID")
    cards.clear()
    data = fields_of(staff.get(place(order, "status"), {"fulfilment": "SHIPPED"}))
    del data["on"]
    assert staff.post(place(order, "status"), data).status_code == 302
    assert cards == []
    assert OrderEvent.objects.get(order=order, kind="status").facts["skipped"] == ["card:lea"]
    assert "1 effect unticked" in staff.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()


def test_a_ticked_mail_goes_once(staff, cards):
    order = make_order("PAID")
    cards.clear()
    data = fields_of(staff.get(place(order, "status"), {"fulfilment": "SHIPPED"}))
    staff.post(place(order, "status"), data)
    staff.post(place(order, "status"), data)
    assert cards == ["card:lea"]


def test_the_mail_is_read_as_it_will_arrive_in_a_page_without_scripts(staff, cards):
    order = make_order("PAID")
    data = fields_of(staff.get(place(order, "status"), {"fulfilment": "SHIPPED"})) | {"personal_word": "See you soon", "preview": "1"}
    page = staff.post(place(order, "status"), data).content.decode()
    frame = re.search(r'<iframe[^>]* src="([^"]*)"', page)
    assert "sandbox" in frame.group(0)
    response = staff.get(frame.group(1).replace("&amp;", "&"))
    assert response.content.decode() == "<style>p{color:red}</style><p>On its way. See you soon</p>"
    assert response["Content-Security-Policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")


def test_a_mail_that_would_not_be_sent_cannot_be_read(staff, cards):
    order = make_order("PAID")
    address = place(order, "status_mail")
    assert staff.get(address, {"fulfilment": "SHIPPED", "key": "card:someone-else"}).status_code == 404
    assert staff.get(address, {"fulfilment": "AWAITING_PROCESSING", "key": "card:lea"}).status_code == 404
