"""Whatever octets come in, the answer is a value or a PduError, and what is written reads as it was."""

import contextlib
import json
from datetime import datetime, timedelta, timezone

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modemd.errors import PduError, TextError
from modemd.messages import Concatenation
from modemd.pdu import alphabet, national, segments, submit, timestamp, tpdu, udh, validity
from modemd.pdu.address import Address, AddressType
from modemd.pdu.deliver import Deliver
from modemd.pdu.status_report import StatusReportPdu
from modemd.pdu.submit import Submit
from modemd.pdu.udh import Element

many = settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
some = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])

GSM7_TEXT = st.text(st.sampled_from([*national.DEFAULT.replace("\x1b", ""), *national.EXTENSION.values()]), max_size=80)
ANY_TEXT = st.text(max_size=70)
ZONES = st.integers(-79, 79).map(lambda quarters: timezone(quarters * timedelta(minutes=15)))
MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2068, 12, 30), timezones=ZONES).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0)
)
DIGITS = st.text("0123456789*#abc", min_size=1, max_size=20)
ADDRESSES = st.one_of(
    st.builds(
        Address, DIGITS, st.sampled_from([kind for kind in AddressType if kind not in (1, 5)]), st.integers(0, 15)
    ),
    st.builds(Address, DIGITS.map("+{}".format), st.just(AddressType.INTERNATIONAL), st.integers(0, 15)),
    st.builds(Address.alphanumeric, st.text("@ABCxyz089 _", max_size=11)),
    st.just(Address()),
)
SMSCS = st.none() | st.builds(Address, st.text("0123456789", min_size=1, max_size=20))
ELEMENTS = st.lists(
    st.builds(Element, st.integers(0, 255).filter(lambda kind: kind not in (0x24, 0x25)), st.binary(max_size=8)),
    max_size=3,
).map(tuple)
BODIES = st.one_of(
    st.fixed_dictionaries(
        {"dcs": st.sampled_from([0x00, 0x11, 0xC8, 0xF2, 0x8C]), "text": GSM7_TEXT.filter(lambda text: len(text) < 60)}
    ),
    st.fixed_dictionaries({"dcs": st.sampled_from([0x08, 0x18, 0xE0]), "text": st.text(max_size=27)}),
    st.fixed_dictionaries({"dcs": st.sampled_from([0x04, 0x20, 0xF5]), "data": st.binary(max_size=100)}),
)
FLAGS = st.booleans()
PLACES = st.integers(0, 2**16 - 1)  # in a PDU, modulo its length
DELIVERS = st.builds(
    lambda body, **fields: Deliver(**body, **fields),
    BODIES,
    smsc=SMSCS,
    number=ADDRESSES,
    pid=st.integers(0, 255),
    timestamp=st.none() | MOMENTS,
    more_messages=FLAGS,
    status_report_indication=FLAGS,
    reply_path=FLAGS,
    elements=ELEMENTS,
)
SUBMITS = st.builds(
    lambda body, **fields: Submit(**body, **fields),
    BODIES,
    smsc=SMSCS,
    reference=st.integers(0, 255),
    number=ADDRESSES,
    pid=st.integers(0, 255),
    validity=st.none() | MOMENTS | st.integers(1, 63).map(lambda weeks: timedelta(days=min(7 * weeks, 28))),
    status_report_request=FLAGS,
    reject_duplicates=FLAGS,
    reply_path=FLAGS,
    elements=ELEMENTS,
)
STATUS_REPORTS = st.builds(
    lambda body, **fields: StatusReportPdu(**body, **fields),
    st.just({}) | BODIES,
    smsc=SMSCS,
    reference=st.integers(0, 255),
    recipient=ADDRESSES,
    timestamp=st.none() | MOMENTS,
    discharge=st.none() | MOMENTS,
    status=st.integers(0, 255),
    pid=st.none() | st.integers(0, 255),
    more_messages=FLAGS,
    about_a_command=FLAGS,
)
PDUS = DELIVERS | SUBMITS | STATUS_REPORTS


def read_or_refuse(octets: bytes) -> None:
    with contextlib.suppress(PduError):
        json.dumps(tpdu.describe(tpdu.decode(octets)))


