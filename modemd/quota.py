"""How many parts one SIM may still send: a minute, a day and a month, with a reserve for answers."""

from collections import deque
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from modemd.config import SOFIA, Limits

MINUTE = timedelta(minutes=1)


class Quota:
    """Counts what leaves; days and months are those of Sofia."""

    def __init__(
        self,
        limits: Limits,
        reserve: float,
        now: datetime,
        *,
        today: int = 0,
        this_month: int = 0,
        recent: Sequence[datetime] = (),
    ) -> None:
        """`reserve`: % of day and month that only answers may use. The rest is what the outbox says has left so far.

        `recent`: when the parts of the last minute left, oldest first.
        """
        self.limits = limits
        self._reserve = reserve
        self._today = today
        self._this_month = this_month
        self._recent = deque(recent)
        self._day_ends = self._month_ends = now
        self._begin(now)

    def count(self, now: datetime) -> None:
        """One more part has left, or may have."""
        self._turn(now)
        self._today += 1
        self._this_month += 1
        self._recent.append(now)

    def free_at(self, now: datetime, *, answer: bool) -> datetime:
        """The earliest moment at which the next part may leave."""
        if not any(self.limits):
            return now
        self._turn(now)
        per_minute, per_day, per_month = self.limits
        if per_month and self._this_month >= self._open(per_month, answer):
            return self._month_ends
        if per_day and self._today >= self._open(per_day, answer):
            return self._day_ends
        if per_minute and len(self._recent) >= per_minute:
            return max(now, self._recent[-per_minute] + MINUTE)
        return now

    def burden(self, now: datetime) -> tuple[float, int]:
        """How much is used, to compare lines by: the share of its quotas, then the parts of today."""
        self._turn(now)
        used = ((self._today, self.limits.per_day), (self._this_month, self.limits.per_month))
        return max((count / limit for count, limit in used if limit), default=0.0), self._today

    def _open(self, limit: int, answer: bool) -> int:
        return limit if answer else limit - int(limit * self._reserve / 100)

    def _turn(self, now: datetime) -> None:
        if now >= self._day_ends:
            self._today = 0
            if now >= self._month_ends:
                self._this_month = 0
            self._begin(now)
        while self._recent and self._recent[0] <= now - MINUTE:
            self._recent.popleft()
        while self._recent and self._recent[-1] > now + MINUTE:  # the clock was set back
            self._recent.pop()

    def _begin(self, now: datetime) -> None:
        today = _date(now)
        self._day_ends = _midnight(today + timedelta(days=1))
        self._month_ends = _midnight((today.replace(day=1) + timedelta(days=32)).replace(day=1))


def day_start(now: datetime) -> datetime:
    return _midnight(_date(now))


def month_start(now: datetime) -> datetime:
    return _midnight(_date(now).replace(day=1))


def _date(now: datetime) -> date:
    return now.astimezone(SOFIA).date()


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SOFIA).astimezone(UTC)
