import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from modemd.store import database as opening
from tests.billing.office import Office


@pytest.fixture
def office(database: Engine, tmp_path: Path) -> Office:
    return Office(database, tmp_path)


@pytest.fixture
def local_office(sqlite_template: Path, tmp_path: Path) -> Iterator[Office]:
    """On SQLite alone, for what the database has no part in."""
    shutil.copy(sqlite_template, tmp_path / "modemd.db")
    engine = opening.connect(f"sqlite:///{tmp_path / 'modemd.db'}")
    yield Office(engine, tmp_path)
    engine.dispose()
