"""Unsolicited result codes: which lines speak unasked, and what the ones we act upon say."""

import re
from dataclasses import dataclass

TWO_LINES = frozenset({"+CMT", "+CDS", "+CBM"})  # in PDU mode their PDU is the next line (27.005, 3.4.1)
FREE_TEXT = "+CUSD"  # its quoted text may hold line ends, even a line that reads OK

# A modem that says this has started anew and has forgotten its settings.
_STARTED = re.compile(rb"RDY|SMS Ready|\^SYSSTART.*|\+PBREADY|PB DONE|START|MODEM:STARTUP", re.IGNORECASE)
_WORDS = re.compile(
    rb"RING|NO CARRIER|BUSY|NO ANSWER|NO DIALTONE|NO DIAL TONE|CONNECT.*|Call Ready|NORMAL POWER DOWN|"
    rb"(?:UNDER|OVER)-VOLTAGE .*",
    re.IGNORECASE,
)
_PREFIXED = re.compile(rb"([+^*$%#!_][A-Z0-9_ ]{1,20}?)(?: *[:=].*|)", re.IGNORECASE | re.DOTALL)
_INDICATION = re.compile(rb'\+(CMTI|CDSI): *"?([A-Z_/]{2,6})"?, *(\d{1,5})(?!\d)', re.IGNORECASE)
_BURIED = re.compile(rb'\+(?:CMTI|CDSI): *"[A-Z_/]{2,6}", *\d{1,5}$')
_LENGTH = re.compile(rb"[ ,](\d{1,3})$")
_MEMORY_FULL = re.compile(rb'\^SMMEMFULL.*|\+SMS ?FULL.*|\^SMGO:.*|#SMOV:.*|\+QIND: *"smsfull".*', re.IGNORECASE)
_REGISTRATION = re.compile(rb'\+C(?:|G|E)REG: *(\d{1,2})(?:, *[^0-9 ].*|, *"?[0-9A-F]{4}.*|)', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Urc:
    """One URC: its name ("+CMTI", "RING"), its line, and the PDU line of the two-line forms (None: it was lost)."""

    name: str
    line: bytes
    pdu: bytes | None = None


@dataclass(frozen=True, slots=True)
class Indication:
    """+CMTI or +CDSI: something has been stored (27.005, 3.4.1)."""

    storage: str
    index: int


def recognise(line: bytes) -> Urc | None:
    """The URC that this line is or begins, whatever make of modem it comes from. None: it is something else."""
    if found := _PREFIXED.fullmatch(line):
        return Urc(found[1].decode("ascii").upper(), line)
    if _WORDS.fullmatch(line) or _STARTED.fullmatch(line):
        return Urc(line.decode("ascii", "replace"), line)
    return None


def is_word(line: bytes) -> bool:
    """Whether the line is one of the URCs without a prefix, which no answer can look like."""
    return _WORDS.fullmatch(line) is not None or _STARTED.fullmatch(line) is not None


def buried(line: bytes) -> Urc | None:
    """A notification at the end of a line whose beginning is noise."""
    found = _BURIED.search(line)
    return recognise(found[0]) if found else None


def indication(urc: Urc) -> Indication | None:
    """Where the message or status report lies that +CMTI or +CDSI tells of; None when the line is damaged."""
    found = _INDICATION.match(urc.line)
    return Indication(found[2].decode().upper(), int(found[3])) if found else None


def tells_restart(urc: Urc) -> bool:
    return _STARTED.fullmatch(urc.line) is not None


def tells_call(urc: Urc) -> bool:
    """Somebody calls: RING (V.250) or +CRING (27.007, 6.11)."""
    return urc.name in ("RING", "+CRING")


def tells_memory_full(urc: Urc) -> bool:
    return _MEMORY_FULL.fullmatch(urc.line) is not None


def registration(urc: Urc) -> int | None:
    """The <stat> of an unsolicited +CREG, +CGREG or +CEREG (27.007, 7.2, 10.1.20, 10.1.22)."""
    found = _REGISTRATION.fullmatch(urc.line)
    return int(found[1]) if found else None


def announced_length(header: bytes) -> int | None:
    """The <length> in a header that a PDU line follows: octets of the TPDU, without the SMSC prefix."""
    found = _LENGTH.search(header)
    return int(found[1]) if found else None


def fits(pdu: bytes, length: int | None) -> bool:
    """Whether a hex line has the length that its header announced."""
    if length is None or len(pdu) < 2:
        return False
    return len(pdu) == 2 * (length + 1 + int(pdu[:2], 16))
