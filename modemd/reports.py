"""The figures of the service for a period of days in Sofia: registrations, messages, answers.

A message counts on the day it left; a bill check counts once, by its answer. `modemd report` prints what `report`
gives, and the panel shows it.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar, get_args

from sqlalchemy import Connection

from modemd.config import SOFIA, KindName
from modemd.errors import Because, PeriodRefused
from modemd.store import days, figures
from modemd.store.schema import Channel, MessageState

EARLIEST, LATEST = date(2000, 1, 1), date(2100, 12, 31)  # anything else is a slip of the pen
LONGEST = 3660  # days
CHANNELS = (Channel.KEP, Channel.PASSWORD, Channel.CENTRE)  # always named, also where nobody came that way
Value = TypeVar("Value", int, float)
_SETTLED = (MessageState.DELIVERED, MessageState.UNDELIVERED, MessageState.EXPIRED)


@dataclass(frozen=True, slots=True)
class Period:
    """Days in Sofia, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        """Raises PeriodRefused."""
        if self.first > self.last:
            raise PeriodRefused(
                reason=Because("it begins on {first} and ends before that, on {last}", first=self.first, last=self.last)
            )
        if self.first < EARLIEST or self.last > LATEST:
            raise PeriodRefused(
                reason=Because("its days must lie from {earliest} to {latest}", earliest=EARLIEST, latest=LATEST)
            )
        if (self.last - self.first).days >= LONGEST:
            raise PeriodRefused(reason=Because("it has more than {most} days; ask for less at a time", most=LONGEST))

    @property
    def start(self) -> datetime:
        return _midnight(self.first)

    @property
    def end(self) -> datetime:
        """The moment after its last day."""
        return _midnight(self.last + timedelta(days=1))

    def months(self) -> Iterator[tuple[str, datetime, datetime]]:
        """("2022-01", start, end) of each month, as far as it lies in the period."""
        first = self.first
        while first <= self.last:
            following = (first.replace(day=1) + timedelta(days=31)).replace(day=1)
            yield f"{first:%Y-%m}", _midnight(first), min(_midnight(following), self.end)
            first = following


@dataclass(frozen=True, slots=True)
class Registrations:
    """Of one customer on one phone each."""

    active: int  # at the end of the period
    by_service: Mapping[str, int]  # bill, reminder, outage; of the active ones
    new: int  # that began in the period
    by_channel: Mapping[str, int]  # of the new ones


@dataclass(frozen=True, slots=True)
class Messages:
    total: int
    by_kind: Mapping[str, int]  # the kinds, and "bill": answers to bill checks, which "reply" leaves out
    shares: Mapping[str, float]  # of the total, 0 … 1


@dataclass(frozen=True, slots=True)
class AnswerSeconds:
    """From a question to its answer; None where nothing was asked."""

    p50: float | None
    p95: float | None


@dataclass(frozen=True, slots=True)
class Report:
    period: Period
    registrations: Registrations
    messages: Messages
    reminders_per_month: Mapping[str, int]
    checking_customers_per_month: Mapping[str, int]  # phones of customers that checked a bill
    delivery_rate: float | None  # delivered of those whose fate is known
    answer_seconds: AnswerSeconds
    parts_per_line: Mapping[str, int]

    def as_dict(self) -> dict[str, Any]:
        """As `modemd report --json` prints it."""
        figures_ = asdict(self)
        del figures_["period"]
        return {"from": self.period.first.isoformat(), "to": self.period.last.isoformat(), **figures_}

    def rows(self) -> list[tuple[str, str, object]]:
        """(figure, of what, value): the report as one table, for CSV."""
        found: list[tuple[str, str, object]] = []
        for name, value in self.as_dict().items():
            found += _rows(name, value)
        return found


def report(conn: Connection, period: Period) -> Report:
    """The figures of a period; reads all of one moment if the caller's transaction does."""
    by_kind: dict[str, int] = dict.fromkeys(("bill", *get_args(KindName)), 0)
    by_state: dict[str, int] = {}
    reminders, checking = {}, {}
    parts: Counter[int] = Counter()
    waited: Counter[int] = Counter()
    for month, start, end in period.months():
        counted = days.counted(conn, start, end)
        parts.update(counted.parts)
        for (kind, state), count in counted.messages.items():
            by_kind[kind] += count
            by_state[state] = by_state.get(state, 0) + count
        waited.update(counted.waited)
        by_kind["bill"] += counted.checks
        by_kind["reply"] -= counted.checks
        reminders[month] = sum(count for (kind, _), count in counted.messages.items() if kind == "reminder")
        checking[month] = counted.customers
    return Report(
        period,
        _registrations(conn, period),
        _messages(by_kind),
        reminders,
        checking,
        _delivery_rate(by_state),
        _answer_seconds(waited),
        _by_name(conn, parts),
    )


def past_days(today: date, count: int) -> list[tuple[datetime, datetime]]:
    """The last days before today, each from when to when, the newest first."""
    found = (today - timedelta(days=back) for back in range(1, count + 1))
    return [(_midnight(day), _midnight(day + timedelta(days=1))) for day in found]


def past_months(today: date, count: int) -> list[tuple[datetime, datetime]]:
    """The whole months among the last days before today, each from when to when."""
    months = Period(today - timedelta(days=count), today - timedelta(days=1)).months()
    return [(start, end) for _, start, end in months if start.day == end.day == 1]


def _by_name(conn: Connection, parts: Mapping[int, int]) -> dict[str, int]:
    """By the names of the lines, in the order in which these came; two lines of one name together."""
    found: Counter[str] = Counter()
    for line_id, name in figures.line_names(conn).items():
        found[name] += parts.get(line_id, 0)
    return {name: count for name, count in found.items() if count}


def _registrations(conn: Connection, period: Period) -> Registrations:
    at_the_end = days.registered(conn, period.end)
    active = sum(count for has, count in at_the_end.items() if any(has))
    by_service = {
        name: sum(count for has, count in at_the_end.items() if has[place])
        for place, name in enumerate(figures.SERVICES)
    }
    new = figures.new_by_channel(conn, period.start, period.end)
    by_channel = {str(channel): 0 for channel in CHANNELS} | new
    return Registrations(active, by_service, sum(new.values()), by_channel)


def _messages(by_kind: Mapping[str, int]) -> Messages:
    total = sum(by_kind.values())
    shares = {kind: round(count / total, 4) if total else 0.0 for kind, count in by_kind.items()}
    return Messages(total, by_kind, shares)


def _delivery_rate(by_state: Mapping[str, int]) -> float | None:
    settled = sum(by_state.get(state, 0) for state in _SETTLED)
    return round(by_state.get(MessageState.DELIVERED, 0) / settled, 4) if settled else None


def _answer_seconds(hundredths: Mapping[int, int]) -> AnswerSeconds:
    found = (percentile(hundredths, percent) for percent in (50, 95))
    return AnswerSeconds(*(None if each is None else each / 100 for each in found))


def percentile(counts: Mapping[Value, int], percent: int) -> Value | None:
    """The nearest rank: the smallest value that `percent` of all are not above. None of nothing.

    `counts`: how often each value occurs.
    """
    rank = math.ceil(sum(counts.values()) * percent / 100)
    for value in sorted(counts):
        rank -= counts[value]
        if rank <= 0:
            return value
    return None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SOFIA)


def _rows(name: str, value: object) -> Iterator[tuple[str, str, object]]:
    if not isinstance(value, Mapping):
        yield name, "", value
        return
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            yield from _rows(f"{name}.{key}", inner)
        else:
            yield name, key, inner
