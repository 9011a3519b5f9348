"""Bodies of messages taken out of the database: what stays is their type, and a hash that tells the same text again."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, bindparam, select

from modemd.store.bulk import Bulk
from modemd.store.schema import InboxState, MessageState, inbox, message

OPEN = (MessageState.QUEUED, MessageState.SENDING, MessageState.IN_DOUBT, MessageState.HELD)  # may still leave
_REDACTED = "[redacted %]"
_MESSAGE = Bulk(message.update().where(message.c.id == bindparam("row_id")), ["text"])
_INBOX = Bulk(inbox.update().where(inbox.c.id == bindparam("row_id")), ["text"])


def body(kind: str, text: str, secret: bytes | None) -> str:
    """What takes the place of a text. With a secret the hash is keyed: bills are few enough to be guessed otherwise."""
    encoded = text.encode("utf-8", "surrogatepass")
    digest = hmac.new(secret, encoded, hashlib.sha256) if secret else hashlib.sha256(encoded)
    return f"[redacted {kind} {digest.hexdigest()}]"


def is_redacted(text: str) -> bool:
    """Whether a text is what took its place."""
    return text.startswith(_REDACTED.removesuffix("%]"))


@dataclass(frozen=True, slots=True)
class Done:
    """What one call has redacted, oldest first."""

    count: int
    upto: datetime | None  # the time of the last one


def sent(conn: Connection, which: ColumnElement[bool], most: int, secret: bytes | None) -> Done:
    """Redact at most so many of our messages that are settled."""
    query = select(message.c.id, message.c.kind, message.c.text, message.c.created_at.label("at")).where(
        which, message.c.state.not_in(OPEN), message.c.text.not_like(_REDACTED)
    )
    return _redact(conn, query.order_by(message.c.created_at).limit(most), _MESSAGE, secret)


def received(conn: Connection, which: ColumnElement[bool], most: int, secret: bytes | None) -> Done:
    """Redact at most so many messages that came and are answered or read."""
    query = select(inbox.c.id, inbox.c.kind, inbox.c.text, inbox.c.received_at.label("at")).where(
        which, inbox.c.state != InboxState.NEW, inbox.c.text.is_not(None), inbox.c.text.not_like(_REDACTED)
    )
    return _redact(conn, query.order_by(inbox.c.received_at).limit(most), _INBOX, secret)


def delete_oldest(conn: Connection, table: Table, before: datetime, most: int) -> int:
    """Delete at most so many of the oldest rows of `inbox_part` or `status_report`; returns how many.

    By then they serve nothing: the message they belong to has its state. Their PDUs hold texts and numbers.
    """
    oldest = select(table.c.id, table.c.received_at).order_by(table.c.id).limit(most).subquery()
    old = select(oldest.c.id).where(oldest.c.received_at < before)
    return conn.execute(table.delete().where(table.c.id.in_(old))).rowcount


def _redact(conn: Connection, query: Select[Any], statement: Bulk, secret: bytes | None) -> Done:
    rows = conn.execute(query).all()
    if not rows:
        return Done(0, None)
    statement.run(conn, [{"row_id": row.id, "text": body(row.kind or "unread", row.text, secret)} for row in rows])
    return Done(len(rows), rows[-1].at)
