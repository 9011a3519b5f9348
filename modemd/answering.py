"""What the gateway asks of the ledger about a question: take it in, answer it, claim the reply for its line."""

import contextlib
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from modemd.config import Settings
from modemd.errors import VerbFailed
from modemd.messages import ReceivedSms
from modemd.service import router
from modemd.store import events, inbox, lines, outbox
from modemd.store.inbox import Question
from modemd.store.outbox import Claim, Sending, Sent, Want

log = logging.getLogger(__name__)

REHEARSAL = "rehearsal"


def record(conn: Connection, line_id: int, received: Sequence[ReceivedSms], now: datetime) -> list[Question]:
    """Record what came; returns what is now whole and waits for an answer."""
    recorded = inbox.record(conn, line_id, received, now)
    return inbox.waiting(conn, [item.inbox_id for item in recorded if item.inbox_id is not None])


def answer(
    conn: Connection, questions: Sequence[Question], settings: Settings, now: datetime, want: Want | None
) -> list[Claim]:
    """Answer, and claim a reply in the same transaction if its line wants one."""
    for question in questions:
        router.answer(conn, question, settings, now)
    if want is None or not questions:
        return []
    lease = timedelta(seconds=settings.daemon.lease_seconds)
    return outbox.claim(conn, [want], now, settings.daemon.name, lease)[0]


def record_and_answer(
    conn: Connection,
    line_id: int,
    received: Sequence[ReceivedSms],
    settings: Settings,
    now: datetime,
    want: Want | None,
) -> list[Claim]:
    """Both in one transaction: a question that came alone waits for one commit less."""
    return answer(conn, record(conn, line_id, received, now), settings, now, want)


def rehearse(conn: Connection, settings: Settings, now: datetime) -> None:
    """Answer a question that nobody asked, and undo it: whoever asks first would wait until every statement is made."""
    log.info("an answer is rehearsed")
    with conn.begin_nested() as undone:
        line_id = lines.identify(conn, lines.Sim(None, None), REHEARSAL, REHEARSAL, now, adopt=False).id
        sms = ReceivedSms("00", None, None, now, "+359881000000", replyable=True, text="smetka", smsc_time=now)
        for claim in record_and_answer(conn, line_id, [sms], settings, now, Want(line_id, 1)):
            part_id = claim.open_parts[0].id
            with contextlib.suppress(VerbFailed):  # nothing may leave now
                outbox.mark_sending(conn, [Sending(part_id, line_id)], now, settings.daemon.name)
                outbox.sent(conn, [Sent(part_id, 0, line_id=line_id)], now)
                outbox.follow_up(conn, [part_id], now)
        undone.rollback()
    events.taken(conn)
