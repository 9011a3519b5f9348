"""GSM 7-bit text: characters to septets and back (23.038, 6.2.1), septets to octets and back (23.038, 6.1.2)."""

import codecs
from enum import StrEnum

from modemd.errors import Because, PduError, TextError
from modemd.pdu import national


class Alphabet(StrEnum):
    """How user data is read; the values are those of `modemd pdu decode`."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"
    EIGHT_BIT = "8bit"


_ESCAPE = b"\x1b"
_ENCODING = codecs.charmap_build(national.DEFAULT)
_SEPTETS = {char: septet for septet, char in enumerate(national.DEFAULT) if char != "\x1b"}
_NO_SEPTET = 0xFF
_ASCII = bytes(_SEPTETS.get(chr(code), _NO_SEPTET) for code in range(256))  # most texts have nothing else
_ESCAPE_PAIRS = {ord(char): "\x1b" + national.DEFAULT[code] for code, char in national.EXTENSION.items()}

# Eight septets become seven octets by halving: the free bits are squeezed out of pairs of octets, then of fours, then
# of eights, for the whole text at once on one long integer; the eighth octet of each group is then empty.
_MOST_SEPTETS = 256  # TP-UDL is one octet
_HALVINGS = tuple(
    (
        shift,
        int.from_bytes(low.ljust(2 * len(low), b"\0") * (_MOST_SEPTETS // len(low) // 2), "little"),
        int.from_bytes(low.rjust(2 * len(low), b"\0") * (_MOST_SEPTETS // len(low) // 2), "little"),
    )
    for shift, low in ((1, b"\x7f"), (2, b"\xff\x3f"), (4, b"\xff\xff\xff\x0f"))
)


def encode_gsm7(text: str) -> bytes:
    """One octet a septet, escape pairs included. Raises TextError when alphabet and extension lack a character."""
    septets = try_gsm7(text)
    if septets is None:
        raise TextError(reason=Because("GSM 7-bit has not all of its characters"))
    return septets


def try_gsm7(text: str) -> bytes | None:
    """What `encode_gsm7` returns, or None where it raises: to try is the usual case, and an exception costs more."""
    if text.isascii() and _NO_SEPTET not in (septets := text.encode("ascii").translate(_ASCII)):
        return septets
    if "\x1b" in text:
        return None
    try:
        return codecs.charmap_encode(text, "strict", _ENCODING)[0]
    except UnicodeEncodeError as error:
        if ord(text[error.start]) not in _ESCAPE_PAIRS:
            return None
    try:
        return codecs.charmap_encode(text.translate(_ESCAPE_PAIRS), "strict", _ENCODING)[0]
    except UnicodeEncodeError:
        return None


def decode_gsm7(septets: bytes, locking: int = 0, single: int = 0) -> str:
    """The text of septets (one an octet, 0 … 127) under national language tables by their numbers (23.038, 6.2.1.2.4).

    A septet that the table behind an escape lacks is read from the table in front of it; a second escape, and an escape
    that nothing follows, is a space (6.2.1, note 1 and 6.2.1.1, note 1). A language without a table reads as the
    default one.
    """
    table = national.locking(locking)
    plain, *escaped = septets.split(_ESCAPE)
    text = codecs.charmap_decode(plain, "strict", table)[0]
    if not escaped:
        return text
    behind = national.behind_escape(locking, single)
    pieces = [text]
    rest = iter(escaped)
    for piece in rest:
        if piece:
            pieces.append(behind[piece[0]] + codecs.charmap_decode(piece[1:], "strict", table)[0])
        else:
            after_second_escape = next(rest, b"")
            pieces.append(" " + codecs.charmap_decode(after_second_escape, "strict", table)[0])
    return "".join(pieces)


def pack(septets: bytes, fill_bits: int = 0) -> bytes:
    """Up to 256 septets (one an octet) as octets, behind `fill_bits` zeros (0 … 6) that round up a header."""
    whole = -len(septets) % 8 + len(septets)
    bits = int.from_bytes(septets, "little")
    for shift, low, high in _HALVINGS:
        bits = (bits & low) | ((bits & high) >> shift)
    octets = bytearray(bits.to_bytes(whole, "little"))
    del octets[7::8]
    length = (len(septets) * 7 + fill_bits + 7) // 8
    if not fill_bits:
        return bytes(octets[:length])
    return (int.from_bytes(octets, "little") << fill_bits).to_bytes(len(octets) + 1, "little")[:length]


def unpack(octets: bytes, count: int, fill_bits: int = 0) -> bytes:
    """`count` septets (one an octet) out of octets, behind `fill_bits`. Raises PduError when the octets are too few."""
    if count * 7 + fill_bits > len(octets) * 8:
        raise PduError(reason=f"{count} septets do not fit into the {len(octets)} octets that are there")
    if fill_bits:
        octets = (int.from_bytes(octets, "little") >> fill_bits).to_bytes(len(octets), "little")
    groups = (count + 7) // 8
    octets = octets[: groups * 7].ljust(groups * 7, b"\0")
    spread = bytearray(groups * 8)
    for position in range(7):
        spread[position::8] = octets[position::7]
    bits = int.from_bytes(spread, "little")
    for shift, low, high in reversed(_HALVINGS):
        bits = (bits & low) | ((bits & (high >> shift)) << shift)
    return bits.to_bytes(len(spread), "little")[:count]
