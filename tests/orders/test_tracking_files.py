"""A carrier's file of tracking numbers: understood whatever its columns, shown with its problems, applied with a receipt."""

import io

import pytest
from django.urls import reverse
from openpyxl import Workbook

from notifications.models import OutgoingEmail
from orders.bulk.jobs import undo
from orders.bulk.tracking import look_at
from orders.bulk.working import work
from orders.carrier_files import Columns, guess_columns, rows_of_text
from orders.models import BulkJob, Order, Shipment
from orders.services.fulfilment import ShipmentWish, TrackingWish
from orders.services.plan import Actor, apply
from orders.services.undo import UndoWish, latest_change
from tests.makers import ROBOT, make_clerk, make_order, make_shop, make_variant, set_status, stock_of

pytestmark = pytest.mark.django_db
PAGE = reverse("admin:orders_order_tracking_file")


@pytest.fixture(autouse=True)
def clerk(client):
    make_shop()
    make_variant("MUG", on_hand=50)
    clerk = make_clerk(superuser=True)
    client.force_login(clerk)
    return clerk


def look(clerk, text, **options):
    return look_at(rows_of_text(text), user=clerk, **options)


def problems(found):
    return {line.position: line.problem for line in found.problems}


def parcels(order):
    return list(Shipment.objects.filter(order=order, voided_by=None).values_list("carrier", "tracking_number"))


@pytest.mark.parametrize(
    "line",
    [
        "{order};6A21048837215",
        "6A21048837215\t#{order}",
        "24/11/2026,6A21048837215,Léa Martin,{order}",
        "{order} 6A21048837215",
        "06 12 34 56 78|{order}|12.50|6A21048837215",
    ],
)
def test_columns_are_found_in_any_order(clerk, line):
    orders = [make_order("PAID") for _ in range(3)]
    found = look(clerk, "\n".join(line.format(order=order.number).replace("215", f"21{n}") for n, order in enumerate(orders)))
    assert [line.number for line in found.lines] == ["6A21048837210", "6A21048837211", "6A21048837212"]
    assert [line.order for line in found.lines] == orders
    assert found.problems == []


def test_a_heading_is_no_line_and_the_carrier_is_one_of_the_shops(clerk):
    order = make_order("PAID")
    found = look(clerk, f"Service;N° de suivi;Commande\nColissimo Domicile;6A21048837215;{order.number}")
    assert (found.columns, len(found.lines)) == (Columns(order=2, tracking=1, carrier=0), 1)
    assert found.lines[0].carrier == "Colissimo"


def test_headings_decide_between_columns_that_look_alike():
    rows = rows_of_text("Bordereau client;Numéro de suivi;Commande\n8R12345678901;9V12345678901;7")
    assert guess_columns(rows, {"7"}, set()).tracking in (0, 1)
    rows = rows_of_text("Réf. interne;Numéro de suivi;Commande\n8R12345678901;9V12345678901;7")
    assert guess_columns(rows, {"7"}, set()) == Columns(order=2, tracking=1)


def test_each_problem_names_its_line_and_reason(clerk):
    fine, twice, cancelled, gone, other = (make_order("PAID") for _ in range(5))
    set_status(cancelled, payment="CANCELLED")
    for number in ("OLD0000001", "OLD0000002"):
        quantity = {gone.lines.get().pk: 1} if number.endswith("1") else {}
        if quantity:
            apply(ShipmentWish(order_id=gone.pk, actor=ROBOT, tracking_number=number, quantities=quantity)).or_raise()
    apply(ShipmentWish(order_id=other.pk, actor=ROBOT, tracking_number="USED0000009")).or_raise()
    text = "\n".join(
        [
            f"{fine.number};NEW0000001",
            "99999;NEW0000002",
            f"{twice.number};NEW0000003",
            f"{twice.number};NEW0000004",
            f"{cancelled.number};NEW0000005",
            f"{gone.number};USED 0000009",
            f"{other.number};USED0000009",
            f"{fine.number};NEW0000001",
        ]
    )
    found = look(clerk, text)
    assert problems(found) == {
        2: "There is no order 99999.",
        4: "Line 3 gives this order another number: record the second parcel on its page.",
        5: "The order is Cancelled: nothing is to be shipped.",
        6: "The file gives this tracking number to 2 orders.",
        7: "The file gives this tracking number to 2 orders.",
    }
    assert [line.effect for line in found.same] == ["Repeats line 1"]
    assert len(found.changes) == 2


def test_a_number_of_another_order_is_left_out(clerk):
    owner, order = make_order("PAID"), make_order("PAID")
    apply(ShipmentWish(order_id=owner.pk, actor=ROBOT, tracking_number="USED0000009")).or_raise()
    assert problems(look(clerk, f"{order.number};USED0000009")) == {1: f"The number is already on order {owner.number}."}


def test_the_file_becomes_parcels_statuses_stock_and_one_mail_each(clerk):
    waits, shipped, known = make_order("PAID"), make_order("PAID", "SHIPPED"), make_order("PAID")
    apply(ShipmentWish(order_id=known.pk, actor=ROBOT, tracking_number="6A00000000003")).or_raise()
    before = OutgoingEmail.objects.filter(kind="shipped").count()
    text = "\n".join(f"{order.number};6A0000000000{n}" for n, order in enumerate((waits, shipped, known), start=1))
    found = look(clerk, text, carrier="Colissimo")
    assert [line.effect for line in found.lines] == [
        "A parcel with 1 piece → Shipped",
        "A parcel with 1 piece",
        "The order has this number already",
    ]
    assert [line.mails for line in found.lines] == [True, True, False]
    client_start(clerk, found.job)
    assert parcels(waits) == [("Colissimo", "6A00000000001")]
    assert Order.objects.get(pk=waits.pk).fulfilment_status.code == "SHIPPED"
    assert OutgoingEmail.objects.filter(kind="shipped").count() == before + 2
    assert stock_of("MUG") == (47, 0)
    assert list(found.job.items.order_by("position").values_list("state", flat=True)) == ["done", "done", "unchanged"]


