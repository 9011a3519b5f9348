"""Time stamps in half octets with a zone in quarters of an hour (23.040, 9.2.3.11)."""

from datetime import datetime, timedelta, timezone

LENGTH = 7  # octets
_QUARTER = timedelta(minutes=15)
_NEGATIVE = 0x08  # in the half octet that holds the tens of the zone
_FIRST_YEAR = 1969  # two digits mean 1969 … 2068, as POSIX reads %y; no SMS is older than 1992


def decode(octets: bytes) -> datetime | None:
    """The time in the zone that the PDU gives; None when it is no time: a message is worth more than its date."""
    tens = [octet & 0x0F for octet in octets]
    units = [octet >> 4 for octet in octets]
    if max(*tens[:-1], *units) > 9:
        return None
    year, month, day, hour, minute, second = (10 * ten + unit for ten, unit in zip(tens[:-1], units[:-1], strict=True))
    quarters = 10 * (tens[-1] & ~_NEGATIVE) + units[-1]
    zone = timezone(-quarters * _QUARTER if tens[-1] & _NEGATIVE else quarters * _QUARTER)
    try:
        return datetime(_FIRST_YEAR + (year - _FIRST_YEAR) % 100, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None


def encode(moment: datetime) -> bytes:
    """The octets of an aware datetime; its zone is kept to the quarter of an hour, fractions of a second are not."""
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError("a time stamp needs a time zone")
    quarters = round(offset / _QUARTER)
    local = moment.astimezone(timezone(quarters * _QUARTER))
    octets = bytes(map(_swapped, (local.year % 100, local.month, local.day, local.hour, local.minute, local.second)))
    return octets + bytes((_swapped(abs(quarters)) | (_NEGATIVE if quarters < 0 else 0),))


def _swapped(number: int) -> int:
    tens, units = divmod(number, 10)
    return units << 4 | tens
