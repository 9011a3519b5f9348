"""How often each rung of the recovery ladder was tried and has helped, for each modem model."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from modemd.store.dialects import insert_into
from modemd.store.schema import recovery


@dataclass(frozen=True, slots=True)
class Tried:
    """One rung, tried once on one modem."""

    model: str  # "huawei E173"; "unknown" when the modem never told
    rung: str
    helped: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Record:
    model: str
    rung: str
    tries: int
    successes: int
    seconds: float  # of an average try
    last_at: datetime


def count(conn: Connection, tries: Sequence[Tried], now: datetime) -> list[None]:
    """Add to the record. For Ledger.post."""
    for tried in tries:
        row = {
            "model": tried.model[:64],
            "rung": tried.rung,
            "tries": 1,
            "successes": int(tried.helped),
            "seconds": tried.seconds,
            "last_at": now,
        }
        added = {name: recovery.c[name] + row[name] for name in ("tries", "successes", "seconds")}
        conn.execute(
            insert_into(conn, recovery).on_conflict_do_update(
                index_elements=["model", "rung"], set_={**added, "last_at": now}
            ),
            row,
        )
    return [None] * len(tries)


def records(conn: Connection) -> list[Record]:
    """Every model's record, by model."""
    rows = conn.execute(select(recovery).order_by(recovery.c.model, recovery.c.rung)).all()
    return [
        Record(row.model, row.rung, row.tries, row.successes, round(row.seconds / row.tries, 1), row.last_at)
        for row in rows
    ]
