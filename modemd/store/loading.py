"""Very many rows at once, into tables that nobody uses meanwhile: COPY on PostgreSQL, one prepared INSERT on SQLite.

A row of `outbox.enqueue` costs ten times as much; this is for databases that are made, not for those that live.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Date, Table, func, select, text

from modemd.store.tables.base import UtcTime, sqlite_text

_CACHE = 256 * 1024  # KiB that SQLite may keep in memory for the one transaction
_NEXT_ID = text("SELECT setval(pg_get_serial_sequence(:table, 'id'), :last)")
Row = Sequence[Any]


def load(conn: Connection, table: Table, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Write the rows, each with a value for each of the columns; times are aware."""
    names = conn.dialect.identifier_preparer
    target = f"{names.format_table(table)} ({', '.join(names.format_column(table.c[name]) for name in columns)})"
    driver: Any = conn.connection.driver_connection
    if conn.dialect.name == "postgresql":
        with driver.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    marks = ", ".join("?" * len(columns))
    statement = f"INSERT INTO {target} VALUES ({marks})"  # noqa: S608 -- the names are those of our tables # nosec B608
    driver.executemany(statement, _bound(table, columns, rows))


@contextmanager
def without_indexes(conn: Connection, tables: Sequence[Table]) -> Iterator[None]:
    """Take the indexes of the tables away for the time of the loading: to make each at once costs a third."""
    indexes = [index for table in tables for index in sorted(table.indexes, key=lambda index: str(index.name))]
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql(f"PRAGMA cache_size = -{_CACHE}")
    for index in indexes:
        index.drop(conn)
    yield
    for index in indexes:
        index.create(conn)
    for table in tables:
        _count_on(conn, table)


def first_with_rows(conn: Connection, tables: Iterable[Table]) -> str | None:
    """The name of a table that holds a row; None if all are empty."""
    for table in tables:
        if conn.execute(select(text("1")).select_from(table).limit(1)).first() is not None:
            return table.name
    return None


def _bound(table: Table, columns: Sequence[str], rows: Iterable[Row]) -> Iterator[Row]:
    """The rows as SQLite takes them; SQLAlchemy's own way to them costs more than all the rest."""
    times = [at for at, name in enumerate(columns) if table.c[name].type is UtcTime]
    days = [at for at, name in enumerate(columns) if isinstance(table.c[name].type, Date)]
    for row in rows:
        values = list(row)
        for at in times:
            if values[at] is not None:
                values[at] = sqlite_text(values[at])
        for at in days:
            if values[at] is not None:
                values[at] = values[at].isoformat()
        yield values


def _count_on(conn: Connection, table: Table) -> None:
    """Rows that brought their ids: the next one without gets the one after."""
    if conn.dialect.name == "postgresql" and "id" in table.c:
        last = conn.scalar(select(func.max(table.c.id)))
        if last is not None:
            conn.execute(_NEXT_ID, {"table": table.name, "last": last})
