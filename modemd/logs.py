"""How log lines look: with time and level for people, with the journal's own priorities under systemd (sd-daemon(3)).

Every line of a record has its head, so that a traceback, or several messages' events, can be filtered line by line.
"""

import logging
import os
import sys

PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


class EachLine(logging.Formatter):
    def __init__(self, *, journal: bool) -> None:
        super().__init__()
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        head = self._head(record)
        return "\n".join(f"{head}{line}" for line in super().format(record).split("\n"))

    def _head(self, record: logging.LogRecord) -> str:
        if self._journal:
            return f"<{PRIORITIES.get(record.levelno, 6)}>{record.name}: "
        return f"{self.formatTime(record)} {record.levelname} {record.name}: "


def to_journal() -> bool:
    """Whether stderr is the journal, and not a file or a terminal that the environment was handed on to."""
    try:
        told = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):  # there is none
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{told.st_dev}:{told.st_ino}"


def begin(level: str | int) -> None:
    """Write what is at this level or above to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(EachLine(journal=to_journal()))
    logging.basicConfig(level=level, handlers=[handler])
    logging.getLogger("alembic").setLevel(logging.WARNING)
