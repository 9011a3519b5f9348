"""Opening the database, SQLite or PostgreSQL, and its revision."""

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from modemd.errors import DatabaseNewer, DatabaseOutdated, DatabaseUnreachable
from modemd.store import events

BUSY_TIMEOUT = 5.0  # s that SQLite waits for another process's commit before it says "locked"
MIGRATIONS = Path(__file__).parent / "migrations"
# Result codes of SQLite that pass: locked, or no room, which it also tells as a write that failed or a file that it
# cannot open.
SQLITE_PASSES = frozenset({5, 6, 10, 13, 14})
# SQLSTATE: connection, serialization and deadlock, no room, shutdown and start-up
LOST_OR_BUSY = ("08", "40", "53100", "57P")
_DETAIL = re.compile(r"\n(DETAIL|CONTEXT): .*?(?=\n[A-Z\[(]|\Z)", re.DOTALL)
TOO_MANY_CONNECTIONS = "53300"
READ_ONLY = "25006"  # a standby answered: the primary is moving

POSTGRESQL_OPTIONS: dict[str, Any] = {
    "connect_timeout": 10,  # s
    "application_name": "modemd",
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 20_000,  # ms without an acknowledgement until the connection counts as cut
}
# The same for the server's end. Otherwise the session of a host that was cut off would live for two hours, with the
# daemon's name and the rows that it was at locked.
_SERVERS_END = (
    "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=2 -c tcp_user_timeout=20000"
)
_REVISION_TABLE = "alembic_version"
UPGRADE_LOCK = 0x6D6F64656D64  # "modemd", a PostgreSQL advisory lock


def connect(url: str) -> Engine:
    """An engine for `[database] url`; connects to nothing yet. Raises DatabaseUnreachable for a URL it cannot use.

    An SQLite file and its folder are made if missing, the file with mode 0660: daemon and panel share a group.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseUnreachable(url=url.partition(":")[0], reason="this is no database URL") from error
    match parsed.get_backend_name():
        case "sqlite":
            return _sqlite(parsed)
        case "postgresql":
            return _postgresql(parsed)
    raise DatabaseUnreachable(url=shown(parsed), reason="only sqlite and postgresql are supported")


def shown(url: URL) -> str:
    """The URL as people may see it: without its password."""
    return url.render_as_string(hide_password=True)


def _sqlite(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        _make_file(url, Path(url.database))
    engine = create_engine(url.set(drivername="sqlite+pysqlite"), hide_parameters=True)
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_file(url: URL, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL, 0o660)
    except FileExistsError:
        return
    except OSError as error:
        raise DatabaseUnreachable(url=shown(url), reason=str(error)) from error
    os.fchmod(descriptor, 0o660)  # whatever the umask; SQLite gives its -wal and -shm the same mode # nosec B103
    os.close(descriptor)


def _configure_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the sqlite3 module begins nothing by itself; see _begin_sqlite
    for pragma in (
        f"busy_timeout = {int(BUSY_TIMEOUT * 1000)}",  # first: switching to WAL may have to wait
        "journal_mode = WAL",
        "synchronous = FULL",  # NORMAL would lose the last commits at a power cut, and with them rules 1 and 2
        "foreign_keys = ON",
        "temp_store = MEMORY",  # an UPDATE of many rows keeps a journal of its own
        "cache_size = -4000",  # KiB: pages that a campaign comes back to; 8,000 took 100 MB and gained little
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(conn: Connection) -> None:
    # A transaction that reads first and writes later cannot wait for another writer: it fails. So writers lock at once.
    reading = conn.get_execution_options().get("modemd_reading", False)
    conn.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _postgresql(url: URL) -> Engine:
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        hide_parameters=True,  # rule 12: an error that is logged names no phone and quotes no text
        pool_pre_ping=True,
        connect_args=_options(url),
    )
    event.listen(engine, "handle_error", _drop_detail)
    return engine


def postgresql_arguments(url: URL) -> dict[str, Any]:
    """What an engine's connections are made with, as libpq names it, for whoever has no engine; several hosts also."""
    _, arguments = url.set(drivername="postgresql+psycopg").get_dialect()().create_connect_args(url)
    return {**arguments, **_options(url)}


