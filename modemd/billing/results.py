"""What we hand back to billing: REGISTRATIONS and SMSRESULTS, each result in exactly one file.

Which results a file holds is committed before the file is written. A crash in between, or in the midst of writing, ends
with the next call: it writes the very same rows under the same number. So whoever reads the files by their numbers
sees every result once.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from modemd.billing import files, registrations, smsresults
from modemd.store.database import reading, writing
from modemd.store.dialects import one_at_a_time
from modemd.store.schema import export_file

log = logging.getLogger(__name__)

SOURCE = "modemd"  # the sequence counts for all hosts together
MOST_ROWS = 10_000  # in one file: claiming them keeps other writers waiting for 0.1 s


@dataclass(frozen=True, slots=True)
class ResultType:
    """Where the rows of one type of file come from."""

    claim: Callable[[Connection, int, int, datetime], int]  # gives a file (id) at most so many untold rows; how many
    rows: Callable[[Connection, int], Iterator[Mapping[str, str]]]


RESULT_TYPES: Mapping[str, ResultType] = {
    "REGISTRATIONS": ResultType(
        lambda conn, file_id, most, _now: registrations.claim(conn, file_id, most), registrations.rows
    ),
    "SMSRESULTS": ResultType(smsresults.claim, smsresults.rows),
}


@dataclass(frozen=True, slots=True)
class Written:
    type: str
    seq: int
    rows: int
    path: Path


def write(engine: Engine, out: Path, host: str, now: datetime) -> list[Written]:
    """Write what is new, and first what a crash has left unwritten. Raises OSError; the next call goes on."""
    written = []
    for type_ in RESULT_TYPES:
        more = True
        while more:
            with writing(engine) as conn:
                more = _claim(conn, type_, host, now)
        written += [_write(engine, row, out, now) for row in _unwritten(engine, type_, host)]
    return written


def _claim(conn: Connection, type_: str, host: str, now: datetime) -> bool:
    """Give the next file its rows; False where there is none to give."""
    one_at_a_time(conn, f"export:{type_}")
    last = conn.scalar(select(func.max(export_file.c.seq)).where(export_file.c.type == type_)) or 0
    row = {"type": type_, "seq": last + 1, "rows": 0, "host": host, "at": now}
    with conn.begin_nested() as nested:
        file_id: int = conn.execute(export_file.insert().returning(export_file.c.id), row).scalar_one()
        count = RESULT_TYPES[type_].claim(conn, file_id, MOST_ROWS, now)
        if count == 0:
            nested.rollback()
            return False
        conn.execute(export_file.update().where(export_file.c.id == file_id).values(rows=count))
        return True


def _unwritten(engine: Engine, type_: str, host: str) -> list[Any]:
    mine = select(export_file).where(export_file.c.written_at.is_(None), export_file.c.host == host)
    with reading(engine) as conn:
        return list(conn.execute(mine.where(export_file.c.type == type_).order_by(export_file.c.seq)))


def _write(engine: Engine, row: Any, out: Path, now: datetime) -> Written:
    with reading(engine) as conn:
        rows = RESULT_TYPES[row.type].rows(conn, row.id)
        path = files.write(out, row.type, SOURCE, row.seq, "DELTA", row.at, rows)
    with writing(engine) as conn:
        conn.execute(export_file.update().where(export_file.c.id == row.id).values(written_at=now))
    log.info("%s %s: %s rows", row.type, row.seq, row.rows)
    return Written(row.type, row.seq, row.rows, path)
