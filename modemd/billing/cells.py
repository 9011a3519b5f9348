"""What a cell of a hand-over file may hold. Everything here raises BadCell with the reason that `reject/` shows."""

import re
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime

from modemd.errors import Because
from modemd.service import metering_points

Row = Mapping[str, str]  # cells by column

_AMOUNT = re.compile(r"(-?)([0-9]{1,15})[.,]([0-9]{2})")
_ISO_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_BULGARIAN_DAY = re.compile(r"([0-9]{2})\.([0-9]{2})\.([0-9]{4})")
_MOST_CENTS = 10**11 - 1
YEARS = range(2000, 2101)  # anything else is a slip of the pen


class BadCell(ValueError):
    """A cell holds what it may not."""

    def __init__(self, reason: Because) -> None:
        super().__init__(reason)
        self.reason = reason


def shown(cell: str) -> str:
    """A cell as a reason quotes it: short, on one line and with nothing invisible."""
    return ascii(cell[:24]) if not cell.isprintable() else repr(cell[:24])


def cents(text: str) -> int:
    """`1234,56` or `1234.56` in cents; no separators of thousands."""
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise BadCell(Because("{cell} is no amount like 1234,56", cell=shown(text)))
    sign, whole, fraction = match.groups()
    return int(f"{sign}{whole}{fraction}")


def amount(row: Row, column: str) -> int:
    """An amount in cents that is not negative."""
    try:
        found = cents(row[column])
    except BadCell as error:
        raise BadCell(Because("{column}: {reason}", column=column, reason=error.reason)) from None
    if found < 0:
        raise BadCell(Because("{column}: {cell} is negative", column=column, cell=shown(row[column])))
    if found > _MOST_CENTS:
        raise BadCell(
            Because(
                "{column}: {cell} is more than {most}",
                column=column,
                cell=shown(row[column]),
                most=money(_MOST_CENTS),
            )
        )
    return found


def day(row: Row, column: str) -> date:
    """`2026-11-10` or `10.11.2026`."""
    cell = row[column]
    if match := _ISO_DAY.fullmatch(cell):
        year, month, of_month = match.groups()
    elif match := _BULGARIAN_DAY.fullmatch(cell):
        of_month, month, year = match.groups()
    else:
        raise BadCell(
            Because("{column}: {cell} is no date like 2026-11-10 or 10.11.2026", column=column, cell=shown(cell))
        )
    try:
        found = date(int(year), int(month), int(of_month))
    except ValueError:
        raise BadCell(Because("{column}: {cell} is no day of the calendar", column=column, cell=shown(cell))) from None
    if found.year not in YEARS:
        raise BadCell(
            Because(
                "{column}: {cell} is not between {first} and {last}",
                column=column,
                cell=shown(cell),
                first=YEARS[0],
                last=YEARS[-1],
            )
        )
    return found


def moment(text: str) -> datetime:
    """`2026-11-23T05:30:00+02:00`, in UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or found.year not in YEARS:
        raise BadCell(Because("{cell} is no time with an offset, like 2026-11-23T05:30:00+02:00", cell=shown(text)))
    return found.astimezone(UTC)


def digits(row: Row, column: str, count: int) -> str:
    """Exactly `count` ASCII digits."""
    cell = row[column]
    if len(cell) != count or not (cell.isascii() and cell.isdecimal()):
        raise BadCell(Because("{column}: {cell} is not {count} digits", column=column, cell=shown(cell), count=count))
    return cell


def one_of(row: Row, column: str, words: Collection[str]) -> str:
    """One of the words, as they are written."""
    if row[column] not in words:
        raise BadCell(
            Because(
                "{column}: {cell} is none of {words}", column=column, cell=shown(row[column]), words=", ".join(words)
            )
        )
    return row[column]


def metering_point(row: Row, column: str) -> str | None:
    """ИТН; empty is None."""
    cell = row[column]
    if not cell:
        return None
    if not metering_points.is_valid(cell):
        raise BadCell(
            Because(
                "{column}: {cell} is no metering point 32Z… with a right check character",
                column=column,
                cell=shown(cell),
            )
        )
    return cell


def money(of_cents: int) -> str:
    """Cents as files hold them: 3791 -> `37,91`."""
    sign = "-" if of_cents < 0 else ""
    return f"{sign}{abs(of_cents) // 100},{abs(of_cents) % 100:02}"
