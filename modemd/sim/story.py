"""What a recorded modem has to say: the answer to each thing that is written to it, in the order of the transcript.

Another version of the daemon asks in another order, leaves things out, or asks twice. So an answer is looked for by its
question: the earliest one that has not been told yet. Only failures keep their place, as milestones: a message that was
not sent, a hang-up, and where the modem stopped answering. What lies behind a milestone is not told before it is
reached, so that the failure comes where it came and not sooner. Of the looks at a modem that is well, and of the
messages that it sent, the last before a milestone stands for all: nobody has to wait for hours of them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from modemd.sim.recording import Piece, Recording, Who

LONGEST_PAUSE: Final = 60.0  # s, of a recorded one
RETURN_SECONDS: Final = 1.0  # from a hang-up until the port is back, where the transcript does not tell
ESC, CTRL_Z = b"\x1b", b"\x1a"
ENDED: Final = re.compile(rb"[^\r\x1a\x1b]*[\r\x1a\x1b]", re.DOTALL)  # what a modem takes as a whole

# keys
_ESC = ESC.decode()
_BODY = "body"  # a PDU with its Ctrl-Z, whose number and text are masked
_SEND = "AT+CMGS="

_FINAL = re.compile(rb"[\r\n](?:OK|ERROR|\+CM[SE] ERROR: *[^\r\n]*|COMMAND NOT SUPPORT)[\r\n]|^\d?(?:OK|ERROR)[\r\n]")
_REFERENCE = re.compile(rb"\+CMGS: *\d")
_PROMPT = re.compile(rb"(?:^|[\r\n])> ?$")
_SAME_WHATEVER_FOLLOWS = re.compile(r"(AT\+(?:CMGS|CPIN|CUSD)=)(?!\?)")
_LOOKS = re.compile(r"AT|AT\+CSQ|AT\+\w+\?")  # they change nothing in the modem
_ONCE = re.compile(rf"{_BODY}|AT\+(?:CMG[RLDSWC]|CMSS|CNMA|CUSD=)")  # not told again: it would be another message


@dataclass(frozen=True, slots=True)
class Reaction:
    """What the modem did, `pause` s after what was before. Octets None: it hung up, and came back in `back_after` s."""

    pause: float
    octets: bytes | None
    back_after: float = 0.0


@dataclass(slots=True)
class Exchange:
    """A question and what came until the next one."""

    key: str
    reactions: list[Reaction] = field(default_factory=list)
    told: bool = False
    is_milestone: bool = False

    @property
    def heard(self) -> bytes:
        return b"".join(reaction.octets or b"" for reaction in self.reactions)

    @property
    def answered(self) -> bool:
        """Whether it had a final result or, for a message, its prompt."""
        return bool(_FINAL.search(self.heard) or _PROMPT.search(self.heard))

    @property
    def sent(self) -> bool:
        """Whether the network has taken the message whose PDU this is."""
        return _REFERENCE.search(self.heard) is not None

    @property
    def hangs_up(self) -> bool:
        return any(reaction.octets is None for reaction in self.reactions)

    @property
    def is_bare_look(self) -> bool:
        """A question that changes nothing, with its answer and nothing more."""
        found = _FINAL.search(self.heard)
        plain = found is not None and not self.heard[found.end() :].strip()
        return plain and not self.hangs_up and _LOOKS.fullmatch(self.key) is not None


def key_of(request: bytes) -> str:
    """By what a question is found again: not by its masked number, PIN or text, nor by its PDU's length."""
    if request.endswith(CTRL_Z):
        return _BODY
    if request.endswith(ESC):
        return _ESC
    text = request.decode("latin-1").strip().upper()
    found = _SAME_WHATEVER_FOLLOWS.match(text)
    return found[1] if found else text


