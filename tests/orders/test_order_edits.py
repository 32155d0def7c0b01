"""Editing a placed order: money, VAT, stock and pieces to the cent, and the bugs that other editors shipped, by name."""

from decimal import Decimal

import pytest

from invoices.models import Invoice, PendingDocument
from invoices.services import issue_invoice
from invoices.services.releasing import release_documents
from orders.drafts import DraftDiscount, DraftLine, DraftSurcharge, Person
from orders.edits import RECOMPUTE, DiscountEdit, LineEdit, OrderEdit, SurchargeEdit
from orders.errors import InvalidWish, NotAllowed, NotEnoughStock, StaleOrder
from orders.integrity import find_problems
from orders.models import Order, OrderProposal, ShippingMethod, Variant
from orders.services.counter_edit import counter_edit
from orders.services.editing import NoteWish
from orders.services.fulfilment import ShipmentWish
from orders.services.payments import RefundPiece, RefundWish
from orders.services.plan import Actor, apply, plan
from orders.services.proposing import EditWish, accept_proposal, keep_proposal, withdraw_proposal
from orders.services.repricing import Content
from orders.services.undo import UndoWish
from orders.tax import vat_of_import
from tests.invoices.makers import make_seller
from tests.makers import ROBOT, make_clerk, make_order, make_shop, make_tax_class, make_variant, quantity_edit, stock_of
from tests.orders.ecwid_documents import document, item, run

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
TEN_PERCENT = DraftDiscount("Ten", "PERCENT", Decimal(10))


@pytest.fixture(autouse=True)
def shop():
    make_variant("MUG", on_hand=20, price="12.00")
    make_variant("POT", on_hand=5, price="30.00")
    return make_shop()


def edit(order, *, actor=ROBOT, **wanted):
    """Apply an edit of `order` through the door."""
    return apply(EditWish(order_id=order.pk, edit=OrderEdit(**wanted), actor=actor)).or_raise()


def pot(quantity=1, **fields):
    return DraftLine(variant_id=Variant.objects.get(sku="POT").pk, quantity=quantity, **fields)


def sums(order):
    order.refresh_from_db()
    return order.subtotal, order.discount + order.coupon_discount, order.tax, order.total


def money(*amounts):
    return tuple(Decimal(amount) for amount in amounts)


def line_of(order, sku="MUG"):
    return order.lines.get(sku=sku, is_removed=False)


def everything(order):
    """All that an edit may move, to compare before and after."""
    columns = [f.attname for f in Order._meta.concrete_fields if f.attname not in ("version", "updated_at", "search")]
    skipped = {"is_oversold"}
    return (
        {name: Order.objects.values(name).get(pk=order.pk)[name] for name in columns if name not in skipped},
        list(order.lines.filter(is_removed=False).order_by("id").values()),
        list(order.discounts.order_by("id").values("label", "kind", "base", "value", "amount")),
        list(order.surcharges.order_by("id").values("label", "kind", "amount", "vat_rate")),
        list(order.addresses.order_by("kind").values("kind", "city", "country", "state")),
        [stock_of(sku) for sku in ("MUG", "POT")],
    )


# Bugs that Ecwid's editor shipped (domain, section 3).


def test_discount_is_right_after_adding_an_item():
    order = make_order(items={"MUG": 2}, discounts=(TEN_PERCENT,))
    edit(order, added=(pot(),), discounts_by=RECOMPUTE)
    assert sums(order) == money("54.00", "5.40", "8.10", "48.60")
    assert [line.discount_share for line in order.lines.order_by("id")] == list(money("2.40", "3.00"))


def test_reverse_charge_is_not_ignored():
    order = make_order(items={"MUG": 2}, reverse_charge=True)
    assert order.total == Decimal("20.00")
    edit(order, added=(pot(),))
    assert sums(order) == money("45.00", "0", "0", "45.00")
    assert {line.vat_category for line in order.lines.all()} == {"AE"}


