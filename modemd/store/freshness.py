"""How old the data from billing is: too old for comfort, or too old to remind anybody by it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, select

from modemd.store.schema import dataset


class Age(StrEnum):
    NONE = "none"  # no open items have ever come
    FRESH = "fresh"
    OLD = "old"  # somebody has to be told
    STALE = "stale"  # nobody may be reminded


ALARM_AFTER = timedelta(hours=36)
STOP_AFTER = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Freshness:
    age: Age
    data_at: datetime | None  # of the last OPENITEMS file

    @property
    def may_remind(self) -> bool:
        return self.age in (Age.FRESH, Age.OLD)

    @property
    def alarm(self) -> str | None:
        """What to tell people, None if all is well. Where billing has never handed over anything, nobody misses it."""
        if self.data_at is None or self.age is Age.FRESH:
            return None
        hours = STOP_AFTER if self.age is Age.STALE else ALARM_AFTER
        what = "; reminders have stopped" if self.age is Age.STALE else ""
        since = self.data_at.isoformat(timespec="minutes")
        return f"the open items are of {since}, more than {hours.total_seconds() / 3600:.0f} hours old{what}"


def freshness(conn: Connection, now: datetime) -> Freshness:
    """How old the open items are that count."""
    data_at: datetime | None = conn.scalar(select(dataset.c.data_at).where(dataset.c.type == "OPENITEMS"))
    if data_at is None:
        return Freshness(Age.NONE, None)
    age = now - data_at
    return Freshness(Age.STALE if age > STOP_AFTER else Age.OLD if age > ALARM_AFTER else Age.FRESH, data_at)
