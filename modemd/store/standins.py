"""Answers whose line is gone: they leave through another SIM of the same operator rather than never (after rule 8)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, exists, select, text

from modemd.store import wakeup
from modemd.store.glance import PATIENCE
from modemd.store.schema import ANSWER, ONE_LINE, host, line, line_rule, message, modem, part

GONE_FOR = timedelta(minutes=2)  # a modem that hangs is back by then, with its SIM
READY = "ready"
_AWAY = ("absent", "quarantined", "paused")
_NETWORK = 5  # digits of an IMSI that name country and network (Bulgaria's networks have two digits)
_ISSUER = 7  # digits of an ICCID that name country and issuer

_WAITING = select(message.c.line_id).where(text(f"{ONE_LINE} AND {ANSWER}")).distinct()
_LINES = (
    select(line.c.id, line.c.imsi, line.c.iccid, line.c.adopted_at, line_rule.c.replaces)
    .join_from(line, line_rule, isouter=True)
    .order_by(line.c.id)
)
_MODEMS = select(
    *(modem.c.line_id, modem.c.state, modem.c.state_since),
    *(host.c.started_at, host.c.seen_at, host.c.stopped_at),
).join_from(modem, host, host.c.name == modem.c.host, isouter=True)
_NOT_BEGUN = ~exists().where(part.c.message_id == message.c.id, part.c.line_id.is_not(None))


def hand_over(conn: Connection, now: datetime) -> int:
    """Give the answers that wait for a line which is gone to one that can send; returns how many.

    A line is gone when no modem of any host has had its SIM at work for GONE_FOR. Its place is taken by the line that a
    technician has named as its stand-in, else by the first of the same operator. An answer that has begun to leave
    stays.
    """
    waiting = conn.scalars(_WAITING).all()
    if not waiting:
        return 0
    modems = conn.execute(_MODEMS).all()
    here = {row.line_id for row in modems if not _gone(row, now)}
    if here.issuperset(waiting):
        return 0
    able = {row.line_id for row in modems if row.state == READY and not _gone(row, now)}
    lines = {row.id: row for row in conn.execute(_LINES)}
    moved = 0
    for line_id in sorted(set(waiting) - here):
        instead = _stand_in(lines[line_id], [lines[each] for each in sorted(able & lines.keys())])
        if instead is not None:
            stays = message.update().where(text(f"{ONE_LINE} AND {ANSWER}"), message.c.line_id == line_id, _NOT_BEGUN)
            moved += conn.execute(stays.values(line_id=instead)).rowcount
    if moved:
        wakeup.notify(conn)
    return moved


def _gone(row: Any, now: datetime) -> bool:
    """Whether this modem is no longer at work with its SIM, or its host is not."""
    if row.seen_at is None:
        return True
    dead = row.stopped_at is not None or now - row.seen_at > PATIENCE
    since = row.seen_at if dead else max(row.state_since, row.started_at)  # after a start ports come one by one
    return (dead or row.state in _AWAY) and now - since >= GONE_FOR


def _stand_in(gone: Any, able: Sequence[Any]) -> int | None:
    adopted = [row for row in able if row.adopted_at is not None]
    named = [row.id for row in adopted if row.replaces == gone.id]
    alike = [row.id for row in adopted if _same_operator(row, gone)]
    return next(iter((*named, *alike)), None)


def _same_operator(one: Any, other: Any) -> bool:
    if one.imsi and other.imsi:
        return bool(one.imsi[:_NETWORK] == other.imsi[:_NETWORK])
    return bool(one.iccid and other.iccid and one.iccid[:_ISSUER] == other.iccid[:_ISSUER])
