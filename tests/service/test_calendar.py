"""Working days and windows: holidays, days the settings add, and the nights in which clocks change."""

from datetime import UTC, date, datetime, timedelta

import pytest

from modemd.config import SOFIA, Reminders, Settings
from modemd.service.calendar import Calendar, Window, wall_clock

CALENDAR = Calendar()
WINDOW = Window(CALENDAR, Reminders().hours)
ALWAYS = Window(CALENDAR, Settings.model_validate({"outages": {"window": "00:00-24:00"}}).outages.hours)


def sofia(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SOFIA)


@pytest.mark.parametrize(
    ("day", "working"),
    [
        (date(2026, 11, 25), True),  # a Wednesday
        (date(2026, 11, 28), False),
        (date(2026, 11, 29), False),
        (date(2026, 12, 24), False),  # Christmas Eve
        (date(2026, 12, 28), False),  # the Monday for a Christmas Day on a Saturday (art. 154, 2)
        (date(2026, 4, 10), False),  # Orthodox Good Friday
        (date(2026, 4, 3), True),  # the Catholic one
        (date(2027, 3, 3), False),
    ],
)
def test_weekends_and_bulgarian_holidays_are_no_working_days(day: date, working: bool) -> None:
    assert CALENDAR.is_working(day) is working


def test_the_settings_add_days() -> None:
    assert not Calendar.with_days([date(2026, 11, 25)]).is_working(date(2026, 11, 25))


@pytest.mark.parametrize(
    ("day", "count", "before"),
    [
        (date(2026, 11, 30), 1, date(2026, 11, 27)),  # a Monday: the Friday
        (date(2026, 12, 2), 3, date(2026, 11, 27)),
        (date(2026, 11, 29), 1, date(2026, 11, 27)),  # a Sunday
        (date(2026, 12, 29), 1, date(2026, 12, 23)),  # over Christmas
        (date(2027, 1, 4), 3, date(2026, 12, 29)),  # over New Year
    ],
)
def test_working_days_before(day: date, count: int, before: date) -> None:
    assert CALENDAR.working_days_before(day, count) == before


@pytest.mark.parametrize(
    ("day", "count", "after"),
    [
        (date(2026, 11, 27), 1, date(2026, 11, 30)),
        (date(2026, 11, 27), 2, date(2026, 12, 1)),
        (date(2026, 11, 28), 2, date(2026, 12, 1)),  # due on a Saturday: the same Tuesday
        (date(2026, 12, 23), 1, date(2026, 12, 29)),
    ],
)
def test_working_days_after(day: date, count: int, after: date) -> None:
    assert CALENDAR.working_days_after(day, count) == after


@pytest.mark.parametrize(
    ("moment", "open_"),
    [
        ("2026-11-25T08:59:59", False),
        ("2026-11-25T09:00", True),
        ("2026-11-25T18:59:59", True),
        ("2026-11-25T19:00", False),
        ("2026-11-28T12:00", False),  # Saturday
        ("2026-12-24T12:00", False),
    ],
)
def test_reminders_leave_on_weekdays_from_nine_to_seven_and_on_no_holiday(moment: str, open_: bool) -> None:
    assert WINDOW.is_open(sofia(moment)) is open_
    assert WINDOW.is_open(sofia(moment).astimezone(UTC)) is open_


def test_the_window_follows_the_clock_on_the_wall_through_the_seasons() -> None:
    assert WINDOW.is_open(datetime(2026, 7, 1, 6, 0, tzinfo=UTC))  # 09:00 in summer
    assert not WINDOW.is_open(datetime(2026, 11, 25, 6, 59, tzinfo=UTC))  # 08:59 in winter


@pytest.mark.parametrize(
    ("moment", "opens", "closes"),
    [
        ("2026-11-25T12:00", "2026-11-25T12:00", "2026-11-25T19:00"),
        ("2026-11-25T19:00", "2026-11-26T09:00", None),
        ("2026-11-27T19:30", "2026-11-30T09:00", None),  # a Friday evening
        ("2026-12-23T20:00", "2026-12-29T09:00", None),
        ("2026-10-23T20:00", "2026-10-26T09:00", None),  # over the night of the 25th, an hour longer than others
    ],
)
def test_when_it_opens_next_and_closes(moment: str, opens: str, closes: str | None) -> None:
    assert WINDOW.opens(sofia(moment)) == sofia(opens)
    assert WINDOW.closes(sofia(moment)) == (sofia(closes) if closes else None)


def test_the_nights_of_the_clock_change_are_an_hour_shorter_and_longer() -> None:
    (spring,) = _first(ALWAYS, "2026-03-29T00:00")
    (autumn,) = _first(ALWAYS, "2026-10-25T00:00")
    assert spring[1] - spring[0] == timedelta(hours=23)
    assert autumn[1] - autumn[0] == timedelta(hours=25)


def test_in_the_hour_that_comes_twice_a_window_opens_and_closes_once() -> None:
    night = Window(CALENDAR, Settings.model_validate({"outages": {"window": "02:00-03:30"}}).outages.hours)
    quarters = [datetime(2026, 10, 24, 22, 0, tzinfo=UTC) + timedelta(minutes=15 * at) for at in range(24)]
    open_at = [moment for moment in quarters if night.is_open(moment)]
    assert [(at.hour, at.minute) for at in open_at] == [(23, 0), (23, 15), (23, 30), (23, 45), (0, 0), (0, 15)]


def test_an_hour_that_is_left_out_means_the_hour_after() -> None:
    assert wall_clock(date(2026, 3, 29), 3 * 60 + 30) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 04:30 on the wall


def test_a_window_round_the_clock_is_never_shut() -> None:
    quarters = [datetime(2026, 10, 24, 12, 0, tzinfo=UTC) + timedelta(minutes=15 * at) for at in range(200)]
    assert all(ALWAYS.is_open(moment) for moment in quarters)


def test_a_window_on_no_day_of_the_year_never_opens() -> None:
    year = [date(2026, 1, 1) + timedelta(days=at) for at in range(800)]
    assert Window(Calendar.with_days(year), Reminders().hours).opens(sofia("2026-02-01T10:00")) is None


def _first(window: Window, moment: str) -> list[tuple[datetime, datetime]]:
    return [next(window.spans(sofia(moment)))]
