"""`modemd db copy`: everything arrives, in both directions, or nothing does."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine

from modemd.errors import Because, CopyDiffers, DaemonRuns, TargetNotEmpty
from modemd.messages import ReceivedSms
from modemd.store import database as opening
from modemd.store import days, inbox, leases, lines, loading, moving, outbox, staff, switch
from modemd.store.outbox import Sending, Sent, Want
from modemd.store.schema import message, part
from modemd.store.switch import Allowed
from tests.databases import everything
from tests.store.outbox_driver import HOST, LEASE, NOW, compose


def _ignored(_done: int, _total: int) -> None:
    return None


@pytest.fixture
def target(tmp_path: Path, sqlite_template: Path) -> Engine:
    shutil.copy(sqlite_template, tmp_path / "target.db")
    return opening.connect(f"sqlite:///{tmp_path}/target.db")


@pytest.fixture
def source(database: Engine) -> Engine:
    """A database with something in it."""
    with opening.writing(database) as conn:
        line_id = lines.identify(conn, lines.Sim("8935901000000000001", None), HOST, "p", NOW, adopt=True).id
        ids = outbox.enqueue(conn, [compose(text="Сметка € 'x' \\ %s", parts=2), compose(not_before=NOW + LEASE)], NOW)
        ((claim,),) = outbox.claim(conn, [Want(line_id, 1)], NOW, HOST, LEASE)
        assert claim.message_id == ids[0]
        outbox.mark_sending(conn, [Sending(claim.open_parts[0].id, line_id)], NOW, HOST)
        outbox.sent(conn, [Sent(claim.open_parts[0].id, 7)], NOW)
        sms = ReceivedSms("07", "SM", 1, NOW, "+359888000001", True, "smetka", data=b"\x00\xff", smsc_time=NOW)
        inbox.record(conn, line_id, [sms], NOW)
        leases.recover(conn, HOST, NOW)
        conn.execute(
            message.update().where(message.c.id == ids[1]).values(error=Because("paused by {name}", name="ivo"))
        )
        days.keep(conn, NOW - timedelta(hours=1), NOW + timedelta(hours=1))
    return database


def test_everything_is_there_afterwards_and_goes_on_where_it_was(source: Engine, target: Engine) -> None:
    before = everything(source)
    told: list[tuple[int, int]] = []
    rows = moving.copy(source, target, NOW, lambda done, total: told.append((done, total)))
    assert everything(target) == before
    assert before["day_figures"], "what the triggers forget is copied after what they watch"
    assert any(isinstance(row[list(message.c.keys()).index("error")], Because) for row in everything(target)["message"])
    assert rows == sum(map(len, before.values()))
    assert told[-1] == (rows, rows)
    with opening.writing(target) as conn:
        (new,) = outbox.enqueue(conn, [compose()], NOW)
        assert new > max(row[0] for row in before["message"])  # type: ignore[operator,type-var]


def test_nothing_is_sent_from_the_old_database_any_more(source: Engine, target: Engine) -> None:
    moving.copy(source, target, NOW, _ignored)
    for engine, allowed in ((source, Allowed.NONE), (target, Allowed.ALL)):
        with opening.reading(engine) as conn:
            assert switch.sending(conn).allowed is allowed


def test_a_target_that_is_not_empty_is_refused(source: Engine, target: Engine) -> None:
    with opening.writing(target) as conn:
        lines.identify(conn, lines.Sim("8935901000000000002", None), HOST, "p", NOW, adopt=True)
    before = everything(target)
    with pytest.raises(TargetNotEmpty, match="line"):
        moving.copy(source, target, NOW, _ignored)
    assert everything(target) == before
    with opening.reading(source) as conn:
        assert switch.sending(conn).allowed is Allowed.ALL


def test_a_database_that_a_daemon_works_on_is_not_copied(source: Engine, target: Engine) -> None:
    with opening.writing(source) as conn:
        lines.host_started(conn, HOST, "instance", 1, NOW)
    with pytest.raises(DaemonRuns, match=HOST):
        moving.copy(source, target, NOW, _ignored)


def test_a_copy_that_differs_is_not_kept(source: Engine, target: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    real = loading.load

    def forgets(conn: Connection, table: object, *arguments: object) -> None:
        real(conn, table, *arguments)  # type: ignore[arg-type]
        if table is part:
            conn.execute(message.update().values(text="x"))

    monkeypatch.setattr(loading, "load", forgets)
    with pytest.raises(CopyDiffers, match="message"):
        moving.copy(source, target, NOW, _ignored)
    assert not any(everything(target).values())


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_from_sqlite_to_postgresql(database: Engine, target: Engine) -> None:
    with opening.writing(target) as conn:
        outbox.enqueue(conn, [compose(text="Сметка € 'x' \\ %s\t\n")], NOW)
        staff.add(conn, "ana", "technician", NOW)
    before = everything(target)
    moving.copy(target, database, NOW, _ignored)
    assert everything(database) == before
    with opening.writing(database) as conn:
        assert outbox.enqueue(conn, [compose()], NOW) == [2]
