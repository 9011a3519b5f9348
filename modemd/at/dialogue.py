"""The dialogue with one modem: bytes in, events out; no I/O, no clock.

    IDLE            nothing is asked            ask()       -> WAITING_RESULT, or WAITING_PROMPT for AT+CMGS
    WAITING_RESULT  a command was written       final result -> IDLE                        event Answer
    WAITING_PROMPT  AT+CMGS was written         `>`: event Prompted; body() -> WAITING_RESULT; an error -> IDLE, Answer
    DESYNCED        abandon() gave up waiting   answers belong to nobody: event Stray; resume() -> IDLE

A URC may stand between any two lines, in any state (rule 4), and no answer is given to the wrong question (rule 5):
what answers a message given up after its Ctrl-Z is a LateResult.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from modemd.at import urc as urcs
from modemd.at.commands import Command, Reply
from modemd.at.lines import PROMPT, Lines
from modemd.at.results import Final, final_result
from modemd.at.urc import Urc

ESCAPE = b"\x1b"
CTRL_Z = b"\x1a"
MAX_REPLIES = 4096  # lines of one answer; no storage has as many messages
MAX_FREE_TEXT = 1000  # octets of a URC's text over several lines
PATIENCE = 8  # lines that may stand between a header and its PDU line

_HEX = re.compile(rb"[0-9A-Fa-f]{2,}")  # also an odd number of digits: a PDU that broke off is kept (rule 6)
_ENTRY = re.compile(rb"\+CMG[LR]:", re.IGNORECASE)
_REFERENCE = re.compile(rb"\+CMGS: *(\d{1,3})(?: *,.*)?", re.IGNORECASE)


class DialogueState(Enum):
    IDLE = "idle"
    WAITING_RESULT = "waiting for the final result"
    WAITING_PROMPT = "waiting for the prompt"
    DESYNCED = "out of step"


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to what was asked."""

    final: Final
    replies: Sequence[Reply]


@dataclass(frozen=True, slots=True)
class Prompted:
    """The modem waits for the PDU. Not `expected`: nobody asked, and it takes all that is written to it for a text."""

    expected: bool


@dataclass(frozen=True, slots=True)
class Stray:
    """A final result that answers no question of ours."""

    final: Final
    replies: Sequence[Reply]


@dataclass(frozen=True, slots=True)
class LateResult:
    """The answer to a message that was given up after its Ctrl-Z. `outcome`: TP-MR, or why the network refused it."""

    part_id: int
    outcome: int | Final


Event = Answer | Prompted | Stray | LateResult | Urc


@dataclass(slots=True)
class _Header:
    """A line whose PDU is the next line: of a URC, or of our answer (`reply`: its place there), or of a late one."""

    length: int | None
    urc: Urc | None = None
    reply: int | None = None
    patience: int = PATIENCE


