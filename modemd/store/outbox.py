"""The way of an SMS out: enqueue, claim, mark_sending, sent. Its states are moved in `parts.py`.

Verbs of the shape `verb(conn, items, now, …) -> one result per item` are for Ledger.batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, and_, bindparam, exists, func, or_, select

from modemd.errors import VerbFailed
from modemd.store import events, pipeline, status_reports, switch, wakeup
from modemd.store.bulk import Bulk, run_together
from modemd.store.candidates import Want as Want
from modemd.store.claims import Claim as Claim
from modemd.store.claims import claim as claim
from modemd.store.claims import expire_messages as expire_messages
from modemd.store.claims import release as release
from modemd.store.dialects import among
from modemd.store.intake import NewMessage as NewMessage
from modemd.store.intake import enqueue as enqueue
from modemd.store.parts import (
    CANCELLED,
    FAILED,
    FOLLOW,
    HELD,
    IN_DOUBT,
    NEVER_HANDED_OVER,
    QUEUED,
    SENDING,
    SENT,
    SKIPPED,
    UNCLAIMED,
    Part,
    Work,
    follow,
)
from modemd.store.requests import hasty
from modemd.store.schema import MessageState, in_air, line, message, part


@dataclass(frozen=True, slots=True)
class Sending:
    part_id: int
    line_id: int
    expected_reference: int | None = None  # the TP-MR that it will probably get; None: as the line's last one says
    message_id: int | None = None  # for the log


@dataclass(frozen=True, slots=True)
class Sent:
    part_id: int
    reference: int  # TP-MR, from +CMGS
    message_id: int | None = None  # for the log
    line_id: int | None = None  # it was marked for; None: it was not just now


@dataclass(frozen=True, slots=True)
class Refused:
    """The modem or the network said no before or instead of +CMGS."""

    part_id: int
    error: str  # for people
    permanent: bool
    retry_at: datetime | None  # None: at once
    max_attempts: int  # kinds.<kind>.max_attempts


@dataclass(frozen=True, slots=True)
class Skip:
    message_id: int
    reason: str  # for people


_of_line = in_air.c.line_id == bindparam("of_line")
_left_over = part.alias("left_over")
_MARK = Bulk(
    in_air.update()
    .where(
        _of_line,
        ~exists().where(_left_over.c.id == in_air.c.part_id, _left_over.c.state == QUEUED),
        # The row locks keep a host that takes over expired leases out until we commit.
        select(part.c.id)
        .join_from(part, message)
        .where(
            part.c.id == bindparam("of_part"),
            part.c.state == QUEUED,
            or_(message.c.state == QUEUED, message.c.state == SENDING),  # of its parts before
            message.c.claimed_by == bindparam("host"),
            message.c.claimed_line_id == bindparam("of_line"),
            switch.PERMITTED,
        )
        .with_for_update(of=(message, part))
        .exists(),
    )
    .values(
        part_id=bindparam("of_part"),
        expected_reference=func.coalesce(
            bindparam("expected", type_=Integer),
            select((line.c.last_reference + 1) % 256).where(line.c.id == bindparam("of_line")).scalar_subquery(),
        ),
        submitted_at=bindparam("at"),
    )
)
_AIR_OF_LINE = select(in_air.c.part_id).where(_of_line)
_OF_LINE = (part.c.line_id == line.c.id, part.c.submitted_at.is_not(None), part.c.reference.is_not(None))
_LAST_REFERENCES = (
    line.update()
    .where(line.c.id.in_(select(part.c.line_id).where(among(part.c.id, "part_ids"))))
    .values(
        last_reference=select(part.c.reference)
        .where(*_OF_LINE)
        .order_by(part.c.submitted_at.desc(), part.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
)
_FOLLOW, _NUMBER = pipeline.Statement(FOLLOW), pipeline.Statement(_LAST_REFERENCES)
_WAITING = pipeline.Statement(status_reports.WAITING)
_is_in_air = (_of_line, in_air.c.part_id == bindparam("of_part"))
_SENT = Bulk(
    part.update()
    .where(
        part.c.id == bindparam("of_part"),
        or_(part.c.state == SENDING, and_(part.c.state == QUEUED, exists().where(*_is_in_air))),
    )
    .values(
        state=SENT,
        reference=bindparam("given"),
        sent_at=bindparam("at"),
        **{
            name: func.coalesce(select(in_air.c[name]).where(*_is_in_air).scalar_subquery(), part.c[name])
            for name in ("line_id", "expected_reference", "submitted_at")
        },
    )
)


def _turn_at_once(conn: Connection, items: Sequence[Sent | Sending], now: datetime, host: str) -> list[tuple[str, Any]]:
    ended, begun, steps = _steps(items, now, host)
    _note_sent(conn, ended)
    _note_sending(conn, begun)
    first = [(switch.HOLD_STILL, None)] if begun else []
    return [*first, *(bulk.exactly(conn, rows) for bulk, rows in steps)]


@hasty(0, at_once=_turn_at_once)
def turn(conn: Connection, items: Sequence[Sent | Sending], now: datetime, host: str) -> list[None]:
    """`sent` and then `mark_sending`, each for those that are its: to PostgreSQL they travel together."""
    ended, begun, steps = _steps(items, now, host)
    counts = run_together(conn, *steps, first=switch.HOLD_STILL if begun else None)
    if ended:
        _after_sent(conn, ended, now, counts[0])
    if begun:
        _after_mark(conn, begun, now, host, counts[-1])
    return [None] * len(items)


def _steps(
    items: Sequence[Sent | Sending], now: datetime, host: str
) -> tuple[list[Sent], list[Sending], list[tuple[Bulk, list[dict[str, Any]]]]]:
    ended = [item for item in items if isinstance(item, Sent)]
    begun = [item for item in items if isinstance(item, Sending)]
    steps = []
    if ended:
        answers = [{"of_part": e.part_id, "of_line": e.line_id, "given": e.reference, "at": now} for e in ended]
        steps.append((_SENT, answers))
    if begun:
        steps.append((_MARK, _marks(begun, now, host)))
    return ended, begun, steps


def mark_sending(conn: Connection, sendings: Sequence[Sending], now: datetime, host: str) -> list[None]:
    """Before Ctrl-Z (rule 2): queued -> sending. Raises VerbFailed unless the host has the claim for that line.

    Or where the switch does not permit it: it stands still until this is committed (rule 13). Only `in_air` is written.
    """
    return turn(conn, sendings, now, host)


def _after_mark(conn: Connection, begun: Sequence[Sending], now: datetime, host: str, marked: int) -> None:
    if marked != len(begun):
        if len(begun) == 1:
            _make_room(conn, begun[0].line_id, now)
            marks = _marks(begun, now, host)
            (marked,) = run_together(conn, (_MARK, marks), first=switch.HOLD_STILL)
        if marked != len(begun):
            raise VerbFailed(reason="the claim of a message to be sent is gone, or sending is switched off")
    _note_sending(conn, begun)


def _note_sending(conn: Connection, begun: Sequence[Sending]) -> None:
    if events.wanted():
        events.note(conn, *(f"event=sending {_named(each)} line={each.line_id}" for each in begun))


def _marks(begun: Sequence[Sending], now: datetime, host: str) -> list[dict[str, Any]]:
    return [
        {"of_part": b.part_id, "of_line": b.line_id, "expected": b.expected_reference, "host": host, "at": now}
        for b in begun
    ]


def _make_room(conn: Connection, line_id: int, now: datetime) -> None:
    """For a line that has never sent, or whose last part was left in the air."""
    row = conn.execute(_AIR_OF_LINE, {"of_line": line_id}).one_or_none()
    if row is None:
        conn.execute(in_air.insert().values(line_id=line_id))
    elif row.part_id is not None:
        Work(conn, parts=[row.part_id]).write(now)


@hasty(0)  # the line's next part takes its place in the air
def sent(conn: Connection, items: Sequence[Sent], now: datetime) -> list[None]:
    """+CMGS came, also late: the part is sent, whether it was sending, in doubt or held. Idempotent.

    It is all that must be on the disk before the line's next part may leave. The rest is for `follow_up`.
    """
    return turn(conn, items, now, host="")


def _after_sent(conn: Connection, ended: Sequence[Sent], now: datetime, written: int) -> None:
    late = _sent_late(conn, ended, now) if written < len(ended) else set()
    _note_sent(conn, [each for each in ended if each.part_id not in late])


def _note_sent(conn: Connection, ended: Sequence[Sent]) -> None:
    if events.wanted():
        events.note(conn, *(f"event=sent {_named(each)} reference={each.reference}" for each in ended))


def _named(item: Sending | Sent) -> str:
    return f"part={item.part_id}" if item.message_id is None else f"message={item.message_id} part={item.part_id}"


def _sent_late(conn: Connection, items: Sequence[Sent], now: datetime) -> set[int]:
    """Some had their answer already, or were in doubt: nobody claims those, so their messages follow at once.

    The parts that were in doubt.
    """
    work = Work(conn, parts=[item.part_id for item in items])
    moved: set[int] = set()
    for item in items:
        late = work.part(item.part_id)
        if late.state in (SENDING, IN_DOUBT, HELD):
            work.move(late, SENT, reference=item.reference, sent_at=now)
            moved.add(late.id)
    work.write(now)
    follow_up(conn, [item.part_id for item in items], now)
    return moved


def follow_up(conn: Connection, part_ids: Sequence[int], now: datetime) -> list[None]:
    """What may wait of parts that were sent: the rows of their messages and lines, the reports that were there first.

    A daemon that was killed before it makes up for it when it starts: see `leases.recover`.
    """
    if part_ids and _follow(conn, part_ids, now):
        status_reports.settle_waiting(conn, part_ids, now)
    return [None] * len(part_ids)


def _follow(conn: Connection, part_ids: Sequence[int], now: datetime) -> bool:
    """Bring the rows in line; whether a report may wait for one of the parts. PostgreSQL does it in one round trip."""
    if conn.dialect.name != "postgresql":
        follow(conn, part_ids, now)
        conn.execute(_LAST_REFERENCES, {"part_ids": part_ids})
        return True
    ids = list(part_ids)
    steps = (_FOLLOW(conn, part_ids=ids, at=now), _NUMBER(conn, part_ids=ids), _WAITING(conn, ids=ids))
    *_, waiting = pipeline.send(conn, steps)
    return bool(waiting.rowcount)


def refused(conn: Connection, items: Sequence[Refused], now: datetime) -> list[MessageState]:
    """sending -> queued until retry_at, counting an attempt, or failed if permanent or max_attempts are used up.

    A refusal that comes after its time-out settles a part in doubt in the same way.
    """
    work = Work(conn, parts=[item.part_id for item in items])
    for item in items:
        kept = work.part(item.part_id)
        if kept.state not in (SENDING, IN_DOUBT):
            continue
        attempts = kept.message.attempts + 1
        if item.permanent or attempts >= item.max_attempts:
            work.move(kept, FAILED)
            work.change(kept.message, attempts=attempts, error=item.error)
            continue
        _requeue(work, kept)
        due = item.retry_at is None or item.retry_at <= now
        work.change(kept.message, attempts=attempts, error=item.error, due=due, not_before=item.retry_at)
    work.write(now)
    return [work.part(item.part_id).message.state for item in items]


def not_sent(conn: Connection, part_ids: Sequence[int], now: datetime) -> list[MessageState]:
    """Ctrl-Z was certainly not written: sending -> queued at once, counting no attempt."""
    work = Work(conn, parts=part_ids)
    for part_id in part_ids:
        kept = work.part(part_id)
        if kept.state is SENDING:
            _requeue(work, kept)
    work.write(now)
    wakeup.notify(conn)
    return [work.part(part_id).message.state for part_id in part_ids]


def _requeue(work: Work, kept: Part) -> None:
    work.move(kept, QUEUED, **NEVER_HANDED_OVER)
    work.change(kept.message, **UNCLAIMED)


def doubt(conn: Connection, part_ids: Sequence[int], now: datetime) -> list[MessageState]:
    """Ctrl-Z was written and its answer never seen: sending -> in_doubt."""
    work = Work(conn, parts=part_ids)
    for part_id in part_ids:
        doubtful = work.part(part_id)
        if doubtful.state is SENDING:
            work.move(doubtful, IN_DOUBT)
    work.write(now)
    return [work.part(part_id).message.state for part_id in part_ids]


def skip(conn: Connection, items: Sequence[Skip], now: datetime) -> list[MessageState]:
    """Not to be sent after all (paid, opted out, not allowed): what is queued of it -> skipped, with the reason."""
    return _end(conn, items, SKIPPED, now)


def cancel(conn: Connection, items: Sequence[Skip], now: datetime) -> list[MessageState]:
    """Taken back, perhaps to be queued anew at another time: what is queued of it -> cancelled, with the reason."""
    return _end(conn, items, CANCELLED, now)


def _end(conn: Connection, items: Sequence[Skip], state: MessageState, now: datetime) -> list[MessageState]:
    work = Work(conn, messages=[item.message_id for item in items])
    for item in items:
        ended = work.message(item.message_id)
        for unsent in ended.parts:
            if unsent.state is QUEUED:
                work.move(unsent, state)
                work.change(ended, error=item.reason)
    work.write(now)
    return [work.message(item.message_id).state for item in items]
