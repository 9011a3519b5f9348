"""Messages into the outbox, all or none: some within a transaction, or a great many without keeping others waiting."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Engine, MetaData, Table, func, insert, select

from modemd.errors import VerbFailed
from modemd.store import database, events, wakeup
from modemd.store.bulk import Bulk, run_together
from modemd.store.dialects import among, next_ids
from modemd.store.parts import QUEUED
from modemd.store.schema import message, part

CHUNK = 500  # external ids looked up at a time
ONE_BY_ONE = 10  # messages queued at once; more are one line of the log


@dataclass(frozen=True, slots=True)
class NewMessage:
    kind: str
    recipient: str
    text: str
    parts: int
    priority: int  # 0 leaves first
    expires_at: datetime
    line_id: int | None = None  # leaves through this line; None: any
    not_before: datetime | None = None
    in_reply_to: int | None = None  # inbox.id
    external_id: str | None = None


_Row = dict[str, Any]
_MESSAGE_COLUMNS = ("id", *NewMessage.__slots__, "due", "state", "created_at", "state_at")
_PART_COLUMNS = ("message_id", "number", "state")
_INSERT_MESSAGES = Bulk(message.insert(), _MESSAGE_COLUMNS)
_INSERT_PARTS = Bulk(part.insert(), _PART_COLUMNS)
_EXISTING = select(message.c.external_id).where(among(message.c.external_id, "ids"))
_ASIDE = MetaData()


def _aside(table: Table, columns: Sequence[str]) -> Table:
    copies = [Column(name, table.c[name].type) for name in columns]
    return Table(f"new_{table.name}", _ASIDE, *copies, prefixes=["TEMPORARY"])


_MESSAGES = _aside(message, _MESSAGE_COLUMNS)
_PARTS = _aside(part, _PART_COLUMNS)
_PUT_MESSAGES = Bulk(_MESSAGES.insert(), _MESSAGE_COLUMNS)
_PUT_PARTS = Bulk(_PARTS.insert(), _PART_COLUMNS)


def enqueue(conn: Connection, messages: Sequence[NewMessage], now: datetime) -> list[int]:
    """Put messages into the outbox; returns their ids in order. Raises VerbFailed where an external_id is not new."""
    if not messages:
        return []
    external_ids = _refuse_twice(messages)
    for start in range(0, len(external_ids), CHUNK):
        known = conn.scalars(_EXISTING, {"ids": external_ids[start : start + CHUNK]}).first()
        if known is not None:
            raise VerbFailed(reason=f"there is a message {known!r} already")
    ids = next_ids(conn, message, len(messages))
    message_rows, part_rows = _rows_of(messages, ids, now)
    run_together(conn, (_INSERT_MESSAGES, message_rows), (_INSERT_PARTS, part_rows))
    events.note(conn, *_queued(messages, ids))
    wakeup.notify(conn)
    return ids


def enqueue_all(engine: Engine, messages: Sequence[NewMessage], now: datetime) -> list[int]:
    """As `enqueue`, in a transaction of its own.

    SQLite has one writer at a time, so there the rows are made ready in temporary tables, which are nobody else's and
    of which a kill leaves nothing: the daemon waits for 7 us a message instead of 25.
    """
    if engine.dialect.name == "postgresql":
        with database.writing(engine) as conn:
            return enqueue(conn, messages, now)
    _refuse_twice(messages)
    with engine.connect() as conn:
        conn.execution_options(modemd_reading=True)
        with conn.begin():
            _put_aside(conn, messages, now)
        conn.execution_options(modemd_reading=False)
        try:
            with conn.begin():
                ids = _queue(conn, len(messages))
            events.tell(_queued(messages, ids))
            return ids
        finally:
            conn.invalidate()  # the temporary tables go with the connection


def _queued(messages: Sequence[NewMessage], ids: Sequence[int]) -> list[str]:
    """For the log; many that are queued at once are one line."""
    if len(ids) > ONE_BY_ONE:
        return [f"event=queued messages={ids[0]}-{ids[-1]} count={len(ids)} kind={messages[0].kind}"]
    return [
        f"event=queued message={message_id} kind={each.kind}"
        + (f" inbox={each.in_reply_to}" if each.in_reply_to is not None else "")
        for message_id, each in zip(ids, messages, strict=True)
    ]


def _put_aside(conn: Connection, messages: Sequence[NewMessage], now: datetime) -> None:
    _ASIDE.create_all(conn)
    message_rows, part_rows = _rows_of(messages, range(len(messages)), now)
    if messages:
        _PUT_MESSAGES.run(conn, message_rows)
        _PUT_PARTS.run(conn, part_rows)


def _queue(conn: Connection, count: int) -> list[int]:
    known = conn.scalar(select(message.c.external_id).join(_MESSAGES, _MESSAGES.c.external_id == message.c.external_id))
    if known is not None:
        raise VerbFailed(reason=f"there is a message {known!r} already")
    first = 1 + (conn.scalar(select(func.max(message.c.id))) or 0)
    _move(conn, _MESSAGES, message, "id", first)
    _move(conn, _PARTS, part, "message_id", first)
    wakeup.notify(conn)
    return list(range(first, first + count))


def _move(conn: Connection, aside: Table, table: Table, number: str, first: int) -> None:
    columns = [column + first if column.name == number else column for column in aside.c]
    conn.execute(insert(table).from_select(list(aside.c.keys()), select(*columns).order_by(aside.c[number])))


def _refuse_twice(messages: Sequence[NewMessage]) -> list[str]:
    """The external ids. Raises VerbFailed if one is there twice."""
    external_ids = [each.external_id for each in messages if each.external_id is not None]
    twice = [each for each, times in Counter(external_ids).items() if times > 1]
    if twice:
        raise VerbFailed(reason=f"there is a message {twice[0]!r} already")
    return external_ids


def _rows_of(messages: Sequence[NewMessage], ids: Sequence[int], now: datetime) -> tuple[list[_Row], list[_Row]]:
    """The rows of new messages with these ids, and of their parts."""
    message_rows: list[_Row] = [
        {
            "id": message_id,
            **{name: getattr(each, name) for name in NewMessage.__slots__},
            "due": each.not_before is None or each.not_before <= now,
            "state": QUEUED.value,
            "created_at": now,
            "state_at": now,
        }
        for message_id, each in zip(ids, messages, strict=True)
    ]
    part_rows: list[_Row] = [
        {"message_id": message_id, "number": number, "state": QUEUED.value}
        for message_id, each in zip(ids, messages, strict=True)
        for number in range(1, each.parts + 1)
    ]
    return message_rows, part_rows
