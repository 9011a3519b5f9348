import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.flow.running import RunningService


@pytest.fixture
def service(tmp_path: Path, sqlite_template: Path) -> Iterator[Callable[..., RunningService]]:
    """Make a service: `service(modems=2, settings="…", bank_options=("--send-seconds", "0.1"))`; nothing is started."""
    shutil.copy(sqlite_template, tmp_path / "modemd.db")
    made: list[RunningService] = []

    def make(**options: Any) -> RunningService:
        made.append(RunningService(tmp_path, **options))
        return made[-1]

    yield make
    for running in made:
        running.close()