def test_tax_is_not_lost_when_the_product_was_deleted_from_the_catalogue():
    order = make_order(items={"MUG": 2})
    Variant.objects.filter(sku="MUG").update(is_active=False)
    order.lines.update(variant=None)
    edit(order, added=(pot(),), columns={"tax_id": "DE129273398"}, prices=RECOMPUTE)
    assert sums(order) == money("54.00", "0", "9.00", "54.00")
    assert (line_of(order).vat_rate, line_of(order).vat_category) == (Decimal(20), "S")


def test_a_group_discount_is_not_taken_from_the_gift_card():
    order = make_order(items={"MUG": 5}, discounts=(TEN_PERCENT,), gift_card_amount=Decimal(20), gift_card_code="NOEL")
    assert order.total == Decimal("34.00")
    edit(order, lines=(LineEdit(line_of(order).pk, quantity=10),), discounts_by=RECOMPUTE)
    assert sums(order) == money("120.00", "12.00", "18.00", "88.00")


def test_removing_the_gift_card_is_applied():
    order = make_order(items={"MUG": 2}, gift_card_amount=Decimal(20), gift_card_code="NOEL")
    edit(order, columns={"gift_card_amount": Decimal(0), "gift_card_code": ""})
    assert sums(order)[3] == Decimal("24.00")
    assert (order.gift_card_amount, order.gift_card_code, order.tax) == (Decimal(0), "", Decimal("4.00"))


def test_the_summary_is_right_after_recalculation_with_a_gift_card():
    order = make_order(items={"MUG": 3}, gift_card_amount=Decimal(20))
    for quantity in (4, 5, 3):
        edit(order, lines=(LineEdit(line_of(order).pk, quantity=quantity),), prices=RECOMPUTE, discounts_by=RECOMPUTE, shipping=RECOMPUTE)
    assert sums(order) == money("36.00", "0", "6.00", "16.00")
    with pytest.raises(InvalidWish, match="gift card pays at most"):
        edit(order, lines=(LineEdit(line_of(order).pk, quantity=1),))


def test_an_uploaded_option_file_is_not_lost():
    upload = {"name": "Engraving", "type": "FILES", "files": [{"url": "https://example.com/lea.png"}]}
    lines = (DraftLine(sku="MUG", quantity=1, options=(upload, {"name": "Colour", "value": "blue"})),)
    order = make_order(lines=lines)
    edit(order, lines=(LineEdit(line_of(order).pk, quantity=2),), prices=RECOMPUTE)
    assert line_of(order).options == [upload, {"name": "Colour", "value": "blue"}]


def test_a_wholesale_price_is_reapplied():
    order = make_order(lines=(DraftLine(sku="MUG", quantity=10, price=Decimal("9.00")),))
    edit(order, lines=(LineEdit(line_of(order).pk, quantity=20),))
    assert sums(order)[3] == Decimal("180.00")
    Variant.objects.filter(sku="MUG").update(price=Decimal("8.50"))
    edit(order, prices=RECOMPUTE)
    assert sums(order)[3] == Decimal("170.00")


def test_a_fixed_shipping_rate_is_not_recalculated():
    ShippingMethod.objects.create(name="Post", rate=Decimal("6.90"))
    order = make_order(items={"MUG": 1}, shipping_method="Post", shipping_cost=Decimal("4.00"))
    edit(order, lines=(LineEdit(line_of(order).pk, quantity=2),))
    assert (sums(order)[3], order.shipping_cost) == money("28.00", "4.00")
    edit(order, shipping=RECOMPUTE)
    assert (sums(order)[3], order.shipping_cost) == money("30.90", "6.90")


def test_the_tax_split_is_not_lost():
    book = make_variant("BOOK", price="10.55", name="Book")
    book.product.tax_class = make_tax_class("books", "5.5")
    book.product.save()
    order = make_order(items={"MUG": 1, "BOOK": 1}, shipping_cost=Decimal("4.50"), discounts=(TEN_PERCENT,))
    edit(order, lines=(LineEdit(line_of(order).pk, quantity=2),), discounts_by=RECOMPUTE)
    fresh = make_order(items={"MUG": 2, "BOOK": 1}, shipping_cost=Decimal("4.50"), discounts=(TEN_PERCENT,))
    assert sums(order) == sums(fresh)
    assert groups_of(order) == groups_of(fresh)
    assert len(groups_of(order)) == 2


