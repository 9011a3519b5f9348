"""The fixtures `database` and `conn`: the real tables on SQLite and on PostgreSQL.

PostgreSQL is the one that MODEMD_TEST_DATABASE_URL names. The run makes a database of its own there and drops it, so
that runs side by side do not meet. Without the variable those tests are skipped, except where CI is set.
"""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, make_url, select, text

from modemd.store import database as opening
from modemd.store.schema import metadata

VARIABLE = "MODEMD_TEST_DATABASE_URL"

# Not TRUNCATE: that makes a new file for each table and index, and takes a hundred times as long.
NUMBER_FROM_1 = "SELECT setval(quote_ident(sequencename), 1, false) FROM pg_sequences WHERE last_value IS NOT NULL"
EMPTY_ALL = [
    "ALTER TABLE audit DISABLE TRIGGER USER",  # which refuses what is done here
    *(f"DELETE FROM {table.name}" for table in reversed(metadata.sorted_tables)),
    "ALTER TABLE audit ENABLE TRIGGER USER",
    NUMBER_FROM_1,
]

# Indexes, constraints and triggers, and whether they hold.
GUARDS = {
    "sqlite": ("SELECT type, name, tbl_name, sql FROM sqlite_master",),
    "postgresql": (
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()",
        "SELECT conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint"
        " WHERE connamespace = current_schema()::regnamespace",
        "SELECT pg_get_triggerdef(oid), tgenabled FROM pg_trigger WHERE NOT tgisinternal",
    ),
}


def everything(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """All rows, by table."""
    with opening.reading(engine) as conn:
        tables = metadata.sorted_tables
        return {table.name: sorted(map(tuple, conn.execute(select(table))), key=repr) for table in tables}


def guards(engine: Engine) -> set[tuple[object, ...]]:
    """What a row has to pass."""
    with opening.reading(engine) as conn:
        return {tuple(row) for query in GUARDS[conn.dialect.name] for row in conn.exec_driver_sql(query)}


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "modemd.db"
    engine = opening.connect(f"sqlite:///{path}")
    opening.upgrade(engine)
    engine.dispose()  # the last connection to close folds the WAL into the one file
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> str:
    """The URL of the server that tests may make databases on."""
    url = os.environ.get(VARIABLE)
    if url is None:
        if os.environ.get("CI"):
            pytest.fail(f"{VARIABLE} is not set, and in CI no test is skipped")
        pytest.skip(f"needs PostgreSQL: set {VARIABLE}, for instance postgresql+psycopg://user@127.0.0.1/test")
    return url


@pytest.fixture(scope="session")
def postgresql(postgresql_server: str) -> Iterator[Engine]:
    """A migrated PostgreSQL database of this run."""
    name = f"modemd_test_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    server = create_engine(postgresql_server, isolation_level="AUTOCOMMIT")
    with server.connect() as conn:
        conn.execute(text(f"CREATE DATABASE {name}"))
        conn.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))  # no test pulls the server's plug
    engine = opening.connect(make_url(postgresql_server).set(database=name).render_as_string(hide_password=False))
    try:
        opening.upgrade(engine)
        yield engine
    finally:
        engine.dispose()
        with server.connect() as conn:
            conn.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        server.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """For `database` and `conn`, which leave it empty."""
    if request.param == "postgresql":
        yield request.getfixturevalue("postgresql")
        return
    path = request.getfixturevalue("tmp_path") / "modemd.db"
    shutil.copy(request.getfixturevalue("sqlite_template"), path)
    engine = opening.connect(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.fixture
def database(engine: Engine) -> Iterator[Engine]:
    """An empty migrated database, once on SQLite and once on PostgreSQL."""
    yield engine
    if engine.dialect.name == "postgresql":
        with engine.begin() as conn:
            conn.exec_driver_sql("; ".join(EMPTY_ALL))


@pytest.fixture
def second_of_two() -> Callable[[Engine], str]:
    """A URL of a PostgreSQL database that names two hosts, of which the first does not answer."""

    def of(engine: Engine) -> str:
        host, port = (engine.url.host or "127.0.0.1", engine.url.port or 5432)
        hosts = ("127.0.0.1:1", f"{host}:{port}")
        url = engine.url._replace(host=None, port=None).update_query_dict({"host": hosts})
        return url.render_as_string(hide_password=False)

    return of


@pytest.fixture
def conn(engine: Engine) -> Iterator[Connection]:
    """A transaction on an empty database that is rolled back at the end."""
    with engine.connect() as connection, connection.begin() as transaction:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(NUMBER_FROM_1)  # what was rolled back before has used numbers up
        yield connection
        transaction.rollback()
