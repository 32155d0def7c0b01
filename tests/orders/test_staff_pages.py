"""Inviting, changing and disabling people, their mails, their language, and how they sign in."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ecwid_orders import sign_in
from notifications.models import OutgoingEmail
from orders.errors import InvalidWish, NotAllowed, OrderError
from orders.models import Role, StaffProfile
from orders.services import people
from orders.services.people import PersonFacts
from orders.services.plan import Actor
from tests.makers import make_clerk, make_shop

pytestmark = pytest.mark.django_db
PASSWORD = "sesame-ouvre-toi-9"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(sign_in, "ANSWER_SECONDS", 0)
    make_shop()


@pytest.fixture
def owner():
    return make_person("owner", username="camille", name="Camille Durand")


@pytest.fixture
def office(client, owner):
    client.force_login(owner)
    return client


def role(code):
    return Role.objects.select_related("group").get(code=code)


def make_person(*codes, username="paul", name="Paul Castel"):
    person = make_clerk(username=username)
    person.first_name, person.last_name = name.split()
    person.save()
    person.groups.set([role(code).group for code in codes])
    return User.objects.get(pk=person.pk)


def facts(*codes, name="Zoé Petit", email="zoe@example.com", language="fr"):
    return PersonFacts(name=name, email=email, roles=[role(code) for code in codes], language=language)


def form(*codes, **fields):
    return {"name": "Zoé Petit", "email": "zoe@example.com", "language": "fr", "roles": [role(code).pk for code in codes]} | fields


def link_in(mail):
    return re.search(r"http://[^/]+(/admin/welcome/\S+)", mail.text)[1]


def choose_password(link, password=PASSWORD):
    browser = Client()
    page = browser.get(link, follow=True)
    return browser, browser.post(page.redirect_chain[-1][0], {"new_password1": password, "new_password2": password}, follow=True)


def test_an_invitation_is_a_mail_in_the_language_of_the_person(office):
    page = office.post(reverse("admin:staff_invite"), form("clerk"))
    person, mail = User.objects.get(email="zoe@example.com"), OutgoingEmail.objects.get()
    assert page.url == reverse("admin:staff_person", args=[person.pk])
    assert (person.username, person.is_staff, person.has_usable_password()) == ("zoe", True, False)
    assert [group.role.code for group in person.groups.all()] == ["clerk"]
    assert (mail.kind, mail.recipient, mail.language, mail.audience, mail.state) == (
        "invitation", "zoe@example.com", "fr", "staff", "queued",
    )  # fmt: skip
    assert mail.subject == "Camille Durand vous invite dans la gestion de Comptoir du Lierre"


def test_without_a_mail_server_the_link_must_be_passed_on(office, settings):
    settings.EMAIL_URL = ""
    page = office.post(reverse("admin:staff_invite"), form("clerk"), follow=True).content.decode()
    assert "Zoé Petit is invited. No mail server is set up, so nothing is sent" in page
    settings.EMAIL_URL = "smtp://mail.example.com"
    page = office.post(reverse("admin:staff_invite"), form("clerk", email="z@example.com"), follow=True).content.decode()
    assert "Zoé Petit is invited." in page
    assert "No mail server is set up, so nothing is sent" not in page


def test_an_invitation_that_has_run_out_says_so(office):
    office.post(reverse("admin:staff_invite"), form("clerk"))
    profile = StaffProfile.objects.get(user__email="zoe@example.com")
    place, words = reverse("admin:staff_person", args=[profile.user_id]), "has run out: it works for 3 days"
    assert words not in office.get(place).content.decode()
    StaffProfile.objects.filter(pk=profile.pk).update(invited_at=timezone.now() - timedelta(days=4))
    assert words in office.get(place).content.decode()


def test_the_link_of_an_invitation_chooses_a_password_once(office):
    people.invite(facts("clerk"), Actor.clerk(User.objects.get(username="camille")))
    link = link_in(OutgoingEmail.objects.get())
    _browser, page = choose_password(link)
    assert page.status_code == 200
    assert page.wsgi_request.user.email == "zoe@example.com"
    assert 'lang="fr"' in page.content.decode()
    assert Client().get(link, follow=True).context["validlink"] is False
    assert Client().login(username="ZOE@example.com", password=PASSWORD)
    assert Client().login(username="zoe", password=PASSWORD)


def test_a_newer_link_ends_the_one_before(owner):
    person = people.invite(facts("clerk"), Actor.clerk(owner))
    people.invite_again(person, Actor.clerk(owner))
    newer, older = OutgoingEmail.objects.order_by("-id")
    assert Client().get(link_in(older), follow=True).context["validlink"] is False
    assert Client().get(link_in(newer), follow=True).context["validlink"] is True
    assert OutgoingEmail.objects.get(pk=older.pk).state == "cancelled"


def test_a_link_is_dead_after_three_days_and_for_disabled_people(owner, monkeypatch):
    person = people.invite(facts("clerk"), Actor.clerk(owner))
    link = link_in(OutgoingEmail.objects.get())
    people.disable(person, Actor.clerk(owner))
    assert Client().get(link, follow=True).context["validlink"] is False
    people.enable(person, Actor.clerk(owner))
    now = sign_in.staff_tokens._now()
    monkeypatch.setattr(sign_in.staff_tokens, "_now", lambda: now + timedelta(days=3, seconds=1))
    assert Client().get(link, follow=True).context["validlink"] is False


def test_a_weak_password_is_refused_with_the_reason(owner):
    people.invite(facts("clerk"), Actor.clerk(owner))
    _browser, page = choose_password(link_in(OutgoingEmail.objects.get()), "12345678")
    assert page.context["form"].errors["new_password2"]
    assert not User.objects.get(email="zoe@example.com").has_usable_password()


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"name": " "}, "name", ""),
        ({"email": "zoe"}, "email", "zoe is no e-mail address."),
        ({"email": "CAMILLE@example.com"}, "email", "Somebody else signs in with this address already."),
        ({"roles": []}, "roles", "Choose at least one role."),
    ],
)
def test_an_invitation_names_what_is_wrong_and_keeps_what_was_typed(office, change, field, reason):
    page = office.post(reverse("admin:staff_invite"), form("clerk") | change)
    assert page.status_code == 422
    assert reason in " ".join(page.context["form"].errors[field])
    assert page.context["form"]["language"].value() == "fr"
    assert not OutgoingEmail.objects.exists()


def test_disabling_ends_every_session_at_once(owner):
    person, browser = make_person("clerk"), Client()
    browser.force_login(person)
    assert browser.get(reverse("admin:index")).status_code == 200
    people.disable(person, Actor.clerk(owner))
    assert browser.get(reverse("admin:index")).status_code == 302
    assert [row for row in Session.objects.all() if row.get_decoded().get("_auth_user_id") == str(person.pk)] == []
    people.enable(User.objects.get(pk=person.pk), Actor.clerk(owner))
    assert browser.get(reverse("admin:index")).status_code == 302
    assert Client().login(username="paul", password="pass-word-123")


def test_the_last_owner_stays_one_and_nobody_disables_themselves(owner):
    with pytest.raises(NotAllowed, match="You can't disable yourself"):
        people.disable(owner, Actor.clerk(owner))
    with pytest.raises(InvalidWish, match="stop being an owner yourself"):
        people.change_person(owner, facts("clerk", email="camille@example.com"), Actor.clerk(owner))
    with pytest.raises(InvalidWish, match="this is the last one"):
        people.disable(owner, Actor.task("script"))
    other = make_person("owner", username="alex")
    people.change_person(owner, facts("clerk", email="camille@example.com"), Actor.clerk(other))
    assert list(people.owners()) == [other]


def test_taking_the_role_of_owner_from_a_superuser_takes_everything(owner):
    root = make_clerk(superuser=True, username="root")
    people.change_person(root, facts("clerk", name="Root User", email="root@example.com"), Actor.clerk(owner))
    root = User.objects.get(pk=root.pk)
    assert (root.is_superuser, root.has_perm("orders.manage_staff"), root.has_perm("orders.view_order")) == (False, False, True)


def test_a_manager_of_staff_neither_makes_nor_touches_an_owner(owner):
    role("manager").group.permissions.add(Permission.objects.get(codename="manage_staff"))
    manager = Actor.clerk(make_person("manager", username="solene"))
    with pytest.raises(NotAllowed, match="Owner"):
        people.invite(facts("owner"), manager)
    for act in (people.disable, people.invite_again, people.take_direct_rights):
        with pytest.raises(NotAllowed, match="rights that you don't have"):
            act(owner, manager)
    with pytest.raises(NotAllowed, match="rights that you don't have"):
        people.change_person(owner, facts("owner", email="mine@example.com"), manager)
    assert people.invite(facts("clerk"), manager).groups.count() == 1


def test_without_the_right_nobody_is_invited_and_no_page_opens(client):
    clerk = make_person("clerk")
    client.force_login(clerk)
    assert client.get(reverse("admin:staff")).status_code == 403
    assert client.post(reverse("admin:staff_invite"), form("reader")).status_code == 403
    with pytest.raises(NotAllowed):
        people.invite(facts("reader"), Actor.clerk(clerk))


def test_every_change_stands_in_the_history_with_old_and_new(office, owner):
    person = make_person("clerk")
    office.post(reverse("admin:staff_person", args=[person.pk]), form("packer", name="Paul Castel", email="paul@shop.example"))
    office.post(reverse("admin:staff_disable", args=[person.pk]))
    page = office.get(reverse("admin:staff_person", args=[person.pk]))
    disabled, changed = page.context["trail"]
    assert (disabled.text, disabled.who, disabled.changes) == ("Disabled and signed out everywhere", "Camille Durand", [])
    assert changed.changes == [
        ("E-mail address", "paul@example.com", "paul@shop.example"),
        ("Language", "As the browser", "French"),
        ("Roles", "Clerk", "Packer"),
    ]


def test_saving_tells_first_what_it_gives_and_takes(office):
    person = make_person("packer")
    page = office.post(reverse("admin:staff_person", args=[person.pk]), form("reader", preview="1"))
    text = page.content.decode()
    assert "Saving gives:" in text
    assert "See customers" in text
    assert "Saving takes away:" in text
    assert list(User.objects.get(pk=person.pk).groups.values_list("role__code", flat=True)) == ["packer"]


def test_rights_given_apart_from_roles_are_shown_and_can_be_taken_away(office):
    person = make_person("packer")
    person.user_permissions.add(Permission.objects.get(codename="refund_order"))
    place = reverse("admin:staff_person", args=[person.pk])
    assert office.get(place).context["direct"] == ["Record refunds, up to the limit of the role"]
    office.post(reverse("admin:staff_direct_rights", args=[person.pk]))
    assert office.get(place).context["direct"] == []


def test_the_list_shows_who_is_active_invited_and_disabled(office, owner):
    make_person("clerk")
    people.disable(make_person("packer", username="yann"), Actor.clerk(owner))
    people.invite(facts("reader"), Actor.clerk(owner))
    page = office.get(reverse("admin:staff"))
    assert {row.person.username: row.state for row in page.context["rows"]} == {
        "camille": "active", "paul": "active", "yann": "disabled", "zoe": "invited",
    }  # fmt: skip
    assert [row.person.username for row in office.get(reverse("admin:staff"), {"state": "invited"}).context["rows"]] == ["zoe"]
    assert [row.person.username for row in office.get(reverse("admin:staff"), {"q": "paul@"}).context["rows"]] == ["paul"]


def test_a_role_is_saved_as_it_was_shown_or_shown_again(office):
    make_person("packer")
    packer, keys = role("packer"), ["orders.view_order", "orders.add_order"]
    data = {"name": "Packer", "default_view": "to-ship", "refund_limit": "", "rights": keys}
    page = office.post(reverse("admin:staff_role", args=[packer.pk]), data)
    assert "Nothing is saved yet" in page.content.decode()
    assert not packer.group.permissions.filter(codename="add_order").exists()
    assert office.post(reverse("admin:staff_role", args=[packer.pk]), data | {"shown": page.context["plan"].key}).status_code == 302
    assert set(packer.group.permissions.values_list("codename", flat=True)) == {"view_order", "add_order"}


def test_a_forgotten_password_is_mailed_and_nobody_learns_who_has_an_account(client):
    make_person("clerk")
    place = reverse("admin_password_reset")
    known, unknown = client.post(place, {"address": "Paul@example.com"}), client.post(place, {"address": "nobody@example.com"})
    shown = [page.content.decode().partition("<main")[2] for page in (known, unknown)]
    assert shown[0] == shown[1]
    mail = OutgoingEmail.objects.get()
    assert (mail.kind, mail.recipient) == ("forgotten", "paul@example.com")
    choose_password(link_in(mail))
    assert Client().login(username="paul", password=PASSWORD)


def test_asking_again_and_again_mails_three_times_an_hour(client):
    make_person("clerk")
    for _time in range(5):
        client.post(reverse("admin_password_reset"), {"address": "paul"})
    assert OutgoingEmail.objects.filter(kind="forgotten").count() == 3
    OutgoingEmail.objects.update(created_at=timezone.now() - timedelta(hours=2))
    client.post(reverse("admin_password_reset"), {"address": "paul"})
    assert OutgoingEmail.objects.filter(kind="forgotten").count() == 4


def test_the_secret_link_is_read_by_who_manages_the_person_and_sent_nowhere_else(owner):
    from notifications import services

    people.invite(facts("owner"), Actor.clerk(owner))
    mail, manager = OutgoingEmail.objects.get(), make_person("manager", username="solene")
    bodies = [reverse("mail:body", args=[mail.pk]), reverse("admin:notifications_outgoingemail_change", args=[mail.pk])]
    for person, sees in ((owner, True), (manager, False)):
        browser = Client()
        browser.force_login(person)
        assert ["/admin/welcome/" in browser.get(place).content.decode() for place in bodies] == [sees, sees]
    OutgoingEmail.objects.update(state="sent")
    with pytest.raises(OrderError, match="secret link"):
        services.resend(mail.pk, Actor.clerk(owner), to="me@example.com")


def test_two_people_with_one_address_sign_in_by_name_only():
    make_person("clerk")
    twin = make_person("clerk", username="twin")
    User.objects.filter(pk=twin.pk).update(email="PAUL@example.com")
    assert not Client().login(username="paul@example.com", password="pass-word-123")
    assert Client().login(username="paul", password="pass-word-123")


def test_a_name_that_is_anothers_address_signs_in_as_nobody_else(owner):
    thief = make_person("reader", username="camille@example.com")
    thief.set_password(PASSWORD)
    thief.save()
    browser = Client()
    assert browser.login(username="camille@example.com", password=PASSWORD)
    assert browser.get(reverse("admin:index")).wsgi_request.user == thief
    assert not Client().login(username="camille@example.com", password="pass-word-123")


def test_the_language_of_the_person_wins_over_the_browser_and_the_switch_changes_both(client):
    person = make_person("clerk")
    StaffProfile.objects.create(user=person, language="fr")
    client.force_login(person)
    client.cookies["django_language"] = "en"
    assert 'lang="fr"' in client.get(reverse("admin:index")).content.decode()
    client.post(reverse("set_language"), {"language": "en", "next": "/admin/"})
    assert 'lang="en"' in client.get(reverse("admin:index")).content.decode()
    assert StaffProfile.objects.get(user=person).language == "en"
    assert client.cookies["django_language"].value == "en"


def test_the_language_of_the_person_costs_no_query(client, django_assert_num_queries):
    person = make_person("clerk")
    client.force_login(person)
    with django_assert_num_queries(2):  # the session, and the person with their settings
        client.get(reverse("admin:jsi18n"))


def test_people_change_their_own_name_and_language_and_nothing_else(client):
    person = make_person("clerk")
    client.force_login(person)
    client.post(reverse("admin:my_account"), {"name": "Paul Castel-Roy", "language": "fr", "email": "x@example.com", "roles": [1]})
    person = User.objects.get(pk=person.pk)
    assert (person.get_full_name(), person.email, person.staff_profile.language) == ("Paul Castel-Roy", "paul@example.com", "fr")
    assert [group.role.code for group in person.groups.all()] == ["clerk"]


def test_a_mail_that_was_kept_says_where_to_read_it(office, owner):
    person = people.invite(facts("clerk"), Actor.clerk(owner))
    OutgoingEmail.objects.update(state="sent", is_kept=True)
    page = office.get(reverse("admin:staff_person", args=[person.pk])).content.decode()
    assert "No mail server is set up" in page
    assert reverse("admin:notifications_outgoingemail_change", args=[OutgoingEmail.objects.get().pk]) in page
