"""Very many rows at once, into tables that nobody uses meanwhile: COPY on PostgreSQL, one prepared INSERT on SQLite.

A row of `outbox.enqueue` costs ten times as much; this is for databases that are made, not for those that live.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from functools import lru_cache
from itertools import islice
from typing import Any

from sqlalchemy import BindParameter, Connection, Date, Table, bindparam, func, select, text
from sqlalchemy.types import TypeEngine

from modemd.store.tables.base import UtcTime, sqlite_text

_AT_ONCE = 1_000  # rows that are turned into what SQLite takes
_CACHE = 256 * 1024  # KiB of memory that making an index may take, and on SQLite the one transaction
# What is looked after row by row: how to take each away, and how to put it back as it was.
_LOOKED_AFTER = {
    "sqlite": (
        "SELECT printf('DROP TRIGGER %s', name), sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN :tables",
    ),
    "postgresql": (
        "SELECT format('ALTER TABLE %s DISABLE TRIGGER %I', tgrelid::regclass, tgname),"
        " format('ALTER TABLE %s ENABLE TRIGGER %I', tgrelid::regclass, tgname)"
        " FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
        " WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace AND relname IN :tables",
        "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),"
        " format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(c.oid))"
        " FROM pg_constraint AS c JOIN pg_class ON pg_class.oid = conrelid"
        " WHERE contype = 'f' AND relnamespace = current_schema()::regnamespace AND relname IN :tables",
    ),
}
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
def bare(conn: Connection, tables: Sequence[Table]) -> Iterator[None]:
    """Take from the tables, for the time of the loading, what each row would have to pass; then put it back as it was.

    Indexes are made at once, which costs a third, and so are the foreign keys of PostgreSQL, which all rows have to
    keep. Triggers see none of the rows: whoever loads has to know that they would have had nothing to do.
    """
    indexes = [index for table in tables for index in sorted(table.indexes, key=lambda index: str(index.name))]
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql(f"PRAGMA cache_size = -{_CACHE}")
    else:
        conn.exec_driver_sql(f"SET LOCAL maintenance_work_mem = '{_CACHE}kB'")
    guards = _guards(conn, tables)
    for away, _ in guards:
        conn.exec_driver_sql(away)
    for index in indexes:
        index.drop(conn)
    yield
    for index in indexes:
        index.create(conn)
    for _, back in reversed(guards):
        conn.exec_driver_sql(back)
    for table in tables:
        _count_on(conn, table)


def first_with_rows(conn: Connection, tables: Iterable[Table]) -> str | None:
    """The name of a table that holds a row; None if all are empty."""
    for table in tables:
        if conn.execute(select(text("1")).select_from(table).limit(1)).first() is not None:
            return table.name
    return None


def _bound(table: Table, columns: Sequence[str], rows: Iterable[Row]) -> Iterator[Row]:
    """The rows as SQLite takes them, column by column: SQLAlchemy's own way costs more than all the rest."""
    writers = [_as_text(table.c[name].type) for name in columns]
    waiting = iter(rows)
    while some := list(islice(waiting, _AT_ONCE)):
        values = zip(*some, strict=True)
        written = [map(writer, column) if writer else column for writer, column in zip(writers, values, strict=True)]
        yield from zip(*written, strict=True)


def _as_text(type_: TypeEngine[Any]) -> Callable[[Any], str | None] | None:
    """How SQLite keeps what it has no type for; None: it has one."""
    if type_ is UtcTime:
        return _time
    return _day if isinstance(type_, Date) else None


@lru_cache(maxsize=1 << 17)  # most times stand in more than one row
def _time(moment: datetime | None) -> str | None:
    return None if moment is None else sqlite_text(moment)


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _guards(conn: Connection, tables: Sequence[Table]) -> list[tuple[str, str]]:
    """The triggers of the tables, and where each row costs much by them the foreign keys: statements away and back."""
    names: BindParameter[list[str]] = bindparam("tables", [table.name for table in tables], expanding=True)
    found = [conn.execute(text(query).bindparams(names)).all() for query in _LOOKED_AFTER[conn.dialect.name]]
    return [(away, back) for rows in found for away, back in rows]


def _count_on(conn: Connection, table: Table) -> None:
    """Rows that brought their ids: the next one without gets the one after."""
    if conn.dialect.name == "postgresql" and "id" in table.c:
        last = conn.scalar(select(func.max(table.c.id)))
        if last is not None:
            conn.execute(_NEXT_ID, {"table": table.name, "last": last})
