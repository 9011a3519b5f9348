"""The way of an SMS out: enqueue, claim, mark_sending, sent. Its states are moved in `parts.py`.

Verbs of the shape `verb(conn, items, now, …) -> one result per item` are for Ledger.batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from modemd.store.schema import MessageState


@dataclass(frozen=True, slots=True)
class NewMessage:
    kind: str
    recipient: str
    text: str
    parts: int
    priority: int  # 0 leaves first
    expires_at: datetime
    line_id: int | None = None  # leaves through this line; None: any
    not_before: datetime | None = None
    in_reply_to: int | None = None  # inbox.id
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Want:
    """What a line could take: up to `count` messages of priority 0 … max_priority."""

    line_id: int
    count: int
    max_priority: int = 9


@dataclass(frozen=True, slots=True)
class OpenPart:
    id: int
    number: int  # 1 … parts


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that is this host's to send through this line until its lease ends."""

    message_id: int
    line_id: int
    kind: str
    recipient: str
    text: str
    parts: int
    priority: int
    expires_at: datetime
    attempts: int
    open_parts: tuple[OpenPart, ...]  # not yet sent, in order


@dataclass(frozen=True, slots=True)
class Sending:
    part_id: int
    line_id: int


@dataclass(frozen=True, slots=True)
class Sent:
    part_id: int
    reference: int  # TP-MR, from +CMGS


@dataclass(frozen=True, slots=True)
class Refused:
    """The modem or the network said no before or instead of +CMGS."""

    part_id: int
    error: str  # for people
    permanent: bool
    retry_at: datetime | None  # None: at once
    max_attempts: int  # kinds.<kind>.max_attempts


def enqueue(conn: Connection, messages: Sequence[NewMessage], now: datetime) -> list[int]:
    """Put messages into the outbox; returns their ids in order. Raises VerbFailed where an external_id exists already."""
    raise NotImplementedError


def claim(conn: Connection, wants: Sequence[Want], now: datetime, host: str, lease: timedelta) -> list[list[Claim]]:
    """Give each want its next messages by (priority, id): those pinned to its line and those of the common pool.

    Messages whose expires_at has passed become `expired` on the way. Costs the same however long the queue is.
    """
    raise NotImplementedError


def release(conn: Connection, message_ids: Sequence[int], now: datetime, host: str) -> list[None]:
    """Claimed but not begun: back into the queue. What this host has not claimed, or has begun, stays as it is."""
    raise NotImplementedError


def mark_sending(conn: Connection, sendings: Sequence[Sending], now: datetime, host: str) -> list[None]:
    """Before Ctrl-Z (rule 2): queued -> sending, if the host still holds the claim for that line. Raises VerbFailed if not."""
    raise NotImplementedError


def sent(conn: Connection, items: Sequence[Sent], now: datetime) -> list[MessageState]:
    """+CMGS came, also late: sending, in_doubt or held -> sent. Idempotent. Returns the states of the messages.

    A status report that was there first settles the part at once.
    """
    raise NotImplementedError


def refused(conn: Connection, items: Sequence[Refused], now: datetime) -> list[MessageState]:
    """sending -> queued until retry_at, counting an attempt, or failed if permanent or max_attempts are used up."""
    raise NotImplementedError


def not_sent(conn: Connection, part_ids: Sequence[int], now: datetime) -> list[MessageState]:
    """Ctrl-Z was certainly not written: sending -> queued at once, counting no attempt."""
    raise NotImplementedError


def doubt(conn: Connection, part_ids: Sequence[int], now: datetime) -> list[MessageState]:
    """Ctrl-Z was written and its answer never seen: sending -> in_doubt."""
    raise NotImplementedError
