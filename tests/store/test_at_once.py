"""A round that goes to PostgreSQL in one round trip, with its COMMIT: it does what the verb does, or nothing at all."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.exc import DBAPIError

from modemd.errors import VerbFailed
from modemd.store import database as opening
from modemd.store import events, outbox, pipeline, switch
from modemd.store import ledger as ledger_module
from modemd.store.ledger import Ledger
from modemd.store.outbox import Sending, Sent
from modemd.store.requests import hasty
from modemd.store.rounds import KEPT, Rounds
from modemd.store.schema import ledger_round
from modemd.store.switch import Allowed
from tests.store.outbox_driver import HOST, NOW, Outbox, in_the_air
from tests.store.test_ledger import kept, kill_connections
from tests.store.test_ledger import with_ledger as with_new_ledger

pytestmark = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
INSERT = "INSERT INTO pin_attempt (sim, pin_hash, at) VALUES (%s, 'once', %s)"
UNLIKE = ("SELECT 1 / 0", None)
also: list[tuple[str, Any]] = []  # statements after the INSERTs
ran: list[str] = []


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    yield
    also.clear()
    ran.clear()


def _keep_at_once(conn: Connection, names: Sequence[str], now: datetime) -> list[tuple[str, Any]]:
    ran.append("at once")
    events.note(conn, "event=kept at=once")
    return [*((INSERT, (name, now)) for name in names), *also]


@hasty(0, at_once=_keep_at_once)
def keep(conn: Connection, names: Sequence[str], now: datetime) -> list[None]:
    ran.append("verb")
    events.note(conn, "event=kept at=length")
    for name in names:
        conn.exec_driver_sql(INSERT, (name, now))
    return [None] * len(names)


def with_ledger(engine: Engine, scenario: Callable[[Ledger], Awaitable[None]]) -> None:
    async def after_the_first(ledger: Ledger) -> None:
        await ledger.do(lambda _conn: None)  # the first round forgets what others left
        await scenario(ledger)

    with_new_ledger(engine, after_the_first)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == events.__name__]


def both(ledger: Ledger, verb: Callable[..., Any]) -> Awaitable[Any]:
    return asyncio.gather(ledger.batch(verb, "a"), ledger.batch(verb, "b"))


def test_a_verb_that_is_alone_in_its_round_is_run_at_once_and_told_of(
    database: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(ledger: Ledger) -> None:
        assert await both(ledger, keep) == [None, None]
        assert kept(database) == ["a", "b"]
        assert ledger._committed.has_committed(ledger._conn, NOW)  # type: ignore[arg-type]

    caplog.set_level(logging.INFO, logger=events.__name__)
    with_ledger(database, scenario)
    assert ran == ["at once"]
    assert told(caplog) == ["event=kept at=once"]


def test_where_the_rows_are_unlike_nothing_is_written_and_the_verb_runs(
    database: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(ledger: Ledger) -> None:
        assert await both(ledger, keep) == [None, None]

    caplog.set_level(logging.INFO, logger=events.__name__)
    also.append(UNLIKE)
    with_ledger(database, scenario)
    assert (ran, kept(database)) == (["at once", "verb"], ["a", "b"])
    assert told(caplog) == ["event=kept at=length"]


def test_a_verb_that_shares_its_round_is_run_as_it_is(database: Engine) -> None:
    def other(_conn: Connection) -> None:
        pass

    async def scenario(ledger: Ledger) -> None:
        await asyncio.gather(ledger.batch(keep, "a"), ledger.do(other))

    with_ledger(database, scenario)
    assert (ran, kept(database)) == (["verb"], ["a"])


@pytest.mark.parametrize("wrong", [("SELECT nothing", None), ("SELECT %s", (object(),))], ids=["server", "driver"])
def test_another_error_is_the_caller_s_and_the_next_round_works(database: Engine, wrong: tuple[str, Any]) -> None:
    async def scenario(ledger: Ledger) -> None:
        also.append(wrong)
        with pytest.raises(DBAPIError):
            await ledger.batch(keep, "a")
        also.clear()
        await ledger.batch(keep, "b")

    with_ledger(database, scenario)
    assert (ran, kept(database)) == (["at once", "at once"], ["b"])


@pytest.mark.parametrize("committed", [True, False])
def test_a_round_whose_answer_was_lost_is_neither_repeated_nor_forgotten(
    database: Engine, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    monkeypatch.setattr(ledger_module, "BACK_OFF", (0.01,))
    commit = pipeline.commit

    def cut_off(conn: Connection, statements: Sequence[tuple[str, Any]]) -> None:
        monkeypatch.setattr(pipeline, "commit", commit)
        if committed:
            commit(conn, statements)
        kill_connections(database)
        commit(conn, [("SELECT 1", None)])  # raises what one sees who waits for the answer

    monkeypatch.setattr(pipeline, "commit", cut_off)

    async def scenario(ledger: Ledger) -> None:
        await ledger.batch(keep, "a")

    with_ledger(database, scenario)
    assert (ran, kept(database)) == (["at once"] * (1 if committed else 2), ["a"])


def test_rounds_are_forgotten_all_the_same(database: Engine) -> None:
    async def scenario(ledger: Ledger) -> None:
        ledger._committed.number = KEPT - 1
        for name in "abc":
            await ledger.batch(keep, name)

    with_ledger(database, scenario)
    with opening.reading(database) as conn:
        assert conn.scalars(select(ledger_round.c.number).order_by("number")).all() == [KEPT + 1, KEPT + 2]
    assert ran == ["at once", "at once", "verb", "at once"]


def test_a_connection_is_left_as_it_was(database: Engine) -> None:
    with database.connect() as conn:
        rounds = Rounds(number=1)
        driver: Any = conn.connection.dbapi_connection
        assert rounds.commit_at_once(conn, [(INSERT, ("a", NOW))], NOW)
        assert not rounds.commit_at_once(conn, [(INSERT, ("b", NOW)), UNLIKE], NOW)
        assert not driver.autocommit
        conn.execute(text("DELETE FROM pin_attempt"))
        conn.rollback()
    assert kept(database) == ["a"]


@pytest.fixture
def work(database: Engine, make_line: Callable[[Connection, int], int]) -> tuple[int, list[int]]:
    """A line that has sent before, and the parts of three messages, the first two of which are claimed for it."""
    with opening.writing(database) as conn:
        out, line_id = Outbox(conn), make_line(conn, 1)
        out.sent(out.sending(line_id))
        ids = [out.queue() for _ in range(3)]
        assert out.claimed(line_id, count=2) == ids[:2]
        return line_id, [out.parts(each)[0].id for each in ids]


def test_what_became_of_a_part_and_the_mark_of_the_next_go_at_once(
    database: Engine, work: tuple[int, list[int]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger=events.__name__)
    monkeypatch.setattr(outbox, "run_together", None)  # which is what `turn` calls
    line_id, (first, second, _) = work

    async def scenario(ledger: Ledger) -> None:
        await ledger.batch(outbox.turn, Sending(first, line_id), HOST)
        await asyncio.gather(
            ledger.batch(outbox.turn, Sent(first, 7, line_id=line_id), HOST),
            ledger.batch(outbox.turn, Sending(second, line_id), HOST),
        )

    with_ledger(database, scenario)
    with opening.reading(database) as conn:
        row = Outbox(conn).part(first)
        assert (row.state, row.reference, row.submitted_at) == ("sent", 7, NOW)
        assert in_the_air(conn) == {second}
    assert told(caplog) == [
        f"event=sending part={first} line={line_id}",
        f"event=sent part={first} reference=7\nevent=sending part={second} line={line_id}",
    ]


@pytest.mark.parametrize("wrong", ["the mark", "the answer"])
def test_a_turn_that_is_not_as_expected_does_what_it_always_did(
    database: Engine, work: tuple[int, list[int]], wrong: str
) -> None:
    """A mark without a claim fails alone; an answer that comes late is taken in."""
    line_id, (first, second, unclaimed) = work

    async def scenario(ledger: Ledger) -> None:
        await ledger.batch(outbox.turn, Sending(first, line_id), HOST)
        if wrong == "the answer":
            await ledger.batch(outbox.doubt, first)
        answer, mark = await asyncio.gather(
            ledger.batch(outbox.turn, Sent(first, 7, line_id=line_id), HOST),
            ledger.batch(outbox.turn, Sending(unclaimed if wrong == "the mark" else second, line_id), HOST),
            return_exceptions=True,
        )
        assert answer is None
        assert isinstance(mark, VerbFailed) == (wrong == "the mark")

    with_ledger(database, scenario)
    with opening.reading(database) as conn:
        row = Outbox(conn).part(first)
        assert (row.state, row.reference) == ("sent", 7)
        assert in_the_air(conn) == (set() if wrong == "the mark" else {second})


def test_a_mark_that_goes_at_once_waits_for_the_switch_to_stand_still(
    database: Engine, work: tuple[int, list[int]]
) -> None:
    """Rule 13: who moves the switch knows, once that is committed, that nothing leaves against it."""
    line_id, (first, *_) = work

    async def scenario(ledger: Ledger) -> None:
        with database.begin() as conn:
            switch.allow(conn, Allowed.NONE, NOW)
            mark = ledger.batch(outbox.turn, Sending(first, line_id), HOST)
            await asyncio.wait([mark], timeout=0.2)
            assert not mark.done()
        with pytest.raises(VerbFailed):
            await mark

    with_ledger(database, scenario)
