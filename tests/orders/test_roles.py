"""What each role may do: the built-in ones, the limit of refunds, a right per axis, and what nobody can give."""

import re
from decimal import Decimal
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.template.loader import render_to_string
from django.urls import reverse

from orders.errors import NotAllowed
from orders.models import Order, Role
from orders.roles import BUILT_IN, GRANTABLE, LETTERS, UNUSED, UNUSED_MODELS, ensure_roles, permissions_of
from orders.services.editing import HoldWish, NoteWish
from orders.services.limits import refund_limit
from orders.services.payments import RefundWish
from orders.services.plan import Actor, apply, plan
from orders.services.role_changes import RoleFacts, change_role, create_role, delete_role, permissions_in, plan_role
from orders.services.status import StatusWish
from orders.services.undo import UndoWish
from tests.makers import CLERK, make_clerk, make_order, make_shop, set_status

pytestmark = pytest.mark.django_db


def role(code):
    return Role.objects.select_related("group").get(code=code)


def make_person(*codes, username="person"):
    person = make_clerk(username=username)
    person.groups.set([role(code).group for code in codes])
    return User.objects.get(pk=person.pk)


def actor(*codes, **fields):
    return Actor.clerk(make_person(*codes, **fields))


def refund(order, amount, who):
    return RefundWish(order_id=order.pk, actor=who, amount=Decimal(amount), reason="Chipped")


def test_every_permission_is_a_right_of_the_table_or_named_as_unused():
    unknown = []
    for permission in Permission.objects.filter(content_type__app_label__in=("orders", "invoices", "notifications")):
        app, model = permission.content_type.app_label, permission.content_type.model
        name = f"{app}.{permission.codename}"
        plain = permission.codename in {f"{verb}_{model}" for verb in ("add", "change", "delete", "view")}
        if name not in GRANTABLE | UNUSED and not (f"{app}.{model}" in UNUSED_MODELS and plain):
            unknown.append(name)
    assert unknown == []


def test_every_right_of_the_table_exists():
    names = {f"{app}.{name}" for app, name in Permission.objects.values_list("content_type__app_label", "codename")}
    assert GRANTABLE - names == set()


def test_every_shop_has_the_built_in_roles_with_the_rights_of_the_table():
    assert [r.group.name for r in Role.objects.all()] == [built_in.english for built_in in BUILT_IN]
    assert {code: permissions_in(role(code)) for code in LETTERS.values()} == {code: permissions_of(code) for code in LETTERS.values()}
    assert role("owner").group.permissions.count() == len(GRANTABLE)


def test_a_right_that_was_taken_away_stays_away_and_a_new_one_is_given_once():
    clerk = role("clerk")
    clerk.group.permissions.remove(Permission.objects.get(codename="cancel_order"))
    clerk.offered = [name for name in clerk.offered if name != "orders.add_note"]  # as before that right was invented
    clerk.save()
    clerk.group.permissions.remove(Permission.objects.get(codename="add_note"))
    ensure_roles(apps.get_app_config("orders"))
    assert permissions_of("clerk") - permissions_in(role("clerk")) == {"orders.cancel_order"}


def test_a_group_of_the_shop_becomes_a_role_and_keeps_its_rights():
    group = Group.objects.create(name="Weekend")
    group.permissions.add(Permission.objects.get(codename="view_order"))
    ensure_roles(apps.get_app_config("orders"))
    assert permissions_in(group.role) == {"orders.view_order"}
    assert group.role.code == ""


def test_roles_are_made_anew_beside_a_group_of_the_same_name():
    role("manager").group.delete()
    Group.objects.create(name="Manager")
    ensure_roles(apps.get_app_config("orders"))
    assert role("manager").group.name == "Manager (built-in)"


def test_a_packer_ships_and_says_nothing_about_money():
    order, packer = make_order("AWAITING_PAYMENT"), actor("packer")
    assert plan(StatusWish(ids=[order.pk], actor=packer, fulfilment="PROCESSING")).refusals == {}
    refused = plan(StatusWish(ids=[order.pk], actor=packer, payment="PAID")).refusals[order.pk]
    assert str(refused) == "You may not change the payment status of orders."
    assert plan(StatusWish(ids=[order.pk], actor=packer, payment="PAID", fulfilment="SHIPPED")).refusals.keys() == {order.pk}


