"""What people see of the files that came, and what they decide about those that are held."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any

from sqlalchemy import Connection, func, select

from modemd import audit
from modemd.errors import NotHeldFile
from modemd.messages import AlertKind
from modemd.store.schema import FileState, import_file


class Decision(Enum):
    """What is known of a file that lies in the drop folder."""

    NONE = auto()
    WAITS = auto()  # held, and nobody has decided
    APPROVED = auto()
    DECLINED = auto()


@dataclass(frozen=True, slots=True)
class File:
    """A file that came, and what became of it."""

    id: int
    type: str  # CUSTOMERS, OPENITEMS, PAYMENTS; "?" where its header cannot be believed
    source: str
    seq: int
    mode: str
    name: str
    sha256: str
    data_at: datetime
    rows: int  # bad ones too
    rejected: int
    open_cents: int
    previous_rows: int | None  # of the FULL file that it is held against
    previous_cents: int | None
    state: FileState
    reason: str | None  # why it is held or was refused
    at: datetime
    host: str | None  # whose drop folder it came through; None: a person imported it
    decided_by: str | None
    decided_at: datetime | None


_FILES = select(*(import_file.c[name] for name in File.__slots__))


def files(conn: Connection, limit: int = 100, before: int | None = None, state: FileState | None = None) -> list[File]:
    """The newest files (of those before the id `before`), newest first."""
    query = _FILES.order_by(import_file.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(import_file.c.id < before)
    if state is not None:
        query = query.where(import_file.c.state == state)
    return [_file(row) for row in conn.execute(query)]


def approve(conn: Connection, file_id: int, who: str, now: datetime) -> File:
    """A person says that a held file is right: the daemon takes it next, and so does `modemd import`.

    Raises NotHeldFile.
    """
    return _decide(conn, file_id, FileState.APPROVED, "file.approve", who, now)


def decline(conn: Connection, file_id: int, who: str, now: datetime) -> File:
    """A person says that a held file is wrong: the daemon puts it into reject/. Raises NotHeldFile."""
    return _decide(conn, file_id, FileState.REFUSED, "file.decline", who, now)


def of_checksum(conn: Connection, sha256: str) -> Decision:
    """What was decided about this very file, when it came last."""
    query = select(import_file.c.state, import_file.c.decided_by).where(import_file.c.sha256 == sha256)
    row = conn.execute(query.order_by(import_file.c.id.desc()).limit(1)).first()
    match row and FileState(row.state):
        case FileState.HELD:
            return Decision.WAITS
        case FileState.APPROVED:
            return Decision.APPROVED
        case FileState.REFUSED if row is not None and row.decided_by:
            return Decision.DECLINED
    return Decision.NONE


def alarms(conn: Connection) -> dict[AlertKind, str | None]:
    """What somebody has to be told of files: those that wait for a person, and types whose last file was refused."""
    held = conn.scalar(select(func.count()).where(import_file.c.state == FileState.HELD)) or 0
    last = select(func.max(import_file.c.id)).group_by(import_file.c.type)
    refused = conn.execute(
        _FILES.where(import_file.c.id.in_(last), import_file.c.state == FileState.REFUSED).order_by(import_file.c.id)
    ).all()
    return {
        AlertKind.FILE_HELD: f"{held} files from billing wait for approval" if held else None,
        AlertKind.FILE_REFUSED: "; ".join(f"{row.name} was refused: {row.reason}" for row in refused) or None,
    }


def _decide(conn: Connection, file_id: int, state: FileState, action: str, who: str, now: datetime) -> File:
    held = import_file.update().where(import_file.c.id == file_id, import_file.c.state == FileState.HELD)
    if conn.execute(held.values(state=state, decided_by=who, decided_at=now)).rowcount != 1:
        found = conn.scalar(select(import_file.c.state).where(import_file.c.id == file_id))
        raise NotHeldFile(file=file_id, state=found or "not there")
    file = _file(conn.execute(_FILES.where(import_file.c.id == file_id)).one())
    audit.note(conn, who, action, f"{file.type} {file.seq}", f"{file.name}: {file.reason}", now)
    return file


def _file(row: Any) -> File:
    return File(**{**row._mapping, "state": FileState(row.state)})
