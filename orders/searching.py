"""How the database finds parts of the search text: trigrams. PostgreSQL indexes the column; SQLite has a table of its own beside it.

The rows of SQLite's table (FTS5, kept by triggers) are numbered by the moment and the id of their order, so that it gives the newest
first without reading and sorting all that match: `newest_first` uses that, and `few_or_scanned` is for lists in another sort.
"""

from datetime import datetime
from typing import Any

from django.db import DatabaseError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Lookup, Q, QuerySet, TextField
from django.db.models.expressions import RawSQL
from django.db.models.sql.where import WhereNode

# One of several sets of parts, every part of a set, each in one of its forms.
Wanted = tuple[tuple[tuple[str, ...], ...], ...]

TABLE, INDEX = "orders_search", "order_search_trigrams"
ID_BITS = 30
_ID_MASK = (1 << ID_BITS) - 1
FEW = 2000
_KEY = f"((CAST(strftime('%s', substr({{row}}.placed_at, 1, 19)) AS INTEGER) << {ID_BITS}) | {{row}}.id)"


class Holds(Lookup):
    """The column holds what is wanted. PostgreSQL: LIKE, by the trigram index. SQLite: the ids that the table of trigrams gives."""

    lookup_name = "holds"
    prepare_rhs = False

    @classmethod
    def of(cls, wanted: Wanted) -> Q:
        return Q(search__holds=wanted)

    def get_db_prep_lookup(self, value: Any, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        return "%s", (value,)

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        column, _params = compiler.compile(self.lhs)
        likes, values = _nested(self.rhs, f"{column} LIKE %s", lambda part: f"%{_escaped(part)}%")
        return likes, tuple(values)

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        alias = compiler.quote_name_unless_alias(self.lhs.alias)
        return f"{alias}.id IN (SELECT rowid & {_ID_MASK} FROM {TABLE} WHERE {TABLE} MATCH %s)", (match_of(self.rhs),)  # noqa: S608


class Scanned(Holds):
    """The same, read from each row that another index gives: for what nearly every order holds."""

    lookup_name = "scanned"

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        column, _params = compiler.compile(self.lhs)
        found, values = _nested(self.rhs, f"instr({column}, %s) > 0", str)
        return found, tuple(values)


class Streamed(Holds):
    """The order of the row that the table of trigrams gives. The query has that table beside the orders (`newest_first`)."""

    lookup_name = "streamed"

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        alias = compiler.quote_name_unless_alias(self.lhs.alias)
        return f"{TABLE} MATCH %s AND {alias}.id = ({TABLE}.rowid & {_ID_MASK})", (match_of(self.rhs),)


for _lookup in (Holds, Scanned, Streamed):
    TextField.register_lookup(_lookup)


def match_of(wanted: Wanted) -> str:
    """What is wanted, as the query language of FTS5 says it: every part a quoted text."""
    expression, values = _nested(wanted, "{}", lambda part: '"' + part.replace('"', '""') + '"')
    return expression.format(*values)


def newest_first(orders: QuerySet[Any]) -> QuerySet[Any] | None:
    """The query `orders` with its search read newest first from SQLite's table of trigrams; None where it searches nothing so."""
    sought = _sought(orders)
    if sought is None:
        return None
    orders = _without(orders, sought).filter(search__streamed=sought.rhs)
    orders.query.add_extra(None, None, None, None, [TABLE], None)
    return orders


def by_stream(*, falling: bool) -> Any:
    """The sort of a query that `newest_first` gave."""
    row = RawSQL(f"{TABLE}.rowid", ())  # noqa: S611 (no value of a user)
    return row.desc() if falling else row.asc()


def beyond(orders: QuerySet[Any], moment: datetime, pk: int, *, falling: bool) -> QuerySet[Any]:
    """Those of a query of `newest_first` that come after an order in its sort."""
    key = (int(moment.timestamp() // 1) << ID_BITS) | pk
    clone = orders.all()
    clone.query.add_extra(None, None, [f"{TABLE}.rowid {'<' if falling else '>'} CAST(%s AS INTEGER)"], [str(key)], None, None)
    return clone


def few_or_scanned(orders: QuerySet[Any]) -> QuerySet[Any]:
    """The query for another sort than newest first: the ids where few match, else read from the rows in their sort."""
    sought = _sought(orders)
    if sought is None:
        return orders
    with connection.cursor() as cursor:
        # The newest of a common word come first and the reading stops: it costs the same whatever the number of orders.
        cursor.execute(f"SELECT rowid & {_ID_MASK} FROM {TABLE} WHERE {TABLE} MATCH %s LIMIT {FEW + 1}", [match_of(sought.rhs)])  # noqa: S608
        ids = [row[0] for row in cursor.fetchall()]
    rest = _without(orders, sought)
    return rest.filter(search__scanned=sought.rhs) if len(ids) > FEW else rest.filter(pk__in=ids)


def without_search(orders: QuerySet[Any]) -> QuerySet[Any]:
    """The query without what it searches."""
    orders = orders.all()
    orders.query.where = WhereNode([child for child in orders.query.where.children if not isinstance(child, Holds)])
    return orders


def has_other_conditions(orders: QuerySet[Any]) -> bool:
    """Whether a searching query also filters by more than "not deleted"."""
    return any(not isinstance(child, Holds) and getattr(child, "lookup_name", "") != "isnull" for child in orders.query.where.children)


def _sought(orders: QuerySet[Any]) -> Holds | None:
    if connections[orders.db].vendor != "sqlite" or orders.query.where.connector != "AND" or orders.query.where.negated:
        return None
    children: list[Any] = list(orders.query.where.children)
    found: list[Holds] = [child for child in children if type(child) is Holds]
    return found[0] if len(found) == 1 else None


def _without(orders: QuerySet[Any], sought: Holds) -> QuerySet[Any]:
    orders = orders.all()
    children: list[Any] = list(orders.query.where.children)
    orders.query.where = WhereNode([child for child in children if child is not sought])
    return orders


def _nested(wanted: Wanted, each: str, value: Any) -> tuple[str, list[str]]:
    """`wanted` as nested OR, AND and OR over `each`, and the values in their order."""
    ways, values = [], []
    for way in wanted:
        parts = []
        for forms in way:
            parts.append("(" + " OR ".join([each] * len(forms)) + ")")
            values += [value(form) for form in forms]
        ways.append("(" + " AND ".join(parts) + ")")
    return "(" + " OR ".join(ways) + ")", values


def _escaped(part: str) -> str:
    return part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def make_index(database: BaseDatabaseWrapper) -> None:
    """Make the index of the search text and fill it. Refuses with a hint where the database can't."""
    with database.cursor() as cursor:
        if database.vendor == "postgresql":
            cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
            if cursor.fetchone() is None:
                _make_extension(cursor)
            cursor.execute(
                f"CREATE INDEX {INDEX} ON orders_order USING gin (search gin_trgm_ops) WITH (fastupdate = on, gin_pending_list_limit = 512)"
            )
            return
        # The texts are folded already: to compare case costs less than to fold again.
        cursor.execute(f"CREATE VIRTUAL TABLE {TABLE} USING fts5(search, content='', tokenize='trigram case_sensitive 1')")
        cursor.execute(f"INSERT INTO {TABLE}(rowid, search) SELECT {_KEY.format(row='o')}, o.search FROM orders_order o")  # noqa: S608
    keep_triggers(database)


def drop_index(database: BaseDatabaseWrapper) -> None:
    """Remove the index: for a migration back, and while very many orders are written."""
    with database.cursor() as cursor:
        if database.vendor == "postgresql":
            cursor.execute(f"DROP INDEX IF EXISTS {INDEX}")
            return
        for name in ("insert", "update", "delete"):
            cursor.execute(f"DROP TRIGGER IF EXISTS {TABLE}_{name}")
        cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")


def keep_triggers(database: BaseDatabaseWrapper) -> None:
    """Make SQLite's triggers where they are missing: a migration that rebuilds the table of orders drops them with it."""
    if database.vendor != "sqlite":
        return
    remove = f"INSERT INTO {TABLE}({TABLE}, rowid, search) VALUES ('delete', {_KEY.format(row='OLD')}, OLD.search);"  # noqa: S608
    add = f"INSERT INTO {TABLE}(rowid, search) VALUES ({_KEY.format(row='NEW')}, NEW.search);"  # noqa: S608
    changed = "OLD.search IS NOT NEW.search OR OLD.placed_at IS NOT NEW.placed_at"
    with database.cursor() as cursor:
        cursor.execute("SELECT 1 FROM sqlite_master WHERE name = %s", [TABLE])
        if cursor.fetchone() is None:
            return
        for name, when, body in (
            ("insert", "AFTER INSERT ON orders_order", add),
            ("update", f"AFTER UPDATE OF search, placed_at ON orders_order WHEN {changed}", remove + add),
            ("delete", "AFTER DELETE ON orders_order", remove),
        ):
            cursor.execute(f"CREATE TRIGGER IF NOT EXISTS {TABLE}_{name} {when} BEGIN {body} END")


def _make_extension(cursor: Any) -> None:
    try:
        cursor.execute("CREATE EXTENSION pg_trgm")
    except DatabaseError as error:
        raise DatabaseError(
            "The search needs PostgreSQL's extension pg_trgm. Run once, as an administrator of this database: CREATE EXTENSION pg_trgm;"
        ) from error
