"""The user data header and its information elements (23.040, 9.2.3.24)."""

from collections.abc import Iterable
from dataclasses import dataclass

from modemd.errors import PduError
from modemd.messages import Concatenation
from modemd.pdu.reader import Reader

CONCATENATION_8 = 0x00
PORTS_8 = 0x04
PORTS_16 = 0x05
CONCATENATION_16 = 0x08
SINGLE_SHIFT = 0x24
LOCKING_SHIFT = 0x25


@dataclass(frozen=True, slots=True)
class Element:
    """One information element; those that we do not know are kept as they are."""

    id: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Ports:
    """The application that a message is for (23.040, 9.2.3.24.3 and 9.2.3.24.4)."""

    destination: int
    source: int


def decode(octets: bytes) -> tuple[Element, ...]:
    """The elements of a header without its length octet. Raises PduError when the last element is cut off."""
    reader = Reader(octets)
    elements = []
    while not reader.at_end():
        identifier = reader.octet("the user data header")
        length = reader.octet("the user data header")
        elements.append(Element(identifier, reader.take(length, "the user data header")))
    return tuple(elements)


def encode(elements: Iterable[Element]) -> bytes:
    """The header with its length octet; nothing when there are no elements. Raises PduError when it is too long."""
    octets = b"".join(bytes((element.id, len(element.data))) + element.data for element in elements)
    if len(octets) >= 140:
        raise PduError(reason="its user data header is longer than the user data")
    return bytes((len(octets),)) + octets if octets else b""


def concatenate(parts: Concatenation, *, wide: bool = False) -> Element:
    """The element for one part of a long message, its reference modulo 256 or, if `wide`, modulo 65,536."""
    if wide:
        return Element(
            CONCATENATION_16, bytes((parts.reference >> 8 & 255, parts.reference & 255, parts.total, parts.part))
        )
    return Element(CONCATENATION_8, bytes((parts.reference & 255, parts.total, parts.part)))


def concatenation(elements: Iterable[Element]) -> Concatenation | None:
    """Which part this is; the last valid element counts. One with part 0 or a part beyond the total is ignored, as
    9.2.3.24.1 says, and so is one of the wrong length.
    """
    found = None
    for element in elements:
        if (element.id, len(element.data)) in ((CONCATENATION_8, 3), (CONCATENATION_16, 4)):
            *reference, total, part = element.data
            if 1 <= part <= total:
                found = Concatenation(int.from_bytes(reference), total, part)
    return found


def ports(elements: Iterable[Element]) -> Ports | None:
    """The ports, of 8 or 16 bits; the last element counts."""
    found = None
    for element in elements:
        if (element.id, len(element.data)) in ((PORTS_8, 2), (PORTS_16, 4)):
            half = len(element.data) // 2
            found = Ports(int.from_bytes(element.data[:half]), int.from_bytes(element.data[half:]))
    return found


def languages(elements: Iterable[Element]) -> tuple[int, int]:
    """The numbers of the locking and the single shift table, 0 for the default ones (9.2.3.24.15 and 9.2.3.24.16)."""
    numbers = {element.id: element.data[0] for element in elements if len(element.data) == 1}
    return numbers.get(LOCKING_SHIFT, 0), numbers.get(SINGLE_SHIFT, 0)
