import pytest

from modemd.errors import PduError, TextError
from modemd.messages import Concatenation
from modemd.pdu import userdata
from modemd.pdu.alphabet import Alphabet
from modemd.pdu.reader import Reader
from modemd.pdu.udh import Element, Ports
from modemd.pdu.userdata import Content, UserData

GSM7, EIGHT_BIT, UCS2, FLASH_UCS2 = 0x00, 0x04, 0x08, 0x18
CONCATENATION_8 = Element(0x00, b"\xa7\x02\x01")
CONCATENATION_16 = Element(0x08, b"\xbe\xef\x04\x03")


def decode(octets: str, coding: int = GSM7, *, has_header: bool = False) -> UserData:
    return userdata.decode(Reader(bytes.fromhex(octets)), coding, has_header=has_header)


VECTORS = [
    pytest.param("06f37699be0e03", Content(text="smetka"), id="gsm7"),
    pytest.param("00", Content(text=""), id="empty gsm7"),
    pytest.param("00", Content(dcs=UCS2, text=""), id="empty ucs2"),
    pytest.param("00", Content(dcs=EIGHT_BIT, data=b""), id="empty 8bit"),
    pytest.param("0731d98c56b3dd00", Content(text="1234567"), id="7 septets"),
    pytest.param("0831d98c56b3dd00", Content(text="1234567@"), id="8 septets"),
    pytest.param("0400ff1b41", Content(dcs=EIGHT_BIT, data=b"\x00\xff\x1b\x41"), id="8bit"),
    pytest.param("0404410442", Content(dcs=UCS2, text="ст"), id="ucs2"),
    pytest.param("040441d83d", Content(dcs=FLASH_UCS2, text="с\ud83d"), id="half a pair at the end"),
    pytest.param("04de000441", Content(dcs=UCS2, text="\ude00с"), id="half a pair in front"),
    pytest.param("04d83dde00", Content(dcs=UCS2, text="😀"), id="pair"),
    pytest.param("0c050003a70201906536fb0d", Content(text="Hello", elements=(CONCATENATION_8,)), id="1 fill bit"),
    pytest.param("0d060804beef0403c8329bfd06", Content(text="Hello", elements=(CONCATENATION_16,)), id="no fill bits"),
    pytest.param("07050003a7020100", Content(text="", elements=(CONCATENATION_8,)), id="header alone in gsm7"),
    pytest.param("08050003a702010441", Content(dcs=UCS2, text="с", elements=(CONCATENATION_8,)), id="header and ucs2"),
    pytest.param(
        "0906050423f00b84ff00",
        Content(dcs=EIGHT_BIT, data=b"\xff\x00", elements=(Element(0x05, b"\x23\xf0\x0b\x84"),)),
        id="header and 8bit",
    ),
]


@pytest.mark.parametrize(("octets", "content"), VECTORS)
def test_user_data_reads_and_writes(octets: str, content: Content) -> None:
    found = decode(octets, content.dcs, has_header=bool(content.elements))
    assert found == (content.text, content.data, content.elements)
    assert content.encode_user_data().hex() == octets


def test_octets_behind_the_user_data_are_not_looked_at() -> None:
    assert decode("06f37699be0e03ffffffff").text == "smetka"


def test_ucs2_of_odd_length_drops_its_last_octet() -> None:
    assert decode("0504410442ff", UCS2).text == "ст"
    assert decode("0104", UCS2).text == ""


def test_a_header_without_elements_is_a_header() -> None:
    assert decode("03000441", UCS2, has_header=True) == ("с", None, ())


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("08" + "03240101" + "486fce", "iğ"),
        ("09" + "03250101" + "38740e6b", "ışık"),
        ("0d" + "06240101250101" + "e0cd745306", "çŞ€"),
        ("09" + "03250163" + "38740e6b", "ìæìk"),  # a language that does not exist
    ],
)
def test_national_languages_are_read(octets: str, text: str) -> None:
    assert decode(octets, has_header=True).text == text


@pytest.mark.parametrize("octets", ["", "06", "06f37699be0e", "8c" + "00" * 122])
def test_user_data_that_is_cut_off_is_an_error(octets: str) -> None:
    with pytest.raises(PduError, match="it ends inside the user data"):
        decode(octets)


@pytest.mark.parametrize(
    ("octets", "coding"),
    [
        ("00", GSM7),
        ("00", UCS2),
        ("0105", EIGHT_BIT),
        ("05050003a702", UCS2),
        ("06050003a70201", GSM7),  # 6 septets are 42 bits, the header takes 48
        ("0a0a0003a702010000000000", EIGHT_BIT),
    ],
)
def test_a_header_longer_than_its_user_data_is_an_error(octets: str, coding: int) -> None:
    with pytest.raises(PduError, match="header is longer than the user data"):
        decode(octets, coding, has_header=True)


def test_a_header_whose_last_element_is_cut_off_is_an_error() -> None:
    with pytest.raises(PduError, match="it ends inside the user data header"):
        decode("08050004a702010441", UCS2, has_header=True)


def test_more_than_140_octets_are_an_error() -> None:
    assert decode("a0" + "00" * 140).text == "@" * 160
    assert decode("8c" + "00" * 140, EIGHT_BIT).data == bytes(140)
    with pytest.raises(PduError, match="141 octets of user data"):
        decode("a1" + "00" * 141)
    with pytest.raises(PduError, match="141 octets of user data"):
        decode("8d" + "00" * 141, EIGHT_BIT)


@pytest.mark.parametrize(
    "content",
    [
        Content(text="x" * 161),
        Content(text="x" * 154, elements=(CONCATENATION_8,)),
        Content(dcs=UCS2, text="с" * 71),
        Content(dcs=EIGHT_BIT, data=bytes(141)),
        Content(dcs=EIGHT_BIT, data=bytes(135), elements=(CONCATENATION_8,)),
    ],
)
def test_what_does_not_fit_cannot_be_written(content: Content) -> None:
    with pytest.raises(PduError, match="140 are the most"):
        content.encode_user_data()


def test_characters_that_the_alphabet_lacks_cannot_be_written() -> None:
    with pytest.raises(TextError):
        Content(text="сметка").encode_user_data()


def test_national_tables_are_not_written() -> None:
    with pytest.raises(PduError, match="for reading only"):
        Content(text="a", elements=(Element(0x24, b"\x01"),)).encode_user_data()


def test_content_names_its_alphabet_class_part_and_ports() -> None:
    content = Content(dcs=0x15, elements=(CONCATENATION_8, Element(0x04, b"\x01\x02")))
    assert content.alphabet is Alphabet.EIGHT_BIT
    assert content.message_class == 1
    assert content.concatenation == Concatenation(0xA7, 2, 1)
    assert content.ports == Ports(1, 2)
