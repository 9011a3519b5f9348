import json

import pytest

from modemd.errors import PduError
from modemd.pdu import tpdu
from modemd.pdu.deliver import Deliver
from modemd.pdu.status_report import StatusReportPdu
from modemd.pdu.submit import Submit

DELIVER = "07915389080003f0" + "04" + "0c91538918325476" + "0000" + "62113290000180" + "06f37699be0e03"
SUBMIT = "00" + "31" + "2a" + "0681710077" + "0010" + "a8" + "0c050003a70201906536fb0d"
STATUS_REPORT = "00" + "06" + "2a" + "0c91538918325476" + "62113290000180" + "62113290005180" + "46"
NOTHING = dict.fromkeys(
    [
        "smsc",
        "number",
        "text",
        "data",
        "alphabet",
        "class",
        "timestamp",
        "concat",
        "ports",
        "udh",
        "reference",
        "status",
        "discharge",
        "pid",
        "dcs",
        "valid_seconds",
        "valid_until",
    ]
)


def describe(octets: str) -> dict[str, object]:
    return tpdu.describe(tpdu.decode(bytes.fromhex(octets)))


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        (DELIVER, Deliver),
        (SUBMIT.replace("0031", "0071", 1), Submit),
        (STATUS_REPORT, StatusReportPdu),
        (DELIVER.replace("f004", "f007", 1), Deliver),  # the reserved type
    ],
)
def test_the_first_octet_says_the_type(octets: str, kind: type) -> None:
    assert type(tpdu.decode(bytes.fromhex(octets))) is kind


def test_a_deliver_as_json() -> None:
    assert describe(DELIVER) == NOTHING | {
        "type": "deliver",
        "smsc": "+35988000300",
        "number": "+359881234567",
        "text": "smetka",
        "alphabet": "gsm7",
        "timestamp": "2026-11-23T09:00:10+02:00",
        "pid": 0,
        "dcs": 0,
    }


def test_a_submit_as_json() -> None:
    assert describe(SUBMIT.replace("0031", "0071", 1)) == NOTHING | {
        "type": "submit",
        "number": "170077",
        "text": "Hello",
        "alphabet": "gsm7",
        "class": 0,
        "concat": {"reference": 0xA7, "total": 2, "part": 1},
        "udh": "050003a70201",
        "reference": 42,
        "pid": 0,
        "dcs": 0x10,
        "valid_seconds": 172800,
    }


def test_a_submit_with_an_absolute_validity_as_json() -> None:
    found = describe("00" + "19" + "00" + "0681710077" + "0000" + "62113290000149" + "06f37699be0e03")
    assert found["valid_until"] == "2026-11-23T09:00:10-03:30"
    assert found["valid_seconds"] is None


def test_a_status_report_as_json() -> None:
    assert describe(STATUS_REPORT) == NOTHING | {
        "type": "status_report",
        "number": "+359881234567",
        "timestamp": "2026-11-23T09:00:10+02:00",
        "discharge": "2026-11-23T09:00:15+02:00",
        "reference": 42,
        "status": 0x46,
    }


def test_data_is_lower_case_hex_and_ports_are_named() -> None:
    found = describe("00" + "44" + "0081" + "00f5" + "00000000000000" + "09" + "0605040B8423F0" + "BEEF")
    assert found == NOTHING | {
        "type": "deliver",
        "data": "beef",
        "alphabet": "8bit",
        "class": 1,
        "ports": {"destination": 0x0B84, "source": 0x23F0},
        "udh": "0605040b8423f0",
        "pid": 0,
        "dcs": 0xF5,
    }


def test_half_a_surrogate_pair_survives_json() -> None:
    found = describe("00" + "04" + "0681710077" + "0008" + "62113290000180" + "040441d83d")
    assert json.dumps(found["text"]) == '"\\u0441\\ud83d"'


@pytest.mark.parametrize("octets", ["", "00", "07", "07915389080003f0", "ff" * 8, "00" * 3])
def test_what_ends_too_early_is_an_error(octets: str) -> None:
    with pytest.raises(PduError, match="it ends"):
        tpdu.decode(bytes.fromhex(octets))


def test_the_length_leaves_out_the_service_centre() -> None:
    assert tpdu.length(bytes.fromhex(DELIVER)) == len(DELIVER) // 2 - 8
    assert tpdu.length(bytes.fromhex(STATUS_REPORT)) == len(STATUS_REPORT) // 2 - 1
