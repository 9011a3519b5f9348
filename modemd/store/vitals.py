"""How the service is at this moment, in figures: what is measured, watched and alarmed by. Quick however much waits."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, case, func, literal, select, text, union_all

from modemd.store.schema import ANSWER, ANY_LINE, ONE_LINE, UNANSWERED, inbox, message, part

PRIORITIES = range(10)
_WAITING_SINCE = func.coalesce(message.c.not_before, message.c.created_at)
_IS_ANSWER = case((text(ANSWER), True), else_=False)
_OLDEST = select(_IS_ANSWER.label("answer"), func.min(_WAITING_SINCE).label("since")).where(text(ONE_LINE))
_OLDEST = _OLDEST.group_by(_IS_ANSWER)
# The pool may be long: of each priority its first, which the index gives. It is the oldest but for what was put off.
_FIRST = [
    select(_IS_ANSWER.label("answer"), _WAITING_SINCE.label("since"))
    .where(text(ANY_LINE), message.c.priority == literal(priority))
    .order_by(message.c.id)
    .limit(1)
    .subquery()
    for priority in PRIORITIES
]
_WAITING = union_all(_OLDEST, *(select(first) for first in _FIRST))


@dataclass(frozen=True, slots=True)
class Waiting:
    """Since when the oldest message waits that could leave now and is in no line's hands; None where none does."""

    answers: datetime | None  # and codes: somebody waits for them
    others: datetime | None


def waiting(conn: Connection) -> Waiting:
    found: dict[bool, datetime] = {}
    for row in conn.execute(_WAITING):
        found[row.answer] = min(found.get(row.answer, row.since), row.since)
    return Waiting(found.get(True), found.get(False))


def doubtful_since(conn: Connection, since: datetime) -> int:
    """Parts whose answer to Ctrl-Z has not been seen, of those that were handed over since then."""
    counted = select(func.count()).select_from(part).where(text(UNANSWERED), part.c.submitted_at >= since)
    return conn.scalar(counted.where(part.c.state != "sending")) or 0


def silent_lines(conn: Connection, now: datetime, window: timedelta, weeks: int, usual: int) -> list[int]:
    """Lines that nothing came in by for so long, though at this time of each of the last weeks it was usual."""
    by_week = [_came(conn, now - timedelta(weeks=week), window) for week in range(weeks + 1)]
    here, before = by_week[0], by_week[1:]
    always = set.intersection(*(set(came) for came in before))
    return sorted(line for line in always if line not in here and min(came[line] for came in before) >= usual)


def _came(conn: Connection, until: datetime, window: timedelta) -> dict[int, int]:
    """Messages that each line has received in the time before."""
    within = (inbox.c.received_at > until - window) & (inbox.c.received_at <= until)
    counted = select(inbox.c.line_id, func.count()).where(within).group_by(inbox.c.line_id)
    return {row[0]: row[1] for row in conn.execute(counted)}
