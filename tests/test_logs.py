"""How log lines look, for people and for the journal."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from modemd.logs import EachLine


def record(message: str, level: int = logging.INFO, fault: Exception | None = None) -> logging.LogRecord:
    told = (type(fault), fault, None) if fault is not None else None
    return logging.LogRecord("modemd.gateway", level, __file__, 1, "%s", (message,), told)


@pytest.mark.parametrize(
    ("level", "priority"), [(logging.DEBUG, 7), (logging.INFO, 6), (logging.WARNING, 4), (logging.ERROR, 3)]
)
def test_the_journal_is_given_its_own_priorities(level: int, priority: int) -> None:
    assert EachLine(journal=True).format(record("started", level)) == f"<{priority}>modemd.gateway: started"


def test_every_line_has_its_head_a_traceback_too() -> None:
    text = EachLine(journal=True).format(record("no luck", logging.ERROR, ValueError("a\nb")))
    assert text.split("\n") == [f"<3>modemd.gateway: {line}" for line in ("no luck", "ValueError: a", "b")]


def test_people_are_told_time_and_level() -> None:
    stamp, _, rest = EachLine(journal=False).format(record("started")).partition(" INFO ")
    assert rest == "modemd.gateway: started"
    assert len(stamp) == len("2026-11-23 10:00:00,000")


@pytest.mark.parametrize("own", [True, False], ids=["the journal", "a file"])
def test_only_what_goes_into_the_journal_is_written_for_it(tmp_path: Path, own: bool) -> None:
    """JOURNAL_STREAM says which stream is the journal: a child whose stderr is another one inherits it too."""
    log = tmp_path / "log"
    with log.open("w") as stream:
        told = os.fstat(stream.fileno())
        stream_id = f"{told.st_dev}:{told.st_ino if own else told.st_ino + 1}"
        program = "from modemd import logs; logs.begin('INFO'); import logging; logging.warning('x')"
        subprocess.run(
            [sys.executable, "-c", program], stderr=stream, env={**os.environ, "JOURNAL_STREAM": stream_id}, check=True
        )
    assert log.read_text().startswith("<4>root: x") is own
