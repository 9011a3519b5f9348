"""Big queues stay fast. Figures are printed, the bounds are generous: a busy machine must not fail them."""

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, text

from modemd.store import database as opening
from modemd.store import listing, outbox, upkeep
from modemd.store.outbox import Want
from tests.store.outbox_driver import HOST, LEASE, NOW, compose

pytestmark = pytest.mark.large
CHUNK = 100_000


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def test_a_million_messages_are_claimed_as_fast_as_ten(
    database: Engine, make_line: Callable[[Connection, int], int]
) -> None:
    with opening.writing(database) as conn:
        line_id = make_line(conn, 0)

    def enqueue(count: int) -> None:
        messages = [compose(expires_at=NOW + timedelta(days=9)) for _ in range(count)]
        with opening.writing(database) as conn:
            outbox.enqueue(conn, messages, NOW)

    def claim() -> None:
        with opening.writing(database) as conn:
            (claims,) = outbox.claim(conn, [Want(line_id, 1)], NOW, HOST, LEASE)
            assert len(claims) == 1

    def claims() -> float:
        claim()
        return min(seconds(claim) for _ in range(20))

    def keep_house() -> None:
        with opening.writing(database) as conn:
            upkeep.expire(conn, NOW)
            upkeep.promote_due(conn, NOW)

    enqueue(50)
    few = claims()
    queued = [seconds(lambda: enqueue(CHUNK)) for _ in range(10)]
    many = claims()
    with opening.writing(database) as conn:
        conn.execute(text("ANALYZE"))
    analysed = claims()
    with opening.reading(database) as conn:
        counted = seconds(lambda: listing.open_counts(conn))
        newest = seconds(lambda: listing.find(conn, limit=50))
    print(
        f"\n{database.dialect.name}: 100,000 queued in {max(queued):.1f} s; a claim among 50 {few * 1000:.1f} ms,"
        f" among a million {many * 1000:.1f} and {analysed * 1000:.1f} ms; counts {counted * 1000:.0f} ms,"
        f" newest {newest * 1000:.1f} ms, house {seconds(keep_house) * 1000:.1f} ms"
    )
    assert max(queued) < 30
    assert max(many, analysed) < few * 5 + 0.01
    assert newest < 0.1