def client_start(clerk, job):
    BulkJob.objects.filter(pk=job.pk).update(state="queued")
    work(job.pk)


def test_a_second_file_changes_the_number_of_the_parcel_and_an_undo_brings_the_old_one_back(clerk):
    order = make_order("PAID")
    apply(ShipmentWish(order_id=order.pk, actor=ROBOT, carrier="DPD", tracking_number="OLD0000001")).or_raise()
    found = look(clerk, f"{order.number};NEW0000001")
    assert found.lines[0].effect == "The number of its parcel changes, so far OLD0000001"
    client_start(clerk, found.job)
    assert parcels(order) == [("DPD", "NEW0000001")]
    work(undo(BulkJob.objects.get(pk=found.job.pk), user=clerk).pk)
    assert parcels(order) == [("DPD", "OLD0000001")]
    assert order.lines.get().pieces_shipped == 1


def test_undoing_a_changed_number_keeps_the_pieces_in_their_parcel(clerk):
    order = make_order("PAID")
    apply(ShipmentWish(order_id=order.pk, actor=ROBOT, tracking_number="OLD0000001")).or_raise()
    actor = Actor.clerk(clerk)
    apply(TrackingWish(order_id=order.pk, actor=actor, shipment_id=order.shipments.get().pk, tracking_number="NEW0000001")).or_raise()
    apply(UndoWish(order_id=order.pk, actor=actor, event_id=latest_change(order.pk).pk)).or_raise()
    assert parcels(order) == [("", "OLD0000001")]
    assert (order.lines.get().pieces_shipped, stock_of("MUG")) == (1, (49, 0))


def test_several_parcels_are_not_guessed(clerk):
    order = make_order("PAID", items={"MUG": 2})
    for number in ("OLD0000001", "OLD0000002"):
        apply(ShipmentWish(order_id=order.pk, actor=ROBOT, tracking_number=number, quantities={order.lines.get().pk: 1})).or_raise()
    assert problems(look(clerk, f"{order.number};NEW0000001")) == {
        1: "The order has 2 parcels: change the number of the right one on its page."
    }


def test_the_page_shows_the_lines_and_its_button_starts_the_job(clerk, client):
    order = make_order("PAID")
    page = client.post(PAGE, {"text": f"{order.number}\t6A21048837215"})
    assert "A parcel with 1 piece → Shipped" in page.content.decode()
    job = BulkJob.objects.get()
    assert Shipment.objects.count() == 0
    client.post(reverse("admin:orders_order_bulk_start", args=[job.public_id]))
    work(job.pk)
    assert parcels(order) == [("", "6A21048837215")]
    assert "Tracking numbers of a file" in client.get(reverse("admin:orders_order_bulk_job", args=[job.public_id])).content.decode()


def test_unticked_mails_do_not_go(clerk, client):
    order = make_order("PAID")
    client.post(PAGE, {"text": f"{order.number}\t6A21048837215"})
    job = BulkJob.objects.get()
    group = client.post(PAGE, {"text": f"{order.number}\t6A21048837215"}).context["groups"][0].name
    client.post(reverse("admin:orders_order_bulk_start", args=[job.public_id]), {"optional": [group]})
    work(job.pk)
    assert parcels(order) == [("", "6A21048837215")]
    assert not OutgoingEmail.objects.filter(kind="shipped").exists()


def test_a_spreadsheet_keeps_its_numbers(clerk, client):
    order, book, out = make_order("PAID"), Workbook(), io.BytesIO()
    for row in (("Tracking", "Order"), (421048837215, int(order.number))):
        book.active.append(row)
    book.save(out)
    out.seek(0)
    out.name = "parcels.xlsx"
    page = client.post(PAGE, {"text": "", "file": out})
    assert [(line.order, line.number) for line in page.context["lines"]] == [(order, "421048837215")]


def test_a_column_that_was_chosen_counts(clerk, client):
    order = make_order("PAID")
    text = f"{order.number};6A21048837215;9V00000000001"
    page = client.post(PAGE, {"text": text, "looked": text, "role": ["order", "", "tracking"]})
    assert page.context["lines"][0].number == "9V00000000001"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("photo.png", b"\x89PNG\x00\x00\x01", "neither a CSV file nor an Excel workbook"),
        ("broken.xlsx", b"PK\x03\x04nothing", "The workbook can&#x27;t be read"),
        ("empty.csv", b"\n\n", "Paste the lines"),
    ],
)
def test_a_file_that_is_none_says_so_and_keeps_nothing(client, name, content, words):
    upload = io.BytesIO(content)
    upload.name = name
    page = client.post(PAGE, {"text": "", "file": upload})
    assert page.status_code == 422
    assert words in page.content.decode()
    assert not BulkJob.objects.exists()


def test_two_thousand_lines_take_a_constant_number_of_queries(clerk, django_assert_max_num_queries):
    orders = [make_order("PAID") for _ in range(12)]
    text = "\n".join(f"{order.number};6A{n:011d}" for n, order in enumerate(orders))
    with django_assert_max_num_queries(40):
        assert len(look(clerk, text).changes) == 12
    filler = "\n".join(f"X{n:05d};7A{n:011d}" for n in range(2000))
    with django_assert_max_num_queries(52):
        found = look(clerk, f"{text}\n{filler}")
    assert (len(found.lines), len(found.changes), len(found.problems)) == (2012, 12, 2000)
