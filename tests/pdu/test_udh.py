import pytest

from modemd.errors import PduError
from modemd.messages import Concatenation
from modemd.pdu import udh
from modemd.pdu.udh import Element, Ports


def elements(octets: str) -> tuple[Element, ...]:
    return udh.decode(bytes.fromhex(octets))


def test_elements_are_kept_in_order_known_or_not() -> None:
    header = "0003a7020170020102" + "0a00" + "24010d"
    found = elements(header)
    assert found == (
        Element(0x00, b"\xa7\x02\x01"),
        Element(0x70, b"\x01\x02"),
        Element(0x0A, b""),
        Element(0x24, b"\x0d"),
    )
    assert udh.encode(found).hex() == "0e" + header


def test_no_elements_are_no_header() -> None:
    assert udh.encode(()) == b""
    assert elements("") == ()


@pytest.mark.parametrize("octets", ["00", "0003", "0003a702", "0003a7020100", "08ff"])
def test_an_element_that_is_cut_off_is_an_error(octets: str) -> None:
    with pytest.raises(PduError, match="the user data header"):
        elements(octets)


def test_a_header_that_fills_the_user_data_cannot_be_written() -> None:
    assert len(udh.encode([Element(0x70, bytes(137))])) == 140
    with pytest.raises(PduError):
        udh.encode([Element(0x70, bytes(138))])


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        ("0003a70201", Concatenation(0xA7, 2, 1)),
        ("0804beef0403", Concatenation(0xBEEF, 4, 3)),
        ("0003a7ffff", Concatenation(0xA7, 255, 255)),
        ("0003a70101", Concatenation(0xA7, 1, 1)),
        ("", None),
    ],
)
def test_concatenation_with_8_and_16_bits(octets: str, expected: Concatenation | None) -> None:
    assert udh.concatenation(elements(octets)) == expected


@pytest.mark.parametrize(
    "octets",
    ["0003a70001", "0003a70000", "0003a70200", "0003a70203", "0804beef0001", "0002a702", "0004a7020100", "0803a70201"],
)
def test_a_concatenation_of_no_parts_part_0_a_part_too_high_or_a_wrong_length_is_ignored(octets: str) -> None:
    assert udh.concatenation(elements(octets)) is None


def test_of_several_concatenations_the_last_valid_one_counts() -> None:
    assert udh.concatenation(elements("0003a702010804beef0403")) == Concatenation(0xBEEF, 4, 3)
    assert udh.concatenation(elements("0804beef04030003a70201")) == Concatenation(0xA7, 2, 1)
    assert udh.concatenation(elements("0003a702010003a80000")) == Concatenation(0xA7, 2, 1)


def test_concatenations_write() -> None:
    assert udh.encode([udh.concatenate(Concatenation(0x1A7, 2, 1))]).hex() == "050003a70201"
    assert udh.encode([udh.concatenate(Concatenation(0xBEEF, 4, 3), wide=True)]).hex() == "060804beef0403"


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        ("0402f0f5", Ports(0xF0, 0xF5)),
        ("05040b8423f0", Ports(0x0B84, 0x23F0)),
        ("0402f0f505040b8423f0", Ports(0x0B84, 0x23F0)),
        ("05040b8423f00402f0f5", Ports(0xF0, 0xF5)),
        ("0401f0", None),
        ("05030b8423", None),
    ],
)
def test_ports_with_8_and_16_bits(octets: str, expected: Ports | None) -> None:
    assert udh.ports(elements(octets)) == expected


@pytest.mark.parametrize(
    ("octets", "locking_and_single"),
    [
        ("", (0, 0)),
        ("250101", (1, 0)),
        ("240102", (0, 2)),
        ("240102250103", (3, 2)),
        ("240102240103", (0, 3)),
        ("24020101", (0, 0)),
        ("2400", (0, 0)),
    ],
)
def test_national_languages(octets: str, locking_and_single: tuple[int, int]) -> None:
    assert udh.languages(elements(octets)) == locking_and_single
