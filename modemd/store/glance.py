"""What the panel's first page says besides the modems: whether the daemons live, and what waits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Table, func, select

from modemd.store.schema import InboxState, MessageState, inbox, message
from modemd.store.schema import host as host_table

PATIENCE = timedelta(seconds=20)  # a daemon says that it lives every 5 s
WAITING = (MessageState.QUEUED, MessageState.SENDING, MessageState.IN_DOUBT, MessageState.HELD)
UNANSWERED = (InboxState.NEW, InboxState.UNREAD, InboxState.UNREADABLE)


@dataclass(frozen=True, slots=True)
class Daemon:
    name: str
    seen_at: datetime
    running: bool


def daemons(conn: Connection, now: datetime) -> list[Daemon]:
    """Every daemon that this database knows. One that was not seen for a while, or has stopped, is not running."""
    rows = conn.execute(select(host_table).order_by(host_table.c.name)).all()
    return [Daemon(row.name, row.seen_at, row.stopped_at is None and now - row.seen_at <= PATIENCE) for row in rows]


def waiting(conn: Connection) -> Mapping[str, int]:
    """How many messages are in each state that is not the end of the way, both directions; counted on an index."""
    return _counts(conn, message, WAITING) | _counts(conn, inbox, UNANSWERED)


def _counts(conn: Connection, table: Table, states: tuple[str, ...]) -> dict[str, int]:
    counted = select(table.c.state, func.count()).where(table.c.state.in_(states)).group_by(table.c.state)
    return {str(state): 0 for state in states} | {row[0]: row[1] for row in conn.execute(counted)}
