"""Claims of living, restarted and dead hosts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, text

from modemd.store.outbox import follow_up
from modemd.store.parts import IN_DOUBT, QUEUED, SENDING, UNCLAIMED, Work
from modemd.store.schema import message


@dataclass(frozen=True, slots=True)
class Returned:
    queued: int  # messages back in the queue
    in_doubt: int  # messages that were in the air


def renew(conn: Connection, host: str, now: datetime, lease: timedelta) -> None:
    """Prolong every claim of the host."""
    conn.execute(message.update().where(message.c.claimed_by == host).values(lease_until=now + lease))


def recover(conn: Connection, host: str, now: datetime) -> Returned:
    """At the daemon's start: the host's own claims return to the queue, what it was sending is in doubt (rule 11)."""
    return _return(conn, conn.scalars(select(message.c.id).where(message.c.claimed_by == host)).all(), now)


def reclaim_expired(conn: Connection, now: datetime) -> Returned:
    """The same for every host whose lease has ended. It cannot begin them any more: mark_sending asks for the claim."""
    ended = select(message.c.id).where(text("claimed_by IS NOT NULL"), message.c.lease_until < now)
    return _return(conn, conn.scalars(ended).all(), now)


def _return(conn: Connection, message_ids: Sequence[int], now: datetime) -> Returned:
    work = Work(conn, messages=message_ids)
    for each in work.parts.values():
        if each.state is SENDING:
            work.move(each, IN_DOUBT)
    for claimed in work.messages.values():
        work.change(claimed, **UNCLAIMED)
    work.write(now)
    follow_up(conn, list(work.parts), now)  # nobody did it for those that were sent last
    states = [returned.state for returned in work.messages.values()]
    return Returned(states.count(QUEUED), states.count(IN_DOUBT))
