"""What a cell of a hand-over file may hold. Everything here raises ValueError with the reason that `reject/` shows."""

import re
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime

from modemd.service import metering_points

Row = Mapping[str, str]  # cells by column

_AMOUNT = re.compile(r"(-?)([0-9]{1,15})[.,]([0-9]{2})")
_ISO_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_BULGARIAN_DAY = re.compile(r"([0-9]{2})\.([0-9]{2})\.([0-9]{4})")
_MOST_CENTS = 10**11 - 1
YEARS = range(2000, 2101)  # anything else is a slip of the pen


def shown(cell: str) -> str:
    """A cell as a reason quotes it: short, on one line and with nothing invisible."""
    return ascii(cell[:24]) if not cell.isprintable() else repr(cell[:24])


def cents(text: str) -> int:
    """`1234,56` or `1234.56` in cents; no separators of thousands."""
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise ValueError(f"{shown(text)} is no amount like 1234,56")
    sign, whole, fraction = match.groups()
    return int(f"{sign}{whole}{fraction}")


def amount(row: Row, column: str) -> int:
    """An amount in cents that is not negative."""
    try:
        found = cents(row[column])
    except ValueError as error:
        raise ValueError(f"{column}: {error}") from None
    if found < 0:
        raise ValueError(f"{column}: {shown(row[column])} is negative")
    if found > _MOST_CENTS:
        raise ValueError(f"{column}: {shown(row[column])} is more than {money(_MOST_CENTS)}")
    return found


def day(row: Row, column: str) -> date:
    """`2026-11-10` or `10.11.2026`."""
    cell = row[column]
    if match := _ISO_DAY.fullmatch(cell):
        year, month, of_month = match.groups()
    elif match := _BULGARIAN_DAY.fullmatch(cell):
        of_month, month, year = match.groups()
    else:
        raise ValueError(f"{column}: {shown(cell)} is no date like 2026-11-10 or 10.11.2026")
    try:
        found = date(int(year), int(month), int(of_month))
    except ValueError:
        raise ValueError(f"{column}: {shown(cell)} is no day of the calendar") from None
    if found.year not in YEARS:
        raise ValueError(f"{column}: {shown(cell)} is not between {YEARS[0]} and {YEARS[-1]}")
    return found


def moment(text: str) -> datetime:
    """`2026-11-23T05:30:00+02:00`, in UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or found.year not in YEARS:
        raise ValueError(f"{shown(text)} is no time with an offset, like 2026-11-23T05:30:00+02:00")
    return found.astimezone(UTC)


def digits(row: Row, column: str, count: int) -> str:
    """Exactly `count` ASCII digits."""
    cell = row[column]
    if len(cell) != count or not (cell.isascii() and cell.isdecimal()):
        raise ValueError(f"{column}: {shown(cell)} is not {count} digits")
    return cell


def one_of(row: Row, column: str, words: Collection[str]) -> str:
    """One of the words, as they are written."""
    if row[column] not in words:
        raise ValueError(f"{column}: {shown(row[column])} is none of {', '.join(words)}")
    return row[column]


def metering_point(row: Row, column: str) -> str | None:
    """ИТН; empty is None."""
    cell = row[column]
    if not cell:
        return None
    if not metering_points.is_valid(cell):
        raise ValueError(f"{column}: {shown(cell)} is no metering point 32Z… with a right check character")
    return cell


def money(of_cents: int) -> str:
    """Cents as files hold them: 3791 -> `37,91`."""
    sign = "-" if of_cents < 0 else ""
    return f"{sign}{abs(of_cents) // 100},{abs(of_cents) % 100:02}"
