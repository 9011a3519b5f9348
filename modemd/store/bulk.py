"""One statement for many rows, compiled once: SQLAlchemy's own executemany spends 10 µs a row on its parameters.

SQLite is given the rows of an UPDATE as a table of values. PostgreSQL, where each row would be run and answered for
itself, is given all of them as one JSON text and takes it apart: one statement and one answer for all rows.

Everything else of SQLAlchemy stays: types turn values into what the driver takes, errors are wrapped.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, repeat
from operator import methodcaller
from typing import Any, Protocol

from sqlalchemy import JSON, BindParameter, Connection, Dialect, bindparam, column, func, literal_column, select, text
from sqlalchemy.sql import Delete, Insert, Update, visitors
from sqlalchemy.types import NullType, TypeEngine

from modemd.store import pipeline

Statement = Insert | Update | Delete
Row = Mapping[str, Any]
MOST = 32  # rows of one statement
UNLIKE = "22012"  # SQLSTATE: a division by zero, in place of a row that was not touched
_EXACTLY = "WITH touched AS ({} RETURNING 1) SELECT 1 / (count(*) = %(expected_count)s)::int FROM touched"


class _Compiled(Protocol):
    def statements(self, rows: Sequence[Row]) -> Iterator[tuple[str, Any]]:
        """SQL and parameters as the driver takes them; several only on SQLite."""


class Bulk:
    def __init__(self, statement: Statement, columns: Sequence[str] = ()) -> None:
        """`columns`: those that rows set beside what the statement names itself, as in an UPDATE without values()."""
        self._statement = statement
        self._columns = columns
        self._compiled: dict[str, _Compiled] = {}

    def run(self, conn: Connection, rows: Sequence[Row]) -> int:
        """Execute it for each row, {parameter or column: value}; returns how many rows of the table were touched.

        No two rows may be about the same row of the table: it would be touched once.
        """
        if conn.dialect.name == "postgresql":
            (cursor,) = pipeline.send(conn, [self.for_driver(conn, rows)])
            return int(cursor.rowcount)
        statements = self._for(conn.dialect).statements(rows)
        return sum(conn.exec_driver_sql(*statement).rowcount for statement in statements)

    def for_driver(self, conn: Connection, rows: Sequence[Row]) -> tuple[str, Any]:
        """SQL and parameters for PostgreSQL."""
        return next(self._for(conn.dialect).statements(rows))

    def exactly(self, conn: Connection, rows: Sequence[Row]) -> tuple[str, Any]:
        """The same, but it fails with UNLIKE unless it touches a row of the table for each."""
        sql, values = self.for_driver(conn, rows)
        return _EXACTLY.format(sql), {**values, "expected_count": len(rows)}

    def _for(self, dialect: Dialect) -> _Compiled:
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            made = _AsJson if dialect.name == "postgresql" else _AsValues
            compiled = self._compiled[dialect.name] = made(self._statement, self._columns, dialect)
        return compiled


def run_together(conn: Connection, *steps: tuple[Bulk, Sequence[Row]], first: str | None = None) -> list[int]:
    """`Bulk.run` for each in this order; on PostgreSQL after the statement `first`, all in one round trip."""
    if conn.dialect.name != "postgresql":
        return [bulk.run(conn, rows) for bulk, rows in steps]
    statements = [bulk.for_driver(conn, rows) for bulk, rows in steps]
    cursors = pipeline.send(conn, [(first, None), *statements] if first else statements)
    return [cursor.rowcount for cursor in cursors[-len(steps) :]]


class _AsValues:
    """For SQLite: UPDATEs in UPDATE … FROM (VALUES …) for up to MOST rows, all else by executemany.

    The driver lets go of the interpreter at each row of an executemany, and our thread would wait for it as often. Few
    sizes are compiled; rows of nothing but NULL, whose key is equal to none, fill the last statement up.
    """

    def __init__(self, statement: Statement, columns: Sequence[str], dialect: Dialect) -> None:
        self._dialect = dialect
        self._columns = columns
        self._statement = statement
        one = self._compile(statement)
        self._one = str(one)
        self._positions: list[str] = list(one.positiontup)
        self._constants: dict[str, Any] = {}
        self._given: dict[str, Any] = {}  # the type of each parameter
        for name, parameter in one.binds.items():
            if parameter.required:
                self._given[name] = parameter.type
            else:
                processor = _processor(parameter.type, dialect)
                value = parameter.effective_value
                self._constants[name] = processor(value) if processor else value
        processors = {name: _processor(type_, dialect) for name, type_ in self._given.items()}
        self._processors = {name: processor for name, processor in processors.items() if processor is not None}
        self._several: dict[int, tuple[str, tuple[Any, ...]]] = {}

    def statements(self, rows: Sequence[Row]) -> Iterator[tuple[str, Any]]:
        processed: dict[Any, Any] = {None: None}  # most rows of a round bear the same times
        if len(rows) == 1 or not isinstance(self._statement, Update):
            yield self._one, [self._values(row, self._positions, processed) for row in rows]
            return
        for start in range(0, len(rows), MOST):
            some = rows[start : start + MOST]
            size = 1 << (len(some) - 1).bit_length()
            if size not in self._several:
                self._several[size] = self._for_several(size)
            sql, constants = self._several[size]
            values = chain.from_iterable(self._values(row, self._given, processed) for row in some)
            yield sql, (*constants, *values, *repeat(None, (size - len(some)) * len(self._given)))

    def _values(self, row: Row, names: Iterable[str], processed: dict[Any, Any]) -> tuple[Any, ...]:
        values = {**self._constants, **row}
        for name, processor in self._processors.items():
            value = values[name]
            if value not in processed:
                processed[value] = processor(value)
            values[name] = processed[value]
        return tuple([values[name] for name in names])

    def _for_several(self, size: int) -> tuple[str, tuple[Any, ...]]:
        """SQL, and the constants that it sets: they stand before the rows."""
        row = f"({', '.join('?' * len(self._given))})"
        named = [column(f"column{number}", type_) for number, type_ in enumerate(self._given.values(), start=1)]
        given = text(f"VALUES {', '.join([row] * size)}").columns(*named).subquery("given")
        places = dict(zip(self._given, given.c, strict=True))
        compiled = self._compile(_from_rows(self._statement, places, self._columns))
        return str(compiled), tuple(self._constants[name] for name in compiled.positiontup)

    def _compile(self, statement: Any) -> Any:
        in_words = visitors.replacement_traverse(statement, {}, partial(_literal, dialect=self._dialect))
        return in_words.compile(dialect=self._dialect, column_keys=list(self._columns) or None)


def _processor(type_: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """What makes of a value what the driver takes."""
    return type_.dialect_impl(dialect).bind_processor(dialect)


def _from_rows(statement: Any, places: Mapping[str, Any], columns: Sequence[str]) -> Any:
    """The statement with the columns of a table of rows in place of its parameters, and setting `columns` from them."""
    if columns and isinstance(statement, Update):
        statement = statement.values({name: places[name] for name in columns})
    return visitors.replacement_traverse(
        statement, {}, lambda element, **_: places[element.key] if getattr(element, "required", False) else None
    )


def _literal(element: Any, *, dialect: Dialect, **_: Any) -> Any:
    """A constant of a condition in the words of SQL.

    SQLite makes its plan anew for each row when a value that is bound decides whether a partial index may be used.
    """
    if not isinstance(element, BindParameter) or element.required or isinstance(element.type, NullType):  # a new value
        return None
    return literal_column(str(element.compile(dialect=dialect, compile_kwargs={"literal_binds": True})), element.type)


class _AsJson:
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
            whole = _from_rows(statement, given.c, columns)
        compiled = whole.compile(dialect=dialect)
        self._sql = str(compiled)
        self._constants = compiled.params

    def statements(self, rows: Sequence[Row]) -> Iterator[tuple[str, Any]]:
        yield self._sql, {**self._constants, "rows": json.dumps(rows, default=methodcaller("isoformat"))}