def test_the_exemption_flag_is_not_lost():
    order = make_order(items={"MUG": 2}, tax_exempt=True)
    edit(order, lines=(LineEdit(line_of(order).pk, quantity=3),))
    assert (sums(order)[2:], order.tax_exempt, line_of(order).vat_category) == (money("0", "30.00"), True, "E")


def test_included_tax_is_deducted_once():
    order = make_order(items={"MUG": 2})
    for _time in range(2):
        edit(order, columns={"tax_exempt": True}, prices=RECOMPUTE)
    assert sums(order) == money("20.00", "0", "0", "20.00")
    free = make_order(lines=(DraftLine(name="Gift wrap", price=Decimal("6.00"), vat_rate=Decimal(20)),))
    for _time in range(2):
        edit(free, columns={"tax_exempt": True}, prices=RECOMPUTE)
    assert sums(free) == money("5.00", "0", "0", "5.00")


# What an edit does.


def groups_of(order):
    return Content.of(order, list(order.lines.filter(is_removed=False)), list(order.addresses.all())).vat().groups


def test_keeping_everything_and_changing_nothing_changes_nothing():
    order = make_order(items={"MUG": 2}, discounts=(TEN_PERCENT,), shipping_cost=Decimal(5))
    before = everything(order)
    outcome = edit(order, columns={"tax_exempt": False, "shipping_cost": Decimal(5)}, lines=(LineEdit(line_of(order).pk, quantity=2),))
    assert (outcome.event, everything(order)) == (None, before)


def test_an_edit_of_everything_equals_a_fresh_order_of_the_same_content():
    ShippingMethod.objects.create(name="Post", rate=Decimal("6.90"))
    order = make_order(items={"MUG": 2})
    wanted = {"discounts": (DiscountEdit("Ten", "PERCENT", Decimal(10)),), "surcharges": (SurchargeEdit("Gift wrap", Decimal(3)),)}
    germany = {f"{kind}.country": "DE" for kind in ("billing", "shipping")}
    ticks = {"tax_id": "DE129273398", "tax_id_valid": True, "shipping_method": "Post"}
    again = {"prices": RECOMPUTE, "discounts_by": RECOMPUTE, "shipping": RECOMPUTE}
    edit(order, added=(pot(2),), columns=ticks, addresses=germany, **wanted, **again)
    person = Person(name="Léa Martin", country="DE")
    fresh = make_order(
        items={"MUG": 2, "POT": 2}, discounts=(TEN_PERCENT,), surcharges=(DraftSurcharge("Gift wrap", Decimal(3)),), billing=person,
        shipping=person, shipping_method="Post", tax_id="DE129273398", tax_id_valid=True,
    )  # fmt: skip
    assert sums(order) == sums(fresh)
    assert groups_of(order) == groups_of(fresh)
    assert {line.vat_category for line in order.lines.all()} == {"K"}


def test_stock_follows_the_edit():
    order = make_order("PAID", items={"MUG": 3, "POT": 1})
    mug, teapot = line_of(order), line_of(order, "POT")
    edit(order, lines=(LineEdit(mug.pk, quantity=5), LineEdit(teapot.pk, is_removed=True)))
    assert (stock_of("MUG"), stock_of("POT")) == ((20, 5), (5, 0))
    assert list(find_problems()) == []


def test_accepting_is_one_event_with_old_and_new_values():
    order = make_order(items={"MUG": 2})
    line = line_of(order)
    event = edit(
        order, lines=(LineEdit(line.pk, quantity=1, price=Decimal("11.00"), name="Mug, blue"),), added=(pot(),), reason="By phone"
    ).event
    told = event.changes
    assert (event.kind, event.reason) == ("edit", "By phone")
    assert told["total"] == {"from": "24.0000", "to": "41.0000"}
    assert told["quantities"] == {str(line.pk): {"from": 2, "to": 1, "name": "Article MUG"}}
    assert told["lines"][str(line.pk)]["values"]["name"] == {"from": "Article MUG", "to": "Mug, blue"}
    assert [row["added"] for row in told["lines"].values() if "added" in row] == [1]


