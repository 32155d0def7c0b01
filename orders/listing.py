"""One page of many orders: keyset paging for any sort, neighbours, and counts that stop. Knows what no list may do: OFFSET, COUNT(*)."""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import connection
from django.db.models import Exists, F, IntegerField, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Length
from django.db.models.lookups import IsNull
from django.http import QueryDict
from django.utils.translation import gettext as _

from orders import searching
from orders.models import Order, Status
from orders.money import format_number
from orders.search import exact_order_ids

PAGE = 50
MOST_COUNTED = 1000
MOST_FEW = 1000
SAMPLE = 200  # newest orders that tell whether most have something
DEFAULT_SORT = "-placed_at"

# What no list shows and what is large: read only by the order page.
BULKY = (
    "search",
    "provenance",
    "extra_fields",
    "additional",
    "coupon",
    "shipping_taxes",
    "totals_warning",
    "payment_message",
    "transaction_url",
    "delivery_instructions",
    "customer_comment",
)


class BoundedCount(Subquery):
    """How many rows a query gives, counted up to its slice: cheap on any table."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


@dataclass
class Page:
    """One page of orders in their sort, and the addresses of the pages before and after it."""

    orders: list[Order]
    newer: str = ""
    older: str = ""


@dataclass(frozen=True)
class Column:
    """What a sort compares: the name in a query, how an order gives it, how an address gives it back."""

    name: str
    of: Callable[[Order], Any]
    read: Callable[[Any], Any]


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError
    return moment


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int) or abs(value) >= 2**63:
        raise ValueError
    return value


def _amount(value: Any) -> Decimal:
    amount = Decimal(_text(value))
    if not amount.is_finite() or abs(amount) >= 10**12:
        raise ValueError
    return amount


_NUMBER = Column("number", lambda order: order.number, _text)
SORTS: dict[str, tuple[Column, ...]] = {
    "placed_at": (Column("placed_at", lambda order: order.placed_at, _moment),),
    "updated_at": (Column("updated_at", lambda order: order.updated_at, _moment),),
    "total": (Column("total", lambda order: order.total, _amount),),
    "customer_name": (Column("customer_name", lambda order: order.customer_name, _text),),
    # Shorter numbers first: 999 stands before 1000.
    "number": (Column("number_length", lambda order: len(order.number), _whole), _NUMBER),
}
_ID = Column("pk", lambda order: order.pk, _whole)


def known_sort(sort: str) -> str:
    """`sort` ("total", "-total", ...) where the list knows it, else newest first."""
    return sort if sort.removeprefix("-") in SORTS else DEFAULT_SORT


def keyset_page(orders: QuerySet[Order], query: QueryDict, sort: str = DEFAULT_SORT) -> Page:
    """Fifty orders in their sort, from where `after` or `before` of the address says; no page costs more than the first.

    A value that was edited by hand or belongs to another sort gives the first page.
    """
    sort = known_sort(sort)
    after, before = read_place(query.get("after", ""), sort), read_place(query.get("before", ""), sort)
    best = exact_order_ids(searching.without_search(orders), query.get("q", "")) if query.get("q") else []
    source = _Source(orders.exclude(pk__in=best) if best else orders, sort)
    if before:
        rows = list(source.rows(before, back=True).defer(*BULKY)[: PAGE + 1])
        more, rows = len(rows) > PAGE, rows[:PAGE][::-1]
        older = _link(query, "after", rows[-1], sort) if rows else ""
        if not more and best:
            rows = [*orders.filter(pk__in=best).defer(*BULKY).order_by("-pk"), *rows]
        return Page(rows, newer=_link(query, "before", rows[0], sort) if more else "", older=older)
    rows = list(source.rows(after).defer(*BULKY)[: PAGE + 1])
    more, rows = len(rows) > PAGE, rows[:PAGE]
    newer = _link(query, "before", rows[0], sort) if after and rows else ""
    older = _link(query, "after", rows[-1], sort) if more else ""
    if best and not after:
        rows = [*orders.filter(pk__in=best).defer(*BULKY).order_by("-pk"), *rows]
    return Page(rows, newer=newer, older=older)


def newest(orders: QuerySet[Order], most: int) -> list[Order]:
    """The newest of `orders`, with a search or without: a few, for a list of suggestions."""
    return list(_Source(orders, DEFAULT_SORT).rows(None)[:most])


def neighbours(orders: QuerySet[Order], order: Order, sort: str = DEFAULT_SORT) -> tuple[int | None, int | None]:
    """The orders that stand before and after `order` in a filtered and sorted list: one indexed row each."""
    sort = known_sort(sort)
    place = tuple(column.of(order) for column in (*SORTS[sort.removeprefix("-")], _ID))
    source = _Source(orders, sort)
    before = source.rows(place, back=True).values_list("pk", flat=True)[:1]
    after = source.rows(place).values_list("pk", flat=True)[:1]
    return next(iter(before), None), next(iter(after), None)


class Having(Exists):
    """An order has one of many rows. `is_common`: most orders have, so that a count soon meets enough of them order by order."""

    def __init__(self, rows: QuerySet[Any], *, is_common: bool) -> None:
        super().__init__(rows.filter(order_id=OuterRef("pk")))
        self.rows, self.is_common = rows, is_common


def having(rows: QuerySet[Any]) -> Q | Having:
    """The condition of an order to have one of `rows` (items, addresses, documents, ...): one of their ids where these are few,
    else each order is asked for its own, as the newest of many are soon found."""
    rows = rows.order_by()
    ids = list(rows.values_list("order_id", flat=True)[: MOST_FEW + 1])
    if len(ids) > MOST_FEW:
        newest = Order.objects.order_by("-pk").values("pk")[:SAMPLE]
        return Having(rows, is_common=rows.filter(order_id__in=newest).values("order_id").distinct().count() > SAMPLE // 2)
    return Q(pk__in={pk for pk in ids if pk is not None})


def only_few(orders: QuerySet[Order], wanted: Q) -> QuerySet[Order]:
    """`orders` that answer `wanted`, by their ids where few do: a column with one common value hides how few hold another."""
    ids = list(Order.objects.filter(wanted).order_by().values_list("pk", flat=True)[: MOST_FEW + 1])
    return orders.filter(pk__in=ids) if len(ids) <= MOST_FEW else orders.filter(wanted)


def bounded_counts(querysets: Iterable[QuerySet[Any]], most: int = MOST_COUNTED + 1) -> list[int]:
    """How many rows each query gives, counted up to `most`, in one query."""
    columns = {f"count_{position}": BoundedCount(_countable(queryset)[:most]) for position, queryset in enumerate(querysets)}
    row = Status.objects.order_by().values_list(*columns.values())[:1]
    # A filter that nothing can match is no query at all: nothing stands for no rows.
    return [count or 0 for count in row[0]] if row else [0] * len(columns)


def counted_text(count: int, estimate: int = 0) -> str:
    """A bounded count as the reader sees it: "14", "1000+", or "about 200,000" where an estimate of the whole is at hand."""
    if count <= MOST_COUNTED:
        return str(count)
    if estimate > MOST_COUNTED:
        return _("about {number}").format(number=format_number(Decimal(_rounded(estimate))))
    return f"{MOST_COUNTED}+"


def estimated_total() -> int:
    """About how many orders there are, without counting them: PostgreSQL's statistics, else the newest id."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [Order._meta.db_table])
            found = int(cursor.fetchone()[0])
        if found > 0:
            return found
    return Order.objects.aggregate(newest=Max("pk"))["newest"] or 0


