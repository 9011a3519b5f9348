import pytest

from modemd.at import urc
from modemd.at.urc import Indication, Urc


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b'+CMTI: "SM",3', "+CMTI"),
        (b"+CREG: 1", "+CREG"),
        (b"^BOOT:20181937,0,0,0,72", "^BOOT"),
        (b"^RSSI:19", "^RSSI"),
        (b"*PSUTTZ: 2026,11,23", "*PSUTTZ"),
        (b"_OSIGQ: 3,0", "_OSIGQ"),
        (b"+SMS FULL", "+SMS FULL"),
        (b"^SYSSTART", "^SYSSTART"),
        (b"RING", "RING"),
        (b"NO CARRIER", "NO CARRIER"),
        (b"Call Ready", "Call Ready"),
        (b"NORMAL POWER DOWN", "NORMAL POWER DOWN"),
    ],
)
def test_a_urc_of_any_make_is_recognised(line: bytes, name: str) -> None:
    assert urc.recognise(line) == Urc(name, line)


@pytest.mark.parametrize("line", [b"07919539010000F0", b"Invented", b"351234567890123", b"AT+CSQ", b""])
def test_other_lines_are_no_urc(line: bytes) -> None:
    assert urc.recognise(line) is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'+CMTI: "SM",3', Indication("SM", 3)),
        (b'+CMTI:"ME",0', Indication("ME", 0)),
        (b"+CMTI: SM, 12", Indication("SM", 12)),
        (b'+CDSI: "SR",25', Indication("SR", 25)),
        (b'+CMTI: "SM",', None),
        (b'+CMTI: "SM",123456', None),
        (b"+CMTI: \xff", None),
    ],
)
def test_an_indication_says_where_or_nothing_when_it_is_damaged(line: bytes, expected: Indication | None) -> None:
    found = urc.recognise(line)
    assert found is not None
    assert urc.indication(found) == expected


def test_a_notification_behind_noise_is_found() -> None:
    assert urc.buried(b'x\xff+CMTI: "SM",3') == Urc("+CMTI", b'+CMTI: "SM",3')
    assert urc.buried(b"x\xff+CMTI") is None


@pytest.mark.parametrize("line", [b"RDY", b"^SYSSTART", b"SMS Ready", b"+PBREADY"])
def test_a_modem_that_starts_anew_says_so(line: bytes) -> None:
    found = urc.recognise(line)
    assert found is not None
    assert urc.tells_restart(found)


@pytest.mark.parametrize("line", [b'^SMMEMFULL: "SM"', b"+SMS FULL", b'+QIND: "smsfull","SM"', b"^SMGO: 1"])
def test_a_full_storage_is_told(line: bytes) -> None:
    found = urc.recognise(line)
    assert found is not None
    assert urc.tells_memory_full(found)


@pytest.mark.parametrize(
    ("header", "length"),
    [
        (b"+CMT: ,23", 23),
        (b'+CMT: "A1",159', 159),
        (b"+CDS: 26", 26),
        (b"+CMGR: 0,,19", 19),
        (b'+CMGL: 7,1,"",42', 42),
        (b"+CMT: ,", None),
    ],
)
def test_the_length_of_the_pdu_stands_at_the_end_of_its_header(header: bytes, length: int | None) -> None:
    assert urc.announced_length(header) == length


def test_a_pdu_fits_when_it_has_the_length_announced_behind_its_service_centre() -> None:
    assert urc.fits(b"00" + b"11" * 23, 23)
    assert urc.fits(b"0291" + b"00" + b"11" * 23, 23)
    assert not urc.fits(b"00" + b"11" * 22, 23)
    assert not urc.fits(b"", 0)
    assert not urc.fits(b"00", None)
