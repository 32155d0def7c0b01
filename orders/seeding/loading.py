"""Writes very many rows as fast as the database takes them: COPY on PostgreSQL, prepared statements on SQLite."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from json import dumps
from typing import Any
from uuid import UUID

from django.core.management.color import no_style
from django.db import connection
from django.db.models import Field, JSONField, Max, Model

from orders import searching


class Loader:
    """Rows of one model: a row names only the columns that differ from the field's default. Ids are given out here."""

    def __init__(self, model: type[Model], columns: Sequence[str]) -> None:
        self.model, self.columns = model, columns
        self.next_id = (model._default_manager.aggregate(last=Max("pk"))["last"] or 0) + 1
        self.rows: list[tuple[Any, ...]] = []
        fields = {field.attname: field for field in model._meta.concrete_fields}
        self.named = [fields[name] for name in columns]
        self.rest = [field for name, field in fields.items() if name not in columns and name != "id"]
        self.written = [_writer(field) for field in self.named]
        self.constant = tuple(_writer(field)(field.get_default()) for field in self.rest)

    def add(self, *values: Any) -> int:
        """Keep a row for the next `write`; its id."""
        pk = self.next_id
        self.next_id += 1
        self.rows.append((pk, *values))
        return pk

    def write(self) -> None:
        """Store the rows kept so far."""
        if not self.rows:
            return
        names = ["id", *(field.column for field in (*self.named, *self.rest))]
        table, listed = self.model._meta.db_table, ", ".join(f'"{name}"' for name in names)
        rows = self._as_stored()
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                with cursor.copy(f"COPY {table} ({listed}) FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
            else:
                places = ", ".join(["%s"] * len(names))
                cursor.executemany(f"INSERT INTO {table} ({listed}) VALUES ({places})", rows)  # noqa: S608 (names of columns)
        self.rows = []

    def _as_stored(self) -> Any:
        writers, constant = self.written, self.constant
        for pk, *values in self.rows:
            yield (pk, *[write(value) for write, value in zip(writers, values, strict=True)], *constant)


def settle_sequences(models: Iterable[type[Model]]) -> None:
    """Let the database go on after the ids that were given out here."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(models)):
            cursor.execute(statement)


@contextmanager
def without_search_index() -> Iterator[None]:
    """While this lasts the search index is gone; it is made anew at the end, which costs a fraction of growing it row by row."""
    check_now()
    searching.drop_index(connection)
    yield
    check_now()
    searching.make_index(connection)


def check_now() -> None:
    """Check the rows written so far: PostgreSQL keeps a note per row until it does, and makes no index before."""
    if connection.vendor == "postgresql":
        connection.check_constraints()


def _writer(field: "Field[Any, Any]") -> Callable[[Any], Any]:
    if isinstance(field, JSONField):
        return _written_json
    return _as_is if connection.vendor == "postgresql" else _for_sqlite


def _written_json(value: Any) -> str:
    return dumps(value, ensure_ascii=False)


def _as_is(value: Any) -> Any:
    return value


def _for_sqlite(value: Any) -> Any:
    if isinstance(value, datetime):
        return str(value.astimezone(UTC).replace(tzinfo=None))
    if isinstance(value, Decimal | date):
        return str(value)
    return value.hex if isinstance(value, UUID) else value
