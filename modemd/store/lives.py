"""Everything that is kept of one message: its parts, their lines, what the network said, its question or its answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, exists, func, or_, select

from modemd.store.listing import INCOMING, OUTGOING, Direction, Listed
from modemd.store.schema import InboxState, MessageState, in_air, inbox, line, line_rule, message, part

_MOVING = {
    MessageState.QUEUED,
    MessageState.SENDING,
    MessageState.SENT,
    MessageState.IN_DOUBT,
    MessageState.HELD,
    InboxState.NEW,
}


@dataclass(frozen=True, slots=True)
class PartLife:
    """One SMS of a message of ours."""

    number: int
    state: str
    line: str | None
    sender: str | None  # the line's own number, where a technician has told it
    reference: int | None  # TP-MR
    submitted_at: datetime | None
    sent_at: datetime | None
    status: int | None  # TP-ST
    discharged_at: datetime | None


@dataclass(frozen=True, slots=True)
class Life:
    """A message with its times; of one that came in `parts` is empty."""

    message: Listed
    not_before: datetime | None
    expires_at: datetime | None
    state_at: datetime | None
    attempts: int
    repeats: int
    external_id: str | None
    centre_time: datetime | None  # of one that came in
    complete: bool
    parts: Sequence[PartLife]
    related: Sequence[Listed]  # the question it answers, or the answers to it

    @property
    def is_moving(self) -> bool:
        """Whether more is going to happen: the network, the service or a person has not had the last word."""
        answers = self.related if self.message.direction == "mo" else ()
        return any(each.state in _MOVING for each in (self.message, *answers))


def of(conn: Connection, direction: Direction, message_id: int) -> Life | None:
    """The life of a message; None: there is none with this id."""
    return _of_ours(conn, message_id) if direction == "mt" else _of_theirs(conn, message_id)


def sent_to(conn: Connection, number: str, since: datetime, until: datetime) -> list[Life]:
    """Our messages to a number of which a part left between two times, the oldest first."""
    left = exists().where(part.c.message_id == message.c.id, part.c.sent_at >= since, part.c.sent_at < until)
    own = select(message.c.id).where(message.c.recipient == number, left)
    lives = (_of_ours(conn, row.id) for row in conn.execute(own.order_by(message.c.id)))
    return [life for life in lives if life is not None]


def _of_ours(conn: Connection, message_id: int) -> Life | None:
    row = conn.execute(select(message).where(message.c.id == message_id)).first()
    if row is None:
        return None
    listed = Listed(*conn.execute(OUTGOING.where(message.c.id == message_id)).one())
    question = [] if row.in_reply_to is None else _theirs(conn, inbox.c.id == row.in_reply_to)
    return Life(
        message=listed,
        not_before=row.not_before,
        expires_at=row.expires_at,
        state_at=row.state_at,
        attempts=row.attempts,
        repeats=row.repeats,
        external_id=row.external_id,
        centre_time=None,
        complete=True,
        parts=_parts(conn, message_id),
        related=question,
    )


def _of_theirs(conn: Connection, message_id: int) -> Life | None:
    row = conn.execute(select(inbox).where(inbox.c.id == message_id)).first()
    if row is None:
        return None
    (listed,) = _theirs(conn, inbox.c.id == message_id)
    answers = OUTGOING.where(message.c.recipient == row.number, message.c.in_reply_to == message_id)
    return Life(
        message=listed,
        not_before=None,
        expires_at=None,
        state_at=row.done_at,
        attempts=0,
        repeats=0,
        external_id=None,
        centre_time=row.smsc_time,
        complete=bool(row.complete),
        parts=(),
        related=[Listed(*each) for each in conn.execute(answers.order_by(message.c.id))],
    )


def _theirs(conn: Connection, condition: Any) -> list[Listed]:
    return [Listed(*row) for row in conn.execute(INCOMING.where(condition))]


def _parts(conn: Connection, message_id: int) -> list[PartLife]:
    is_in_air = and_(in_air.c.part_id == part.c.id, part.c.state == MessageState.QUEUED)
    line_id = func.coalesce(in_air.c.line_id, part.c.line_id)
    rows = conn.execute(
        select(part, line.c.name, line_rule.c.number.label("sender"), in_air.c.submitted_at.label("begun_at"))
        .join_from(part, in_air, is_in_air, isouter=True)
        .join(line, line.c.id == line_id, isouter=True)
        .join(line_rule, line_rule.c.line_id == line_id, isouter=True)
        .where(part.c.message_id == message_id)
        .order_by(part.c.number)
    ).all()
    return [
        PartLife(
            number=row.number,
            state=row.state if row.begun_at is None else MessageState.SENDING,
            line=row.name,
            sender=row.sender,
            reference=row.reference,
            submitted_at=row.begun_at or row.submitted_at,
            sent_at=row.sent_at,
            status=row.status,
            discharged_at=row.discharged_at,
        )
        for row in rows
    ]


def find_number(conn: Connection, number: str) -> tuple[Direction, int] | None:
    """The newest message from or to a number."""
    out = conn.scalar(select(message.c.id).where(message.c.recipient == number).order_by(message.c.id.desc()).limit(1))
    if out is not None:
        return "mt", int(out)
    came = conn.scalar(select(inbox.c.id).where(inbox.c.number == number).order_by(inbox.c.id.desc()).limit(1))
    return None if came is None else ("mo", int(came))


def number_of(conn: Connection, direction: Direction, message_id: int) -> str | None:
    """Whose message it is."""
    column, table = (message.c.recipient, message) if direction == "mt" else (inbox.c.number, inbox)
    return conn.scalar(select(column).where(table.c.id == message_id))


def unnamed_lines(conn: Connection, line_names: Sequence[str | None]) -> list[str]:
    """Those of the lines of which nobody has told the own number."""
    names = [name for name in line_names if name]
    told = or_(line_rule.c.number.is_(None), line_rule.c.number == "")
    query = select(line.c.name).join_from(line, line_rule, line_rule.c.line_id == line.c.id, isouter=True)
    return list(conn.scalars(query.where(line.c.name.in_(names), told).order_by(line.c.name).distinct()))
