"""The frame of a hand-over file: header H, columns C, data D, trailer T, and its .sha256 companion.

    H;OPENITEMS;1;<source>;<seq>;FULL;2026-11-23T05:30:00+02:00;EUR;utf-8
    C;customer_no;itn;invoice_no; …          every column by name, in any order
    D;300000000001;;0480000001; …
    T;<rows>;<sum of the amount column>

Separator `;`, quoting of RFC 4180, UTF-8 (a BOM is allowed) or windows-1251, decoded strictly. Files are read as a
stream, however long; what the cells of each type mean is told in customers.py, open_items.py and payments.py.
"""

import csv
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

from modemd.billing import cells
from modemd.billing.frames import CURRENCY, ENCODINGS, FRAMES, IN, MODES, VERSION, Mode
from modemd.config import SOFIA
from modemd.errors import Because, FileRefused

_BOM = b"\xef\xbb\xbf"
_LONGEST_LINE = 64 * 1024  # octets; also of a companion
_SEQUENCE = re.compile(r"[0-9]{1,18}")
_SHA256 = re.compile(rb"\\?([0-9A-Fa-f]{64})(?:[ \t][^\n]*)?\s*")


@dataclass(frozen=True, slots=True)
class Header:
    type: str
    source: str
    seq: int
    mode: Mode
    data_at: datetime  # the moment that the data is of


@dataclass(frozen=True, slots=True)
class Record:
    """One D row."""

    line: int  # in the file, from 1; where a quoted cell holds line ends, the last one
    values: cells.Row | None  # by column; None: C names another number of columns
    shown: Sequence[str]  # the raw cells, without what is private


