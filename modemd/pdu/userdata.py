"""User data: its length, its header and its text or octets (23.040, 9.2.3.16, 9.2.3.23 and 9.2.3.24)."""

from dataclasses import dataclass
from typing import NamedTuple

from modemd.errors import PduError
from modemd.messages import Concatenation
from modemd.pdu import alphabet, dcs, udh
from modemd.pdu.alphabet import Alphabet
from modemd.pdu.reader import Reader

MAX_OCTETS = 140  # 160 septets


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a message carries: `text` in GSM 7-bit and UCS-2, `data` in 8-bit, neither when there is no user data."""

    dcs: int = 0
    text: str | None = None
    data: bytes | None = None
    elements: tuple[udh.Element, ...] = ()

    @property
    def alphabet(self) -> Alphabet:
        return dcs.decode(self.dcs).alphabet

    @property
    def message_class(self) -> int | None:
        """0 … 3, or None."""
        return dcs.decode(self.dcs).message_class

    @property
    def concatenation(self) -> Concatenation | None:
        return udh.concatenation(self.elements)

    @property
    def ports(self) -> udh.Ports | None:
        return udh.ports(self.elements)

    def encode_user_data(self) -> bytes:
        """TP-UDL and TP-UD. Raises TextError when the alphabet lacks a character, PduError when it does not fit."""
        header = udh.encode(self.elements)
        if self.alphabet is Alphabet.EIGHT_BIT:
            return join_octets(header, self.data or b"")
        if self.alphabet is Alphabet.UCS2:
            return join_octets(header, (self.text or "").encode("utf-16-be", "surrogatepass"))
        if udh.languages(self.elements) != (0, 0):
            raise PduError(reason="national language tables are for reading only")
        return join_septets(header, alphabet.encode_gsm7(self.text or ""))


class UserData(NamedTuple):
    """What `decode` found; the fields of `Content` that a PDU takes over."""

    text: str | None
    data: bytes | None
    elements: tuple[udh.Element, ...]


def decode(reader: Reader, coding: int, *, has_header: bool) -> UserData:
    """Read TP-UDL and TP-UD under a coding octet. Raises PduError when they are cut off or contradict each other.

    TP-UDL decides: octets behind the user data are not looked at. SIMs keep messages in records of 176 octets filled up
    with FF, and some modems hand out the filling.
    """
    length = reader.octet("the user data's length")
    how = dcs.decode(coding).alphabet
    octet_count = (length * 7 + 7) // 8 if how is Alphabet.GSM7 else length
    if octet_count > MAX_OCTETS:
        raise PduError(reason=f"it announces {octet_count} octets of user data, and {MAX_OCTETS} are the most")
    octets = reader.take(octet_count, "the user data")
    elements, header_length = _decode_header(octets) if has_header else ((), 0)
    if how is Alphabet.EIGHT_BIT:
        return UserData(None, octets[header_length:], elements)
    if how is Alphabet.UCS2:
        return UserData(_decode_ucs2(octets[header_length:]), None, elements)
    fill_bits = -header_length * 8 % 7
    count = length - (header_length * 8 + fill_bits) // 7
    if count < 0:
        raise PduError(reason="its user data header is longer than the user data")
    septets = alphabet.unpack(octets[header_length:], count, fill_bits)
    return UserData(alphabet.decode_gsm7(septets, *udh.languages(elements)), None, elements)


def join_octets(header: bytes, octets: bytes) -> bytes:
    """TP-UDL and TP-UD of 8-bit data or UCS-2. Raises PduError when it does not fit."""
    length = len(header) + len(octets)
    _check_fit(length)
    return bytes((length,)) + header + octets


def join_septets(header: bytes, septets: bytes) -> bytes:
    """TP-UDL and TP-UD of GSM 7-bit; the septets start on a septet boundary behind the header. Raises PduError."""
    fill_bits = -len(header) * 8 % 7
    octets = alphabet.pack(septets, fill_bits)
    _check_fit(len(header) + len(octets))
    return bytes(((len(header) * 8 + fill_bits) // 7 + len(septets),)) + header + octets


def _check_fit(length: int) -> None:
    if length > MAX_OCTETS:
        raise PduError(reason=f"its user data needs {length} octets, and {MAX_OCTETS} are the most")


def _decode_header(octets: bytes) -> tuple[tuple[udh.Element, ...], int]:
    if not octets or octets[0] >= len(octets):
        raise PduError(reason="its user data header is longer than the user data")
    length = 1 + octets[0]
    return udh.decode(octets[1:length]), length


def _decode_ucs2(octets: bytes) -> str:
    """Half a surrogate pair stays what it is: a sender may have cut the pair in two. A last odd octet is dropped."""
    return octets[: len(octets) // 2 * 2].decode("utf-16-be", "surrogatepass")
