"""Copies of a database that is in use, and what a restored one does."""

import stat
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, func, make_url, select, text

from modemd import backup
from modemd.errors import BackupFailed
from modemd.store import database as opening
from modemd.store import outbox, snapshots
from modemd.store.outbox import NewMessage
from modemd.store.schema import campaign, message, part, snapshot

NOW = datetime(2026, 11, 23, 3, 30, tzinfo=UTC)
TEXT = "Test"


def enqueue(engine: Engine, count: int) -> list[int]:
    new = NewMessage("manual", "+359881000001", TEXT, 1, 5, NOW + timedelta(days=2))
    with opening.writing(engine) as conn:
        return outbox.enqueue(conn, [new] * count, NOW)


def restored(file: Path, engine: Engine) -> Engine:
    """The copy as a database of its own, put there by the means of its kind."""
    if engine.dialect.name == "sqlite":
        return opening.connect(f"sqlite:///{file}")
    name = f"{engine.url.database}_restored"
    server = create_engine(engine.url, isolation_level="AUTOCOMMIT")
    with server.connect() as conn:
        conn.execute(text(f"DROP DATABASE IF EXISTS {name}"))
        conn.execute(text(f"CREATE DATABASE {name}"))
    server.dispose()
    url = make_url(engine.url).set(database=name)
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    subprocess.run(["pg_restore", "--no-owner", f"--dbname={plain}", str(file)], check=True, capture_output=True)
    return opening.connect(url.render_as_string(hide_password=False))


def test_a_copy_is_whole_and_for_its_owner_alone(database: Engine, tmp_path: Path) -> None:
    enqueue(database, 25)
    file = backup.make(database, tmp_path / "copies", NOW)
    assert file.name.startswith("modemd-20261123T033000Z.")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    copy = restored(file, database)
    with opening.reading(copy) as conn:
        assert conn.scalar(select(func.count()).select_from(message)) == 25
        assert conn.scalar(select(func.count()).select_from(part)) == 25
    copy.dispose()


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_copy_is_made_where_the_url_names_several_hosts(
    database: Engine, tmp_path: Path, second_of_two: Callable[[Engine], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGHOST", "/nowhere")
    enqueue(database, 1)
    engine = opening.connect(second_of_two(database))
    assert backup.make(engine, tmp_path, NOW).stat().st_size
    engine.dispose()


def test_the_database_itself_is_not_taken_for_a_copy(database: Engine, tmp_path: Path) -> None:
    enqueue(database, 1)
    backup.make(database, tmp_path, NOW)
    with opening.writing(database) as conn:
        assert snapshots.take_over(conn, NOW) is None
        assert conn.scalar(select(func.count()).select_from(snapshot)) == 0


def test_a_backup_that_was_killed_does_not_make_the_database_a_copy(database: Engine) -> None:
    enqueue(database, 1)
    with opening.writing(database) as conn:
        identity = snapshots.identity(conn)
        if identity is not None:
            snapshots.mark(conn, NOW, identity)
        assert snapshots.take_over(conn, NOW) is None
        assert conn.scalar(select(message.c.state)) == "queued"


def test_what_waited_when_the_copy_was_made_is_in_doubt_in_a_restored_one(database: Engine, tmp_path: Path) -> None:
    first, _ = enqueue(database, 2)
    later = NOW + timedelta(days=9)
    with opening.writing(database) as conn:
        new = NewMessage("manual", "+359881000002", TEXT, 1, 5, later, not_before=later - timedelta(days=1))
        (not_due,) = outbox.enqueue(conn, [new], NOW)
    copy = restored(backup.make(database, tmp_path, NOW), database)
    with opening.writing(copy) as conn:
        found = snapshots.take_over(conn, NOW + timedelta(hours=8))
        states = {row.id: row.state for row in conn.execute(select(message.c.id, message.c.state))}
    assert found == snapshots.Restored(NOW, in_doubt=2, unread=0)
    assert states[first] == "in_doubt"
    assert states[not_due] == "queued"
    with opening.writing(copy) as conn:
        assert snapshots.take_over(conn, NOW + timedelta(hours=9)) is None  # once
    copy.dispose()


@pytest.mark.parametrize(
    ("state", "becomes"), [("running", "paused"), ("approved", "void"), ("proposed", "void"), ("done", "done")]
)
def test_a_campaign_of_a_restored_copy_waits_for_a_person(conn: Connection, state: str, becomes: str) -> None:
    facts = {"kind": "reminder", "fingerprint": "x", "recipients": 1, "parts": 1, "figures": "{}", "wording": "{}"}
    row = {**facts, "state": state, "pause_after": 20, "created_by": "elena", "created_at": NOW}
    conn.execute(campaign.insert(), row)
    snapshots.mark(conn, NOW, origin="another")
    assert snapshots.take_over(conn, NOW + timedelta(hours=8)) is not None
    found = conn.execute(select(campaign.c.state, campaign.c.reason)).one()
    assert found.state == becomes
    assert (found.reason is not None) is (becomes != state)


def test_older_copies_make_room(database: Engine, tmp_path: Path) -> None:
    for day in range(4):
        backup.make(database, tmp_path, NOW + timedelta(days=day), keep=2)
    assert [file.stem for file in sorted(tmp_path.glob("modemd-*"))] == [
        "modemd-20261125T033000Z",
        "modemd-20261126T033000Z",
    ]


def test_a_folder_that_cannot_be_written_is_named(database: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BackupFailed, match="file/copies"):
        backup.make(database, tmp_path / "file" / "copies", NOW)


def test_a_copy_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    file = tmp_path / "modemd.db"
    file.write_bytes(b"this is no database, whatever its name says" * 200)
    with pytest.raises(BackupFailed, match="not a database"):
        backup.make(create_engine(f"sqlite:///{file}"), tmp_path / "copies", NOW)
    assert not list((tmp_path / "copies").iterdir())
