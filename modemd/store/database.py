"""Opening the database, SQLite or PostgreSQL, and its revision."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError

from modemd.errors import DatabaseNewer, DatabaseOutdated, DatabaseUnreachable

BUSY_TIMEOUT = 5.0  # s that SQLite waits for another process's commit before it says "locked"
CONNECT_TIMEOUT = 10  # s
LOST_AFTER = 20_000  # ms without an acknowledgement until a PostgreSQL connection counts as cut
MIGRATIONS = Path(__file__).parent / "migrations"
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
    engine = create_engine(url.set(drivername="sqlite+pysqlite"))
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
    os.fchmod(descriptor, 0o660)  # whatever the umask; SQLite gives its -wal and -shm the same mode
    os.close(descriptor)


def _configure_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the sqlite3 module begins nothing by itself; see _begin_sqlite
    for pragma in (
        f"busy_timeout = {int(BUSY_TIMEOUT * 1000)}",  # first: switching to WAL may have to wait
        "journal_mode = WAL",
        "synchronous = FULL",  # NORMAL would lose the last commits at a power cut, and with them rules 1 and 2
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(conn: Connection) -> None:
    # A transaction that reads first and writes later cannot wait for another writer: it fails. So writers lock at once.
    reading = conn.get_execution_options().get("modemd_reading", False)
    conn.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _postgresql(url: URL) -> Engine:
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT,
            "application_name": "modemd",
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 2,
            "tcp_user_timeout": LOST_AFTER,
        },
    )


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that may write: BEGIN IMMEDIATE on SQLite. Commits at the end, rolls back on an exception."""
    with engine.begin() as conn:
        yield conn


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that only reads, all of one moment; it never waits for a writer nor makes one wait."""
    options: dict[str, Any] = {"modemd_reading": True}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as conn, conn.begin():
        yield conn


def upgrade(engine: Engine) -> None:
    """Create the tables or bring them to this program's revision, all or nothing. Raises DatabaseNewer, DatabaseUnreachable."""
    with _reachable(engine), writing(engine) as conn:
        if conn.dialect.name == "postgresql":
            conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
        found = _revision(conn)
        config = _alembic()
        _refuse_newer(config, found)
        config.attributes["connection"] = conn
        command.upgrade(config, "head")


def check_revision(engine: Engine) -> None:
    """Raises DatabaseOutdated, DatabaseNewer or DatabaseUnreachable unless the database fits this program."""
    with _reachable(engine), reading(engine) as conn:
        found = _revision(conn)
    needed = _refuse_newer(_alembic(), found)
    if found != needed:
        raise DatabaseOutdated(found=found or "none", needed=needed)


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _revision(conn: Connection) -> str | None:
    return MigrationContext.configure(conn).get_current_revision()


def _refuse_newer(config: Config, found: str | None) -> str:
    """The revision that this program needs."""
    scripts = ScriptDirectory.from_config(config)
    try:
        if found is not None:
            scripts.get_revision(found)
    except CommandError as error:
        raise DatabaseNewer(found=found) from error
    return str(scripts.get_current_head())


@contextmanager
def _reachable(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise DatabaseUnreachable(url=shown(engine.url), reason=str(error.orig).strip()) from error
