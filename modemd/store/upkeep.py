"""What time does to the outbox: messages become due, expire, and are no longer waited for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class DoubtPolicy:
    """From [kinds.<kind>]."""

    repeatable: bool
    patience: timedelta  # in_doubt_seconds


@dataclass(frozen=True, slots=True)
class Settled:
    repeated: int
    held: int


def promote_due(conn: Connection, now: datetime) -> datetime | None:
    """Let the messages go whose not_before has passed; returns when the next one is due, None if none waits."""
    raise NotImplementedError


def expire(conn: Connection, now: datetime) -> int:
    """Queued and unclaimed messages past their expires_at become expired; returns how many."""
    raise NotImplementedError


def settle(conn: Connection, policies: Mapping[str, DoubtPolicy], now: datetime) -> Settled:
    """In doubt for longer than its kind's patience: queued again once if the kind is repeatable, else held for a person."""
    raise NotImplementedError