@many
@given(st.binary(max_size=200))
def test_random_octets_are_a_value_or_a_pdu_error(octets: bytes) -> None:
    read_or_refuse(octets)


@many
@given(st.integers(0, 3), st.sampled_from([0x00, 0x40]), st.binary(max_size=180))
def test_octets_behind_a_sound_beginning_are_a_value_or_a_pdu_error(
    message_type: int, header: int, rest: bytes
) -> None:
    read_or_refuse(bytes((0, message_type | header)) + rest)


@many
@given(PDUS, st.lists(st.tuples(PLACES, st.integers(0, 255)), min_size=1, max_size=4), PLACES)
def test_a_damaged_pdu_is_a_value_or_a_pdu_error(pdu: tpdu.Pdu, damage: list[tuple[int, int]], end: int) -> None:
    octets = bytearray(pdu.encode())
    for place, octet in damage:
        octets[place % len(octets)] = octet
    read_or_refuse(bytes(octets[: end % (len(octets) + 1)]))


@many
@given(PDUS)
def test_what_is_written_reads_as_it_was(pdu: tpdu.Pdu) -> None:
    assert tpdu.decode(pdu.encode()) == pdu


@some
@given(PDUS, st.binary(max_size=20))
def test_what_stands_behind_the_user_data_changes_nothing(pdu: tpdu.Pdu, surplus: bytes) -> None:
    if isinstance(pdu, StatusReportPdu) and pdu.text is None and pdu.data is None:
        return  # octets behind its mandatory part are its optional part
    assert tpdu.decode(pdu.encode() + surplus) == pdu


@some
@given(
    st.binary(max_size=160).map(lambda octets: bytes(octet & 127 for octet in octets)),
    st.integers(0, 255),
    st.integers(0, 255),
)
def test_any_septets_read_in_any_language(septets: bytes, locking: int, single: int) -> None:
    assert len(alphabet.decode_gsm7(septets, locking, single)) <= len(septets)


@some
@given(st.binary(max_size=160).map(lambda octets: bytes(octet & 127 for octet in octets)), st.integers(0, 6))
def test_septets_unpack_as_they_were_packed(septets: bytes, fill_bits: int) -> None:
    assert alphabet.unpack(alphabet.pack(septets, fill_bits), len(septets), fill_bits) == septets


@some
@given(st.binary(min_size=7, max_size=7))
def test_any_seven_octets_are_a_time_or_none(octets: bytes) -> None:
    moment = timestamp.decode(octets)
    if moment is not None:
        assert timestamp.decode(timestamp.encode(moment)) == moment


@some
@given(st.timedeltas())
def test_any_validity_is_one_octet(wanted: timedelta) -> None:
    assert 0 <= validity.encode_relative(wanted) <= 255


@some
@given(GSM7_TEXT | ANY_TEXT | st.text("aя€😀[", min_size=60, max_size=700), st.integers(0, 255))
def test_the_parts_of_any_text_are_the_text(text: str, reference: int) -> None:
    try:
        parts = submit.encode_message("+359881234567", text, concat_reference=reference)
    except TextError:
        assert not text or len(text) > 600
        return
    pdus = [tpdu.decode(bytes.fromhex(part.pdu)) for part in parts]
    assert "".join(pdu.text or "" for pdu in pdus) == text
    assert [pdu.text for pdu in pdus] == segments.split(text)
    size = segments.measure(text)
    assert size.parts == len(parts)
    assert {pdu.alphabet for pdu in pdus} == {size.alphabet}
    if len(parts) > 1:
        assert [pdu.concatenation for pdu in pdus] == [
            Concatenation(reference, len(parts), part) for part in range(1, len(parts) + 1)
        ]


@some
@given(st.lists(st.builds(Element, st.integers(0, 255), st.binary(max_size=20)), max_size=5))
def test_any_elements_read_as_they_were_written(elements: list[Element]) -> None:
    header = udh.encode(elements)
    assert udh.decode(header[1:]) == tuple(elements)
    udh.concatenation(elements), udh.ports(elements), udh.languages(elements)
