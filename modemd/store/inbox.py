"""SMS received: recorded once before the modem deletes them (rule 1), answered once (rule 3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from modemd.messages import ReceivedSms
from modemd.store.schema import InboxState


@dataclass(frozen=True, slots=True)
class Recorded:
    inbox_id: int | None  # None: a part of a long message whose other parts have not come, or a duplicate
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Question:
    id: int
    line_id: int
    number: str | None
    replyable: bool
    text: str | None
    received_at: datetime
    complete: bool  # False: parts of it never came


def record(conn: Connection, line_id: int, received: Sequence[ReceivedSms], now: datetime) -> list[Recorded]:
    """Keep what a modem read, each SMS once however often it is read, and join long messages that are complete."""
    raise NotImplementedError


def deleted(conn: Connection, line_id: int, received: Sequence[ReceivedSms]) -> None:
    """The modem has deleted these. One without a time stamp was known by its place, which may now hold another."""
    raise NotImplementedError


def pending(conn: Connection, limit: int) -> list[Question]:
    """Messages that wait for an answer, oldest first."""
    raise NotImplementedError


def done(conn: Connection, inbox_id: int, state: InboxState, kind: str | None, now: datetime) -> None:
    """new -> done or unread. Raises VerbFailed if it was not new, so that the reply in the same transaction is undone."""
    raise NotImplementedError
