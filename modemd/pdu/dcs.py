"""The data coding scheme: which alphabet, which message class (23.038, section 4)."""

from dataclasses import dataclass
from functools import cache

from modemd.pdu.alphabet import Alphabet

_ALPHABET_BITS = {Alphabet.GSM7: 0x00, Alphabet.EIGHT_BIT: 0x04, Alphabet.UCS2: 0x08}
_CLASS_BIT = 0x10


@dataclass(frozen=True, slots=True)
class DataCoding:
    """What a coding octet says. Compressed text (23.042; no network is known to use it) is handed on as 8-bit data."""

    alphabet: Alphabet = Alphabet.GSM7
    message_class: int | None = None  # 0 flash, 1 the phone's memory, 2 the SIM, 3 attached equipment
    compressed: bool = False


@cache
def decode(octet: int) -> DataCoding:
    """Read a coding octet. Reserved codings are the default alphabet without a class, as 23.038 tells the receiver."""
    group = octet >> 4
    if group < 0b1000:
        return _decode_general(octet)
    if group == 0b1111:
        return DataCoding(Alphabet.EIGHT_BIT if octet & 0x04 else Alphabet.GSM7, octet & 0x03)
    if group == 0b1110:  # message waiting, kept, in UCS-2; 1100 and 1101 are the same in the default alphabet
        return DataCoding(Alphabet.UCS2)
    return DataCoding()


def _decode_general(octet: int) -> DataCoding:
    """Groups 00xx, and 01xx: the same for messages marked for automatic deletion."""
    bits = octet & 0x0C
    if bits == 0x0C:
        return DataCoding()
    message_class = octet & 0x03 if octet & _CLASS_BIT else None
    if octet & 0x20:
        return DataCoding(Alphabet.EIGHT_BIT, message_class, compressed=True)
    return DataCoding(next(each for each, value in _ALPHABET_BITS.items() if value == bits), message_class)


def encode(alphabet: Alphabet, message_class: int | None = None) -> int:
    """The octet of the general group for an alphabet, with a class (0 … 3) or without."""
    return _ALPHABET_BITS[alphabet] | (0 if message_class is None else _CLASS_BIT | message_class)
