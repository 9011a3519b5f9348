"""Messages that failed and wait for a person, and what he decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, exists, func, select, text

from modemd.config import KindName
from modemd.errors import Because, NotFailed
from modemd.store.dialects import insert_into
from modemd.store.listing import OUTGOING, Listed
from modemd.store.schema import TROUBLE, FailedOutcome, MessageState, failed_outcome, message

_WAITS = (
    text(TROUBLE),
    message.c.state == MessageState.FAILED,
    ~exists().where(failed_outcome.c.message_id == message.c.id),
)


@dataclass(frozen=True, slots=True)
class Failed:
    """One of them, with what a new message in its place needs."""

    id: int
    kind: KindName
    recipient: str
    text: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a failed message."""

    outcome: FailedOutcome
    resent_as: int | None
    note: str
    by: str
    at: datetime


def waiting(conn: Connection) -> int:
    """How many nobody has decided about; counted on indexes that hold little else."""
    return conn.scalar(select(func.count()).select_from(message).where(*_WAITS)) or 0


def queue(conn: Connection, limit: int, after: int = 0) -> list[Listed]:
    """Those about which nobody has decided, the oldest first, behind the one with the id `after`."""
    query = OUTGOING.where(*_WAITS, message.c.id > after).order_by(message.c.id)
    return [Listed(*row) for row in conn.execute(query.limit(limit))]


def find(conn: Connection, message_ids: Sequence[int]) -> list[Failed]:
    """These very ones. Raises NotFailed for one that has not failed, or about which somebody has decided."""
    found = []
    for message_id in message_ids:
        row = conn.execute(
            select(message.c.id, message.c.kind, message.c.recipient, message.c.text, message.c.state)
            .where(message.c.id == message_id)
            .with_for_update()
        ).one_or_none()
        if row is None:
            raise NotFailed(message_id=message_id, reason=Because("does not exist"))
        if row.state != MessageState.FAILED:
            state = MessageState(row.state)
            reason = Because("is {state}, and only a failed one is for a person to decide", state=state)
            raise NotFailed(message_id=message_id, reason=reason)
        if (decided := decision(conn, message_id)) is not None:
            raise NotFailed(message_id=message_id, reason=Because("was settled by {name} meanwhile", name=decided.by))
        found.append(Failed(row.id, row.kind, row.recipient, row.text))
    return found


def decision(conn: Connection, message_id: int) -> Decision | None:
    """What somebody has decided about a message."""
    columns = (failed_outcome.c[name] for name in Decision.__slots__)
    row = conn.execute(select(*columns).where(failed_outcome.c.message_id == message_id)).one_or_none()
    return None if row is None else Decision(FailedOutcome(row.outcome), row.resent_as, row.note, row.by, row.at)


def settle(conn: Connection, message_id: int, made: Decision) -> None:
    """Keep what was decided. Raises NotFailed where somebody else was quicker."""
    row = {"message_id": message_id, **{name: getattr(made, name) for name in Decision.__slots__}}
    added = insert_into(conn, failed_outcome).values(**row).on_conflict_do_nothing()
    if conn.execute(added.returning(failed_outcome.c.message_id)).scalar() is None:
        other = decision(conn, message_id)
        name = other.by if other is not None else ""
        raise NotFailed(message_id=message_id, reason=Because("was settled by {name} meanwhile", name=name))
