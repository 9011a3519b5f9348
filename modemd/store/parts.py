"""The states of parts and messages: the moves a part may make, and the message's state derived from its parts'.

The parts are the truth. Of a message whose part was just sent, the row may still say `queued` or `sending`; `follow`
brings it in line, at the latest when the daemon starts again. A part that `in_air` names says `queued` as well: whoever
asks `Work` is told that it is `sending`.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, bindparam, case, func, literal_column, select

from modemd.errors import VerbFailed
from modemd.store import events
from modemd.store.bulk import Bulk
from modemd.store.dialects import among
from modemd.store.schema import MessageState, UtcTime, in_air, message, part

QUEUED = MessageState.QUEUED
SENDING = MessageState.SENDING
SENT = MessageState.SENT
DELIVERED = MessageState.DELIVERED
UNDELIVERED = MessageState.UNDELIVERED
EXPIRED = MessageState.EXPIRED
IN_DOUBT = MessageState.IN_DOUBT
HELD = MessageState.HELD
FAILED = MessageState.FAILED
SKIPPED = MessageState.SKIPPED
CANCELLED = MessageState.CANCELLED

LEFT = frozenset({SENT, DELIVERED, UNDELIVERED, EXPIRED})  # what a +CMGS or a status report can say
MOVES: Mapping[MessageState, frozenset[MessageState]] = {
    QUEUED: LEFT | {SENDING, SKIPPED, CANCELLED},  # LEFT: a report for what was sent again after doubt; or expired here
    SENDING: LEFT | {QUEUED, FAILED, IN_DOUBT},
    IN_DOUBT: LEFT | {QUEUED, FAILED, HELD},  # queued or failed: a late +CMS ERROR, or sent again
    HELD: LEFT | {QUEUED, CANCELLED},  # a person decided
    SENT: LEFT - {SENT},
    DELIVERED: frozenset(),
    UNDELIVERED: frozenset(),
    EXPIRED: frozenset(),
    FAILED: frozenset(),
    SKIPPED: frozenset(),
    CANCELLED: frozenset(),
}
CLAIMABLE = frozenset({QUEUED, SENDING})
UNCLAIMED: Mapping[str, None] = {"claimed_by": None, "claimed_line_id": None, "lease_until": None}
NEVER_HANDED_OVER: Mapping[str, None] = {"line_id": None, "submitted_at": None, "expected_reference": None}


# A message's state is the first of these that one of its parts has: what is open, then the worst that happened.
_ORDER = (
    *(SENDING, IN_DOUBT, HELD, FAILED, QUEUED, SKIPPED, CANCELLED, UNDELIVERED, EXPIRED),
    *(SENT, DELIVERED),  # delivered when all parts are
)
_RANK = {state: rank for rank, state in enumerate(_ORDER)}


def derive(states: Collection[MessageState]) -> MessageState:
    """A message's state from those of its parts."""
    return min(states, key=_RANK.__getitem__)


@dataclass(slots=True)
class Part:
    id: int
    message: "Message"
    state: MessageState
    line_id: int | None


@dataclass(slots=True)
class Message:
    id: int
    recipient: str
    state: MessageState
    line_id: int | None
    attempts: int
    repeats: int
    parts: list[Part] = field(default_factory=list)


_COLUMNS = (
    part.c.id.label("part_id"),
    part.c.state.label("part_state"),
    part.c.line_id.label("part_line_id"),
    message.c.id,
    message.c.recipient,
    message.c.state,
    message.c.line_id,
    message.c.attempts,
    message.c.repeats,
)
_LOAD = (
    select(*_COLUMNS)
    .join_from(message, part, part.c.message_id == message.c.id)
    .order_by(message.c.id, part.c.number)  # locks taken in one order do not deadlock
    .with_for_update(of=(message, part))  # both: what is not locked would be read as it was before the wait
)
_OF_MESSAGES = _LOAD.where(among(message.c.id, "ids"))
_OF_PARTS = _LOAD.where(message.c.id.in_(select(part.c.message_id).where(among(part.c.id, "ids"))))


_IN_AIR = select(in_air).where(among(in_air.c.part_id, "ids"))
_LANDED = in_air.update().where(among(in_air.c.part_id, "ids")).values(part_id=None)

_RANKED = " ".join(f"WHEN '{state}' THEN '{rank:02}{state}'" for state, rank in _RANK.items())
_told = part.alias("told")
_TOGETHER = (  # the parts of a message in one row; its state as `derive` says
    select(
        part.c.message_id,
        func.substr(func.min(literal_column(f"CASE part.state {_RANKED} END")), literal_column("3")).label("state"),
        func.max(part.c.sent_at).label("sent_at"),
        func.max(case((part.c.sent_at.is_not(None), part.c.line_id))).label("line_id"),
    )
    .where(part.c.message_id.in_(select(_told.c.message_id).where(among(_told.c.id, "part_ids"))))
    .group_by(part.c.message_id)
    .subquery("together")
)
_CLAIMABLE: ColumnElement[bool] = literal_column(
    f"together.state IN ({', '.join(repr(state.value) for state in sorted(CLAIMABLE))})"
)
FOLLOW = (  # of `part_ids`, `at`
    message.update()
    .where(message.c.id == _TOGETHER.c.message_id)
    .values(
        state=_TOGETHER.c.state,
        state_at=case((message.c.state == _TOGETHER.c.state, message.c.state_at), else_=bindparam("at", type_=UtcTime)),
        sent_at=func.coalesce(_TOGETHER.c.sent_at, message.c.sent_at),
        line_id=func.coalesce(_TOGETHER.c.line_id, message.c.line_id),
        **{name: case((_CLAIMABLE, message.c[name])) for name in UNCLAIMED},
    )
)


