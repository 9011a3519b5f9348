from datetime import datetime, timedelta, timezone

import pytest

from modemd.errors import PduError
from modemd.pdu.address import Address, AddressType
from modemd.pdu.status_report import StatusReportPdu

ZONE = timezone(timedelta(hours=2))
TAKEN = datetime(2026, 11, 23, 9, 0, 10, tzinfo=ZONE)
DISCHARGED = datetime(2026, 11, 23, 9, 0, 15, tzinfo=ZONE)
MANDATORY = "06" + "2a" + "0c91538918325476" + "62113290000180" + "62113290005180" + "00"


def report(status: int = 0, pid: int | None = None, dcs: int = 0, text: str | None = None) -> StatusReportPdu:
    return StatusReportPdu(
        reference=0x2A,
        recipient=Address.parse("+359881234567"),
        timestamp=TAKEN,
        discharge=DISCHARGED,
        status=status,
        pid=pid,
        dcs=dcs,
        text=text,
    )


def decode(octets: str) -> StatusReportPdu:
    return StatusReportPdu.decode(bytes.fromhex(octets))


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        pytest.param("00" + MANDATORY, report(), id="mandatory part"),
        pytest.param("00" + MANDATORY[:-2] + "46", report(status=0x46), id="failed"),
        pytest.param("00" + MANDATORY + "0100", report(pid=0), id="protocol identifier"),
        pytest.param("00" + MANDATORY + "0700" + "00" + "06f37699be0e03", report(pid=0, text="smetka"), id="all"),
        pytest.param(
            "00" + MANDATORY + "06" + "08" + "0404410442", report(dcs=8, text="ст"), id="coding and user data"
        ),
    ],
)
def test_a_status_report_reads_and_writes(octets: str, expected: StatusReportPdu) -> None:
    assert decode(octets) == expected
    assert expected.encode().hex() == octets


def test_the_service_centre_and_the_flags_read_and_write() -> None:
    octets = "07915389080003f0" + "22" + MANDATORY[2:]
    found = decode(octets)
    assert found.smsc == Address("+35988000300", AddressType.INTERNATIONAL)
    assert found.more_messages
    assert found.about_a_command
    assert found.encode().hex() == octets


@pytest.mark.parametrize(
    ("optional", "expected"),
    [
        ("00", report()),
        ("02" + "08", report(dcs=8)),
        ("04" + "06f37699be0e03", report(text="smetka")),
        ("81" + "00" + "00", report(pid=0)),  # an extension octet of the parameter indicator
        ("81" + "80" + "00" + "00", report(pid=0)),
        ("10", report()),  # a reserved bit
        ("ff" * 20, report()),  # the filling of a SIM's record
        ("00" + "ff" * 20, report()),
    ],
)
def test_the_optional_part_is_what_its_indicator_announces(optional: str, expected: StatusReportPdu) -> None:
    assert decode("00" + MANDATORY + optional) == expected


@pytest.mark.parametrize("optional", ["01", "02", "04", "0700", "070000", "07000006f37699", "81", "8180"])
def test_an_optional_part_that_is_cut_off_is_an_error(optional: str) -> None:
    with pytest.raises(PduError, match="it ends inside"):
        decode("00" + MANDATORY + optional)


@pytest.mark.parametrize("length", range(1 + len(MANDATORY) // 2))
def test_a_status_report_cut_off_anywhere_is_an_error(length: int) -> None:
    with pytest.raises(PduError, match="it ends inside"):
        decode(("00" + MANDATORY)[: 2 * length])


def test_unreadable_times_are_absent() -> None:
    found = decode("00" + MANDATORY.replace("621132900", "ffffff9ff"))
    assert (found.timestamp, found.discharge, found.status) == (None, None, 0)
    assert decode(found.encode().hex()) == found


def test_a_header_reads_with_the_user_data() -> None:
    found = decode("00" + "46" + MANDATORY[2:] + "04" + "0c050003a70201906536fb0d")
    assert found.text == "Hello"
    assert found.concatenation is not None
    assert found.encode().hex() == "00" + "46" + MANDATORY[2:] + "06" + "00" + "0c050003a70201906536fb0d"
