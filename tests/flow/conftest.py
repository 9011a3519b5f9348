import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text

from tests.flow.running import RunningService


@pytest.fixture
def service(tmp_path: Path, sqlite_template: Path) -> Iterator[Callable[..., RunningService]]:
    """Make a service: `service(modems=2, settings="…", bank_options=("--send-seconds", "0.1"))`; nothing is started."""
    shutil.copy(sqlite_template, tmp_path / "modemd.db")
    made: list[RunningService] = []

    def make(**options: Any) -> RunningService:
        folder = tmp_path / str(len(made)) if made else tmp_path
        folder.mkdir(exist_ok=True)
        made.append(RunningService(folder, **options))
        return made[-1]

    yield make
    for running in made:
        running.close()


@pytest.fixture
def empty_database(postgresql_server: str) -> Iterator[str]:
    """The URL of a database of this test's own, with no table in it."""
    name = f"modemd_flow_{uuid.uuid4().hex[:12]}"
    server = create_engine(postgresql_server, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(postgresql_server).set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()
