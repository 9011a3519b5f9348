"""What the panel's first page says besides the modems: whether the daemons live, and what waits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from modemd.store import failures, listing
from modemd.store.schema import InboxState, MessageState, dataset, inbox, part
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
    """How many messages are in each state that is not the end of the way, both directions; counted on indexes.

    Of the failed ones those about which nobody has decided.
    """
    outgoing = listing.open_counts(conn)
    unanswered = select(inbox.c.state, func.count()).where(inbox.c.state.in_(UNANSWERED)).group_by(inbox.c.state)
    incoming = {str(state): 0 for state in UNANSWERED} | {row[0]: row[1] for row in conn.execute(unanswered)}
    waiting = {str(state): outgoing[state] for state in WAITING}
    return waiting | {str(MessageState.FAILED): failures.waiting(conn)} | incoming


def data_at(conn: Connection) -> datetime | None:
    """From when billing's open items are; None: it has handed none over yet."""
    return conn.scalar(select(dataset.c.data_at).where(dataset.c.type == "OPENITEMS"))


def sent_by_others(conn: Connection, lines: Sequence[int], since: datetime) -> int:
    """Parts that these lines have handed to the network since then; each counted on its stretch of the index."""
    counted = select(func.count()).select_from(part).where(part.c.line_id.in_(lines), part.c.submitted_at >= since)
    return conn.scalar(counted) or 0
