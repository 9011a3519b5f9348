"""How long the service centre may keep trying (23.040, 9.2.3.12)."""

from bisect import bisect_right
from datetime import datetime, timedelta
from enum import IntEnum

from modemd.pdu import timestamp
from modemd.pdu.reader import Reader


class ValidityFormat(IntEnum):
    """TP-VPF, bits 4 and 3 of a SUBMIT's first octet (23.040, 9.2.3.3)."""

    ABSENT = 0
    ENHANCED = 1
    RELATIVE = 2
    ABSOLUTE = 3


_ENHANCED_LENGTH = 7
_PERIODS = (  # of the 256 relative octets, each longer than the one before (9.2.3.12.1)
    *(step * timedelta(minutes=5) for step in range(1, 145)),
    *(timedelta(hours=12) + step * timedelta(minutes=30) for step in range(1, 25)),
    *(timedelta(days=days) for days in range(2, 31)),
    *(timedelta(weeks=weeks) for weeks in range(5, 64)),
)


def decode(reader: Reader, form: ValidityFormat) -> timedelta | datetime | None:
    """TP-VP in its format: a duration, a moment, or None when absent or unreadable. Raises PduError when cut off."""
    if form is ValidityFormat.RELATIVE:
        return _PERIODS[reader.octet("the validity period")]
    if form is ValidityFormat.ABSOLUTE:
        return timestamp.decode(reader.take(timestamp.LENGTH, "the validity period"))
    if form is ValidityFormat.ENHANCED:
        return _decode_enhanced(reader.take(_ENHANCED_LENGTH, "the validity period"))
    return None


def encode_relative(duration: timedelta) -> int:
    """The longest period that is not longer than `duration`: a message is never kept past the time it is meant for.

    Less than 5 minutes is 5 minutes, more than 63 weeks is 63 weeks.
    """
    return max(bisect_right(_PERIODS, duration) - 1, 0)


def _decode_enhanced(octets: bytes) -> timedelta | None:
    """9.2.3.12.3: a functionality indicator whose low bits say what follows; reserved forms are no period."""
    indicator, *value = octets
    if indicator & 0x80:  # the indicator goes on in an octet that no version of the standard defines
        return None
    form = indicator & 0x07
    if form == 1:
        return _PERIODS[value[0]]
    if form == 2:
        return timedelta(seconds=value[0])
    if form == 3:
        return _hours_minutes_seconds(value[:3])
    return None


def _hours_minutes_seconds(octets: list[int]) -> timedelta | None:
    digits = "".join(f"{octet & 15:x}{octet >> 4:x}" for octet in octets)
    if not digits.isdecimal():
        return None
    return timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]), seconds=int(digits[4:]))
