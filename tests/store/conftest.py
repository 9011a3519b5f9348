from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from modemd.store import lines, outbox
from modemd.store.lines import Sim
from modemd.store.outbox import NewMessage

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def line_id(conn: Connection) -> int:
    """The line of a SIM in modem00."""
    return lines.identify(conn, Sim("8935901000000000001", None), "gsm-host-1", "/dev/modem00", NOW, adopt=True).id


@pytest.fixture
def other_line_id(conn: Connection, line_id: int) -> int:
    """The line of a SIM in modem01."""
    return lines.identify(conn, Sim("8935901000000000002", None), "gsm-host-1", "/dev/modem01", NOW, adopt=True).id


@pytest.fixture
def compose() -> Callable[..., NewMessage]:
    """Make a message, `compose(priority=0)`, with something fitting in every field not named."""

    def make(**fields: object) -> NewMessage:
        given = {
            "kind": "manual",
            "recipient": "+359888000001",
            "text": "Zdravey",
            "parts": 1,
            "priority": 5,
            "expires_at": NOW + timedelta(days=2),
        }
        return NewMessage(**{**given, **fields})  # type: ignore[arg-type]

    return make


@pytest.fixture
def queue(conn: Connection, compose: Callable[..., NewMessage]) -> Callable[..., int]:
    """Put one message into the outbox and return its id: `queue(priority=0)`."""

    def put(**fields: object) -> int:
        return outbox.enqueue(conn, [compose(**fields)], NOW)[0]

    return put
