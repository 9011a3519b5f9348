"""Texts that were not understood: the queue of them, what a person decided about each, and the spellings he taught."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, text

from modemd.errors import Because, NotUnread
from modemd.store import wakeup
from modemd.store.dialects import insert_into, upsert
from modemd.store.schema import InboxState, Outcome, inbox, line, spelling, unread_outcome


@dataclass(frozen=True, slots=True)
class UnreadRow:
    id: int
    line_id: int
    line: str  # its name
    number: str | None
    replyable: bool
    text: str | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Spelling:
    words: str  # as keywords.plain() writes them
    kind: str  # TaughtKind
    by: str
    at: datetime


_SPELLINGS = select(spelling).order_by(spelling.c.words)
_ROWS = (
    select(
        inbox.c.id,
        inbox.c.line_id,
        line.c.name.label("line"),
        inbox.c.number,
        inbox.c.replyable,
        inbox.c.text,
        inbox.c.received_at,
    )
    .join_from(inbox, line)
    .where(text("inbox.state = 'unread'"))
    .order_by(inbox.c.id)
)


def queue(conn: Connection, *, after: int = 0, limit: int = 50) -> list[UnreadRow]:
    """The oldest `limit` texts that wait for a person and have an id above `after`."""
    return [UnreadRow(*row) for row in conn.execute(_ROWS.where(inbox.c.id > after).limit(limit))]


def since(conn: Connection, moment: datetime) -> list[UnreadRow]:
    """Those that came since then."""
    return [UnreadRow(*row) for row in conn.execute(_ROWS.where(inbox.c.received_at >= moment))]


def find(conn: Connection, inbox_id: int) -> UnreadRow:
    """One of them. Raises NotUnread if it is no longer, or never was, for a person to decide."""
    row = conn.execute(_ROWS.where(inbox.c.id == inbox_id).with_for_update(of=inbox)).one_or_none()
    if row is None:
        raise NotUnread(inbox_id=inbox_id, reason=_what_became_of(conn, inbox_id))
    return UnreadRow(*row)


def close(conn: Connection, inbox_id: int, outcome: Outcome, by: str, now: datetime) -> None:
    """unread -> done. Raises NotUnread where somebody else was quicker: the reply in the same transaction is undone."""
    _leave(conn, inbox_id, InboxState.DONE, outcome, by, now)


def read_again(conn: Connection, inbox_ids: Sequence[int], by: str, now: datetime) -> None:
    """unread -> new: the daemons answer these as if they had come just now. Raises NotUnread like `close`."""
    for inbox_id in inbox_ids:
        _leave(conn, inbox_id, InboxState.NEW, Outcome.SPELLING, by, now)
    wakeup.notify(conn)


def _leave(conn: Connection, inbox_id: int, to: InboxState, outcome: Outcome, by: str, now: datetime) -> None:
    done_at = now if to is InboxState.DONE else None
    leave = inbox.update().where(inbox.c.id == inbox_id, inbox.c.state == InboxState.UNREAD)
    if conn.execute(leave.values(state=to, done_at=done_at)).rowcount != 1:
        raise NotUnread(inbox_id=inbox_id, reason=_what_became_of(conn, inbox_id))
    upsert(conn, unread_outcome, [{"inbox_id": inbox_id, "outcome": outcome, "by": by, "at": now}], ["inbox_id"])


def _what_became_of(conn: Connection, inbox_id: int) -> Because:
    decided = conn.execute(select(unread_outcome).where(unread_outcome.c.inbox_id == inbox_id)).one_or_none()
    if decided is not None:
        match Outcome(decided.outcome):
            case Outcome.ANSWERED:
                return Because("was answered by {name} meanwhile", name=decided.by)
            case Outcome.SPELLING:
                return Because("was read after all, by a spelling that was taught by {name} meanwhile", name=decided.by)
            case Outcome.DROPPED:
                return Because("was dropped by {name} meanwhile", name=decided.by)
    state = conn.scalar(select(inbox.c.state).where(inbox.c.id == inbox_id))
    if state is None:
        return Because("does not exist")
    return Because("is {state}, and only an unread one is for a person to decide", state=InboxState(state))


# spellings


def spellings(conn: Connection) -> list[Spelling]:
    """Every spelling that people have taught, by its words."""
    return [Spelling(*row) for row in conn.execute(_SPELLINGS)]


def teach(conn: Connection, words: str, kind: str, by: str, now: datetime) -> bool:
    """Keep a spelling; False if it is there already."""
    row = {"words": words, "kind": kind, "by": by, "at": now}
    added = insert_into(conn, spelling).on_conflict_do_nothing().returning(spelling.c.words)
    return conn.scalar(added, row) is not None


def forget(conn: Connection, words: str) -> bool:
    """Read these words no more; False if nobody taught them."""
    return conn.execute(spelling.delete().where(spelling.c.words == words)).rowcount == 1
