"""One writer: what waits is gathered, committed once, and told only then; the guilty one alone is to blame."""

import asyncio
import shutil
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import IntegrityError

from modemd.errors import DatabaseUnreachable, VerbFailed
from modemd.store import database as opening
from modemd.store import ledger as ledger_module
from modemd.store import outbox
from modemd.store.ledger import Ledger
from modemd.store.outbox import Want
from modemd.store.requests import hasty
from tests.store.outbox_driver import HOST, LEASE, NOW, compose


def keep(conn: Connection, names: Sequence[str], now: datetime) -> list[str]:
    """A batch verb: one row for each name, refused if the name is there."""
    rows = [{"sim": name, "pin_hash": str(len(names)), "at": now.isoformat()} for name in names]
    conn.execute(text("INSERT INTO pin_attempt (sim, pin_hash, at) VALUES (:sim, 'once', :at)"), rows)
    return [name.upper() for name in names]


def kept(engine: Engine) -> list[str]:
    with opening.reading(engine) as conn:
        return list(conn.scalars(text("SELECT sim FROM pin_attempt ORDER BY sim")))


def count_kept(conn: Connection) -> int:
    return conn.execute(text("SELECT count(*) FROM pin_attempt")).scalar_one()


def with_ledger(engine: Engine, scenario: Callable[[Ledger], Awaitable[None]]) -> None:
    async def main() -> None:
        ledger = Ledger(engine, lambda: NOW)
        await ledger.start()
        try:
            await scenario(ledger)
        finally:
            await ledger.close()

    asyncio.run(main())


@pytest.fixture
def commits(database: Engine) -> list[None]:
    """Grows by one with each COMMIT."""
    counted: list[None] = []
    event.listen(database, "commit", lambda _conn: counted.append(None))
    return counted


def test_what_is_asked_for_in_one_turn_is_one_commit(database: Engine, commits: list[None]) -> None:
    async def scenario(ledger: Ledger) -> None:
        results = await asyncio.gather(*(ledger.batch(keep, f"n{number}") for number in range(50)))
        assert results == [f"N{number}" for number in range(50)]

    with_ledger(database, scenario)
    assert len(commits) == 1
    assert len(kept(database)) == 50


def test_what_comes_while_a_round_runs_is_the_next_round(database: Engine, commits: list[None]) -> None:
    async def scenario(ledger: Ledger) -> None:
        for each in "abc":
            await ledger.batch(keep, each)

    with_ledger(database, scenario)
    assert len(commits) == 3
    assert kept(database) == ["a", "b", "c"]


def test_items_of_one_verb_with_the_same_arguments_are_one_call(database: Engine) -> None:
    calls: list[tuple[list[int], str]] = []

    def note(_conn: Connection, items: Sequence[int], _now: datetime, tag: str) -> list[int]:
        calls.append((list(items), tag))
        return list(items)

    async def scenario(ledger: Ledger) -> None:
        await asyncio.gather(
            ledger.batch(note, 1, "x"), ledger.batch(note, 2, "y"), ledger.batch(note, 3, "x"), ledger.do(count_kept)
        )

    with_ledger(database, scenario)
    assert calls == [([1, 3], "x"), ([2], "y")]


def test_callers_are_told_only_after_the_commit(database: Engine) -> None:
    async def scenario(ledger: Ledger) -> None:
        await ledger.batch(keep, "a")
        assert kept(database) == ["a"]

    with_ledger(database, scenario)


def test_the_clock_of_the_ledger_is_the_verbs_now(database: Engine) -> None:
    def tell(_conn: Connection, items: Sequence[None], now: datetime) -> list[datetime]:
        return [now for _ in items]

    async def scenario(ledger: Ledger) -> None:
        assert await ledger.batch(tell, None) == NOW

    with_ledger(database, scenario)


def test_only_the_guilty_one_hears_of_an_error(database: Engine) -> None:
    async def scenario(ledger: Ledger) -> None:
        await ledger.batch(keep, "taken")
        names = ["a", "taken", "b", "c"]
        asked = [ledger.batch(keep, name) for name in names]
        *results, count = await asyncio.gather(*asked, ledger.do(count_kept), return_exceptions=True)
        assert [results[0], *results[2:]] == ["A", "B", "C"]
        assert isinstance(results[1], IntegrityError)
        assert count == 4

    with_ledger(database, scenario)
    assert kept(database) == ["a", "b", "c", "taken"]


