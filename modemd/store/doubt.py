"""What a person decides about messages that are held: nobody knows whether the network took them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from modemd.errors import NotHeld
from modemd.store import wakeup
from modemd.store.parts import CANCELLED, HELD, QUEUED, UNCLAIMED, Work
from modemd.store.schema import MessageState, message


def resend(conn: Connection, message_ids: Sequence[int], now: datetime, validity: Mapping[str, timedelta]) -> None:
    """held -> queued: what is held of the messages is sent once more, perhaps a second time for who receives it.

    `validity` is [kinds.<kind>] validity_hours, and counts from now. A late status report for the first attempt still
    settles what has not left again. Raises NotHeld, and changes nothing then.
    """
    work = _decide(conn, message_ids, QUEUED)
    kinds = dict(conn.execute(select(message.c.id, message.c.kind).where(message.c.id.in_(message_ids))).all())
    for owner in work.messages.values():
        expires_at = now + validity[kinds[owner.id]]
        work.change(
            owner, repeats=owner.repeats + 1, due=True, not_before=None, expires_at=expires_at, error=None, **UNCLAIMED
        )
    work.write(now)
    wakeup.notify(conn)


def drop(conn: Connection, message_ids: Sequence[int], now: datetime) -> None:
    """held -> cancelled: it stays as it is. Raises NotHeld, and changes nothing then."""
    _decide(conn, message_ids, CANCELLED).write(now)


def _decide(conn: Connection, message_ids: Sequence[int], to: MessageState) -> Work:
    work = Work(conn, messages=message_ids)
    for message_id in message_ids:
        state = work.messages[message_id].state if message_id in work.messages else "unknown"
        if state is not HELD:
            raise NotHeld(message_id=message_id, state=state)
    for part in work.parts.values():
        if part.state is HELD:
            work.move(part, to)
    return work
