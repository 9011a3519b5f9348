"""How much there is of what in each scenario: `article` has the published figures of 2022, `year` is for speed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from modemd.store.schema import Channel

_YEAR_DAYS = 365


@dataclass(frozen=True, slots=True)
class Month:
    """A month, or as much of it as the period has."""

    first: date
    last: date
    reminders: int
    checks: int  # bill checks that are answered
    checking: int  # phones that they come from


@dataclass(frozen=True, slots=True)
class Plan:
    active: int  # registrations, at the end
    new: Mapping[Channel, int]  # of these, begun in the period
    ended: int  # registrations that are no more
    months: tuple[Month, ...]
    lines: int
    unread: int  # texts that wait for a person
    dropped: int  # … that one has dropped
    doubtful: int  # reminders of the last day that are in doubt or held
    open_items: int

    @property
    def first(self) -> date:
        return self.months[0].first

    @property
    def last(self) -> date:
        return self.months[-1].last

    @property
    def messages(self) -> int:
        """That leave."""
        return sum(month.reminders + month.checks for month in self.months)

    def scaled(self, divisor: int) -> "Plan":
        """The same in small."""
        months = tuple(
            replace(month, reminders=month.reminders // divisor, checks=month.checks // divisor,
                    checking=month.checking // divisor)
            for month in self.months
        )  # fmt: skip
        counts = ("active", "ended", "unread", "dropped", "open_items")
        less = {name: getattr(self, name) // divisor for name in counts}
        return replace(self, months=months, new={channel: n // divisor for channel, n in self.new.items()}, **less)


def article() -> Plan:
    """1 January – 25 August 2022: 203,300 active registrations, 200,000 messages, 5 % of them for bill checks."""
    days = list(_months(date(2022, 1, 1), date(2022, 8, 25)))
    reminders = (24_100, 22_700, 26_600, 25_300, 23_900, 24_800, 22_600, 20_000)
    checks = (1_310, 1_190, 1_300, 1_260, 1_310, 1_280, 1_300, 1_050)
    checking = (1_012, 968, 1_031, 994, 1_018, 1_003, 1_009, 951)
    return Plan(
        active=203_300,
        new={Channel.KEP: 830, Channel.PASSWORD: 1_190, Channel.CENTRE: 720},
        ended=1_940,
        months=_dealt(days, reminders, checks, checking),
        lines=3,
        unread=37,
        dropped=84,
        doubtful=4,
        open_items=27_000,
    )


def year(last: date) -> Plan:
    """The year up to that day, with 3 million messages and as many customers as in the article."""
    days = list(_months(last - timedelta(days=_YEAR_DAYS - 1), last))
    lengths = [(end - begin).days + 1 for begin, end in days]
    reminders, checks = spread(2_850_000, lengths), spread(150_000, lengths)
    return Plan(
        active=203_300,
        new={Channel.KEP: 1_250, Channel.PASSWORD: 1_800, Channel.CENTRE: 1_060},
        ended=2_900,
        months=_dealt(days, reminders, checks, [count * 3 // 4 for count in checks]),
        lines=32,
        unread=400,
        dropped=5_000,
        doubtful=9,
        open_items=27_000,
    )


def spread(total: int, weights: Sequence[float]) -> list[int]:
    """Whole numbers in proportion to the weights that add up to the total."""
    whole, before, passed = sum(weights), 0, 0.0
    found = []
    for weight in weights:
        passed += weight
        upto = round(total * passed / whole)
        found.append(upto - before)
        before = upto
    return found


def _months(first: date, last: date) -> Iterator[tuple[date, date]]:
    while first <= last:
        following = (first.replace(day=1) + timedelta(days=31)).replace(day=1)
        yield first, min(last, following - timedelta(days=1))
        first = following


def _dealt(
    days: Sequence[tuple[date, date]], reminders: Sequence[int], checks: Sequence[int], checking: Sequence[int]
) -> tuple[Month, ...]:
    counts = zip(days, reminders, checks, checking, strict=True)
    return tuple(Month(first, last, *each) for (first, last), *each in counts)
