"""Opening the database, SQLite or PostgreSQL, and its revision."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine


def connect(url: str) -> Engine:
    """An engine for `[database] url`. An SQLite file and its folder are made if missing (mode 0660). Raises DatabaseUnreachable."""
    raise NotImplementedError


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that may write: BEGIN IMMEDIATE on SQLite. Commits at the end, rolls back on an exception."""
    raise NotImplementedError


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that only reads, of one moment; it never waits for a writer nor makes one wait."""
    raise NotImplementedError


def upgrade(engine: Engine) -> None:
    """Create the tables or bring them to this program's revision. Raises DatabaseNewer, DatabaseUnreachable."""
    raise NotImplementedError


def check_revision(engine: Engine) -> None:
    """Raises DatabaseOutdated, DatabaseNewer or DatabaseUnreachable unless the database fits this program."""
    raise NotImplementedError
