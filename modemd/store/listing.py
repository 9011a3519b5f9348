"""Messages of both directions as people look at them."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Select,
    Table,
    and_,
    case,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    text,
)

from modemd.store.schema import TROUBLE, InboxState, MessageState, in_air, inbox, line, message, part

Direction = Literal["mo", "mt"]
CHUNK = 500
OPEN = ("queued", "sending", "in_doubt", "held", "failed")


@dataclass(frozen=True, slots=True)
class Listed:
    id: int  # of the inbox for mo, of the outbox for mt
    direction: Direction
    number: str | None
    text: str | None
    state: str  # MessageState or InboxState
    kind: str | None
    line: str | None  # line.name
    parts: int
    created_at: datetime  # received at, for mo
    sent_at: datetime | None
    error: str | None


# The row still says `queued`, but a part of it was given to a line: see `in_air`.
_GIVEN = select(part.c.message_id).join_from(in_air, part, part.c.id == in_air.c.part_id)
_BEGUN = and_(message.c.state == "queued", message.c.claimed_by.is_not(None), message.c.id.in_(_GIVEN))
STATE = case((_BEGUN, "sending"), else_=message.c.state).label("state")
OUTGOING = select(
    message.c.id,
    literal("mt"),
    message.c.recipient,
    message.c.text,
    STATE,
    message.c.kind,
    line.c.name,
    message.c.parts,
    message.c.created_at,
    message.c.sent_at,
    message.c.error,
).join_from(message, line, line.c.id == func.coalesce(message.c.line_id, message.c.claimed_line_id), isouter=True)
INCOMING = select(
    inbox.c.id,
    literal("mo"),
    inbox.c.number,
    inbox.c.text,
    inbox.c.state,
    inbox.c.kind,
    line.c.name,
    inbox.c.parts,
    inbox.c.received_at,
    null(),
    inbox.c.error,
).join_from(inbox, line, line.c.id == inbox.c.line_id)

# Each through a partial index that holds only such messages.
_OPEN = (
    select(literal("queued"), func.count()).select_from(message).where(text("state = 'queued'")),
    select(literal("sending"), func.count())
    .select_from(message)
    .where(text("claimed_by IS NOT NULL AND state = 'sending'")),
    select(message.c.state, func.count()).where(text(TROUBLE)).group_by(message.c.state),
)
_JUST_BEGUN = select(func.count()).select_from(message).where(_BEGUN)
_NEW = select(literal("new"), func.count()).select_from(inbox).where(text("state = 'new'"))


def find(
    conn: Connection,
    *,
    direction: Direction | None = None,
    state: str | None = None,
    number: str | None = None,
    limit: int | None = 100,
) -> list[Listed]:
    """The newest `limit` messages that fit (None: all of them), newest last."""
    found = []
    if direction != "mo":
        found.append(_newest(conn, OUTGOING, message, message.c.recipient, state, number, limit))
    if direction != "mt":
        found.append(_newest(conn, INCOMING, inbox, inbox.c.number, state, number, limit))
    merged = list(heapq.merge(*found, key=lambda row: row.created_at))
    return merged if limit is None else merged[-limit:]


def _newest(
    conn: Connection,
    query: Select[Any],
    table: Table,
    number_column: Any,
    state: str | None,
    number: str | None,
    limit: int | None,
) -> list[Listed]:
    if state is not None:
        query = query.where(is_(table, state))
    if number is not None:
        query = query.where(number_column == number)
    rows = conn.execute(query.order_by(table.c.id.desc()).limit(limit)).all()
    return [Listed(*row) for row in reversed(rows)]


def is_(table: Table, state: str) -> ColumnElement[bool]:
    """Whether a row of `message` or `inbox` is to be seen in this state."""
    as_written: ColumnElement[bool] = table.c.state == state
    if table is inbox or state not in ("queued", "sending"):
        return as_written
    return or_(as_written, _BEGUN) if state == "sending" else and_(as_written, not_(_BEGUN))


def received_after(conn: Connection, after: int, up_to: int, limit: int) -> list[Listed]:
    """What came in with an id above `after` and not above `up_to`, the oldest first."""
    rows = INCOMING.where(inbox.c.id > after, inbox.c.id <= up_to).order_by(inbox.c.id).limit(limit)
    return [Listed(*row) for row in conn.execute(rows)]


def as_dict(row: Listed) -> dict[str, Any]:
    """As `modemd messages --json` prints it."""
    return asdict(row)


def states(conn: Connection, message_ids: Sequence[int]) -> dict[int, MessageState]:
    """Where messages of the outbox stand."""
    found: dict[int, MessageState] = {}
    for start in range(0, len(message_ids), CHUNK):
        chunk = message_ids[start : start + CHUNK]
        for row in conn.execute(select(message.c.id, STATE).where(message.c.id.in_(chunk))):
            found[row.id] = MessageState(row.state)
    return found


def counts(conn: Connection, since: datetime | None = None) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """(outbox, inbox): messages by state, every state named.

    With `since`, what is settled counts only if it was created then or later: that is quick however long the history.
    """
    settled = _since(message, message.c.created_at, message.c.state.not_in(OPEN), since)
    outgoing = dict.fromkeys(map(str, MessageState), 0) | open_counts(conn) | _by_state(conn, settled)
    answered = _since(inbox, inbox.c.received_at, inbox.c.state != InboxState.NEW, since)
    incoming = dict.fromkeys(map(str, InboxState), 0) | _by_state(conn, _NEW) | _by_state(conn, answered)
    return outgoing, incoming


def open_counts(conn: Connection) -> dict[str, int]:
    """Messages of the outbox in the states that somebody or something still has to do with; quick in every case."""
    counted = dict.fromkeys(OPEN, 0)
    for query in _OPEN:
        counted |= _by_state(conn, query)
    begun = conn.scalar(_JUST_BEGUN) or 0
    return counted | {"queued": counted["queued"] - begun, "sending": counted["sending"] + begun}


def _by_state(conn: Connection, query: Executable) -> dict[str, int]:
    return {row[0]: row[1] for row in conn.execute(query)}


def _since(table: Table, column: Any, condition: Any, since: datetime | None) -> Select[Any]:
    query = select(table.c.state, func.count()).where(condition).group_by(table.c.state)
    return query if since is None else query.where(column >= since)