class Dialogue:
    """The state machine. Whatever bytes come in, it gives events and never raises."""

    def __init__(self) -> None:
        self.state = DialogueState.IDLE
        self._lines = Lines()
        self._command: Command[Any] | None = None
        self._echo = b""
        self._part_id: int | None = None  # of the AT+CMGS under way
        self._prompted = False
        self._body: bytes | None = None
        self._replies: list[Reply] = []
        self._headers: list[_Header] = []  # those that wait for their PDU, the newest last
        self._free_text: Urc | None = None  # a URC whose quoted text is still open
        self._late_part: int | None = None  # given up after its Ctrl-Z and not answered since
        self._late_ok_due = False  # its +CMGS has come, its OK has not
        self._events: list[Event] = []

    # what we say

    def ask(self, command: Command[Any], *, part_id: int | None = None) -> bytes:
        """Begin a command; the bytes to write. With `part_id` it is an AT+CMGS, which waits for its prompt first.

        While DESYNCED the state stays, and what comes is a Stray: it may be the answer to something older.
        """
        if self.state is DialogueState.IDLE:
            self.state = DialogueState.WAITING_RESULT if part_id is None else DialogueState.WAITING_PROMPT
        elif self.state is not DialogueState.DESYNCED:
            raise RuntimeError(f"{command} while {self.state.value}")
        self._command = command
        self._echo = command.text.encode("ascii", "replace")
        self._part_id = part_id
        self._prompted = False
        self._body = None
        self._replies = []
        return self._echo + b"\r"

    def body(self, pdu: str) -> bytes:
        """The PDU and Ctrl-Z, after Prompted. From here on the network may have the message."""
        if self.state is not DialogueState.WAITING_PROMPT or not self._prompted:
            raise RuntimeError(f"PDU while {self.state.value}")
        self._body = pdu.encode("ascii")
        self._late_part = None  # the modem gave a prompt, so it is done with the message before
        self._late_ok_due = False
        self.state = DialogueState.WAITING_RESULT
        return self._body + CTRL_Z

    def abandon(self) -> bytes:
        """Give up waiting. The bytes to write: ESC, which leaves a prompt and does no harm elsewhere."""
        if self._body is not None and self.state is DialogueState.WAITING_RESULT:
            self._late_part = self._part_id
        self._free_text = None
        self._end_command(DialogueState.DESYNCED)
        return ESCAPE

    def resume(self) -> None:
        """The modem is back in step: what was late has come, or will not come."""
        self._end_command(DialogueState.IDLE)

    @property
    def replies(self) -> Sequence[Reply]:
        """The lines of the answer so far."""
        return self._replies

    # what we hear

    def receive(self, data: bytes) -> list[Event]:
        """What the bytes complete, in the order of the stream."""
        self._lines.feed(data)
        self._events = []
        while (line := self._lines.take(prompt=self._may_be_prompted())) is not None:
            if line is PROMPT:
                self._prompted = self.state is DialogueState.WAITING_PROMPT
                self._events.append(Prompted(self._prompted))
            else:
                self._take(line)
        return self._events

    def _may_be_prompted(self) -> bool:
        return self.state is not DialogueState.WAITING_RESULT and not self._prompted

    def _take(self, line: bytes) -> None:
        if self._free_text is not None and self._continues_free_text(line):
            return
        if (final := final_result(line)) is not None:
            self._take_final(final)
        elif not (self._headers and self._take_pdu(line)) and not (self._late_part is not None and self._is_late(line)):
            self._take_text(line)

    def _take_text(self, line: bytes) -> None:
        if self._is_own(line):
            self._take_reply(line)
        elif (urc := urcs.recognise(line)) is not None:
            self._take_urc(urc)
        elif (urc := urcs.buried(line)) is not None:
            self._events.append(urc)

    # final results

    def _take_final(self, final: Final) -> None:
        if self._late_ok_due:
            self._late_ok_due = False
        elif self.state is DialogueState.WAITING_RESULT:
            self._answer(final)
        elif self.state is DialogueState.WAITING_PROMPT:
            if not final.ok:  # an OK here is older than our question
                self._answer(final)
        elif self._late_part is not None and final.family == "S":
            self._events.append(LateResult(self._late_part, final))
            self._late_part = None
        else:
            self._events.append(Stray(final, self._replies))
            self._replies = []

    def _answer(self, final: Final) -> None:
        self._events.append(Answer(final, self._replies))
        self._end_command(DialogueState.IDLE)

    def _end_command(self, state: DialogueState) -> None:
        self.state = state
        self._command = None
        self._body = None
        self._prompted = False
        self._lines.expect()
        self._replies = []
        if self._headers:
            self._headers = [header for header in self._headers if header.reply is None]

    def _is_late(self, line: bytes) -> bool:
        """Take the +CMGS of the message that was given up."""
        found = _REFERENCE.fullmatch(line)
        if found is None or self._late_part is None or self._body is not None:
            return False
        self._events.append(LateResult(self._late_part, int(found[1]) % 256))
        self._late_part = None
        self._late_ok_due = True
        return True

    # lines of the answer

    def _is_own(self, line: bytes) -> bool:
        """Whether the line is of the answer to our command."""
        own = self._command.own if self._command is not None else None
        if own is None or own.match(line) is None:
            return False
        return line != self._echo and (line.startswith(b"+") or not urcs.is_word(line))

    def _take_reply(self, line: bytes) -> None:
        if len(self._replies) >= MAX_REPLIES:
            return
        self._replies.append(Reply(line))
        if _ENTRY.match(line):
            self._headers.append(_Header(urcs.announced_length(line), reply=len(self._replies) - 1))

    # URCs and PDU lines

    def _take_urc(self, urc: Urc) -> None:
        if urc.name in urcs.TWO_LINES:
            self._headers.append(_Header(urcs.announced_length(urc.line), urc=urc))
        elif _ENTRY.match(urc.line):  # a listing that nobody waits for any more: its PDU belongs to no URC
            self._headers.append(_Header(urcs.announced_length(urc.line)))
        elif urc.name == urcs.FREE_TEXT and urc.line.count(b'"') % 2:
            self._free_text = urc
        else:
            self._events.append(urc)

    def _take_pdu(self, line: bytes) -> bool:
        """Give a hex line to the header it fits, else to the newest; False: the line is something else."""
        if self._body is not None and line.upper() == self._body.upper():
            return True  # the modem echoes what we send
        if _HEX.fullmatch(line) is None:
            self._lose_patience()
            return False
        fitting = [header for header in self._headers if urcs.fits(line, header.length)]
        if not fitting and self._is_own(line):
            return False
        header = fitting[-1] if fitting else self._headers[-1]
        self._headers.remove(header)
        if header.urc is not None:
            self._events.append(Urc(header.urc.name, header.urc.line, line))
        elif header.reply is not None:
            self._replies[header.reply] = Reply(self._replies[header.reply].line, line)
        return True

    def _lose_patience(self) -> None:
        for header in self._headers:
            header.patience -= 1
            if header.patience == 0 and header.urc is not None:
                self._events.append(header.urc)
        self._headers = [header for header in self._headers if header.patience > 0]

    def _continues_free_text(self, line: bytes) -> bool:
        """Add the line to the open text of a URC, unless it is a notification of its own."""
        urc = self._free_text
        if urc is None or urcs.buried(line) is not None:
            return False
        text = urc.line + b"\n" + line
        closed = line.count(b'"') % 2 == 1 or len(text) > MAX_FREE_TEXT
        self._free_text = None if closed else Urc(urc.name, text)
        if closed:
            self._events.append(Urc(urc.name, text))
        return True
