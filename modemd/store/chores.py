"""How far the work of the nights has come."""

from datetime import datetime

from sqlalchemy import Connection, select

from modemd.store.dialects import upsert
from modemd.store.schema import chore


def done_at(conn: Connection, name: str) -> datetime | None:
    """When it was last done to the end."""
    found: datetime | None = conn.scalar(select(chore.c.done_at).where(chore.c.name == name))
    return found


def done_to(conn: Connection, name: str) -> datetime | None:
    """What is older than this needs no second look."""
    found: datetime | None = conn.scalar(select(chore.c.done_to).where(chore.c.name == name))
    return found


def done(conn: Connection, name: str, now: datetime, to: datetime | None = None) -> None:
    upsert(conn, chore, [{"name": name, "done_at": now, "done_to": to}], ["name"])
