"""Cutting a text into the parts of a long message (23.040, 9.2.3.24.1)."""

from dataclasses import dataclass

from modemd.errors import Because, TextError
from modemd.pdu import alphabet
from modemd.pdu.alphabet import Alphabet

MAX_PARTS = 10  # more is a mistake, and costs the price of as many messages
_ESCAPE = 0x1B
_GSM7_SINGLE, _GSM7_PART = 160, 153  # septets; a header with an 8-bit reference takes 7
_UCS2_SINGLE, _UCS2_PART = 140, 134  # octets; the header takes 6


@dataclass(frozen=True, slots=True)
class TextSize:
    """What a text needs: `units` are septets or 16-bit UCS-2 characters, `left` how many more the last part holds."""

    alphabet: Alphabet
    units: int
    parts: int
    left: int


def measure(text: str) -> TextSize:
    """Count without sending. Raises TextError as `cut` does."""
    how, pieces = cut(text)
    per_unit = 1 if how is Alphabet.GSM7 else 2
    if len(pieces) == 1:
        room = _GSM7_SINGLE if how is Alphabet.GSM7 else _UCS2_SINGLE
    else:
        room = _GSM7_PART if how is Alphabet.GSM7 else _UCS2_PART
    return TextSize(how, sum(map(len, pieces)) // per_unit, len(pieces), (room - len(pieces[-1])) // per_unit)


def split(text: str) -> list[str]:
    """The texts of the parts; together they are the text again. Raises TextError as `cut` does."""
    how, pieces = cut(text)
    if how is Alphabet.GSM7:
        return [alphabet.decode_gsm7(piece) for piece in pieces]
    return [piece.decode("utf-16-be") for piece in pieces]


def cut(text: str) -> tuple[Alphabet, list[bytes]]:
    """The encoded parts: septets (one an octet) if GSM 7-bit with its extension has every character, else UCS-2 octets.

    No escape pair and no surrogate pair is cut in two. Raises TextError when the text is empty, holds half a surrogate
    pair, or needs more than MAX_PARTS.
    """
    if not text:
        raise TextError(reason=Because("it is empty"))
    septets = alphabet.try_gsm7(text)
    if septets is None:
        return Alphabet.UCS2, _cut_ucs2(text)
    return Alphabet.GSM7, _cut_gsm7(septets)


def _cut_gsm7(septets: bytes) -> list[bytes]:
    if len(septets) <= _GSM7_SINGLE:
        return [septets]
    pieces = []
    start = 0
    while start < len(septets):
        end = start + _GSM7_PART
        if end < len(septets) and septets[end - 1] == _ESCAPE:
            end -= 1
        pieces.append(septets[start:end])
        start = end
    return _checked(pieces)


def _cut_ucs2(text: str) -> list[bytes]:
    try:
        octets = text.encode("utf-16-be")
    except UnicodeEncodeError:
        raise TextError(reason=Because("it holds half a surrogate pair, which is no character")) from None
    if len(octets) <= _UCS2_SINGLE:
        return [octets]
    pieces = []
    start = 0
    while start < len(octets):
        end = start + _UCS2_PART
        if end < len(octets) and octets[end - 2] & 0xFC == 0xD8:  # the first half of a surrogate pair
            end -= 2
        pieces.append(octets[start:end])
        start = end
    return _checked(pieces)


def _checked(pieces: list[bytes]) -> list[bytes]:
    if len(pieces) > MAX_PARTS:
        raise TextError(
            reason=Because("it needs {parts} parts, and {most} are the most", parts=len(pieces), most=MAX_PARTS)
        )
    return pieces