def test_after_an_error_hasty_verbs_do_not_overtake_and_what_may_wait_keeps_its_place(database: Engine) -> None:
    def forget_all(conn: Connection) -> None:
        conn.execute(text("DELETE FROM pin_attempt"))

    def fail(_conn: Connection) -> None:
        raise VerbFailed(reason="it was not to be")

    async def scenario(ledger: Ledger) -> None:
        ledger.later(keep, "before")
        forgotten = ledger.do(forget_all)
        ledger.later(keep, "after")
        await asyncio.gather(forgotten, ledger.batch(hurry, "b"), ledger.do(fail), return_exceptions=True)

    with_ledger(database, scenario)
    assert kept(database) == ["after", "b"]


def test_after_an_error_things_happen_in_the_order_of_asking(database: Engine) -> None:
    def forget_all(conn: Connection) -> None:
        conn.execute(text("DELETE FROM pin_attempt"))

    def fail(_conn: Connection) -> None:
        raise VerbFailed(reason="it was not to be")

    async def scenario(ledger: Ledger) -> None:
        asked = [ledger.batch(keep, "a"), ledger.do(forget_all), ledger.batch(keep, "b"), ledger.do(fail)]
        await asyncio.gather(*asked, return_exceptions=True)

    with_ledger(database, scenario)
    assert kept(database) == ["b"]


def test_what_a_failing_verb_wrote_is_undone(database: Engine) -> None:
    def half(conn: Connection) -> None:
        keep(conn, ["half"], NOW)
        raise VerbFailed(reason="it was not to be")

    async def scenario(ledger: Ledger) -> None:
        good, bad = await asyncio.gather(ledger.batch(keep, "good"), ledger.do(half), return_exceptions=True)
        assert good == "GOOD"
        assert isinstance(bad, VerbFailed)

    with_ledger(database, scenario)
    assert kept(database) == ["good"]


class Hurry:
    @hasty(1)
    def keep(self, conn: Connection, names: Sequence[str], now: datetime) -> list[str]:
        return keep(conn, names, now)


@hasty(1)
def hurry(conn: Connection, names: Sequence[str], now: datetime) -> list[str]:
    return keep(conn, names, now)


