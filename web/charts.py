"""Charts drawn on the server as SVG: geometry here, looks in panel.css; nothing runs in the browser."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from modemd.config import SOFIA
from modemd.store.history import Sample

WIDTH, HEIGHT = 720.0, 170.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 8.0, 8.0, 22.0  # margins, for the marks
WEAKEST, STRONGEST = -115, -50  # dBm
GUIDES = (-110, -95, -80, -65)  # dBm
GAP = timedelta(minutes=25)  # without a sample: the modem was not there


@dataclass(frozen=True, slots=True)
class Mark:
    """A label beside an axis and the line that belongs to it."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class SignalChart:
    """Signal over time: a line for each stretch without a gap."""

    lines: Sequence[str]  # points of a polyline
    hours: Sequence[Mark]
    guides: Sequence[Mark]
    lowest: int | None
    highest: int | None


def signal(samples: Sequence[Sample], start: datetime, end: datetime) -> SignalChart:
    """The chart of these samples between two times."""
    stretches: list[list[str]] = [[]]
    last: datetime | None = None
    for each in samples:
        if each.dbm is None or (last is not None and each.at - last > GAP):
            stretches.append([])
        if each.dbm is not None:
            point = f"{_x(each.at, start, end):.1f},{_y(each.dbm):.1f}"
            stretches[-1].append(point)
        last = each.at
    known = [each.dbm for each in samples if each.dbm is not None]
    return SignalChart(
        lines=[" ".join(_at_least_two(points)) for points in stretches if points],
        hours=[Mark(_x(hour, start, end), f"{hour.astimezone(SOFIA):%H:%M}") for hour in _hours(start, end)],
        guides=[Mark(_y(dbm), str(dbm).replace("-", "−")) for dbm in GUIDES],
        lowest=min(known, default=None),
        highest=max(known, default=None),
    )


def _at_least_two(points: list[str]) -> list[str]:
    """A single point is no line: it is drawn as a short one."""
    if len(points) > 1:
        return points
    x, y = points[0].split(",")
    return [points[0], f"{float(x) + 2:.1f},{y}"]


def _x(at: datetime, start: datetime, end: datetime) -> float:
    share = (at - start) / (end - start)
    return LEFT + max(0.0, min(1.0, share)) * (WIDTH - LEFT - RIGHT)


def _y(dbm: int) -> float:
    share = (dbm - WEAKEST) / (STRONGEST - WEAKEST)
    return TOP + (1 - max(0.0, min(1.0, share))) * (HEIGHT - TOP - BOTTOM)


def _hours(start: datetime, end: datetime, step: int = 4) -> list[datetime]:
    """Every fourth full hour of Sofia."""
    hour = start.astimezone(SOFIA).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    found = []
    while hour <= end:
        if hour.hour % step == 0:
            found.append(hour)
        hour += timedelta(hours=1)
    return found


@dataclass(frozen=True, slots=True)
class Bar:
    """One of several bars that lie below each other; `width` in % of the longest."""

    name: str
    value: int
    width: float


def bars(values: Mapping[str, int]) -> list[Bar]:
    """Bars of these values, in their order."""
    most = max(values.values(), default=0)
    return [Bar(name, value, 100 * value / most if most else 0.0) for name, value in values.items()]
