from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.panels import RunningPanel


@pytest.fixture
def make_panel(tmp_path: Path, sqlite_template: Path) -> Iterator[Callable[..., RunningPanel]]:
    """Make a panel with these [web] settings: `make_panel(force_https=True)`."""
    made: list[RunningPanel] = []

    def make(**web: Any) -> RunningPanel:
        made.append(RunningPanel(tmp_path, sqlite_template, **web))
        return made[-1]

    yield make
    for panel in made:
        panel.close()


@pytest.fixture
def panel(make_panel: Callable[..., RunningPanel]) -> RunningPanel:
    return make_panel()
