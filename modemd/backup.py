"""Copies of the database while it is in use, checked as they are made (SQLite's backup API; pg_dump).

A copy knows that it is one (`store/snapshots.py`): a daemon that starts on a restored copy sends nothing again.
"""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError

from modemd.errors import BackupFailed
from modemd.store import snapshots
from modemd.store.database import postgresql_arguments, reading, writing

PAGES_AT_ONCE = 2_000  # between two of these, writers of the database get their turn

Progress = Callable[[int, int], object]  # (done, of)


def make(engine: Engine, folder: Path, now: datetime, keep: int = 0, progress: Progress | None = None) -> Path:
    """Copy the database into a new file of the folder, mode 0600, and read the copy back; returns the file.

    `keep` copies stay in all (0: every one). One that is not whole never bears its final name. Raises BackupFailed.
    """
    sqlite = engine.dialect.name == "sqlite"
    name = f"modemd-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}{'.db' if sqlite else '.dump'}"
    unfinished = folder / f".{name}.unfinished"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise BackupFailed(reason=str(error)) from error
    try:
        os.close(os.open(unfinished, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
        _copy_sqlite(engine, unfinished, now, progress) if sqlite else _dump_postgresql(engine, unfinished, now)
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(folder / name)
    except (OSError, sqlite3.Error, DBAPIError) as error:
        raise BackupFailed(reason=f"{getattr(error, 'orig', error)}. Is there room in {folder}?") from error
    finally:
        unfinished.unlink(missing_ok=True)
    for old in sorted(folder.glob(f"modemd-*{Path(name).suffix}"))[:-keep] if keep else ():
        old.unlink()
    return folder / name


def _copy_sqlite(engine: Engine, file: Path, now: datetime, progress: Progress | None) -> None:
    def step(_status: int, remaining: int, total: int) -> None:
        if progress is not None:
            progress(total - remaining, total)

    source_file = str(engine.url.database)
    with closing(sqlite3.connect(source_file)) as source, closing(sqlite3.connect(file)) as target:
        source.backup(target, pages=PAGES_AT_ONCE, progress=step)
        target.execute("PRAGMA journal_mode = DELETE").close()  # one file, with nothing beside it
        (verdict,) = target.execute("PRAGMA integrity_check").fetchone()
    if verdict != "ok":
        raise BackupFailed(reason=f"the copy of {source_file} is damaged: {verdict}")
    copy = create_engine(f"sqlite:///{file}")
    try:
        with copy.begin() as conn:
            snapshots.mark(conn, now, origin=None)
    finally:
        copy.dispose()


def _dump_postgresql(engine: Engine, file: Path, now: datetime) -> None:
    """pg_dump in its own format; then pg_restore reads the whole of it back."""
    with reading(engine) as conn:
        origin = snapshots.identity(conn)
    with writing(engine) as conn:
        snapshots.mark(conn, now, origin=origin)
    try:
        given = postgresql_arguments(engine.url)
        password = str(given.pop("password", ""))  # not for `ps` to show
        whole = ("--format=custom", f"--file={file}", "--no-owner", f"--dbname={_libpq(given)}")
        _run("pg_dump", *whole, PGPASSWORD=password)
        _run("pg_restore", "--file=/dev/null", str(file))
    finally:
        with writing(engine) as conn:
            snapshots.unmark(conn)


def _libpq(arguments: Mapping[str, Any]) -> str:
    from psycopg.conninfo import make_conninfo  # not for those who run on SQLite

    return make_conninfo(**arguments)


def _run(*command: str, **variables: str) -> None:
    if shutil.which(command[0]) is None:
        raise BackupFailed(reason=f"{command[0]} is not here: apt install postgresql-client")
    given = {name: value for name, value in variables.items() if value}
    done = subprocess.run(command, env=os.environ | given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackupFailed(reason=f"{command[0]}: {done.stderr.strip()}")
