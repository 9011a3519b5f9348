"""Long messages: parts wait in inbox_part until all have come or it has taken too long.

Phones count their 8-bit references up and wrap, some use one number for ever, and parts come in any order or twice. So
parts belong together when line, sender, reference and total are the same and the centre took them within WINDOW.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select, text

from modemd.messages import ReceivedSms
from modemd.store.dialects import together
from modemd.store.schema import InboxState, inbox, inbox_part

WINDOW = timedelta(hours=1)  # between the first and the last part; a phone sends them within minutes
RESENT = timedelta(minutes=2)  # a phone that missed the centre's acknowledgement sends the part again
GAP = " … "  # stands for the parts that never came

NUMBERED = "inbox"  # the key of a lock: ids of the inbox are handed out and not committed yet

_taken_at = func.coalesce(inbox_part.c.smsc_time, inbox_part.c.received_at, type_=inbox_part.c.received_at.type)
_PARTS = select(inbox_part, _taken_at.label("taken_at"))
_WAITING = text("inbox_part.inbox_id IS NULL AND inbox_part.reference IS NOT NULL")


def known(conn: Connection, line_id: int, sms: ReceivedSms) -> bool:
    """Whether this part has come before under another time stamp: it waits for the others, or was joined just now."""
    concatenation, at = sms.concatenation, sms.smsc_time or sms.received_at
    if concatenation is None:
        return False
    same = _PARTS.where(
        inbox_part.c.line_id == line_id,
        inbox_part.c.number == sms.number,
        inbox_part.c.reference == concatenation.reference,
        inbox_part.c.total == concatenation.total,
        inbox_part.c.part == concatenation.part,
        inbox_part.c.text == sms.text,
    )
    within = [(row.inbox_id, abs(row.taken_at - at)) for row in conn.execute(same)]
    return any(apart <= (WINDOW if inbox_id is None else RESENT) for inbox_id, apart in within)


def join(conn: Connection, part_id: int) -> int | None:
    """Join the part with those that wait; returns the inbox id if the message is complete now."""
    new = conn.execute(_PARTS.where(inbox_part.c.id == part_id)).one()
    waiting = _PARTS.where(
        _WAITING,
        inbox_part.c.line_id == new.line_id,
        inbox_part.c.number == new.number,
        inbox_part.c.reference == new.reference,
        inbox_part.c.total == new.total,
    )
    nearest: dict[int, Row[Any]] = {}
    for row in sorted(conn.execute(waiting), key=lambda row: abs(row.taken_at - new.taken_at), reverse=True):
        if abs(row.taken_at - new.taken_at) <= WINDOW:
            nearest[row.part] = row
    nearest[new.part] = new
    if not all(number in nearest for number in range(1, new.total + 1)):
        return None
    return _enter(conn, [nearest[number] for number in range(1, new.total + 1)])


def give_up(conn: Connection, older_than: datetime) -> list[int]:
    """Long messages whose last part came before `older_than` enter the inbox as they are; returns the inbox ids."""
    same: defaultdict[tuple[Any, ...], list[Row[Any]]] = defaultdict(list)
    for row in conn.execute(_PARTS.where(_WAITING).order_by("taken_at", inbox_part.c.id)):
        same[row.line_id, row.number, row.reference, row.total].append(row)
    together(conn, NUMBERED)
    unfinished = [group for rows in same.values() for group in _messages(rows)]
    return [_enter(conn, group) for group in unfinished if max(row.received_at for row in group) < older_than]


def _messages(rows: Iterable[Row[Any]]) -> list[list[Row[Any]]]:
    """Parts with one reference, in order of time, as the messages they come from."""
    groups: list[list[Row[Any]]] = []
    for row in rows:
        for group in groups:
            if row.taken_at - group[0].taken_at <= WINDOW and row.part not in {each.part for each in group}:
                group.append(row)
                break
        else:
            groups.append([row])
    return groups


def _enter(conn: Connection, parts: Sequence[Row[Any]]) -> int:
    """One inbox row for parts that belong together."""
    ordered = sorted(parts, key=lambda row: row.part)
    first = ordered[0]
    inbox_id: int = conn.execute(
        inbox.insert().returning(inbox.c.id),
        {
            "line_id": first.line_id,
            "number": first.number,
            "replyable": first.replyable,
            "text": _text(ordered, first.total),
            "parts": first.total,
            "complete": len(ordered) == first.total,
            "state": InboxState.NEW,
            "smsc_time": min((row.smsc_time for row in ordered if row.smsc_time), default=None),
            "received_at": max(row.received_at for row in ordered),
        },
    ).scalar_one()
    conn.execute(inbox_part.update().where(inbox_part.c.id.in_([row.id for row in ordered])).values(inbox_id=inbox_id))
    return inbox_id


def _text(ordered: Collection[Row[Any]], total: int) -> str | None:
    texts = {row.part: row.text for row in ordered}
    if all(each is None for each in texts.values()):
        return None
    joined = ""
    for number in range(1, total + 1):
        if number in texts:
            joined += texts[number] or ""
        elif not joined.endswith(GAP):
            joined += GAP
    return joined