class HandOverFile:
    """A hand-over file whose checksum fits and whose header makes sense."""

    def __init__(self, path: Path) -> None:
        """Raises FileRefused if the file, its companion, its checksum or its header is not as it should be."""
        self.path = path
        self.name = os.fsencode(path.name).decode("utf-8", "replace")  # as it can be shown and stored
        self.sha256 = self._checked_sum()
        self._encoding = self._find_encoding()
        self.header = self._read_header()
        self.frame = FRAMES[self.header.type]

    def refusal(self, reason: Because) -> FileRefused:
        """The error to raise for this file."""
        return FileRefused(name=self.name, reason=reason)

    def records(self) -> Iterator[Record]:
        """The D rows. Raises FileRefused where the frame breaks; what the trailer says is checked at the end."""
        rows = self._rows()
        next(rows, None)  # H
        _, first = next(rows, (0, [""]))
        columns = self._columns(first)
        tally = _Tally(self.frame.amount)
        trailer: Sequence[str] | None = None
        for line, row in rows:
            if trailer is not None:
                raise self.refusal(Because("line {line} stands after the trailer T", line=line))
            if row[0] == "D":
                record = self._record(line, row[1:], columns)
                tally.add(record)
                yield record
            elif row[0] == "T":
                trailer = row[1:]
            else:
                raise self.refusal(
                    Because("line {line} begins with {cell}, not with D or T", line=line, cell=cells.shown(row[0]))
                )
        if trailer is None:
            raise self.refusal(Because("the trailer T is missing"))
        if (fault := tally.fault(trailer)) is not None:
            raise self.refusal(fault)

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """Every row that is not blank, with the number of its line."""
        reader = csv.reader(self._lines(), delimiter=";", strict=True)
        try:
            for row in reader:
                if row:
                    yield reader.line_num, row
        except csv.Error as error:
            raise self.refusal(Because("line {line}: {error}", line=reader.line_num, error=error)) from error

    def _lines(self) -> Iterator[str]:
        """The decoded lines; raises FileRefused at the end if they are not those that the checksum was taken of."""
        digest = hashlib.sha256()
        for number, raw in enumerate(self._raw_lines(), start=1):
            digest.update(raw)
            try:
                line = raw.decode(self._encoding)
            except UnicodeDecodeError as error:
                octet = raw[error.start]
                raise self.refusal(
                    Because(
                        "line {line}: the octet 0x{octet:02x} is not {encoding}",
                        line=number,
                        octet=octet,
                        encoding=self._encoding,
                    )
                ) from error
            yield line.removeprefix("\ufeff") if number == 1 else line
        if digest.hexdigest() != self.sha256:
            raise self.refusal(Because("it was changed while it was read"))

    def _raw_lines(self) -> Iterator[bytes]:
        try:
            with self.path.open("rb") as file:
                while line := file.readline(_LONGEST_LINE + 1):
                    if len(line) > _LONGEST_LINE:
                        raise self.refusal(Because("a line is longer than {most} octets", most=_LONGEST_LINE))
                    yield line
        except OSError as error:
            raise self.refusal(Because("it cannot be read: {error}", error=error.strerror)) from error

    def _checked_sum(self) -> str:
        digest = hashlib.sha256()
        for line in self._raw_lines():
            digest.update(line)
        if digest.hexdigest() != self._companion():
            raise self.refusal(
                Because("its checksum is not that of its .sha256 companion; it was damaged or is incomplete")
            )
        return digest.hexdigest()

    def _companion(self) -> str:
        path = self.path.with_name(self.path.name + ".sha256")
        try:
            with path.open("rb") as file:
                match = _SHA256.fullmatch(file.read(_LONGEST_LINE))
        except FileNotFoundError:
            raise self.refusal(Because("its companion {name}.sha256 is missing", name=self.name)) from None
        except OSError as error:
            raise self.refusal(
                Because("its companion {name}.sha256 cannot be read: {error}", name=self.name, error=error.strerror)
            ) from error
        if match is None:
            raise self.refusal(Because("its companion {name}.sha256 is not as sha256sum writes it", name=self.name))
        return match[1].decode("ascii").lower()

    def _find_encoding(self) -> str:
        """From the last cell of the header, which is the same octets in every encoding that is allowed."""
        first = next(self._raw_lines(), b"").removeprefix(_BOM)
        if not first.startswith((b"H;", b'"H";')):
            raise self.refusal(Because("the header H is missing"))
        named = first.rpartition(b";")[2].strip().strip(b'"').decode("ascii", "replace").lower() or ENCODINGS[0]
        if named not in ENCODINGS:
            raise self.refusal(
                Because(
                    "the encoding {named} is none of {encodings}",
                    named=cells.shown(named),
                    encodings=", ".join(ENCODINGS),
                )
            )
        return named

    def _read_header(self) -> Header:
        _, row = next(self._rows(), (1, []))
        if row[:1] != ["H"] or len(row) != 9:
            raise self.refusal(Because("the header H has {count} cells, not 9", count=len(row)))
        _, type_, version, source, seq, mode, data_at, currency, _ = row
        if type_ not in IN:
            raise self.refusal(
                Because("the type {type} is none of {types}", type=cells.shown(type_), types=", ".join(IN))
            )
        if version != VERSION:
            raise self.refusal(
                Because("the version {version} is not {expected}", version=cells.shown(version), expected=VERSION)
            )
        if not (source and len(source) <= 64 and source.isprintable()):
            raise self.refusal(
                Because("the source {source} is no name of 1 to 64 characters", source=cells.shown(source))
            )
        if not _SEQUENCE.fullmatch(seq):
            raise self.refusal(Because("the sequence {seq} is no number", seq=cells.shown(seq)))
        if mode not in MODES:
            raise self.refusal(
                Because("the mode {mode} is none of {modes}", mode=cells.shown(mode), modes=", ".join(MODES))
            )
        if currency != CURRENCY and (currency or FRAMES[type_].amount):
            raise self.refusal(
                Because("the currency {currency} is not {expected}", currency=cells.shown(currency), expected=CURRENCY)
            )
        return Header(type_, source, int(seq), cast(Mode, mode), self._moment(data_at))

    def _moment(self, cell: str) -> datetime:
        try:
            return cells.moment(cell)
        except cells.BadCell as error:
            raise self.refusal(error.reason) from None

    def _columns(self, row: Sequence[str]) -> list[str]:
        columns = [name.strip() for name in row[1:]]
        if row[0] != "C":
            raise self.refusal(Because("the row of columns C is missing after the header"))
        for name in self.frame.columns:
            if (count := columns.count(name)) != 1:
                missing = Because("the column {name} is missing", name=name)
                raise self.refusal(Because("the column {name} stands in C twice", name=name) if count else missing)
        return columns

    def _record(self, line: int, row: Sequence[str], columns: Sequence[str]) -> Record:
        if len(row) != len(columns):
            return Record(line, None, () if self.frame.private else row)
        values = {name: cell.strip() for name, cell in zip(columns, row, strict=True)}
        if values.get("currency", CURRENCY) != CURRENCY:
            raise self.refusal(
                Because(
                    "line {line}: the currency {currency} is not {expected}",
                    line=line,
                    currency=cells.shown(values["currency"]),
                    expected=CURRENCY,
                )
            )
        shown = [cell if name != self.frame.private else "" for name, cell in zip(columns, row, strict=True)]
        return Record(line, values, shown)


