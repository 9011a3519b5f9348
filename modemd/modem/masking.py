"""Numbers and texts out of what was said to a modem and by it, octet for octet: every length and every line end stays.

So the masked dialogue can be played again: a PDU stays a PDU with its type, coding, times and reference; its number
keeps its first five and last three digits, and its text becomes as many `@` or `*`.
"""

import re

from modemd.errors import PduError
from modemd.pdu import dcs, timestamp
from modemd.pdu.alphabet import Alphabet
from modemd.pdu.reader import Reader

SHORT_CODE = 6  # digits; a number as short as this is nobody's phone
KEPT_IN_FRONT, KEPT_BEHIND = 5, 3  # digits, as the panel shows a number

_PIN = re.compile(rb'(\+CPIN=\s*"?)([^"\r\n,]+)', re.IGNORECASE)
_NAME = re.compile(rb'(\+(?:CMG[RL]|CMT|CDS|CLIP|CLCC)[:=][^\r\n]*?")([^"\r\n0-9+][^"\r\n]*)(?=")', re.IGNORECASE)
_RUN = re.compile(rb"[0-9A-Fa-f]{7,}")
_SHORTEST_PDU = 24  # hex digits
_LONGEST_CELL = 8  # hex digits of a cell's number; a longer run that is no PDU may be a piece of one
_STAR_UCS2 = b"\x00*"
_DELIVER, _SUBMIT, _STATUS_REPORT = 0, 1, 2
_VALIDITY_OCTETS = (0, 7, 1, 7)  # by TP-VPF (23.040, 9.2.3.3)


def mask(said: bytes) -> bytes:
    """The same octets without phone numbers, texts and PINs. Pure; never raises."""
    said = _PIN.sub(lambda found: found[1] + b"*" * len(found[2]), said)
    said = _NAME.sub(lambda found: found[1] + b"*" * len(found[2]), said)
    return _RUN.sub(lambda found: _mask_run(found[0]), said)


def _mask_run(run: bytes) -> bytes:
    if run.isdigit() and len(run) < _SHORTEST_PDU:
        return _mask_digits(run)
    if len(run) <= _LONGEST_CELL:
        return run
    try:
        masked = _mask_pdu(bytes.fromhex(run.decode())).hex().encode()
    except (PduError, ValueError):
        unreadable = len(run) >= _SHORTEST_PDU and not len(run) % 2
        return (b"F" if unreadable else b"0") * len(run)  # a PDU that cannot be read stays one
    return masked.upper() if run.upper() == run else masked


def _mask_digits(digits: bytes) -> bytes:
    hidden = max(0, len(digits) - KEPT_IN_FRONT - KEPT_BEHIND)
    kept = digits[:KEPT_IN_FRONT] if hidden else b"0" * (len(digits) - KEPT_BEHIND)
    return kept + b"0" * hidden + digits[-KEPT_BEHIND:]


def _mask_pdu(pdu: bytes) -> bytes:
    """Raises PduError when it ends too early."""
    reader = Reader(pdu)
    masked = bytearray(reader.take(reader.octet("SMSC"), "SMSC"))
    masked.insert(0, len(masked))
    first = reader.octet("the first octet")
    masked.append(first)
    kind = first & 3
    if kind in (_SUBMIT, _STATUS_REPORT):
        masked.append(reader.octet("the reference"))
    masked += _mask_address(reader)
    if kind == _STATUS_REPORT:
        masked += reader.take(2 * timestamp.LENGTH + 1, "times and status")
    else:
        masked += _mask_content(reader, first, kind)
    return bytes(masked) + bytes(len(pdu) - len(masked))


def _mask_address(reader: Reader) -> bytes:
    length, kind = reader.octet("the address"), reader.octet("the address")
    octets = reader.take((length + 1) // 2, "the address")
    if length <= SHORT_CODE:
        return bytes((length, kind)) + octets
    nibbles = list(octets.hex())
    nibbles[::2], nibbles[1::2] = nibbles[1::2], nibbles[::2]
    nibbles[KEPT_IN_FRONT : length - KEPT_BEHIND] = "0" * max(0, length - KEPT_BEHIND - KEPT_IN_FRONT)
    nibbles[::2], nibbles[1::2] = nibbles[1::2], nibbles[::2]
    return bytes((length, kind)) + bytes.fromhex("".join(nibbles))


def _mask_content(reader: Reader, first: int, kind: int) -> bytes:
    """PID, DCS, time or validity, and the user data with its header kept and its text gone."""
    head = reader.take(2, "PID and DCS")
    times = timestamp.LENGTH if kind != _SUBMIT else _VALIDITY_OCTETS[first >> 3 & 3]
    middle = reader.take(times, "the time") + reader.take(1, "the length")
    header = b""
    if first & 0x40:
        header = reader.take(1, "the header")
        header += reader.take(header[0], "the header")
    coding = dcs.decode(head[1])
    rest = 0
    while not reader.at_end():
        reader.octet("the text")
        rest += 1
    text = (_STAR_UCS2 * rest)[:rest] if coding.alphabet is Alphabet.UCS2 else bytes(rest)
    return head + middle + header + text