def read_place(value: str, sort: str) -> tuple[Any, ...] | None:
    """The place in a sorted list that an address names; None where it names none."""
    try:
        found = json.loads(base64.urlsafe_b64decode(value.encode() + b"=" * (-len(value) % 4)))
        columns = (*SORTS[sort.removeprefix("-")], _ID)
        if not isinstance(found, list) or len(found) != len(columns) + 1 or found[0] != sort:
            return None
        return tuple(column.read(part) for column, part in zip(columns, found[1:], strict=True))
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error, InvalidOperation):
        return None


def write_place(order: Order, sort: str) -> str:
    """The place of `order` in a sorted list, for an address; `read_place` reads it."""
    parts = [column.of(order) for column in (*SORTS[sort.removeprefix("-")], _ID)]
    plain = [part.isoformat() if isinstance(part, datetime) else str(part) if isinstance(part, Decimal) else part for part in parts]
    return base64.urlsafe_b64encode(json.dumps([sort, *plain], separators=(",", ":")).encode()).decode().rstrip("=")


class _Source:
    """Where the rows of a list come from: an index of its sort, or what finds the words of its search."""

    def __init__(self, orders: QuerySet[Order], sort: str) -> None:
        self.sort = sort
        self.names = [column.name for column in (*SORTS[sort.removeprefix("-")], _ID)]
        by_moment = self.names == ["placed_at", "pk"] and not searching.has_other_conditions(orders)
        self.stream = searching.newest_first(orders) if by_moment else None
        self.orders = self.stream if self.stream is not None else searching.few_or_scanned(orders)
        if "number_length" in self.names:
            self.orders = self.orders.annotate(number_length=Length("number"))

    def rows(self, place: Sequence[Any] | None, *, back: bool = False) -> QuerySet[Order]:
        """The orders after `place` in their sort, or before it from the nearest on."""
        falls = self.sort.startswith("-") != back
        orders = self.orders
        if self.stream is not None:
            if place is not None:
                orders = searching.beyond(orders, place[0], place[1], falling=falls)
            return orders.order_by(searching.by_stream(falling=falls))
        if place is not None:
            orders = orders.filter(_beyond(self.names, place, "lt" if falls else "gt"))
        return orders.order_by(*(F(name).desc() if falls else F(name).asc() for name in self.names))


