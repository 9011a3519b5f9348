r"""A transcript read back: what was said to a modem and by it, as the flight recorder keeps it.

    # key: value                       facts, in front
    0.000 > AT\r                       seconds; `>` we wrote, `<` the modem wrote
    0.004 < \r\nOK\r\n                 \r, \n, \\ and \xNN are the only escapes
    9.120 ! hung up                    the port was gone
    # end: 3                           how many such lines there are: a file that was cut has another number, or none

It is read strictly: half a transcript would be a modem that fails for another reason.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from modemd.errors import TranscriptRefused

MOST_OCTETS: Final = 4 * 1024 * 1024  # of a file; the flight recorder's have 130,000 at most

_FACT = re.compile(r"# ([a-z_]+): (.*)")
_PIECE = re.compile(r"(\d{1,9}(?:\.\d{1,6})?) ([<>!]) (.*)")
_ESCAPE = re.compile(r"\\(r|n|\\|x[0-9a-f]{2})")
_END = "end"
_HUNG_UP = "hung up"


class Who(StrEnum):
    US = ">"
    MODEM = "<"
    LINE = "!"  # the port hung up


@dataclass(frozen=True, slots=True)
class Piece:
    """`at` in seconds since the first piece; a hang-up has no octets."""

    at: float
    who: Who
    octets: bytes


@dataclass(frozen=True, slots=True)
class Recording:
    name: str
    facts: dict[str, str]
    pieces: tuple[Piece, ...]


def read(path: Path) -> Recording:
    """Read a transcript. Raises TranscriptRefused, which names the line and says what to mend."""
    try:
        if path.stat().st_size > MOST_OCTETS:
            raise TranscriptRefused(path=path, reason=f"it has more than {MOST_OCTETS} octets, no transcript has")
        text = path.read_bytes().decode("ascii")
    except OSError as error:
        raise TranscriptRefused(path=path, reason=f"it cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise TranscriptRefused(
            path=path, reason=f"line {line} has an octet that is not ASCII; write it as \\xNN"
        ) from error
    return _Reader(path, text).recording()


class _Reader:
    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._lines = text.split("\n")
        self._facts: dict[str, str] = {}
        self._pieces: list[Piece] = []
        self._end: int | None = None

    def recording(self) -> Recording:
        if self._lines[-1] and not self._lines[-1].startswith("# end: "):
            self._refuse(len(self._lines), "breaks off: the file was cut; fetch it again, or drop this line")
        for number, line in enumerate(self._lines, start=1):
            if line:
                self._take(number, line)
        if self._end is None:
            self._refuse(
                len(self._lines),
                f"is the last, and `# end: {len(self._pieces)}` is missing: the file was cut; fetch it again, "
                "or write that line if this is all",
            )
        if not any(piece.who is Who.MODEM for piece in self._pieces):
            raise TranscriptRefused(path=self._path, reason="no modem says anything in it; a `<` line is needed")
        return Recording(self._path.name, self._facts, tuple(self._pieces))

    def _take(self, number: int, line: str) -> None:
        if self._end is not None:
            self._refuse(number, "stands behind the end; move it in front of `# end`, or delete it")
        if found := _PIECE.fullmatch(line):
            self._pieces.append(self._piece(number, float(found[1]), Who(found[2]), found[3]))
        elif (found := _FACT.fullmatch(line)) and found[1] == _END:
            self._take_end(number, found[2])
        elif found and not self._pieces:
            self._facts[found[1]] = found[2]
        elif not line.startswith("#"):
            self._refuse(
                number, "is neither `<seconds> > text`, `<seconds> < text`, `<seconds> ! hung up` nor `# key: value`"
            )

    def _piece(self, number: int, at: float, who: Who, text: str) -> Piece:
        if self._pieces and at < self._pieces[-1].at:
            self._refuse(number, f"goes back in time, behind {self._pieces[-1].at:g} s; order the lines by time")
        if who is not Who.LINE:
            return Piece(at, who, self._unescape(number, text))
        if text != _HUNG_UP:
            self._refuse(number, f"says `! {text}`; only `! {_HUNG_UP}` is known")
        return Piece(at, who, b"")

    def _unescape(self, number: int, text: str) -> bytes:
        rest = _ESCAPE.sub("", text)
        if "\\" in rest:
            self._refuse(number, r"has an escape that is none of \r, \n, \\ and \xNN (two lower-case hex digits)")
        plain = _ESCAPE.sub(lambda found: _PLAIN.get(found[1]) or chr(int(found[1][1:], 16)), text)
        return plain.encode("latin-1")

    def _take_end(self, number: int, text: str) -> None:
        if not text.isdecimal() or int(text) != len(self._pieces):
            self._refuse(
                number,
                f"says {text} lines and there are {len(self._pieces)}: the file was cut or changed; fetch it again, "
                f"or write `# end: {len(self._pieces)}` if this is all",
            )
        self._end = number

    def _refuse(self, number: int, reason: str) -> None:
        raise TranscriptRefused(path=self._path, reason=f"line {number} {reason}")


_PLAIN = {"r": "\r", "n": "\n", "\\": "\\"}
