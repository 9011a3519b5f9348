"""Messages that people and programs hand in: checked whole before one of them is queued."""

import csv
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from modemd.config import KindName, Settings
from modemd.errors import InputRefused, ModemdError
from modemd.pdu import segments
from modemd.service import phones
from modemd.store.outbox import NewMessage

_MOST_FAULTS = 10  # named in one refusal


def message(
    kind: KindName,
    to: str,
    text: str,
    settings: Settings,
    now: datetime,
    not_before: datetime | None = None,
    external_id: str | None = None,
) -> NewMessage:
    """One message ready for `outbox.enqueue`: any E.164 number or short code. Raises NotAPhone and TextError."""
    of_kind = getattr(settings.kinds, kind)
    return NewMessage(
        kind=kind,
        recipient=phones.recipient(to),
        text=text,
        parts=segments.measure(text).parts,
        priority=of_kind.priority,
        expires_at=max(now, not_before or now) + timedelta(hours=of_kind.validity_hours),
        not_before=not_before,
        external_id=external_id,
    )


def read_csv(
    path: Path, kind: KindName, settings: Settings, now: datetime, not_before: datetime | None = None
) -> list[NewMessage]:
    """The messages of a CSV file with the columns to, text, maybe id. Raises InputRefused naming the faulty rows."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            _check_columns(path, rows.fieldnames or [])
            return _messages(path, rows, kind, settings, now, not_before)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputRefused(name=path.name, reason=f"{error}") from error


def _check_columns(path: Path, columns: Sequence[str]) -> None:
    if not {"to", "text"} <= set(columns) <= {"to", "text", "id"} or len(set(columns)) != len(columns):
        found = ", ".join(columns) or "nothing"
        raise InputRefused(
            name=path.name,
            reason=f"the first line must name the columns to,text and maybe id, not {found}",
        )


def _messages(
    path: Path,
    rows: "csv.DictReader[str]",
    kind: KindName,
    settings: Settings,
    now: datetime,
    not_before: datetime | None,
) -> list[NewMessage]:
    composed: list[NewMessage] = []
    faults: list[str] = []
    ids: set[str] = set()
    for row in rows:
        try:
            composed.append(_from_row(row, ids, kind, settings, now, not_before))
        except ModemdError as error:
            faults.append(f"line {rows.line_num}: {error}")
    if faults:
        more = f" … and {len(faults) - _MOST_FAULTS} more" if len(faults) > _MOST_FAULTS else ""
        raise InputRefused(name=path.name, reason="; ".join(faults[:_MOST_FAULTS]) + more)
    if not composed:
        raise InputRefused(name=path.name, reason="it holds no message")
    return composed


def _from_row(
    row: dict[str | None, Any], ids: set[str], kind: KindName, settings: Settings, now: datetime, at: datetime | None
) -> NewMessage:
    if None in row or row["to"] is None or row["text"] is None:
        raise InputRefused(name="the row", reason="it has not as many fields as the first line names")
    external_id = row.get("id") or None
    if external_id is not None and external_id in ids:
        raise InputRefused(name="the row", reason=f"the id {external_id!r} stands in the file twice")
    ids.add(external_id or "")
    return message(kind, row["to"], row["text"], settings, now, at, external_id)
