"""What another process writes is noticed without polling the queue."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import Engine, text

from modemd.store import database as opening
from modemd.store import lines, outbox
from modemd.store.ledger import Ledger
from modemd.store.lines import Sim
from modemd.store.wakeup import News, Wakeup
from tests.store.outbox_driver import HOST, NOW, compose

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


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_it_listens_where_the_url_names_several_hosts(database: Engine, second_of_two: Callable[[Engine], str]) -> None:
    engine = opening.connect(second_of_two(database))

    async def scenario(hinted: asyncio.Event) -> None:
        with opening.writing(engine) as conn:
            outbox.enqueue(conn, [compose()], NOW)
        await asyncio.wait_for(hinted.wait(), PATIENCE)

    run(engine, scenario)
    engine.dispose()


def with_news(engine: Engine, scenario: Callable[[Ledger, Callable[[], Awaitable[int]]], Awaitable[None]]) -> None:
    """`scenario(ledger, hints)`: `await hints()` gives one hint and tells how many have passed so far."""
    passed: list[None] = []

    async def main() -> None:
        ledger = Ledger(engine, lambda: NOW)
        await ledger.start()
        news = News(ledger, lambda: passed.append(None))

        async def hints() -> int:
            news.hint()
            await news.settled()
            return len(passed)

        try:
            assert await hints() == 1  # whatever was there before the start
            await scenario(ledger, hints)
        finally:
            await ledger.close()

    asyncio.run(main())


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_our_own_commits_are_no_news_but_those_of_others_are(database: Engine) -> None:
    async def scenario(ledger: Ledger, hints: Callable[[], Awaitable[int]]) -> None:
        await ledger.do(lines.identify, Sim("8935901", None), HOST, "p0", NOW, adopt=True)
        assert await hints() == 1
        with opening.writing(database) as conn:
            lines.identify(conn, Sim("8935902", None), HOST, "p1", NOW, adopt=True)
        assert await hints() == 2
        assert await hints() == 2

    with_news(database, scenario)


def test_what_we_queue_ourselves_is_news(database: Engine) -> None:
    async def scenario(ledger: Ledger, hints: Callable[[], Awaitable[int]]) -> None:
        await ledger.do(outbox.enqueue, [compose()], NOW)
        assert await hints() == 2

    with_news(database, scenario)
