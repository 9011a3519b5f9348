"""Who comes into the portal: accounts with a password, the sessions of both doors, and what a КЕП opens.

A cookie holds a random token and nothing of anybody; the database holds its hash.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, select

from modemd import audit
from modemd.errors import Because, PasswordRefused, RegistrationRefused
from modemd.store import passwords
from modemd.store.schema import Channel, account, kep_nonce, portal_session

NAME_GROUPS = 2  # of 4 letters; handed out, not chosen, so that a name tells nothing
SESSION_LASTS = timedelta(hours=1)
NONCE_LASTS = timedelta(minutes=5)  # to choose a certificate and type its PIN


@dataclass(frozen=True, slots=True)
class Credentials:
    """To be printed for the customer, and kept nowhere."""

    name: str
    password: str


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in, and the customers that he may see and change."""

    id: int
    account_id: int | None
    name: str | None  # of the account, as it is typed in
    customer_numbers: tuple[str, ...]
    one_time: bool  # the password was handed out: to be changed before anything else

    @property
    def channel(self) -> Channel:
        return Channel.KEP if self.account_id is None else Channel.PASSWORD


# accounts


def hand_out(conn: Connection, customer_no: str, who: str, now: datetime) -> Credentials:
    """A user name and a one-time password for a customer who stands at the desk; a lost password is replaced like this.

    The name stays the same over the years. Whoever was signed in with the old password is out.
    """
    password = passwords.one_time()
    written = {"password_hash": passwords.hashed(password), "one_time": True}
    found = conn.execute(select(account.c.id, account.c.name).where(account.c.customer_no == customer_no)).first()
    if found is None:
        name = passwords.letters(NAME_GROUPS)
        row = {"customer_no": customer_no, "name": name, "created_at": now, "created_by": who, **written}
        conn.execute(account.insert(), row)
    else:
        name = found.name
        conn.execute(account.update().where(account.c.id == found.id).values(**written))
        conn.execute(delete(portal_session).where(portal_session.c.account_id == found.id))
    audit.note(conn, who, "account.hand-out", customer_no, "", now)
    return Credentials(name, password)


def check(conn: Connection, name: str, password: str) -> int | None:
    """The account with this name and password, if any; takes the same time when there is no such name."""
    tidy = "".join(name.lower().split())
    found = conn.execute(select(account.c.id, account.c.password_hash).where(account.c.name == tidy)).first()
    known = passwords.fits(found.password_hash if found else None, password)
    return int(found.id) if found is not None and known else None


def change_password(conn: Connection, session: Session, password: str, now: datetime) -> str:
    """A customer's own password; every sign-in with the old one ends. Returns the cookie of a new session.

    Raises PasswordRefused for one that is too short or too long, or is the present one.
    """
    passwords.check_length(password)
    account_id = session.account_id
    present = conn.scalar(select(account.c.password_hash).where(account.c.id == account_id))
    if account_id is None or present is None:
        raise PasswordRefused(reason=Because("who signs in with a КЕП has no password here"))
    if passwords.fits(present, password):
        raise PasswordRefused(reason=Because("it is the present one; choose another"))
    changed = account.update().where(account.c.id == account_id)
    conn.execute(changed.values(password_hash=passwords.hashed(password), one_time=False))
    conn.execute(delete(portal_session).where(portal_session.c.account_id == account_id))
    return begin(conn, account_id, now)


# sessions


def begin(conn: Connection, account_id: int, now: datetime) -> str:
    """Sign an account in; returns what its cookie holds."""
    customer_no = conn.execute(select(account.c.customer_no).where(account.c.id == account_id)).scalar_one()
    return _begin(conn, account_id, (customer_no,), now)


def _begin(conn: Connection, account_id: int | None, customer_numbers: Sequence[str], now: datetime) -> str:
    conn.execute(delete(portal_session).where(portal_session.c.expires_at <= now))
    token = secrets.token_urlsafe(32)
    row = {"token_hash": _hash(token), "account_id": account_id, "customer_numbers": " ".join(customer_numbers)}
    conn.execute(portal_session.insert(), {**row, "begun_at": now, "expires_at": now + SESSION_LASTS})
    return token


def of_cookie(conn: Connection, token: str, now: datetime) -> Session | None:
    """Who holds this cookie, while the session lasts."""
    query = (
        select(
            portal_session.c.id,
            portal_session.c.account_id,
            account.c.name,
            portal_session.c.customer_numbers,
            account.c.one_time,
        )
        .outerjoin_from(portal_session, account, account.c.id == portal_session.c.account_id)
        .where(portal_session.c.token_hash == _hash(token), portal_session.c.expires_at > now)
    )
    row = conn.execute(query).first()
    if row is None:
        return None
    return Session(row.id, row.account_id, row.name, tuple(row.customer_numbers.split()), bool(row.one_time))


def end(conn: Connection, session: Session) -> None:
    """Sign out."""
    conn.execute(delete(portal_session).where(portal_session.c.id == session.id))


# the door of the КЕП: begun on the portal's host, opened on the certificates' host, entered on the portal's host


def begin_kep(conn: Connection, browser: str, now: datetime) -> str:
    """A nonce for one sign-in of the browser that holds this cookie."""
    conn.execute(delete(kep_nonce).where(kep_nonce.c.expires_at <= now))
    nonce = secrets.token_urlsafe(32)
    row = {"nonce_hash": _hash(nonce), "browser_hash": _hash(browser), "expires_at": now + NONCE_LASTS}
    conn.execute(kep_nonce.insert(), row)
    return nonce


def open_kep(conn: Connection, nonce: str, customer_numbers: Sequence[str], now: datetime) -> str:
    """A certificate was found good, and these are its holder's customers. Each nonce sees one certificate.

    Returns what takes the nonce's place from here on, for the browser with the certificate alone: who began a sign-in
    and lured somebody else to its address knows only the nonce. Raises RegistrationRefused for a nonce that is unknown,
    too old or was used.
    """
    opened = kep_nonce.update().where(
        kep_nonce.c.nonce_hash == _hash(nonce), kep_nonce.c.customer_numbers.is_(None), kep_nonce.c.expires_at > now
    )
    ticket = secrets.token_urlsafe(32)
    values = {"nonce_hash": _hash(ticket), "customer_numbers": " ".join(customer_numbers)}
    if conn.execute(opened.values(values)).rowcount != 1:
        raise _used()
    return ticket


def enter_kep(conn: Connection, ticket: str, browser: str, now: datetime) -> str:
    """Sign in the browser that began it and showed the certificate; returns what its cookie holds. Works once.

    Raises RegistrationRefused for a ticket that is unknown, too old, was used, or belongs to another browser.
    """
    mine = kep_nonce.update().where(
        kep_nonce.c.nonce_hash == _hash(ticket),
        kep_nonce.c.browser_hash == _hash(browser),
        kep_nonce.c.customer_numbers.is_not(None),
        kep_nonce.c.used_at.is_(None),
        kep_nonce.c.expires_at > now,
    )
    entered: Any = conn.execute(mine.values(used_at=now).returning(kep_nonce.c.customer_numbers)).scalar()
    if entered is None:
        raise _used()
    return _begin(conn, None, str(entered).split(), now)


def _used() -> RegistrationRefused:
    return RegistrationRefused(reason=Because("this sign-in was begun too long ago, by another browser, or is used up"))


def _hash(token: str) -> str:
    """A token has 256 bits of chance: a plain hash of it tells nothing."""
    return hashlib.sha256(token.encode()).hexdigest()
