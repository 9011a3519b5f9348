"""Messages among millions: by time, state, kind, line and words, a page at a time, on indexes alone."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, or_, text

from modemd.store.listing import INCOMING, OUTGOING, Direction, Listed, is_
from modemd.store.schema import TROUBLE, inbox, message

_TROUBLE = text(TROUBLE)  # the words of the index


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for, between two times; None: whatever it is."""

    since: datetime
    until: datetime
    direction: Direction | None = None
    state: str | None = None
    kind: str | None = None
    line_id: int | None = None
    words: str | None = None  # anywhere in the text


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the list, newest first: the next page begins behind it."""

    at: datetime
    direction: Direction
    id: int


def page(conn: Connection, wanted: Wanted, limit: int, before: Position | None = None) -> list[Listed]:
    """At most `limit` messages, newest first."""
    found = [_rows(conn, direction, wanted, limit, before) for direction in ("mo", "mt") if _fits(wanted, direction)]
    return list(heapq.merge(*found, key=_order, reverse=True))[:limit]


def with_number(conn: Connection, number: str, limit: int) -> list[Listed]:
    """The newest messages from and to a number, oldest first."""
    out = OUTGOING.where(message.c.recipient == number).order_by(message.c.id.desc()).limit(limit)
    in_ = INCOMING.where(inbox.c.number == number).order_by(inbox.c.id.desc()).limit(limit)
    found = [Listed(*row) for query in (out, in_) for row in conn.execute(query)]
    return sorted(found, key=_order)[-limit:]


def troubled(conn: Connection, state: str, limit: int, after: int = 0) -> list[Listed]:
    """Messages of ours that are in doubt, held or failed, the oldest first, behind the one with the id `after`."""
    query = OUTGOING.where(_TROUBLE, message.c.state == state, message.c.id > after).order_by(message.c.id)
    return [Listed(*row) for row in conn.execute(query.limit(limit))]


def not_understood(conn: Connection, limit: int, after: int = 0) -> list[Listed]:
    """Texts that nothing was made of, the oldest first, behind the one with the id `after`."""
    found = []
    for state in ("unread", "unreadable"):  # each on its stretch of the index
        query = INCOMING.where(inbox.c.state == state, inbox.c.id > after).order_by(inbox.c.id).limit(limit)
        found.append([Listed(*row) for row in conn.execute(query)])
    return sorted(heapq.merge(*found, key=lambda each: each.id), key=lambda each: each.id)[:limit]


def _fits(wanted: Wanted, direction: Direction) -> bool:
    return wanted.direction in (None, direction)


def _order(each: Listed) -> tuple[datetime, str, int]:
    return each.created_at, each.direction, each.id


def _rows(
    conn: Connection, direction: Direction, wanted: Wanted, limit: int, before: Position | None
) -> Sequence[Listed]:
    table, query = (message, OUTGOING) if direction == "mt" else (inbox, INCOMING)
    at = table.c.created_at if direction == "mt" else table.c.received_at
    query = query.where(at >= wanted.since, at < wanted.until)
    if before is not None:
        query = query.where(_behind(at, table.c.id, direction, before))
    if wanted.state is not None:
        query = query.where(is_(table, wanted.state))
    for column, value in (("kind", wanted.kind), ("line_id", wanted.line_id)):
        if value is not None:
            query = query.where(table.c[column] == value)
    if wanted.words:
        query = query.where(_holds(table.c.text, wanted.words))
    return [Listed(*row) for row in conn.execute(_newest(query, at, table.c.id).limit(limit))]


def _newest(query: Select[Any], at: Any, id_: Any) -> Select[Any]:
    return query.order_by(at.desc(), id_.desc())


def _behind(at: Any, id_: Any, direction: Direction, before: Position) -> ColumnElement[bool]:
    if direction == before.direction:
        return and_(at <= before.at, or_(at < before.at, id_ < before.id))
    earlier: ColumnElement[bool] = at <= before.at if direction < before.direction else at < before.at
    return earlier


def _holds(column: Any, words: str) -> ColumnElement[bool]:
    """Capitals do not matter; SQLite knows those of Latin alone, so the usual spellings of a word are tried."""
    spellings = dict.fromkeys((words, words.lower(), words.upper(), words.capitalize()))
    return or_(*(column.icontains(each, autoescape=True) for each in spellings))