class _Tally:
    """Counts rows and sums up the amount column, to hold against the trailer."""

    def __init__(self, column: str | None) -> None:
        self._column = column
        self._rows = 0
        self._cents = 0
        self._unreadable = 0

    def add(self, record: Record) -> None:
        self._rows += 1
        if self._column is None:
            return
        try:
            self._cents += cells.cents(record.values[self._column] if record.values else "")
        except cells.BadCell:
            self._unreadable += 1

    def fault(self, trailer: Sequence[str]) -> Because | None:
        """What does not fit between the rows and the trailer, in words.

        Where an amount cannot be read (its row is bad and goes to reject/), the trailer may say more than the others.
        """
        if len(trailer) != 2 or not _SEQUENCE.fullmatch(trailer[0]):
            return Because("the trailer T does not say rows and sum")
        if int(trailer[0]) != self._rows:
            return Because("the trailer says {said} rows and there are {rows}", said=int(trailer[0]), rows=self._rows)
        try:
            said = cells.cents(trailer[1])
        except cells.BadCell as error:
            return Because("the sum in the trailer: {reason}", reason=error.reason)
        if said != self._cents and not (self._unreadable and said > self._cents):
            return Because(
                "the trailer says {said} and the rows sum up to {found}",
                said=cells.money(said),
                found=cells.money(self._cents),
            )
        return None


def peek(path: Path) -> tuple[str, int]:
    """Type and sequence as the first line says, whatever it is worth; ("", 0) where it says nothing."""
    try:
        with path.open("rb") as file:
            cells_ = file.readline(_LONGEST_LINE).decode("ascii", "replace").split(";")
    except OSError:
        return "", 0
    return (cells_[1], int(cells_[4])) if len(cells_) > 4 and _SEQUENCE.fullmatch(cells_[4]) else ("", 0)


def write(
    folder: Path,
    type_: str,
    source: str,
    seq: int,
    mode: Mode,
    data_at: datetime,
    rows: Iterable[Mapping[str, str]],
) -> Path:
    """Write a hand-over file and then its companion; returns its path. Each row has a cell for every column.

    Whoever watches the folder sees the file only whole, and its companion only after it.
    """
    frame = FRAMES[type_]
    path = folder / f"{type_.lower()}-{re.sub(r'[^A-Za-z0-9_.-]', '_', source)}-{seq:06}.csv"
    companion = path.with_name(path.name + ".sha256")
    companion.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    count = total = 0
    with unfinished.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\n")
        moment = data_at.astimezone(SOFIA).isoformat(timespec="seconds")
        writer.writerow(("H", type_, VERSION, source, seq, mode, moment, CURRENCY, "utf-8"))
        writer.writerow(("C", *frame.columns))
        for row in rows:
            writer.writerow(("D", *(row[column] for column in frame.columns)))
            count += 1
            total += cells.cents(row[frame.amount]) if frame.amount else 0
        writer.writerow(("T", count, cells.money(total)))
    with unfinished.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    unfinished.rename(path)
    unfinished.write_text(f"{digest}  {path.name}\n", encoding="ascii")
    unfinished.rename(companion)
    return path