def _countable(orders: QuerySet[Any]) -> QuerySet[Any]:
    """The ids of the query as they are best counted, without a sort: rows that most orders don't have are read first."""
    rare: list[Any] = [child for child in orders.query.where.children if _is_rare(getattr(child, "lhs", None))]
    if rare:
        orders = orders.all()
        orders.query.where.children = [child for child in orders.query.where.children if child not in rare]
        rows = rare[0].lhs.rows
        if len(rare) == 1 and _asks_nothing_else(orders):
            # Read from the index of the rows, which gives their orders in order, until there are enough: nothing else is asked of them.
            deleted = Order.objects.filter(deleted_at__isnull=False).order_by().values("pk")
            return rows.filter(order__isnull=False).exclude(order__in=deleted).values("order_id").distinct()
        for child in rare:
            orders = orders.filter(pk__in=child.lhs.rows.values("order_id"))
    elif searching.has_other_conditions(orders):
        orders = searching.few_or_scanned(orders)
    else:
        stream = searching.newest_first(orders)
        orders = orders if stream is None else stream
    return orders.order_by().values("pk")


def _is_rare(asked: Any) -> bool:
    return isinstance(asked, Having) and not asked.is_common


def _asks_nothing_else(orders: QuerySet[Order]) -> bool:
    """Whether a query asks for no more than orders that are not deleted."""
    asked = orders.query.where.children
    return len(asked) == 1 and isinstance(asked[0], IsNull) and asked[0].rhs is True and asked[0].lhs.target.name == "deleted_at"


def _beyond(names: Sequence[str], place: Sequence[Any], way: str) -> Q:
    """Rows past `place`. The first column is bounded by itself, so that an index finds the start."""
    beyond = Q(**{f"{names[-1]}__{way}": place[-1]})
    for name, value in zip(reversed(names[:-1]), reversed(place[:-1]), strict=True):
        beyond = Q(**{f"{name}__{way}": value}) | Q(**{name: value}) & beyond
    return Q(**{f"{names[0]}__{way}e": place[0]}) & beyond


def _link(query: QueryDict, name: str, order: Order, sort: str) -> str:
    linked = query.copy()
    for gone in ("after", "before"):
        linked.pop(gone, None)
    linked[name] = write_place(order, sort)
    return "?" + linked.urlencode()


def _rounded(number: int) -> int:
    """Two figures and zeros: an estimate does not pretend to know more."""
    size = 10 ** max(len(str(number)) - 2, 0)
    return round(number / size) * size
