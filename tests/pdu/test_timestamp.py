from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from modemd.pdu import timestamp


def zone(hours: float) -> timezone:
    return timezone(timedelta(hours=hours))


VECTORS = [
    ("62113290000180", datetime(2026, 11, 23, 9, 0, 10, tzinfo=zone(2))),
    ("62113290000100", datetime(2026, 11, 23, 9, 0, 10, tzinfo=UTC)),
    ("99309251619580", datetime(1999, 3, 29, 15, 16, 59, tzinfo=zone(2))),
    ("62113290000122", datetime(2026, 11, 23, 9, 0, 10, tzinfo=zone(5.5))),  # India
    ("62113290000132", datetime(2026, 11, 23, 9, 0, 10, tzinfo=zone(5.75))),  # Nepal
    ("6211329000018a", datetime(2026, 11, 23, 9, 0, 10, tzinfo=zone(-7))),
    ("6211329000014a", datetime(2026, 11, 23, 9, 0, 10, tzinfo=zone(-6))),
    ("62113290000149", datetime(2026, 11, 23, 9, 0, 10, tzinfo=zone(-3.5))),  # Newfoundland
    ("62113290000165", datetime(2026, 11, 23, 9, 0, 10, tzinfo=zone(14))),
    ("62113290000197", datetime(2026, 11, 23, 9, 0, 10, tzinfo=zone(19.75))),
    ("42209232959500", datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)),
]


@pytest.mark.parametrize(("octets", "moment"), VECTORS)
def test_a_time_stamp_reads_with_its_zone_and_writes(octets: str, moment: datetime) -> None:
    found = timestamp.decode(bytes.fromhex(octets))
    assert found == moment
    assert found is not None
    assert found.utcoffset() == moment.utcoffset()
    assert timestamp.encode(moment).hex() == octets


@pytest.mark.parametrize(
    ("digits", "year"), [("96", 1969), ("07", 1970), ("99", 1999), ("00", 2000), ("62", 2026), ("86", 2068)]
)
def test_two_digits_of_a_year_mean_1969_to_2068(digits: str, year: int) -> None:
    found = timestamp.decode(bytes.fromhex(digits + "101000000000"))
    assert found is not None
    assert found.year == year


@pytest.mark.parametrize(
    "octets",
    [
        "00000000000000",
        "ffffffffffffff",
        "62003290000180",  # month 0
        "62313290000180",  # month 13
        "62110090000180",  # day 0
        "62201390000180",  # 31 February
        "62113242000180",  # 24 o'clock
        "62113290060180",  # 60 minutes
        "62113290000680",  # 60 seconds
        "6a113290000180",  # no digit in the year
        "a6113290000180",
        "621132900001a0",  # no digit in the zone
    ],
)
def test_what_is_no_time_is_none(octets: str) -> None:
    assert timestamp.decode(bytes.fromhex(octets)) is None


def test_writing_keeps_the_zone_of_the_moment() -> None:
    summer = datetime(2026, 7, 1, 12, 0, 0, 999999, tzinfo=ZoneInfo("Europe/Sofia"))
    assert timestamp.encode(summer).hex() == "62701021000021"


def test_writing_rounds_an_odd_zone_to_a_quarter_of_an_hour() -> None:
    moment = datetime(2026, 1, 1, 12, 0, tzinfo=timezone(timedelta(hours=1, minutes=34)))
    found = timestamp.decode(timestamp.encode(moment))
    assert found == moment
    assert found is not None
    assert found.utcoffset() == timedelta(hours=1.5)


def test_a_time_without_a_zone_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="time zone"):
        timestamp.encode(datetime(2026, 1, 1))  # noqa: DTZ001
