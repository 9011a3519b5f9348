from datetime import UTC, datetime, timedelta

import pytest

from modemd.errors import PduError
from modemd.pdu import validity
from modemd.pdu.reader import Reader
from modemd.pdu.validity import ValidityFormat


def decode(octets: str, form: ValidityFormat) -> timedelta | datetime | None:
    return validity.decode(Reader(bytes.fromhex(octets)), form)


RELATIVE = [
    (0, timedelta(minutes=5)),
    (11, timedelta(hours=1)),
    (143, timedelta(hours=12)),
    (144, timedelta(hours=12, minutes=30)),
    (167, timedelta(hours=24)),
    (168, timedelta(days=2)),
    (170, timedelta(days=4)),
    (196, timedelta(days=30)),
    (197, timedelta(weeks=5)),
    (255, timedelta(weeks=63)),
]


@pytest.mark.parametrize(("octet", "period"), RELATIVE)
def test_relative_periods_read_and_write(octet: int, period: timedelta) -> None:
    assert decode(f"{octet:02x}", ValidityFormat.RELATIVE) == period
    assert validity.encode_relative(period) == octet


@pytest.mark.parametrize(
    ("wanted", "octet"),
    [
        (timedelta(hours=11, minutes=4, seconds=59), 131),
        (timedelta(hours=12, minutes=29), 143),
        (timedelta(hours=47), 167),
        (timedelta(days=34), 196),
        (timedelta(weeks=100), 255),
        (timedelta.max, 255),
        (timedelta(seconds=1), 0),
        (timedelta(0), 0),
        (timedelta(days=-1), 0),
    ],
)
def test_a_period_is_never_longer_than_wanted_within_5_minutes_and_63_weeks(wanted: timedelta, octet: int) -> None:
    assert validity.encode_relative(wanted) == octet


def test_an_absolute_period_is_a_time_stamp() -> None:
    assert decode("62113290000100", ValidityFormat.ABSOLUTE) == datetime(2026, 11, 23, 9, 0, 10, tzinfo=UTC)
    assert decode("ffffffffffffff", ValidityFormat.ABSOLUTE) is None


@pytest.mark.parametrize(
    ("octets", "period"),
    [
        ("00000000000000", None),
        ("010b0000000000", timedelta(hours=1)),
        ("411f0000000000", timedelta(hours=2, minutes=40)),  # single shot
        ("021e0000000000", timedelta(seconds=30)),
        ("03214365000000", timedelta(hours=12, minutes=34, seconds=56)),
        ("03a14365000000", None),
        ("04010000000000", None),
        ("07010000000000", None),
        ("81800b00000000", None),
    ],
)
def test_enhanced_periods(octets: str, period: timedelta | None) -> None:
    assert decode(octets, ValidityFormat.ENHANCED) == period


def test_no_period_takes_no_octets() -> None:
    assert decode("", ValidityFormat.ABSENT) is None


@pytest.mark.parametrize(
    ("octets", "form"),
    [
        ("", ValidityFormat.RELATIVE),
        ("621132900001", ValidityFormat.ABSOLUTE),
        ("010b00000000", ValidityFormat.ENHANCED),
    ],
)
def test_a_period_that_is_cut_off_is_an_error(octets: str, form: ValidityFormat) -> None:
    with pytest.raises(PduError, match="the validity period"):
        decode(octets, form)
