"""Tokens: how another program proves who it is, and what it may do."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, select

from modemd import audit
from modemd.errors import NotLetIn, TokenRefused
from modemd.store import limits
from modemd.store.schema import api_token

PREFIX = "modemd_"  # so that people and programs that look for leaked secrets know one
LONGEST = 200  # characters that are looked at
MOST_DAYS = 3660
PER_MINUTE = 600
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")


class Scope(StrEnum):
    SEND = "send"  # queue messages, cancel them
    READ = "read"  # the state and history of what the same token has queued
    INBOX = "inbox"  # what came in
    LINES = "lines"
    REPORTS = "reports"


@dataclass(frozen=True, slots=True)
class Token:
    id: int
    name: str
    scopes: frozenset[Scope]
    per_minute: int  # requests; 0: no limit, here and below
    per_day: int  # messages
    created_at: datetime
    created_by: str
    expires_at: datetime
    revoked_at: datetime | None

    def is_good(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at


def issue(
    conn: Connection,
    name: str,
    scopes: Sequence[Scope],
    days: int,
    who: str,
    now: datetime,
    *,
    per_minute: int = PER_MINUTE,
    per_day: int = 0,
) -> str:
    """Make a token for a client; returns what proves it, which is kept nowhere. Raises TokenRefused."""
    if not _NAME.fullmatch(name):
        raise TokenRefused(reason="a name has 2 to 64 small Latin letters, digits and . _ -")
    if not scopes:
        raise TokenRefused(reason="without a scope it opens nothing")
    if not 1 <= days <= MOST_DAYS:
        raise TokenRefused(reason=f"it lasts 1 to {MOST_DAYS} days")
    if conn.scalar(select(api_token.c.id).where(api_token.c.name == name)) is not None:
        raise TokenRefused(reason=f"there is or was one named {name}; names are never used again")
    secret = PREFIX + secrets.token_urlsafe(32)
    row = {
        "name": name,
        "token_hash": _hash(secret),
        "scopes": " ".join(sorted(set(scopes))),
        "per_minute": per_minute,
        "per_day": per_day,
        "created_at": now,
        "created_by": who,
        "expires_at": now + timedelta(days=days),
    }
    conn.execute(api_token.insert(), row)
    audit.note(conn, who, "token.add", name, f"{row['scopes']}, {days} days", now)
    return secret


def revoke(conn: Connection, name: str, who: str, now: datetime) -> None:
    """From the commit on it opens nothing. Raises TokenRefused where there is no such token, or it is revoked."""
    good = api_token.update().where(api_token.c.name == name, api_token.c.revoked_at.is_(None))
    if conn.execute(good.values(revoked_at=now)).rowcount != 1:
        raise TokenRefused(reason=f"there is none named {name} that could be revoked")
    audit.note(conn, who, "token.revoke", name, "", now)


def all_of_them(conn: Connection) -> list[Token]:
    """Every token that there ever was, the newest first."""
    return [_token(row) for row in conn.execute(select(api_token).order_by(api_token.c.id.desc()))]


def let_in(conn: Connection, secret: str, scope: Scope | None, now: datetime, name: str | None = None) -> Token:
    """Whose token it is, if it is good and has the scope (None: any); with `name`, if it is of that client.

    Raises NotLetIn, the same for whatever is wrong and after the same look at the database.
    """
    row = conn.execute(select(api_token).where(api_token.c.token_hash == _hash(secret[:LONGEST]))).first()
    found = None if row is None else _token(row)
    if found is None or not found.is_good(now) or name not in (None, found.name):
        raise NotLetIn
    if scope is not None and scope not in found.scopes:
        raise NotLetIn
    return found


def may_ask(conn: Connection, token: Token, now: datetime) -> bool:
    """Count a request, if it stays within the token's limit."""
    return not token.per_minute or limits.take(conn, f"api:{token.id}", [(token.per_minute, timedelta(minutes=1))], now)


def _token(row: Row[Any]) -> Token:
    told = row._asdict()
    told["scopes"] = frozenset(map(Scope, row.scopes.split()))
    del told["token_hash"]
    return Token(**told)


def _hash(secret: str) -> str:
    """A secret has 256 bits of chance, more than anybody can try: a slow hash as for passwords would add nothing.

    It is looked up by its hash, so how long that takes tells nothing of a secret that exists.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
