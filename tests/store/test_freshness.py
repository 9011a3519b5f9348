from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from modemd.store import freshness
from modemd.store.freshness import Age
from modemd.store.schema import dataset

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "age", "may_remind", "alarm"),
    [
        (0, Age.FRESH, True, None),
        (36, Age.FRESH, True, None),
        (36.01, Age.OLD, True, "more than 36 hours old"),
        (48, Age.OLD, True, "more than 36 hours old"),
        (48.01, Age.STALE, False, "more than 48 hours old; reminders have stopped"),
    ],
)
def test_old_data_raises_an_alarm_and_older_data_stops_reminders(
    conn: Connection, hours: float, age: Age, may_remind: bool, alarm: str | None
) -> None:
    data_at = NOW - timedelta(hours=hours)
    conn.execute(dataset.insert(), {"type": "OPENITEMS", "generation": 1, "data_at": data_at})
    conn.execute(dataset.insert(), {"type": "CUSTOMERS", "generation": 2, "data_at": NOW - timedelta(days=9)})
    found = freshness.freshness(conn, NOW)
    assert (found.age, found.data_at, found.may_remind) == (age, data_at, may_remind)
    assert (found.alarm is None) if alarm is None else (found.alarm is not None and found.alarm.endswith(alarm))


def test_without_any_data_nobody_is_reminded_and_nobody_alarmed(conn: Connection) -> None:
    found = freshness.freshness(conn, NOW)
    assert (found.age, found.may_remind, found.alarm) == (Age.NONE, False, None)
