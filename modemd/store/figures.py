"""What the reports count. Times are half-open: from `start` to before `end`; a message counts when it has left us."""

from collections import Counter
from datetime import datetime
from typing import Any, get_args

from sqlalchemy import ColumnElement, Connection, Float, Select, case, cast, exists, extract, func, select, text

from modemd.config import KindName
from modemd.store.schema import TROUBLE, MessageState, consent, inbox, line, message, part, unread_outcome

SERVICES = ("bill", "reminder", "outage")
Services = tuple[bool, bool, bool]  # which of them a registration has
_A_DAY = 86400.0  # s


def registered(conn: Connection, moment: datetime) -> Counter[Services]:
    """The registrations that had begun before a moment and had not ended by then."""
    return _open_at(conn, moment, consent.c.begun_at < moment)


def registered_since(conn: Connection, earlier: datetime, moment: datetime) -> Counter[Services]:
    """How many more there are at a moment than at an earlier one; less than 0: fewer."""
    found = _open_at(conn, moment, consent.c.begun_at >= earlier, consent.c.begun_at < moment)
    ended = consent.c.begun_at < earlier, consent.c.ended_at >= earlier, consent.c.ended_at < moment
    found.subtract(_by_services(conn, *ended))
    return found


def new_by_channel(conn: Connection, start: datetime, end: datetime) -> dict[str, int]:
    """How many registrations began, by where; one that goes on with other services is none."""
    began = select(consent.c.channel, func.count()).where(
        consent.c.registered, consent.c.begun_at >= start, consent.c.begun_at < end
    )
    return _counts(conn, began.group_by(consent.c.channel))


def left(conn: Connection, start: datetime, end: datetime) -> dict[tuple[str, str], int]:
    """How many messages left, by (kind, state now). Only an index is read."""
    query = (
        select(message.c.kind, message.c.state, func.count())
        .where(
            message.c.kind.in_(get_args(KindName)),  # all of them: the index begins with these two
            message.c.state.in_([str(state) for state in MessageState]),
            message.c.sent_at >= start,
            message.c.sent_at < end,
        )
        .group_by(message.c.kind, message.c.state)
    )
    return {(row[0], row[1]): row[2] for row in conn.execute(query)}


def checks(conn: Connection, start: datetime, end: datetime) -> list[str]:
    """Who asked, for each bill check that was answered: the phone if it is registered or was, otherwise ""."""
    known = exists().where(consent.c.phone == message.c.recipient, consent.c.customer_no.is_not(None))
    asked = _replies(case((known, message.c.recipient), else_=""), start=start, end=end)
    return list(conn.scalars(asked.where(inbox.c.kind == "bill")))


def answer_times(conn: Connection, start: datetime, end: datetime) -> list[int]:
    """Hundredths of a second from question to answer, of what was answered without a person's help."""
    waited = _seconds(conn, inbox.c.received_at, message.c.sent_at)
    decided = exists().where(unread_outcome.c.inbox_id == inbox.c.id)
    return [round(seconds * 100) for seconds in conn.scalars(_replies(waited, start=start, end=end).where(~decided))]


def line_names(conn: Connection) -> dict[int, str]:
    """Every line, in the order in which they came."""
    return {row.id: row.name for row in conn.execute(select(line.c.id, line.c.name).order_by(line.c.id))}


def parts_per_line(conn: Connection, start: datetime, end: datetime) -> dict[int, int]:
    """Parts that each line handed to the network and that it did not refuse, by the line's id."""
    per_line = (
        select(part.c.line_id, func.count())
        .where(part.c.line_id.in_(line_names(conn)), part.c.submitted_at >= start, part.c.submitted_at < end)
        .group_by(part.c.line_id)
    )
    failed = select(message.c.id).where(text(TROUBLE), message.c.state == MessageState.FAILED)  # few, on an index
    refused = (
        select(part.c.line_id, func.count())
        .where(part.c.message_id.in_(failed), part.c.state == MessageState.FAILED)
        .where(part.c.submitted_at >= start, part.c.submitted_at < end)
        .group_by(part.c.line_id)
    )
    handed, not_taken = _counts(conn, per_line), _counts(conn, refused)
    return {line_id: count - not_taken.get(line_id, 0) for line_id, count in handed.items()}


def _open_at(conn: Connection, moment: datetime, *begun: ColumnElement[bool]) -> Counter[Services]:
    """Of those that began so, what had not ended by a moment."""
    every = [consent.c[name].in_([False, True]) for name in SERVICES]  # the index begins with them
    found = _by_services(conn, *begun, consent.c.ended_at.is_(None), *every)
    found.update(_by_services(conn, *begun, consent.c.ended_at >= moment))
    return found


def _by_services(conn: Connection, *conditions: ColumnElement[bool]) -> Counter[Services]:
    chosen = [consent.c[name] for name in SERVICES]
    rows = conn.execute(select(*chosen, func.count()).where(*conditions).group_by(*chosen))
    return Counter({(row[0], row[1], row[2]): row[3] for row in rows})


def _replies(*columns: Any, start: datetime, end: datetime) -> Select[Any]:
    """Of the replies that left, each with its question."""
    return (
        select(*columns)
        .join_from(message, inbox, message.c.in_reply_to == inbox.c.id)
        .where(message.c.sent_at >= start, message.c.sent_at < end, message.c.in_reply_to.is_not(None))
    )


def _seconds(conn: Connection, earlier: ColumnElement[Any], later: ColumnElement[Any]) -> ColumnElement[Any]:
    if conn.dialect.name == "postgresql":
        return cast(extract("epoch", later - earlier), Float)
    return (func.julianday(later) - func.julianday(earlier)) * _A_DAY


def _counts(conn: Connection, query: Select[Any]) -> dict[Any, int]:
    return {row[0]: row[1] for row in conn.execute(query)}
