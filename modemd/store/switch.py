"""The one switch that stops all sending, or all but answers, of every daemon on this database (rule 13)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, case, false, literal_column, select, text, true

from modemd.config import ANSWERS
from modemd.store import wakeup
from modemd.store.dialects import upsert
from modemd.store.schema import ANSWER, switch

SENDING = "sending"
SWITCH_LOCK = 0x6D6F64656D64_01  # a PostgreSQL advisory lock: held shared while parts are marked
# For PostgreSQL: keeps the switch where it is until the transaction ends. SQLite has one writer at a time anyway.
HOLD_STILL = f"SELECT pg_advisory_xact_lock_shared({SWITCH_LOCK})"


class Allowed(StrEnum):
    """What may leave."""

    ALL = "all"
    ANSWERS = "answers"  # the kinds that somebody is waiting for
    NONE = "none"

    def permits(self, kind: str) -> bool:
        return self is Allowed.ALL or (self is Allowed.ANSWERS and kind in ANSWERS)


@dataclass(frozen=True, slots=True)
class Position:
    allowed: Allowed
    since: datetime | None  # None: nobody has ever moved it


# The condition on `message` under which it may leave.
PERMITTED = case(
    {Allowed.NONE.value: false(), Allowed.ANSWERS.value: literal_column(ANSWER)},
    value=select(switch.c.position).where(switch.c.name == SENDING).scalar_subquery(),
    else_=true(),
)


def sending(conn: Connection) -> Position:
    """Where the switch stands."""
    row = conn.execute(select(switch).where(switch.c.name == SENDING)).one_or_none()
    return Position(Allowed.ALL, None) if row is None else Position(Allowed(row.position), row.since)


def allow(conn: Connection, allowed: Allowed, now: datetime) -> None:
    """Move the switch. Once this is committed, nothing leaves against it but what was marked as sending before."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": SWITCH_LOCK})
    upsert(conn, switch, [{"name": SENDING, "position": allowed, "since": now}], ["name"])
    wakeup.notify(conn)
