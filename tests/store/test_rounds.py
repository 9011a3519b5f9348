"""A round of the ledger is known by what it leaves: it is there, or it is not and does not come any more."""

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import IntegrityError

from modemd.store.rounds import FORGOTTEN_AFTER, KEPT, Rounds
from modemd.store.schema import ledger_round
from tests.store.outbox_driver import NOW

pytestmark = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
COUNT = select(func.count()).select_from(ledger_round)
WRITE = text("INSERT INTO pin_attempt (sim, pin_hash, at) VALUES ('sim', 'once', now())")


@pytest.fixture
def writer(database: Engine) -> Iterator[Connection]:
    with database.connect() as conn:
        yield conn


def commit(rounds: Rounds, conn: Connection, *, writes: bool = True) -> None:
    transaction = conn.begin()
    conn.execute(WRITE if writes else COUNT)
    rounds.commit(conn, transaction, NOW)
    with conn.begin():
        conn.execute(text("DELETE FROM pin_attempt"))


def has_committed(rounds: Rounds, engine: Engine) -> bool:
    with engine.begin() as conn:
        return rounds.has_committed(conn, NOW)


def test_a_round_that_got_there_is_found_however_often_one_asks(database: Engine, writer: Connection) -> None:
    rounds = Rounds()
    commit(rounds, writer)
    assert [has_committed(rounds, database) for _ in range(2)] == [True, True]


def test_a_round_that_was_asked_for_and_not_there_comes_no_more(database: Engine, writer: Connection) -> None:
    """Its COMMIT may still be on its way when the connection is taken for lost."""
    rounds = Rounds(number=1)
    transaction = writer.begin()
    writer.execute(WRITE)
    assert [has_committed(Rounds(rounds.ledger, 2), database) for _ in range(2)] == [False, False]
    with pytest.raises(IntegrityError):
        rounds.commit(writer, transaction, NOW)
    writer.invalidate()
    with database.connect() as conn:
        assert conn.scalar(text("SELECT count(*) FROM pin_attempt")) == 0


@pytest.mark.parametrize("ends_well", [True, False])
def test_a_round_that_the_server_is_still_at_is_waited_for(
    database: Engine, writer: Connection, ends_well: bool
) -> None:
    rounds = Rounds(number=1)
    with writer.begin() as transaction:
        writer.execute(ledger_round.insert().values(ledger=rounds.ledger, number=1, committed=True, at=NOW))
        found: list[bool] = []
        asking = threading.Thread(target=lambda: found.append(has_committed(rounds, database)))
        asking.start()
        _until_it_waits(asking, database)
        if not ends_well:
            transaction.rollback()
    asking.join()
    assert found == [ends_well]


def _until_it_waits(asking: threading.Thread, engine: Engine) -> None:
    waits = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%ledger_round%'")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        while asking.is_alive() and not conn.scalar(waits):
            pass


def test_a_round_that_only_read_leaves_nothing(database: Engine, writer: Connection) -> None:
    commit(Rounds(), writer, writes=False)
    assert writer.scalar(COUNT) == 0


def test_what_nobody_asks_for_any_more_is_forgotten(database: Engine, writer: Connection) -> None:
    mine, other = Rounds(), Rounds()
    commit(other, writer)
    commit(mine, writer)
    mine.number = KEPT
    commit(mine, writer)
    kept = select(ledger_round.c.ledger, ledger_round.c.number).order_by(ledger_round.c.number)
    assert writer.execute(kept).all() == [(other.ledger, 1), (mine.ledger, KEPT + 1)]
    writer.commit()
    with writer.begin():
        writer.execute(ledger_round.update().values(at=NOW - 2 * FORGOTTEN_AFTER))
    mine.number = 2 * KEPT
    commit(mine, writer)
    assert writer.execute(kept).all() == [(mine.ledger, 2 * KEPT + 1)]
