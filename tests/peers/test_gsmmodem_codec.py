"""Our codec against python-gsmmodem's, where that one is right.

It is wrong, and so not asked, about § (it has ` there), characters beyond the basic plane, GSM 7-bit parts with a
16-bit reference (it drops their first character), parts that end in @ (it drops that where it is an eighth septet), and
destinations without a plus (it calls them national).
"""

from datetime import timedelta

import pytest
from gsmmodem import pdu as peer
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from modemd.pdu import national, submit, tpdu
from modemd.pdu.submit import Submit

some = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
GSM7_TEXT = st.text(
    st.sampled_from([*national.DEFAULT.replace("\x1b", "").replace("§", ""), *"^{}\\[~]|€"]), min_size=1, max_size=400
)
UCS2_TEXT = st.text(st.characters(min_codepoint=0x400, max_codepoint=0x4FF), min_size=1, max_size=200)
INTERNATIONAL = st.text("0123456789", min_size=7, max_size=15).map("+{}".format)


def theirs(number: str, text: str, **options: object) -> list[tuple[int, str]]:
    return [(each.tpduLength, bytes(each.data).hex()) for each in peer.encodeSmsSubmitPdu(number, text, **options)]


@some
@given(INTERNATIONAL, GSM7_TEXT | UCS2_TEXT, st.booleans(), st.booleans())
def test_what_we_encode_they_read(number: str, text: str, status_report: bool, flash: bool) -> None:
    parts = submit.encode_message(number, text, concat_reference=9, status_report=status_report, flash=flash)
    assume(not any((tpdu.decode(bytes.fromhex(part.pdu)).text or "").endswith("@") for part in parts))
    found = [peer.decodeSmsPdu(part.pdu) for part in parts]
    assert "".join(each["text"] for each in found) == text
    assert {each["number"] for each in found} == {number}
    assert [each["tpdu_length"] for each in found] == [part.length for part in parts]


@some
@given(INTERNATIONAL, GSM7_TEXT | UCS2_TEXT)
def test_what_they_encode_we_read(number: str, text: str) -> None:
    found = [tpdu.decode(bytes.fromhex(pdu)) for _, pdu in theirs(number, text, reference=9)]
    assert "".join(each.text or "" for each in found) == text
    assert all(isinstance(each, Submit) and each.number.number == number for each in found)


@some
@given(
    INTERNATIONAL,
    st.text("abcABC123 []€", min_size=1, max_size=80) | UCS2_TEXT.map(lambda text: text[:70]),
    st.booleans(),
    st.booleans(),
)
def test_one_part_is_the_same_octet_for_octet(number: str, text: str, status_report: bool, flash: bool) -> None:
    ours = submit.encode_message(number, text, status_report=status_report, flash=flash)
    assert [tuple(part) for part in ours] == theirs(number, text, requestStatusReport=status_report, sendFlash=flash)


@pytest.mark.parametrize(
    "period",
    [
        timedelta(minutes=5),
        timedelta(hours=3),
        timedelta(hours=12),
        timedelta(hours=20),
        timedelta(days=2),
        timedelta(weeks=8),
    ],
)
def test_the_validity_is_the_same(period: timedelta) -> None:
    ours = submit.encode_message("+359881234567", "smetka", validity=period)
    assert [tuple(part) for part in ours] == theirs("+359881234567", "smetka", validity=period)
    assert peer.decodeSmsPdu(ours[0].pdu)["validity"] == period


@pytest.mark.parametrize(
    "octets",
    [
        "07915389080003f0040c9153891832547600006211329000018006f37699be0e03",
        "07915389080003f0040c9153891832547600086211329000014a0404410442",
        "07915389080003f0440c91538918325476000862113290000180" + "08050003a702010441",
        "00062a0c915389183254766211329000018062113290005180" + "00",
    ],
)
def test_received_pdus_read_the_same(octets: str) -> None:
    ours = tpdu.describe(tpdu.decode(bytes.fromhex(octets)))
    found = peer.decodeSmsPdu(octets)
    assert found["number"] == ours["number"]
    assert found["time"].isoformat() == ours["timestamp"]
    assert found.get("text") == ours["text"]
    assert found.get("reference") == ours["reference"]
    assert found.get("status") == ours["status"]
