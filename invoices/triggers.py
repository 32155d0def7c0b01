"""Database triggers that keep issued documents as they are, even against raw SQL, on SQLite and PostgreSQL.

SQLite rebuilds a table when a column changes, and drops its triggers with it: a later migration that alters one of these
tables runs `protect` again as its last operation. `check_integrity` says when a trigger is missing.
"""

from collections.abc import Iterator
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

LIVE = ("render_state", "render_error", "render_attempts", "pdf", "pdf_sha256", "pdf_size", "rendered_at", "transmission_state")
FILE = ("pdf", "pdf_sha256", "pdf_size")
ISSUED = "invoices_invoice"
PARTS = ("invoices_invoiceline", "invoices_invoicevatgroup", "invoices_invoiceevent")
COUNTER = "invoices_invoicecounter"
MESSAGE = "issued documents are never changed"


def protect(apps: Any, schema_editor: Any) -> None:
    """Make all triggers anew, from a migration."""
    protect_tables(schema_editor.connection)


def protect_tables(connection: BaseDatabaseWrapper) -> None:
    """Make all triggers anew."""
    unprotect(connection)
    with connection.cursor() as cursor:
        for statement in _statements(connection):
            cursor.execute(statement)


def unprotect_in_migration(apps: Any, schema_editor: Any) -> None:
    unprotect(schema_editor.connection)


def unprotect(connection: BaseDatabaseWrapper) -> None:
    """Drop all triggers: for a migration that alters a table, and for tests that empty the database."""
    tables = {name: table for name, table, _when, _condition in _triggers(connection)}
    with connection.cursor() as cursor:
        for name, table in tables.items():
            on = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")
        if connection.vendor == "postgresql":
            cursor.execute("DROP FUNCTION IF EXISTS invoices_refuse()")


def missing_triggers(connection: BaseDatabaseWrapper) -> list[str]:
    """Names of triggers that should exist and do not."""
    query = (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        found = {row[0] for row in cursor.fetchall()}
    return [name for name, *_rest in _triggers(connection) if name not in found]


def _triggers(connection: BaseDatabaseWrapper) -> Iterator[tuple[str, str, str, str]]:
    """Name, table, when and condition of each trigger."""
    with connection.cursor() as cursor:
        columns = [column.name for column in connection.introspection.get_table_description(cursor, ISSUED)]
    frozen = ", ".join(column for column in columns if column not in LIVE)
    yield "invoices_frozen", ISSUED, f"UPDATE OF {frozen}", ""
    yield "invoices_file_once", ISSUED, f"UPDATE OF {', '.join(FILE)}", "OLD.pdf <> ''"
    yield "invoices_kept", ISSUED, "DELETE", ""
    for table in PARTS:
        yield f"{table}_frozen", table, "UPDATE", ""
        yield f"{table}_kept", table, "DELETE", ""
    yield "invoices_counter_grows", COUNTER, "UPDATE", "NEW.last_number < OLD.last_number"
    yield "invoices_counter_kept", COUNTER, "DELETE", "OLD.last_number > 0"


def _statements(connection: BaseDatabaseWrapper) -> Iterator[str]:
    if connection.vendor == "postgresql":
        yield (
            "CREATE OR REPLACE FUNCTION invoices_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
    for name, table, when, condition in _triggers(connection):
        guard = f"WHEN ({condition}) " if condition else ""
        if connection.vendor == "postgresql":
            yield f"CREATE TRIGGER {name} BEFORE {when} ON {table} FOR EACH ROW {guard}EXECUTE FUNCTION invoices_refuse()"
        else:
            yield f"CREATE TRIGGER {name} BEFORE {when} ON {table} FOR EACH ROW {guard}BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
