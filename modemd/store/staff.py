"""People of the panel: who may sign in, and as what."""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, or_, select

from modemd.errors import Because, PasswordRefused, UserRefused
from modemd.store import passwords
from modemd.store.dialects import insert_into
from modemd.store.schema import staff, staff_session

_NAME = re.compile(r"[a-z][a-z0-9._-]{1,63}")


class Role(StrEnum):
    TECHNICIAN = "technician"
    OPERATOR = "operator"
    MANAGER = "manager"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    name: str
    role: Role
    one_time: bool  # the password was handed out: to be changed before anything else
    session: str  # new with each password
    has_factor: bool = False  # a second one, besides the password


PERSON = select(
    staff.c.id,
    staff.c.name,
    staff.c.role,
    staff.c.one_time,
    staff.c.session,
    staff.c.totp_secret.is_not(None).label("has_factor"),
)


def add(conn: Connection, name: str, role: str, now: datetime) -> str:
    """Let somebody into the panel; returns the one-time password.

    Raises UserRefused for a name that is no name or is taken, and for a role that does not exist.
    """
    name, known_role = tidy(name), _role(role)
    if not _NAME.fullmatch(name):
        reason = Because("a name has 2 to 64 small Latin letters, digits and . _ -, and begins with a letter")
        raise UserRefused(reason=reason)
    password = passwords.one_time()
    row = {"name": name, "role": known_role, "created_at": now, **_password(password, one_time=True)}
    added = insert_into(conn, staff).values(**row).on_conflict_do_nothing(index_elements=["name"])
    if conn.scalar(added.returning(staff.c.id)) is None:
        raise UserRefused(reason=Because("there is a user named {name} already", name=name))
    return password


def has_admin(conn: Connection) -> bool:
    """Whether there is anybody who may let others in."""
    return conn.scalar(select(staff.c.id).where(staff.c.role == Role.ADMIN).limit(1)) is not None


def set_password(conn: Connection, name: str, password: str, role: str, now: datetime) -> None:
    """Give a person this very password and role, whether there was such a person before or not."""
    row = {"name": tidy(name), "role": _role(role), "created_at": now, **_password(password, one_time=False)}
    written = {key: value for key, value in row.items() if key not in ("name", "created_at")}
    conn.execute(insert_into(conn, staff).values(**row).on_conflict_do_update(index_elements=["name"], set_=written))


def check(conn: Connection, name: str, password: str) -> Person | None:
    """The person with this name and password, if any. Takes the same time, some 50 ms, when there is no such name."""
    found = conn.execute(PERSON.add_columns(staff.c.password_hash).where(staff.c.name == tidy(name))).first()
    if not passwords.fits(found.password_hash if found else None, password):
        return None
    return person(found) if found else None


def change_password(conn: Connection, person_id: int, password: str) -> Person:
    """Write a person's own new password, which ends the sign-ins of the old one; returns the person as it is now.

    Raises PasswordRefused.
    """
    passwords.check_length(password)
    changed = staff.update().where(staff.c.id == person_id).values(**_password(password, one_time=False))
    if conn.execute(changed).rowcount != 1:
        raise PasswordRefused(reason=Because("there is no such user any more"))
    return person(conn.execute(PERSON.where(staff.c.id == person_id)).one())


def named(conn: Connection, name: str) -> Person | None:
    """The person with this name."""
    row = conn.execute(PERSON.where(staff.c.name == tidy(name))).first()
    return person(row) if row else None


def everybody(conn: Connection) -> list[Person]:
    """Everyone who may sign in, by name."""
    return [person(row) for row in conn.execute(PERSON.order_by(staff.c.name))]


def get(conn: Connection, person_id: int) -> Person | None:
    """The person with this id."""
    row = conn.execute(PERSON.where(staff.c.id == person_id)).first()
    return person(row) if row else None


def change_role(conn: Connection, person_id: int, role: str) -> None:
    """Give a person another role. Raises UserRefused for one that does not exist."""
    conn.execute(staff.update().where(staff.c.id == person_id).values(role=_role(role)))


def new_one_time(conn: Connection, person_id: int) -> str:
    """A new one-time password, which ends all sign-ins of this person; returns it."""
    password = passwords.one_time()
    conn.execute(staff.update().where(staff.c.id == person_id).values(**_password(password, one_time=True)))
    return password


def remove(conn: Connection, person_id: int) -> None:
    """Let a person in no more. What the person did stays in the audit log under the name."""
    conn.execute(staff_session.delete().where(staff_session.c.staff_id == person_id))
    conn.execute(staff.delete().where(staff.c.id == person_id))


def factor(conn: Connection, person_id: int) -> tuple[str | None, int | None]:
    """(secret, step of the last code that was taken) of a second factor."""
    row = conn.execute(select(staff.c.totp_secret, staff.c.totp_step).where(staff.c.id == person_id)).one()
    return row.totp_secret, row.totp_step


def factors(conn: Connection) -> list[tuple[int, str]]:
    """(person, secret) of everybody who has a second factor."""
    query = select(staff.c.id, staff.c.totp_secret).where(staff.c.totp_secret.is_not(None))
    return [(row.id, row.totp_secret) for row in conn.execute(query)]


def set_factor(conn: Connection, person_id: int, secret: str | None, step: int | None = None) -> None:
    """Keep the secret of a second factor; None: it has none any more."""
    conn.execute(staff.update().where(staff.c.id == person_id).values(totp_secret=secret, totp_step=step))


def take_step(conn: Connection, person_id: int, step: int) -> bool:
    """True once for each step of time: a code that somebody has looked at over a shoulder is good for nothing."""
    before = or_(staff.c.totp_step.is_(None), staff.c.totp_step < step)
    taken = staff.update().where(staff.c.id == person_id, before).values(totp_step=step)
    return conn.execute(taken).rowcount == 1


def tidy(name: str) -> str:
    """A name as it is kept: people type capitals and spaces that they do not mean."""
    return name.strip().lower()


def _role(role: str) -> Role:
    try:
        return Role(role)
    except ValueError:
        raise UserRefused(reason=Because("a role is one of {roles}", roles=", ".join(Role))) from None


def _password(password: str, *, one_time: bool) -> dict[str, Any]:
    return {"password_hash": passwords.hashed(password), "one_time": one_time, "session": str(uuid.uuid4())}


def person(row: Any) -> Person:
    """Of a row of PERSON."""
    return Person(row.id, row.name, Role(row.role), row.one_time, row.session, bool(row.has_factor))
