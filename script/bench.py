"""Measures what staff wait for, each beside a floor that does the same with the least possible code. Ratios count, not times."""

import argparse
import json
import os
import statistics
import sys
import time
import uuid
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecwid_orders.settings")

import django

django.setup()

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.template import Context, Engine
from django.test import Client
from django.test.utils import setup_databases, setup_test_environment, teardown_databases
from django.urls import reverse
from django.utils import timezone

from orders.drafts import DraftLine, OrderDraft
from orders.models import Order, OrderEvent, OrderLine, Product, StockMovement, Variant
from orders.services.intake import place_order
from orders.services.plan import Actor, apply
from orders.services.status import StatusWish
from orders.services.stock import adjust_stock

ROBOT = Actor.task("bench")
FLAT = Engine().from_string(
    "<h1>{{ order.number }}</h1>"
    "{% for line in lines %}<p>{{ line.sku }} {{ line.name }} {{ line.quantity }} {{ line.price }}</p>{% endfor %}"
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/bench")
    parser.add_argument("--orders", type=int, default=2_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    setup_test_environment()
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        rows = measure(options.orders)
    finally:
        teardown_databases(databases, verbosity=0)
    if options.json:
        print(json.dumps({"database": connection.vendor, "orders": options.orders, "figures": rows}, indent=2))
        return 0
    print(f"{connection.vendor}, {options.orders} orders; CPU in ms, the ratio counts\n")
    print(f"{'what':44}{'ours':>9}{'floor':>9}{'ratio':>8}")
    for row in rows:
        print(f"{row['what']:44}{row['ours']:9.2f}{row['floor']:9.2f}{row['ratio']:8.2f}")
    return 0


def measure(count: int) -> list[dict[str, object]]:
    fill(count)
    client = Client()
    client.force_login(User.objects.create_superuser("bench"))
    some = Order.objects.order_by("pk")[count // 2]
    listing = reverse("admin:orders_order_changelist")
    first = cpu(lambda: joined_rows())
    rows = [
        row("orders list, first page : joined rows", cpu(lambda: client.get(listing)), first),
        row(
            "orders list, search by name : first page", cpu(lambda: client.get(listing, {"q": "Buyer 7"})), cpu(lambda: client.get(listing))
        ),
        row(
            "order page : order, items, flat template",
            cpu(lambda: client.get(reverse("admin:orders_order_change", args=[some.pk]))),
            cpu(lambda: flat_page(some.pk)),
        ),
        row("one status change : plain ORM", cpu(one_by_one("PROCESSING", "SHIPPED"), 40), cpu(plain_change, 40)),
    ]
    ids = list(Order.objects.order_by("-pk").values_list("pk", flat=True)[: min(count, 1_000)])
    started = time.process_time()
    apply(StatusWish(ids=ids, actor=ROBOT, fulfilment="PROCESSING"))
    together = (time.process_time() - started) / len(ids) * 1000
    rows.append(row(f"{len(ids)} orders at once, each : one alone", together, float(rows[-1]["ours"])))
    return rows


def row(what: str, ours: float, floor: float) -> dict[str, object]:
    return {"what": what, "ours": ours, "floor": floor, "ratio": ours / floor if floor else 0.0}


def cpu(job: Callable[[], object], rounds: int = 15) -> float:
    """Median CPU milliseconds of `job`, after one round that warms it up."""
    job()
    times = []
    for _round in range(rounds):
        started = time.process_time()
        job()
        times.append((time.process_time() - started) * 1000)
    return statistics.median(times)


def fill(count: int) -> None:
    """One order placed as it should be, and copies of it: enough rows to measure with."""
    product = Product.objects.create(name="Mug")
    for sku in ("A", "B", "C"):
        variant = Variant.objects.create(product=product, sku=sku, price=Decimal(12))
        adjust_stock(variant.pk, 1_000_000, reason="bench", actor=ROBOT)
    lines = tuple(DraftLine(sku=sku, quantity=1) for sku in ("A", "B", "C"))
    model = place_order(OrderDraft(lines=lines, customer_name="Buyer", email="buyer@example.com"), actor=ROBOT)
    model.refresh_from_db()
    columns = [c.attname for c in Order._meta.concrete_fields if c.attname != "id"]
    orders = []
    for number in range(count):
        order = Order(**{name: getattr(model, name) for name in columns})
        order.number, order.public_id, order.customer_name = f"B{number}", uuid.uuid4(), f"Buyer {number}"
        order.search = f"b{number}\nbuyer {number}\nbuyer{number}@example.com"
        orders.append(order)
    Order.objects.bulk_create(orders, batch_size=500)
    columns = [c.attname for c in OrderLine._meta.concrete_fields if c.attname not in ("id", "order_id", "committed")]
    copies = [OrderLine(order=order, **{n: getattr(line, n) for n in columns}) for order in orders for line in model.lines.all()]
    OrderLine.objects.bulk_create(copies, batch_size=1_000)


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


def one_by_one(*codes: str) -> Callable[[], object]:
    ids = list(Order.objects.order_by("pk").values_list("pk", flat=True)[:200])
    turn = iter(range(10_000))

    def change() -> object:
        number = next(turn)
        return apply(StatusWish(ids=[ids[number % len(ids)]], actor=ROBOT, fulfilment=codes[number // len(ids) % len(codes)])).or_raise()

    return change


def plain_change() -> None:
    """The same rows written by plain ORM calls: order and stock locked, ledger, event."""
    with transaction.atomic():
        order = Order.objects.select_for_update().order_by("pk").first()
        variants = list(Variant.objects.select_for_update().order_by("pk"))
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
    sys.exit(main())
