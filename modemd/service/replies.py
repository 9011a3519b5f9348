"""A reply on its way: through the line that got the question, and not more often than the limits say."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from modemd.config import Settings
from modemd.pdu import segments
from modemd.store import limits, outbox
from modemd.store.outbox import NewMessage


def queue(
    conn: Connection, question_id: int, line_id: int, phone: str, text: str, settings: Settings, now: datetime
) -> int | None:
    """Put a reply into the outbox and return its id, or None where the phone has had its answers (rule 9)."""
    service = settings.service
    each = ((service.answers_per_hour, timedelta(hours=1)), (service.answers_per_day, timedelta(days=1)))
    if not limits.take(conn, f"answer:{phone}", each, now):
        return None
    kind = settings.kinds.reply
    reply = NewMessage(
        kind="reply",
        recipient=phone,
        text=text,
        parts=segments.measure(text).parts,
        priority=kind.priority,
        expires_at=now + timedelta(hours=kind.validity_hours),
        line_id=line_id,  # rule 8
        in_reply_to=question_id,
    )
    return outbox.enqueue(conn, [reply], now)[0]
