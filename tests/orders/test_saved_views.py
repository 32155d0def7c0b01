"""Saved views, tabs, columns and sorts of the orders list."""

import pytest
from django.contrib.auth.models import Group
from django.http import QueryDict
from django.urls import reverse

from orders.admin.list_tabs import canonical
from orders.models import Order, Role, SavedView, StaffProfile
from tests.makers import make_clerk, make_order, make_shop, make_variant

pytestmark = pytest.mark.django_db
LIST = reverse("admin:orders_order_changelist")
VIEWS = reverse("admin:orders_order_views")
SAVE = reverse("admin:orders_order_save_view")
COLUMNS = reverse("admin:orders_order_columns")


@pytest.fixture
def ines(client):
    make_shop()
    make_variant("MUG", on_hand=50)
    person = make_clerk("orders.view_order", "orders.share_savedview", username="ines")
    client.force_login(person)
    return person


def tabs(client, address=""):
    return {tab.label: tab for tab in client.get(LIST + address).context["tabs"]}


def labels(client):
    return list(tabs(client))


def test_a_saved_view_is_a_tab_with_its_filters_its_sort_and_its_count(client, ines):
    make_order(payment="PAID")
    make_order(payment="AWAITING_PAYMENT")
    answer = client.post(SAVE, {"name": "Paid by size", "query": "payment=PAID&sort=-total&after=x"})
    view = SavedView.objects.get()
    assert (view.query, view.owner, view.is_shared) == ("payment=PAID&sort=-total", ines, False)
    assert answer.url == f"{LIST}?saved={view.pk}&payment=PAID&sort=-total"
    tab = tabs(client, f"?saved={view.pk}&{view.query}")["Paid by size"]
    assert (tab.is_current, tab.count) == (True, 1)


def test_a_shared_view_is_seen_by_everybody_a_private_one_by_its_owner(client, ines):
    client.post(SAVE, {"name": "Mine", "query": "payment=PAID"})
    client.post(SAVE, {"name": "Ours", "query": "payment=PAID", "is_shared": "on"})
    assert labels(client)[-2:] == ["Mine", "Ours"]
    client.force_login(make_clerk("orders.view_order", username="paul"))
    assert "Ours" in labels(client)
    assert "Mine" not in labels(client)


def test_sharing_needs_its_right(client, ines):
    client.force_login(make_clerk("orders.view_order", username="paul"))
    client.post(SAVE, {"name": "Ours", "query": "", "is_shared": "on"})
    assert not SavedView.objects.get().is_shared


def test_two_views_of_a_person_never_have_one_name_and_what_was_typed_stays(client, ines):
    client.post(SAVE, {"name": "Big", "query": "total_from=100"})
    answer = client.post(SAVE, {"name": "big", "query": "total_from=200"})
    assert answer.status_code == 422
    assert "You have a view of this name already." in answer.content.decode()
    page = answer.content.decode()
    assert 'value="total_from=200"' in page
    assert "“Big” opens now with: Total from: 100" in page
    assert "Replace “Big”</button>" in page
    assert f'href="{LIST}?total_from=200"' in page
    assert SavedView.objects.get().query == "total_from=100"


def test_a_view_is_replaced_under_its_own_name_where_that_is_asked(client, ines):
    client.post(SAVE, {"name": "Big", "query": "total_from=100"})
    view = SavedView.objects.get()
    answer = client.post(SAVE, {"name": "big", "query": "total_from=200", "replace": "1"})
    assert answer.url == f"{LIST}?saved={view.pk}&total_from=200"
    assert [(kept.name, kept.query) for kept in SavedView.objects.all()] == [("Big", "total_from=200")]


def test_a_changed_view_offers_to_be_updated_and_says_what_changes(client, ines):
    make_order(payment="PAID")
    view = SavedView.objects.create(owner=ines, name="Paid", query="payment=PAID&sort=-total", is_shared=True)
    assert "update-view" not in client.get(f"{LIST}?saved={view.pk}&{view.query}").content.decode()
    page = client.get(f"{LIST}?saved={view.pk}&payment=PAID&held=yes&view=to-ship")
    assert page.context["view_keeps"] == "Payment: Paid, largest total first"
    assert page.context["seen_keeps"] == "To ship, Payment: Paid, On hold: yes"
    assert "Update “Paid”" in page.content.decode()
    assert "Everybody sees the change" in page.content.decode()
    client.post(SAVE, {"saved": view.pk, "query": "payment=PAID&held=yes&view=to-ship"})
    view.refresh_from_db()
    assert view.query == "held=yes&payment=PAID&view=to-ship"


def test_filters_that_make_no_sense_are_kept_in_no_view(client, ines):
    view = SavedView.objects.create(owner=ines, name="Paid", query="payment=PAID")
    client.post(SAVE, {"saved": view.pk, "query": "payment=BOGUS"})
    answer = client.post(SAVE, {"name": "Odd", "query": "payment=BOGUS"})
    assert (answer.status_code, "A filter makes no sense: Payment, BOGUS is unknown." in answer.content.decode()) == (422, True)
    assert [(kept.name, kept.query) for kept in SavedView.objects.all()] == [("Paid", "payment=PAID")]


def test_nobody_changes_or_deletes_the_view_of_somebody_else(client, ines):
    other = make_clerk("orders.view_order", username="paul")
    view = SavedView.objects.create(owner=other, name="Paul's", query="payment=PAID")
    client.post(SAVE, {"saved": view.pk, "query": "payment=CANCELLED"})
    client.post(VIEWS, {"delete": view.pk})
    client.post(VIEWS, {"change": view.pk, "name": "Taken"})
    view.refresh_from_db()
    assert (view.name, view.query) == ("Paul's", "payment=PAID")