def _options(url: URL) -> dict[str, Any]:
    """Ours, with what the URL itself sets for its sessions."""
    given = url.normalized_query.get("options", ())
    return {**POSTGRESQL_OPTIONS, "options": " ".join((*given, _SERVERS_END))}


def _drop_detail(context: ExceptionContext) -> None:
    """PostgreSQL explains errors with the values of the row: "Key (number)=(…) already exists" (rule 12)."""
    for error in (context.original_exception, context.sqlalchemy_exception):
        if error is not None:
            without_detail(error)


def without_detail(error: BaseException) -> BaseException:
    """The error, with the values of rows taken from its words."""
    if error.args:
        error.args = (_DETAIL.sub("", str(error.args[0])), *error.args[1:])
    return error


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that may write: BEGIN IMMEDIATE on SQLite. Commits at the end, rolls back on an exception."""
    with engine.connect() as conn:
        with conn.begin():
            yield conn
        events.tell(events.taken(conn))


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that only reads, all of one moment; it never waits for a writer nor makes one wait."""
    options: dict[str, Any] = {"modemd_reading": True}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as conn, conn.begin():
        yield conn


def prepare(engine: Engine) -> None:
    """Make the database fit this program where that is safe: SQLite is upgraded, PostgreSQL only checked.

    Raises DatabaseOutdated, DatabaseNewer or DatabaseUnreachable.
    """
    if engine.dialect.name == "sqlite":
        upgrade(engine)
    else:
        check_revision(engine)


def upgrade(engine: Engine, revision: str | None = None) -> tuple[str | None, str]:
    """Create the tables or bring them to a revision, this program's if None; returns (revision before, after).

    All or nothing. Raises DatabaseNewer or DatabaseUnreachable.
    """
    before, newest = revisions(engine)
    after = revision or newest
    if before != after:
        _migrate(engine, after)
    return before, after


def _migrate(engine: Engine, revision: str) -> None:
    from alembic import command  # a fifth of what a command's start takes, and nearly no start migrates
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with writing(engine) as conn:
        if conn.dialect.name == "postgresql":
            conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
        config.attributes["connection"] = conn
        command.upgrade(config, revision)


def check_revision(engine: Engine) -> None:
    """Raises DatabaseOutdated, DatabaseNewer or DatabaseUnreachable unless the database fits this program."""
    found, needed = revisions(engine)
    if found != needed:
        raise DatabaseOutdated(found=found or "none", needed=needed)


def revisions(engine: Engine) -> tuple[str | None, str]:
    """The database's revision, None for one without tables, and this program's.

    Raises DatabaseNewer or DatabaseUnreachable.
    """
    try:
        with reading(engine) as conn:
            found = _revision(conn)
    except (DBAPIError, sqlite3.Error) as error:  # the bare one comes from the pragmas of a new connection
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise DatabaseUnreachable(url=shown(engine.url), reason=str(reason).strip()) from error
    known = _known_revisions()
    if found is not None and found not in known:
        raise DatabaseNewer(found=found)
    return found, known[-1]


def _revision(conn: Connection) -> str | None:
    if not inspect(conn).has_table(_REVISION_TABLE):
        return None
    return conn.execute(text(f"SELECT version_num FROM {_REVISION_TABLE}")).scalar()  # noqa: S608 -- a constant # nosec B608


def _known_revisions() -> list[str]:
    """This program's revisions, the oldest first: a migration's file begins with its revision."""
    return sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def passes(error: DBAPIError | sqlite3.Error) -> bool:
    """Whether the same work may succeed when it is done again: locked, deadlocked, no room, or the connection was lost.

    The bare error of SQLite comes from the pragmas of a new connection.
    """
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in SQLITE_PASSES
    if error.connection_invalidated:
        return True
    if isinstance(error.orig, sqlite3.Error):
        return passes(error.orig)
    state = getattr(error.orig, "sqlstate", None) or ""
    if isinstance(error, OperationalError) and not state:
        return True  # no connection could be made
    return state.startswith(LOST_OR_BUSY) or state in (TOO_MANY_CONNECTIONS, READ_ONLY)
