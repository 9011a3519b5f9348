"""What a technician has set for lines, which wins over the settings file; and which SIMs wait for him."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, literal, or_, select

from modemd.errors import Because, LineUnknown
from modemd.store import wakeup
from modemd.store.dialects import upsert
from modemd.store.schema import line, line_rule, modem, part


@dataclass(frozen=True, slots=True)
class LineRule:
    """A line and what a technician has set for it; None: as the settings say."""

    line_id: int
    name: str
    iccid: str | None
    adopted: bool
    new: bool  # adopted by itself, not yet seen by a person
    per_minute: int | None
    per_day: int | None
    per_month: int | None
    number: str | None  # its own
    prefixes: tuple[str, ...] = ()  # numbers that begin so shall leave through it if it can send
    replaces: int | None = None  # the line of the SIM that it stands in for
    notes: str | None = None


@dataclass(frozen=True, slots=True)
class LineOverview:
    """A line as `modemd line list` shows it."""

    rule: LineRule
    host: str | None  # of the modem that holds the SIM, or held it last
    port: str | None
    imei: str | None
    sent_today: int
    sent_this_month: int


_RULES = select(
    line.c.id.label("line_id"),
    line.c.name,
    line.c.iccid,
    line.c.adopted_at.is_not(None).label("adopted"),
    line.c.new,
    line_rule.c.per_minute,
    line_rule.c.per_day,
    line_rule.c.per_month,
    line_rule.c.number,
    line_rule.c.prefixes,
    line_rule.c.replaces,
    line_rule.c.notes,
).join_from(line, line_rule, isouter=True)


def read(conn: Connection) -> list[LineRule]:
    """Every line."""
    return [_rule(row) for row in conn.execute(_RULES.order_by(line.c.id))]


def overview(conn: Connection, day_start: datetime, month_start: datetime) -> list[LineOverview]:
    """Every line with the modem that has its SIM, and what it has sent since those times."""
    seen = select(modem).where(modem.c.line_id.is_not(None)).order_by(modem.c.updated_at)
    modems = {row.line_id: row for row in conn.execute(seen)}  # the last one counts
    today, month = _sent(conn, day_start), _sent(conn, month_start)
    found = []
    for rule in read(conn):
        held = modems.get(rule.line_id)
        host, port, imei = (held.host, held.port, held.imei) if held is not None else (None, None, None)
        sent = today.get(rule.line_id, 0), month.get(rule.line_id, 0)
        found.append(LineOverview(rule, host, port, imei, *sent))
    return found


def find(conn: Connection, who: str) -> LineRule:
    """The one line with this name, ICCID or own number. Raises LineUnknown."""
    rows = conn.execute(_RULES.where(or_(line.c.name == who, line.c.iccid == who, line_rule.c.number == who))).all()
    if len(rows) != 1:
        raise LineUnknown(
            line=who, reason=Because("there are several: use the ICCID") if rows else Because("there is no such line")
        )
    return _rule(rows[0])


def adopt(conn: Connection, line_id: int, now: datetime) -> None:
    """A person has looked at the line: it may send, and is new no more."""
    adopted_at = func.coalesce(line.c.adopted_at, literal(now, line.c.adopted_at.type))
    conn.execute(line.update().where(line.c.id == line_id).values(adopted_at=adopted_at, new=False))
    wakeup.notify(conn)


def rename(conn: Connection, line_id: int, name: str) -> None:
    """Give the line a name that the settings file does not change any more."""
    conn.execute(line.update().where(line.c.id == line_id).values(name=name, new=False))
    change(conn, line_id, name=name)


def change(conn: Connection, line_id: int, **columns: str | int | None) -> None:
    """Set columns of the line's rule; None: as the settings say again."""
    upsert(conn, line_rule, [{"line_id": line_id, **columns}], ["line_id"])
    wakeup.notify(conn)


def _rule(row: Row[Any]) -> LineRule:
    told = {"adopted": bool(row.adopted), "new": bool(row.new), "prefixes": tuple((row.prefixes or "").split())}
    return LineRule(**{**row._mapping, **told})


def _sent(conn: Connection, since: datetime) -> dict[int, int]:
    every = list(conn.scalars(select(line.c.id)))  # the index begins with them: without it would be read to its end
    counted = select(part.c.line_id, func.count()).where(part.c.line_id.in_(every), part.c.submitted_at >= since)
    return {row[0]: row[1] for row in conn.execute(counted.group_by(part.c.line_id))}
