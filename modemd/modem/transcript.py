r"""The flight recorder: the last of the dialogue with one modem, kept as a file when the modem fails.

One line for each piece, in the order of the stream: `<seconds> > text` for what we wrote, `<seconds> < text` for what
the modem wrote, `<seconds> ! hung up` when the port was gone; `\r`, `\n`, `\\` and `\xNN` are escapes. In front
`# key: value`, and at the end `# end: <pieces>`, by which a file that was cut is known. `modemd sim --replay FILE`
turns such a file back into a modem, and tests/transcripts/<model>/<situation>.txt is the same format.
"""

import asyncio
import logging
import re
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from modemd.modem.masking import mask

log = logging.getLogger(__name__)

MOST_OCTETS = 32_768  # of one modem's dialogue
MOST_PIECES = 2_048  # a byte at a time, each costs a hundred octets of memory
MERGED_SECONDS = 0.02  # pieces that follow each other so closely are one line of the file
KEPT_DAYS = 7  # DOMAIN, section 8
KEPT_OF_A_MODEM = 20  # files
SAME_AGAIN = timedelta(hours=1)  # a modem that fails on and on in the same way tells nothing new before

_STAMP = "%Y%m%dT%H%M%SZ"
_ENDED = re.compile(rb"[^\r\n\x1a]*[\r\n\x1a]+")
_PIECES = re.compile(rb"[\r\n]*[^\r\n]+[\r\n]*|[\r\n]+")


class Piece(NamedTuple):
    at: float  # s, monotonic
    ours: bool  # we wrote it
    octets: bytes  # none: the port hung up


class Transcript:
    """What was last said, in a ring. `said` and `heard` stand on the hot path: they keep octets and a time."""

    def __init__(self) -> None:
        self._pieces: deque[Piece] = deque()
        self._octets = 0
        self._cut = False

    def said(self, octets: bytes) -> None:
        self._keep(Piece(time.monotonic(), True, octets))

    def heard(self, octets: bytes) -> None:
        self._keep(Piece(time.monotonic(), False, octets))

    def hung_up(self) -> None:
        self._keep(Piece(time.monotonic(), False, b""))

    def _keep(self, piece: Piece) -> None:
        self._pieces.append(piece)
        self._octets += len(piece.octets)
        while self._octets > MOST_OCTETS or len(self._pieces) > MOST_PIECES:
            self._octets -= len(self._pieces.popleft().octets)
            self._cut = True

    def snapshot(self) -> tuple[Sequence[Piece], bool]:
        """The pieces so far, and whether older ones are gone."""
        return tuple(self._pieces), self._cut


def render(pieces: Sequence[Piece], cut: bool, facts: Mapping[str, object]) -> str:
    """The file: `facts` in front, then the dialogue, numbers and texts masked."""
    lines = [f"# {key}: {value}" for key, value in facts.items() if value is not None]
    begin = pieces[0].at if pieces else 0.0
    merged = _merge(_masked(pieces, cut))
    lines += [f"{piece.at - begin:.3f} {_in_words(piece)}" for piece in merged]
    return "\n".join([*lines, f"# end: {len(merged)}"]) + "\n"


def _masked(pieces: Sequence[Piece], cut: bool) -> list[Piece]:
    """Each direction is masked as one stream, whose lengths stay: a number may be cut anywhere."""
    streams = {}
    for ours in (True, False):
        stream = b"".join(piece.octets for piece in pieces if piece.ours is ours)
        if cut and (first := _ENDED.match(stream)):  # the rest of a line that may have begun with a number
            stream = b"*" * (first.end() - 1) + stream[first.end() - 1 :]
        streams[ours] = mask(stream)
    taken = {True: 0, False: 0}
    masked = []
    for piece in pieces:
        start = taken[piece.ours]
        taken[piece.ours] = end = start + len(piece.octets)
        masked.append(piece._replace(octets=streams[piece.ours][start:end]))
    return masked


def _merge(pieces: Sequence[Piece]) -> list[Piece]:
    """What was said in one breath, cut again at the ends of its lines."""
    merged: list[Piece] = []
    last = float("-inf")
    for piece in pieces:
        if merged and _in_one_breath(merged[-1], piece) and piece.at - last <= MERGED_SECONDS:
            merged[-1] = merged[-1]._replace(octets=merged[-1].octets + piece.octets)
        else:
            merged.append(piece)
        last = piece.at
    return [piece._replace(octets=line) for piece in merged for line in _PIECES.findall(piece.octets) or [b""]]


def _in_one_breath(before: Piece, after: Piece) -> bool:
    return bool(before.ours is after.ours and before.octets and after.octets)


def _in_words(piece: Piece) -> str:
    if not piece.octets:
        return "! hung up"
    return f"{'>' if piece.ours else '<'} {_escape(piece.octets)}"


def _escape(octets: bytes) -> str:
    return "".join(_ESCAPES.get(octet) or chr(octet) for octet in octets)


_ESCAPES = {octet: f"\\x{octet:02x}" for octet in range(256) if not 0x20 <= octet <= 0x7E} | {
    0x0D: "\\r",
    0x0A: "\\n",
    0x5C: "\\\\",
}


class TranscriptFiles:
    """The folder [daemon] data/transcripts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[str, tuple[str, datetime]] = {}

    async def keep(
        self, name: str, transcript: Transcript, now: datetime, why: str, facts: Mapping[str, object]
    ) -> Path | None:
        """Write the file and clear away old ones. None: not written, for it would say the same again, or nothing."""
        last_why, last = self._kept.get(name, ("", now))
        pieces, cut = transcript.snapshot()
        if not pieces or (why == last_why and now - last < SAME_AGAIN):
            return None
        self._kept[name] = (why, now)
        facts = {"modem": name, "why": mask(why.encode()).decode(), "at": now.isoformat(timespec="seconds"), **facts}
        try:
            return await asyncio.to_thread(self._write, name, now, lambda: render(pieces, cut, facts))
        except OSError as error:
            log.warning("%s: its transcript cannot be kept: %s", name, error)
            return None

    def _write(self, name: str, now: datetime, text: Callable[[], str]) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        safe = re.sub(r"[^\w.-]+", "_", name).strip(".") or "modem"
        path = self._folder / f"{safe}-{now:{_STAMP}}.txt"
        path.write_text(text(), encoding="ascii", errors="backslashreplace")
        path.chmod(0o640)
        self._clear(safe, f"{now - timedelta(days=KEPT_DAYS):{_STAMP}}")
        return path

    def _clear(self, name: str, oldest: str) -> None:
        files = {path: path.stem.rpartition("-") for path in self._folder.glob("*-*T*Z.txt")}
        own = sorted(path for path, (whose, _, _) in files.items() if whose == name)
        for path, (_, _, stamp) in files.items():
            if stamp < oldest or path in own[:-KEPT_OF_A_MODEM]:
                path.unlink(missing_ok=True)
