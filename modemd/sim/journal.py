"""What happened in the simulated network, one JSON object a line, for checks that count."""

import json
import os
from datetime import datetime
from pathlib import Path


class Journal:
    """Appends to a file; a line is whole as soon as it is there. Without a path it keeps nothing and costs nothing."""

    def __init__(self, path: Path | None = None) -> None:
        self._file = (
            None if path is None else os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        )

    def write(self, event: str, at: datetime, **facts: object) -> None:
        """`event` is submit, deliver, phone or report; `at` an aware time."""
        if self._file is not None:
            line = json.dumps({"event": event, **facts, "at": at.isoformat()}) + "\n"
            os.write(self._file, line.encode())

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
