"""What a modem has been through: its states, and its signal sparsely."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from modemd.messages import Reason
from modemd.store import reasons
from modemd.store.schema import modem, modem_event, signal_sample

READY = "ready"
EVERY = timedelta(minutes=10)  # between two samples of a signal that stays
CHANGED_DBM = 6  # from here on a sample of its own, if the last one is a minute old
AT_MOST_EVERY = timedelta(minutes=1)
KEPT_SAMPLES = timedelta(hours=48)
KEPT_EVENTS = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Event:
    """A state that the modem came into."""

    at: datetime
    state: str
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class Sample:
    at: datetime
    dbm: int | None  # None: there was none


def moved(conn: Connection, modem_id: int, row: dict[str, Any], now: datetime) -> None:
    """Write down a state that the modem has come into, and forget what is too old."""
    event = {name: row[name] for name in ("state", "reason", "reason_code", "reason_facts")}
    conn.execute(modem_event.insert(), {"modem_id": modem_id, "at": row["state_since"], **event})
    conn.execute(modem_event.delete().where(modem_event.c.modem_id == modem_id, modem_event.c.at < now - KEPT_EVENTS))


def sample(conn: Connection, modem_id: int, dbm: int | None, now: datetime) -> None:
    """Keep the signal if the last one kept is old, or was another one; forget what is too old."""
    own = signal_sample.c.modem_id == modem_id
    last = conn.execute(select(signal_sample).where(own).order_by(signal_sample.c.at.desc()).limit(1)).first()
    if last is not None and not _worth_keeping(last.dbm, dbm, now - last.at):
        return
    conn.execute(signal_sample.insert(), {"modem_id": modem_id, "at": now, "dbm": dbm})
    conn.execute(signal_sample.delete().where(own, signal_sample.c.at < now - KEPT_SAMPLES))


def _worth_keeping(before: int | None, dbm: int | None, age: timedelta) -> bool:
    if age >= EVERY:
        return dbm is not None or before is not None
    changed = (before is None) != (dbm is None) or abs((before or 0) - (dbm or 0)) >= CHANGED_DBM
    return changed and age >= AT_MOST_EVERY


def give(conn: Connection, old: int, new: int) -> None:
    """One modem's history becomes another's: the two rows turned out to be the same modem."""
    conn.execute(modem_event.update().where(modem_event.c.modem_id == old).values(modem_id=new))
    conn.execute(signal_sample.delete().where(signal_sample.c.modem_id == old))


def all_absent(conn: Connection, host: str, row: dict[str, Any]) -> None:
    """Write down that every modem of the host that was not absent is so from now on; before that is written itself."""
    present = conn.scalars(select(modem.c.id).where(modem.c.host == host, modem.c.state != row["state"])).all()
    event = {name: row[name] for name in ("state", "reason", "reason_code", "reason_facts")}
    if present:
        conn.execute(modem_event.insert(), [{"modem_id": each, "at": row["state_since"], **event} for each in present])


def events(conn: Connection, modem_id: int, *, limit: int = 50) -> list[Event]:
    """The newest states, the newest first."""
    newest = select(modem_event).where(modem_event.c.modem_id == modem_id).order_by(modem_event.c.id.desc())
    return [
        Event(row.at, row.state, reasons.read(row.reason, row.reason_code, row.reason_facts))
        for row in conn.execute(newest.limit(limit))
    ]


def ill_since(conn: Connection, modem_ids: Sequence[int]) -> dict[int, datetime]:
    """When each first was not ready, after the last time that it was; without those of which nothing is known.

    Attempts to bring it back count as being ill: each of them moves its state, and none of them helped.
    """
    own = modem_event.c.modem_id.in_(modem_ids)
    last = select(modem_event.c.modem_id, func.max(modem_event.c.at).label("at")).group_by(modem_event.c.modem_id)
    ready = last.where(own, modem_event.c.state == READY).subquery()
    later = (
        select(modem_event.c.modem_id, func.min(modem_event.c.at))
        .join_from(modem_event, ready, ready.c.modem_id == modem_event.c.modem_id, isouter=True)
        .where(own, ready.c.at.is_(None) | (modem_event.c.at > ready.c.at))
    )
    return {row[0]: row[1] for row in conn.execute(later.group_by(modem_event.c.modem_id))}


def signal(conn: Connection, modem_id: int, since: datetime) -> Sequence[Sample]:
    """The samples since then, the oldest first."""
    found = select(signal_sample.c.at, signal_sample.c.dbm).where(
        signal_sample.c.modem_id == modem_id, signal_sample.c.at >= since
    )
    return [Sample(*row) for row in conn.execute(found.order_by(signal_sample.c.at))]
