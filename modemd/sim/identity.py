"""Who a simulated modem and its SIM are: invented, and the same for the same seed and place in the bank."""

from dataclasses import dataclass
from random import Random
from typing import NamedTuple


class Operator(NamedTuple):
    name: str
    code: str  # mobile country code and network code
    smsc: str  # its message centre; invented


OPERATORS = (
    Operator("A1 BG", "28401", "+359889009901"),
    Operator("Vivacom", "28403", "+359889009903"),
    Operator("Yettel", "28405", "+359889009905"),
)
_TEST_TAC = "00101700"  # type allocation codes from 001 are for test equipment (GSMA TS.06)


@dataclass(frozen=True, slots=True)
class Identity:
    imei: str
    iccid: str
    imsi: str
    number: str
    operator: Operator
    rssi: int  # 0 … 31, around which the signal varies
    area: int
    cell: int


def invent(seed: int, index: int) -> Identity:
    """The identity of the modem at place `index` (0 … 63) of the bank with this seed."""
    random = Random(f"{seed}/{index}/identity")  # noqa: S311 - invented data
    operator = OPERATORS[index % len(OPERATORS)]
    serial = seed * 64 + index
    iccid = f"89359{operator.code[3:]}{serial % 10**12:012}"
    imei = f"{_TEST_TAC}{serial % 10**6:06}"
    return Identity(
        imei=imei + luhn_digit(imei),
        iccid=iccid + luhn_digit(iccid),
        imsi=f"{operator.code}{serial % 10**10:010}",
        number=f"+35988900{index:04}",
        operator=operator,
        rssi=random.randint(12, 28),
        area=random.randint(1, 0xFFFE),
        cell=random.randint(1, 0xFFFE),
    )


def luhn_digit(digits: str) -> str:
    """The check digit behind an IMEI's 14 digits or an ICCID (ISO/IEC 7812-1, annex B)."""
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits)))
    return str(-sum(value - 9 if value > 9 else value for value in doubled) % 10)
