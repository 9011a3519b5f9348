"""Bulk gives way when answers come late, and does not swing."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from modemd.messages import ReceivedSms
from modemd.pace import ENOUGH, LEAST_SHARE, LOOKED_BACK, Pace, Pacing, percentile
from modemd.store import database as opening
from modemd.store import inbox, lines, outbox
from modemd.store.ledger import Ledger

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
TARGET = 10.0


@pytest.fixture
def pace() -> Pace:
    return Pace(TARGET, NOW)


def later(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def test_bulk_is_slowed_step_by_step_while_the_target_is_missed_and_never_stopped(pace: Pace) -> None:
    shares = []
    for minute in range(6):
        pace.look([11.0] * 20, later(minute))
        shares.append(pace.share)
    assert shares == [0.5, 0.25, 0.125, 0.125, 0.125, 0.125]
    assert LEAST_SHARE > 0


def test_one_slow_answer_of_many_is_no_miss(pace: Pace) -> None:
    assert not pace.look([1.0] * 19 + [60.0], NOW)
    assert pace.look([1.0] * 18 + [60.0] * 2, NOW)


def test_a_few_questions_say_nothing(pace: Pace) -> None:
    assert not pace.look([60.0] * (ENOUGH - 1), NOW)
    assert pace.share == 1.0


def test_between_easy_and_missed_nothing_moves(pace: Pace) -> None:
    pace.look([11.0] * 20, NOW)
    assert not pace.look([8.0] * 20, later(1))
    assert pace.share == 0.5


def test_bulk_recovers_in_smaller_steps_than_it_was_slowed(pace: Pace) -> None:
    pace.look([11.0] * 20, NOW)
    shares = []
    for minute in range(1, 5):
        pace.look([2.0] * 20, later(minute))
        shares.append(pace.share)
    assert shares == [0.625, 0.78125, 0.9765625, 1.0]


def test_without_questions_bulk_recovers_after_the_time_looked_back_at(pace: Pace) -> None:
    pace.look([11.0] * 20, NOW)
    assert not pace.look([], later(4.9))
    assert pace.look([], later(5))
    assert pace.share == 0.625
    assert not pace.look([], later(6))


def test_what_was_slow_before_the_last_change_does_not_count_again(pace: Pace) -> None:
    assert pace.since(NOW + LOOKED_BACK * 2) == NOW + LOOKED_BACK
    pace.look([11.0] * 20, later(1))
    assert pace.since(later(2)) == later(1)


def test_without_a_target_nothing_is_slowed() -> None:
    pace = Pace(0, NOW)
    assert not pace.look([1000.0] * 100, NOW)
    assert pace.share == 1.0


@pytest.mark.parametrize(("of_100", "value"), [(50, 5), (95, 10), (100, 10), (10, 1), (1, 1)])
def test_percentiles_are_values_that_occurred(of_100: int, value: int) -> None:
    assert percentile([float(each) for each in range(10, 0, -1)], of_100) == value


def test_questions_that_wait_too_long_are_found_in_the_database_and_the_lines_are_told(database: Engine) -> None:
    with opening.writing(database) as conn:
        line = lines.identify(conn, lines.Sim("8935901000000000001", None), "h", "p", NOW, adopt=True)
        for number in range(ENOUGH):
            sms = ReceivedSms(f"00{number:08x}", "SM", 1, NOW, f"+35988{number:07}", True, "smetka", None, NOW)
            (recorded,) = inbox.record(conn, line.id, [sms], NOW)
            reply = outbox.NewMessage(
                "reply", str(sms.number), "x", 1, 0, later(60), line.id, in_reply_to=recorded.inbox_id
            )
            outbox.enqueue(conn, [reply], NOW)
    told: list[float] = []
    clock = [NOW]

    async def scene() -> None:
        ledger = Ledger(database, lambda: clock[0])
        await ledger.start()
        pacing = Pacing(TARGET, ledger, told.append, lambda: clock[0])
        try:
            for seconds in (TARGET, TARGET + 1):
                clock[0] = NOW + timedelta(seconds=seconds)
                await pacing.look()
        finally:
            await ledger.close()

    asyncio.run(scene())
    assert told == [0.5]
