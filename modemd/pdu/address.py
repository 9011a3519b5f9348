"""Addresses: the numbers of senders, recipients and service centres (23.040, 9.1.2.5; 24.011, 8.2.5)."""

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from modemd.errors import Because, NotAPhone, PduError, TextError
from modemd.pdu import alphabet
from modemd.pdu.reader import Reader

_MAX_DIGITS = 20  # 12 octets with length and type, 23.040, 9.1.2.5
_DIGITS = re.compile(r"[0-9*#abc]{0,20}")
_DIALLED = re.compile(r"\+[0-9]{1,20}|[0-9*#]{1,20}")
_DIGIT_OF_NIBBLE = str.maketrans("abcde", "*#abc")  # 23.040, 9.1.2.3; f fills up
_NIBBLE_OF_DIGIT = str.maketrans("*#abc", "abcde")


class AddressType(IntEnum):
    """Type of number, bits 6 to 4 of the type of address (23.040, 9.1.2.5)."""

    UNKNOWN = 0
    INTERNATIONAL = 1
    NATIONAL = 2
    NETWORK_SPECIFIC = 3
    SUBSCRIBER = 4
    ALPHANUMERIC = 5
    ABBREVIATED = 6
    RESERVED = 7


@dataclass(frozen=True, slots=True)
class Address:
    """A number as people write it: "+359881234567" if international, "170077" otherwise, "A1 BG" if alphanumeric."""

    number: str = ""
    type: AddressType = AddressType.UNKNOWN
    plan: int = 1  # numbering plan, bits 3 to 0; 1 is the telephone plan E.164

    @classmethod
    def parse(cls, number: str) -> Self:
        """The address of a number to send to: with `+` international (0x91), else unknown (0x81). Raises NotAPhone."""
        if not _DIALLED.fullmatch(number):
            raise NotAPhone(number=number)
        return cls(number, AddressType.INTERNATIONAL if number[0] == "+" else AddressType.UNKNOWN)

    @classmethod
    def alphanumeric(cls, name: str) -> Self:
        """The address of a sender with a name instead of a number (0xD0)."""
        return cls(name, AddressType.ALPHANUMERIC, 0)

    @property
    def replyable(self) -> bool:
        """Whether a reply could be sent to it: digits, and at least one."""
        return self.type is not AddressType.ALPHANUMERIC and self._digits.isdigit()

    @property
    def _digits(self) -> str:
        return self.number.removeprefix("+")

    @property
    def _type_octet(self) -> int:
        return 0x80 | self.type << 4 | self.plan

    @classmethod
    def decode(cls, reader: Reader, field: str) -> Self:
        """TP-OA, TP-DA or TP-RA; the length counts digits, for a name the half octets in use. Raises PduError."""
        length = reader.octet(field)
        if length > _MAX_DIGITS:
            raise PduError(reason=f"{field} announces {length} digits, and {_MAX_DIGITS} are the most")
        kind, plan = _read_type(reader.octet(field))
        octets = reader.take((length + 1) // 2, field)
        if kind is AddressType.ALPHANUMERIC:
            return cls(alphabet.decode_gsm7(alphabet.unpack(octets, length * 4 // 7)), kind, plan)
        return cls(_written(kind, _read_digits(octets, length, field)), kind, plan)

    def encode(self) -> bytes:
        """The octets of TP-OA, TP-DA or TP-RA. Raises NotAPhone, or TextError for a name, when it cannot be written."""
        if self.type is AddressType.ALPHANUMERIC:
            octets = alphabet.pack(septets := alphabet.encode_gsm7(self.number))
            if len(octets) > _MAX_DIGITS // 2:
                raise TextError(
                    reason=Because("the sender's name {name!r} is longer than 11 characters", name=self.number)
                )
            return bytes((-(-len(septets) * 7 // 4), self._type_octet)) + octets
        return bytes((len(self._digits), self._type_octet)) + self._semi_octets()

    @classmethod
    def decode_smsc(cls, reader: Reader) -> Self | None:
        """The service centre in front of a modem's PDU (27.005, 3.1); the length counts octets. Raises PduError."""
        length = reader.octet("the service centre's address")
        if length == 0:
            return None
        if length > 1 + _MAX_DIGITS // 2:
            raise PduError(reason=f"the service centre's address announces {length} octets, and 11 are the most")
        kind, plan = _read_type(reader.octet("the service centre's address"))
        octets = reader.take(length - 1, "the service centre's address")
        return cls(_written(kind, _read_digits(octets, 2 * len(octets), "the service centre's address")), kind, plan)

    def encode_smsc(self) -> bytes:
        """The octets in front of a PDU for this service centre. Raises NotAPhone when the number cannot be written."""
        digits = self._semi_octets()
        return bytes((1 + len(digits), self._type_octet)) + digits

    def _semi_octets(self) -> bytes:
        digits = self._digits
        if not _DIGITS.fullmatch(digits):
            raise NotAPhone(number=self.number)
        nibbles = list(digits.translate(_NIBBLE_OF_DIGIT))
        if len(nibbles) % 2:
            nibbles.append("f")
        nibbles[::2], nibbles[1::2] = nibbles[1::2], nibbles[::2]
        return bytes.fromhex("".join(nibbles))


def _read_type(octet: int) -> tuple[AddressType, int]:
    return AddressType(octet >> 4 & 7), octet & 15


def _read_digits(octets: bytes, length: int, field: str) -> str:
    """Some networks count the filling half octet as a digit: it is dropped at the end, and an error anywhere else."""
    nibbles = list(octets.hex())
    nibbles[::2], nibbles[1::2] = nibbles[1::2], nibbles[::2]
    digits = "".join(nibbles[:length]).rstrip("f")
    if "f" in digits:
        raise PduError(reason=f"{field} has a gap between its digits")
    return digits.translate(_DIGIT_OF_NIBBLE)


def _written(kind: AddressType, digits: str) -> str:
    return f"+{digits}" if kind is AddressType.INTERNATIONAL and digits else digits
