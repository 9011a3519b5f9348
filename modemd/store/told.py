"""What people have been told of alerts, by each way of telling them: once, again after a while, and when it is over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from modemd.store import alerts
from modemd.store.alerts import Alert
from modemd.store.dialects import upsert
from modemd.store.schema import alert, alert_told

Key = tuple[str, str]  # subject and kind


@dataclass(frozen=True, slots=True)
class Pace:
    after: timedelta  # that it has lasted: what passes by itself is not told
    pause: timedelta  # between telling of it and telling of it anew, when it was over in between
    repeat: timedelta  # between two times that it is told while it lasts


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be told now."""

    raised: Sequence[Alert]
    over: Sequence[Alert]

    def __bool__(self) -> bool:
        return bool(self.raised or self.over)


def due(conn: Connection, host: str, channel: str, pace: Pace, now: datetime) -> Due:
    """What the host's people do not know yet by this way, or have to be reminded of."""
    told = {
        (row.subject, row.kind): row
        for row in conn.execute(select(alert_told).where(alert_told.c.host == host, alert_told.c.channel == channel))
    }
    standing = [each for each in alerts.standing(conn) if each.host == host]
    raised = []
    for each in standing:
        before = told.get(_key(each))
        rest = timedelta(0) if before is None else pace.repeat if before.standing else pace.pause
        if now - each.raised_at >= pace.after and (before is None or now - before.at >= rest):
            raised.append(each)
    gone = [key for key, row in told.items() if row.standing and key not in set(map(_key, standing))]
    return Due(raised, list(filter(None, (_over(conn, host, key, now - pace.after) for key in gone))))


def mark(conn: Connection, host: str, channel: str, what: Due, now: datetime) -> None:
    """They know it now."""
    rows = [_row(each, host, channel) | {"standing": True, "at": now} for each in what.raised]
    if rows:
        upsert(conn, alert_told, rows, ["host", "subject", "kind", "channel"])
    for each in what.over:  # `at` stays: it is the pause since the raising that counts
        its = [alert_told.c[name] == value for name, value in _row(each, host, channel).items()]
        conn.execute(alert_told.update().where(*its).values(standing=False))


def _key(each: Alert) -> Key:
    return each.subject, str(each.kind)


def _row(each: Alert, host: str, channel: str) -> dict[str, object]:
    return {"host": host, "subject": each.subject, "kind": str(each.kind), "channel": channel}


def _over(conn: Connection, host: str, key: Key, before: datetime) -> Alert | None:
    """The alert as it stood last, if it was over by then."""
    own = (alert.c.host == host, alert.c.subject == key[0], alert.c.kind == key[1])
    last = conn.execute(select(alert).where(*own).order_by(alert.c.id.desc()).limit(1)).one_or_none()
    cleared: datetime | None = conn.scalar(select(func.max(alert.c.cleared_at)).where(*own))
    if last is None or cleared is None or cleared > before:
        return None
    return alerts.read(last)
