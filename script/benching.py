"""One worker of script/bench: fills a database with the demo shop and measures every page beside its floor, a round at a time."""

import gc
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecwid_orders.settings")
ORDERS, DATABASE = int(os.environ["BENCH_ORDERS"]), os.environ["BENCH_DATABASE"]
if DATABASE == "postgres":
    import psycopg

    server = os.environ["BENCH_POSTGRES_URL"]
    name = f"bench_{ORDERS}"
    with psycopg.connect(server, autocommit=True) as server_connection:
        server_connection.execute(f"DROP DATABASE IF EXISTS {name}")
        server_connection.execute(f"CREATE DATABASE {name}")
    os.environ["DATABASE_URL"] = server.rsplit("/", 1)[0] + f"/{name}"

import django

django.setup()

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, transaction
from django.template import Context, Engine
from django.test import Client
from django.test.utils import CaptureQueriesContext, setup_test_environment
from django.urls import reverse
from django.utils import timezone

from orders.listing import write_place
from orders.models import Order, OrderEvent, OrderLine, Shipment, StockMovement, Variant
from orders.services.plan import Actor, apply
from orders.services.status import StatusWish

ROBOT = Actor.task("bench")
FLAT = Engine().from_string(
    "<h1>{{ order.number }}</h1>"
    "{% for line in lines %}<p>{{ line.sku }} {{ line.name }} {{ line.quantity }} {{ line.price }}</p>{% endfor %}"
)
Page = tuple[str, str, Callable[[], object]]


def main() -> None:
    setup_test_environment()
    client, pages = Client(), []
    for line in sys.stdin:
        answer: Any
        if line.strip() == "fill":
            answer = fill()
            client.force_login(User.objects.create_superuser("bench"))
            pages = [*list_pages(), *other_pages()]
        elif line.strip() == "round":
            gc.collect()
            answer = {name: measured(client, address, floor) for name, address, floor in pages}
        else:
            answer = changes()
        print(json.dumps(answer), flush=True)


def fill() -> dict[str, float]:
    call_command("migrate", verbosity=0)
    started = time.monotonic()
    call_command("seed_demo", orders=ORDERS, stdout=sys.stderr)
    return {"seconds": time.monotonic() - started}


