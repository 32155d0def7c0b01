"""Two clerks change one order: what does not overlap is put together, what does is shown and chosen, nothing is lost."""

import re
from html import unescape

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from orders.merging import Outcome, merge, merge_names
from orders.models import Order, OrderAddress
from orders.services.contact import ContactWish
from orders.services.editing import DetailsWish, HoldWish, NoteWish
from orders.services.plan import Actor, apply
from tests.makers import make_clerk, make_order, make_shop, make_variant

TEXTS = st.dictionaries(st.sampled_from(["name", "city", "phone"]), st.sampled_from(["", "a", "b", "c"]), min_size=3, max_size=3)
NAMES = st.lists(st.sampled_from(["Gift", "Pro", "Late", "Fragile"]), unique=True).map(", ".join)


@given(seen=TEXTS, now=TEXTS, wanted=TEXTS)
def test_a_merge_loses_nothing_that_does_not_overlap(seen, now, wanted):
    for name, found in merge(seen, now, wanted).items():
        mine, theirs = wanted[name] != seen[name], now[name] != seen[name]
        overlaps = mine and theirs and wanted[name] != now[name]
        assert (found.outcome == Outcome.OVERLAP) == overlaps
        assert found.value == (wanted[name] if mine and not overlaps else now[name])


@given(seen=TEXTS, now=TEXTS, wanted=TEXTS)
def test_who_comes_first_makes_no_difference_where_nothing_overlaps(seen, now, wanted):
    one, other = merge(seen, now, wanted), merge(seen, wanted, now)
    assert {n: f.value for n, f in one.items() if f.outcome != Outcome.OVERLAP} == {
        n: f.value for n, f in other.items() if f.outcome != Outcome.OVERLAP
    }


@given(seen=TEXTS, wanted=TEXTS)
def test_alone_i_get_what_i_want(seen, wanted):
    assert {name: found.value for name, found in merge(seen, seen, wanted).items()} == wanted


@given(seen=NAMES, now=NAMES, wanted=NAMES)
def test_tags_of_both_are_there_and_what_either_removed_is_not(seen, now, wanted):
    before, theirs, mine, found = (set(filter(None, text.split(", "))) for text in (seen, now, wanted, merge_names(seen, now, wanted)))
    assert found == (theirs | (mine - before)) - (before - mine - (theirs - before))
    assert not found & (before - mine)


@pytest.fixture
def clerks(client, db):
    make_shop()
    make_variant("MUG", on_hand=10)
    ines, paul = make_clerk(username="ines", superuser=True), make_clerk(username="paul", superuser=True)
    client.force_login(ines)
    client.paul = Actor.clerk(paul)
    return client


def place(order, name, *parts):
    return reverse(f"admin:orders_order_{name}", args=[order.pk, *parts])


def sent(response, **changed):
    """What a browser would send of the form in `response`."""
    page = response.content.decode()
    form = page[page.index('id="panel-form"') : page.index("</form>", page.index('id="panel-form"'))]
    data = {}
    for tag in re.findall(r"<input[^>]*>", form):
        values = dict(re.findall(r'(name|value|type)="([^"]*)"', tag))
        ticked = values.get("type") not in ("checkbox", "radio") or " checked" in tag
        if "name" in values and ticked:
            data[values["name"]] = unescape(values.get("value", "on" if values.get("type") == "checkbox" else ""))
    for name, text in re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>\n?(.*?)</textarea>', form, re.DOTALL):
        data[name] = unescape(text)
    for name, options in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        data[name] = chosen.group(1) if chosen else ""
    return data | changed


def reload(order):
    return Order.objects.get(pk=order.pk)


def contact_of(order):
    return reload(order).phone, order.addresses.get(kind="shipping").street, order.addresses.get(kind="billing").city


def test_changes_of_different_fields_are_both_kept(clerks):
    order = make_order("PAID")
    form = clerks.get(place(order, "contact"))
    apply(ContactWish(order_id=order.pk, actor=clerks.paul, values={"phone": "01 02"}, addresses={"billing.city": "Rezé"})).or_raise()
    conflict = clerks.post(place(order, "contact"), sent(form, **{"shipping-street": "9 quai Malakoff"}))
    page = conflict.content.decode()
    assert (conflict.status_code, contact_of(order)) == (409, ("01 02", "4 rue des Lilas", "Rezé"))
    assert "Both changes are kept." in page
    assert "choose-" not in page
    assert '<b class="strong">paul</b>' in page
    assert clerks.post(place(order, "contact"), sent(conflict)).status_code == 302
    assert contact_of(order) == ("01 02", "9 quai Malakoff", "Rezé")


