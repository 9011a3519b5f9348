"""Sign-ins of staff: kept here, so that they end here, whatever a browser still holds."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from modemd.store import staff as people
from modemd.store.schema import staff, staff_session
from modemd.store.staff import Person

LASTS = timedelta(hours=12)  # a working day
SEEN_EVERY = timedelta(minutes=1)  # how often it is written down that somebody is there


@dataclass(frozen=True, slots=True)
class SignIn:
    """One sign-in that has not ended, as people see it; `id` is the hash of its token."""

    id: str
    created_at: datetime
    seen_at: datetime
    address: str | None
    agent: str | None


def begin(conn: Connection, person: Person, address: str | None, agent: str | None, now: datetime) -> str:
    """A new sign-in; returns the token for the browser. Clears away those that are over."""
    conn.execute(staff_session.delete().where(staff_session.c.created_at <= now - LASTS))
    token = secrets.token_urlsafe(32)
    row = {
        "token_hash": hash_of(token),
        "staff_id": person.id,
        "password_session": person.session,
        "created_at": now,
        "seen_at": now,
        "address": (address or "")[:64] or None,
        "agent": (agent or "")[:160] or None,
    }
    conn.execute(staff_session.insert(), row)
    return token


def find(conn: Connection, token: str, now: datetime) -> tuple[Person, datetime] | None:
    """Who holds this token, and when that was written down last. None: it has ended, or the password has changed."""
    row = conn.execute(
        people.PERSON.add_columns(staff_session.c.seen_at)
        .join(staff_session, staff_session.c.staff_id == staff.c.id)
        .where(
            staff_session.c.token_hash == hash_of(token),
            staff_session.c.password_session == staff.c.session,
            staff_session.c.created_at > now - LASTS,
        )
    ).first()
    return (people.person(row), row.seen_at) if row else None


def seen(conn: Connection, token: str, now: datetime) -> None:
    """Somebody is there."""
    conn.execute(staff_session.update().where(staff_session.c.token_hash == hash_of(token)).values(seen_at=now))


def of(conn: Connection, person_id: int, now: datetime) -> Sequence[SignIn]:
    """The sign-ins of a person that have not ended, the newest first."""
    rows = conn.execute(
        select(staff_session)
        .join(staff, staff.c.id == staff_session.c.staff_id)
        .where(
            staff_session.c.staff_id == person_id,
            staff_session.c.password_session == staff.c.session,
            staff_session.c.created_at > now - LASTS,
        )
        .order_by(staff_session.c.created_at.desc())
    )
    return [SignIn(row.token_hash, row.created_at, row.seen_at, row.address, row.agent) for row in rows]


def end(conn: Connection, person_id: int, session_id: str) -> None:
    """End one sign-in of this person; one that is not his stays."""
    own = staff_session.c.staff_id == person_id
    conn.execute(staff_session.delete().where(own, staff_session.c.token_hash == session_id))


def end_all(conn: Connection, person_id: int) -> None:
    """End every sign-in of this person."""
    conn.execute(staff_session.delete().where(staff_session.c.staff_id == person_id))


def hash_of(token: str) -> str:
    """A token is random and long: a plain hash keeps it from who reads the database."""
    return hashlib.sha256(token.encode()).hexdigest()