def test_an_item_that_left_cannot_be_removed():
    order = make_order("PAID", items={"MUG": 3, "POT": 1})
    line = line_of(order)
    apply(ShipmentWish(order_id=order.pk, quantities={line.pk: 2}, actor=ROBOT)).or_raise()
    with pytest.raises(InvalidWish, match="can't be removed: 2 pieces were shipped") as refused:
        edit(order, lines=(LineEdit(line.pk, is_removed=True),))
    assert refused.value.field == f"line:{line.pk}:quantity"
    with pytest.raises(InvalidWish, match="at least 2"):
        edit(order, lines=(LineEdit(line.pk, quantity=1),))
    edit(order, lines=(LineEdit(line.pk, quantity=2),))
    assert sums(order)[3] == Decimal("54.00")


def test_an_item_that_was_refunded_cannot_be_removed():
    order = make_order("PAID", items={"MUG": 2, "POT": 1})
    line = line_of(order)
    apply(RefundWish(order_id=order.pk, pieces=(RefundPiece(line.pk, 1, 1, 0),), actor=ROBOT)).or_raise()
    with pytest.raises(InvalidWish, match="can't be removed: 1 piece was"):
        edit(order, lines=(LineEdit(line.pk, is_removed=True),))


def test_an_order_keeps_an_item():
    order = make_order(items={"MUG": 1})
    with pytest.raises(InvalidWish, match="at least one item"):
        edit(order, lines=(LineEdit(line_of(order).pk, is_removed=True),))


def test_selling_below_zero_needs_its_right():
    order = make_order(items={"MUG": 1})
    clerk = make_clerk("orders.change_order", "orders.view_order")
    with pytest.raises(NotEnoughStock):
        edit(order, added=(pot(6),))
    wish = EditWish(order_id=order.pk, edit=OrderEdit(added=(pot(6),)), actor=Actor.clerk(clerk), oversell=True)
    with pytest.raises(NotAllowed, match="below zero"):
        apply(wish).or_raise()
    apply(EditWish(order_id=order.pk, edit=wish.edit, actor=ROBOT, oversell=True)).or_raise()
    order.refresh_from_db()
    assert (order.is_oversold, stock_of("POT")) == (True, (5, 6))


def test_editing_needs_its_right():
    order = make_order(items={"MUG": 1})
    reader = Actor.clerk(make_clerk("orders.view_order"))
    with pytest.raises(NotAllowed):
        edit(order, added=(pot(),), actor=reader)
    with pytest.raises(NotAllowed):
        keep_proposal(order, OrderEdit(added=(pot(),)), actor=reader, base_version=order.version, base_event=0)


def test_a_total_never_falls_below_what_refunds_took_off():
    order = make_order("PAID", items={"MUG": 3})
    apply(RefundWish(order_id=order.pk, amount=Decimal(30), actor=ROBOT)).or_raise()
    with pytest.raises(InvalidWish, match="refunds took off"):
        edit(order, lines=(LineEdit(line_of(order).pk, price=Decimal(5)),))


def test_a_field_that_is_wrong_is_named():
    order = make_order(items={"MUG": 1})
    pk = line_of(order).pk
    for wanted, field in (
        ({"lines": (LineEdit(pk, price=Decimal(-1)),)}, f"line:{pk}:price"),
        ({"lines": (LineEdit(pk, discount=Decimal(13)),)}, f"line:{pk}:discount"),
        ({"lines": (LineEdit(pk, name=" "),)}, f"line:{pk}:name"),
        ({"discounts": (DiscountEdit("", "PERCENT", Decimal(101)),)}, "discounts[0].value"),
        ({"discounts": (DiscountEdit("", "ABS", Decimal(13)),)}, "discounts"),
        ({"columns": {"shipping_cost": Decimal(-1)}}, "shipping_cost"),
        ({"addresses": {"billing.country": "XX"}}, "billing.country"),
        ({"added": (DraftLine(name="Wrap"),)}, "items[0].price"),
    ):
        with pytest.raises(InvalidWish) as refused:
            edit(order, **wanted)
        assert refused.value.field == field