def test_a_changed_view_offers_to_keep_the_change(client, ines):
    view = SavedView.objects.create(owner=ines, name="Paid", query="payment=PAID")
    assert not client.get(f"{LIST}?saved={view.pk}&payment=PAID").context["is_changed_view"]
    page = client.get(f"{LIST}?saved={view.pk}&payment=PAID&held=no")
    assert page.context["is_changed_view"]
    client.post(SAVE, {"saved": view.pk, "query": page.context["within"]})
    view.refresh_from_db()
    assert view.query == "held=no&payment=PAID"


def test_tabs_are_moved_and_hidden_for_one_person_alone(client, ines):
    client.post(VIEWS, {"up": "held"})
    client.post(VIEWS, {"hide": "returned"})
    assert labels(client)[-2:] == ["Awaiting payment", "On hold"]
    client.post(VIEWS, {"show": "returned"})
    assert labels(client)[-2:] == ["On hold", "Returned"]
    client.force_login(make_clerk("orders.view_order", username="paul"))
    assert labels(client)[-2:] == ["Returned", "On hold"]


def test_a_role_opens_the_list_with_its_view(client, ines):
    group = Group.objects.create(name="Night shift")
    Role.objects.create(group=group, default_view="to-ship")
    ines.groups.add(group)
    answer = client.get(LIST)
    assert answer.url == f"{LIST}?view=to-ship"
    assert client.get(f"{LIST}?view=all").context["current_tab"].key == "all"


def test_deleting_a_view_takes_it_from_the_roles_that_opened_with_it(client, ines):
    view = SavedView.objects.create(owner=ines, name="Paid", query="payment=PAID", is_shared=True)
    role = Role.objects.create(group=Group.objects.create(name="Night shift"), default_view=view.key)
    client.post(VIEWS, {"delete": view.pk})
    role.refresh_from_db()
    assert role.default_view == ""


def test_columns_are_chosen_and_moved_per_person(client, ines):
    order = make_order(items={"MUG": 2}, payment_method="Card")
    chosen = {"columns": ["total", "payment_method"], "order": ["number", "customer", "total", "payment_method"]}
    client.post(COLUMNS, chosen | {"up": "payment_method"})
    page = client.get(LIST)
    assert [column.key for column in page.context["columns"]] == ["number", "customer", "payment_method", "total"]
    assert f'id="order-{order.pk}"' in page.content.decode()
    assert '<td class="quiet not-phone">Card</td>' in page.content.decode()
    client.post(COLUMNS, {"usual": "1"})
    assert len(client.get(LIST).context["columns"]) == 8


def test_every_column_can_be_shown_at_once(client, ines):
    order = make_order(items={"MUG": 2})
    Order.objects.filter(pk=order.pk).update(assignee=ines, coupon_code="SPRING", follow_up_on="2026-12-24")
    keys = [column.key for column, _shown in client.get(LIST).context["all_columns"]]
    client.post(COLUMNS, {"columns": keys, "order": keys})
    page = client.get(LIST).content.decode()
    for shown in ("2 × Article MUG", "SPRING", "Thu 24 Dec", ">ines<"):
        assert shown in page


def test_the_list_opens_in_the_sort_a_person_likes(client, ines):
    small, large = make_order(items={"MUG": 1}), make_order(items={"MUG": 3})
    client.post(COLUMNS, {"list_sort": "total", "usual": "1"})
    assert [order.pk for order in client.get(LIST).context["page"].orders] == [small.pk, large.pk]
    assert [order.pk for order in client.get(LIST + "?sort=-total").context["page"].orders] == [large.pk, small.pk]
    assert StaffProfile.objects.get().list_sort == "total"


def test_an_address_has_one_spelling():
    assert canonical(QueryDict("saved=3&payment=PAID&payment=CANCELLED&view=all&q=&sort=-placed_at&after=z")) == (
        "payment=CANCELLED&payment=PAID"
    )
    assert canonical(QueryDict("view=to-ship&q=l%C3%A9a")) == "q=l%C3%A9a&view=to-ship"


def test_the_focus_follows_a_view_that_is_moved(client, ines):
    second = client.get(VIEWS).context["rows"][1][0].key
    answer = client.post(VIEWS, {"down": second}, follow=True)
    assert f'name="down" value="{second}"' in focused(answer)
    answer = client.post(VIEWS, {"up": second}, follow=True)
    assert f'name="up" value="{second}"' in focused(answer)
    answer = client.post(VIEWS, {"up": second}, follow=True)
    assert f'name="down" value="{second}"' in focused(answer)  # at the top there is no way up


def focused(answer):
    return next(line for line in answer.content.decode().splitlines() if "autofocus" in line)


def test_the_tags_can_be_a_column_and_then_stand_there_once(client, ines):
    order = make_order()
    order.tags.create(name="gift")
    page = client.get(LIST).content.decode()
    assert '<span class="tag">gift</span>' in page
    client.post(COLUMNS, {"order": ["number", "customer", "tag_names"], "columns": ["tag_names"]})
    page = client.get(LIST).content.decode()
    assert '<td class="quiet c-items not-phone">gift</td>' in page
    assert '<span class="tag">gift</span>' not in page
    assert '<span class="tag only-phone">gift</span>' in page  # a card on the phone has no columns


def test_a_role_opens_with_all_orders_or_a_view_and_all_stands_there_once(client):
    client.force_login(make_clerk(superuser=True))
    make_shop()
    page = client.get(VIEWS).content.decode()
    first = page[page.index('<select class="select" id="first-') :].partition("</select>")[0]
    assert '<option value="">All orders</option>' in first
    assert '<option value="all"' not in first
