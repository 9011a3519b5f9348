import pytest

from modemd.errors import PduError, TextError
from modemd.pdu import alphabet, national


def pack_bit_by_bit(septets: bytes, fill_bits: int) -> bytes:
    """23.038, 6.1.2.1.1 as it is drawn there: each septet's lowest bit goes to the lowest free bit."""
    bits = "".join(format(septet, "07b") for septet in reversed(septets)) + "0" * fill_bits
    bits = bits.rjust(-(-len(bits) // 8) * 8, "0")
    return bytes(int(bits[place : place + 8], 2) for place in range(0, len(bits), 8))[::-1]


def test_hellohello_packs_as_in_every_book() -> None:
    assert alphabet.pack(alphabet.encode_gsm7("hellohello")).hex() == "e8329bfd4697d9ec37"


@pytest.mark.parametrize("fill_bits", range(7))
def test_septets_are_packed_lowest_bit_first_behind_the_fill_bits(fill_bits: int) -> None:
    for count in range(161):
        septets = bytes((17 * place + count) % 128 for place in range(count))
        packed = pack_bit_by_bit(septets, fill_bits)
        assert alphabet.pack(septets, fill_bits) == packed
        assert alphabet.unpack(packed, count, fill_bits) == septets


def test_160_septets_are_140_octets() -> None:
    assert len(alphabet.pack(bytes(160))) == 140


def test_the_count_decides_whether_a_last_zero_septet_is_an_at_sign() -> None:
    octets = alphabet.pack(alphabet.encode_gsm7("1234567"))
    assert len(octets) == 7
    assert alphabet.decode_gsm7(alphabet.unpack(octets, 7)) == "1234567"
    assert alphabet.decode_gsm7(alphabet.unpack(octets, 8)) == "1234567@"


def test_more_septets_than_the_octets_hold_is_an_error() -> None:
    with pytest.raises(PduError, match="9 septets do not fit into the 7 octets"):
        alphabet.unpack(bytes(7), 9)
    with pytest.raises(PduError):
        alphabet.unpack(bytes(7), 8, fill_bits=1)


def test_every_character_of_the_default_alphabet_is_one_septet() -> None:
    for septet, char in enumerate(national.DEFAULT):
        if char != "\x1b":
            assert alphabet.encode_gsm7(char) == bytes((septet,))
            assert alphabet.decode_gsm7(bytes((septet,))) == char


@pytest.mark.parametrize(
    ("septet", "char"),
    [
        (0x00, "@"),
        (0x02, "$"),
        (0x09, "Ç"),
        (0x10, "Δ"),
        (0x11, "_"),
        (0x1E, "ß"),
        (0x24, "¤"),
        (0x40, "¡"),
        (0x5F, "§"),
        (0x7F, "à"),
    ],
)
def test_the_default_alphabet_stands_as_in_23_038(septet: int, char: str) -> None:
    assert alphabet.decode_gsm7(bytes((septet,))) == char


@pytest.mark.parametrize(
    ("char", "septet"),
    [
        ("\f", 0x0A),
        ("^", 0x14),
        ("{", 0x28),
        ("}", 0x29),
        ("\\", 0x2F),
        ("[", 0x3C),
        ("~", 0x3D),
        ("]", 0x3E),
        ("|", 0x40),
        ("€", 0x65),
    ],
)
def test_the_extension_is_an_escape_and_a_septet(char: str, septet: int) -> None:
    assert alphabet.encode_gsm7(char) == bytes((0x1B, septet))
    assert alphabet.decode_gsm7(bytes((0x1B, septet))) == char
    assert alphabet.encode_gsm7(f"a{char}b") == bytes((0x61, 0x1B, septet, 0x62))
    assert alphabet.decode_gsm7(bytes((0x61, 0x1B, septet, 0x62))) == f"a{char}b"


@pytest.mark.parametrize(
    "text", ["сметка", "price €5 №1", "`", "ç", "\x1b", "€\x1b", "\x1b€", "\ud83d", "ń", "\ufffe", "\0", "\t"]
)
def test_a_text_outside_the_alphabet_is_refused(text: str) -> None:
    with pytest.raises(TextError):
        alphabet.encode_gsm7(text)


def test_an_escape_before_an_undefined_septet_shows_the_default_character() -> None:
    assert alphabet.decode_gsm7(bytes((0x1B, 0x41, 0x1B, 0x00, 0x1B, 0x0D))) == "A@\r"


def test_an_escaped_escape_is_one_space_and_escapes_nothing() -> None:
    assert alphabet.decode_gsm7(bytes((0x61, 0x1B, 0x1B, 0x65))) == "a e"
    assert alphabet.decode_gsm7(bytes((0x1B, 0x1B, 0x1B, 0x65))) == " €"
    assert alphabet.decode_gsm7(bytes((0x1B, 0x1B, 0x1B, 0x1B))) == "  "


def test_an_escape_that_nothing_follows_is_a_space() -> None:
    assert alphabet.decode_gsm7(bytes((0x61, 0x1B))) == "a "
    assert alphabet.decode_gsm7(bytes((0x1B, 0x1B, 0x1B))) == "  "


def test_national_tables_apply_in_front_of_and_behind_the_escape() -> None:
    septets = bytes((0x60, 0x1B, 0x53, 0x1B, 0x65))
    assert alphabet.decode_gsm7(septets) == "¿S€"
    assert alphabet.decode_gsm7(septets, locking=1) == "çS€"
    assert alphabet.decode_gsm7(septets, single=1) == "¿Ş€"
    assert alphabet.decode_gsm7(septets, locking=1, single=1) == "çŞ€"


def test_an_escaped_septet_that_the_single_table_lacks_is_read_from_the_locking_table() -> None:
    assert alphabet.decode_gsm7(bytes((0x1B, 0x60)), locking=1, single=2) == "ç"