# Imported orders: the totals are the truth.


def imported(**fields):
    taxes = [{"name": "TVA", "value": 20, "total": 4.0, "taxOnDiscountedSubtotal": 4.0, "includeInPrice": True}]
    run(document("A1", **({"tax": 4.0, "items": [item(taxes=taxes, tax=4.0)]} | fields)))
    return Order.objects.get(number="A1")


def test_an_imported_order_is_edited_and_its_taxes_still_carry_an_invoice():
    order = imported()
    edit(order, lines=(LineEdit(order.lines.get().pk, quantity=3),), added=(pot(),))
    assert sums(order) == money("66.00", "0", "11.00", "66.00")
    vat = vat_of_import(order, list(order.lines.order_by("id")))
    assert (vat.vat, vat.gross) == money("11.00", "66.00")


def test_a_total_that_never_added_up_keeps_its_difference_unless_it_is_worked_out_anew():
    order = imported(total=25.5, pricesIncludeTax=True)
    assert order.totals_warning
    edit(order, lines=(LineEdit(order.lines.get().pk, quantity=3),))
    assert (sums(order)[3], bool(order.totals_warning)) == (Decimal("37.50"), True)
    edit(order, difference=RECOMPUTE)
    assert (sums(order)[3], order.totals_warning) == (Decimal("36.00"), [])


# Taking an edit back, and two people.


def test_a_counter_proposal_restores_everything_to_the_cent():
    order = make_order("PAID", items={"MUG": 3, "POT": 1}, discounts=(TEN_PERCENT,), shipping_cost=Decimal("4.90"))
    before = everything(order)
    event = edit(
        order, lines=(LineEdit(line_of(order).pk, quantity=1), LineEdit(line_of(order, "POT").pk, is_removed=True)),
        added=(pot(2, price=Decimal("27.77")),), columns={"tax_exempt": True, "gift_card_amount": Decimal(3)},
        discounts=(DiscountEdit("Third", "PERCENT", Decimal("33.3")),), surcharges=(SurchargeEdit("Wrap", Decimal(2)),),
        addresses={"shipping.city": "Rennes"}, prices=RECOMPUTE,
    ).event  # fmt: skip
    assert everything(order) != before
    apply(EditWish(order_id=order.pk, edit=counter_edit(event), actor=ROBOT)).or_raise()
    assert everything(order) == before
    assert list(find_problems()) == []


def test_undo_restores_everything_to_the_cent():
    order = make_order("PAID", items={"MUG": 3, "POT": 1}, discounts=(TEN_PERCENT,))
    before = everything(order)
    event = edit(order, lines=(LineEdit(line_of(order, "POT").pk, is_removed=True),), added=(pot(3),), discounts_by=RECOMPUTE).event
    assert everything(order) != before
    apply(UndoWish(order_id=order.pk, event_id=event.pk, actor=ROBOT)).or_raise()
    assert everything(order) == before
    assert list(find_problems()) == []


def test_an_edit_is_taken_back_beside_what_came_after_it():
    order = make_order(items={"MUG": 2})
    event = edit(order, added=(pot(),)).event
    edit(order, lines=(LineEdit(line_of(order).pk, quantity=4),))
    apply(EditWish(order_id=order.pk, edit=counter_edit(event), actor=ROBOT)).or_raise()
    assert sums(order)[3] == Decimal("48.00")
    assert [line.sku for line in order.lines.filter(is_removed=False)] == ["MUG"]


def proposal(order, *, actor=ROBOT, **wanted):
    return keep_proposal(order, OrderEdit(**wanted), actor=actor, base_version=order.version, base_event=order.events.latest("pk").pk)


def test_a_change_by_somebody_else_refuses_the_stale_proposal():
    order = make_order(items={"MUG": 2})
    row = proposal(order, added=(pot(),))
    apply(quantity_edit(order, 3)).or_raise()
    with pytest.raises(StaleOrder):
        accept_proposal(row, actor=ROBOT)
    row.refresh_from_db()
    assert (row.state, sums(order)[3]) == ("open", Decimal("36.00"))