def test_the_same_field_shows_both_and_keeps_theirs_until_somebody_chooses(clerks):
    order = make_order("PAID")
    form = clerks.get(place(order, "contact"))
    seen = reload(order).phone
    apply(ContactWish(order_id=order.pk, actor=clerks.paul, values={"phone": "01 02"})).or_raise()
    conflict = clerks.post(place(order, "contact"), sent(form, phone="07 08", po_number="PO-9"))
    (row,) = conflict.context["conflict"].overlaps
    assert (row.label, row.seen, row.now, row.wanted, row.by) == ("Phone", seen or "empty", "01 02", "07 08", "paul")
    theirs = sent(conflict)
    assert theirs["choose-phone"] == "theirs"
    clerks.post(place(order, "contact"), theirs)
    assert (reload(order).phone, reload(order).po_number) == ("01 02", "PO-9")


def test_mine_can_be_chosen(clerks):
    order = make_order("PAID")
    form = clerks.get(place(order, "contact"))
    apply(ContactWish(order_id=order.pk, actor=clerks.paul, values={"phone": "01 02"})).or_raise()
    conflict = clerks.post(place(order, "contact"), sent(form, phone="07 08"))
    clerks.post(place(order, "contact"), sent(conflict, **{"choose-phone": "mine"}))
    assert reload(order).phone == "07 08"
    assert order.events.first().changes == {"phone": {"from": "01 02", "to": "07 08"}}


def test_a_third_change_during_the_choice_is_a_conflict_again(clerks):
    order = make_order("PAID")
    form = clerks.get(place(order, "contact"))
    apply(ContactWish(order_id=order.pk, actor=clerks.paul, values={"phone": "01 02"})).or_raise()
    conflict = clerks.post(place(order, "contact"), sent(form, phone="07 08"))
    apply(ContactWish(order_id=order.pk, actor=clerks.paul, values={"phone": "03 04"})).or_raise()
    again = clerks.post(place(order, "contact"), sent(conflict, **{"choose-phone": "mine"}))
    (row,) = again.context["conflict"].overlaps
    assert (again.status_code, row.now, row.wanted, reload(order).phone) == (409, "03 04", "07 08", "03 04")


def test_a_preview_does_not_hide_that_the_order_moved(clerks):
    order = make_order("PAID")
    form = clerks.get(place(order, "contact"))
    apply(ContactWish(order_id=order.pk, actor=clerks.paul, values={"phone": "01 02"})).or_raise()
    preview = clerks.post(place(order, "contact"), sent(form, phone="07 08", preview="1"))
    kept = sent(preview, phone="07 08")
    assert clerks.post(place(order, "contact"), kept).status_code == 409
    assert reload(order).phone == "01 02"


def test_a_note_meanwhile_stands_in_nobodys_way(clerks):
    order = make_order("PAID")
    form = clerks.get(place(order, "details"))
    apply(NoteWish(order_id=order.pk, actor=clerks.paul, text="Rang twice")).or_raise()
    conflict = clerks.post(place(order, "details"), sent(form, tags="Gift", follow_up_on="2026-12-01"))
    assert "Rang twice" in conflict.content.decode()
    clerks.post(place(order, "details"), sent(conflict))
    assert ([tag.name for tag in order.tags.all()], str(reload(order).follow_up_on)) == (["Gift"], "2026-12-01")


def test_tags_of_two_clerks_are_put_together(clerks):
    order = make_order("PAID", tags=("Old",))
    form = clerks.get(place(order, "details"))
    apply(DetailsWish(ids=[order.pk], actor=clerks.paul, add_tags=["Fragile"], remove_tags=["Old"])).or_raise()
    conflict = clerks.post(place(order, "details"), sent(form, tags="Old, Gift"))
    assert conflict.context["conflict"].overlaps == []
    clerks.post(place(order, "details"), sent(conflict))
    assert sorted(tag.name for tag in order.tags.all()) == ["Fragile", "Gift"]


def test_two_reasons_for_a_hold_are_shown(clerks):
    order = make_order("PAID")
    form = clerks.get(place(order, "hold"))
    apply(HoldWish(ids=[order.pk], actor=clerks.paul, held=True, reason="Address")).or_raise()
    conflict = clerks.post(place(order, "hold"), sent(form, reason="Fraud?"))
    assert [(row.now, row.wanted) for row in conflict.context["conflict"].overlaps] == [("Address", "Fraud?")]
    clerks.post(place(order, "hold"), sent(conflict, **{"choose-reason": "mine"}))
    assert (reload(order).is_held, reload(order).hold_reason) == (True, "Fraud?")