def test_an_accountant_sets_no_status_of_the_parcel():
    order, accountant = make_order("PAID"), actor("accountant")
    assert str(plan(StatusWish(ids=[order.pk], actor=accountant, fulfilment="SHIPPED")).refusals[order.pk]).startswith("You may not change")


def test_a_tracking_number_needs_the_right_to_record_parcels():
    order, clerk = make_order("PAID"), Actor.clerk(make_clerk("orders.change_order_status"))
    wish = StatusWish(ids=[order.pk], actor=clerk, fulfilment="SHIPPED", tracking_number="6A1")
    assert str(plan(wish).refusals[order.pk]) == "You may not record shipments."


def test_who_changed_the_payment_status_needs_its_right_to_undo():
    order = make_order("PAID")
    event = set_status(order, payment="AWAITING_PAYMENT", actor=CLERK).events[0]
    assert plan(UndoWish(order_id=order.pk, event_id=event.pk, actor=actor("packer"))).refusals.keys() == {order.pk}
    assert plan(UndoWish(order_id=order.pk, event_id=event.pk, actor=actor("clerk", username="ines"))).refusals == {}


def test_a_reader_writes_no_notes_and_a_packer_does():
    order = make_order("PAID")
    assert apply(NoteWish(order_id=order.pk, actor=actor("reader"), text="Hello")).refusals.keys() == {order.pk}
    assert len(apply(NoteWish(order_id=order.pk, actor=actor("packer", username="paul"), text="Packed")).events) == 1


def test_a_clerk_refunds_up_to_the_limit_and_is_told_who_may_do_more():
    make_shop()
    order, clerk = make_order("PAID", items={"MUG": 10}), actor("clerk")
    assert plan(refund(order, "100", clerk)).refusals == {}
    refused = plan(refund(order, "100.01", clerk)).refusals[order.pk]
    assert isinstance(refused, NotAllowed)
    assert str(refused) == "You may refund up to €100.00. More is for: Owner, Manager."
    assert apply(refund(order, "100.01", clerk)).refusals.keys() == {order.pk}
    assert Order.objects.get(pk=order.pk).refunded_total == 0


def test_a_status_that_records_a_refund_keeps_to_the_limit():
    order, clerk = make_order("PAID", items={"MUG": 10}), actor("clerk")
    wish = StatusWish(ids=[order.pk], actor=clerk, payment="REFUNDED", record=True)
    assert str(plan(wish).refusals[order.pk]).startswith("You may refund up to")
    wish.record = False
    assert plan(wish).refusals == {}


@pytest.mark.parametrize(
    ("codes", "limit"), [(("clerk",), Decimal(100)), (("clerk", "manager"), None), (("clerk", "packer"), Decimal(100)), (("owner",), None)]
)
def test_the_largest_limit_of_the_roles_that_may_refund_counts(codes, limit):
    assert refund_limit(make_person(*codes)) == limit


def test_a_right_given_directly_has_no_limit():
    person = make_person("clerk")
    person.user_permissions.add(Permission.objects.get(codename="refund_order"))
    assert refund_limit(User.objects.get(pk=person.pk)) is None
    assert refund_limit(None) is None
    assert refund_limit(make_clerk(superuser=True, username="root")) is None


def test_the_panel_says_the_limit_before_the_click(client):
    make_shop()
    order = make_order("PAID")
    client.force_login(make_person("clerk"))
    page = client.get(reverse("admin:orders_order_refund", args=[order.pk])).content.decode()
    assert "You may refund up to €100.00. More is for: Owner, Manager." in page


def facts_of(of, *, add=(), take=(), **fields):
    keys = set(permissions_in(of)) | set(add)
    return RoleFacts(
        **{"name": of.group.name, "keys": keys - set(take), "refund_limit": of.refund_limit, "default_view": of.default_view} | fields
    )


