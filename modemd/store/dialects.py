"""What SQLite and PostgreSQL say differently."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Select,
    Table,
    Text,
    TypeDecorator,
    bindparam,
    func,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

# An INSERT that has on_conflict_do_nothing and on_conflict_do_update (both dialects name them alike).
INSERT: Mapping[str, Callable[[Table], Any]] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


def insert_into(conn: Connection, table: Table) -> Any:
    """The INSERT of the connection's dialect."""
    return INSERT[conn.dialect.name](table)


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


@cache
def _last_id(table: Table) -> Select[Any]:
    return select(func.max(table.c.id))


def next_ids(conn: Connection, table: Table, count: int) -> list[int]:
    """Ids for that many new rows, ascending: rows that bring their id need no RETURNING, which is many times slower."""
    if conn.dialect.name == "postgresql":
        return list(conn.scalars(_SEQUENCE, {"table": table.name, "count": count}))
    first = 1 + (conn.scalar(_last_id(table)) or 0)  # as SQLite itself would; nobody else is writing
    return list(range(first, first + count))


class _List(TypeDecorator[Collection[Any]]):
    """Many values as one parameter: JSON for SQLite, an array for PostgreSQL."""

    impl = Text
    cache_ok = True

    def __init__(self, item: Any) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(ARRAY(self.item) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Collection[Any] | None, dialect: Dialect) -> Any:
        values = list(value or ())
        return values if dialect.name == "postgresql" else json.dumps(values)


class _Among(FunctionElement[bool]):
    """(column, list)"""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        """A condition as it stands: with "= 1" behind it, as SQLite's booleans have, no index would be used."""
        return self


@compiles(_Among, "sqlite")
def _among_json(element: _Among, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 -- compiled parts # nosec B608


@compiles(_Among, "postgresql")
def _among_array(element: _Among, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} = ANY ({values})"


def among(column: Column[Any], name: str) -> ColumnElement[bool]:
    """Whether the column's value is one of those that the parameter `name` lists.

    However many they are, the statement stays the same: it is compiled and, by the server, prepared once.
    """
    return _Among(column, bindparam(name, type_=_List(column.type)))
