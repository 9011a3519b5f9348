"""What time does to the outbox: messages become due, expire, and are no longer waited for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, select, text

from modemd.store.outbox import expire_messages
from modemd.store.parts import HELD, QUEUED, UNCLAIMED, Work
from modemd.store.schema import NOT_DUE, UNANSWERED, UtcTime, message, part


@dataclass(frozen=True, slots=True)
class DoubtPolicy:
    """From [kinds.<kind>]."""

    repeatable: bool
    patience: timedelta  # in_doubt_seconds


@dataclass(frozen=True, slots=True)
class Settled:
    repeated: int  # messages
    held: int


MOST_EXPIRED = 1000  # messages at one call: nobody waits longer than some milliseconds for the round

_PROMOTE = message.update().where(text(NOT_DUE), message.c.not_before <= bindparam("now", type_=UtcTime))
_NEXT_DUE = select(func.min(message.c.not_before)).where(text(NOT_DUE))
_EXPIRED = (
    select(message.c.id)
    .where(text("state = 'queued'"), message.c.claimed_by.is_(None), message.c.expires_at <= bindparam("now"))
    .order_by(message.c.expires_at)
    .limit(MOST_EXPIRED)
)
_IN_DOUBT = (
    select(part.c.id, part.c.submitted_at, message.c.kind)
    .join_from(part, message)
    .where(text(f"{UNANSWERED} AND part.state = 'in_doubt'"))
)


def promote_due(conn: Connection, now: datetime) -> datetime | None:
    """Let the messages go whose not_before has passed; returns when the next one is due, None if none waits."""
    conn.execute(_PROMOTE.values(due=True), {"now": now})
    next_due: datetime | None = conn.scalar(_NEXT_DUE)
    return next_due


def expire(conn: Connection, now: datetime) -> int:
    """Queued and unclaimed messages past their expires_at become expired; returns how many, at most MOST_EXPIRED."""
    stale = conn.scalars(_EXPIRED, {"now": now}).all()
    if stale:
        expire_messages(conn, stale, now)
    return len(stale)


def settle(conn: Connection, policies: Mapping[str, DoubtPolicy], now: datetime) -> Settled:
    """In doubt for longer than its kind's patience: queued again once if the kind is repeatable, else held.

    What is queued again keeps its old line and time: a late report for the first attempt still settles it.
    """
    doubtful = [
        row
        for row in conn.execute(_IN_DOUBT)
        if row.kind in policies and row.submitted_at <= now - policies[row.kind].patience
    ]
    work = Work(conn, parts=[row.id for row in doubtful])
    repeated, held = set(), set()
    for row in doubtful:
        part_in_doubt = work.part(row.id)
        owner = part_in_doubt.message
        if policies[row.kind].repeatable and owner.repeats == 0:
            work.move(part_in_doubt, QUEUED)
            work.change(owner, repeats=1, due=True, not_before=None, **UNCLAIMED)
            repeated.add(owner.id)
        else:
            work.move(part_in_doubt, HELD)
            held.add(owner.id)
    work.write(now)
    return Settled(len(repeated), len(held))
