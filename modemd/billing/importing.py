"""Hand-over files into the database: checked whole before the first row is stored, then loaded and switched to."""

import itertools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path

from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError

from modemd.billing import cells, generations, payments, rejects
from modemd.billing.files import HandOverFile
from modemd.billing.frames import Mode
from modemd.billing.generations import Previous
from modemd.billing.rows import ROW_TYPES, Tally, good_rows
from modemd.errors import Because, FileHeld, FileRefused, ImportStopped
from modemd.store.database import reading, writing
from modemd.store.schema import FileState, dataset

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]  # rows loaded, rows in all

MOST_BAD = Fraction(5, 1000)  # of the rows; with more the file is refused
MOST_MOVEMENT = Fraction(30, 100)  # of rows or open sum from one FULL file to the next; with more it is held
ROWS_AT_ONCE = 2_000
PAUSE = 0.01  # s between two transactions: SQLite's lock is not fair, and a waiting daemon would seldom find it free


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file that was taken."""

    type: str
    mode: Mode
    source: str
    seq: int
    rows: int
    rejected: int
    rejects: Path | None  # where the bad rows are, and those that a person should look at
    aside: int  # rows that were taken and should be looked at
    repeated: bool  # this very file had been imported before: nothing was done

    def __str__(self) -> str:
        what = f"{self.type} {self.mode} {self.seq} of {self.source}"
        if self.repeated:
            return f"{what} was imported before; nothing to do"
        counted = ((self.rejected, "rejected"), (self.aside, "for invoices that are not here"))
        odd = ", ".join(f"{count} {words}" for count, words in counted if count)
        return f"{what}: {self.rows} rows imported" + (f", {odd} (see {self.rejects})" if odd else "")


def import_file(
    engine: Engine,
    path: Path,
    now: datetime,
    *,
    reject_folder: Path,
    progress: Progress | None = None,
    approved: bool = False,
    host: str | None = None,
) -> Imported:
    """Take in one hand-over file, all or nothing. The same file again changes nothing.

    Raises FileRefused for every fault of the file, and FileHeld for a FULL file that moves rows or open sum by more
    than 30 %, unless a person has `approved` it; neither uses its sequence number up. Up to 0.5 % of bad rows are left
    out and written to `reject_folder`. `host` is whose drop folder it came through.
    """
    file = _open(engine, path, now, host)
    tally = Tally()
    with reading(engine) as conn:
        previous = generations.previous(conn, file)
    if previous.repeated:
        return _result(file, tally, None, repeated=True)
    try:
        _check_place(file, previous)
        reject_path = _check_rows(engine, file, tally, reject_folder)
        if not approved and not previous.approved:
            _check_movement(file, previous, tally)
    except (FileRefused, FileHeld) as error:
        _note_fault(engine, file, tally, previous, error, now, host)
        raise
    repeated = not _load(engine, file, tally, now, progress, host)
    return _result(file, tally, reject_path, repeated=repeated)


def _note_fault(
    engine: Engine,
    file: HandOverFile,
    tally: Tally,
    previous: Previous,
    error: FileRefused | FileHeld,
    now: datetime,
    host: str | None,
) -> None:
    held = isinstance(error, FileHeld)
    if held and previous.held:
        return  # it waits already
    state, full = (FileState.HELD, previous.full) if held else (FileState.REFUSED, None)
    with writing(engine) as conn:
        generations.note(conn, file, tally, now, state, reason=error.reason, full=full, host=host)


def _open(engine: Engine, path: Path, now: datetime, host: str | None) -> HandOverFile:
    try:
        return HandOverFile(path)
    except FileRefused as error:
        if path.is_file():
            with writing(engine) as conn:
                generations.note_unreadable(conn, error, now, host)
        raise


def has_data(engine: Engine) -> bool:
    """Whether open items have ever been imported."""
    with reading(engine) as conn:
        return conn.scalar(select(dataset.c.type).where(dataset.c.type == "OPENITEMS")) is not None


def _check_place(file: HandOverFile, previous: Previous) -> None:
    header = file.header
    if previous.seq is not None and header.seq != previous.seq + 1:
        reason = Because(
            "its sequence is {seq} and {expected} follows the last {type} of {source}",
            seq=header.seq,
            expected=previous.seq + 1,
            type=header.type,
            source=header.source,
        )
        raise file.refusal(reason)
    if previous.data_at is not None and header.data_at < previous.data_at:
        raise file.refusal(
            Because("its data is of {data_at:%Y-%m-%d %H:%M} UTC, older than what is here", data_at=header.data_at)
        )


def _check_rows(engine: Engine, file: HandOverFile, tally: Tally, reject_folder: Path) -> Path | None:
    """Read the whole file; returns where the rows are that a person should look at."""
    doubt = None
    if file.header.type == "PAYMENTS":
        with reading(engine) as conn:
            doubt = payments.unknown_invoice(conn)
    for _ in good_rows(file, tally, doubt):
        pass
    try:
        path = rejects.write(reject_folder, file.name, sorted([*tally.bad, *tally.aside], key=lambda row: row.line))
    except OSError as error:
        raise file.refusal(
            Because(
                "its bad rows cannot be written to {folder}: {error}",
                folder=reject_folder,
                error=error.strerror,
            )
        ) from error
    if len(tally.bad) > tally.rows * MOST_BAD:
        first = tally.bad[0]
        raise file.refusal(
            Because(
                "{bad} of {rows} rows are bad, see {path}; the first is line {line}: {reason}",
                bad=len(tally.bad),
                rows=tally.rows,
                path=path,
                line=first.line,
                reason=first.reason,
            )
        )
    return path


def _check_movement(file: HandOverFile, previous: Previous, tally: Tally) -> None:
    if file.header.mode != "FULL" or previous.full is None:
        return
    rows, cents = previous.full
    if abs(tally.rows - rows) > rows * MOST_MOVEMENT:
        reason = Because(
            "its rows move from {before} to {now}, more than {most:.0%} from the last FULL file",
            before=rows,
            now=tally.rows,
            most=float(MOST_MOVEMENT),
        )
        raise FileHeld(name=file.name, reason=reason)
    if abs(tally.cents - cents) > cents * MOST_MOVEMENT:
        raise FileHeld(
            name=file.name,
            reason=Because(
                "its open sum moves from {before} to {now}, more than {most:.0%} from the last FULL file",
                before=cells.money(cents),
                now=cells.money(tally.cents),
                most=float(MOST_MOVEMENT),
            ),
        )


def _load(
    engine: Engine, file: HandOverFile, tally: Tally, now: datetime, progress: Progress | None, host: str | None
) -> bool:
    """Store a checked file and switch to it. False: meanwhile another import has done it with the same file."""
    with writing(engine) as conn:
        generation = generations.note(conn, file, tally, now, FileState.LOADING, host=host)
    try:
        _fill(engine, file, tally, generation, progress)
        switched = _switch(engine, file, tally, generation)
    except (FileRefused, ImportStopped) as error:
        _discard(engine, file, generation, error.reason)
        raise
    if not switched:
        _discard(engine, file, generation, Because("another import took the same file"))
        return False
    log.info("%s %s %s: %s rows", file.header.type, file.header.mode, file.header.seq, tally.good)
    try:
        generations.purge(engine, file.header, generation, now)
    except OperationalError:
        log.warning("the rows before %s stay until the next import", generation, exc_info=True)
    return True


def _fill(engine: Engine, file: HandOverFile, tally: Tally, generation: int, progress: Progress | None) -> None:
    rows = good_rows(file, Tally())
    row_type = ROW_TYPES[file.header.type]
    done = 0
    while some := list(itertools.islice(rows, ROWS_AT_ONCE)):
        with writing(engine) as conn:
            generations.add(conn, row_type, generation, some)
        done += len(some)
        if progress is not None:
            progress(done, tally.good)
        time.sleep(PAUSE)


def _switch(engine: Engine, file: HandOverFile, tally: Tally, generation: int) -> bool:
    with writing(engine) as conn:
        generations.lock(conn)
        previous = generations.previous(conn, file)
        if previous.repeated:
            return False
        _check_place(file, previous)
        generations.switch(conn, file, generation, tally.good)
        return True


def _discard(engine: Engine, file: HandOverFile, generation: int, reason: Because) -> None:
    with writing(engine) as conn:
        generations.refuse(conn, generation, reason)
    generations.discard(engine, file.header, generation)


def _result(file: HandOverFile, tally: Tally, reject_path: Path | None, *, repeated: bool) -> Imported:
    header = file.header
    return Imported(
        type=header.type,
        mode=header.mode,
        source=header.source,
        seq=header.seq,
        rows=tally.good,
        rejected=len(tally.bad),
        rejects=reject_path,
        aside=len(tally.aside),
        repeated=repeated,
    )
