"""One statement for many rows, compiled once: SQLAlchemy's own executemany spends 10 µs a row on its parameters.

SQLite is given the rows one by one. PostgreSQL, where each row would be run and answered for itself, is given all of
them as one JSON text and takes it apart: one statement and one answer for all rows.

Everything else of SQLAlchemy stays: types turn values into what the driver takes, errors are wrapped.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import methodcaller
from typing import Any, Protocol

from sqlalchemy import JSON, BindParameter, Connection, Dialect, bindparam, column, func, literal_column, select
from sqlalchemy.sql import Delete, Insert, Update, visitors
from sqlalchemy.types import NullType

from modemd.store import pipeline

Statement = Insert | Update | Delete
Row = Mapping[str, Any]


class _Compiled(Protocol):
    sql: str

    def parameters(self, rows: Sequence[Row]) -> Any:
        """As the driver takes them."""


class Bulk:
    def __init__(self, statement: Statement, columns: Sequence[str] = ()) -> None:
        """`columns`: those that rows set beside what the statement names itself, as in an UPDATE without values()."""
        self._statement = statement
        self._columns = columns
        self._compiled: dict[str, _Compiled] = {}

    def run(self, conn: Connection, rows: Sequence[Row]) -> int:
        """Execute it for each row, {parameter or column: value}; returns how many rows of the table were touched.

        No two rows may be about the same row of the table: PostgreSQL would touch it once.
        """
        if conn.dialect.name == "postgresql":
            (cursor,) = pipeline.send(conn, [self.for_driver(conn, rows)])
            return int(cursor.rowcount)
        return conn.exec_driver_sql(*self.for_driver(conn, rows)).rowcount

    def for_driver(self, conn: Connection, rows: Sequence[Row]) -> tuple[str, Any]:
        """SQL and parameters."""
        name = conn.dialect.name
        compiled = self._compiled.get(name)
        if compiled is None:
            made = _AtOnce if name == "postgresql" else _OneByOne
            compiled = self._compiled[name] = made(self._statement, self._columns, conn.dialect)
        return compiled.sql, compiled.parameters(rows)


def run_together(conn: Connection, *steps: tuple[Bulk, Sequence[Row]], first: str | None = None) -> list[int]:
    """`Bulk.run` for each in this order; on PostgreSQL after the statement `first`, all in one round trip."""
    if conn.dialect.name != "postgresql":
        return [bulk.run(conn, rows) for bulk, rows in steps]
    statements = [bulk.for_driver(conn, rows) for bulk, rows in steps]
    cursors = pipeline.send(conn, [(first, None), *statements] if first else statements)
    return [cursor.rowcount for cursor in cursors[-len(steps) :]]


class _OneByOne:
    """For executemany."""

    def __init__(self, statement: Statement, columns: Sequence[str], dialect: Dialect) -> None:
        literal: Any = visitors.replacement_traverse(statement, {}, partial(_literal, dialect=dialect))
        compiled = literal.compile(dialect=dialect, column_keys=list(columns) or None)
        self.sql = str(compiled)
        self._positions: list[str] = list(compiled.positiontup)
        self._processors: dict[str, Callable[[Any], Any]] = {}
        self._constants: dict[str, Any] = {}
        for name, parameter in compiled.binds.items():
            processor = parameter.type.dialect_impl(dialect).bind_processor(dialect)
            if not parameter.required:
                value = parameter.effective_value
                self._constants[name] = processor(value) if processor else value
            elif processor is not None:
                self._processors[name] = processor

    def parameters(self, rows: Sequence[Row]) -> list[Any]:
        processed: dict[Any, Any] = {None: None}  # most rows of a round bear the same times
        prepared: list[Any] = []
        for row in rows:
            values = {**self._constants, **row}
            for name, processor in self._processors.items():
                value = values[name]
                if value not in processed:
                    processed[value] = processor(value)
                values[name] = processed[value]
            prepared.append(tuple([values[name] for name in self._positions]))
        return prepared


def _literal(element: Any, *, dialect: Dialect, **_: Any) -> Any:
    """A constant of a condition in the words of SQL.

    SQLite makes its plan anew for each row when a value that is bound decides whether a partial index may be used.
    """
    if not isinstance(element, BindParameter) or element.required or isinstance(element.type, NullType):  # a new value
        return None
    return literal_column(str(element.compile(dialect=dialect, compile_kwargs={"literal_binds": True})), element.type)


class _AtOnce:
    """For one execution: each parameter of the statement becomes a column of what the rows hold."""

    def __init__(self, statement: Statement, columns: Sequence[str], dialect: Dialect) -> None:
        one: Any = statement.compile(dialect=dialect, column_keys=list(columns) or None)
        types = {name: parameter.type for name, parameter in one.binds.items() if parameter.required}
        rows: Any = func.json_to_recordset(bindparam("rows", type_=JSON))
        given = rows.table_valued(*[column(name, type_) for name, type_ in types.items()])
        given = given.render_derived(name="given", with_types=True)
        if isinstance(statement, Insert):
            whole: Any = statement.from_select(columns, select(*(given.c[name] for name in columns)))
        else:
            set_too = {name: given.c[name] for name in columns}
            whole = visitors.replacement_traverse(
                statement.values(set_too) if isinstance(statement, Update) and set_too else statement,
                {},
                lambda element, **_: given.c[element.key] if getattr(element, "required", False) else None,
            )
        compiled = whole.compile(dialect=dialect)
        self.sql = str(compiled)
        self._constants = compiled.params

    def parameters(self, rows: Sequence[Row]) -> dict[str, Any]:
        return {**self._constants, "rows": json.dumps(rows, default=methodcaller("isoformat"))}
