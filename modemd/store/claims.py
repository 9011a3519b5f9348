"""Claims: which host may send which message through which line, until its lease ends."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, exists, select

from modemd.store import candidates, wakeup
from modemd.store.bulk import Bulk
from modemd.store.candidates import Want
from modemd.store.dialects import among
from modemd.store.parts import EXPIRED, QUEUED, UNCLAIMED, Work
from modemd.store.schema import in_air, message, part

LOOK_AHEAD = 100  # messages of the pool that a line looks through for one that no other line prefers
CHUNK = 500  # rows looked up, or expired, at a time


@dataclass(frozen=True, slots=True)
class OpenPart:
    id: int
    number: int  # 1 … parts


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that is this host's to send through this line until its lease ends."""

    message_id: int
    line_id: int
    kind: str
    recipient: str
    text: str
    parts: int
    priority: int
    expires_at: datetime
    attempts: int
    open_parts: tuple[OpenPart, ...]  # not yet sent, in order


_BY_ID = message.c.id == bindparam("row_id")
_CLAIM = Bulk(message.update().where(_BY_ID), ["claimed_by", "claimed_line_id", "lease_until"])
_OPEN_PARTS = (
    select(part.c.message_id, part.c.id, part.c.number)
    .where(among(part.c.message_id, "ids"), part.c.state == QUEUED)
    .order_by(part.c.message_id, part.c.number)
)
_RELEASE = Bulk(
    message.update()
    .where(
        _BY_ID,
        message.c.claimed_by == bindparam("host"),
        message.c.state == QUEUED,
        ~exists().where(
            in_air.c.line_id == message.c.claimed_line_id,
            part.c.id == in_air.c.part_id,
            part.c.message_id == message.c.id,
            part.c.state == QUEUED,
        ),
    )
    .values(**UNCLAIMED)
)


def claim(conn: Connection, wants: Sequence[Want], now: datetime, host: str, lease: timedelta) -> list[list[Claim]]:
    """Give each want its next messages by (priority, id): those pinned to its line and those of the common pool.

    Messages whose expires_at has passed become `expired` on the way. Costs the same however long the queue is.
    """
    pool, pinned, more = _fresh(conn, wants, now)
    dealt = candidates.deal(wants, pool, pinned, more=more)
    ids = [row.id for given in dealt for row in given]
    if not ids:
        return [[] for _ in wants]
    _CLAIM.run(
        conn,
        [
            {"row_id": row.id, "claimed_by": host, "claimed_line_id": want.line_id, "lease_until": now + lease}
            for want, given in zip(wants, dealt, strict=True)
            for row in given
        ],
    )
    open_parts: defaultdict[int, list[OpenPart]] = defaultdict(list)
    for message_id, part_id, number in conn.execute(_OPEN_PARTS, {"ids": ids}):
        open_parts[message_id].append(OpenPart(part_id, number))
    return [
        [_claimed(row, want.line_id, open_parts[row.id]) for row in given]
        for want, given in zip(wants, dealt, strict=True)
    ]


def _fresh(conn: Connection, wants: Sequence[Want], now: datetime) -> tuple[list[Row[Any]], list[Row[Any]], bool]:
    """(pool, pinned) candidates, and whether the pool has more.

    What has expired is put aside for good, so that it is not met again.
    """
    common, each = sum(want.count for want in wants), max(want.count for want in wants)
    if any(want.leaves for want in wants):
        common += LOOK_AHEAD
    while True:
        pool = candidates.pool(conn, wants, common)
        pinned = candidates.pinned(conn, wants, each)
        stale = [row.id for row in (*pool, *pinned) if row.expires_at <= now]
        if not stale:
            return list(pool), list(pinned), len(pool) == common
        expire_messages(conn, stale, now)
        common, each = max(common, CHUNK), max(each, CHUNK)  # where one has expired there are often many


def expire_messages(conn: Connection, message_ids: Sequence[int], now: datetime) -> None:
    """queued -> expired: what has not left of these messages will not leave any more."""
    work = Work(conn, messages=message_ids)
    for unsent in work.parts.values():
        if unsent.state is QUEUED:
            work.move(unsent, EXPIRED)
    work.write(now)


def _claimed(row: Row[Any], line_id: int, open_parts: Sequence[OpenPart]) -> Claim:
    return Claim(
        row.id,
        line_id,
        row.kind,
        row.recipient,
        row.text,
        row.parts,
        row.priority,
        row.expires_at,
        row.attempts,
        tuple(open_parts),
    )


def release(conn: Connection, message_ids: Sequence[int], now: datetime, host: str) -> list[None]:  # noqa: ARG001
    """Claimed but not begun: back into the queue. What this host has not claimed, or has begun, stays as it is."""
    if message_ids:
        _RELEASE.run(conn, [{"row_id": each, "host": host} for each in message_ids])
        wakeup.notify(conn)  # another line may take them
    return [None] * len(message_ids)
