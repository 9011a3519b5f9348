"""systemd hears of us only while the bank really works."""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from modemd import watchdog
from modemd.notify import notify
from modemd.store import database as opening
from modemd.store import ledger as ledgers
from modemd.store.ledger import Ledger
from modemd.watchdog import Watchdog
from tests.notified import Systemd
from tests.simulated_bank import PATIENCE

WELL = "WATCHDOG=1\nSTATUS=2 of 2 modems ready"


Scene = Callable[[Ledger], Awaitable[None]]


@pytest.fixture
def play(tmp_path: Path, sqlite_template: Path) -> Iterator[Callable[[Scene], None]]:
    """Run a scene with a ledger that writes."""
    engine = opening.connect(f"sqlite:///{sqlite_template}")

    async def whole(scene: Scene) -> None:
        ledger = Ledger(engine, lambda: datetime.now(UTC))
        await ledger.start()
        try:
            await scene(ledger)
        finally:
            await ledger.close()

    yield lambda scene: asyncio.run(whole(scene))
    engine.dispose()


def made(systemd: Systemd, ledger: Ledger, *hangs: watchdog.Check) -> Watchdog:
    return Watchdog(ledger, hangs, lambda: "2 of 2 modems ready", notify)


def test_while_all_is_well_it_is_fed_again_and_again(
    play: Callable[[Scene], None], systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "3000")

    async def scene(ledger: Ledger) -> None:
        pump = asyncio.create_task(made(systemd, ledger, lambda: None).run())
        assert [await asyncio.to_thread(systemd.next) for _ in range(3)] == [WELL] * 3
        pump.cancel()

    play(scene)


def test_a_writer_that_hangs_starves_it_and_one_that_goes_on_feeds_it_again(
    play: Callable[[Scene], None], systemd: Systemd, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ledgers, "HANGS_SECONDS", 0.0)
    begun, go_on = threading.Event(), threading.Event()

    def hang(_conn: Connection) -> None:
        begun.set()
        go_on.wait(PATIENCE)

    async def scene(ledger: Ledger) -> None:
        dog = made(systemd, ledger)
        dog.look()
        assert systemd.next() == WELL
        hanging = ledger.do(hang)
        await asyncio.to_thread(begun.wait)
        dog.look()
        assert systemd.next() == (
            "STATUS=the thread that writes to the database hangs for more than 0 s: the watchdog is not fed"
        )
        go_on.set()
        await hanging
        dog.look()
        assert systemd.next() == WELL

    play(scene)
    assert [record.levelname for record in caplog.records if record.name == "modemd.watchdog"] == ["ERROR"]


def test_a_writer_that_is_dead_starves_it(play: Callable[[Scene], None], systemd: Systemd) -> None:
    async def scene(ledger: Ledger) -> None:
        assert ledger._thread is not None
        ledger._rounds.put(None)
        await asyncio.to_thread(ledger._thread.join)
        made(systemd, ledger).look()
        assert "database is dead" in systemd.next()

    play(scene)


def test_a_pump_that_hangs_starves_it(play: Callable[[Scene], None], systemd: Systemd) -> None:
    async def scene(ledger: Ledger) -> None:
        made(systemd, ledger, lambda: None, lambda: "the pump of /dev/modemd/a is dead").look()
        assert systemd.next() == "STATUS=the pump of /dev/modemd/a is dead: the watchdog is not fed"

    play(scene)


def test_a_database_that_takes_no_write_is_no_reason_to_starve(
    play: Callable[[Scene], None], systemd: Systemd, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restart would not bring it back, and what waits for it would only wait again."""
    monkeypatch.setattr(opening, "BUSY_TIMEOUT", 0.0)
    other: Engine = opening.connect(f"sqlite:///{sqlite_template}")

    async def scene(ledger: Ledger) -> None:
        with opening.writing(other):
            waiting = ledger.do(lambda conn: conn.execute(text("SELECT 1")).scalar())
            async with asyncio.timeout(PATIENCE):
                while not ledger.struggles:
                    await asyncio.sleep(0.01)
            made(systemd, ledger, lambda: "housekeeping hangs").look()
        assert systemd.next() == WELL.replace("STATUS=", "STATUS=the database does not answer; ")
        assert await waiting == 1

    play(scene)
    other.dispose()


@pytest.mark.parametrize(
    ("environment", "between"),
    [
        ({}, watchdog.USUAL_SECONDS),
        ({"WATCHDOG_USEC": "60000000"}, 20.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 10.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, watchdog.USUAL_SECONDS),
        ({"WATCHDOG_USEC": "soon"}, watchdog.USUAL_SECONDS),
    ],
)
def test_it_is_fed_as_often_as_systemd_wants(
    environment: dict[str, str], between: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert watchdog.seconds() == between
