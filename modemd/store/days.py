"""What the reports count: past days and months once, the rest whenever somebody asks. All give the same figures."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, select, text

from modemd.store import figures
from modemd.store.dialects import upsert
from modemd.store.figures import Services
from modemd.store.schema import day_figures, message, month_figures


@dataclass(slots=True)
class Counted:
    """What left us between two times."""

    messages: Counter[tuple[str, str]] = field(default_factory=Counter)  # by kind and state now
    parts: Counter[int] = field(default_factory=Counter)  # handed to the network and not refused, by line
    checks: int = 0  # of bills, answered
    customers: int = 0  # who checked, each phone once
    waited: Counter[int] = field(default_factory=Counter)  # 1/100 s from each question to its answer


def counted(conn: Connection, start: datetime, end: datetime) -> Counted:
    """From what is kept of the month or of whole days, and by counting where nothing is."""
    month = conn.execute(
        select(month_figures).where(month_figures.c.starts_at == start, month_figures.c.ends_at == end)
    ).one_or_none()
    if month is None:
        return _by_days(conn, start, end)
    found = Counted(checks=month.checks, customers=month.customers)
    _add(month, found)
    return found


def registered(conn: Connection, moment: datetime) -> Counter[Services]:
    """As `figures.registered`, from what is kept of the end of a month before and what has changed since then."""
    kept = conn.execute(
        select(month_figures.c.ends_at, month_figures.c.registered)
        .where(month_figures.c.ends_at <= moment)
        .order_by(month_figures.c.ends_at.desc())
        .limit(1)
    ).one_or_none()
    if kept is None:
        return figures.registered(conn, moment)
    found = Counter({(bill, reminder, outage): count for bill, reminder, outage, count in json.loads(kept.registered)})
    found.update(figures.registered_since(conn, kept.ends_at, moment))
    return found


def first_message_at(conn: Connection) -> datetime | None:
    """When the first message was queued; nothing has left before."""
    first: datetime | None = conn.scalar(select(message.c.created_at).order_by(message.c.id).limit(1))
    return first


def missing(
    conn: Connection, table: Table, spans: Sequence[tuple[datetime, datetime]]
) -> list[tuple[datetime, datetime]]:
    """Those of the days or months, each from when to when, of which nothing is kept in the table."""
    kept = set(conn.scalars(select(table.c.starts_at)))
    return [span for span in spans if span[0] not in kept]


def keep(conn: Connection, start: datetime, end: datetime) -> None:
    """Count a day that is over, and keep it. Whoever changes something in a day is waited for, or waits and forgets."""
    _alone(conn, day_figures)
    found, checks = Counted(), list[str]()
    _count(conn, start, end, found, checks)
    row = _row(start, end, found) | {"checks": json.dumps(sorted(checks))}
    upsert(conn, day_figures, [row], ["starts_at"])


def keep_month(conn: Connection, start: datetime, end: datetime) -> None:
    """Sum up the days of a month that is over, if all of them are kept, and keep that."""
    _alone(conn, month_figures)
    days = conn.execute(_days(start, end).with_only_columns(day_figures.c.starts_at, day_figures.c.ends_at))
    if sum((day.ends_at - day.starts_at for day in days), timedelta()) < end.astimezone(UTC) - start.astimezone(UTC):
        return  # nothing would forget the month when something in it changes
    found = _by_days(conn, start, end)
    row = _row(start, end, found) | {
        "checks": found.checks,
        "customers": found.customers,
        "registered": json.dumps([[*has, count] for has, count in sorted(registered(conn, end).items())]),
    }
    upsert(conn, month_figures, [row], ["starts_at"])


def _alone(conn: Connection, table: Table) -> None:
    if conn.dialect.name == "postgresql":  # on SQLite one who may write is alone; here triggers write to this table
        conn.execute(text(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE"))


def _by_days(conn: Connection, start: datetime, end: datetime) -> Counted:
    found, checks = Counted(), list[str]()
    at = start
    for row in conn.execute(_days(start, end)):
        _count(conn, at, row.starts_at, found, checks)
        _add(row, found)
        checks += json.loads(row.checks)
        at = row.ends_at
    _count(conn, at, end, found, checks)
    found.checks = len(checks)
    found.customers = len(set(checks) - {""})
    return found


def _days(start: datetime, end: datetime) -> Select[Any]:
    return (
        select(day_figures)
        .where(day_figures.c.starts_at >= start, day_figures.c.ends_at <= end)
        .order_by(day_figures.c.starts_at)
    )


def _count(conn: Connection, start: datetime, end: datetime, into: Counted, checks: list[str]) -> None:
    """What left from one time to the other; `checks`: the phone of each bill check, "" for one that is unknown."""
    if start < end:
        into.messages.update(figures.left(conn, start, end))
        into.parts.update(figures.parts_per_line(conn, start, end))
        into.waited.update(figures.answer_times(conn, start, end))
        checks += figures.checks(conn, start, end)


def _row(start: datetime, end: datetime, found: Counted) -> dict[str, Any]:
    """What days and months keep alike."""
    return {
        "starts_at": start,
        "ends_at": end,
        "messages": json.dumps([[*of, count] for of, count in sorted(found.messages.items())]),
        "parts": json.dumps(sorted(found.parts.items())),
        "waited": json.dumps(sorted(found.waited.items())),
    }


def _add(row: Row[Any], to: Counted) -> None:
    to.messages.update({(kind, state): count for kind, state, count in json.loads(row.messages)})
    to.parts.update(dict(json.loads(row.parts)))
    to.waited.update(dict(json.loads(row.waited)))
