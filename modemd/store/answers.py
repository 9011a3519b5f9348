"""How long questions wait for their answers: from the SMS that came to the +CMGS of the reply."""

from datetime import datetime

from sqlalchemy import Connection, select

from modemd.store.schema import MessageState, inbox, message

_WAITING = (MessageState.QUEUED, MessageState.SENDING)
_REPLIES = select(inbox.c.received_at, message.c.sent_at, message.c.state).join_from(
    message, inbox, inbox.c.id == message.c.in_reply_to
)


def waited(conn: Connection, since: datetime, now: datetime) -> list[float]:
    """Seconds that each question which came since then has waited, or waits still; those without a reply are none."""
    rows = conn.execute(_REPLIES.where(message.c.created_at >= since, inbox.c.received_at >= since))
    return [
        ((row.sent_at or now) - row.received_at).total_seconds()
        for row in rows
        if row.sent_at is not None or row.state in _WAITING
    ]
