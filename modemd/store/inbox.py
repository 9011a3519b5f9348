"""SMS received: recorded once before the modem deletes them (rule 1), answered once (rule 3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, text

from modemd.errors import VerbFailed
from modemd.messages import ReceivedSms
from modemd.store import events, reassembly
from modemd.store.dialects import INSERT, among, one_at_a_time, together
from modemd.store.fingerprint import fingerprint
from modemd.store.schema import InboxState, inbox, inbox_part


@dataclass(frozen=True, slots=True)
class Recorded:
    inbox_id: int | None  # None: a part of a long message whose other parts have not come, or a duplicate
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Question:
    id: int
    line_id: int
    number: str | None
    replyable: bool
    text: str | None
    received_at: datetime
    complete: bool  # False: parts of it never came


# Statements are made once, here and in whatever else answers a question: to make one takes longer than to run it.
_QUESTION = select(*(inbox.c[name] for name in Question.__slots__)).where(text("state = 'new'")).order_by(inbox.c.id)
_QUESTIONS = _QUESTION.where(among(inbox.c.id, "ids"))
_PENDING = _QUESTION.limit(bindparam("most"))
_NEW_PART = {
    name: insert(inbox_part).on_conflict_do_nothing(index_elements=["dedupe"]).returning(inbox_part.c.id)
    for name, insert in INSERT.items()
}
_NEW = inbox.insert().returning(inbox.c.id)
_OF_MESSAGE = (
    inbox_part.update().where(inbox_part.c.id == bindparam("part_id")).values(inbox_id=bindparam("of_message"))
)
_DONE = inbox.update().where(inbox.c.id == bindparam("row_id"), inbox.c.state == InboxState.NEW)
_FORGET = inbox_part.update().where(inbox_part.c.dedupe == bindparam("key")).values(dedupe=None)


def record(conn: Connection, line_id: int, received: Sequence[ReceivedSms], now: datetime) -> list[Recorded]:
    """Keep what a modem read, each SMS once however often it is read, and join long messages that are complete."""
    together(conn, reassembly.NUMBERED)
    recorded = [_record(conn, line_id, sms, now) for sms in received]
    whole = [each.inbox_id for each in recorded if each.inbox_id is not None]
    events.note(conn, *(f"event=received inbox={inbox_id} line={line_id}" for inbox_id in whole))
    return recorded


def settled_up_to(conn: Connection) -> int:
    """The id up to which the inbox will not change: what comes later has a greater one.

    Without the wait, a reader could see message 6 while another host has not committed its 5 yet, and pass it by. It
    needs a transaction that sees what was committed while it waited (not `database.reading`).
    """
    one_at_a_time(conn, reassembly.NUMBERED)
    return conn.scalar(select(func.max(inbox.c.id))) or 0


def _record(conn: Connection, line_id: int, sms: ReceivedSms, now: datetime) -> Recorded:
    long = sms.concatenation is not None and sms.error is None
    if long and reassembly.known(conn, line_id, sms):
        return Recorded(None, duplicate=True)
    part_id = _insert_part(conn, line_id, sms)
    if part_id is None:
        return Recorded(None, duplicate=True)
    if long:
        return Recorded(reassembly.join(conn, part_id), duplicate=False)
    inbox_id = conn.scalar(
        _NEW,
        {
            "line_id": line_id,
            "number": sms.number,
            "replyable": sms.replyable,
            "text": sms.text,
            "parts": 1,
            "complete": True,
            "state": InboxState.NEW if sms.error is None else InboxState.UNREADABLE,
            "error": sms.error,
            "smsc_time": sms.smsc_time,
            "received_at": sms.received_at,
            "done_at": None if sms.error is None else now,
        },
    )
    conn.execute(_OF_MESSAGE, {"part_id": part_id, "of_message": inbox_id})
    return Recorded(inbox_id, duplicate=False)


def _insert_part(conn: Connection, line_id: int, sms: ReceivedSms) -> int | None:
    """The id of its row; None if the SMS is there already."""
    concatenation = sms.concatenation
    row: dict[str, Any] = {
        "line_id": line_id,
        "dedupe": _key(line_id, sms),
        "pdu": sms.pdu,
        "number": sms.number,
        "replyable": sms.replyable,
        "text": sms.text,
        "data": sms.data,
        "reference": concatenation.reference if concatenation else None,
        "total": concatenation.total if concatenation else None,
        "part": concatenation.part if concatenation else None,
        "smsc_time": sms.smsc_time,
        "received_at": sms.received_at,
    }
    part_id: int | None = conn.scalar(_NEW_PART[conn.dialect.name], row)
    return part_id


def _key(line_id: int, sms: ReceivedSms) -> str | None:
    """By what an SMS read twice is known: its TPDU, whose time stamp makes it unlike any other of this sender.

    Where there is no time stamp, only the place it was read from tells it from a later one that is the same; without
    a place either (+CMT) nothing does.
    """
    if sms.smsc_time is not None:
        return fingerprint(line_id, sms.pdu)
    if sms.storage is None or sms.index is None:
        return None
    return fingerprint(line_id, sms.pdu, sms.storage, sms.index)


def deleted(conn: Connection, line_id: int, received: Sequence[ReceivedSms]) -> None:
    """The modem has deleted these. One without a time stamp was known by its place, which may now hold another."""
    keys = [_key(line_id, sms) for sms in received if sms.smsc_time is None]
    rows = [{"key": key} for key in keys if key is not None]
    if rows:
        conn.execute(_FORGET, rows)


def pending(conn: Connection, limit: int) -> list[Question]:
    """Messages that wait for an answer, oldest first."""
    return [Question(*row) for row in conn.execute(_PENDING, {"most": limit})]


def waiting(conn: Connection, inbox_ids: Sequence[int]) -> list[Question]:
    """Those of these messages that wait for an answer."""
    return [Question(*row) for row in conn.execute(_QUESTIONS, {"ids": inbox_ids})] if inbox_ids else []


def done(conn: Connection, inbox_id: int, state: InboxState, kind: str | None, now: datetime) -> None:
    """new -> done or unread. Raises VerbFailed if it was not new: the reply in the same transaction is undone."""
    if conn.execute(_DONE, {"row_id": inbox_id, "state": state, "kind": kind, "done_at": now}).rowcount != 1:
        raise VerbFailed(reason=f"message {inbox_id} has its answer already")
    events.note(conn, f"event={state.value} inbox={inbox_id}" + (f" kind={kind}" if kind else ""))
