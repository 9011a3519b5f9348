"""What people do with texts that were not understood: answer them, teach a spelling (see spellings.py), drop them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from modemd import audit, masks
from modemd.config import Settings
from modemd.errors import AnswerRefused, Because
from modemd.pdu import segments
from modemd.service import canned, phones, replies, subscriptions, templates
from modemd.store import unread
from modemd.store.schema import Outcome
from modemd.store.unread import UnreadRow

_CUSTOMER_NUMBER = re.compile(r"(?<![0-9+])[0-9]{12}(?![0-9])")


@dataclass(frozen=True, slots=True)
class UnreadText:
    id: int
    number: str | None
    text: str | None
    line: str
    received_at: datetime
    answerable: bool  # False: a short code, a name, or a sender that takes no reply (rule 9)
    canned: str | None  # the canned answer to what it seems to ask


def queue(conn: Connection, settings: Settings, *, after: int = 0, limit: int = 50) -> list[UnreadText]:
    """The oldest texts that wait for a person, from the one after the id `after`."""
    return [
        UnreadText(
            row.id,
            row.number,
            row.text,
            row.line,
            row.received_at,
            _phone(row) is not None,
            canned.suggested(row.text, settings),
        )
        for row in unread.queue(conn, after=after, limit=limit)
    ]


def answer(
    conn: Connection, inbox_ids: Sequence[int], text: str, by: str, settings: Settings, now: datetime
) -> list[int]:
    """Answer texts in a person's own words, all or none; returns the ids of the messages.

    Customer numbers are masked in it. Raises NotUnread where somebody else was quicker, and AnswerRefused for a sender
    that nothing may answer or that has had its answers, and for an answer that is empty, holds a link or needs more
    than two parts. The caller's transaction is then to be undone.
    """
    masked = _CUSTOMER_NUMBER.sub(lambda found: masks.customer(found[0]), text.strip())
    rows = _find(conn, inbox_ids)
    sent = [_answer(conn, row, masked, by, settings, now) for row in rows]
    _note(conn, "unread.answer", rows, "in own words", by, now)
    return sent


def answer_canned(
    conn: Connection, inbox_ids: Sequence[int], name: str, by: str, settings: Settings, now: datetime
) -> list[int]:
    """Answer texts with a canned answer, in the language of each phone; else like `answer`. Raises CannedRefused."""
    rows, sent = _find(conn, inbox_ids), []
    for row in rows:
        language = subscriptions.language_of(conn, _phone(row) or "", settings.service.language)
        sent.append(_answer(conn, row, canned.render(name, language, settings), by, settings, now))
    _note(conn, "unread.answer", rows, name, by, now)
    return sent


def drop(conn: Connection, inbox_ids: Sequence[int], by: str, now: datetime) -> None:
    """Leave texts without an answer, all or none. Raises NotUnread; the caller's transaction is then to be undone."""
    rows = _find(conn, inbox_ids)
    for row in rows:
        unread.close(conn, row.id, Outcome.DROPPED, by, now)
    _note(conn, "unread.drop", rows, "", by, now)


def _find(conn: Connection, inbox_ids: Sequence[int]) -> list[UnreadRow]:
    return [unread.find(conn, inbox_id) for inbox_id in sorted(set(inbox_ids))]


def _note(conn: Connection, action: str, rows: Sequence[UnreadRow], detail: str, by: str, now: datetime) -> None:
    for row in rows:
        audit.note(conn, by, action, f"text {row.id}", detail, now)


def _answer(conn: Connection, row: UnreadRow, text: str, by: str, settings: Settings, now: datetime) -> int:
    phone = _phone(row)
    if phone is None:
        raise AnswerRefused(
            inbox_id=row.id, reason=Because("its sender is a short code or a name, which takes no answer")
        )
    if subscriptions.is_wrong_number(conn, phone):
        raise AnswerRefused(inbox_id=row.id, reason=Because("its phone is marked as a wrong number"))
    fault = _fault(text)
    if fault is not None:
        raise AnswerRefused(inbox_id=row.id, reason=fault)
    unread.close(conn, row.id, Outcome.ANSWERED, by, now)
    message_id = replies.queue(conn, row.id, row.line_id, phone, text, settings, now)
    if message_id is None:
        raise AnswerRefused(inbox_id=row.id, reason=Because("this phone has had as many answers as it may get for now"))
    return message_id


def _phone(row: UnreadRow) -> str | None:
    return phones.sender(row.number) if row.replyable else None


def _fault(text: str) -> Because | None:
    if not text:
        return Because("the answer is empty")
    if templates.has_link(text):
        return Because("the answer holds a link, and our texts hold none")
    parts = segments.measure(text).parts
    if parts > templates.MOST_PARTS:
        return Because("the answer needs {parts} parts, and {most} is the most", parts=parts, most=templates.MOST_PARTS)
    return None
