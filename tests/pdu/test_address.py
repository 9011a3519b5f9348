import pytest

from modemd.errors import NotAPhone, PduError, TextError
from modemd.pdu.address import Address, AddressType
from modemd.pdu.reader import Reader

INTERNATIONAL = AddressType.INTERNATIONAL


def decode(octets: str) -> Address:
    return Address.decode(Reader(bytes.fromhex(octets)), "the address")


def decode_smsc(octets: str) -> Address | None:
    return Address.decode_smsc(Reader(bytes.fromhex(octets)))


@pytest.mark.parametrize(
    ("octets", "address"),
    [
        pytest.param("0c91538918325476", Address("+359881234567", INTERNATIONAL), id="international"),
        pytest.param("0b915389183254f6", Address("+35988123456", INTERNATIONAL), id="odd"),
        pytest.param("0681710077", Address("170077"), id="short code"),
        pytest.param("05812143f5", Address("12345"), id="odd short code"),
        pytest.param("0aa18088214365", Address("0888123456", AddressType.NATIONAL), id="national"),
        pytest.param("04c82143", Address("1234", AddressType.SUBSCRIBER, 8), id="another plan"),
        pytest.param("0581badcfe", Address("*#abc"), id="signs"),
        pytest.param("148121436587092143658709", Address("1234567890" * 2), id="20 digits"),
        pytest.param("0081", Address(), id="empty"),
        pytest.param("0091", Address("", INTERNATIONAL), id="empty international"),
        pytest.param("09d0c118487804", Address("A1 BG", AddressType.ALPHANUMERIC, 0), id="name"),
        pytest.param("14d04576794d97bfd16f3619", Address("Elektrohold", AddressType.ALPHANUMERIC, 0), id="11 letters"),
        pytest.param("00d0", Address("", AddressType.ALPHANUMERIC, 0), id="empty name"),
    ],
)
def test_an_address_reads_and_writes(octets: str, address: Address) -> None:
    assert decode(octets) == address
    assert address.encode().hex() == octets


def test_the_length_of_a_name_counts_half_octets_also_when_rounded_up_to_octets() -> None:
    assert decode("0ad0c118487804").number == "A1 BG"


def test_the_last_half_octet_does_not_count_when_the_length_is_odd() -> None:
    assert decode("0581214365").number == "12345"


def test_a_filling_that_is_counted_as_a_digit_is_dropped() -> None:
    assert decode("06812143f5").number == "12345"


def test_a_gap_between_digits_is_an_error() -> None:
    with pytest.raises(PduError, match="a gap between its digits"):
        decode("06812f4365")


@pytest.mark.parametrize("octets", ["", "0c", "0c91", "0c915389183254", "09d0c1184878"])
def test_an_address_that_is_cut_off_is_an_error(octets: str) -> None:
    with pytest.raises(PduError, match="it ends inside the address"):
        decode(octets)


def test_more_than_20_digits_are_an_error() -> None:
    with pytest.raises(PduError, match="21 digits"):
        decode("1581" + "11" * 11)


@pytest.mark.parametrize(
    ("octets", "address"),
    [
        ("00", None),
        ("07915389080003f0", Address("+35988000300", INTERNATIONAL)),
        ("0481710077", Address("170077")),
        ("0191", Address("", INTERNATIONAL)),
        ("0b9121436587092143658709", Address("+" + "1234567890" * 2, INTERNATIONAL)),
    ],
)
def test_a_service_centre_counts_octets(octets: str, address: Address | None) -> None:
    assert decode_smsc(octets) == address
    if address is not None:
        assert address.encode_smsc().hex() == octets


@pytest.mark.parametrize("octets", ["", "07", "0791", "07915389080003", "0c91" + "11" * 11])
def test_a_service_centre_that_is_cut_off_or_too_long_is_an_error(octets: str) -> None:
    with pytest.raises(PduError, match="the service centre's address"):
        decode_smsc(octets)


@pytest.mark.parametrize(
    ("number", "octets"),
    [
        ("+359881234567", "0c91538918325476"),
        ("170077", "0681710077"),
        ("0881234567", "0a818018325476"),
        ("*#12", "0481ba21"),
    ],
)
def test_a_destination_with_a_plus_is_international_and_any_other_unknown(number: str, octets: str) -> None:
    assert Address.parse(number).encode().hex() == octets


@pytest.mark.parametrize(
    "number", ["", "+", "++359881234567", "abc", "A1 BG", "+359 88", "088-1", "1" * 21, "+359*1", "١٢٣", "17\n", "1;2"]
)
def test_what_is_no_number_cannot_be_a_destination(number: str) -> None:
    with pytest.raises(NotAPhone):
        Address.parse(number)


def test_a_name_longer_than_11_characters_cannot_be_written() -> None:
    assert len(Address.alphanumeric("Elektrohold").encode()) == 12
    with pytest.raises(TextError):
        Address.alphanumeric("Elektroholds").encode()
    with pytest.raises(TextError):
        Address.alphanumeric("Електрохолд").encode()


@pytest.mark.parametrize("number", ["12x4", "1" * 21, "1f", "++1"])
def test_digits_that_do_not_exist_cannot_be_written(number: str) -> None:
    with pytest.raises(NotAPhone):
        Address(number).encode()
    with pytest.raises(NotAPhone):
        Address(number).encode_smsc()


@pytest.mark.parametrize(
    ("address", "replyable"),
    [
        (Address.parse("+359881234567"), True),
        (Address.parse("170077"), True),
        (Address.alphanumeric("A1 BG"), False),
        (Address.alphanumeric("170077"), False),
        (Address(), False),
        (Address("", INTERNATIONAL), False),
        (Address("*100#"), False),
    ],
)
def test_only_digits_can_be_replied_to(address: Address, replyable: bool) -> None:
    assert address.replyable is replyable
