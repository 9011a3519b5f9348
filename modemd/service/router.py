"""From a question to its answer."""

import logging
from datetime import datetime

from sqlalchemy import Connection

from modemd.config import Settings
from modemd.service import bill_check, phones, replies, spellings, subscriptions, templates
from modemd.service.keywords import Reading
from modemd.store import inbox
from modemd.store.inbox import Question
from modemd.store.schema import InboxState

log = logging.getLogger(__name__)


def answer(conn: Connection, question: Question, settings: Settings, now: datetime) -> None:
    """Do what a question asks, queue its reply and close it, all in the caller's transaction (rule 3).

    A text that is not understood becomes `unread`, for a person, and gets no reply; so does an answer of ours that
    comes back. Nothing answers a sender of 6 digits or fewer, an alphanumeric one, a phone that is over its limit
    (rule 9) or one marked as a wrong number; what it asks is done all the same. Raises VerbFailed if the question was
    answered before: the caller's transaction, reply included, is then undone.
    """
    reading = spellings.read(conn, question.text, settings.service)
    phone = phones.sender(question.number) if question.replyable else None
    text = _reply(conn, reading, phone, settings, now) if phone else None
    if phone and text and not subscriptions.is_wrong_number(conn, phone):
        replies.queue(conn, question.id, question.line_id, phone, text, settings, now)
    state = InboxState.UNREAD if reading.kind == "unknown" else InboxState.DONE
    inbox.done(conn, question.id, state, reading.kind, now)
    log.debug("question %s: %s", question.id, reading.kind)


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