def test_the_plan_of_a_role_tells_who_gains_and_who_loses_what():
    person, owner = make_person("packer", username="paul"), actor("owner", username="camille")
    planned = plan_role(role("packer"), facts_of(role("packer"), add=["orders.add_order"], take=["orders.add_note"]), owner)
    assert [str(right.label) for right in planned.gained] == ["Create orders"]
    assert [str(right.label) for right in planned.lost] == ["Write notes"]
    assert list(planned.people) == [person]
    assert permissions_in(role("packer")) == permissions_of("packer")  # planning changes nothing


def test_changing_a_role_changes_what_people_may_do_at_once():
    person, owner = make_person("packer", username="paul"), actor("owner", username="camille")
    change_role(role("packer"), facts_of(role("packer"), add=["orders.add_order"], take=["orders.add_note"]), owner)
    person = User.objects.get(pk=person.pk)
    assert (person.has_perm("orders.add_order"), person.has_perm("orders.add_note")) == (True, False)


def test_nobody_gives_a_role_what_they_do_not_have():
    role("manager").group.permissions.add(Permission.objects.get(codename="manage_staff"))
    role("manager").group.permissions.remove(Permission.objects.get(codename="import_order"))
    manager = actor("manager")
    with pytest.raises(NotAllowed, match="Import orders"):
        change_role(role("packer"), facts_of(role("packer"), add=["orders.import_order"]), manager)
    with pytest.raises(NotAllowed, match="Ask an owner"):
        change_role(role("owner"), facts_of(role("owner"), name="Boss"), manager)


def test_nobody_gives_a_larger_refund_limit_than_their_own():
    role("clerk").group.permissions.add(Permission.objects.get(codename="manage_staff"))
    clerk = actor("clerk")
    with pytest.raises(NotAllowed, match="larger refund limit"):
        change_role(role("clerk"), facts_of(role("clerk"), refund_limit=Decimal(500)), clerk)


def test_the_rights_of_an_owner_cannot_be_taken_away():
    from orders.errors import InvalidWish

    with pytest.raises(InvalidWish, match="may do everything"):
        change_role(role("owner"), facts_of(role("owner"), take=["orders.manage_staff"]), actor("owner"))
    assert "orders.manage_staff" in permissions_in(role("owner"))


def test_a_role_of_ones_own_is_made_renamed_and_deleted_once_nobody_has_it():
    from orders.errors import InvalidWish

    owner = actor("owner")
    made = create_role(RoleFacts(name="Weekend", keys={"orders.view_order", "orders.ship_order"}), owner)
    assert permissions_in(made) == {"orders.view_order", "orders.ship_order"}
    person = make_clerk(username="zoe")
    person.groups.add(made.group)
    with pytest.raises(InvalidWish, match="Somebody has this role"):
        delete_role(made, owner)
    person.groups.clear()
    delete_role(made, owner)
    assert not Group.objects.filter(name="Weekend").exists()
    with pytest.raises(InvalidWish, match="Built-in"):
        delete_role(role("reader"), owner)


@pytest.mark.parametrize("field", ["orders.order.customer", "orders.draft.customer"])
def test_completing_a_field_is_refused_to_who_may_not_see_what_it_completes(client, field):
    client.force_login(make_person("packer"))
    app, model, name = field.split(".")
    asked = {"app_label": app, "model_name": model, "field_name": name, "term": "lea"}
    assert client.get(reverse("admin:autocomplete"), asked).status_code == 403


def test_the_palette_finds_nothing_that_a_packer_may_not_see(client):
    make_shop()
    make_order("PAID")
    client.force_login(make_person("packer"))
    groups = client.get(reverse("admin:search"), {"q": "martin"}).context["groups"]
    assert [str(group.title) for group in groups] == ["Orders"]


def test_suggesting_customers_needs_the_right_to_see_them(client):
    make_shop()
    make_order("PAID")
    client.force_login(make_clerk("orders.add_order", username="temp"))
    place = reverse("admin:orders_order_add")
    assert client.get(place, {"suggest": "customers", "customer_search": "lea"}).status_code == 403
    assert client.get(place, {"suggest": "articles", "article_search": "mug"}).status_code == 200


def test_the_page_of_a_refusal_names_the_right_and_an_owner(client):
    make_person("owner", username="camille")
    User.objects.filter(username="camille").update(first_name="Camille", last_name="Durand")
    client.force_login(make_person("packer"))
    page = client.get(reverse("admin:orders_customer_changelist"))
    text = page.content.decode()
    assert page.status_code == 403
    assert "For this page you need the right “See customers”." in text
    assert "Camille Durand" in text


