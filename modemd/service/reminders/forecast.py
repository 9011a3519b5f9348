"""When a run will be through: from each line's measured speed and what it may send, window by window. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from modemd.config import SOFIA, Limits
from modemd.service.calendar import Window

UNMEASURED = 3.0  # s a part; users report 1 to 4 (DOMAIN 1)


@dataclass(frozen=True, slots=True)
class Line:
    """What one line can do for bulk."""

    name: str
    seconds_a_part: float
    limits: Limits  # what bulk may use of them: the reserve for answers is taken off
    sent_today: int = 0
    sent_this_month: int = 0

    @property
    def a_second(self) -> float:
        """Parts, as fast as the modem and the limit a minute let it."""
        fastest = 1 / self.seconds_a_part
        return min(fastest, self.limits.per_minute / 60) if self.limits.per_minute else fastest


@dataclass(frozen=True, slots=True)
class Forecast:
    parts: int
    finish_at: datetime | None  # None: no line can send, or not within a year
    days: int  # on which something leaves
    late_parts: int  # that would leave after their last day, when the cut-off is too near
    last_day: date | None  # the earliest of those last days


class _Budget:
    """What is left of a line's quotas."""

    def __init__(self, line: Line, today: date) -> None:
        self.line = line
        self._day = today
        self._sent_day, self._sent_month = float(line.sent_today), float(line.sent_this_month)

    def left(self, day: date) -> float:
        """Parts it may still send on this day."""
        if (day.year, day.month) != (self._day.year, self._day.month):
            self._sent_month = 0.0
        if day != self._day:
            self._day, self._sent_day = day, 0.0
        limits, most = self.line.limits, float("inf")
        if limits.per_day:
            most = limits.per_day - self._sent_day
        if limits.per_month:
            most = min(most, limits.per_month - self._sent_month)
        return max(0.0, most)

    def use(self, parts: float) -> None:
        self._sent_day += parts
        self._sent_month += parts


def forecast(
    parts: int, lines: Sequence[Line], window: Window, last_days: Iterable[tuple[date, int]], now: datetime
) -> Forecast:
    """Let all lines send side by side whenever the window is open, until `parts` have left.

    `last_days`: how many of the parts may leave until which day at the latest, the earliest first, which is the order
    in which they leave. What answers take is not reckoned with, beyond the reserve that the limits leave them.
    """
    urgent = list(last_days)
    earliest = urgent[0][0] if urgent else None
    if not parts:
        return Forecast(0, now, 0, 0, earliest)
    budgets = [_Budget(line, now.astimezone(SOFIA).date()) for line in lines if line.a_second > 0]
    left, days = float(parts), 0
    gone_by: list[tuple[date, float]] = []
    for opening, closing in window.spans(now) if budgets else ():
        start, day = max(opening, now), opening.astimezone(SOFIA).date()
        room = [(budget, budget.left(day)) for budget in budgets]
        seconds = (closing - start).total_seconds()
        able = [min(budget.line.a_second * seconds, most) for budget, most in room]
        days += sum(able) > 0
        if sum(able) >= left:
            finish = start + timedelta(seconds=_seconds_for(left, room))
            gone_by.append((day, float(parts)))
            return Forecast(parts, finish, days, _late(urgent, gone_by, parts), earliest)
        for (budget, _), sent in zip(room, able, strict=True):
            budget.use(sent)
        left -= sum(able)
        gone_by.append((day, parts - left))
    return Forecast(parts, None, days, _late(urgent, gone_by, parts), earliest)


def _seconds_for(parts: float, room: Sequence[tuple[_Budget, float]]) -> float:
    """How long the lines take together, each until its quota is used up."""
    ends = sorted((most / budget.line.a_second, budget.line.a_second) for budget, most in room if most > 0)
    speed, at = sum(rate for _, rate in ends), 0.0
    for end, rate in ends:
        if parts <= speed * (end - at):
            break
        parts -= speed * (end - at)
        speed, at = speed - rate, end
    return at + parts / speed if speed > 0 else at


def _late(urgent: Sequence[tuple[date, int]], gone_by: Sequence[tuple[date, float]], parts: int) -> int:
    """How many of the parts leave only after their last day."""
    late, due = 0, 0
    for day, count in urgent:
        due += count
        gone = max((sent for on, sent in gone_by if on <= day), default=0.0)
        late += min(count, max(0, due - round(gone)))
    return min(late, parts)
