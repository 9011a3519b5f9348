import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine

from modemd.config import Settings
from modemd.store import database as opening
from modemd.store import lines
from modemd.store.lines import Sim
from tests.service.desk import NOW, Desk
from tests.service.runs import Runs


@pytest.fixture
def desk(conn: Connection) -> Desk:
    line = lines.identify(conn, Sim("8935901000000000001", None), "gsm-host-1", "/dev/modem00", NOW, adopt=True)
    return Desk(conn, line.id, Settings())


@pytest.fixture
def billed(desk: Desk) -> Callable[..., str]:
    """Register a phone with one customer for each of its bills (cents, due), 0 for none; returns the phone."""

    def make(*bills: tuple[int, date], language: str = "bg-Latn") -> str:
        numbers = [f"{300000000001 + at}" for at in range(len(bills))]
        desk.no_items()
        desk.customers(*numbers)
        for number, (cents, due) in zip(numbers, bills, strict=True):
            if cents:
                desk.owes(number, cents, due)
        desk.register("+359888000101", *numbers, language=language)
        return "+359888000101"

    return make


@pytest.fixture
def runs(desk: Desk, request: pytest.FixtureRequest) -> Runs:
    """Reminder runs; indirectly parametrised with settings."""
    settings = Settings.model_validate({"reminders": {"pause_after": 0}, **getattr(request, "param", {})})
    return Runs(desk, settings)


@pytest.fixture
def local_engine(sqlite_template: Path, tmp_path: Path) -> Iterator[Engine]:
    """A file of SQLite with one active customer in it, for commands."""
    shutil.copy(sqlite_template, tmp_path / "modemd.db")
    engine = opening.connect(f"sqlite:///{tmp_path / 'modemd.db'}")
    with opening.writing(engine) as conn:
        Desk(conn, 0, Settings()).customers("300000000001")
    yield engine
    engine.dispose()
