"""Numbers as staff see them: enough to tell two apart, not enough to call or to look up. Pure functions."""

import re

SHORT_CODE = 6  # digits; a number as short as this is nobody's secret
_LONG = re.compile(r"\+?[0-9]{7,}")


def phone(number: str) -> str:
    """+359881234567 -> `+35988•••567`. Short codes and names stay as they are."""
    digits = sum(letter.isdecimal() for letter in number)
    if digits <= SHORT_CODE:
        return number
    return f"{number[:6]}•••{number[-3:]}" if digits > SHORT_CODE + 4 else f"{number[:2]}•••{number[-2:]}"


def customer(customer_no: str) -> str:
    """300000000001 -> `***0001`, as texts show it."""
    return f"***{customer_no[-4:]}"


def text(written: str) -> str:
    """Words with every number of a phone or a customer in them masked."""
    return _LONG.sub(lambda found: phone(found[0]) if found[0].startswith("+") else customer(found[0]), written)