def quick(client, order, do, value="", **fields):
    data = {"do": do, "value": value, "version": order.version, "opened": "", "since": 0} | fields
    return client.post(place(order, "quick"), data)


def test_small_changes_of_two_clerks_do_not_disturb_each_other(clerks):
    order = make_order("PAID")
    apply(DetailsWish(ids=[order.pk], actor=clerks.paul, add_tags=["Fragile"])).or_raise()
    assert quick(clerks, order, "add-tag", "Gift").status_code == 302
    assert quick(clerks, order, "follow-up", "2026-12-01").status_code == 302
    assert (sorted(tag.name for tag in order.tags.all()), str(reload(order).follow_up_on)) == (["Fragile", "Gift"], "2026-12-01")


def test_two_clerks_who_take_one_order_see_each_other(clerks):
    order, paul = make_order("PAID"), clerks.paul.user
    apply(DetailsWish(ids=[order.pk], actor=clerks.paul, values={"assignee_id": paul.pk})).or_raise()
    ines = str(clerks.session["_auth_user_id"])
    conflict = quick(clerks, order, "assign", ines)
    (row,) = conflict.context["conflict"].overlaps
    assert (conflict.status_code, row.now, row.wanted, row.by) == (409, "paul", "ines", "paul")
    clerks.post(place(order, "details"), sent(conflict, **{"choose-assignee": "mine"}))
    assert str(reload(order).assignee_id) == ines


def test_what_was_opened_may_be_rubbish(clerks):
    order = make_order("PAID")
    form = clerks.get(place(order, "contact"))
    apply(ContactWish(order_id=order.pk, actor=clerks.paul, values={"phone": "01 02"})).or_raise()
    for rubbish in ("{", "[1]", '{"phone": 7}'):
        answer = clerks.post(place(order, "contact"), sent(form, phone="07 08", opened=rubbish, since="x"))
        assert (answer.status_code, reload(order).phone) == (409, "01 02")


def test_an_address_that_was_not_there_is_made_and_undone(clerks):
    order = make_order("PAID", billing=None)
    assert order.addresses.filter(kind=OrderAddress.Kind.BILLING).count() == 0
    data = sent(clerks.get(place(order, "contact")), **{"billing-street": "1 place Royale", "billing-country": "FR"})
    clerks.post(place(order, "contact"), data)
    assert order.addresses.get(kind="billing").as_lines() == ["1 place Royale", "France"]
    clerks.post(reverse("mail:undo", args=[order.events.first().pk]), {"next": "/admin/"})
    assert order.addresses.filter(kind=OrderAddress.Kind.BILLING).count() == 0


def test_a_look_at_a_form_that_is_behind_leaves_what_others_did_alone_and_leads_on(clerks):
    order = make_order("PAID")
    form = clerks.get(place(order, "contact"))
    apply(ContactWish(order_id=order.pk, actor=clerks.paul, values={"phone": "01 02"})).or_raise()
    looked = clerks.post(place(order, "contact"), sent(form, po_number="PO-9", preview="1"))
    page = looked.content.decode()
    assert "The order changed since you opened this. Apply to see both changes side by side" in page
    assert [row for effect in looked.context["effects"] for row in effect.differences] == [("purchase order", "", "PO-9")]
    assert looked.context["can_apply"]


def test_a_look_when_both_typed_the_same_can_still_be_applied(clerks):
    order = make_order("PAID")
    form = clerks.get(place(order, "contact"))
    apply(ContactWish(order_id=order.pk, actor=clerks.paul, values={"phone": "01 02"})).or_raise()
    looked = clerks.post(place(order, "contact"), sent(form, phone="07 08", preview="1"))
    assert (looked.context["is_unchanged"], looked.context["can_apply"]) == (True, True)
    assert clerks.post(place(order, "contact"), sent(looked, phone="07 08")).status_code == 409


def test_a_look_at_a_refund_says_that_the_order_moved(clerks):
    order = make_order("PAID", items={"MUG": 3})
    form = clerks.get(place(order, "refund"))
    apply(ContactWish(order_id=order.pk, actor=clerks.paul, values={"phone": "01 02"})).or_raise()
    looked = clerks.post(place(order, "refund"), sent(form, amount="5", preview="1"))
    assert "What you see below is worked out anew. Latest change: Details changed, paul." in looked.content.decode()
    assert clerks.post(place(order, "refund"), sent(looked)).status_code == 302
    assert reload(order).refunded_total == 5
