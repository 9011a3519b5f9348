"""Statements that travel to PostgreSQL together: one round trip for all of them, and for the BEGIN before the first."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Select, Update
from sqlalchemy.exc import DBAPIError

from modemd.store.database import without_detail


def send(conn: Connection, statements: Sequence[tuple[str, Any]]) -> list[Any]:
    """Run (SQL, parameters) as the driver takes them, in this order; the driver's cursor of each.

    Raises DBAPIError as `Connection.execute` does; what follows the statement at fault is not run.
    """
    with together(conn) as driver:
        return [driver.execute(*statement) for statement in statements]


def commit(conn: Connection, statements: Sequence[tuple[str, Any]]) -> None:
    """Run them as `send` does, in a transaction of their own: its COMMIT travels with them.

    Raises DBAPIError; unless the connection was lost, nothing of it was committed then.
    """
    driver: Any = conn.connection.dbapi_connection
    driver.autocommit = True  # the driver's own BEGIN and COMMIT would each have an answer of their own
    try:
        send(conn, [("BEGIN", None), *statements, ("COMMIT", None)])
    finally:
        if not driver.closed:
            driver.rollback()
            driver.autocommit = False


class Statement:
    """One of SQLAlchemy's as the driver takes it, compiled once."""

    def __init__(self, statement: Select[Any] | Update) -> None:
        self._statement = statement
        self._compiled: tuple[str, dict[str, Any]] | None = None

    def __call__(self, conn: Connection, **values: Any) -> tuple[str, Any]:
        """SQL and parameters. Values go to the driver as they are."""
        if self._compiled is None:
            compiled: Any = self._statement.compile(dialect=conn.dialect)
            self._compiled = str(compiled), compiled.params
        sql, constants = self._compiled
        return sql, {**constants, **values}


@contextmanager
def together(conn: Connection) -> Iterator[Any]:
    """The driver's connection. What is run on it within travels together; its results are there at the end.

    Raises DBAPIError as `send` does.
    """
    dialect: Any = conn.dialect
    driver: Any = conn.connection.dbapi_connection
    try:
        with driver.pipeline():
            yield driver
    except dialect.dbapi.Error as error:
        lost = dialect.is_disconnect(error, driver, None)
        raise DBAPIError.instance(
            None, None, without_detail(error), dialect.dbapi.Error, True, lost, dialect=dialect
        ) from None
