"""What SQLite and PostgreSQL say differently."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, func, select, text
from sqlalchemy.dialects import postgresql, sqlite


def insert_into(conn: Connection, table: Table) -> Any:
    """An INSERT that has on_conflict_do_nothing and on_conflict_do_update (both dialects name them alike)."""
    return postgresql.insert(table) if conn.dialect.name == "postgresql" else sqlite.insert(table)


def upsert(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> None:
    """Insert the rows, or write their other columns where the keys exist."""
    statement = insert_into(conn, table)
    written = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    conn.execute(statement.on_conflict_do_update(index_elements=list(keys), set_=written), rows)


_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")


def one_at_a_time(conn: Connection, key: str) -> None:
    """Wait for other transactions that do something with `key`, and keep them waiting until this one ends.

    On SQLite a transaction that may write is alone anyway.
    """
    if conn.dialect.name == "postgresql":
        conn.execute(_ONE_AT_A_TIME, {"key": key})


_TOGETHER = text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:key, 0))")


def together(conn: Connection, key: str) -> None:
    """Keep those who ask for `one_at_a_time` with this key waiting until this transaction ends, but nobody else."""
    if conn.dialect.name == "postgresql":
        conn.execute(_TOGETHER, {"key": key})


_SEQUENCE = text("SELECT nextval(pg_get_serial_sequence(:table, 'id')) FROM generate_series(1, :count) ORDER BY 1")


def next_ids(conn: Connection, table: Table, count: int) -> list[int]:
    """Ids for that many new rows, ascending: rows that bring their id need no RETURNING, which is many times slower."""
    if conn.dialect.name == "postgresql":
        return list(conn.scalars(_SEQUENCE, {"table": table.name, "count": count}))
    first = 1 + (conn.scalar(select(func.max(table.c.id))) or 0)  # as SQLite itself would; nobody else is writing
    return list(range(first, first + count))
