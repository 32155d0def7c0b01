"""Staff notes: written on the page, answered, with colleagues who are named and mailed, and files that stay private."""

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from notifications.models import MailSwitch, OutgoingEmail
from orders.admin.order_notes import clean_name
from orders.models import Note, NoteFile, NoteMention, OrderEvent, StaffProfile
from orders.people import handle_of, mentioned, readers_of_orders
from orders.services.editing import NoteWish
from orders.services.plan import Actor, apply
from tests.makers import make_clerk, make_order, make_shop

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _files_of_the_test(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def ines(client):
    make_shop()
    ines = make_clerk(username="ines", superuser=True)
    client.force_login(ines)
    return ines


def colleague(username="paul", first="Paul", **fields):
    person = make_clerk("orders.view_order", username=username)
    for name, value in ({"first_name": first} | fields).items():
        setattr(person, name, value)
    person.save()
    return person


def place(order, name="note", *parts):
    return reverse(f"admin:orders_order_{name}", args=[order.pk, *parts])


def files_in(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_note_is_added_on_the_page(client, ines):
    order = make_order("PAID")
    response = client.post(place(order), {"text": "Call before noon"})
    note = order.notes.get()
    assert response.headers["Location"] == f"/admin/orders/order/{order.pk}/change/#note-{note.pk}"
    assert (note.text, note.author, note.author_name, note.event.kind) == ("Call before noon", ines, "ines", OrderEvent.Kind.NOTE)


def test_an_empty_note_names_the_field_and_the_reason(client, ines):
    order = make_order("PAID")
    response = client.post(place(order), {"text": "  "})
    assert (response.status_code, order.notes.count()) == (422, 0)
    assert "Note: Write the note." in response.content.decode()


def test_an_answer_stands_under_its_note(client, ines):
    order = make_order("PAID")
    client.post(place(order), {"text": "Is it fragile?"})
    first = order.notes.get()
    client.post(place(order, "answer", first.pk), {"text": "Yes, glass."})
    page = client.get(reverse("admin:orders_order_change", args=[order.pk]))
    ((note, answers),) = page.context["notes"]
    assert (note.text, [answer.text for answer in answers]) == ("Is it fragile?", ["Yes, glass."])


def test_a_second_click_adds_no_second_note(client, ines, tmp_path):
    order = make_order("PAID")
    for _click in range(2):
        client.post(place(order), {"text": "Call before noon", "files": SimpleUploadedFile("a.txt", b"x")})
    assert (order.notes.count(), NoteFile.objects.count()) == (1, 1)
    assert len(files_in(tmp_path)) == 1


def test_a_named_colleague_is_mailed_at_once_in_their_language(client, ines):
    paul = colleague()
    StaffProfile.objects.create(user=paul, language="en")
    order = make_order("PAID")
    client.post(place(order), {"text": "@Paul can you look at <this>?"})
    note, mail = order.notes.get(), OutgoingEmail.objects.get(kind="mention")
    assert [mention.user for mention in note.mentions.all()] == [paul]
    assert (mail.recipient, mail.language, mail.state, mail.audience, mail.order) == ("paul@example.com", "en", "queued", "staff", order)
    assert mail.subject == f"ines named you on order {order.number}"
    assert "@Paul can you look at &lt;this&gt;?" in mail.html
    assert f"{django_settings.SITE_URL}/admin/orders/order/{order.pk}/change/#note-{note.pk}" in mail.text


def test_a_colleague_without_a_language_reads_the_shop_s(client, ines):
    colleague()
    order = make_order("PAID")
    client.post(place(order), {"text": "@paul urgent"})
    assert OutgoingEmail.objects.get(kind="mention").subject == f"ines vous a cité sur la commande {order.number}"


def test_each_person_is_mailed_once_per_note_and_never_themselves(client, ines):
    colleague()
    order = make_order("PAID")
    client.post(place(order), {"text": "@paul @Paul @PAUL and @ines"})
    assert OutgoingEmail.objects.filter(kind="mention").count() == 1
    assert NoteMention.objects.count() == 1


def test_only_people_who_may_see_orders_are_mentioned(client, ines):
    make_clerk(username="stock-only")
    colleague("gone", "Zoé", is_active=False)
    order = make_order("PAID")
    client.post(place(order), {"text": "@stock-only @gone @Zoé @nobody"})
    assert (NoteMention.objects.count(), OutgoingEmail.objects.filter(kind="mention").count()) == (0, 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@paul please", "Mails Paul now"),
        ("@Zoe please", "No e-mail to Zoe: Zoe has no e-mail address."),
        ("to paul@example.com", "Nobody is mailed"),
        ("", "Nobody is mailed"),
    ],
)
def test_the_page_says_before_the_click_who_is_mailed(client, ines, text, said):
    colleague()
    colleague("zoe", "Zoe", email="")
    order = make_order("PAID")
    answer = client.post(place(order), {"text": text, "preview": "1"}, headers={"HX-Request": "true"})
    assert said in answer.content.decode()
    assert order.notes.count() == 0


def test_the_mail_can_be_switched_off(client, ines):
    colleague()
    MailSwitch.objects.create(kind="mention", is_on=False)
    order = make_order("PAID")
    answer = client.post(place(order), {"text": "@paul", "preview": "1"})
    client.post(place(order), {"text": "@paul"})
    assert "No e-mail to Paul: This mail is switched off in the settings." in answer.content.decode()
    assert (order.notes.get().mentions.count(), OutgoingEmail.objects.filter(kind="mention").count()) == (1, 0)


def test_names_are_told_apart():
    paul, other = colleague("paul.c", "Paul"), colleague("marc", "Marc")
    twin = colleague("paul2", "Paul")
    people = readers_of_orders()
    assert mentioned("@Paul", people) == []
    assert mentioned("Ask @paul.c, then @Marc.", people) == [paul, other]
    assert mentioned("mail marc@example.com", people) == []
    assert [handle_of(person, people) for person in (paul, other, twin)] == ["paul.c", "Marc", "paul2"]


def test_files_are_kept_under_names_nobody_can_guess(client, ines, tmp_path):
    order = make_order("PAID")
    files = [SimpleUploadedFile("plan <1>.html", b"<script>alert(1)</script>"), SimpleUploadedFile("é.pdf", b"%PDF")]
    client.post(place(order), {"text": "See the drawing", "files": files})
    rows = list(order.notes.get().files.all())
    assert [(row.name, row.size) for row in rows] == [("plan <1>.html", 25), ("é.pdf", 4)]
    assert all("plan" not in path.name and len(path.name) == 32 for path in files_in(tmp_path / "notes"))


def test_a_file_is_a_download_and_never_a_page(client, ines):
    order = make_order("PAID")
    client.post(place(order), {"text": "x", "files": SimpleUploadedFile("a.html", b"<script>alert(1)</script>", "text/html")})
    response = client.get(place(order, "note_file", NoteFile.objects.get().pk))
    assert b"".join(response.streaming_content) == b"<script>alert(1)</script>"
    assert response.headers["Content-Disposition"] == 'attachment; filename="a.html"'
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_a_file_is_for_people_who_see_the_order(client, ines):
    order, other = make_order("PAID"), make_order("PAID")
    client.post(place(order), {"text": "x", "files": SimpleUploadedFile("a.txt", b"secret")})
    row = NoteFile.objects.get()
    assert client.get(place(other, "note_file", row.pk)).status_code == 404
    client.force_login(make_clerk("orders.view_variant", username="stock"))
    assert client.get(place(order, "note_file", row.pk)).status_code == 403


def test_a_file_that_is_too_large_keeps_the_text_and_writes_nothing(client, ines, monkeypatch, tmp_path):
    monkeypatch.setattr("orders.admin.order_notes.MOST_BYTES", 10)
    order = make_order("PAID")
    response = client.post(place(order), {"text": "See the drawing", "files": SimpleUploadedFile("big.pdf", b"x" * 11)})
    page = response.content.decode()
    assert (response.status_code, order.notes.count(), files_in(tmp_path)) == (422, 0, [])
    assert "big.pdf is larger than 10" in page
    assert "See the drawing</textarea>" in page


def test_no_more_than_ten_files(client, ines):
    order = make_order("PAID")
    files = [SimpleUploadedFile(f"{number}.txt", b"x") for number in range(11)]
    response = client.post(place(order), {"text": "Many", "files": files})
    assert (response.status_code, order.notes.count()) == (422, 0)
    assert "Attach at most 10 files." in response.content.decode()


def test_files_of_a_note_that_is_refused_are_gone(client, tmp_path):
    make_shop()
    client.force_login(make_clerk("orders.view_order", username="reader"))
    order = make_order("PAID")
    response = client.post(place(order), {"text": "x", "files": SimpleUploadedFile("a.txt", b"x")})
    assert (response.status_code, order.notes.count(), files_in(tmp_path)) == (403, 0, [])
    assert "You may not write notes." in response.content.decode()


def test_a_note_that_fails_half_way_leaves_nothing(client, ines, monkeypatch, tmp_path):
    order = make_order("PAID")

    def fail(*_args, **_options):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("orders.services.plan.save_changes", fail)
    with pytest.raises(RuntimeError):
        client.post(place(order), {"text": "x", "files": SimpleUploadedFile("a.txt", b"x")})
    assert (Note.objects.count(), NoteFile.objects.count(), files_in(tmp_path)) == (0, 0, [])


def test_an_answer_to_a_note_of_another_order_is_refused(client, ines):
    order, other = make_order("PAID"), make_order("PAID")
    apply(NoteWish(order_id=other.pk, actor=Actor.clerk(ines), text="theirs")).or_raise()
    assert client.post(place(order, "answer", other.notes.get().pk), {"text": "mine"}).status_code == 404
    assert order.notes.count() == 0


@pytest.mark.parametrize(
    ("name", "kept"), [("../../etc/passwd", "passwd"), ("C:\\temp\\a.pdf", "a.pdf"), ("\x00\n", "file"), ("a\u202eb.txt", "ab.txt")]
)
def test_names_of_files_lose_paths_and_tricks(name, kept):
    assert clean_name(name) == kept
