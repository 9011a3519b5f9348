"""What technicians want of modems: one wish that goes wrong holds up no other and ends nothing."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from modemd.errors import VerbFailed
from modemd.store import database as opening
from modemd.store import modems, wishes
from modemd.store.ledger import Ledger
from modemd.store.schema import WishState, WishVerb
from modemd.wishes import Wishes

HOST = "test-host"


def now() -> datetime:
    return datetime.now(UTC)


def _ask(engine: Engine, verb: WishVerb) -> int:
    with opening.writing(engine) as connection:
        modems.save(connection, [modems.ModemRow(HOST, "p1", None, "ready", now())], now())
        (modem,) = modems.named(connection, "p1")
        return wishes.ask(connection, modem.id, verb, None, "tech", now())


def _state(engine: Engine, wish: int) -> WishState:
    with opening.reading(engine) as connection:
        return wishes.outcome(connection, wish).state


@pytest.mark.parametrize("broken", ["forsake", "take", "answer"])
def test_a_verb_of_the_database_that_fails_once_ends_no_obeying(
    database: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    real = getattr(wishes, broken)

    def fails_until_it_is_logged(*arguments: Any) -> Any:
        if "wish" not in caplog.text:
            raise VerbFailed(reason="invented") if broken == "take" else RuntimeError("invented")
        return real(*arguments)

    monkeypatch.setattr(wishes, broken, fails_until_it_is_logged)

    async def until(true: Callable[[], object], then: Callable[[], None]) -> None:
        async with asyncio.timeout(20):
            while not true():
                then()
                await asyncio.sleep(0.02)

    async def scene() -> None:
        ledger = Ledger(database, now)
        await ledger.start()
        obeying = Wishes(ledger, HOST, {}, now)
        pump = asyncio.create_task(obeying.run())
        first = _ask(database, WishVerb.RESTART)
        obeying.look()
        await until(lambda: "invented" in caplog.text, obeying.look)
        second = _ask(database, WishVerb.RESTART)
        await until(lambda: _state(database, second) is WishState.REFUSED, obeying.look)  # no such modem is there
        assert not pump.done()
        assert _state(database, first) is (WishState.TAKEN if broken == "answer" else WishState.REFUSED)
        pump.cancel()
        await asyncio.gather(pump, return_exceptions=True)
        await ledger.close()

    asyncio.run(scene())
