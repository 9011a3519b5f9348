"""The rows of a REGISTRATIONS file: which customers have agreed to which services, and which no more."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select

from modemd.config import SOFIA
from modemd.service.consent import SERVICES
from modemd.store.schema import consent

_CUSTOMER_DIGITS = 12  # a pseudonym is longer: of who is erased nothing is told any more
_TOLD = func.length(consent.c.customer_no) == _CUSTOMER_DIGITS
_BEGUN = and_(consent.c.begin_file_id.is_(None), _TOLD)
_ENDED = and_(consent.c.end_file_id.is_(None), consent.c.ended_at.is_not(None), _TOLD)


def claim(conn: Connection, file_id: int, most: int) -> int:
    """Let a file tell of what has begun and ended since the last one; returns how many rows it will have."""
    count = 0
    for which, column in ((_BEGUN, consent.c.begin_file_id), (_ENDED, consent.c.end_file_id)):
        some = select(consent.c.id).where(which).order_by(consent.c.id).limit(most // 2)
        count += conn.execute(consent.update().where(consent.c.id.in_(some)).values({column: file_id})).rowcount
    return count


def rows(conn: Connection, file_id: int) -> Iterator[Mapping[str, str]]:
    """What the file tells, in the order in which it happened."""
    told = or_(consent.c.begin_file_id == file_id, consent.c.end_file_id == file_id)
    events = []
    for row in conn.execute(select(consent).where(told)):
        if row.begin_file_id == file_id:
            events.append((row.begun_at, row.id, 1, row))
        if row.end_file_id == file_id:
            events.append((row.ended_at, row.id, 0, row))
    for at, _, begins, row in sorted(events, key=lambda event: (event[0], event[2], event[1])):
        yield {
            "customer_no": row.customer_no,
            "phone_last3": row.phone[-3:],
            "event": "BEGIN" if begins else "END",
            "services": _services(row),
            "channel": row.channel if begins else row.end_channel,
            "at": at.astimezone(SOFIA).isoformat(timespec="seconds"),
        }


def _services(row: Any) -> str:
    return ",".join(service for service in SERVICES if row._mapping[service])
