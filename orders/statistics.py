"""What a database knows of its own rows when it plans a query: counted on demand, and set right where SQLite misjudges it."""

from django.db.backends.base.base import BaseDatabaseWrapper


def count_rows(database: BaseDatabaseWrapper) -> None:
    """Let `database` count again what it plans queries with. A few seconds for two hundred thousand orders.

    SQLite counts empty values as equal ones: a unique column that is mostly empty (which payment reverses this one?) looks as though
    every row answered, and each lookup would walk the whole table. No value of a unique index names more than one row, so that is said.
    """
    with database.cursor() as cursor:
        cursor.execute("ANALYZE")
        if database.vendor != "sqlite":
            return
        cursor.execute(
            "UPDATE sqlite_stat1 SET stat = substr(stat, 1, instr(stat, ' ')) || '1' WHERE idx IN ("
            " SELECT i.name FROM sqlite_master t, pragma_index_list(t.name) i"
            " WHERE t.type = 'table' AND i.\"unique\" AND (SELECT COUNT(*) FROM pragma_index_info(i.name)) = 1)"
        )
        cursor.execute("ANALYZE sqlite_master")  # reads the figures again