def list_pages() -> list[Page]:
    """Every way to look at the list; the floor of a list is fifty joined rows as texts."""
    middle = Order.objects.order_by("-placed_at", "-id")[ORDERS // 2]
    line = OrderLine.objects.filter(order=middle).select_related("order").first()
    parcel = Shipment.objects.exclude(tracking_number="").order_by("-id")[ORDERS // 3]
    assert line
    name = middle.customer_name.split()
    place = write_place(middle, "-placed_at")
    last = write_place(Order.objects.order_by("placed_at", "id")[60], "-placed_at")
    lists: list[tuple[str, dict[str, str]]] = [
        ("first page", {"view": "all"}),
        ("deep page", {"view": "all", "after": place}),
        ("last page", {"view": "all", "after": last}),
        *((f"view {key}", {"view": key}) for key in ("to-process", "to-ship", "to-collect", "unpaid", "returned", "held")),
        ("filter payment", {"payment": "PAID"}),
        ("filter payment, seldom", {"payment": "REFUNDED"}),
        ("filter fulfilment", {"fulfilment": "SHIPPED"}),
        ("filter both statuses", {"payment": "PARTIALLY_REFUNDED", "fulfilment": "DELIVERED"}),
        ("filter held", {"held": "yes"}),
        ("filter oversold", {"oversold": "yes"}),
        ("filter placed", {"placed": "30-days"}),
        ("filter placed long ago", {"placed_from": "2024-06-01", "placed_to": "2024-06-03"}),
        ("filter last change", {"updated": "7-days"}),
        ("filter total", {"total_from": "300"}),
        ("filter payment method", {"payment_method": "Virement bancaire"}),
        ("filter coupon", {"coupon": "BONJOUR5"}),
        ("filter product", {"product": "figuier"}),
        ("filter SKU", {"sku": line.sku}),
        ("filter delivery", {"delivery": "PICKUP"}),
        ("filter shipping method", {"shipping_method": "Chronopost Europe"}),
        ("filter country", {"country": "ES"}),
        ("filter tag", {"tag": "Presse"}),
        ("filter assignee", {"assignee": "nobody"}),
        ("filter follow-up", {"follow_up": "due"}),
        ("filter source", {"source": "ecwid"}),
        ("filter customer", {"customer": str(middle.customer_id)}),
        ("filter invoiced", {"invoiced": "yes"}),
        ("filter not invoiced", {"invoiced": "no"}),
        ("filter needs staff", {"needs_staff": "yes"}),
        ("filter mail failed", {"mail_failed": "yes"}),
        *((f"sort {sort}", {"view": "all", "sort": sort}) for sort in ("placed_at", "-total", "-number", "customer_name", "-updated_at")),
        ("search number", {"q": middle.number}),
        ("search #number", {"q": f"#{middle.number}"}),
        ("search part of an e-mail", {"q": middle.email.split("@")[0]}),
        ("search name", {"q": name[0]}),
        ("search two words", {"q": f"{name[0]} {name[1]}"}),
        ("search half a phone number", {"q": middle.phone[6:11]}),
        ("search phone number", {"q": middle.phone}),
        ("search SKU", {"q": line.sku}),
        ("search item", {"q": line.name.split(",")[0]}),
        ("search tracking", {"q": parcel.tracking_number[:9]}),
        ("search transaction", {"q": Order.objects.exclude(transaction_id="").order_by("pk")[ORDERS // 4].transaction_id}),
        ("search postcode", {"q": "13100"}),
        ("search note", {"q": "carton abîmé"}),
        ("search common word", {"q": "example.com"}),
        ("search common word, deep", {"q": "example.com", "after": place}),
        ("search two letters", {"q": "du"}),
        ("search one letter", {"q": "l"}),
        ("search nothing", {"q": "zzyzx"}),
        ("search and filter", {"q": "example.com", "payment": "REFUNDED"}),
        ("search, sorted by total", {"q": name[1], "sort": "-total"}),
    ]
    address = reverse("admin:orders_order_changelist")
    return [(name, f"{address}?{urlencode(query)}", joined_rows) for name, query in lists]


def other_pages() -> list[Page]:
    middle = Order.objects.order_by("-placed_at", "-id")[ORDERS // 2]
    return [
        ("home", reverse("admin:index"), joined_rows),
        ("order page", reverse("admin:orders_order_change", args=[middle.pk]), lambda: flat_page(middle.pk)),
    ]


def measured(client: Client, address: str, floor: Callable[[], object]) -> dict[str, float]:
    """One visit: CPU of this process and of the server's, wall time, and the floor."""
    if address not in _known:
        with CaptureQueriesContext(connection) as queries:
            response = client.get(address)
        assert response.status_code == 200, (address, response.status_code)
        page = (response.context or {}).get("page")
        _known[address] = {"queries": len(queries), "rows": len(page.orders) if page is not None else 1}
        client.get(address)
    cpu, wall = timed(lambda: client.get(address))
    floor_cpu, _wall = timed(floor)
    return {**_known[address], "cpu": cpu, "wall": wall, "floor": floor_cpu}


_known: dict[str, dict[str, int]] = {}


def timed(job: Callable[[], object]) -> tuple[float, float]:
    gc.disable()  # a collection that earlier pages caused would fall on this one
    started, wall, server = time.process_time(), time.perf_counter(), server_time()
    job()
    cpu = (time.process_time() - started) * 1000
    taken = (time.perf_counter() - wall) * 1000
    gc.enable()
    return cpu + server_time() - server, taken


def server_time() -> float:
    """CPU milliseconds of the database's process behind our connection, as Linux counts them; none with SQLite."""
    if DATABASE != "postgres":
        return 0.0
    if connection.connection is None:
        connection.connect()
    try:
        return int(Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text().split()[0]) / 1e6
    except OSError:
        return 0.0


def joined_rows() -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT o.id, o.number, o.placed_at, o.customer_name, p.code, f.code, o.shipping_method, o.total FROM orders_order o"
            " JOIN orders_status p ON p.id = o.payment_status_id JOIN orders_status f ON f.id = o.fulfilment_status_id"
            " ORDER BY o.placed_at DESC, o.id DESC LIMIT 50"
        )
        return "".join("<tr>" + "".join(f"<td>{value}</td>" for value in found) + "</tr>" for found in cursor.fetchall())


def flat_page(pk: int) -> str:
    return FLAT.render(Context({"order": Order.objects.get(pk=pk), "lines": list(OrderLine.objects.filter(order=pk))}))


def changes() -> dict[str, Any]:
    """A status change through the door beside the plain ORM, and a thousand at once beside one alone."""
    alone = _repeated(one_by_one("PROCESSING", "SHIPPED"), 40)
    plain = _repeated(plain_change, 40)
    ids = list(Order.objects.filter(payment_status__code="PAID").order_by("-placed_at").values_list("pk", flat=True)[:1_000])
    cpu, wall = timed(lambda: apply(StatusWish(ids=ids, actor=ROBOT, fulfilment="DELIVERED")))
    return {
        "one status change": {"queries": 0, "rows": 1, "cpu": alone[0], "wall": alone[1], "floor": plain[0]},
        "each of 1000 changed at once": {"queries": 0, "rows": len(ids), "cpu": cpu / len(ids), "wall": wall / len(ids), "floor": alone[0]},
    }


def _repeated(job: Callable[[], object], rounds: int) -> tuple[float, float]:
    job()
    found = sorted(timed(job) for _round in range(rounds))
    return found[rounds // 2]


def one_by_one(*codes: str) -> Callable[[], object]:
    ids = list(
        Order.objects.filter(fulfilment_status__code="AWAITING_PROCESSING", payment_status__code="PAID").values_list("pk", flat=True)[:60]
    )
    turn = iter(range(10_000))

    def change() -> object:
        number = next(turn)
        return apply(StatusWish(ids=[ids[number % len(ids)]], actor=ROBOT, fulfilment=codes[number // len(ids) % len(codes)])).or_raise()

    return change


def plain_change() -> None:
    """The same rows written by plain ORM calls: order and stock locked, ledger, event."""
    with transaction.atomic():
        order = Order.objects.select_for_update().order_by("pk").first()
        variants = list(Variant.objects.select_for_update().order_by("pk")[:3])
        event = OrderEvent.objects.create(order=order, kind="status", at=timezone.now(), source="task")
        for variant in variants:
            variant.on_hand -= 1
            variant.save(update_fields=["on_hand"])
            StockMovement.objects.create(
                variant=variant, kind="settle", delta_on_hand=-1, on_hand_after=variant.on_hand, committed_after=0, event=event, at=event.at
            )
        order.version += 1
        order.save(update_fields=["version"])


if __name__ == "__main__":
    main()
