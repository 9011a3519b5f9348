"""When a run will be through: speeds, quotas, windows and holidays."""

from datetime import date, datetime, timedelta

import pytest

from modemd.config import SOFIA, Limits, Reminders
from modemd.service.calendar import Calendar, Window
from modemd.service.reminders.forecast import Line, forecast

WINDOW = Window(Calendar(), Reminders().hours)
SLOW = Line("slow", 3.0, Limits())  # 1,200 parts an hour, 12,000 a day
TEN_A_MINUTE = Line("capped", 3.0, Limits(per_minute=10))  # 600 an hour


def sofia(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SOFIA)


MONDAY = sofia("2026-11-23T09:00")


@pytest.mark.parametrize(
    ("parts", "lines", "now", "finish", "days"),
    [
        (1200, [SLOW], MONDAY, "2026-11-23T10:00", 1),
        (1200, [SLOW, SLOW], MONDAY, "2026-11-23T09:30", 1),
        (600, [TEN_A_MINUTE], MONDAY, "2026-11-23T10:00", 1),
        (6750, [TEN_A_MINUTE] * 3, MONDAY, "2026-11-23T12:45", 1),  # the domain's group of 6,750: 3.75 hours
        (1200, [SLOW], sofia("2026-11-23T18:30"), "2026-11-24T09:30", 2),
        (1200, [SLOW], sofia("2026-11-27T18:30"), "2026-11-30T09:30", 2),  # over a weekend
        (1200, [SLOW], sofia("2026-12-23T18:30"), "2026-12-29T09:30", 2),  # over Christmas
        (1200, [SLOW], sofia("2026-11-22T12:00"), "2026-11-23T10:00", 1),  # started on a Sunday
        (1500, [Line("day", 3.0, Limits(per_day=1000))], MONDAY, "2026-11-24T09:25", 2),
        (500, [Line("day", 3.0, Limits(per_day=1000), sent_today=800)], MONDAY, "2026-11-24T09:15", 2),
        (1500, [Line("a", 3.0, Limits(per_day=600)), SLOW], MONDAY, "2026-11-23T09:45", 1),  # the first stops at 09:30
        (300, [Line("m", 3.0, Limits(per_month=1000), sent_this_month=800)], MONDAY, "2026-12-01T09:05", 2),
        (0, [SLOW], MONDAY, "2026-11-23T09:00", 0),
    ],
)
def test_when_it_is_through(parts: int, lines: list[Line], now: datetime, finish: str, days: int) -> None:
    found = forecast(parts, lines, WINDOW, [], now)
    assert found.finish_at is not None
    assert abs(found.finish_at - sofia(finish)) < timedelta(seconds=1)
    assert found.days == days


def test_without_a_line_that_can_send_there_is_no_end() -> None:
    assert forecast(10, [], WINDOW, [], MONDAY).finish_at is None
    never = Line("used up", 3.0, Limits(per_month=10), sent_this_month=10)
    assert forecast(10**9, [never], WINDOW, [], MONDAY).finish_at is None


def test_it_says_how_much_would_leave_too_late() -> None:
    last_days = [(date(2026, 11, 23), 13_000), (date(2026, 11, 24), 12_000)]
    found = forecast(25_000, [SLOW], WINDOW, last_days, MONDAY)
    assert found.late_parts == 1000 + 1000  # a day holds 12,000; the 1,000 push as many past the next day
    assert found.last_day == date(2026, 11, 23)
    assert forecast(12_000, [SLOW], WINDOW, [(date(2026, 11, 23), 12_000)], MONDAY).late_parts == 0


def test_with_no_line_everything_is_late() -> None:
    assert forecast(5, [], WINDOW, [(date(2026, 11, 23), 5)], MONDAY).late_parts == 5


def test_a_window_round_the_clock_knows_the_long_night() -> None:
    always = Window(Calendar(), Reminders(window="00:00-24:00", on_holidays=True, days=("sun",)).hours)
    found = forecast(25 * 1200, [SLOW], always, [], sofia("2026-10-25T00:00"))
    assert found.finish_at == sofia("2026-10-26T00:00")
    assert found.days == 1