def test_what_may_wait_is_written_for_many_at_once(
    database: Engine, commits: list[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "LATER_SECONDS", 60.0)

    async def scenario(ledger: Ledger) -> None:
        for number in range(3):
            ledger.later(keep, f"late{number}")
            await ledger.batch(hurry, f"at once{number}")
        assert await ledger.batch(hurry, "last") == "LAST"
        await ledger.batch(keep, "soon")

    with_ledger(database, scenario)
    assert len(commits) == 5
    assert len(kept(database)) == 8


def test_what_may_wait_does_not_wait_for_others(database: Engine) -> None:
    async def scenario(ledger: Ledger) -> None:
        ledger.later(keep, "late")
        while not kept(database):
            await asyncio.sleep(0.005)

    with_ledger(database, scenario)


def test_what_may_wait_is_there_before_any_verb_that_is_not_hasty(database: Engine) -> None:
    async def scenario(ledger: Ledger) -> None:
        ledger.later(keep, "late")
        assert await ledger.do(count_kept) == 1
        counted = ledger.do(count_kept)
        ledger.later(keep, "later")  # asked for after it, in the same round
        assert await counted == 2

    with_ledger(database, scenario)


def test_hasty_verbs_run_first_in_their_round(database: Engine) -> None:
    def seen(conn: Connection, items: Sequence[str], _now: datetime) -> list[int]:
        return [count_kept(conn) for _ in items]

    async def scenario(ledger: Ledger) -> None:
        ledger.later(keep, "late")
        counted = ledger.batch(seen, "x")
        await asyncio.gather(ledger.batch(hurry, "first"), ledger.batch(Hurry().keep, "also"))
        assert await counted == 3

    with_ledger(database, scenario)


def test_hasty_verbs_of_one_round_run_in_their_places(database: Engine) -> None:
    @hasty(0)
    def seen_first(conn: Connection, items: Sequence[str], _now: datetime) -> list[int]:
        return [count_kept(conn) for _ in items]

    async def scenario(ledger: Ledger) -> None:
        _, seen = await asyncio.gather(ledger.batch(hurry, "asked for first"), ledger.batch(seen_first, "x"))
        assert seen == 0

    with_ledger(database, scenario)


def test_an_error_in_what_may_wait_is_logged(database: Engine, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(ledger: Ledger) -> None:
        await ledger.batch(keep, "a")
        ledger.later(keep, "a")
        ledger.later(keep, "b")
        assert await ledger.batch(keep, "c") == "C"

    with_ledger(database, scenario)
    assert kept(database) == ["a", "b", "c"]
    assert [record.levelname for record in caplog.records if record.name.startswith("modemd")] == ["ERROR"]


def test_closing_finishes_what_may_wait(database: Engine) -> None:
    async def scenario(ledger: Ledger) -> None:
        ledger.later(keep, "late")

    with_ledger(database, scenario)
    assert kept(database) == ["late"]


def test_a_verb_that_gives_too_few_results_is_a_fault(database: Engine) -> None:
    def forgetful(_conn: Connection, _items: Sequence[int], _now: datetime) -> list[int]:
        return []

    async def scenario(ledger: Ledger) -> None:
        with pytest.raises(VerbFailed, match="0 results for 1 items"):
            await ledger.batch(forgetful, 1)

    with_ledger(database, scenario)


def test_a_posted_error_is_logged_and_the_next_verb_works(database: Engine, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(ledger: Ledger) -> None:
        ledger.post(keep, "a")
        await ledger.do(count_kept)
        ledger.post(keep, "a")
        await ledger.batch(keep, "b")

    with_ledger(database, scenario)
    assert kept(database) == ["a", "b"]
    ours = [record for record in caplog.records if record.name.startswith("modemd")]
    assert [record.levelname for record in ours] == ["ERROR"]


def test_closing_finishes_what_was_asked_for(database: Engine) -> None:
    async def scenario(ledger: Ledger) -> None:
        for number in range(20):
            ledger.post(keep, f"n{number:02}")

    with_ledger(database, scenario)
    assert len(kept(database)) == 20


def test_a_closed_ledger_refuses_work(database: Engine) -> None:
    async def scenario(ledger: Ledger) -> None:
        await ledger.close()
        with pytest.raises(VerbFailed, match="not open"):
            await ledger.batch(keep, "late")

    with_ledger(database, scenario)


def test_a_caller_that_gave_up_does_not_undo_what_it_asked_for(database: Engine) -> None:
    async def scenario(ledger: Ledger) -> None:
        task = asyncio.ensure_future(ledger.batch(keep, "a"))
        await asyncio.sleep(0)
        task.cancel()
        assert await ledger.do(count_kept) == 1

    with_ledger(database, scenario)


def test_claims_of_many_lines_are_one_call(database: Engine, make_line: Callable[[Connection, int], int]) -> None:
    with opening.writing(database) as conn:
        lines = [make_line(conn, number) for number in range(8)]
        ids = outbox.enqueue(conn, [compose() for _ in range(8)], NOW)

    async def scenario(ledger: Ledger) -> None:
        claims = await asyncio.gather(*(ledger.batch(outbox.claim, Want(each, 1), HOST, LEASE) for each in lines))
        assert [claim[0].message_id for claim in claims] == ids

    with_ledger(database, scenario)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_database_that_another_process_holds_is_waited_for(
    database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ledger_module, "BACK_OFF", (0.01,))
    other = sqlite3.connect(tmp_path / "modemd.db", isolation_level=None)
    with database.connect() as conn:
        conn.exec_driver_sql("PRAGMA busy_timeout = 1")

    async def scenario(ledger: Ledger) -> None:
        other.execute("BEGIN IMMEDIATE")
        asked = asyncio.ensure_future(ledger.batch(keep, "a"))
        while "locked" not in caplog.text:
            await asyncio.sleep(0.005)
        assert not asked.done()
        other.execute("COMMIT")
        assert await asked == "A"

    with_ledger(database, scenario)
    other.close()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_database_that_stays_locked_does_not_keep_the_daemon_from_stopping(
    database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "BACK_OFF", (0.01,))
    monkeypatch.setattr(ledger_module, "CLOSING_PATIENCE", 0.05)
    other = sqlite3.connect(tmp_path / "modemd.db", isolation_level=None)
    with database.connect() as conn:
        conn.exec_driver_sql("PRAGMA busy_timeout = 1")
    asked: list[asyncio.Future[str]] = []

    async def main() -> None:
        ledger = Ledger(database, lambda: NOW)
        await ledger.start()
        other.execute("BEGIN IMMEDIATE")
        asked.append(asyncio.ensure_future(ledger.batch(keep, "a")))
        await asyncio.sleep(0)
        await ledger.close()
        with pytest.raises(DatabaseUnreachable, match="locked"):
            await asked[0]

    asyncio.run(main())
    other.close()
    assert kept(database) == []


def kill_connections(engine: Engine) -> None:
    """As a PostgreSQL that restarts does."""
    with opening.writing(engine) as conn:
        conn.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid != pg_backend_pid()"
            )
        )


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_connection_lost_between_rounds_is_made_anew(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "BACK_OFF", (0.01,))

    async def scenario(ledger: Ledger) -> None:
        await ledger.batch(keep, "a")
        await asyncio.to_thread(kill_connections, database)
        assert await ledger.batch(keep, "b") == "B"

    with_ledger(database, scenario)
    assert kept(database) == ["a", "b"]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_connection_lost_within_a_round_runs_it_again_and_once(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "BACK_OFF", (0.01,))
    runs = []

    def interrupted(conn: Connection) -> str:
        runs.append(keep(conn, ["a"], NOW))
        if len(runs) == 1:
            kill_connections(database)
        return "done"

    async def scenario(ledger: Ledger) -> None:
        assert await ledger.do(interrupted) == "done"

    with_ledger(database, scenario)
    assert (kept(database), len(runs)) == (["a"], 2)


class CutOff:
    """Loses the connection at the first COMMIT, before or after the server has carried it out."""

    def __init__(self, engine: Engine, *, committed: bool) -> None:
        self._engine = engine
        self._committed = committed
        self._commit = engine.dialect.do_commit
        self.cut = False

    def do_commit(self, connection: Any) -> None:
        if self.cut:
            self._commit(connection)
            return
        self.cut = True
        if self._committed:
            self._commit(connection)
        kill_connections(self._engine)
        connection.cursor().execute("SELECT 1")  # raises what a client sees that waits for the answer


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
@pytest.mark.parametrize("committed", [True, False])
def test_a_commit_whose_answer_was_lost_is_neither_repeated_nor_forgotten(
    database: Engine, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    monkeypatch.setattr(ledger_module, "BACK_OFF", (0.01,))
    cut = CutOff(database, committed=committed)
    monkeypatch.setattr(database.dialect, "do_commit", cut.do_commit)
    runs = []

    def verb(conn: Connection) -> str:
        runs.append(keep(conn, ["a"], NOW))
        return "done"

    async def scenario(ledger: Ledger) -> None:
        assert await ledger.do(verb) == "done"

    with_ledger(database, scenario)
    assert cut.cut
    assert (kept(database), len(runs)) == (["a"], 1 if committed else 2)


def test_a_full_disk_is_waited_for(tmp_path: Path, sqlite_template: Path) -> None:
    """What a modem has told of a message it sent would be forgotten otherwise."""
    shutil.copy(sqlite_template, tmp_path / "full.db")
    engine = opening.connect(f"sqlite:///{tmp_path / 'full.db'}")
    full = [True]

    def limit(connection: sqlite3.Connection, _record: object) -> None:
        if full:
            connection.execute("PRAGMA max_page_count = 1").close()  # as many as there are

    event.listen(engine, "connect", limit)

    async def scenario(ledger: Ledger) -> None:
        asked = ledger.batch(keep, "a" * 100_000)
        async with asyncio.timeout(20):
            while not ledger.struggles:
                await asyncio.sleep(0.01)
            assert not asked.done()
            full.clear()
            engine.dispose()  # the limit is the connection's
            await asked

    with_ledger(engine, scenario)
    assert len(kept(engine)) == 1
    engine.dispose()
