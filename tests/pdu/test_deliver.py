from datetime import datetime, timedelta, timezone

import pytest

from modemd.errors import PduError
from modemd.messages import Concatenation
from modemd.pdu import udh
from modemd.pdu.address import Address, AddressType
from modemd.pdu.alphabet import Alphabet
from modemd.pdu.deliver import Deliver

SMSC = Address("+35988000300", AddressType.INTERNATIONAL)
SENDER = Address.parse("+359881234567")
AT_NINE = datetime(2026, 11, 23, 9, 0, 10, tzinfo=timezone(timedelta(hours=2)))
SMETKA = "07915389080003f0" + "04" + "0c91538918325476" + "00" + "00" + "62113290000180" + "06f37699be0e03"


def decode(octets: str) -> Deliver:
    return Deliver.decode(bytes.fromhex(octets))


VECTORS = [
    pytest.param(SMETKA, Deliver(smsc=SMSC, number=SENDER, timestamp=AT_NINE, text="smetka"), id="smetka"),
    pytest.param(
        "00" + "00" + "0681710077" + "40" + "08" + "62113290000180" + "0404410442",
        Deliver(number=Address("170077"), pid=0x40, dcs=8, timestamp=AT_NINE, text="ст", more_messages=True),
        id="ucs2 without a service centre",
    ),
    pytest.param(
        "00" + "e4" + "09d0c118487804" + "00" + "10" + "62113290000180" + "0c050003a70201906536fb0d",
        Deliver(
            number=Address.alphanumeric("A1 BG"),
            dcs=0x10,
            timestamp=AT_NINE,
            text="Hello",
            elements=(udh.concatenate(Concatenation(0xA7, 2, 1)),),
            status_report_indication=True,
            reply_path=True,
        ),
        id="flash part from a name",
    ),
    pytest.param(
        "00" + "04" + "0081" + "00" + "f5" + "00000000000000" + "02beef",
        Deliver(number=Address(), dcs=0xF5, timestamp=None, data=b"\xbe\xef"),
        id="data without sender and time",
    ),
]


@pytest.mark.parametrize(("octets", "deliver"), VECTORS)
def test_a_deliver_reads_and_writes(octets: str, deliver: Deliver) -> None:
    assert decode(octets) == deliver
    assert deliver.encode().hex() == octets


def test_the_example_of_every_book_reads() -> None:
    found = decode("07917283010010F5040BC87238880900F10000993092516195800AE8329BFD4697D9EC37")
    assert found.smsc == Address("+27381000015", AddressType.INTERNATIONAL)
    assert found.number == Address("27838890001", AddressType.SUBSCRIBER, 8)
    assert found.timestamp == datetime(1999, 3, 29, 15, 16, 59, tzinfo=timezone(timedelta(hours=2)))
    assert found.text == "hellohello"


def test_a_message_with_an_unreadable_time_survives_without_it() -> None:
    found = decode(SMETKA.replace("62113290000180", "ffffffffffffff"))
    assert (found.text, found.timestamp) == ("smetka", None)


def test_the_message_class_and_alphabet_come_from_the_coding() -> None:
    found = decode(SMETKA.replace("0000621132", "00f2621132"))
    assert (found.alphabet, found.message_class) == (Alphabet.GSM7, 2)


@pytest.mark.parametrize("length", range(len(SMETKA) // 2))
def test_a_deliver_cut_off_anywhere_is_an_error(length: int) -> None:
    with pytest.raises(PduError, match="it ends inside"):
        decode(SMETKA[: 2 * length])
