"""Proves that caches equal what they cache: stock and ledger, pieces, money. Reads only."""

from collections.abc import Iterator
from decimal import Decimal

from django.db.models import F, Q, Sum

from orders.models import DraftReservation, Order, OrderLine, Payment, Refund, ShipmentLine, StockMovement, Variant
from orders.models.stock import LineDecision
from orders.services.pricing import expected_total

BATCH = 500


def find_problems() -> Iterator[str]:
    """One line per thing that does not add up; nothing when all is well."""
    yield from _stock_problems()
    yield from _line_problems()
    yield from _order_problems()


def _stock_problems() -> Iterator[str]:
    sums = {
        row["variant"]: (row["on_hand"], row["committed"])
        for row in StockMovement.objects.values("variant").annotate(on_hand=Sum("delta_on_hand"), committed=Sum("delta_committed"))
    }
    last: dict[int, tuple[int, int]] = {}
    for variant_id, on_hand, committed, d_on_hand, d_committed in (
        StockMovement.objects.order_by("variant", "id")
        .values_list("variant", "on_hand_after", "committed_after", "delta_on_hand", "delta_committed")
        .iterator(chunk_size=2000)
    ):
        before = last.get(variant_id, (0, 0))
        if (before[0] + d_on_hand, before[1] + d_committed) != (on_hand, committed):
            yield f"stock: the ledger of variant {variant_id} does not run on at {on_hand}/{committed}"
        last[variant_id] = (on_hand, committed)
    for pk, sku, on_hand, committed in Variant.objects.values_list("pk", "sku", "on_hand", "committed").iterator(chunk_size=2000):
        if sums.get(pk, (0, 0)) != (on_hand, committed):
            yield f"stock: {sku} says {on_hand} on hand, {committed} committed; the ledger says {sums.get(pk, (0, 0))}"
    kept = {(draft, variant): pieces for draft, variant, pieces in DraftReservation.objects.values_list("draft", "variant", "pieces")}
    held = StockMovement.objects.exclude(draft=None).order_by().values_list("draft", "variant").annotate(pieces=Sum("delta_committed"))
    ledger = {(draft, variant): pieces for draft, variant, pieces in held if pieces}
    for key in sorted(kept.keys() | ledger.keys()):
        if kept.get(key, 0) != ledger.get(key, 0):
            yield f"stock: draft {key[0]} keeps {kept.get(key, 0)} of variant {key[1]}, the ledger says {ledger.get(key, 0)}"


def _line_problems() -> Iterator[str]:
    lines = OrderLine.objects.select_related("order__payment_status", "order__fulfilment_status", "variant")
    total = lines.order_by("pk")
    start = 0
    while batch := list(total.filter(pk__gt=start)[:BATCH]):
        start = batch[-1].pk
        ids = [line.pk for line in batch]
        ledger = _sums(StockMovement.objects.filter(line__in=ids), "line", "delta_on_hand", "delta_committed")
        decided = _sums(LineDecision.objects.filter(line__in=ids), "line", "shelf", "lost", "back")
        shipped = _sums(ShipmentLine.objects.filter(line__in=ids, shipment__voided_by=None), "line", "quantity")
        for line in batch:
            name = f"order {line.order.number}, {line.sku or line.name}"
            on_hand, committed = ledger.get(line.pk, (0, 0))
            if (-on_hand, committed) != (line.consumed, line.committed):
                yield f"stock: {name} holds {line.committed}+{line.consumed}, the ledger says {committed}+{-on_hand}"
            if decided.get(line.pk, (0, 0, 0)) != (line.pieces_shelf, line.pieces_lost, line.pieces_back):
                yield f"pieces: {name} does not equal its decisions"
            if shipped.get(line.pk, (0,)) != (line.pieces_shipped,):
                yield f"pieces: {name} does not equal its parcels"


def _order_problems() -> Iterator[str]:
    start = 0
    orders = Order.objects.order_by("pk")
    while batch := list(orders.filter(pk__gt=start)[:BATCH]):
        start = batch[-1].pk
        ids = [order.pk for order in batch]
        payments = _sums(Payment.objects.filter(order__in=ids), "order", "amount")
        refunds = _sums(Refund.objects.filter(order__in=ids), "order", "amount", "credited")
        for order in batch:
            if payments.get(order.pk, (0,)) != (order.paid_total,):
                yield f"money: order {order.number} says {order.paid_total} paid, its payments say {payments.get(order.pk, (0,))[0]}"
            if refunds.get(order.pk, (0, 0)) != (order.refunded_total, order.credited_total):
                yield f"money: order {order.number} does not equal its refunds"
            if not order.totals_warning and expected_total(order) != order.total:
                yield f"money: order {order.number} totals {order.total}, its parts {expected_total(order)}"
    if Order.objects.filter(Q(refunded_total__gt=F("paid_total")) | Q(refunded_total__lt=0)).exists():
        yield "money: an order gave back more than it received"


def _sums(rows, key: str, *columns: str) -> dict[int, tuple]:  # type: ignore[no-untyped-def]
    found = rows.values_list(key).annotate(*(Sum(column) for column in columns))
    return {row[0]: tuple(_exact(value) for value in row[1:]) for row in found}


def _exact(value: Decimal | int) -> Decimal | int:
    """SQLite adds amounts as binary fractions; they are stored with four decimals."""
    return round(value, 4) if isinstance(value, Decimal) else value