def test_buttons_of_what_a_reader_may_not_do_are_absent(client):
    make_shop()
    order = make_order("PAID")
    client.force_login(make_person("reader"))
    page = client.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    for name in ("payment", "refund", "shipment", "hold", "details"):
        assert reverse(f"admin:orders_order_{name}", args=[order.pk]) not in page
    assert "payment-menu" not in page
    assert "fulfilment-menu" not in page


def test_whoever_had_the_wider_right_keeps_what_was_split_off():
    split = import_module("orders.migrations.0006_share_rights")
    group, person = Group.objects.create(name="Old hands"), make_clerk("orders.change_order", username="old")
    group.permissions.add(Permission.objects.get(codename="change_order_status"))
    split.share_rights(apps, None)
    assert set(group.permissions.values_list("codename", flat=True)) == {"change_order_status", "change_payment_status"}
    assert User.objects.get(pk=person.pk).has_perm("orders.add_note")
    assert not User.objects.get(pk=person.pk).has_perm("orders.change_payment_status")


def test_a_packer_sees_neither_payments_nor_what_a_customer_spent(client):
    order = make_order("PAID", email="lea@example.com")
    Order.objects.filter(pk=make_order("PAID").pk).update(customer=order.customer)
    seen = {}
    for code in LETTERS.values():
        client.force_login(make_person(code, username=code))
        page = client.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
        seen[code] = ('id="h-pay"' in page, "Without what was cancelled or refunded" in page)
    assert seen == {code: (code != "packer", code != "packer") for code in LETTERS.values()}


def test_roles_of_the_shops_own_making_go_on_seeing_sales():
    group = Group.objects.create(name="Counter")
    group.permissions.add(Permission.objects.get(codename="view_order"))
    import_module("orders.migrations.0022_right_to_see_sales").share_right(apps, None)
    assert set(group.permissions.values_list("codename", flat=True)) == {"view_order", "view_sales"}
    assert "orders.view_sales" not in permissions_in(role("packer"))


@pytest.mark.parametrize(
    "name", ["hold", "payment", "refund", "details", "contact", "shipment", "return", "ask_return", "cancel", "remove"]
)
def test_a_form_that_a_role_may_not_use_says_so_and_has_no_button_to_press(client, name):
    make_shop()
    order = make_order("PAID", "SHIPPED")
    client.force_login(make_person("reader"))
    response = client.get(reverse(f"admin:orders_order_{name}", args=[order.pk]))
    assert response.context["can_apply"] is False
    assert "You may not" in str(response.context["blocked_by"])
    assert 'id="panel-apply"' in response.content.decode()
    assert re.search(r'<button[^>]*id="panel-apply"[^>]* disabled', response.content.decode())


def test_a_packer_may_put_on_hold_and_is_told_that_they_may_not_release(client):
    order = make_order("PAID")
    client.force_login(make_person("packer"))
    assert client.get(reverse("admin:orders_order_hold", args=[order.pk])).context["blocked_by"] == ""
    apply(HoldWish(ids=[order.pk], actor=CLERK, held=True, reason="Address")).or_raise()
    assert client.get(reverse("admin:orders_order_hold", args=[order.pk])).context["blocked_by"] == "You may not edit orders."


@pytest.mark.parametrize(
    "rights", [(), ("print_order",), ("delete_order",), ("record_payment",), ("refund_order",), ("ship_order",), ("cancel_order",)]
)
def test_the_menu_of_an_order_is_there_where_something_is_in_it(client, rights):
    order = make_order("PAID")
    client.force_login(make_clerk("orders.view_order", *(f"orders.{right}" for right in rights)))
    page = client.get(reverse("admin:orders_order_change", args=[order.pk]))
    menu = render_to_string("admin/orders/order/more_menu.html", page.context_data, page.wsgi_request)
    assert page.context["has_more"] is ("</a>" in menu or "</button>" in menu)
    assert ('id="more-menu"' in page.content.decode()) is page.context["has_more"]
