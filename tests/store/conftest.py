from collections.abc import Callable

import pytest
from sqlalchemy import Connection

from modemd.store import lines
from modemd.store.lines import Sim
from tests.store.outbox_driver import HOST, NOW, Outbox


@pytest.fixture
def out(conn: Connection) -> Outbox:
    return Outbox(conn)


@pytest.fixture
def make_line() -> Callable[[Connection, int], int]:
    """Adopt the SIM in the modem with this number: `make_line(conn, 0)`."""

    def make(conn: Connection, number: int) -> int:
        sim = Sim(f"89359010000000{number:05}", None)
        return lines.identify(conn, sim, HOST, f"/dev/modem{number:02}", NOW, adopt=True).id

    return make


@pytest.fixture
def line_id(conn: Connection, make_line: Callable[[Connection, int], int]) -> int:
    return make_line(conn, 0)


@pytest.fixture
def other_line_id(conn: Connection, line_id: int, make_line: Callable[[Connection, int], int]) -> int:
    return make_line(conn, 1)