class Story:
    """Of one modem, from the first line of its transcript to the last."""

    def __init__(self, recording: Recording) -> None:
        """`opening` is what the modem said before the first question."""
        self.opening, exchanges = _exchanges(recording.pieces)
        _mark_milestones(exchanges)
        self._exchanges = _without_what_went_well(exchanges)
        self._reached = 0  # the index behind the last milestone that was told
        self._told: dict[str, Exchange] = {}
        last = next((each for each in reversed(self._exchanges) if each.key != _ESC), None)
        self._ends_silent = last is not None and not last.answered and not last.hangs_up

    def answer(self, request: bytes) -> Sequence[Reaction] | None:
        """What the modem did when it was told this; empty: nothing. None: the transcript knows nothing of it."""
        key = key_of(request)
        if (found := self._find(key)) is not None:
            exchange = self._exchanges[found]
            exchange.told = True
            self._told[key] = exchange
            if exchange.is_milestone:
                self._reached = max(self._reached, found + 1)
            return exchange.reactions
        if self._ends_silent and self._milestone() == len(self._exchanges):
            return ()
        again = self._told.get(key)
        if again is not None and again.answered and not _ONCE.match(key):
            return again.reactions
        return () if key == _ESC else None

    def _milestone(self) -> int:
        """The next one's index, or where the story ends."""
        ahead = range(self._reached, len(self._exchanges))
        return next((i for i in ahead if self._exchanges[i].is_milestone), len(self._exchanges))

    def _find(self, key: str) -> int | None:
        is_look = _LOOKS.fullmatch(key) is not None
        from_here = range(self._reached if is_look else 0, len(self._exchanges))  # how it was before tells nothing now
        untold = (i for i in from_here if self._exchanges[i].key == key and not self._exchanges[i].told)
        found = next(untold, None)
        if found is None or found <= self._milestone():
            return found
        elsewhere = key not in self._told and self._exchanges[found].answered and not is_look
        return found if elsewhere else None


def _mark_milestones(exchanges: Sequence[Exchange]) -> None:
    """Messages not sent; and what got no answer, unless the next question got one: such a modem was only slow."""
    asked = [exchange for exchange in exchanges if exchange.key != _ESC]
    for exchange, following in zip(asked, [*asked[1:], None], strict=True):
        dead = not exchange.answered and (following is None or not following.answered)
        unsent = exchange.key == _BODY and not exchange.sent
        unsent |= exchange.key == _SEND and (following is None or following.key != _BODY or not following.sent)
        exchange.is_milestone = dead or unsent or exchange.hangs_up
    for earlier, later in pairwise(asked):
        later.is_milestone |= earlier.is_milestone and not later.answered


def _exchanges(pieces: Sequence[Piece]) -> tuple[list[Reaction], list[Exchange]]:
    """The modem's words before the first question, and the questions with theirs."""
    opening: list[Reaction] = []
    exchanges: list[Exchange] = []
    now, rest = opening, b""
    for number, piece in enumerate(pieces):
        pause = min(LONGEST_PAUSE, piece.at - pieces[number - 1].at) if number else 0.0
        if piece.who is Who.MODEM:
            now.append(Reaction(pause, piece.octets))
        elif piece.who is Who.LINE:
            following = pieces[number + 1 : number + 2]
            back_after = min(LONGEST_PAUSE, following[0].at - piece.at) if following else RETURN_SECONDS
            now.append(Reaction(pause, None, back_after))
            rest = b""
        else:
            rest += piece.octets
            while found := ENDED.match(rest):
                rest = rest[found.end() :]
                exchanges.append(Exchange(key_of(found[0])))
                now = exchanges[-1].reactions
    return opening, exchanges


def _without_what_went_well(exchanges: Sequence[Exchange]) -> list[Exchange]:
    """Between two milestones only the last of the same look, and the last of the messages."""
    kept: list[Exchange] = []
    seen: set[str] = set()
    for exchange in reversed(exchanges):
        if exchange.is_milestone:
            seen.clear()
        elif exchange.is_bare_look or exchange.key in (_SEND, _BODY):
            if exchange.key in seen:
                continue
            seen.add(exchange.key)
        kept.append(exchange)
    return kept[::-1]
