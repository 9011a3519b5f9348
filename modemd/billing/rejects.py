"""Rows that could not be taken, for the people of billing to mend."""

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class BadRow:
    line: int
    reason: str
    cells: Sequence[str]


def write(folder: Path, name: str, rows: Sequence[BadRow]) -> Path | None:
    """Write bad rows of the file `name` with line number and reason; returns the path, or None where there are none.

    They hold customer numbers and amounts: only the owner and its group may read them. Raises OSError.
    """
    path = folder / f"{name[:200]}.rejected.csv"
    if not rows:
        path.unlink(missing_ok=True)  # from an earlier try
        return None
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640), "w", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\n")
        writer.writerow(("line", "reason", "row"))
        for row in rows:
            writer.writerow((row.line, row.reason, *row.cells))
    unfinished.rename(path)
    return path
