"""Messages of both directions as people look at them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from modemd.store.schema import MessageState

Direction = Literal["mo", "mt"]


@dataclass(frozen=True, slots=True)
class Listed:
    id: int  # of the inbox for mo, of the outbox for mt
    direction: Direction
    number: str | None
    text: str | None
    state: str  # MessageState or InboxState
    kind: str | None
    line: str | None  # line.name
    parts: int
    created_at: datetime  # received at, for mo
    sent_at: datetime | None
    error: str | None


def find(
    conn: Connection,
    *,
    direction: Direction | None = None,
    state: str | None = None,
    number: str | None = None,
    limit: int = 100,
) -> list[Listed]:
    """The newest `limit` messages that fit, newest last."""
    raise NotImplementedError


def states(conn: Connection, message_ids: Sequence[int]) -> dict[int, MessageState]:
    """Where messages of the outbox stand."""
    raise NotImplementedError


def counts(conn: Connection) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """(outbox, inbox): messages by state, every state named."""
    raise NotImplementedError