def follow(conn: Connection, part_ids: Collection[int], now: datetime) -> None:
    """Bring the rows of the messages in line with their parts, whatever those say by now."""
    conn.execute(FOLLOW, {"part_ids": part_ids, "at": now})


@cache
def _update(table: Table, columns: tuple[str, ...]) -> Bulk:
    return Bulk(table.update().where(table.c.id == bindparam("row_id")), columns)


class Work:
    """The messages a verb moves: loaded and locked, moved in memory, written at once with their derived states."""

    def __init__(self, conn: Connection, *, parts: Collection[int] = (), messages: Collection[int] = ()) -> None:
        self._conn = conn
        self._changes: dict[Table, dict[int, dict[str, Any]]] = {message: {}, part: {}}
        self._moves: list[str] = []
        self._landed: list[int] = []
        self.messages: dict[int, Message] = {}
        self.parts: dict[int, Part] = {}
        if parts:
            self._load(conn.execute(_OF_PARTS, {"ids": list(parts)}))
        if messages:
            self._load(conn.execute(_OF_MESSAGES, {"ids": list(messages)}))
        if queued := [each.id for each in self.parts.values() if each.state is QUEUED]:
            self._land(
                conn.execute(_IN_AIR, {"ids": queued})
            )  # asked once the rows are locked: it is true until the end

    def _load(self, rows: Any) -> None:
        for part_id, part_state, part_line, id_, recipient, state, line_id, attempts, repeats in rows:
            owner = self.messages.get(id_)
            if owner is None:
                owner = Message(id_, recipient, MessageState(state), line_id, attempts, repeats)
                self.messages[id_] = owner
            self.parts[part_id] = loaded = Part(part_id, owner, MessageState(part_state), part_line)
            owner.parts.append(loaded)

    def _land(self, rows: Any) -> None:
        for line_id, part_id, expected_reference, submitted_at in rows:
            landed = self.parts[part_id]
            landed.state, landed.line_id = SENDING, line_id
            columns = {"line_id": line_id, "submitted_at": submitted_at, "expected_reference": expected_reference}
            self.note(landed, state=SENDING.value, **columns)
            self._landed.append(part_id)

    def part(self, part_id: int) -> Part:
        """Raises VerbFailed if there is none."""
        try:
            return self.parts[part_id]
        except KeyError:
            raise VerbFailed(reason=f"there is no part {part_id}") from None

    def message(self, message_id: int) -> Message:
        """Raises VerbFailed if there is none."""
        try:
            return self.messages[message_id]
        except KeyError:
            raise VerbFailed(reason=f"there is no message {message_id}") from None

    def move(self, moved: Part, to: MessageState, **columns: Any) -> None:
        """The one way a part changes its state. Raises VerbFailed for a move that MOVES does not have."""
        if to not in MOVES[moved.state]:
            raise VerbFailed(reason=f"part {moved.id} cannot go from {moved.state} to {to}")
        moved.state = to
        reference = f" reference={columns['reference']}" if to is SENT else ""
        self._moves.append(f"event={to.value} message={moved.message.id} part={moved.id}{reference}")
        self.note(moved, state=to.value, **columns)

    def note(self, noted: Part, **columns: Any) -> None:
        """Write columns of a part that say nothing about its state."""
        self._changes[part].setdefault(noted.id, {}).update(columns)

    def change(self, changed: Message, **columns: Any) -> None:
        """Write columns of a message. Its state is not among them: that is derived."""
        self._changes[message].setdefault(changed.id, {}).update(columns)

    def write(self, now: Any) -> None:
        """Derive the messages' states and write every change; raises VerbFailed if a row is no longer there."""
        for owner in self.messages.values():
            state = derive([each.state for each in owner.parts])
            if state is not owner.state:
                owner.state = state
                self.change(owner, state=state.value, state_at=now)
                if state not in CLAIMABLE:
                    self.change(owner, **UNCLAIMED)
        if self._landed:
            self._conn.execute(_LANDED, {"ids": self._landed})
            self._landed.clear()
        for table, changes in self._changes.items():
            self._write(table, changes)
            changes.clear()
        events.note(self._conn, *self._moves)
        self._moves.clear()

    def _write(self, table: Table, changes: Mapping[int, Mapping[str, Any]]) -> None:
        by_columns: defaultdict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
        for row_id, columns in changes.items():
            by_columns[tuple(sorted(columns))].append({"row_id": row_id, **columns})
        for names, rows in by_columns.items():
            written = _update(table, names).run(self._conn, rows)
            if written != len(rows):
                raise VerbFailed(reason=f"{written} of {len(rows)} rows of {table.name} were written")
