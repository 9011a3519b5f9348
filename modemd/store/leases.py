"""Claims of living, restarted and dead hosts."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Returned:
    queued: int  # messages back in the queue
    in_doubt: int  # messages that were in the air


def renew(conn: Connection, host: str, now: datetime, lease: timedelta) -> None:
    """Prolong every claim of the host."""
    raise NotImplementedError


def recover(conn: Connection, host: str, now: datetime) -> Returned:
    """At the daemon's start: the host's own claims return to the queue, what it was sending is in doubt (rule 11)."""
    raise NotImplementedError


def reclaim_expired(conn: Connection, now: datetime) -> Returned:
    """The same for every host whose lease has ended."""
    raise NotImplementedError
