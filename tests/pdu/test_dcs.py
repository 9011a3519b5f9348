"""23.038, section 4, group by group."""

import pytest

from modemd.pdu import dcs
from modemd.pdu.alphabet import Alphabet
from modemd.pdu.dcs import DataCoding

GSM7, UCS2, EIGHT_BIT = Alphabet.GSM7, Alphabet.UCS2, Alphabet.EIGHT_BIT


@pytest.mark.parametrize("base", [0x00, 0x40], ids=["general", "automatic deletion"])
@pytest.mark.parametrize(
    ("octet", "alphabet", "message_class"),
    [
        (0x00, GSM7, None),
        (0x03, GSM7, None),  # class bits without their flag mean nothing
        (0x04, EIGHT_BIT, None),
        (0x08, UCS2, None),
        (0x10, GSM7, 0),
        (0x11, GSM7, 1),
        (0x12, GSM7, 2),
        (0x13, GSM7, 3),
        (0x14, EIGHT_BIT, 0),
        (0x18, UCS2, 0),
        (0x19, UCS2, 1),
        (0x1B, UCS2, 3),
    ],
)
def test_general_groups(base: int, octet: int, alphabet: Alphabet, message_class: int | None) -> None:
    assert dcs.decode(base | octet) == DataCoding(alphabet, message_class)


@pytest.mark.parametrize("octet", [0x20, 0x24, 0x28, 0x60])
def test_compressed_text_is_data(octet: int) -> None:
    assert dcs.decode(octet) == DataCoding(EIGHT_BIT, None, compressed=True)
    assert dcs.decode(octet | 0x11) == DataCoding(EIGHT_BIT, 1, compressed=True)


@pytest.mark.parametrize("octet", [0x0C, 0x0F, 0x1C, 0x2C, 0x4C, 0x7F, *range(0x80, 0xC0)])
def test_reserved_codings_are_the_default_alphabet(octet: int) -> None:
    assert dcs.decode(octet) == DataCoding()


@pytest.mark.parametrize("octet", [*range(0xC0, 0xE0)])
def test_message_waiting_discard_and_store_are_the_default_alphabet(octet: int) -> None:
    assert dcs.decode(octet) == DataCoding(GSM7)


@pytest.mark.parametrize("octet", [*range(0xE0, 0xF0)])
def test_message_waiting_stored_in_ucs2(octet: int) -> None:
    assert dcs.decode(octet) == DataCoding(UCS2)


@pytest.mark.parametrize("message_class", range(4))
def test_data_coding_with_message_class(message_class: int) -> None:
    assert dcs.decode(0xF0 | message_class) == DataCoding(GSM7, message_class)
    assert dcs.decode(0xF4 | message_class) == DataCoding(EIGHT_BIT, message_class)


@pytest.mark.parametrize(
    ("alphabet", "message_class", "octet"),
    [
        (GSM7, None, 0x00),
        (EIGHT_BIT, None, 0x04),
        (UCS2, None, 0x08),
        (GSM7, 0, 0x10),
        (UCS2, 0, 0x18),
        (EIGHT_BIT, 2, 0x16),
    ],
)
def test_writing_uses_the_general_group(alphabet: Alphabet, message_class: int | None, octet: int) -> None:
    assert dcs.encode(alphabet, message_class) == octet
    assert dcs.decode(octet) == DataCoding(alphabet, message_class)