def test_accepting_twice_is_accepting_once():
    order = make_order(items={"MUG": 2})
    row = proposal(order, added=(pot(),))
    event = accept_proposal(row, actor=ROBOT).event
    assert accept_proposal(row, actor=ROBOT).event is None
    row.refresh_from_db()
    assert (row.state, row.event, sums(order)[3]) == ("accepted", event, Decimal("54.00"))


def test_a_withdrawn_proposal_does_nothing():
    order = make_order(items={"MUG": 2})
    row = proposal(order, added=(pot(),))
    withdraw_proposal(row, actor=ROBOT)
    with pytest.raises(StaleOrder, match="withdrawn"):
        accept_proposal(row, actor=ROBOT)
    assert sums(order)[3] == Decimal("24.00")


def test_an_order_has_one_open_proposal():
    order = make_order(items={"MUG": 2})
    first, second = proposal(order, added=(pot(),)), proposal(order, added=(pot(2),))
    assert (first.pk, OrderProposal.objects.count()) == (second.pk, 1)
    assert OrderEdit.from_json(second.body).added[0].quantity == 2


def test_an_edit_survives_being_stored():
    order = make_order(items={"MUG": 2})
    wanted = OrderEdit(
        lines=(LineEdit(line_of(order).pk, price=Decimal("11.50"), options=({"name": "Colour", "value": "blue"},)),), added=(pot(),),
        columns={"gift_card_amount": Decimal(3), "tax_exempt": True}, discounts=(DiscountEdit("Ten", "PERCENT", Decimal(10)),),
        surcharges=(), prices=RECOMPUTE,
    )  # fmt: skip
    assert OrderEdit.from_json(wanted.as_json()) == wanted


# An issued invoice is never edited.


def invoiced(**fields):
    make_seller()
    order = make_order("PAID", items={"MUG": 2}, **fields)
    return order, issue_invoice(order.pk, actor=ROBOT)


def test_an_edit_of_an_invoiced_order_asks_for_a_reason():
    order, invoice = invoiced()
    wish = EditWish(order_id=order.pk, edit=OrderEdit(added=(pot(),)), actor=ROBOT)
    (change,) = plan(wish).changes
    assert invoice.number in change.needs_reason
    with pytest.raises(InvalidWish, match="Say why") as refused:
        apply(wish).or_raise()
    assert refused.value.field == "reason"


def test_a_credit_note_and_a_new_invoice_replace_the_issued_one():
    order, invoice = invoiced()
    edit(order, added=(pot(),), reason="One pot more")
    release_documents()
    credit, new = Invoice.objects.order_by("pk")[1:]
    assert (credit.refers, credit.gross, credit.reason) == (invoice, Decimal("24.00"), "edit")
    assert (new.gross, new.vat) == money("54.00", "9.00")
    assert PendingDocument.objects.get().state == "issued"


def test_a_second_edit_overtakes_the_replacement_that_waits():
    order, _invoice = invoiced()
    edit(order, added=(pot(),), reason="One pot more")
    edit(order, lines=(LineEdit(line_of(order).pk, quantity=1),), reason="One mug less")
    assert sorted(PendingDocument.objects.values_list("state", flat=True)) == ["cancelled", "waiting"]
    release_documents()
    assert [invoice.gross for invoice in Invoice.objects.invoices().order_by("pk")] == list(money("24.00", "42.00"))


def test_the_invoice_stands_when_nothing_that_it_says_changes():
    order, _invoice = invoiced()
    edit(order, columns={"payment_method": "Cheque"}, reason="Paid otherwise")
    assert not PendingDocument.objects.exists()


def test_a_note_in_between_is_no_change():
    order = make_order(items={"MUG": 2})
    apply(NoteWish(order_id=order.pk, text="Call back", actor=ROBOT)).or_raise()
    order.refresh_from_db()
    edit(order, lines=(LineEdit(line_of(order).pk, quantity=3),))
    assert sums(order)[3] == Decimal("36.00")
