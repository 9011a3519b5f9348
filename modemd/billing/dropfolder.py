"""The drop folder: files from billing are taken as soon as they are whole, and each ends where people look for it.

in/       billing puts <file> here and then <file>.sha256; a held file stays until a person decides
archive/  what was imported
reject/   what was refused, each with <file>.reason.txt; and the bad rows of what was imported
out/      what we hand back
"""

import contextlib
import fcntl
import logging
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from modemd.billing import decisions, files, importing
from modemd.billing.decisions import Decision
from modemd.billing.frames import IN
from modemd.errors import FileHeld, FileRefused
from modemd.store.database import reading

log = logging.getLogger(__name__)

INCOMING, ARCHIVE, REJECT, OUT = "in", "archive", "reject", "out"
COMPANION = ".sha256"
COMPANION_PATIENCE = 60.0  # s that a companion may be shorter than a checksum: it is being written
_UNFINISHED = (".part", ".tmp", ".filepart")  # as programs name what they are still copying
_CHECKSUM = 64  # hex digits


class DropFolder:
    def __init__(self, engine: Engine, data: Path, host: str) -> None:
        """`data` is [daemon] data; `host` is noted beside each file. Makes nothing yet."""
        self._engine = engine
        self._in, self._archive, self._reject, self.out = (data / name for name in (INCOMING, ARCHIVE, REJECT, OUT))
        self._host = host

    def prepare(self) -> None:
        """Make the folders that are missing. Raises OSError."""
        for folder in (self._in, self._archive, self._reject, self.out):
            folder.mkdir(parents=True, exist_ok=True)

    def take(self, now: datetime, progress: importing.Progress | None = None) -> int:
        """Import what is ready, in the order of its sequence numbers; returns how many files went their way.

        Of several daemons that share the folder one takes, the others find nothing to do. Raises OSError where files
        cannot be moved, and what the database raises; then nothing is lost, and the next call goes on.
        """
        with self._alone() as alone:
            if not alone:
                return 0
            self._tidy()
            return sum(self._take(path, now, progress) for path in sorted(self._ready(now), key=_order))

    def has_work(self, now: datetime) -> bool:
        """Whether there is anything to take. Raises OSError and what the database raises."""
        return any(self._decision(path) is not Decision.WAITS for path in self._ready(now))

    def _decision(self, path: Path) -> Decision:
        with reading(self._engine) as conn:
            return decisions.of_checksum(conn, _said(path))

    def _take(self, path: Path, now: datetime, progress: importing.Progress | None) -> int:
        decision = self._decision(path)
        if decision is Decision.WAITS:
            return 0
        if decision is Decision.DECLINED:
            return self._refuse(path, "a person has declined it", now)
        try:
            result = importing.import_file(
                self._engine, path, now, reject_folder=self._reject, progress=progress, host=self._host
            )
        except FileHeld as error:
            log.warning("%s", error)
            return 0
        except FileRefused as error:
            log.warning("%s", error)
            return self._refuse(path, str(error.facts["reason"]), now)
        log.info("%s", result)
        _move(path, self._archive, now)
        return 1

    def _refuse(self, path: Path, reason: str, now: datetime) -> int:
        moved = _move(path, self._reject, now)
        moved.with_name(f"{moved.name}.reason.txt").write_text(f"{reason}\n", encoding="utf-8")
        return 1

    def _ready(self, now: datetime) -> Iterator[Path]:
        for path in self._in.iterdir():
            name = path.name
            if name.startswith(".") or name.endswith((COMPANION, *_UNFINISHED)) or not _is_file(path):
                continue
            companion = _companion(path)
            if not _is_file(companion):
                continue
            found = companion.stat()
            if found.st_size >= _CHECKSUM or now.timestamp() - found.st_mtime > COMPANION_PATIENCE:
                yield path

    def _tidy(self) -> None:
        """A kill between two moves leaves a companion without its file: it follows, lest it vouch for the next one."""
        for companion in self._in.glob(f"*{COMPANION}"):
            path = companion.with_suffix("")
            if path.exists():
                continue
            for folder in (self._archive, self._reject):
                followed = folder / companion.name
                if (folder / path.name).exists() and not followed.exists():
                    shutil.move(companion, followed)
                    break

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Whether nobody else takes files from this folder now; dies with the process."""
        descriptor = os.open(self._in / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
        finally:
            os.close(descriptor)


def _order(path: Path) -> tuple[int, int, str]:
    """By type, then by sequence, as far as the first line tells."""
    type_, seq = files.peek(path)
    return (IN.index(type_) if type_ in IN else len(IN), seq, path.name)


def _said(path: Path) -> str:
    """The checksum that the companion says; whether it is true is found out when the file is read."""
    return _companion(path).read_bytes()[:_CHECKSUM].decode("ascii", "replace").lower()


def _companion(path: Path) -> Path:
    return path.with_name(path.name + COMPANION)


def _is_file(path: Path) -> bool:
    """A link could lead anywhere: what is no plain file is left alone."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def _move(path: Path, folder: Path, now: datetime) -> Path:
    """Move a file and then its companion, beside what is there of the same name; returns where it is now.

    From now on its time is that of the move: by it retention knows how long it has been here.
    """
    free = _free(folder, path.name)
    for source, target in ((path, free), (_companion(path), _companion(free))):
        shutil.move(source, target)
        with contextlib.suppress(PermissionError):  # it belongs to billing's user: as private as it came
            target.chmod(0o640)
            os.utime(target, (now.timestamp(), now.timestamp()))
    return free


def _free(folder: Path, name: str) -> Path:
    path, number = folder / name, 1
    while path.exists():
        number += 1
        path = folder / f"{name}.{number}"
    return path
