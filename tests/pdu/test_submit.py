from datetime import UTC, datetime, timedelta

import pytest

from modemd.errors import NotAPhone, PduError, TextError
from modemd.messages import Concatenation
from modemd.pdu import submit, udh
from modemd.pdu.address import Address, AddressType
from modemd.pdu.submit import EncodedPdu, Submit

CUSTOMER = Address.parse("+359881234567")
TO_CUSTOMER = "0c91538918325476"


def decode(octets: str) -> Submit:
    return Submit.decode(bytes.fromhex(octets))


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        pytest.param(
            "00" + "21" + "00" + TO_CUSTOMER + "0000" + "06f37699be0e03",
            Submit(number=CUSTOMER, text="smetka", status_report_request=True),
            id="no validity",
        ),
        pytest.param(
            "07915389080003f0" + "95" + "2a" + "0681710077" + "0018" + "a8" + "0404410442",
            Submit(
                smsc=Address("+35988000300", AddressType.INTERNATIONAL),
                reference=0x2A,
                number=Address("170077"),
                dcs=0x18,
                text="ст",
                validity=timedelta(days=2),
                reject_duplicates=True,
                reply_path=True,
            ),
            id="relative validity",
        ),
        pytest.param(
            "00" + "59" + "00" + TO_CUSTOMER + "0004" + "62113290000100" + "08050003a70201beef",
            Submit(
                number=CUSTOMER,
                dcs=4,
                data=b"\xbe\xef",
                validity=datetime(2026, 11, 23, 9, 0, 10, tzinfo=UTC),
                elements=(udh.concatenate(Concatenation(0xA7, 2, 1)),),
            ),
            id="absolute validity",
        ),
    ],
)
def test_a_submit_reads_and_writes(octets: str, expected: Submit) -> None:
    assert decode(octets) == expected
    assert expected.encode().hex() == octets


def test_an_enhanced_validity_reads() -> None:
    found = decode("00" + "09" + "00" + TO_CUSTOMER + "0000" + "021e0000000000" + "06f37699be0e03")
    assert (found.validity, found.text) == (timedelta(seconds=30), "smetka")


def test_a_submit_cut_off_anywhere_is_an_error() -> None:
    whole = "00" + "31" + "00" + TO_CUSTOMER + "0000" + "a8" + "06f37699be0e03"
    assert decode(whole).text == "smetka"
    for length in range(len(whole) // 2):
        with pytest.raises(PduError, match="it ends inside"):
            decode(whole[: 2 * length])


def test_a_text_of_one_part_is_one_pdu_without_a_header() -> None:
    assert submit.encode_message("+359881234567", "smetka") == [
        EncodedPdu(19, "0021000c915389183254760000" + "06f37699be0e03")
    ]


def test_the_options_set_their_bits() -> None:
    plain = submit.encode_message("170077", "smetka", status_report=False)
    assert plain == [EncodedPdu(16, "000100" + "0681710077" + "0000" + "06f37699be0e03")]
    flash = submit.encode_message("170077", "ст", flash=True, validity=timedelta(hours=1))
    assert flash == [EncodedPdu(15, "003100" + "0681710077" + "0018" + "0b" + "0404410442")]


def test_a_long_text_is_parts_with_an_8_bit_reference() -> None:
    text = "Elektrohold: " * 20
    parts = submit.encode_message("+359881234567", text, concat_reference=0xA7, validity=timedelta(days=2))
    found = [decode(part.pdu) for part in parts]
    assert [pdu.concatenation for pdu in found] == [Concatenation(0xA7, 2, 1), Concatenation(0xA7, 2, 2)]
    assert [pdu.reference for pdu in found] == [0, 0]
    assert "".join(pdu.text or "" for pdu in found) == text
    assert parts[0].pdu.startswith("0071000c915389183254760000a8a0050003a70201")
    assert [part.length for part in parts] == [len(part.pdu) // 2 - 1 for part in parts]


def test_what_is_encoded_at_once_is_what_the_fields_encode() -> None:
    text = "Неплатени 112,40 EUR 😀 " * 5
    parts = submit.encode_message("+359881234567", text, concat_reference=7, validity=timedelta(hours=48), flash=True)
    assert len(parts) > 1
    for part in parts:
        assert decode(part.pdu).encode().hex() == part.pdu


@pytest.mark.parametrize(
    "text", ["smetka", "[]{}\\^~|€\f", "сметка", "emoji 😀", "ç ğ ı", "a" * 160, "€" * 300, "с" * 200, " x\r\n "]
)
def test_a_text_is_never_altered(text: str) -> None:
    parts = submit.encode_message("+359881234567", text)
    assert "".join(decode(part.pdu).text or "" for part in parts) == text


def test_a_text_that_gsm7_lacks_one_character_of_is_ucs2() -> None:
    assert decode(submit.encode_message("170077", "smetka ç")[0].pdu).dcs == 0x08
    assert decode(submit.encode_message("170077", "smetka €")[0].pdu).dcs == 0x00


def test_what_cannot_be_sent_says_why() -> None:
    with pytest.raises(NotAPhone):
        submit.encode_message("A1 BG", "smetka")
    with pytest.raises(TextError, match="it is empty"):
        submit.encode_message("170077", "")
    with pytest.raises(TextError, match="11 parts"):
        submit.encode_message("170077", "a" * 1531)
