"""From a question to its answer."""

import logging
from datetime import datetime, timedelta

from sqlalchemy import Connection

from modemd.config import Settings
from modemd.pdu import segments
from modemd.service import bill_check, keywords, phones, subscriptions, templates
from modemd.service.keywords import Reading
from modemd.store import inbox, limits, outbox
from modemd.store.inbox import Question
from modemd.store.outbox import NewMessage
from modemd.store.schema import InboxState

log = logging.getLogger(__name__)


def answer(conn: Connection, question: Question, settings: Settings, now: datetime) -> None:
    """Do what a question asks, queue its reply and close it, all in the caller's transaction (rule 3).

    A text that is not understood becomes `unread`, for a person, and gets no reply; so does an answer of ours that
    comes back. Nothing answers a sender of 6 digits or fewer, an alphanumeric one, a phone that is over its limit
    (rule 9) or one marked as a wrong number; what it asks is done all the same. Raises VerbFailed if the question was
    answered before: the caller's transaction, reply included, is then undone.
    """
    reading = _read(question.text, settings)
    phone = phones.sender(question.number) if question.replyable else None
    text = _reply(conn, reading, phone, settings, now) if phone else None
    marked = phone is not None and subscriptions.is_wrong_number(conn, phone)
    if phone and text and not marked and _within_limit(conn, phone, settings, now):
        outbox.enqueue(conn, [_message(question, phone, text, settings, now)], now)
    state = InboxState.UNREAD if reading.kind == "unknown" else InboxState.DONE
    inbox.done(conn, question.id, state, reading.kind, now)
    log.info("question %s: %s", question.id, reading.kind)


def _read(text: str | None, settings: Settings) -> Reading:
    if text is not None and templates.is_ours(text, settings.service):
        return Reading("unknown", ())  # our texts name SMETKA and STOP: a machine that echoes would go on and on
    return keywords.explain(text)


def _reply(conn: Connection, reading: Reading, phone: str, settings: Settings, now: datetime) -> str | None:
    """Do what the text asks and return what to say, or None for nothing."""
    service = settings.service
    language = subscriptions.language_of(conn, phone, service.language)
    match reading.kind:
        case "bill":
            return bill_check.answer(conn, phone, reading.customer_numbers, language, service, now)
        case "stop":
            if not subscriptions.stop(conn, phone, language, now):
                return None
            return templates.render("stopped", language, service, day=templates.day_of(now))
        case "help" | "number":
            return templates.render(reading.kind, language, service)
        case "unknown":
            return None


def _within_limit(conn: Connection, phone: str, settings: Settings, now: datetime) -> bool:
    service = settings.service
    each = ((service.answers_per_hour, timedelta(hours=1)), (service.answers_per_day, timedelta(days=1)))
    return limits.take(conn, f"answer:{phone}", each, now)


def _message(question: Question, phone: str, text: str, settings: Settings, now: datetime) -> NewMessage:
    kind = settings.kinds.reply
    return NewMessage(
        kind="reply",
        recipient=phone,
        text=text,
        parts=segments.measure(text).parts,
        priority=kind.priority,
        expires_at=now + timedelta(hours=kind.validity_hours),
        line_id=question.line_id,  # rule 8
        in_reply_to=question.id,
    )
