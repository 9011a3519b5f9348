"""What people of staff did, in a log that can only grow and shows when somebody has altered it.

Each entry holds the hash of the one before; their numbers run without a gap. Who alters or takes out an entry breaks
the chain there. Who cuts off its end, or makes all of it anew, is found out by comparing with a head noted elsewhere:
`modemd audit verify` prints the head, and the daemon writes it to its journal every night.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select

from modemd import masks
from modemd.errors import AuditBroken
from modemd.store.dialects import one_at_a_time
from modemd.store.schema import audit

FIRST = "0" * 64  # what the first entry has before it
_PAGE = 5_000  # entries


@dataclass(frozen=True, slots=True)
class Entry:
    id: int
    at: datetime
    who: str
    action: str
    subject: str
    detail: str
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry: with its hash the whole log before it is fixed."""

    id: int
    hash: str

    def __str__(self) -> str:
        return f"{self.id}:{self.hash}"


_ENTRIES = select(*(audit.c[name] for name in Entry.__slots__))


def note(conn: Connection, who: str, action: str, subject: str, detail: str, now: datetime) -> None:
    """Keep that `who` did `action` to `subject`, in the caller's transaction and as its last write.

    Numbers of phones and customers are masked in `subject` and `detail`, whatever the caller hands in. Whoever notes
    something waits for others who do, until they commit.
    """
    one_at_a_time(conn, "audit")
    last = head(conn)
    row: dict[str, Any] = {
        "id": last.id + 1,
        "at": now.astimezone(UTC),
        "who": who,
        "action": action,
        "subject": masks.text(subject)[:80],
        "detail": masks.text(detail),
        "previous": last.hash,
    }
    conn.execute(audit.insert(), {**row, "hash": _hash(**row)})


def head(conn: Connection) -> Head:
    """The last entry, or number 0 of an empty log."""
    row = conn.execute(select(audit.c.id, audit.c.hash).order_by(audit.c.id.desc()).limit(1)).first()
    return Head(row.id, row.hash) if row else Head(0, FIRST)


def verify(conn: Connection, known: Head | None = None) -> Head:
    """Go through the whole log; returns its head. Raises AuditBroken at the first entry that does not fit.

    `known` is a head that was noted earlier: the log must still go through it.
    """
    previous = Head(0, FIRST)
    passed = known is None or known == previous
    for entry in _chain(conn):
        if entry.id != previous.id + 1:
            raise AuditBroken(entry=previous.id + 1, reason="it is missing")
        if entry.previous != previous.hash:
            raise AuditBroken(entry=entry.id, reason="it does not follow the one before")
        facts = {name: getattr(entry, name) for name in Entry.__slots__ if name != "hash"}
        if entry.hash != _hash(**facts):
            raise AuditBroken(entry=entry.id, reason="it was altered")
        previous = Head(entry.id, entry.hash)
        passed = passed or previous == known
    if not passed and known is not None:
        what = "its end was cut off" if known.id > previous.id else "the log was made anew"
        raise AuditBroken(entry=known.id, reason=f"{what}: it is not the one that was noted")
    return previous


def entries(conn: Connection, limit: int, before: int | None = None) -> list[Entry]:
    """The newest entries (of those before the number `before`), newest first."""
    query = _ENTRIES.order_by(audit.c.id.desc()).limit(limit)
    rows = conn.execute(query if before is None else query.where(audit.c.id < before))
    return [Entry(*row) for row in rows]


def parse_head(written: str) -> Head:
    """A head as `verify` prints it. Raises ValueError."""
    number, _, digest = written.strip().partition(":")
    if not number.isdecimal() or len(digest) != len(FIRST):
        raise ValueError("write it as it was printed: 12:3f0a…")
    return Head(int(number), digest)


def _chain(conn: Connection) -> Iterator[Entry]:
    after = -(2**62)
    while page := conn.execute(_ENTRIES.where(audit.c.id > after).order_by(audit.c.id).limit(_PAGE)).all():
        for row in page:
            yield Entry(*row)
        after = page[-1].id


def _hash(*, id: int, at: datetime, who: str, action: str, subject: str, detail: str, previous: str) -> str:
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    facts = json.dumps([id, moment, who, action, subject, detail, previous], ensure_ascii=True)
    return hashlib.sha256(facts.encode("ascii")).hexdigest()
