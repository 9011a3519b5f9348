"""Working days and sending windows in Bulgaria. Pure: the moment is always passed in, aware and in any zone.

Public holidays are those of the Labour Code (art. 154), moved days among them, as the package `holidays` knows them;
the settings add days that the government declares. Everything is reckoned by the clock on the wall in Sofia, so a
window of 09:00–19:00 is ten hours long on any day, and one that spans a change of the clock an hour more or less.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

import holidays

from modemd.config import SOFIA, Hours

_DAY = timedelta(days=1)
_SEARCHED = 400  # days; a window that opens less often than once a year does not open at all


@cache
def _holidays_of(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("BG", years=year))


@dataclass(frozen=True, slots=True)
class Calendar:
    """`extra`: days that are no working days besides weekends and public holidays."""

    extra: frozenset[date] = frozenset()

    @classmethod
    def with_days(cls, extra: Collection[date]) -> "Calendar":
        return cls(frozenset(extra))

    def is_holiday(self, day: date) -> bool:
        return day in self.extra or day in _holidays_of(day.year)

    def is_working(self, day: date) -> bool:
        return day.weekday() < 5 and not self.is_holiday(day)

    def working_days_before(self, day: date, count: int) -> date:
        """The last day from which `count` working days lie between it (counted) and `day` (not counted).

        One working day before a Monday is the Friday. `count` is 1 or more.
        """
        return self._step(day, count, -_DAY)

    def working_days_after(self, day: date, count: int) -> date:
        """The day that is `count` working days after `day`; one after a Friday is the Monday. `count` is 1 or more."""
        return self._step(day, count, _DAY)

    def _step(self, day: date, count: int, step: timedelta) -> date:
        while count:
            day += step
            count -= self.is_working(day)
        return day


@dataclass(frozen=True, slots=True)
class Window:
    """When a kind of bulk may leave."""

    calendar: Calendar
    hours: Hours

    def is_open(self, moment: datetime) -> bool:
        """Whether something may leave at this moment; at the closing minute it may not."""
        return self._bounds_at(moment) is not None

    def closes(self, moment: datetime) -> datetime | None:
        """When the window that is open at this moment closes (UTC); None while it is closed.

        Windows that touch, as those of 00:00–24:00 do, are told one by one.
        """
        bounds = self._bounds_at(moment)
        return None if bounds is None else bounds[1]

    def opens(self, moment: datetime) -> datetime | None:
        """The first moment from this one on at which something may leave (UTC); None if it never opens."""
        return next((max(start, moment.astimezone(UTC)) for start, _ in self.spans(moment)), None)

    def spans(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        """(opening, closing) in UTC of the windows that close after this moment, in order, for about a year."""
        first = moment.astimezone(SOFIA).date()
        for day in (first + timedelta(days=ahead) for ahead in range(_SEARCHED)):
            if self._opens_on(day):
                opening, closing = self._bounds(day)
                if opening < closing and closing > moment:
                    yield opening, closing

    def _opens_on(self, day: date) -> bool:
        return day.isoweekday() in self.hours.weekdays and (self.hours.on_holidays or not self.calendar.is_holiday(day))

    def _bounds(self, day: date) -> tuple[datetime, datetime]:
        return wall_clock(day, self.hours.opens), wall_clock(day, self.hours.closes)

    def _bounds_at(self, moment: datetime) -> tuple[datetime, datetime] | None:
        day = moment.astimezone(SOFIA).date()
        opening, closing = self._bounds(day)
        return (opening, closing) if self._opens_on(day) and opening <= moment < closing else None


def wall_clock(day: date, minutes: int) -> datetime:
    """The moment (UTC) at which clocks in Sofia show so many minutes after midnight of this day; 1440 is its end.

    An hour that is shown twice (the night in October) means its first time, one that is left out (in March) the hour
    after it.
    """
    shown = datetime.combine(day, time()) + timedelta(minutes=minutes)
    return shown.replace(tzinfo=SOFIA).astimezone(UTC)
