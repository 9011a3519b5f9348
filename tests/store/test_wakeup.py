"""What another process writes is noticed without polling the queue."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import Engine, text

from modemd.store import database as opening
from modemd.store import outbox
from modemd.store.wakeup import Wakeup
from tests.store.outbox_driver import NOW, compose

PATIENCE = 5.0  # s


@asynccontextmanager
async def watching(engine: Engine) -> AsyncIterator[asyncio.Event]:
    """An event that is set at each hint; the first hint, which tells only that it listens, is awaited."""
    hinted = asyncio.Event()
    wakeup = Wakeup(engine.url.render_as_string(hide_password=False), hinted.set)
    await wakeup.start()
    try:
        await asyncio.wait_for(hinted.wait(), PATIENCE)
        hinted.clear()
        yield hinted
    finally:
        await wakeup.close()


def run(engine: Engine, scenario: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    async def main() -> None:
        async with watching(engine) as hinted:
            await scenario(hinted)

    asyncio.run(main())


def test_a_message_that_another_process_queues_is_noticed(database: Engine) -> None:
    async def scenario(hinted: asyncio.Event) -> None:
        with opening.writing(database) as conn:
            outbox.enqueue(conn, [compose()], NOW)
        await asyncio.wait_for(hinted.wait(), PATIENCE)

    run(database, scenario)


def test_what_is_rolled_back_wakes_nobody(database: Engine) -> None:
    async def scenario(hinted: asyncio.Event) -> None:
        with database.connect() as conn, conn.begin() as transaction:
            outbox.enqueue(conn, [compose()], NOW)
            transaction.rollback()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(hinted.wait(), 0.3)

    run(database, scenario)


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_after_a_lost_connection_it_listens_again_and_tells_to_look(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modemd.store.wakeup.RECONNECT_AFTER", 0.01)

    async def scenario(hinted: asyncio.Event) -> None:
        with opening.writing(database) as conn:
            conn.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN modemd'"))
        await asyncio.wait_for(hinted.wait(), PATIENCE)
        hinted.clear()
        with opening.writing(database) as conn:
            outbox.enqueue(conn, [compose()], NOW)
        await asyncio.wait_for(hinted.wait(), PATIENCE)

    run(database, scenario)
