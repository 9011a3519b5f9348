"""What the reports count, day by day: past days once, the others whenever somebody asks. Both give the same figures."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, text

from modemd.store import figures
from modemd.store.dialects import upsert
from modemd.store.schema import day_figures, message


@dataclass(frozen=True, slots=True)
class Counted:
    """What left us between two times."""

    messages: Counter[tuple[str, str]] = field(default_factory=Counter)  # by kind and state now
    parts: Counter[int] = field(default_factory=Counter)  # handed to the network and not refused, by line
    checks: list[str] = field(default_factory=list)  # of bills, answered: the phone of each, "" for one that is unknown
    waited: list[int] = field(default_factory=list)  # ms from each question to its answer


def counted(conn: Connection, start: datetime, end: datetime) -> Counted:
    """From what is kept of whole days, and by counting where nothing is."""
    found = Counted()
    at = start
    for row in conn.execute(
        select(day_figures)
        .where(day_figures.c.starts_at >= start, day_figures.c.ends_at <= end)
        .order_by(day_figures.c.starts_at)
    ):
        _count(conn, at, row.starts_at, found)
        found.messages.update({(kind, state): count for kind, state, count in json.loads(row.messages)})
        found.parts.update(dict(json.loads(row.parts)))
        found.checks.extend(json.loads(row.checks))
        found.waited.extend(json.loads(row.waited))
        at = row.ends_at
    _count(conn, at, end, found)
    return found


def first_message_at(conn: Connection) -> datetime | None:
    """When the first message was queued; nothing has left before."""
    first: datetime | None = conn.scalar(select(message.c.created_at).order_by(message.c.id).limit(1))
    return first


def missing(conn: Connection, days: Sequence[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Those of the days, each from when to when, of which nothing is kept."""
    kept = set(conn.scalars(select(day_figures.c.starts_at)))
    return [day for day in days if day[0] not in kept]


def keep(conn: Connection, start: datetime, end: datetime) -> None:
    """Count a day that is over, and keep it. Whoever changes something in a day is waited for, or waits and forgets."""
    if conn.dialect.name == "postgresql":  # on SQLite one who may write is alone; here triggers write to this table
        conn.execute(text("LOCK TABLE day_figures IN SHARE ROW EXCLUSIVE MODE"))
    found = Counted()
    _count(conn, start, end, found)
    row: dict[str, Any] = {
        "starts_at": start,
        "ends_at": end,
        "messages": json.dumps([[*of, count] for of, count in sorted(found.messages.items())]),
        "parts": json.dumps(sorted(found.parts.items())),
        "checks": json.dumps(sorted(found.checks)),
        "waited": json.dumps(sorted(found.waited)),
    }
    upsert(conn, day_figures, [row], ["starts_at"])


def _count(conn: Connection, start: datetime, end: datetime, into: Counted) -> None:
    if start < end:
        into.messages.update(figures.left(conn, start, end))
        into.parts.update(figures.parts_per_line(conn, start, end))
        into.checks.extend(figures.checks(conn, start, end))
        into.waited.extend(figures.answer_times(conn, start, end))
