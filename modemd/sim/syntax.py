"""The AT command line (ITU-T V.250, 5.2 to 5.4; 27.007, 4): one line, one or several commands."""

import re
from enum import Enum, auto
from functools import lru_cache
from typing import NamedTuple


class Form(Enum):
    EXECUTE = auto()  # AT+CMD
    READ = auto()  # AT+CMD?
    TEST = auto()  # AT+CMD=?
    SET = auto()  # AT+CMD=…


class Request(NamedTuple):
    """One command. A basic command's number is its only argument: ATE0 is E with `("0",)`."""

    name: str
    form: Form
    args: tuple[str, ...] = ()

    def number(self, place: int, default: int | None = None) -> int | None:
        """The argument at `place` as a number; `default` when it is left out, None when it is no number."""
        text = self.args[place] if place < len(self.args) else ""
        if not text:
            return default
        return int(text) if text.isascii() and text.isdigit() else None


_EXTENDED = re.compile(r'([+^#$%*!][A-Z][A-Z0-9]*)\s*(=\s*\?|\?|=(?:"[^"]*"|[^;"])*)?\s*(?:;|$)', re.IGNORECASE)
_DIAL = re.compile(r"(D)([^;]*);?", re.IGNORECASE)
_REGISTER = re.compile(r"(S)(\d+)(?:=\d*|\?)", re.IGNORECASE)
_BASIC = re.compile(r"(&?[A-Z])(\d*)\s*;?", re.IGNORECASE)
_ARGUMENT = re.compile(r'\s*(?:"([^"]*)"|([^,"]*?))\s*(?:,|$)')


@lru_cache(maxsize=512)
def parse(line: str) -> tuple[Request, ...] | None:
    """The commands behind the first `AT`; what stands before it is noise. None when the line is no command line.

    Raises ValueError when there is an `AT` and what follows is no command.
    """
    start = line.upper().find("AT")
    if start < 0:
        return None
    requests = []
    position = start + 2
    rest = line.rstrip()
    while position < len(rest):
        if rest[position] in " ;":
            position += 1
            continue
        found = _EXTENDED.match(rest, position)
        if found:
            requests.append(_extended(found[1].upper(), found[2] or ""))
        elif found := next(filter(None, (each.match(rest, position) for each in (_DIAL, _REGISTER, _BASIC))), None):
            requests.append(Request(found[1].upper(), Form.EXECUTE, (found[2],) if found[2] else ()))
        else:
            raise ValueError(f"no command: {rest[position:]!r}")
        position = found.end()
    return tuple(requests)


def _extended(name: str, tail: str) -> Request:
    if not tail:
        return Request(name, Form.EXECUTE)
    if tail == "?":
        return Request(name, Form.READ)
    value = tail[1:].strip()
    if value == "?":
        return Request(name, Form.TEST)
    return Request(name, Form.SET, _arguments(value))


def _arguments(value: str) -> tuple[str, ...]:
    found: list[str] = []
    position = 0
    while position < len(value):
        argument = _ARGUMENT.match(value, position)
        if argument is None:
            raise ValueError(f"no argument: {value[position:]!r}")
        found.append(argument[2] if argument[1] is None else argument[1])
        position = argument.end()
    if value.endswith(","):
        found.append("")
    return tuple(found)
