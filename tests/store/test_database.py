"""Opening, creating and migrating the database, and what is said when it cannot be used."""

import re
import stat
import traceback
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, make_url, select, text
from sqlalchemy.exc import IntegrityError

from modemd.errors import DatabaseNewer, DatabaseOutdated, DatabaseUnreachable
from modemd.store import database as opening
from modemd.store.schema import consent, line_rule, metadata, phone_customer

HEAD = max(path.name[:4] for path in (opening.MIGRATIONS / "versions").glob("[0-9]*.py"))
INSERT = "INSERT INTO pin_attempt (sim, pin_hash, at) VALUES ('8935901', 'abc', '2026-11-23 10:00:00+00:00')"


def sqlite(folder: Path) -> Engine:
    return opening.connect(f"sqlite:///{folder}/sub/folder/modemd.db")


def test_an_sqlite_database_is_made_for_its_group_with_its_folder(tmp_path: Path) -> None:
    engine = sqlite(tmp_path)
    opening.prepare(engine)
    opening.check_revision(engine)
    path = tmp_path / "sub/folder/modemd.db"
    with opening.writing(engine) as conn:
        conn.execute(text("DELETE FROM host"))
        modes = {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    engine.dispose()
    assert modes == {0o660}


def test_an_existing_file_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "sub/folder/modemd.db"
    path.parent.mkdir(parents=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    sqlite(tmp_path).dispose()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_sqlite_keeps_what_it_committed_through_a_power_cut(tmp_path: Path) -> None:
    engine = sqlite(tmp_path)
    with engine.connect() as conn:
        pragmas = {
            name: conn.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


def test_a_reader_neither_waits_for_a_writer_nor_sees_half_of_what_it_does(database: Engine) -> None:
    with opening.writing(database) as writer:
        writer.execute(text(INSERT))
        with opening.reading(database) as reader:
            assert reader.scalar(text("SELECT count(*) FROM pin_attempt")) == 0
    with opening.reading(database) as reader:
        assert reader.scalar(text("SELECT count(*) FROM pin_attempt")) == 1


def test_a_transaction_that_fails_leaves_nothing(database: Engine) -> None:
    def fail() -> None:
        with opening.writing(database) as writer:
            writer.execute(text(INSERT))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with opening.reading(database) as reader:
        assert reader.scalar(text("SELECT count(*) FROM pin_attempt")) == 0


def test_upgrade_says_what_it_did_and_does_nothing_twice(tmp_path: Path) -> None:
    engine = sqlite(tmp_path)
    assert opening.upgrade(engine) == (None, HEAD)
    assert opening.upgrade(engine) == (HEAD, HEAD)
    engine.dispose()


def test_a_database_without_tables_is_outdated(tmp_path: Path) -> None:
    engine = sqlite(tmp_path)
    with pytest.raises(DatabaseOutdated, match=r"revision none .* needs \d+.*modemd db upgrade"):
        opening.check_revision(engine)
    engine.dispose()


def test_a_database_of_a_newer_program_is_left_alone(database: Engine) -> None:
    with opening.writing(database) as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    try:
        for refused in (opening.check_revision, opening.upgrade, opening.prepare):
            with pytest.raises(DatabaseNewer, match="revision 9999"):
                refused(database)
    finally:
        with opening.writing(database) as conn:
            conn.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": HEAD})


def test_a_migration_that_fails_leaves_no_half_of_it(tmp_path: Path) -> None:
    engine = sqlite(tmp_path)
    with opening.writing(engine) as conn:
        conn.execute(text("CREATE TABLE staff (id INTEGER)"))  # the last table that the first revision makes
    with pytest.raises(Exception, match="staff already exists"):
        opening.upgrade(engine)
    with opening.reading(engine) as conn:
        assert conn.scalar(text("SELECT group_concat(name) FROM sqlite_master WHERE type = 'table'")) == "staff"
    engine.dispose()


def test_phones_registered_before_consent_was_kept_stay_registered_and_have_one(tmp_path: Path) -> None:
    engine = sqlite(tmp_path)
    opening.upgrade(engine, "0005")
    with opening.writing(engine) as conn:
        numbers = ("+359888000101", "+359888000102")
        for number in numbers:
            conn.execute(
                text(
                    "INSERT INTO phone (number, language, bill, reminder, outage, created_at)"
                    " VALUES (:number, 'en', true, false, true, '2026-11-23T08:00:00.000000+00:00')"
                ),
                {"number": number},
            )
        tie = text("INSERT INTO phone_customer VALUES (:number, :customer_no, '2026-11-23T08:00:00.000000+00:00')")
        ties = [{"number": number, "customer_no": no} for number in numbers for no in ("300000000001", "300000000002")]
        conn.execute(tie, ties)
    opening.upgrade(engine)
    with opening.reading(engine) as conn:
        assert len(conn.execute(select(phone_customer)).all()) == 4
        kept = conn.execute(select(consent)).all()
    assert sorted((row.phone, row.customer_no) for row in kept) == sorted(
        (tied["number"], tied["customer_no"]) for tied in ties
    )
    assert {(row.bill, row.reminder, row.outage, row.channel, row.begun_at.hour) for row in kept} == {
        (True, False, True, "command", 8)
    }
    engine.dispose()


def test_a_migrated_database_is_the_one_that_the_schema_describes(database: Engine) -> None:
    with opening.reading(database) as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_migrated_and_drawn_tables_agree_to_the_letter_on_sqlite(tmp_path: Path) -> None:
    migrated, drawn = sqlite(tmp_path), opening.connect(f"sqlite:///{tmp_path}/drawn.db")
    opening.upgrade(migrated)
    with opening.writing(drawn) as conn:
        metadata.create_all(conn)
    assert _sqlite_objects(migrated) == _sqlite_objects(drawn)
    migrated.dispose()
    drawn.dispose()


def _sqlite_objects(engine: Engine) -> dict[str, object]:
    """Every index as it was written, every table with its columns, keys and checks."""
    with opening.reading(engine) as conn:
        written = conn.execute(text("SELECT type, name, sql FROM sqlite_master WHERE name != 'alembic_version'")).all()
        tables = [row.name for row in written if row.type == "table"]
        objects: dict[str, object] = {row.name: row.sql for row in written if row.type == "index" and row.sql}
        for name in tables:
            sql = next(row.sql for row in written if row.name == name)
            objects[name] = sorted(line.strip().rstrip(",") for line in sql.replace('"', "").splitlines())
    return objects


def test_migrated_and_drawn_tables_agree_to_the_letter_on_postgresql(postgresql: Engine) -> None:
    with postgresql.connect() as conn, conn.begin() as transaction:
        migrated = _postgresql_objects(conn, "public")
        conn.execute(text("CREATE SCHEMA drawn"))
        conn.execute(text("SET LOCAL search_path = drawn"))
        metadata.create_all(conn)
        assert _postgresql_objects(conn, "drawn") == migrated
        transaction.rollback()


def _postgresql_objects(conn: object, schema: str) -> set[tuple[object, ...]]:
    queries = [
        "SELECT tablename, indexname, replace(indexdef, :schema || '.', '') FROM pg_indexes"
        " WHERE schemaname = :schema AND tablename != 'alembic_version'",
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = CAST(:schema AS regnamespace) AND conrelid::regclass::text NOT LIKE '%alembic%'",
        "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable,"
        " replace(column_default, :schema || '.', '') FROM information_schema.columns"
        " WHERE table_schema = :schema AND table_name != 'alembic_version'",
    ]
    found: set[tuple[object, ...]] = set()
    for query in queries:
        for row in conn.execute(text(query), {"schema": schema}):  # type: ignore[attr-defined]
            found.add(tuple(str(value).replace(f"{schema}.", "") for value in row))
    return found


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("nonsense", "this is no database URL"),
        ("mysql://root@127.0.0.1/modemd", "only sqlite and postgresql"),
        ("sqlite:////proc/nowhere/modemd.db", "No such file"),
        ("postgresql://modemd:hidden@127.0.0.1:1/modemd", "refused"),
    ],
)
def test_a_database_that_cannot_be_used_says_why_and_shows_no_password(url: str, why: str) -> None:
    with pytest.raises(DatabaseUnreachable, match=why) as raised:
        opening.check_revision(opening.connect(url))
    assert "hidden" not in str(raised.value)


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    (tmp_path / "modemd.db").write_text("a letter to the customer centre" * 100)
    engine = opening.connect(f"sqlite:///{tmp_path}/modemd.db")
    with pytest.raises(DatabaseUnreachable, match="not a database"):
        opening.prepare(engine)
    engine.dispose()


def test_on_postgresql_prepare_only_looks(postgresql_server: str, postgresql: Engine) -> None:
    opening.prepare(postgresql)
    elsewhere = make_url(postgresql_server).update_query_dict({"options": "-csearch_path=nowhere"})
    empty = opening.connect(elsewhere.render_as_string(hide_password=False))
    with pytest.raises(DatabaseOutdated):
        opening.prepare(empty)
    empty.dispose()


@pytest.mark.parametrize(
    "url", ["postgresql://db/modemd", "postgresql+psycopg://db/modemd", "postgresql+psycopg2://db/m"]
)
def test_every_spelling_of_postgresql_uses_the_one_driver(url: str) -> None:
    assert opening.connect(url).driver == "psycopg"


@pytest.mark.parametrize("column", ["name", "instance"])
def test_rule_12_an_error_of_the_database_quotes_no_number(database: Engine, column: str) -> None:
    other = {"name": "instance", "instance": "name"}[column]
    again = text(f"INSERT INTO host ({column}, {other}, pid, started_at, seen_at) VALUES (:phone, 'h', 1, :at, :at)")
    values = {"phone": "+359888000001", "at": "2026-11-23 10:00:00+00:00"}
    with opening.writing(database) as conn:
        conn.execute(again, values)

    def fail() -> None:
        with opening.writing(database) as conn:
            conn.execute(again, values)

    with pytest.raises(IntegrityError) as raised:
        fail()
    told = "".join(traceback.format_exception(raised.value))
    assert "359888000001" not in told
    assert re.search("unique|UNIQUE", told)


def test_a_database_from_before_lines_had_prefixes_gets_them(tmp_path: Path) -> None:
    engine = sqlite(tmp_path)
    opening.upgrade(engine, "0005")
    with opening.writing(engine) as conn:
        conn.execute(text("ALTER TABLE line_rule DROP COLUMN prefixes"))  # as revision 0005 was at first
    opening.upgrade(engine)
    with opening.reading(engine) as conn:
        assert conn.execute(select(line_rule.c.prefixes)).all() == []
    engine.dispose()


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_the_server_notices_too_that_a_host_was_cut_off(database: Engine) -> None:
    """Also for a connection without an engine. And what the URL sets for its sessions stays."""
    url = database.url.update_query_dict({"options": "-c search_path=elsewhere"})
    engine = opening.connect(url.render_as_string(hide_password=False))
    told = text("SELECT name, setting FROM pg_settings WHERE name IN ('search_path', 'tcp_keepalives_idle')")
    with engine.connect() as conn, psycopg.connect(**opening.postgresql_arguments(url)) as bare:
        settings = [dict(conn.execute(told).all()), dict(bare.execute(str(told)).fetchall())]
    engine.dispose()
    assert settings == [{"search_path": "elsewhere", "tcp_keepalives_idle": "10"}] * 2
